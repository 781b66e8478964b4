//! The directories and files that an index knows, as they stand in its bytes.

use std::collections::HashMap;
use std::ops::Range;

use super::identity::Identity;
use crate::model::NameKinds;

/// Why an index is of no use: it is not as it was written, or was written by another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the index is damaged, or another version's")]
pub struct Damaged;

/// What is known of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRecord {
    pub identity: Identity,
    /// BLAKE3 of the content.
    pub digest: [u8; 32],
    /// How many entries it declares.
    pub entries: u32,
    pub flags: Flags,
    /// Where what it declares stands.
    pub(super) card: Card,
}

/// Where the card of a file stands, and what it hashes to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Card {
    pub(super) at: u64,
    pub(super) length: u32,
    pub(super) check: u64,
}

/// What is true of a file or directory.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// All entries of the file stood applied exactly as declared.
    pub const APPLIED: Self = Self(1);
    /// Its identity proves nothing: it was written too shortly before it was looked at, or has no exact times.
    pub const RACY: Self = Self(2);
    /// There is a warning about it and another file, so it is always read.
    pub const WATCHED: Self = Self(4);
    /// There are warnings about it alone; they stand in its card.
    pub const WARNS: Self = Self(8);
    /// The directory holds symlinks, whose targets may change without it, or names that are warned about.
    pub const RELISTED: Self = Self(16);
    /// A stage is declared by its name in it.
    pub const STAGE_NAMES: Self = Self(32);
    /// Custom fields are declared by their labels in it.
    pub const FIELD_NAMES: Self = Self(64);

    /// Returns the kinds of names that the file uses.
    pub fn names(self) -> NameKinds {
        NameKinds { stages: self.has(Self::STAGE_NAMES), fields: self.has(Self::FIELD_NAMES) }
    }

    #[must_use]
    pub fn with_names(self, names: NameKinds) -> Self {
        self.with(Self::STAGE_NAMES, names.stages).with(Self::FIELD_NAMES, names.fields)
    }

    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    #[must_use]
    pub fn with(self, flag: Self, on: bool) -> Self {
        if on { Self(self.0 | flag.0) } else { Self(self.0 & !flag.0) }
    }
}

/// Everything an index knows of a tree of directories, found by path.
#[derive(Debug, Default)]
pub struct Tree {
    bytes: Vec<u8>,
    directories: Vec<DirectoryRecord>,
    /// Where each file's record begins.
    files: Vec<u32>,
    by_path: HashMap<Box<[u8]>, u32>,
}

/// What is known of one directory.
#[derive(Debug)]
pub struct DirectoryRecord {
    pub identity: Identity,
    pub flags: Flags,
    path: Range<usize>,
    children: Vec<Range<usize>>,
    files: Range<u32>,
}

/// Bytes of a file's record before its name.
const FIXED: usize = Identity::BYTES + 32 + 4 + 1 + 8 + 4 + 8 + 2;

impl Tree {
    /// Reads the bytes that [`TreeWriter`] wrote.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, Damaged> {
        let mut reader = Reader { bytes: &bytes, at: 0 };
        let (mut directories, mut files, mut by_path) = (Vec::new(), Vec::new(), HashMap::new());
        while reader.at < bytes.len() {
            let path = reader.name()?;
            let identity = reader.identity()?;
            let flags = Flags(reader.take(1)?[0]);
            let children = reader.count()?;
            let children = (0..children).map(|_| reader.name()).collect::<Result<Vec<_>, _>>()?;
            let count = reader.count()?;
            let first = index(files.len())?;
            for _ in 0..count {
                files.push(index(reader.at)?);
                reader.take(FIXED - 2)?;
                reader.name()?;
            }
            by_path.insert(bytes[path.clone()].into(), index(directories.len())?);
            directories.push(DirectoryRecord { identity, flags, path, children, files: first..index(files.len())? });
        }
        Ok(Self { bytes, directories, files, by_path })
    }

    pub fn directories(&self) -> &[DirectoryRecord] {
        &self.directories
    }

    /// Finds a directory by its path below the root.
    pub fn directory(&self, path: &[u8]) -> Option<&DirectoryRecord> {
        Some(&self.directories[*self.by_path.get(path)? as usize])
    }

    /// Returns how many files are known.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    pub fn file(&self, number: u32) -> FileRecord {
        let mut reader = Reader { bytes: &self.bytes, at: self.files[number as usize] as usize };
        let parsed = reader.file();
        parsed.expect("every record was read once")
    }

    pub fn file_name(&self, number: u32) -> &[u8] {
        let mut reader = Reader { bytes: &self.bytes, at: self.files[number as usize] as usize + FIXED - 2 };
        &self.bytes[reader.name().expect("every record was read once")]
    }

    pub fn path<'t>(&'t self, directory: &DirectoryRecord) -> &'t [u8] {
        &self.bytes[directory.path.clone()]
    }

    /// Lists the names of the directories in `directory`, without those that symlinks lead to.
    pub fn children<'t>(&'t self, directory: &'t DirectoryRecord) -> impl Iterator<Item = &'t [u8]> {
        directory.children.iter().map(|name| &self.bytes[name.clone()])
    }
}

