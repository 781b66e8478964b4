//! `head`: how far the state had come at its last barrier, kept outside sled.
//!
//! sled opens a cut file as an emptier one; a store that is behind its head has lost something.
//! Two slots are written in turn, so that a torn write leaves the other. Never holds contacts.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::place::HEAD;
use crate::index::{HeadNote, Identity};
use crate::model::{Lineage, Serial};
use crate::private_dir::PrivateDir;
use crate::state::{Error, STATE_FORMAT};

/// Size of a slot in bytes: a block of common file systems, so that a torn write spoils one slot at most.
const SLOT_BYTES: usize = 4096;

/// What a slot says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) format: u32,
    /// Counts the writes of `head`; the slot with the higher one stands.
    pub(super) generation: u64,
    pub(super) lineage: Lineage,
    pub(super) commit: u64,
    pub(super) serial: Serial,
    /// How many keys are bound.
    pub(super) bindings: u64,
}

/// The part of a slot that every format has.
#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
    generation: u64,
}

/// The open file, with what it says now.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
    now: Head,
}

impl HeadFile {
    /// Creates the file of a new state, durable but for its place in the directory.
    pub(super) fn create(state: &PrivateDir, lineage: Lineage) -> io::Result<Self> {
        let file = state.open_private(HEAD)?;
        file.set_len(2 * SLOT_BYTES as u64)?;
        let now = Head { format: STATE_FORMAT, generation: 0, lineage, commit: 0, serial: Serial(0), bindings: 0 };
        let head = Self { file, now };
        head.write(0)?;
        head.file.sync_all()?;
        Ok(head)
    }

    pub(super) fn open(state: &PrivateDir) -> Result<Self, Error> {
        let path = state.path().join(HEAD);
        let mut file = state.open_private(HEAD).map_err(|e| Error::io("open", &path, e))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| Error::io("read", &path, e))?;
        let now = newest(state.path(), &bytes)?;
        Ok(Self { file, now })
    }

    pub(super) fn now(&self) -> &Head {
        &self.now
    }

    /// Records that everything up to `commit` is on disk, in this version's format; durable on return.
    pub(super) fn advance(&mut self, commit: u64, serial: Serial, bindings: u64) -> io::Result<()> {
        let generation = self.now.generation + 1;
        self.now = Head { format: STATE_FORMAT, generation, commit, serial, bindings, ..self.now.clone() };
        self.write(generation % 2)?;
        self.file.sync_data()
    }

    fn write(&self, slot: u64) -> io::Result<()> {
        self.file.write_all_at(&slot_bytes(&self.now), slot * SLOT_BYTES as u64)
    }
}

/// Reads what the head of a state says now.
pub(super) fn read(state: &PrivateDir) -> Result<Head, Error> {
    let read = state.read(HEAD).map_err(|error| Error::io("read", &state.path().join(HEAD), error))?;
    newest(state.path(), &read)
}

/// Reads what the head of a state says now, and which file says it.
pub(super) fn note(state: &PrivateDir) -> Result<HeadNote, Error> {
    let path = state.path().join(HEAD);
    let failed = |error| Error::io("read", &path, error);
    let mut file = state.open_file(HEAD).map_err(failed)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    let identity = identity(&file.metadata().map_err(failed)?);
    let Head { format: _, generation, lineage, commit, serial, bindings } = newest(state.path(), &bytes)?;
    Ok(HeadNote { lineage, generation, commit, serial, bindings, identity })
}

