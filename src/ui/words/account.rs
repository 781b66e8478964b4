//! Messages of the verbs that read the account: `export`, `drift`, `lookup` and `state rebuild`.

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
        Unseen::NotCertain => "Apollo does not show it, and not all contacts of the account could be read".to_owned(),
        Unseen::Failed(why) => why.clone(),
    }
}

pub(crate) fn not_asked(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("Apollo cannot be asked", chain(why))
}

pub(crate) fn ways_out_of_drift(apply: &str) -> String {
    format!("\nTo restore what the files say, run: {apply}\nTo keep what Apollo has, change the files.")
}

// Names.

pub(crate) const NAMES_NEED_A_KEY: &str = "set APOLLO_API_KEY to look up unknown names in Apollo.";

/// Names that could not be read again, and why.
pub(crate) fn old_names_used(why: &Diagnostic) -> Diagnostic {
    let detail = format!("{}: {}\nThe names that were read before are used.", why.summary, why.detail);
    Diagnostic::warning("The names of stages and fields could not be read again", detail)
}

pub(crate) fn listed_before(read_at: Timestamp) -> String {
    format!("no credential is set, so this is what Apollo listed at {}.", time_text(read_at))
}

pub(crate) fn no_credential_to_list(kind: NameKind) -> Diagnostic {
    let detail = format!(
        "The state does not know the {} either. Set APOLLO_API_KEY (or APOLLO_ACCESS_TOKEN) to read them from Apollo.",
        kind.name()
    );
    Diagnostic::error("No credential is set", detail)
}

// Who was not seen.

/// Says how many contacts a rebuilding did not see; `None` where the account is too large to be read.
pub(crate) fn not_everybody(missed: Option<u64>) -> Option<Diagnostic> {
    let detail = match missed {
        Some(0) => return None,
        Some(missed) => format!("{} Only entries with an apollo_id are bound. Run the command again.", counts(missed)),
        None => "The account has more contacts than Apollo shows. Only entries with an apollo_id are bound.".to_owned(),
    };
    Some(Diagnostic::warning("Not all contacts were read", detail))
}

/// The same of an export.
pub(crate) fn some_missed(missed: u64) -> Option<Diagnostic> {
    let detail = format!(
        "{} A contact that is created or changed during the reading can be missed. Run the command again.",
        counts(missed)
    );
    (missed > 0).then(|| Diagnostic::warning("Not all contacts were read", detail))
}

fn counts(missed: u64) -> String {
    let missed = counted(usize::try_from(missed).unwrap_or(usize::MAX), "contact");
    format!("Apollo counts {missed} more than it showed.")
}

// Exports.

pub(crate) fn no_directory(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("Cannot use the directory for the files", chain(why))
}

pub(crate) fn exported(written: usize, selected: usize) -> String {
    format!("\nExported {} of {} contacts.", count(written), count(selected))
}

/// Says what is not in the files; `None` for contacts that are declared elsewhere, which may be many.
pub(crate) fn omitted(omission: &Omission, command: &dyn Fn(&str) -> String) -> Option<Diagnostic> {
    Some(match omission {
        Omission::Declared(_) => return None,
        Omission::SharesEmail { id, key } => Diagnostic::warning(
            format!("Contact {id} was left out"),
            format!(
                "{} has the same e-mail and is not bound to a contact yet. If they are one person, run: {}",
                key.address(),
                command(&format!("import {key} {id}"))
            ),
        ),
        Omission::Unfit { key, unfit: value } => unfit(key, value),
        Omission::More { key, field } => Diagnostic::warning(
            format!("{field} of {} is not exported in full", key.address()),
            "Apollo has more than one value for it, or a value in an unknown form. What is not exported stays in \
             Apollo as it is.",
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
        "{} {are} declared in files that were edited, or that contactsd did not write, and stayed there. For the \
         files that contactsd wrote, --diff shows what Apollo has, and --force replaces them.",
        counted(contacts, "contact")
    )
}

/// Says why there is nothing to export, where that is no problem of the files or of a request.
pub(crate) fn not_exported(error: &ExportError) -> Diagnostic {
    match error {
        ExportError::UnknownName { kind, name, known } => {
            let what = if *kind == NameKind::Lists { "list" } else { "stage" };
            let detail = if known.is_empty() {
                format!("Apollo has no {what} for contacts at all. Nothing was written.")
            } else {
                format!("Apollo has: {}. Nothing was written.", known.join(", "))
            };
            Diagnostic::error(format!("Apollo has no {what} \"{name}\""), detail)
        }
        ExportError::TooMany => Diagnostic::error(
            "The account is too large to read all of it",
            "Apollo shows only the first 50,000 and the last 50,000 contacts of an account. Nothing was written.",
        ),
        _ => Diagnostic::error(
            "Cannot read the lists or stages from Apollo",
            "Without them, contacts cannot be selected by list or stage. Give the key the scope that is named above.",
        ),
    }
}

// Single entries as Apollo has them.

pub(crate) fn not_shown(key: &ContactKey, field: &Field) -> String {
    format!("Apollo does not show {field} of {}, so the declared value was kept.", key.address())
}

pub(crate) fn missing(key: &ContactKey, missing: &Missing) -> Diagnostic {
    let detail = match missing {
        Missing::Unbound => "It is not bound to a contact and has no apollo_id. The next apply finds or creates the \
            contact."
            .to_owned(),
        Missing::Gone(id) => format!("Apollo says that contact {id} does not exist."),
        Missing::Merged { id, survivor } => format!("Contact {id} was merged into {survivor} in Apollo."),
        Missing::Unseen { id, why } => format!("Contact {id} could not be read: {}.", unseen(why)),
    };
    Diagnostic::error(format!("{} cannot be shown as Apollo has it", key.address()), detail)
}