impl DirectoryRecord {
    /// Returns the numbers of its files, which are sorted by name.
    pub fn files(&self) -> Range<u32> {
        self.files.clone()
    }

    /// Reports whether the names in a directory that looks like this now are the known ones.
    pub fn lists(&self, now: &Identity) -> bool {
        self.identity == *now && !self.flags.has(Flags::RACY) && !self.flags.has(Flags::RELISTED)
    }
}

impl FileRecord {
    /// Reports whether a file that looks like this now holds what it held.
    pub fn stands(&self, now: &Identity) -> bool {
        self.identity == *now && !self.flags.has(Flags::RACY)
    }
}

/// Puts records into bytes.
#[derive(Default)]
pub(super) struct TreeWriter {
    pub(super) bytes: Vec<u8>,
}

impl TreeWriter {
    /// Begins a directory; its `files` follow.
    pub(super) fn directory<'n>(
        &mut self,
        path: &[u8],
        identity: Identity,
        flags: Flags,
        children: impl ExactSizeIterator<Item = &'n [u8]>,
        files: usize,
    ) {
        self.name(path);
        self.bytes.extend_from_slice(&identity.to_bytes());
        self.bytes.push(flags.0);
        self.count(children.len());
        children.for_each(|name| self.name(name));
        self.count(files);
    }

    pub(super) fn file(&mut self, name: &[u8], file: &FileRecord) {
        let FileRecord { identity, digest, entries, flags, card: Card { at, length, check } } = file;
        self.bytes.extend_from_slice(&identity.to_bytes());
        self.bytes.extend_from_slice(digest);
        self.bytes.extend_from_slice(&entries.to_le_bytes());
        self.bytes.push(flags.0);
        self.bytes.extend_from_slice(&at.to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&check.to_le_bytes());
        self.name(name);
    }

    fn name(&mut self, name: &[u8]) {
        let length = u16::try_from(name.len()).expect("systems take no path of 64 KiB");
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(name);
    }

    fn count(&mut self, count: usize) {
        self.bytes.extend_from_slice(&u32::try_from(count).expect("fewer than four billion").to_le_bytes());
    }
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], Damaged> {
        let end = self.at.checked_add(length).ok_or(Damaged)?;
        let taken = self.bytes.get(self.at..end).ok_or(Damaged)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    fn name(&mut self) -> Result<Range<usize>, Damaged> {
        let length = u16::from_le_bytes(self.array()?);
        let start = self.at;
        self.take(length.into())?;
        Ok(start..self.at)
    }

    fn count(&mut self) -> Result<u32, Damaged> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn identity(&mut self) -> Result<Identity, Damaged> {
        Ok(Identity::from_bytes(&self.array()?))
    }

    fn file(&mut self) -> Result<FileRecord, Damaged> {
        let (identity, digest, entries) = (self.identity()?, self.array()?, self.count()?);
        let flags = Flags(self.take(1)?[0]);
        let (at, length) = (u64::from_le_bytes(self.array()?), self.count()?);
        let check = u64::from_le_bytes(self.array()?);
        Ok(FileRecord { identity, digest, entries, flags, card: Card { at, length, check } })
    }
}

fn index(number: usize) -> Result<u32, Damaged> {
    u32::try_from(number).map_err(|_| Damaged)
}
