//! Messages about commands like `import` and `state rm` that cannot be carried out.

use crate::model::{ApolloId, ContactKey};
use crate::shell_word::repeated;
use crate::source::Diagnostic;

/// Asks whether another key was meant.
pub(in super::super) fn guess(nearest: Option<&ContactKey>) -> String {
    nearest.map(|key| format!(" Did you mean {}?", key.address())).unwrap_or_default()
}

pub(super) fn not_declared(key: &ContactKey, nearest: Option<&ContactKey>) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not declared", key.address()),
        format!("The contact files have no entry of this key.{} Write its entry first.", guess(nearest)),
    )
}

pub(super) fn names_another(key: &ContactKey, named: &ApolloId) -> Diagnostic {
    Diagnostic::error(
        format!("{} names another contact", key.address()),
        format!("Its entry says apollo_id: {named}, and the files decide. Correct or remove that line first."),
    )
}

pub(super) fn bound_already(key: &ContactKey, id: &ApolloId) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("{} is already bound", key.address()),
        format!(
            "It is bound to {id}. To bind it to another contact, remove it from the state first: contactsd state rm \
             {key}{again}"
        ),
    )
}

pub(super) fn belongs_to_another(id: &ApolloId, key: &ContactKey, owner: &ContactKey) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("Contact {id} belongs to {}", owner.address()),
        format!(
            "A contact can belong to one key only. If it belongs to {key}, remove the other key from the state \
             first: contactsd state rm {owner}{again}"
        ),
    )
}

pub(super) fn key_taken(key: &ContactKey, id: &ApolloId) -> Diagnostic {
    let again = repeated();
    Diagnostic::error(
        format!("{} is already in the state", key.address()),
        format!("It is bound to {id}. Remove it from the state first: contactsd state rm {key}{again}"),
    )
}

pub(super) fn not_in_state(key: &ContactKey, nearest: Option<&ContactKey>) -> Diagnostic {
    let (guess, again) = (guess(nearest), repeated());
    let detail = format!(
        "The state does not manage this contact.{guess} `contactsd state list{again}` lists those that it manages."
    );
    Diagnostic::error(format!("{} is not in the state", key.address()), detail)
}

pub(super) fn not_gone(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not gone", key.address()),
        "--recreate works only for a declared contact that was deleted in Apollo. Remove the key from --recreate.",
    )
}

pub(super) fn not_to_create(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} cannot be created", key.address()),
        "--create works only for a declared entry that has no contact yet. Remove the key from --create.",
    )
}

pub(super) fn nothing_matches(pattern: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No managed key matches {pattern}"),
        format!(
            "`contactsd state list{}` lists the managed keys. Put a pattern in quotes, so that the shell does not change it.",
            repeated()
        ),
    )
}

pub(super) fn nothing_declared_matches(pattern: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No key of the contact files matches {pattern}"),
        "Put a pattern in quotes, so that the shell does not change it.",
    )
}

pub(super) fn unclear_move(from: &str, to: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot tell which key becomes which: {from} to {to}"),
        "Write one key for each, or one * in both, like 'old-*' and 'new-*'. The text that the first * matches \
         replaces the second one, and the result must be a valid key.",
    )
}
