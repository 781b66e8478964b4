//! What was found in a directory: its files in short, and how that is kept for the next time.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::code::Severity;
use super::diagnostic::Diagnostic;
use super::meaning::Meaning;
use super::stored;
use super::walk::Walk;
use crate::beneath::Root;
use crate::index::{Contents, Damaged, FileRecord, Flags, Identity, Index, Mark, Noted, Tree, WriteError, Writer};
use crate::model::{NameKinds, Named, PackedEntry, Sheet};

/// What the files of a directory declare.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The directory as it was opened for this load; whatever is read later is read there.
    pub root: Option<Arc<Root>>,
    /// Sorted by path; those that could not be read included. Empty where nothing changed and none were asked for.
    pub files: Vec<SourceFile>,
    /// How many files there are.
    pub count: usize,
    /// Everything found, sorted by path, line and column.
    pub diagnostics: Vec<Diagnostic>,
    /// BLAKE3 over the files' paths below the directory and their contents, in the order of the paths.
    pub digest: [u8; 32],
    /// The numbers of files that the index knows and that are gone.
    pub removed: Vec<u32>,
    /// Whether the index knows everything as it is.
    pub is_known: bool,
    /// About how much of the directory had to be looked into, in files: those read, and names listed, which cost less.
    pub effort: usize,
    /// How many files were left out because they are being written.
    pub left_out: usize,
    /// The kinds of names that the files use.
    pub names: NameKinds,
    /// The kinds of names of which one, or a value by what is known of its field, is not good.
    pub faulty_names: NameKinds,
    /// What names were taken for.
    pub meaning: Meaning,
    pub(super) walk: Walk,
    pub(super) stamp: Option<i64>,
}

/// One file as it was found.
#[derive(Debug)]
pub struct SourceFile {
    /// Its path below the directory.
    pub below: PathBuf,
    /// BLAKE3 of its content; of nothing when it could not be read.
    pub digest: [u8; 32],
    /// What the index knows under this path.
    pub record: Option<u32>,
    /// Whether it was read for its entries. If not, it holds what the record says, and the rest here is empty.
    pub was_read: bool,
    /// How many entries it declares.
    pub count: usize,
    /// The keys that it declares, unless they were only counted.
    pub sheet: Sheet,
    /// The contacts that its entries name by `apollo_id`.
    pub named: Named,
    /// Its entries in the order of the sheet, where there was room to keep them, until they are forgotten.
    pub(super) entries: RwLock<Option<Vec<PackedEntry>>>,
    /// The kinds of names that it uses.
    pub names: NameKinds,
    /// Whether it uses names that mean something else than when the index was written.
    pub means_otherwise: bool,
    pub(super) identity: Option<Identity>,
    /// What its entries are known by to others.
    pub(super) marks: Vec<Mark>,
    /// Warnings about it alone.
    pub(super) warnings: Vec<Diagnostic>,
    /// Whether there may be a warning about it and another file.
    pub(super) is_watched: bool,
    /// Where it stands in the walk.
    pub(super) place: (usize, usize),
}

impl Loaded {
    /// Reports whether the entries may be used: warnings do not count.
    pub fn is_valid(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Forgets entries that were kept: whoever wants one from now on reads its file again.
    pub fn forget_entries(&self) {
        for file in &self.files {
            *file.entries.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Counts the entries of the files that were read.
    pub fn entries(&self) -> usize {
        self.files.iter().map(|file| file.count).sum()
    }

    /// Reads from the index what the files declare that were not read.
    pub fn complete(&mut self, index: &Index) -> Result<(), Damaged> {
        for file in self.files.iter_mut().filter(|file| !file.was_read && file.sheet.is_empty()) {
            let record = file.record.expect("what was not read has a record");
            let Contents { sheet, named, warnings: _ } = index.contents(&index.tree().file(record))?;
            (file.sheet, file.named) = (sheet, named);
        }
        Ok(())
    }

    /// Counts the entries of a file by its number.
    pub fn entries_in(&self, number: usize, index: Option<&Index>) -> u64 {
        let file = &self.files[number];
        match (file.record, index) {
            (Some(record), Some(index)) if !file.was_read => index.tree().file(record).entries.into(),
            _ => file.sheet.lines().count() as u64,
        }
    }

    /// Writes what was found into a new index, which takes over from the one that was loaded with.
    ///
    /// `is_applied` tells of a file, by its number, whether all its entries stand applied.
    pub fn write<'m, W: std::io::Write>(
        &'m self,
        writer: &mut Writer<'m, W>,
        old: Option<&Index>,
        is_applied: impl Fn(usize) -> bool,
    ) -> Result<(), WriteError> {
        let none = Tree::default();
        let known = old.map_or(&none, Index::tree);
        let mut by_place: Vec<(usize, &SourceFile)> = self.files.iter().enumerate().collect();
        by_place.sort_unstable_by_key(|(_, file)| file.place);
        let mut files = by_place.into_iter().peekable();
        for (number, directory) in self.walk.directories.iter().enumerate() {
            let path = directory.below.as_os_str().as_encoded_bytes();
            let children = directory.children.iter().map(|name| name.as_encoded_bytes());
            let flags = directory.flags.with(Flags::RACY, directory.is_racy(self.stamp));
            writer.directory(path, directory.identity, flags, children, directory.files.len());
            while let Some((nth, file)) = files.next_if(|(_, file)| file.place.0 == number) {
                let name = directory.files[file.place.1].name(known).as_encoded_bytes();
                let record = file.record.zip(old).map(|(record, old)| old.tree().file(record));
                let noted = file.noted(record.as_ref(), self.stamp, is_applied(nth));
                match (file.record, old) {
                    (Some(record), Some(old)) if !file.was_read => writer.keep(name, &noted, old, record)?,
                    _ => {
                        let warnings = stored::to_bytes(&file.warnings);
                        let contents = Contents { sheet: file.sheet.clone(), named: file.named.clone(), warnings };
                        writer.file(name, &noted, &contents, &file.marks)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl SourceFile {
    /// Returns its entries in the order of the sheet; `None` where they were not kept, or are forgotten.
    pub fn kept(&self) -> RwLockReadGuard<'_, Option<Vec<PackedEntry>>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn noted(&self, record: Option<&FileRecord>, stamp: Option<i64>, is_applied: bool) -> Noted {
        let identity = self.identity.unwrap_or_default();
        let mut flags = Flags::default()
            .with(Flags::APPLIED, is_applied)
            .with(Flags::WATCHED, self.is_watched)
            .with(Flags::WARNS, !self.warnings.is_empty())
            .with_names(self.names);
        let stood = record.filter(|record| record.stands(&identity));
        if !self.was_read {
            let warned = record.is_some_and(|record| record.flags.has(Flags::WARNS));
            flags = flags.with(Flags::WARNS, warned);
        }
        // What was not read at all is as racy as it was.
        let is_racy = stood.is_none() && identity.is_racy(stamp);
        Noted { identity, digest: self.digest, flags: flags.with(Flags::RACY, is_racy) }
    }
}

/// Hashes the paths and contents of files.
pub(super) fn digest(files: &[SourceFile]) -> [u8; 32] {
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
