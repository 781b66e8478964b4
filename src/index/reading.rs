//! An index as it is read: the tree at once, the rest by position as it is asked for.
//!
//! Every part carries a check; whatever does not fit is [`Damaged`], and an index that is damaged is none.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::tree::{Damaged, FileRecord, Tree};
use super::{Mark, StateNote};
use crate::model::{Named, Names, Sheet};

/// Where an index is read from.
pub trait ReadAt: Send + Sync {
    /// Returns how many bytes there are.
    fn length(&self) -> io::Result<u64>;

    /// Fills `bytes` from position `at` on, or fails.
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;
}

impl ReadAt for Vec<u8> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let found = usize::try_from(at).ok().and_then(|at| self.get(at..)?.get(..bytes.len()));
        bytes.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// The end of every index, by which it is known.
pub(super) const MAGIC: &[u8; 8] = b"ctctidx1";
/// Bytes of the end: the header's length and check, and the magic.
pub(super) const TAIL: usize = 8 + 32 + 8;

/// Marks in one block, and bytes of the block.
pub(super) const MARKS_A_BLOCK: usize = 340;
pub(super) const BLOCK: usize = 4096;
/// Bytes of one mark with the number of its file.
pub(super) const MARK: usize = 12;

/// What stands in front of the end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the program and of what it makes of files.
    pub(super) loader: String,
    /// Over all files; see `source`.
    pub(super) digest: [u8; 32],
    pub(super) contacts: u64,
    pub(super) tree_at: u64,
    pub(super) tree_length: u64,
    pub(super) tree_check: [u8; 32],
    pub(super) marks_at: u64,
    pub(super) marks: u64,
    pub(super) state: Option<StateNote>,
    /// What the names in the files were taken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) names: Option<Arc<Names>>,
}

/// What was known when it was written.
pub struct Index {
    source: Box<dyn ReadAt>,
    header: Header,
    tree: Tree,
}

/// What an index holds of one file beside its record.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Contents {
    pub sheet: Sheet,
    pub named: Named,
    /// Warnings about the file alone, in the form of whoever wrote them.
    pub warnings: Vec<u8>,
}

impl Index {
    /// Opens an index that was written by the same `loader`.
    pub fn open(source: Box<dyn ReadAt>, loader: &str) -> Result<Self, Damaged> {
        let length = source.length().map_err(|_| Damaged)?;
        let tail = read(&*source, length.checked_sub(TAIL as u64).ok_or(Damaged)?, TAIL)?;
        let (header_length, rest) = tail.split_first_chunk().ok_or(Damaged)?;
        let (check, magic) = rest.split_first_chunk::<32>().ok_or(Damaged)?;
        if magic != MAGIC {
            return Err(Damaged);
        }
        let header_length = u64::from_le_bytes(*header_length);
        let header_end = length - TAIL as u64;
        let at = header_end.checked_sub(header_length).ok_or(Damaged)?;
        let header = read(&*source, at, usize::try_from(header_length).map_err(|_| Damaged)?)?;
        if blake3::hash(&header) != *check {
            return Err(Damaged);
        }
        let header: Header = serde_json::from_slice(&header).map_err(|_| Damaged)?;
        if header.loader != loader || header.tree_length > length {
            return Err(Damaged);
        }
        let tree = read(&*source, header.tree_at, usize::try_from(header.tree_length).map_err(|_| Damaged)?)?;
        if blake3::hash(&tree) != header.tree_check {
            return Err(Damaged);
        }
        Ok(Self { tree: Tree::parse(tree)?, source, header })
    }

    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Returns the digest over all files.
    pub fn digest(&self) -> [u8; 32] {
        self.header.digest
    }

    /// Returns how many contacts are declared.
    pub fn contacts(&self) -> u64 {
        self.header.contacts
    }

    /// Returns how the state stood; `None` where that is not known.
    pub fn state(&self) -> Option<&StateNote> {
        self.header.state.as_ref()
    }

    /// Returns what the names in the files were taken for; `None` where no name was known.
    pub fn names(&self) -> Option<&Arc<Names>> {
        self.header.names.as_ref()
    }

    /// Reads what a file declares.
    pub fn contents(&self, file: &FileRecord) -> Result<Contents, Damaged> {
        let bytes = self.card(file)?;
        let (sheet, rest) = counted(&bytes)?;
        let (named, rest) = counted(rest)?;
        let (warnings, rest) = counted(rest)?;
        let sheet = Sheet::parse(sheet.into()).filter(|_| rest.is_empty()).ok_or(Damaged)?;
        Ok(Contents { sheet, named: Named::parse(named).ok_or(Damaged)?, warnings: warnings.to_vec() })
    }