/// Returns what tells a file from another one, and from what it was.
pub(super) fn identity(metadata: &Metadata) -> Identity {
    const NS: i64 = 1_000_000_000;
    let time = |seconds: i64, ns: i64| seconds.saturating_mul(NS).saturating_add(ns);
    Identity {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: time(metadata.mtime(), metadata.mtime_nsec()),
        changed: time(metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// Reads the slot that stands.
fn newest(state: &Path, bytes: &[u8]) -> Result<Head, Error> {
    let mut newest: Option<(FormatOnly, &str)> = None;
    for slot in bytes.chunks(SLOT_BYTES).take(2) {
        let Some(text) = checked_text(slot) else { continue };
        let Ok(read) = serde_json::from_str::<FormatOnly>(text) else { continue };
        if newest.as_ref().is_none_or(|(best, _)| read.generation > best.generation) {
            newest = Some((read, text));
        }
    }
    let (found, text) = newest.ok_or_else(|| Error::unreadable(&state.into(), "neither slot of its head is whole"))?;
    if found.format > STATE_FORMAT {
        return Err(Error::TooNew { state: state.into(), found: found.format });
    }
    serde_json::from_str(text)
        .map_err(|error| Error::unreadable(&state.into(), format!("its head does not parse: {error}")))
}

/// Renders a slot: a line of JSON, a line with its hash, zero bytes to the end.
fn slot_bytes(head: &Head) -> Vec<u8> {
    let text = serde_json::to_string(head).expect("a head is plain data");
    let mut bytes = format!("{text}\n{}\n", blake3::hash(text.as_bytes()).to_hex()).into_bytes();
    assert!(bytes.len() <= SLOT_BYTES, "a head is a few short fields");
    bytes.resize(SLOT_BYTES, 0);
    bytes
}

/// Returns the line of JSON of a slot that is as it was written.
fn checked_text(slot: &[u8]) -> Option<&str> {
    let mut lines = std::str::from_utf8(slot).ok()?.split('\n');
    let (text, hash) = (lines.next()?, lines.next()?);
    (blake3::hash(text.as_bytes()).to_hex().as_str() == hash).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head_at(commits: u64) -> (tempfile::TempDir, PrivateDir, HeadFile) {
        let directory = tempfile::tempdir().unwrap();
        let state = PrivateDir::make(directory.path()).unwrap();
        let mut head = HeadFile::create(&state, Lineage("first".to_owned())).unwrap();
        for commit in 1..=commits {
            head.advance(commit, Serial(commit), commit).unwrap();
        }
        (directory, state, head)
    }

    fn spoil(state: &PrivateDir, slot: u64) {
        let file = state.open_to_write(HEAD).unwrap();
        file.write_all_at(b"#", slot * SLOT_BYTES as u64 + 9).unwrap();
    }

    #[test]
    fn the_last_advance_is_read_back() {
        for commits in 0..4 {
            let (_directory, state, head) = head_at(commits);
            assert_eq!(HeadFile::open(&state).unwrap().now(), head.now());
            assert_eq!(head.now().commit, commits);
        }
    }

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let (_directory, state, head) = head_at(5);
        spoil(&state, head.now().generation % 2);
        let mut reopened = HeadFile::open(&state).unwrap();
        assert_eq!(reopened.now().commit, 4);
        reopened.advance(6, Serial(6), 6).unwrap();
        assert_eq!(HeadFile::open(&state).unwrap().now().commit, 6);
    }

    #[test]
    fn a_head_without_a_whole_slot_is_refused() {
        let (_directory, state, _) = head_at(5);
        spoil(&state, 0);
        spoil(&state, 1);
        assert!(matches!(HeadFile::open(&state), Err(Error::Unreadable { .. })));
        state.write(HEAD, b"").unwrap();
        assert!(matches!(HeadFile::open(&state), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn a_head_of_a_newer_format_names_it() {
        let (_directory, state, _) = head_at(1);
        let text = r#"{"format":7,"generation":99}"#;
        let slot = format!("{text}\n{}\n", blake3::hash(text.as_bytes()).to_hex());
        state.open_to_write(HEAD).unwrap().write_all_at(slot.as_bytes(), 0).unwrap();
        assert!(matches!(HeadFile::open(&state), Err(Error::TooNew { found: 7, .. })));
    }
}
