//! Rows that a state may hold of each key.

use std::collections::BTreeSet;

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Fields, Fingerprint, IdentityHash, IdentityKey,
    Intent, Origin, RunId, Timestamp, Tombstone,
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
    Binding {
        apollo_id: id(key),
        applied: Fields::default(),
        observed: Fields::default(),
        origin: Origin::Created,
        bound_at: Timestamp(1),
        applied_at: Timestamp(2),
        run: RunId("run-1".to_owned()),
        request_id: None,
        path: "contacts.d/people.yaml".to_owned(),
        fingerprint,
        gone_at: None,
        dropped: BTreeSet::new(),
        possible_lists: BTreeSet::new(),
        merged_into: None,
        found_lists: BTreeSet::new(),
    }
}

pub(super) fn tombstone(key: &ContactKey) -> Tombstone {
    let identity = IdentityHash::of(&Fields::default(), &IdentityKey([7; 32]));
    Tombstone { apollo_id: id(key), identity, at: Timestamp(3) }
}

pub(super) fn intent(key: &ContactKey) -> Intent {
    Intent {
        key: key.clone(),
        endpoint: Endpoint::UpdateContact,
        apollo_id: Some(id(key)),
        body: "{}".to_owned(),
        fields: Fields::default(),
        run_dedupe: true,
        run: RunId("run-1".to_owned()),
        first_sent_at: Timestamp(3),
        last_sent_at: Timestamp(4),
        attempts: 1,
        path: "contacts.d/people.yaml".to_owned(),
        batch: None,
        there_before: Vec::new(),
        unpaired: Vec::new(),
        refused: false,
        request_id: None,
    }
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
