//! Rows that a state may hold of each key.

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Fields, Fingerprint, IdentityHash, IdentityKey,
    Intent, Timestamp, Tombstone,
};

pub(super) const KEYS: [&str; 11] = ["ada", "bob", "cyd", "dot", "eve", "fay", "gil", "hal", "ida", "joy", "kit"];

pub(super) fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

/// Each key has a contact of its own; that of `hal` is the one that an entry names.
pub(super) fn id(key: &ContactKey) -> ApolloId {
    let number =
        KEYS.iter().position(|name| *name == key.as_str()).map_or_else(|| key.as_str().len() + 40, |at| at + 3);
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

pub(super) fn binding(key: &ContactKey, fingerprint: Option<Fingerprint>) -> Binding {
    Binding { fingerprint, ..Binding::bare(id(key)) }
}

pub(super) fn tombstone(key: &ContactKey) -> Tombstone {
    let identity = IdentityHash::of(&Fields::default(), &IdentityKey([7; 32]));
    Tombstone { apollo_id: id(key), identity, at: Timestamp(3) }
}

pub(super) fn intent(key: &ContactKey) -> Intent {
    Intent { endpoint: Endpoint::UpdateContact, apollo_id: Some(id(key)), ..Intent::bare(key.clone()) }
}

pub(super) fn conflict(key: &ContactKey) -> Conflict {
    let cause = ConflictCause::Collision { other: self::key("ada"), other_fingerprint: None };
    Conflict {
        key: key.clone(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        apollo_id: id(key),
        cause,
        at: Timestamp(5),
    }
}
