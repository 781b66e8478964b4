//! All files of a directory, read on all cores and checked, one by one and against each other.
//!
//! Entries leave memory as soon as they are checked, beyond a budget of those that are kept; what stays is
//! who is declared, and marks by which entries that could be at odds find each other.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::across::{self, Repeated};
use super::code::Severity;
use super::diagnostic::{self, Diagnostic};
use super::{Error, FileRead, read_file, walk};
use crate::index::{Mark, Named, Sheet, marks, shared};
use crate::model::{ContactKey, Entry, Value};

/// Most memory that entries are kept in, in bytes, about. Those beyond it are read again when they are wanted.
const KEPT_BYTES: usize = 64 << 20;

/// What the files of a directory declare.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Sorted by path; those that could not be read included.
    pub files: Vec<SourceFile>,
    /// Everything found, sorted by path, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// BLAKE3 over the files' paths below the directory and their contents, in the order of the paths.
    pub digest: [u8; 32],
}

/// One file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// Its path below the directory.
    pub below: PathBuf,
    /// BLAKE3 of its content; of nothing when it could not be read.
    pub digest: [u8; 32],
    /// The keys that it declares.
    pub sheet: Sheet,
    /// The contacts that its entries name by `apollo_id`.
    pub named: Named,
    /// Its entries in the order of the sheet, where there was room to keep them.
    pub entries: Option<Vec<Entry>>,
}

impl Loaded {
    /// Reports whether the entries may be used: warnings do not count.
    pub fn is_valid(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads all contact files below `dir` and checks them, one by one and against each other.
///
/// Fails only when `dir` itself cannot be read, or its files change meanwhile; a file that cannot be read is a
/// diagnostic.
pub fn load(dir: &Path) -> Result<Loaded, Error> {
    load_within(dir, KEPT_BYTES)
}

/// Reads as [`load`] does, and keeps entries in up to `room` bytes.
pub(super) fn load_within(dir: &Path, room: usize) -> Result<Loaded, Error> {
    let mut changed = None;
    for _ in 0..ATTEMPTS {
        match Loading::of(dir, room)?.finish() {
            Err(error @ Error::ChangedMeanwhile { .. }) => changed = Some(error),
            done => return done,
        }
    }
    Err(changed.expect("there is at least one attempt"))
}

/// How often files that change while they are read are read anew.
const ATTEMPTS: usize = 3;

/// Reads the entries of files again, each with the number it was given; the contents must be as they were.
pub fn read_again(dir: &Path, files: &[(usize, &SourceFile)]) -> Result<Vec<(usize, Vec<Entry>)>, Error> {
    let read = |&(number, file): &(usize, &SourceFile)| Ok((number, read_unchanged(dir, file)?));
    files.par_iter().map(read).collect()
}

fn read_unchanged(dir: &Path, file: &SourceFile) -> Result<Vec<Entry>, Error> {
    let path = dir.join(&file.below);
    let FileRead { entries, digest, .. } = read_file(&path);
    if *digest.as_bytes() == file.digest { Ok(entries) } else { Err(Error::ChangedMeanwhile { path }) }
}

/// All files, each checked by itself.
struct Loading<'d> {
    dir: &'d Path,
    files: Vec<SourceFile>,
    diagnostics: Vec<Diagnostic>,
    /// What each file's entries are known by to others.
    marks: Vec<Vec<Mark>>,
}

impl<'d> Loading<'d> {
    fn of(dir: &'d Path, room: usize) -> Result<Self, Error> {
        let walk = walk::walk(dir)?;
        let below: Vec<PathBuf> = walk.files.into_iter().collect();
        let kept = AtomicUsize::new(0);
        // In pieces of one file, since one may be a thousand times as large as the next.
        let read: Vec<_> = below.into_par_iter().with_max_len(1).map(|below| take(dir, below, &kept, room)).collect();
        let mut loading = Self { dir, files: Vec::new(), diagnostics: walk.diagnostics, marks: Vec::new() };
        for (file, diagnostics, marks) in read {
            loading.files.push(file);
            loading.diagnostics.extend(diagnostics);
            loading.marks.push(marks);
        }
        Ok(loading)
    }

