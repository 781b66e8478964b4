//! Messages about mistakes in contact files: what is wrong, why it matters, what to do.

mod syntax;

use std::borrow::Cow;
use std::path::Path;

pub(super) use syntax::{fault, remark};

use super::code::Code;
use super::diagnostic::{Diagnostic, Location, cut, quoted};
use super::merge::{Ignored, Slot};
use super::rules::{Complaint, UrlFault};
use super::tape::Node;
use crate::model::{ContactKey, Misfit, Unresolved};
use crate::shell_word::repeated;

/// Names that people know from elsewhere, with ours.
const OTHER_WORDS: [(&str, &str); 18] = [
    ("account", "account_id"),
    ("address", "present_raw_address"),
    ("company", "organization_name"),
    ("company_name", "organization_name"),
    ("dedupe", "run_dedupe"),
    ("e-mail", "email"),
    ("id", "apollo_id"),
    ("job_title", "title"),
    ("labels", "label_names"),
    ("lists", "label_names"),
    ("mobile", "mobile_phone"),
    ("organization", "organization_name"),
    ("phone", "direct_phone"),
    ("stage", "contact_stage"),
    ("surname", "last_name"),
    ("tags", "label_names"),
    ("url", "website_url"),
    ("website", "website_url"),
];

/// Longest name that is compared with the known ones, in bytes.
const MAX_COMPARED_BYTES: usize = 64;

/// Finds the field that an unknown name was probably meant to be.
fn nearest_field(name: &str) -> Option<&'static str> {
    if name.len() > MAX_COMPARED_BYTES {
        return None;
    }
    let plain = name.to_lowercase().replace(['-', ' '], "_");
    if let Some((_, field)) = OTHER_WORDS.iter().find(|(other, _)| *other == plain || *other == name) {
        return Some(field);
    }
    let distance = |field: &&str| strsim::osa_distance(&plain, field);
    Slot::names().min_by_key(distance).filter(|field| distance(field) <= 1 + field.len() / 4)
}

/// Finds the section that an unknown name was probably meant to be.
fn nearest_section(name: &str) -> Option<&'static str> {
    let is_near = |section: &&str| strsim::osa_distance(&name.to_lowercase(), section) <= 2;
    ["contacts", "defaults"].into_iter().find(is_near).filter(|_| name.len() <= MAX_COMPARED_BYTES)
}

/// Words that a version control system left both versions of something; `line` is what it wrote between them.
pub(super) fn merge_conflict(line: &str) -> Diagnostic {
    Diagnostic::new(
        Code::MergeConflict,
        "The file holds the markers of a merge conflict",
        format!(
            "{} was written by a merge that could not decide between two versions. Keep one of them, and remove all \
             lines that begin with <<<<<<<, |||||||, ======= or >>>>>>>. Nothing else in this file was checked.",
            quoted(line)
        ),
    )
}

pub(super) fn control_character(character: char) -> Diagnostic {
    let number = u32::from(character);
    Diagnostic::new(
        Code::ControlCharacter,
        format!("The file holds the control character U+{number:04X}"),
        "It is invisible and does not belong in text; it often comes with copied text. Delete it. If it is intended, \
         write it as an escape in double quotes, like \"\\u0007\".",
    )
}

pub(super) fn cut_by_comment(kept: &str, lost: &str) -> Diagnostic {
    let (lost, value) = (quoted(lost), format!("{kept} {lost}"));
    let summary = if kept.is_empty() {
        format!("{lost} is read as a comment, so there is no value")
    } else {
        format!("{lost} is read as a comment and cut from the value")
    };
    let value = cut(value.trim()).into_owned();
    Diagnostic::new(
        Code::CutByComment,
        summary,
        format!(
            "A # after a space begins a comment. If it belongs to the value, put quotes around all of it: \
             \"{value}\". If it is a comment, put a space after the #."
        ),
    )
}

pub(super) fn blanks_around(text: &str) -> Diagnostic {
    Diagnostic::new(
        Code::BlanksAround,
        format!("{} begins or ends with spaces", quoted(text)),
        "They are sent to Apollo as part of the value. People do not see them, but searches and comparisons do. \
         Remove them.",
    )
}

