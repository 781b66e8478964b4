//! What Apollo made of values that were sent.

use crate::source::Diagnostic;
use std::collections::BTreeSet;

use crate::model::{Field, Value};
use crate::ops::{Deviation, DeviationKind};

/// An answer complains of something and shows the contact as it was sent.
pub(super) fn complained(said: &str, address: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Apollo complains about {address}"),
        format!("Apollo shows the contact as it was sent, but says: {said}. Check the contact in Apollo."),
    )
    .saying(Some(said))
}

pub(super) fn lists_unchanged(names: &BTreeSet<String>, adds: bool, said: &str, address: &str) -> Diagnostic {
    let lists = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let said = if said.is_empty() { String::new() } else { format!(" Apollo says: {said}.") };
    let (what, holds) = if adds {
        ("did not put", "does not show the contact on")
    } else {
        ("did not take", "still shows the contact on")
    };
    let way = if adds { "on its lists" } else { "off its lists" };
    Diagnostic::warning(
        format!("Apollo {what} {address} {way}"),
        format!("The change was sent twice, but Apollo {holds} {lists}.{said} It is not sent again."),
    )
}

/// Apollo holds a field otherwise than it was sent.
pub(super) fn deviates(deviation: &Deviation, sent: Option<&Value>, address: &str) -> Diagnostic {
    let field = &deviation.field;
    match &deviation.kind {
        DeviationKind::Dropped(complaint) => {
            let said = complaint.as_ref().map(|said| format!(" Apollo says: {said}.")).unwrap_or_default();
            let help = match field {
                Field::Custom(_) => "Check the id of the field. A picklist field needs the id of an option.",
                Field::Email => "Apollo drops e-mail addresses that it considers invalid.",
                _ => "Apollo does not accept this value.",
            };
            Diagnostic::warning(
                format!("Apollo did not keep {field} of {address}"),
                format!("It was sent, but Apollo does not show it.{said} {help}"),
            )
            .saying(complaint.as_deref())
        }
        DeviationKind::Kept(held) => Diagnostic::warning(
            format!("Apollo did not change {field} of {address}"),
            format!(
                "It was sent twice and answered with success, but Apollo still holds {}. It is not sent again until \
                 the entry changes. Correct it in Apollo, or remove the field from the entry.",
                shown(held)
            ),
        )
        .saying(Some(&shown(held))),
        DeviationKind::Normalized(held) => {
            let held = cut(sent, held).unwrap_or_else(|| shown(held));
            Diagnostic::warning(
                format!("Apollo keeps {field} of {address} in another form"),
                format!(
                    "It was sent as declared, and Apollo holds {held}. It counts as applied and is not sent again."
                ),
            )
            .saying(Some(&held))
        }
        DeviationKind::SecondAddress(first) => Diagnostic::warning(
            format!("The e-mail of {address} is not the first e-mail of its contact"),
            format!(
                "The contact has {} as its first e-mail, and that was not changed. To make the declared e-mail the \
                 first one, change it in Apollo.",
                shown(first)
            ),
        )
        .saying(Some(&shown(first))),
    }
}

/// Apollo did not keep a field in an earlier apply, and nothing is sent for it any more.
pub(super) fn still_dropped(field: &Field, address: &str) -> Diagnostic {
    Diagnostic::warning(
        format!("Apollo does not keep {field} of {address}"),
        "It was sent, but Apollo holds no value there. It is not sent again until the entry changes. Correct the \
         value, or remove the field from the entry.",
    )
}

/// Writes a value that Apollo holds.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Lists(lists) => lists.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    }
}

/// How much of a cut text is shown, in characters.
const END: usize = 20;

/// Says how far a text was kept, and how it ends; `None` when it was not cut.
fn cut(sent: Option<&Value>, held: &Value) -> Option<String> {
    let (Value::Text(sent), Value::Text(held)) = (sent?, held) else { return None };
    let (all, kept) = (sent.chars().count(), held.chars().count());
    if held.is_empty() || kept == all || !sent.starts_with(held.as_str()) {
        return None;
    }
    let end: String = held.chars().skip(kept.saturating_sub(END)).collect();
    Some(format!("the first {kept} of its {all} characters, up to {end:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_shows_its_end() {
        let sent = Value::Text(format!("{} and the end", "0123456789".repeat(13)));
        let held = Value::Text("0123456789".repeat(12));
        let deviation = Deviation { field: Field::Title, kind: DeviationKind::Normalized(held) };
        let detail = deviates(&deviation, Some(&sent), "contact.ada").detail;
        let cut = "Apollo holds the first 120 of its 142 characters, up to \"01234567890123456789\".";
        assert!(detail.contains(cut), "{detail}");
    }
}