    fn finish(mut self) -> Result<Loaded, Error> {
        let (entries, repeated) = self.at_odds()?;
        self.diagnostics.extend(across::check(&entries, &repeated));
        diagnostic::arrange(&mut self.diagnostics);
        let digest = digest(&self.files);
        Ok(Loaded { files: self.files, diagnostics: self.diagnostics, digest })
    }

    /// Gathers the entries that share a mark with another: whatever is wrong between entries is among them.
    fn at_odds(&mut self) -> Result<(BTreeMap<ContactKey, Entry>, Repeated), Error> {
        let marks = std::mem::take(&mut self.marks);
        let mut all: Vec<Mark> = marks.iter().flatten().copied().collect();
        all.par_sort_unstable();
        let shared = shared(all);
        let is_shared = |mark: &Mark| shared.binary_search(&mark.plain()).is_ok();
        let mut entries = BTreeMap::new();
        let mut repeated = Repeated::new();
        if shared.is_empty() {
            return Ok((entries, repeated));
        }
        for (file, _) in self.files.iter().zip(&marks).filter(|(_, marks)| marks.iter().any(is_shared)) {
            let again;
            let of_file = if let Some(kept) = &file.entries {
                kept
            } else {
                again = read_unchanged(self.dir, file)?;
                &again
            };
            for entry in of_file.iter().filter(|entry| crate::index::marks(entry).any(|mark| is_shared(&mark))) {
                add(&mut entries, entry.clone(), &mut repeated);
            }
        }
        Ok((entries, repeated))
    }
}

/// Reads one file and keeps of it what is needed.
fn take(dir: &Path, below: PathBuf, kept: &AtomicUsize, room: usize) -> (SourceFile, Vec<Diagnostic>, Vec<Mark>) {
    let FileRead { entries, diagnostics, digest } = read_file(&dir.join(&below));
    let sheet = entries.iter().map(|entry| (entry.key(), entry.fingerprint())).collect();
    let named = entries.iter().filter_map(|entry| entry.apollo_id.as_ref()).collect();
    let marks = entries.iter().flat_map(marks).collect();
    let weight = entries.iter().map(weight).sum();
    let has_room = kept.fetch_add(weight, Ordering::Relaxed).saturating_add(weight) <= room;
    let entries = has_room.then_some(entries);
    (SourceFile { below, digest: *digest.as_bytes(), sheet, named, entries }, diagnostics, marks)
}

/// Estimates the memory that an entry takes, in bytes.
fn weight(entry: &Entry) -> usize {
    /// What a text takes beside its bytes, the place in its map included.
    const PER_TEXT: usize = 64;
    let value = |value: &Value| match value {
        Value::Text(text) => text.len(),
        Value::Lists(lists) => lists.iter().map(|list| list.len() + PER_TEXT).sum(),
    };
    size_of::<Entry>()
        + PER_TEXT
        + entry.key().as_str().len()
        + entry.fields.iter().map(|(_, of)| value(of) + PER_TEXT).sum::<usize>()
}

fn digest(files: &[SourceFile]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    // In pieces that are worth hashing.
    let mut piece = Vec::new();
    for file in files {
        let name = file.below.as_os_str().as_encoded_bytes();
        piece.extend_from_slice(&(name.len() as u64).to_be_bytes());
        piece.extend_from_slice(name);
        piece.extend_from_slice(&file.digest);
        if piece.len() > 1 << 16 {
            hasher.update(&piece);
            piece.clear();
        }
    }
    *hasher.update(&piece).finalize().as_bytes()
}

fn add(entries: &mut BTreeMap<ContactKey, Entry>, entry: Entry, repeated: &mut Repeated) {
    match entries.entry(entry.key().clone()) {
        btree_map::Entry::Vacant(place) => {
            place.insert(entry);
        }
        btree_map::Entry::Occupied(first) => {
            let paths = [Arc::clone(&first.get().place.path), entry.place.path];
            repeated.entry(entry.place.key).or_default().extend(paths);
        }
    }
}
