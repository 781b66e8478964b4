//! The text of entries while their keys are not known yet: on the disk, in a file without a name.
//!
//! The file holds personal values; no other user can open it, and it is gone when this process ends.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;

use crate::model::ContactKey;
use crate::source::write_key;

/// Where a text stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    at: u64,
    bytes: u32,
}

impl Piece {
    pub(super) fn bytes(self) -> u64 {
        self.bytes.into()
    }
}

/// An entry in its file.
pub(super) struct InFile {
    pub(super) key: ContactKey,
    pub(super) piece: Piece,
    pub(super) table: usize,
    pub(super) line: usize,
}

/// A spool that is being written.
pub(super) struct Spool {
    out: BufWriter<File>,
    length: u64,
}

/// What is written at a time, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { out: BufWriter::with_capacity(BUFFER_BYTES, tempfile::tempfile()?), length: 0 })
    }

    pub(super) fn add(&mut self, text: &str) -> io::Result<Piece> {
        self.out.write_all(text.as_bytes())?;
        let at = self.length;
        self.length += text.len() as u64;
        let bytes = text.len().try_into().map_err(|_| io::Error::other("a row is longer than 4 GiB"))?;
        Ok(Piece { at, bytes })
    }

    /// Ends writing.
    pub(super) fn finish(self) -> io::Result<Spooled> {
        Ok(Spooled(self.out.into_inner().map_err(io::IntoInnerError::into_error)?))
    }
}

/// A spool that was written.
pub(super) struct Spooled(File);

impl Spooled {
    /// Reads a text again.
    pub(super) fn read(&self, piece: Piece, text: &mut Vec<u8>) -> io::Result<()> {
        text.resize(piece.bytes as usize, 0);
        self.0.read_exact_at(text, piece.at)
    }

    /// Writes entries one below the other.
    pub(super) fn write<'e>(
        &self,
        entries: impl IntoIterator<Item = (&'e ContactKey, Piece)>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let (mut key, mut fields) = (String::new(), Vec::new());
        for (number, (of, piece)) in entries.into_iter().enumerate() {
            key.clear();
            write_key(of, &mut key);
            self.read(piece, &mut fields)?;
            if number > 0 {
                out.write_all(b"\n")?;
            }
            out.write_all(key.as_bytes())?;
            out.write_all(&fields)?;
        }
        Ok(())
    }
}
