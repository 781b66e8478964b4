//! Reading a copy: the rows as they are after its last whole line, and what single commits wrote.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

use super::super::place::COPY;
use super::line;
use super::scan::{self, Collect, Damage, Lines, Next, Scanned, Slice};
use crate::private_dir::PrivateDir;
use crate::state::{Counters, Error, FORMAT, Facts, Header, Row, Writes, encode, row_of_line};

/// How much is read at a time, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// What stands under the name of the copy.
#[derive(Debug)]
pub(in crate::store) enum Opened {
    None,
    /// Nothing of it can be used.
    Damaged(Damage),
    /// Whole up to some commit at least.
    Whole(Box<Copied>),
}

/// A copy that was read through, and stays open: it is read on whatever takes its place.
#[derive(Debug)]
pub(in crate::store) struct Copied {
    file: File,
    state: PrivateDir,
    pub(in crate::store) scanned: Scanned,
}

impl Opened {
    /// Reads a copy through, without a look at what its commits wrote.
    pub(in crate::store) fn look(state: &PrivateDir) -> Result<Self, Error> {
        Self::open(state, Collect::Nothing)
    }

    /// Reads a copy through in order to read its rows.
    pub(in crate::store) fn read(state: &PrivateDir) -> Result<Self, Error> {
        Self::open(state, Collect::Changes)
    }

    fn open(state: &PrivateDir, collect: Collect) -> Result<Self, Error> {
        let failed = |error| Error::io("read", &state.path().join(COPY), error);
        let file = match state.open_file(COPY) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::None),
            opened => opened.map_err(failed)?,
        };
        let scanned = scan::scan(&mut BufReader::with_capacity(PIECE_BYTES, &file), collect).map_err(failed)?;
        Ok(match scanned {
            Ok(scanned) => Self::Whole(Box::new(Copied { file, state: state.clone(), scanned })),
            Err(damage) => Self::Damaged(damage),
        })
    }
}

impl Copied {
    pub(in crate::store) fn counters(&self) -> &Counters {
        &self.scanned.counters
    }

    pub(in crate::store) fn facts(&self) -> Facts {
        let Header { lineage, origin, identity_key, .. } = self.scanned.header.clone();
        Facts::new(lineage, origin, identity_key)
    }

    /// Reads it through once more where it was only looked at, so that its rows can be read.
    pub(in crate::store) fn know_changes(&mut self) -> Result<(), Error> {
        if self.scanned.changed.is_some() {
            return Ok(());
        }
        self.rewind()?;
        let mut input = BufReader::with_capacity(PIECE_BYTES, &self.file);
        let scanned = scan::scan(&mut input, Collect::Changes).map_err(|error| self.failed(error))?;
        drop(input);
        match scanned {
            Ok(scanned) if scanned.counters == self.scanned.counters => self.scanned = scanned,
            _ => return Err(self.changed_meanwhile()),
        }
        Ok(())
    }

    /// Hands each row to `visit`, sorted by the keys; those that follow from others are left out.
    ///
    /// The copy must have been read for that, or [`Copied::know_changes`] called.
    pub(in crate::store) fn each(&self, mut visit: impl FnMut(Row, &[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut first = (&self.file).take(self.scanned.rows_end);
        self.rewind()?;
        let mut input = BufReader::with_capacity(PIECE_BYTES, &mut first);
        let mut lines = Lines::new(&mut input);
        self.next(&mut lines)?;
        let mut changed = self.scanned.changed.as_ref().expect("it was read for its rows").iter().peekable();
        let mut value = Vec::new();
        for _ in 0..self.scanned.rows {
            self.next(&mut lines)?;
            let Some(row) = row_of_line(&lines.line, &mut value) else { return Err(self.changed_meanwhile()) };
            let key = row.to_bytes();
            while let Some((new, place)) = changed.next_if(|(changed, _)| **changed < key) {
                self.visit_changed(new, *place, &mut visit)?;
            }
            match changed.next_if(|(changed, _)| **changed == key) {
                Some((_, place)) => self.visit_changed(&key, *place, &mut visit)?,
                None => visit(row, &value)?,
            }
        }
        changed.try_for_each(|(new, place)| self.visit_changed(new, *place, &mut visit))
    }

    fn visit_changed(
        &self,
        key: &[u8],
        place: Option<Slice>,
        visit: &mut impl FnMut(Row, &[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(Slice { offset, length }) = place else { return Ok(()) };
        let mut value = vec![FORMAT; length + 1];
        self.file.read_exact_at(&mut value[1..], offset).map_err(|error| self.failed(error))?;
        visit(Row::parse(key).expect("it was parsed when it was found"), &value)
    }

    /// Hands over what each commit after one of the last wrote, its counters included.
    ///
    /// Does nothing where that commit is not one of the last.
    pub(in crate::store) fn each_commit_after(
        &self,
        commit: u64,
        mut apply: impl FnMut(Writes) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (Some(begin), end) = (self.scanned.place_after(commit), self.scanned.end.offset) else { return Ok(()) };
        (&self.file).seek(SeekFrom::Start(begin.offset)).map_err(|error| self.failed(error))?;
        let mut rest = (&self.file).take(end - begin.offset);
        let mut input = BufReader::with_capacity(PIECE_BYTES, &mut rest);
        let mut lines = Lines::new(&mut input);
        for _ in begin.line..self.scanned.end.line {
            self.next(&mut lines)?;
            let line = &lines.line;
            let read = line::counters(line).zip(line::rows(line));
            let (counters, rows) = read.ok_or_else(|| self.changed_meanwhile())?;
            let value = |place: std::ops::Range<usize>| [&[FORMAT], &line[place]].concat();
            let mut writes: Writes = rows.into_iter().map(|(row, place)| (row, place.map(value))).collect();
            writes.insert(Row::Counters, Some(encode(&counters)));
            apply(writes)?;
        }
        Ok(())
    }

    fn next(&self, lines: &mut Lines<'_>) -> Result<(), Error> {
        match lines.next().map_err(|error| self.failed(error))? {
            Next::Line => Ok(()),
            _ => Err(self.changed_meanwhile()),
        }
    }

    fn rewind(&self) -> Result<(), Error> {
        (&self.file).seek(SeekFrom::Start(0)).map(drop).map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> Error {
        Error::io("read", &self.state.path().join(COPY), error)
    }

    /// A disk that answers two reads of one place differently.
    fn changed_meanwhile(&self) -> Error {
        Error::unreadable(&self.state.path().into(), "its copy reads differently the second time")
    }
}