/// Words that a contact stands where only sections do.
pub(super) fn outside_of_contacts(name: &str, has_contacts: bool) -> Diagnostic {
    let hint = if has_contacts {
        "Indent it by two more spaces, so that it is below `contacts:` with the others."
    } else {
        "Write the line `contacts:` above the first contact, and indent every line below it by two spaces."
    };
    Diagnostic::new(
        Code::UnknownSection,
        format!("The contact {} is not below `contacts`", quoted(name)),
        format!("A document holds only `contacts` and `defaults`; contacts belong below `contacts`. {hint}"),
    )
}

/// Words that contacts stand in a list.
pub(super) fn contacts_without_keys(what: &str) -> Diagnostic {
    let first = if what == "a document" { "Write `contacts:` as the first line, and below it" } else { "Write" };
    Diagnostic::new(
        Code::WrongType,
        format!("{} must be a map, not a list of people", capitalized(what)),
        format!(
            "Each contact needs a key, by which contactsd recognizes it. {first}, in place of each dash, a key of \
             your choice with a colon, like `ada-lovelace:`. Write the fields on the lines below it, indented by two \
             more spaces."
        ),
    )
}

/// Words that a file is not read, though its name is almost that of a contact file.
pub(super) fn near_miss(path: &Path) -> Diagnostic {
    Diagnostic::new(
        Code::NearMiss,
        format!("{} is not read", path.display()),
        "Contact files have names that end in .yaml or .yml, in lower case. Rename the file if it holds contacts.",
    )
    .at(Location::of_file(path))
}

pub(super) fn unknown_section(name: &str) -> Diagnostic {
    let hint = if Slot::named(name).is_some() {
        "This is a field of a contact; does the line need to be indented more?".to_owned()
    } else if let Some(section) = nearest_section(name) {
        format!("Did you mean `{section}`?")
    } else {
        "Remove it. If it holds anchors (&name) that contacts use, move them to `defaults`.".to_owned()
    };
    let detail = format!("A document holds only `contacts` and `defaults`. {hint}");
    Diagnostic::new(Code::UnknownSection, format!("Unknown section {}", quoted(name)), detail)
}

pub(super) fn wrong_type(what: &str, expected: &str, found: Node<'_, '_>) -> Diagnostic {
    let field = found.scalar().and_then(|scalar| field_without_space(&scalar.text));
    let found = found.kind();
    let hint: Cow<'_, str> = match (expected, found) {
        ("text", _) => "Write the value on the same line as its name, in quotes if it has special characters.".into(),
        ("a list of names", _) => {
            "Write one name per line, each after \"- \", or [one, another]. [] stands for no list.".into()
        }
        (_, "a list") => "Remove the dashes: each line is a name, a colon and what belongs to it.".into(),
        _ => match field {
            Some(field) => format!("Write a space after the colon of `{field}:`.").into(),
            None => "Check the indentation: what belongs to a name is on the lines below it, indented by two more \
                     spaces."
                .into(),
        },
    };
    let summary = format!("{} must be {expected}, not {found}", capitalized(what));
    Diagnostic::new(Code::WrongType, summary, format!("The value is {found}, but {expected} is needed. {hint}"))
}

/// Returns the field that a text names before a colon without a space behind it.
fn field_without_space(text: &str) -> Option<&'static str> {
    let (name, rest) = text.split_once(':')?;
    Slot::names().find(|field| *field == name && !rest.starts_with(' '))
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

pub(super) fn duplicate_name(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::DuplicateName,
        format!("{} is written twice in one map", quoted(name)),
        "Only one of the two could count, and YAML does not say which. Remove one of them.",
    )
}

pub(super) fn unknown_field(name: &str) -> Diagnostic {
    let hint = match nearest_field(name) {
        Some(field) => format!("Did you mean `{field}`?"),
        None => format!("The fields are: {}.", Slot::names().collect::<Vec<_>>().join(", ")),
    };
    let detail = format!("Apollo ignores names it does not know, so the value would be lost. {hint}");
    Diagnostic::new(Code::UnknownField, format!("Unknown field {}", quoted(name)), detail)
}

/// Words that something stands in `ignore` that Apollo has no field of.
pub(super) fn not_to_ignore(name: &str) -> Diagnostic {
    let fields: Vec<&str> = Slot::names().filter(|name| Ignored::named(name).is_some()).collect();
    let hint = match nearest_field(name).filter(|near| fields.contains(near)) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("The fields that can be ignored are: {}.", fields.join(", ")),
    };
    let detail = format!("`ignore` takes names of fields that Apollo shows. {hint}");
    Diagnostic::new(Code::UnknownField, format!("{} cannot be ignored", quoted(name)), detail)
}

