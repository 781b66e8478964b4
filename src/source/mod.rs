//! The contact files: a directory of YAML read into entries, with everything wrong in it said at once.
//!
//! The one home of YAML. Never writes, never contacts anything, and knows nothing of state or plans.
//! Each file is read by a fast reader (`typed`); one with anything to report is read again with positions
//! (`positioned`, `check`), so that good files pay nothing for good messages.

mod across;
mod check;
mod code;
mod collapse;
mod diagnostic;
mod flatten;
mod locate;
mod merge;
mod moves;
mod positioned;
mod providers;
mod read;
mod rules;
mod steep;
mod typed;
mod walk;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Location};
pub use locate::locate;

use diagnostic::Source;

use crate::model::{ContactKey, Entry};

/// Why a directory could not be looked at at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the directory {} cannot be read", dir.display())]
    ReadDirectory { dir: PathBuf, source: io::Error },
    #[error("{} is not a directory", dir.display())]
    NotADirectory { dir: PathBuf },
}

/// What the files of a directory declare.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The contacts; of a key that is declared twice, the first in the order of the paths.
    pub entries: BTreeMap<ContactKey, Entry>,
    /// Everything found, sorted by path, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// How many files were found, those that could not be read included.
    pub files: usize,
    /// BLAKE3 over the files' paths below the directory and their contents, in the order of the paths.
    pub digest: [u8; 32],
}

impl Loaded {
    /// Reports whether the entries may be used: warnings do not count.
    pub fn is_valid(&self) -> bool {
        self.errors().next().is_none()
    }

    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity)
    }
}

/// Reads all contact files below `dir` and checks them, one by one and against each other.
///
/// Fails only when `dir` itself cannot be read; a file that cannot is a diagnostic.
pub fn load(dir: &Path) -> Result<Loaded, Error> {
    let walk = walk::walk(dir)?;
    let files: Vec<PathBuf> = walk.files.into_iter().collect();
    let mut diagnostics = walk.diagnostics;
    let mut entries = BTreeMap::new();
    let mut repeated = across::Repeated::new();
    let mut hasher = blake3::Hasher::new();
    for (below, file) in files.iter().zip(read_all(dir, &files)) {
        let name = below.as_os_str().as_encoded_bytes();
        hasher.update(&(name.len() as u64).to_be_bytes()).update(name).update(file.digest.as_bytes());
        diagnostics.extend(file.diagnostics);
        for entry in file.entries {
            add(&mut entries, entry, &mut repeated);
        }
    }
    diagnostics.extend(across::check(&entries, &repeated));
    diagnostic::arrange(&mut diagnostics);
    Ok(Loaded { entries, diagnostics, files: files.len(), digest: *hasher.finalize().as_bytes() })
}

fn add(entries: &mut BTreeMap<ContactKey, Entry>, entry: Entry, repeated: &mut across::Repeated) {
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

/// One file, read and checked by itself.
struct FileRead {
    entries: Vec<Entry>,
    diagnostics: Vec<Diagnostic>,
    /// Of the content; of nothing when it could not be read.
    digest: blake3::Hash,
}

/// Reads the files on all cores; the results come in the order of `files`.
fn read_all(dir: &Path, files: &[PathBuf]) -> Vec<FileRead> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < files.len()) {
            done.push((index, read_file(&dir.join(&files[index]))));
        }
        done
    };
    let mut done: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, file)| file).collect()
}

fn read_file(path: &Path) -> FileRead {
    let refused =
        |diagnostic: Box<Diagnostic>, digest| FileRead { entries: Vec::new(), diagnostics: vec![*diagnostic], digest };
    let bytes = match read::bytes(path) {
        Ok(bytes) => bytes,
        Err(diagnostic) => return refused(diagnostic, blake3::hash(b"")),
    };
    let digest = blake3::hash(&bytes);
    match read::text(path, bytes) {
        Ok(text) => {
            let (entries, diagnostics) = read_text(path, text);
            FileRead { entries, diagnostics, digest }
        }
        Err(diagnostic) => refused(diagnostic, digest),
    }
}

/// Reads the text of one file; a pure function of its arguments.
fn read_text(path: &Path, text: String) -> (Vec<Entry>, Vec<Diagnostic>) {
    let path: Arc<Path> = path.into();
    let typed = (!steep::may_be_steep(&text)).then(|| typed::read(&path, &text));
    match typed {
        Some(Ok(reading)) if !reading.doubtful => (reading.entries, Vec::new()),
        typed => {
            let source = Source::new(Arc::clone(&path), text);
            let mut checked = check::check(&source);
            let typed = typed.or_else(|| (!checked.has_errors()).then(|| typed::read(&path, &source.text)));
            if let Some(Err(error)) = typed
                && !checked.has_errors()
            {
                checked.diagnostics.push(check::refused_by_fast_reader(&source, &error));
            }
            (checked.entries, checked.diagnostics)
        }
    }
}
