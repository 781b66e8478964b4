//! What the verbs say that read the account: `export`, `drift`, `lookup` and `state rebuild`.

use std::error::Error;

use super::super::amounts::{count, counted};
use super::super::binding_text::time_text;
use crate::model::{ContactKey, Field, NameKind, Timestamp};
use crate::ops::{ExportError, Missing, Omission, Unseen, chain};
use crate::source::{Diagnostic, Unfit};

/// Says why it is not known how a contact stands.
pub(crate) fn unseen(why: &Unseen) -> String {
    match why {
        Unseen::NotShown => "Apollo does not show it".to_owned(),
        Unseen::NotCertain => "Apollo does not show it, and not everybody in the account could be read".to_owned(),
        Unseen::Failed(why) => why.clone(),
    }
}

pub(crate) fn not_asked(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("Apollo cannot be asked", chain(why))
}

pub(crate) fn ways_out_of_drift(apply: &str) -> String {
    format!("\nTo restore what the files say, run: {apply}\nTo keep what stands in Apollo, change the files.")
}

// Names.

pub(crate) const NAMES_NEED_A_KEY: &str = "with APOLLO_API_KEY set, names that are not known are asked for again.";

/// Names that could not be read again, and why.
pub(crate) fn old_names_used(why: &Diagnostic) -> Diagnostic {
    let detail = format!("{}: {}\nThose that are known from before were used.", why.summary, why.detail);
    Diagnostic::warning("The names of stages and fields could not be read again", detail)
}

pub(crate) fn listed_before(read_at: Timestamp) -> String {
    format!("no credential is set, so these are as Apollo listed them at {}.", time_text(read_at))
}

pub(crate) fn no_credential_to_list(kind: NameKind) -> Diagnostic {
    let detail = format!(
        "The state does not know the {} either. Set APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN), so that Apollo can be asked.",
        kind.name()
    );
    Diagnostic::error("No credential is set", detail)
}

// Who was not seen.

/// Says how many contacts a rebuilding did not see; `None` where the account is too large to be read.
pub(crate) fn not_everybody(missed: Option<u64>) -> Option<Diagnostic> {
    let detail = match missed {
        Some(0) => return None,
        Some(missed) => format!("{} Only entries that name their contact are bound. Run it again.", counts(missed)),
        None => "The account has more contacts than Apollo shows. Only entries that name their contact are bound."
            .to_owned(),
    };
    Some(Diagnostic::warning("Not everybody was seen", detail))
}

/// The same of an export.
pub(crate) fn some_missed(missed: u64) -> Option<Diagnostic> {
    let detail = format!(
        "{} A contact that is created or changed while the pages are read may be missed: run it again.",
        counts(missed)
    );
    (missed > 0).then(|| Diagnostic::warning("Not everybody was seen", detail))
}

fn counts(missed: u64) -> String {
    let missed = counted(usize::try_from(missed).unwrap_or(usize::MAX), "contact");
    format!("Apollo counts {missed} more than it showed.")
}

// Exports.

pub(crate) fn no_directory(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("There is no directory for the files", chain(why))
}

pub(crate) fn exported(written: usize, selected: usize) -> String {
    format!("\nExported {} of {} contacts.", count(written), count(selected))
}

/// Says what is not in the files; `None` for who is declared elsewhere, of whom there may be many.
pub(crate) fn omitted(omission: &Omission, command: &dyn Fn(&str) -> String) -> Option<Diagnostic> {
    Some(match omission {
        Omission::Declared(_) => return None,
        Omission::SharesEmail { id, key } => Diagnostic::warning(
            format!("Contact {id} was left out"),
            format!(
                "{} declares its e-mail and is bound to no contact. If they are one person, run: {}",
                key.address(),
                command(&format!("import {key} {id}"))
            ),
        ),
        Omission::Unfit { key, unfit: value } => unfit(key, value),
        Omission::More { key, field } => Diagnostic::warning(
            format!("{field} of {} is not exported in full", key.address()),
            "Apollo has more than one value for it, or one in a form that is not known. The rest stays as it is in Apollo.",
        ),
    })
}

pub(crate) fn unfit(key: &ContactKey, unfit: &Unfit) -> Diagnostic {
    Diagnostic::warning(
        format!("{} of {} was left out", unfit.field, key.address()),
        format!("A contact file cannot hold it: {}.", unfit.why),
    )
}

pub(crate) fn more_like_these(rest: usize) -> Diagnostic {
    Diagnostic::warning(format!("{} like these", counted(rest, "more warning")), "They are not shown.")
}

pub(crate) fn left_where_declared(contacts: usize) -> String {
    let are = if contacts == 1 { "is" } else { "are" };
    format!(
        "{} {are} declared in files that were edited or that contactsd did not write, and left there. --diff shows what \
         Apollo has of those in files that it wrote; --force replaces these.",
        counted(contacts, "contact")
    )
}

/// Says why there is nothing to export, where that is no problem of the files or of a request.
pub(crate) fn not_exported(error: &ExportError) -> Diagnostic {
    match error {
        ExportError::UnknownName { kind, name, known } => {
            let what = if *kind == NameKind::Lists { "list" } else { "stage" };
            let detail = if known.is_empty() {
                format!("It has no {what} of contacts at all. Nothing was written.")
            } else {
                format!("There are: {}. Nothing was written.", known.join(", "))
            };
            Diagnostic::error(format!("Apollo has no {what} \"{name}\""), detail)
        }
        ExportError::TooMany => Diagnostic::error(
            "The account is too large to be read as a whole",
            "Apollo shows 50,000 contacts from either end of an account. Nothing was written.",
        ),
        _ => Diagnostic::error(
            "Apollo does not say what lists or stages there are",
            "Without them no contacts can be selected by list or stage. Give the key the scope that is named above.",
        ),
    }
}

// Single entries as Apollo has them.

pub(crate) fn not_shown(key: &ContactKey, field: &Field) -> String {
    format!("Apollo does not show {field} of {}, so the declared value was kept.", key.address())
}

pub(crate) fn missing(key: &ContactKey, missing: &Missing) -> Diagnostic {
    let detail = match missing {
        Missing::Unbound => "It is bound to no contact, and names none. The next apply finds or creates it.".to_owned(),
        Missing::Gone(id) => format!("Apollo says that contact {id} does not exist."),
        Missing::Merged { id, survivor } => format!("Contact {id} is part of {survivor} in Apollo now."),
        Missing::Unseen { id, why } => format!("Contact {id} was not seen: {}.", unseen(why)),
    };
    Diagnostic::error(format!("{} cannot be shown as Apollo has it", key.address()), detail)
}