pub(super) fn invalid_key(key: &str) -> Diagnostic {
    let reason = ContactKey::parse(key).err().map(|fault| fault.to_string()).unwrap_or_default();
    Diagnostic::new(
        Code::InvalidKey,
        format!("{} is not a valid key", quoted(key)),
        format!(
            "{}. Keys name contacts in the state and on the command line; rename this one, for example to `jane-doe` \
             or `jane@example.com`.",
            capitalized(&reason)
        ),
    )
}

pub(super) fn null_list_item(text: &str) -> Diagnostic {
    let hint = if text.is_empty() {
        "Write a name after the dash or remove the line.".to_owned()
    } else {
        format!("If the list is named {text}, put the name in quotes: \"{text}\".")
    };
    Diagnostic::new(Code::NullListItem, "A list name is null", format!("YAML reads this as no value at all. {hint}"))
}

pub(super) fn empty_list_name() -> Diagnostic {
    Diagnostic::new(
        Code::EmptyListName,
        "A list name is empty",
        "Apollo's lists have names. Remove the item. `label_names: []` takes the contact off the lists that contactsd \
         put it on.",
    )
}

pub(super) fn complaint(name: &str, text: &str, complaint: &Complaint) -> Diagnostic {
    match complaint {
        Complaint::Email(fault) => invalid_email(text, fault),
        Complaint::DotlessDomain => Diagnostic::new(
            Code::DotlessDomain,
            format!("The domain of {} has no dot", quoted(text)),
            "Addresses on the internet have one, like jane@example.com. Check the part after the @.",
        ),
        Complaint::Id => invalid_id(name, text),
        Complaint::Url(fault) => invalid_url(text, *fault),
        Complaint::SocialUrl => Diagnostic::new(
            Code::SocialUrl,
            format!("{} is a social profile", quoted(text)),
            "Apollo takes `website_url` for the site of the employer and says that it must not be a social profile. \
             Write the company's own site or remove the line.",
        ),
        Complaint::PhoneWithoutDigits => Diagnostic::new(
            Code::PhoneWithoutDigits,
            format!("{} has no digits", quoted(text)),
            format!("`{name}` is meant for a phone number. Write the number, or remove the line if there is none."),
        ),
    }
}

fn invalid_email(text: &str, fault: &email_address::Error) -> Diagnostic {
    use email_address::Error as Fault;
    let reason = match fault {
        Fault::MissingSeparator => "it has no @",
        Fault::LocalPartEmpty => "there is nothing before the @",
        Fault::DomainEmpty => "there is nothing after the @",
        Fault::SubDomainEmpty | Fault::DomainInvalidSeparator => "the dots in the domain are misplaced",
        Fault::LocalPartTooLong => "there are more than 64 characters before the @",
        Fault::DomainTooLong | Fault::SubDomainTooLong => "the domain is too long",
        Fault::UnsupportedDisplayName => "it holds a name and not only the address",
        _ => "it holds a character that is not allowed there",
    };
    let detail = format!(
        "This is not an e-mail address: {reason}. Apollo drops such an address silently. Write only the address, \
         like jane@example.com, or \"\" to clear the field."
    );
    Diagnostic::new(Code::InvalidEmail, format!("{} is not an e-mail address", quoted(text)), detail)
}

pub(super) fn invalid_id(name: &str, text: &str) -> Diagnostic {
    let hint = if name == "apollo_id" {
        "It is the last part of the contact's web address in Apollo."
    } else {
        "Write the id of the stage or account here, not its name."
    };
    let detail = format!("An id has 24 characters, each a digit or one of a to f. {hint}");
    Diagnostic::new(Code::InvalidId, format!("{} is not an id for `{name}`", quoted(text)), detail)
}

pub(super) fn invalid_custom_field_id(name: &str) -> Diagnostic {
    let hint = match name.split_once('.') {
        Some(("contact", id)) if crate::model::is_hex24(id) => {
            format!("Leave out the prefix and write {id}: Apollo accepts the prefixed form and ignores the value.")
        }
        Some(("account" | "opportunity", _)) => "This field belongs to another kind of record.".to_owned(),
        _ => format!("`contactsd lookup fields{}` lists the ids.", repeated()),
    };
    let detail = format!("A custom field's id has 24 characters, each a digit or one of a to f. {hint}");
    Diagnostic::new(Code::InvalidCustomFieldId, format!("{} is not a custom field id", quoted(name)), detail)
}

