//! Plans that a person asks for by a command of its own, and that cannot be made.

use crate::model::{ApolloId, ContactKey};
use crate::source::Diagnostic;

pub(super) fn not_declared(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not declared", key.address()),
        "Only a contact that the files declare can be imported: write its entry first, then import it.",
    )
}

pub(super) fn names_another(key: &ContactKey, named: &ApolloId) -> Diagnostic {
    Diagnostic::error(
        format!("{} names another contact", key.address()),
        format!("Its entry says apollo_id: {named}. Correct or remove that first: the files decide."),
    )
}

pub(super) fn bound_already(key: &ContactKey, id: &ApolloId) -> Diagnostic {
    Diagnostic::error(
        format!("{} is bound already", key.address()),
        format!(
            "It is bound to {id}. To bind it to another contact, remove it from the state first: contactsd state rm {key}"
        ),
    )
}

pub(super) fn belongs_to_another(id: &ApolloId, key: &ContactKey, owner: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("Contact {id} belongs to {}", owner.address()),
        format!(
            "A contact belongs to one key. If it is {key}'s, remove the other from the state first: contactsd state rm \
             {owner}"
        ),
    )
}

pub(super) fn key_taken(key: &ContactKey, id: &ApolloId) -> Diagnostic {
    Diagnostic::error(
        format!("{} is in the state already", key.address()),
        format!("It is bound to {id}. Remove it from the state first: contactsd state rm {key}"),
    )
}

pub(super) fn not_in_state(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not in the state", key.address()),
        "The state manages no such contact; `contactsd state list` lists those it does.",
    )
}

pub(super) fn not_gone(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not gone", key.address()),
        "A contact is created again only if Apollo says that it is gone, and only while its entry is declared. Remove \
         it from --recreate.",
    )
}

pub(super) fn not_to_create(key: &ContactKey) -> Diagnostic {
    Diagnostic::error(
        format!("{} is not to be created", key.address()),
        "Only an entry that is declared and has no contact yet can be created. Remove it from --create.",
    )
}

pub(super) fn nothing_matches(pattern: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No managed key matches {pattern}"),
        "contactsd state list lists them. A pattern is put in quotes, so that the shell leaves it as it is.",
    )
}

pub(super) fn nothing_declared_matches(pattern: &str) -> Diagnostic {
    Diagnostic::error(
        format!("No key of the contact files matches {pattern}"),
        "A pattern is put in quotes, so that the shell leaves it as it is.",
    )
}

pub(super) fn unclear_move(from: &str, to: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Moving {from} to {to} does not say which key becomes which"),
        "Write one key and one key, or one * in both: 'old-*' and 'new-*'. What the first * stands for takes the place of \
         the second, and the result has to be a key.",
    )
}
