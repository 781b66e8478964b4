//! Fictional people, and what a state may know of them.

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Field, Fields, Fingerprint, IdentityHash,
    IdentityKey, Intent, Origin, RunId, Timestamp, Tombstone,
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
        apollo_id: id(number),
        applied: fields(title),
        observed: fields(title),
        origin: Origin::Created,
        bound_at: Timestamp(1),
        applied_at: Timestamp(2),
        run: RunId("run-1".to_owned()),
        request_id: None,
        path: "contacts.d/people.yaml".to_owned(),
        fingerprint: Some(fingerprint(1)),
        gone_at: None,
        dropped: std::collections::BTreeSet::new(),
        possible_lists: std::collections::BTreeSet::new(),
        merged_into: None,
        found_lists: std::collections::BTreeSet::new(),
    }
}

pub(crate) fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 16])
}

pub(crate) fn intent(of: &str) -> Intent {
    Intent {
        key: key(of),
        endpoint: Endpoint::CreateContact,
        apollo_id: None,
        body: r#"{"email":"ada@example.com"}"#.to_owned(),
        fields: fields("Engineer"),
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