fn invalid_url(text: &str, fault: UrlFault) -> Diagnostic {
    let (reason, hint) = match fault {
        UrlFault::Scheme if !text.contains(':') => {
            ("it does not begin with https:// or http://".to_owned(), format!(" Write https://{}", cut(text)))
        }
        UrlFault::Scheme => ("it does not begin with https:// or http://".to_owned(), String::new()),
        UrlFault::Space => ("it holds white space or control characters".to_owned(), String::new()),
        UrlFault::Malformed(fault) => (fault.to_string(), String::new()),
    };
    let detail = format!("Write the full web address of the site. In this one, {reason}.{hint}");
    Diagnostic::new(Code::InvalidUrl, format!("{} is not a full web address", quoted(text)), detail)
}

pub(super) fn invalid_run_dedupe(found: Node<'_, '_>) -> Diagnostic {
    Diagnostic::new(
        Code::InvalidRunDedupe,
        "`run_dedupe` must be true or false",
        format!("The value is {}. Write true or false, without quotes.", found.kind()),
    )
}

pub(super) fn no_identity(key: &str) -> Diagnostic {
    Diagnostic::new(
        Code::NoIdentity,
        format!("{} has nothing to identify a person by", quoted(key)),
        "Add `email`, `first_name`, `last_name` or `apollo_id`. Without any of them, Apollo would hold a contact \
         without a name that nothing can find again.",
    )
}

pub(super) fn not_for_defaults(name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::NotForDefaults,
        format!("`{name}` cannot be a default"),
        "It belongs to exactly one contact, and defaults apply to all contacts of the document. Move the line to its \
         contact.",
    )
}

pub(super) fn bare_null(text: &str) -> Diagnostic {
    Diagnostic::new(
        Code::BareNull,
        format!("A bare {text} is read as no value"),
        format!(
            "YAML reads it as null, so the field is not managed. If it is a name, write \"{text}\". If not, write null."
        ),
    )
}

pub(super) fn list_names_differ_by_case(one: &str, other: &str) -> Diagnostic {
    Diagnostic::new(
        Code::ListNamesDifferByCase,
        format!("{} and {} differ only in case", quoted(one), quoted(other)),
        "Apollo does not document whether they are one list. Use one spelling.",
    )
}

/// Words that a symlink ends outside of the directory `root`; `target` is what it says, where that is known.
pub(super) fn leads_out(path: &Path, root: &Path, target: Option<&str>) -> Diagnostic {
    let detail = format!(
        "It is a link{} and ends outside of {}, so it was not opened. Files of a repository must not show what else \
         is on this machine. Put the file itself here. To follow links to a directory that you trust, name that \
         directory with --follow-within.",
        to(target),
        if root.as_os_str().is_empty() { Path::new(".") } else { root }.display()
    );
    Diagnostic::new(Code::LeadsOut, format!("{} leads out of the directory", path.display()), detail)
        .at(Location::of_file(path))
}

/// Words that a symlink ends at a hidden file.
pub(super) fn leads_to_hidden(path: &Path, target: Option<&str>) -> Diagnostic {
    let detail = format!(
        "It is a link{} and ends at a name that begins with a dot, or below one, so it was not opened: such files \
         are not contact files. Put the file itself here, or give it a name that does not begin with a dot. To \
         follow links to a hidden directory that you trust, name that directory with --follow-within.",
        to(target)
    );
    Diagnostic::new(Code::LeadsOut, format!("{} leads to a hidden file", path.display()), detail)
        .at(Location::of_file(path))
}

fn to(target: Option<&str>) -> String {
    target.map(|target| format!(" to {}", quoted(target))).unwrap_or_default()
}

/// Words that a stage is not known.
pub(super) fn unknown_stage(name: &str, unresolved: &Unresolved) -> Diagnostic {
    unresolved_name("stage", "stages", "`contact_stage_id`", name, unresolved)
}

/// Words that a custom field is not known.
pub(super) fn unknown_label(label: &str, unresolved: &Unresolved) -> Diagnostic {
    unresolved_name("custom field", "fields", "`typed_custom_fields`", label, unresolved)
}

