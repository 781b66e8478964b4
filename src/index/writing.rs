//! An index as it is written: cards as they come, then marks, the tree, and the header last.

use std::io::{self, Write};
use std::sync::Arc;

use rayon::prelude::*;

use super::identity::Identity;
use super::reading::{BLOCK, Header, Index, MAGIC, MARK, MARKS_A_BLOCK, short_check};
use super::tree::{Card, FileRecord, Flags, TreeWriter};
use super::{Contents, Damaged, Mark, StateNote};
use crate::model::Names;

/// Why an index was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("the index cannot be written")]
    Io(#[from] io::Error),
    /// The index to take over from is damaged.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Writes an index, directory by directory in any order, the files of each sorted by name.
pub struct Writer<'m, W> {
    out: W,
    at: u64,
    tree: TreeWriter,
    files: u32,
    contacts: u64,
    /// Of files that were read again, each with its number.
    marks: Vec<(u32, &'m [Mark])>,
    /// The new number of each file that is taken over, by its old one.
    kept: Vec<Option<u32>>,
}

/// What is noted of one file.
#[derive(Debug, Clone, Copy)]
pub struct Noted {
    pub identity: Identity,
    pub digest: [u8; 32],
    pub flags: Flags,
}

impl<'m, W: Write> Writer<'m, W> {
    /// Begins to write; `old` is the index that files may be taken over from.
    pub fn new(out: W, old: Option<&Index>) -> Self {
        let kept = vec![None; old.map_or(0, |old| old.tree().files())];
        Self { out, at: 0, tree: TreeWriter::default(), files: 0, contacts: 0, marks: Vec::new(), kept }
    }

    /// Begins a directory; exactly `files` files must follow.
    pub fn directory<'n>(
        &mut self,
        path: &[u8],
        identity: Identity,
        flags: Flags,
        children: impl ExactSizeIterator<Item = &'n [u8]>,
        files: usize,
    ) {
        self.tree.directory(path, identity, flags, children, files);
    }

    /// Writes a file that was read.
    pub fn file(
        &mut self,
        name: &[u8],
        noted: &Noted,
        contents: &Contents,
        marks: &'m [Mark],
    ) -> Result<(), WriteError> {
        let mut card = Vec::new();
        for part in [contents.sheet.as_bytes(), &contents.named.to_bytes(), &contents.warnings] {
            let length = u32::try_from(part.len()).expect("a file has at most 64 MiB");
            card.extend_from_slice(&length.to_le_bytes());
            card.extend_from_slice(part);
        }
        self.marks.push((self.files, marks));
        let entries = u32::try_from(contents.sheet.lines().count()).expect("a file has at most 64 MiB");
        self.record(name, noted, entries, &card)
    }

    /// Takes over a file that holds what it held.
    pub fn keep(&mut self, name: &[u8], noted: &Noted, old: &Index, number: u32) -> Result<(), WriteError> {
        let record = old.tree().file(number);
        self.kept[number as usize] = Some(self.files);
        let card = old.card(&record)?;
        self.record(name, noted, record.entries, &card)
    }

    fn record(&mut self, name: &[u8], noted: &Noted, entries: u32, card: &[u8]) -> Result<(), WriteError> {
        let Noted { identity, digest, flags } = *noted;
        let length = u32::try_from(card.len()).expect("a file has at most 64 MiB");
        let place = Card { at: self.at, length, check: short_check(card) };
        self.write(card)?;
        self.tree.file(name, &FileRecord { identity, digest, entries, flags, card: place });
        self.files += 1;
        self.contacts += u64::from(entries);
        Ok(())
    }

    /// Writes the rest.
    pub fn finish(
        mut self,
        loader: &str,
        digest: [u8; 32],
        state: Option<StateNote>,
        names: Option<Arc<Names>>,
        old: Option<&Index>,
    ) -> Result<W, WriteError> {
        let marks_at = self.at;
        let marks = self.finish_marks(old)?;
        let tree_at = self.at;
        let tree = std::mem::take(&mut self.tree.bytes);
        self.write(&tree)?;
        let header = Header {
            loader: loader.to_owned(),
            digest,
            contacts: self.contacts,
            tree_at,
            tree_length: tree.len() as u64,
            tree_check: *blake3::hash(&tree).as_bytes(),
            marks_at,
            marks,
            state,
            names,
        };
        let header = serde_json::to_vec(&header).expect("a header is plain data");
        self.write(&header)?;
        self.write(&(header.len() as u64).to_le_bytes())?;
        self.write(blake3::hash(&header).as_bytes())?;
        self.write(MAGIC)?;
        Ok(self.out)
    }

    /// Writes the marks of all files in order; returns how many there are.
    fn finish_marks(&mut self, old: Option<&Index>) -> Result<u64, WriteError> {
        let fresh = std::mem::take(&mut self.marks);
        let mut fresh = (0..PIECES).flat_map(|piece| of_piece(&fresh, piece)).peekable();
        let mut block = Block::default();
        if let Some(old) = old {
            for marks in old.marks() {
                for (mark, file) in marks? {
                    let Some(file) = self.kept[file as usize] else { continue };
                    while let Some(before) = fresh.next_if(|fresh| *fresh < (mark, file)) {
                        self.add(&mut block, before)?;
                    }
                    self.add(&mut block, (mark, file))?;
                }
            }
        }
        for mark in fresh {
            self.add(&mut block, mark)?;
        }
        if !block.bytes.is_empty() {
            self.write_block(&mut block)?;
        }
        Ok(block.marks)
    }

    fn add(&mut self, block: &mut Block, (mark, file): (Mark, u32)) -> Result<(), WriteError> {
        block.bytes.extend_from_slice(&mark.to_bits().to_le_bytes());
        block.bytes.extend_from_slice(&file.to_le_bytes());
        block.marks += 1;
        if block.bytes.len() == MARKS_A_BLOCK * MARK { self.write_block(block) } else { Ok(()) }
    }

    fn write_block(&mut self, block: &mut Block) -> Result<(), WriteError> {
        block.bytes.resize(MARKS_A_BLOCK * MARK, 0);
        let check = short_check(&block.bytes);
        block.bytes.extend_from_slice(&check.to_le_bytes());
        block.bytes.resize(BLOCK, 0);
        self.write(&block.bytes)?;
        block.bytes.clear();
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.at += bytes.len() as u64;
        Ok(self.out.write_all(bytes)?)
    }
}

/// In how many pieces the marks of files are sorted: all at once would take some hundred megabytes for a million
/// contacts. A power of two.
const PIECES: u64 = 16;

/// Gathers the marks of one piece of all there can be, sorted.
fn of_piece(marks: &[(u32, &[Mark])], piece: u64) -> Vec<(Mark, u32)> {
    let is_mine = |mark: &Mark| mark.to_bits() >> (u64::BITS - PIECES.trailing_zeros()) == piece;
    let mut gathered = Vec::new();
    for &(file, marks) in marks {
        gathered.extend(marks.iter().filter(|mark| is_mine(mark)).map(|&mark| (mark, file)));
    }
    gathered.par_sort_unstable();
    gathered
}

/// The block of marks at hand.
#[derive(Default)]
struct Block {
    bytes: Vec<u8>,
    /// How many marks were added to all blocks.
    marks: u64,
}
