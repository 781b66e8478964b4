//! What the files declare, valid: who in short, and the entries of those who are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::index::{Named, Roster};
use crate::model::{ContactKey, Entry, Fingerprint};
use crate::source::{self, Diagnostic, SourceFile};

use super::{Problem, problem};

/// The contents of a valid directory.
///
/// Not all entries are in memory: a million would take a gigabyte, and a plan looks at those that differ.
#[derive(Debug, Default)]
pub struct Desired {
    pub(super) roster: Arc<Roster>,
    /// The contacts that entries name.
    pub(super) named: Named,
    pub warnings: Vec<Diagnostic>,
    /// Hash over all files; part of a plan's digest.
    pub digest: [u8; 32],
    dir: PathBuf,
    files: Vec<SourceFile>,
}

/// Why there is nothing to plan from.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the contact files cannot be read")]
    Unreadable(#[source] source::Error),
    /// At least one diagnostic is an error; warnings are among them.
    #[error("the contact files hold mistakes")]
    Invalid { diagnostics: Vec<Diagnostic>, files: usize },
}

impl From<LoadError> for Box<Problem> {
    fn from(error: LoadError) -> Self {
        Box::new(problem::not_loaded(&error))
    }
}

/// Reads and checks all contact files below `dir`.
pub fn load(dir: &Path) -> Result<Desired, LoadError> {
    let loaded = source::load(dir).map_err(LoadError::Unreadable)?;
    let valid = loaded.is_valid();
    let source::Loaded { mut files, diagnostics, digest } = loaded;
    if !valid {
        return Err(LoadError::Invalid { diagnostics, files: files.len() });
    }
    let named = Named::join(files.iter().map(|file| &file.named));
    let sheets = files.iter_mut().map(|file| std::mem::take(&mut file.sheet)).collect();
    let roster = Arc::new(Roster::of(sheets));
    Ok(Desired { roster, named, warnings: diagnostics, digest, dir: dir.to_owned(), files })
}

impl Desired {
    /// Declares keys that have no files behind them.
    #[cfg(test)]
    pub(super) fn made_up(roster: Roster, named: Named) -> Self {
        Self { roster: Arc::new(roster), named, ..Self::default() }
    }

    /// Returns how many contacts are declared.
    pub fn contacts(&self) -> usize {
        self.roster.len()
    }

    /// Lists the keys of all declared contacts, in no order.
    pub(super) fn keys(&self) -> Vec<ContactKey> {
        (0..self.roster.len()).map(|number| self.roster.key(number)).collect()
    }

    /// Returns how many files there are.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    pub fn fingerprint(&self, key: &ContactKey) -> Option<Fingerprint> {
        self.roster.fingerprint(key)
    }

    /// Returns the entry of a key, from its file if need be; `None` when it is not declared.
    pub fn entry(&self, key: &ContactKey) -> Result<Option<Entry>, LoadError> {
        Ok(self.entries([key])?.remove(key))
    }

    /// Returns the entries of those `keys` that are declared.
    ///
    /// Those that were not kept are read from their files again, which must be as they were.
    pub fn entries<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a ContactKey>,
    ) -> Result<BTreeMap<ContactKey, Entry>, LoadError> {
        let mut wanted: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for found in keys.into_iter().filter_map(|key| self.roster.find(key)) {
            wanted.entry(found.sheet).or_default().insert(found.at);
        }
        let mut entries = BTreeMap::new();
        let mut absent = Vec::new();
        for (&sheet, places) in &wanted {
            match &self.files[sheet].entries {
                Some(kept) => entries.extend(self.pick(sheet, places, kept).cloned().map(keyed)),
                None => absent.push((sheet, &self.files[sheet])),
            }
        }
        // A few at a time: of a large file, perhaps one entry is wanted.
        for some in absent.chunks(READ_AT_A_TIME) {
            for (sheet, read) in source::read_again(&self.dir, some).map_err(LoadError::Unreadable)? {
                entries.extend(self.pick(sheet, &wanted[&sheet], &read).cloned().map(keyed));
            }
        }
        Ok(entries)
    }

    /// Picks the entries of one file by their places in its sheet.
    fn pick<'e>(
        &self,
        sheet: usize,
        places: &BTreeSet<usize>,
        entries: &'e [Entry],
    ) -> impl Iterator<Item = &'e Entry> {
        let lines = self.roster.sheets()[sheet].lines();
        lines.zip(entries).filter(|((at, ..), _)| places.contains(at)).map(|(_, entry)| entry)
    }
}

/// How many files are read again before their entries are sifted.
const READ_AT_A_TIME: usize = 64;

fn keyed(entry: Entry) -> (ContactKey, Entry) {
    (entry.key().clone(), entry)
}