fn unresolved_name(what: &str, listed_by: &str, by_id: &str, name: &str, unresolved: &Unresolved) -> Diagnostic {
    let again = repeated();
    let shown = quoted(name);
    let (summary, detail) = match unresolved {
        Unresolved::NotRead => (
            format!("The {what} {shown} has not been looked up in Apollo yet"),
            format!(
                "Apollo takes ids, and only Apollo knows the id of this name. Set APOLLO_API_KEY to look it up, or \
                 write the id under {by_id}."
            ),
        ),
        Unresolved::Unknown { of_others: Some(of_others), .. } => (
            format!("There is no {what} {shown} for contacts"),
            format!(
                "Apollo has one of this name for another kind of record ({}), and would ignore the value. `contactsd \
                 lookup {listed_by}{again}` lists those of contacts.",
                quoted(of_others)
            ),
        ),
        Unresolved::Unknown { known, has_near, .. } => {
            let hint = match known.first() {
                Some(near) if *has_near => format!("Did you mean {}?", quoted(near)),
                Some(_) => {
                    format!("There are: {}.", known.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
                }
                None => "Apollo lists none.".to_owned(),
            };
            let detail = format!(
                "{hint} Names must match exactly, capitals included; `contactsd lookup {listed_by}{again}` lists them. If \
                 it was renamed in Apollo, rename it here too."
            );
            (format!("There is no {what} {shown} in Apollo"), detail)
        }
        Unresolved::Ambiguous { ids } => (
            format!("There are several {what}s {shown} in Apollo"),
            format!("They have the ids {}. Write the right one under {by_id}.", ids.join(", ")),
        ),
    };
    Diagnostic::new(Code::UnknownName, summary, detail)
}

/// Words that a value is not one that a custom field takes.
pub(super) fn unfit_value(label: &str, value: &str, misfit: &Misfit) -> Diagnostic {
    let (label, value) = (quoted(label), quoted(value));
    let needs = |what: &str| format!("The custom field {label} needs {what}, not {value}");
    let (summary, hint) = match misfit {
        Misfit::NoOption { option, unresolved } => {
            let hint = match unresolved {
                Unresolved::Ambiguous { ids } => {
                    format!("Several options have this label. Write the id of the right one: {}.", ids.join(", "))
                }
                Unresolved::Unknown { known, has_near: true, .. } => {
                    format!("Did you mean {}?", known.first().map(|near| quoted(near)).unwrap_or_default())
                }
                Unresolved::Unknown { known, .. } => {
                    let known: Vec<_> = known.iter().map(|name| quoted(name)).collect();
                    format!("Its options are: {}.", known.join(", "))
                }
                Unresolved::NotRead => "Its options have not been read yet.".to_owned(),
            };
            (format!("{} is not an option of the custom field {label}", quoted(option)), hint)
        }
        Misfit::OptionsHidden => (
            format!("The options of the custom field {label} are not known"),
            "Apollo did not show them to this key. Write the option's id under `typed_custom_fields`, or use a key \
             with the scope api/v1/typed_custom_fields/index."
                .to_owned(),
        ),
        Misfit::OneValue => {
            (format!("The custom field {label} takes one value"), "The value is a list. Write one value.".to_owned())
        }
        Misfit::Number => (needs("a number"), "Write only digits, as in 1200 or -7.5.".to_owned()),
        Misfit::Boolean => (needs("true or false"), "Write true or false.".to_owned()),
        Misfit::Date => (needs("a date"), "Write year, month and day, as in 2025-08-07.".to_owned()),
        Misfit::DateTime => {
            (needs("a point in time"), "Write it as 2025-08-07T14:30:00Z, or a date as 2025-08-07.".to_owned())
        }
        Misfit::TooLong { length, limit, is_assumed } => {
            let hint = if *is_assumed {
                "Apollo does not say how long texts of this field may be; this is what such fields usually keep. If \
                 this one keeps more, write the text under `typed_custom_fields`, where its length is not checked."
            } else {
                "Shorten it, or change the field in Apollo to one for long texts."
            };
            (
                format!("The value of the custom field {label} has {length} characters, and only {limit} are kept"),
                hint.to_owned(),
            )
        }
        Misfit::ReadOnly => (
            format!("The custom field {label} cannot be written"),
            "Apollo takes its value from a CRM. Remove the line, and change the value in the CRM.".to_owned(),
        ),
    };
    let detail = format!("Apollo would accept the request but might not store this value. {hint}");
    Diagnostic::new(Code::UnfitValue, summary, detail)
}

/// Words that one thing stands under two names.
pub(super) fn name_and_id(what: &str, one: &str, other: &str) -> Diagnostic {
    Diagnostic::new(
        Code::NameAndId,
        format!("{what} is declared by name and by id"),
        format!(
            "It is written under `{one}` and under `{other}`, and only one value can count. Remove one of the two."
        ),
    )
}
