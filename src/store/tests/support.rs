//! Fictional people and states to keep them in.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::{IdentityKey, Lineage, Timestamp};
pub(super) use crate::state::tests::support::*;
use crate::state::{Drawn, Error, Holder, Location, Snapshot, Wanted};
use crate::store::{Options, Progress, Store};

pub(super) const ORIGIN: &str = "https://api.apollo.io";

pub(super) struct World {
    directory: tempfile::TempDir,
    /// Where it is when it is in a database.
    database: Option<Location>,
}

/// Runs a test over every engine: sled, PostgreSQL, and PostgreSQL behind PgBouncer.
pub(super) fn over_each_engine<F: Future<Output = ()>>(test: impl Fn(World) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test(World::new()));
    for (_, location) in crate::store::database_locations() {
        runtime.block_on(test(World { database: Some(location), ..World::new() }));
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), database: None }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("sample/state")
    }

    pub(super) fn location(&self) -> Location {
        self.database.clone().unwrap_or_else(|| self.path().into())
    }

    pub(super) fn open(&self) -> Store {
        self.try_open().unwrap()
    }

    pub(super) fn try_open(&self) -> Result<Store, Error> {
        Store::open(&Options { location: self.location(), ..options(&self.path()) }, drawn("first"))
    }

    pub(super) fn read_all(&self) -> Snapshot {
        self.read(&Wanted::everything())
    }

    /// Reads as a process that only reads.
    pub(super) fn read(&self, wanted: &Wanted) -> Snapshot {
        self.try_read(wanted).unwrap().unwrap()
    }

    /// As [`World::read`]; `None` when there is no state.
    pub(super) fn try_read(&self, wanted: &Wanted) -> Result<Option<Snapshot>, Error> {
        match self.location() {
            Location::Database { .. } => {
                crate::store::read_database(&self.location(), wanted).map(|read| read.map(|read| read.snapshot))
            }
            location @ Location::Directory(_) => crate::store::read(&location, wanted),
        }
    }
}

/// Reads the state at a path as others do.
pub(super) fn read(path: &Path, wanted: &Wanted) -> Result<Option<Snapshot>, Error> {
    crate::store::read(&path.into(), wanted)
}

/// Opens the state at a path, and makes it with this lineage when there is none.
pub(super) fn open(path: &Path, lineage: &str) -> Result<Store, Error> {
    Store::open(&options(path), drawn(lineage))
}

pub(super) fn options(path: &Path) -> Options {
    let progress = Progress::default();
    Options { location: path.into(), origin: ORIGIN.to_owned(), own_dir: None, holder: holder(), progress }
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
