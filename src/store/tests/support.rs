//! Fictional people and states to keep them in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Field, Fields, Fingerprint, IdentityHash,
    IdentityKey, Intent, Lineage, Origin, RunId, Timestamp, Tombstone,
};
use crate::store::{Drawn, Error, Holder, Options, Snapshot, Store, Wanted, read};

pub(super) const ORIGIN: &str = "https://api.apollo.io";

pub(super) struct World {
    directory: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("sample/state")
    }

    pub(super) fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Store, Error> {
        Store::open(options(&self.path()), drawn("first"))
    }

    pub(super) fn read_all(&self) -> Snapshot {
        read(&self.path(), &Wanted::everything()).unwrap().unwrap()
    }
}

pub(super) fn options(path: &Path) -> Options {
    Options { path: path.to_owned(), origin: ORIGIN.to_owned(), own_dir: None, holder: holder() }
}

pub(in crate::store) fn holder() -> Holder {
    Holder {
        pid: 4242,
        user_host: "ada@build.example.com".to_owned(),
        operation: "apply".to_owned(),
        since: Timestamp(1_700_000_000_000),
        version: "0.1.0".to_owned(),
        socket: None,
    }
}

pub(super) fn drawn(lineage: &str) -> Drawn {
    Drawn { lineage: Lineage(lineage.to_owned()), identity_key: IdentityKey([7; 32]) }
}

pub(super) fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

pub(super) fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

pub(super) fn fields(title: &str) -> Fields {
    [(Field::FirstName, "Ada".into()), (Field::Email, "ada@example.com".into()), (Field::Title, title.into())]
        .into_iter()
        .collect()
}

pub(super) fn binding(number: u64, title: &str) -> Binding {
    Binding {
        apollo_id: id(number),
        applied: fields(title),
        observed: fields(title),
        origin: Origin::Created,
        bound_at: Timestamp(1),
        applied_at: Timestamp(2),
        run: RunId("run-1".to_owned()),
        path: "contacts.d/people.yaml".to_owned(),
        fingerprint: Some(fingerprint(1)),
        gone_at: None,
        dropped: std::collections::BTreeSet::new(),
        possible_lists: std::collections::BTreeSet::new(),
        merged_into: None,
        found_lists: std::collections::BTreeSet::new(),
    }
}

pub(super) fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 16])
}

pub(super) fn intent(of: &str) -> Intent {
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
        there_before: Vec::new(),
        refused: false,
    }
}

pub(super) fn conflict(of: &str) -> Conflict {
    Conflict {
        key: key(of),
        fingerprint: fingerprint(2),
        apollo_id: id(9),
        cause: ConflictCause::Stranger,
        at: Timestamp(5),
    }
}

pub(super) fn tombstone(number: u64) -> Tombstone {
    Tombstone {
        apollo_id: id(number),
        identity: IdentityHash::of(&fields("x"), &IdentityKey([7; 32])),
        at: Timestamp(6),
    }
}

pub(super) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