    /// Reads what a file declares, as it stands.
    pub(super) fn card(&self, file: &FileRecord) -> Result<Vec<u8>, Damaged> {
        let bytes = read(&*self.source, file.card.at, file.card.length as usize)?;
        if short_check(&bytes) == file.card.check { Ok(bytes) } else { Err(Damaged) }
    }

    /// Finds who shares marks with entries of known files: each mark with the number of the file.
    ///
    /// `marks` are sorted.
    pub fn sharing(&self, marks: &[Mark]) -> Result<Vec<(Mark, u32)>, Damaged> {
        let mut found = Vec::new();
        let mut blocks = HashMap::new();
        for mark in marks {
            let mut number = self.first_block(mark.plain(), &mut blocks)?;
            'run: while number < self.blocks() {
                for &(other, file) in self.block(number, &mut blocks)? {
                    match other.plain().cmp(&mark.plain()) {
                        std::cmp::Ordering::Less => {}
                        std::cmp::Ordering::Equal => found.push((other, file)),
                        std::cmp::Ordering::Greater => break 'run,
                    }
                }
                number += 1;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Reads all marks in their order.
    pub(super) fn marks(&self) -> impl Iterator<Item = Result<Vec<(Mark, u32)>, Damaged>> {
        (0..self.blocks()).map(|number| self.read_block(number))
    }

    fn blocks(&self) -> u64 {
        self.header.marks.div_ceil(MARKS_A_BLOCK as u64)
    }

    /// Finds the last block that begins before `mark`, since the run of a mark may begin at a block's end.
    fn first_block(&self, mark: Mark, blocks: &mut Blocks) -> Result<u64, Damaged> {
        let (mut low, mut high) = (0, self.blocks());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let first = self.block(middle, blocks)?.first().ok_or(Damaged)?.0;
            if first.plain() < mark { low = middle } else { high = middle }
        }
        Ok(low)
    }

    fn block<'b>(&self, number: u64, blocks: &'b mut Blocks) -> Result<&'b [(Mark, u32)], Damaged> {
        match blocks.entry(number) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => Ok(place.insert(self.read_block(number)?)),
        }
    }

    fn read_block(&self, number: u64) -> Result<Vec<(Mark, u32)>, Damaged> {
        let at = number.checked_mul(BLOCK as u64).and_then(|at| at.checked_add(self.header.marks_at)).ok_or(Damaged)?;
        let bytes = read(&*self.source, at, BLOCK)?;
        let (marks, check) = bytes.split_at(MARKS_A_BLOCK * MARK);
        if short_check(marks).to_le_bytes() != check[..8] {
            return Err(Damaged);
        }
        let count = (self.header.marks - number * MARKS_A_BLOCK as u64).min(MARKS_A_BLOCK as u64);
        let mark = |bytes: &[u8]| {
            let (mark, file) = bytes.split_first_chunk().expect("a mark has twelve bytes");
            let file = u32::from_le_bytes(file.try_into().expect("a mark has twelve bytes"));
            (Mark::from_bits(u64::from_le_bytes(*mark)), file)
        };
        let marks = marks.chunks_exact(MARK).map(mark);
        let marks: Vec<_> = marks.take(usize::try_from(count).expect("at most a block")).collect();
        let known = marks.iter().all(|&(_, file)| (file as usize) < self.tree.files());
        if known { Ok(marks) } else { Err(Damaged) }
    }
}

type Blocks = HashMap<u64, Vec<(Mark, u32)>>;

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("header", &self.header).finish_non_exhaustive()
    }
}

fn read(source: &dyn ReadAt, at: u64, length: usize) -> Result<Vec<u8>, Damaged> {
    let whole = source.length().map_err(|_| Damaged)?;
    if at.checked_add(length as u64).is_none_or(|end| end > whole) {
        return Err(Damaged);
    }
    let mut bytes = vec![0; length];
    source.read_at(&mut bytes, at).map_err(|_| Damaged)?;
    Ok(bytes)
}

/// Splits off bytes that stand behind their number.
fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), Damaged> {
    let (length, rest) = bytes.split_first_chunk().ok_or(Damaged)?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(Damaged)
}

pub(super) fn short_check(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*blake3::hash(bytes).as_bytes().first_chunk().expect("a hash has 32 bytes"))
}
