//! Fictional people, and what a state may know of them.

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Field, Fields, Fingerprint, IdentityHash, IdentityKey,
    Intent, Timestamp, Tombstone,
};

pub(crate) fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

pub(crate) fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

pub(crate) fn fields(title: &str) -> Fields {
    [(Field::FirstName, "Ada".into()), (Field::Email, "ada@example.com".into()), (Field::Title, title.into())]
        .into_iter()
        .collect()
}

pub(crate) fn binding(number: u64, title: &str) -> Binding {
    Binding {
        applied: fields(title),
        observed: fields(title),
        fingerprint: Some(fingerprint(1)),
        ..Binding::bare(id(number))
    }
}

pub(crate) fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 16])
}

pub(crate) fn intent(of: &str) -> Intent {
    Intent { body: r#"{"email":"ada@example.com"}"#.to_owned(), fields: fields("Engineer"), ..Intent::bare(key(of)) }
}

pub(crate) fn conflict(of: &str) -> Conflict {
    Conflict {
        key: key(of),
        fingerprint: fingerprint(2),
        apollo_id: id(9),
        cause: ConflictCause::Stranger,
        at: Timestamp(5),
    }
}

pub(crate) fn tombstone(number: u64) -> Tombstone {
    Tombstone {
        apollo_id: id(number),
        identity: IdentityHash::of(&fields("x"), &IdentityKey([7; 32])),
        at: Timestamp(6),
    }
}
