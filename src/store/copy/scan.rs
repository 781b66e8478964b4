//! Reading a copy through once: how far it is whole, and where it ends.
//!
//! A last line without its end did not happen. Anything else that is not as it was written is damage, with its line.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, BufRead, Read};

use super::line::{self, Chain};
use crate::state::{CopyEnd, Counters, Header, Row};

/// Longest line that is read, in bytes: a commit has up to 100 rows of a few kilobytes.
const MAX_LINE_BYTES: u64 = 256 * 1024 * 1024;

/// How many of the last commits a scan remembers: sled is behind by what shares one barrier at most.
const RECENT: usize = 2048;

/// Where a copy is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Damage {
    pub(in crate::store) line: u64,
    pub(in crate::store) why: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// How a copy ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) enum Ending {
    Whole,
    /// The last line was not written to its end.
    Torn,
    Damaged(Damage),
}

/// A place between two lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    /// The number of the line before, from 1.
    pub(super) line: u64,
    pub(super) chain: Chain,
}

/// Where the value of a row stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) offset: u64,
    pub(super) length: usize,
}

/// The rows that were written after those at the beginning, by their keys; `None` for those that are gone.
pub(super) type Changed = BTreeMap<Vec<u8>, Option<Slice>>;

/// A copy as far as it is whole.
#[derive(Debug)]
pub(in crate::store) struct Scanned {
    pub(in crate::store) header: Header,
    /// After the last whole line.
    pub(in crate::store) counters: Counters,
    pub(in crate::store) ending: Ending,
    /// Number of rows at the beginning, and the place after them.
    pub(super) rows: u64,
    pub(super) rows_end: u64,
    pub(super) end: Place,
    /// The last commits, each with the place after it; the one that the rows are of is among them while few followed.
    recent: VecDeque<(Counters, Place)>,
    /// `None` where nobody asked for it.
    pub(super) changed: Option<Changed>,
}

impl Scanned {
    /// Returns the counters after a commit, where that is one of the last.
    pub(in crate::store) fn at(&self, commit: u64) -> Option<&Counters> {
        self.recent(commit).map(|(counters, _)| counters)
    }

    pub(super) fn place_after(&self, commit: u64) -> Option<&Place> {
        self.recent(commit).map(|(_, place)| place)
    }

    fn recent(&self, commit: u64) -> Option<&(Counters, Place)> {
        let found = self.recent.binary_search_by_key(&commit, |(counters, _)| counters.commit).ok()?;
        self.recent.get(found)
    }
}

/// What a scan collects beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collect {
    Nothing,
    Changes,
}

/// Reads a copy through; damage among the rows at its beginning leaves nothing to go by.
pub(super) fn scan(input: &mut dyn BufRead, collect: Collect) -> io::Result<Result<Scanned, Damage>> {
    let mut lines = Lines::new(input);
    let mut scanned = match begin(&mut lines)? {
        Ok(scanned) => scanned,
        Err(damage) => return Ok(Err(damage)),
    };
    scanned.changed = (collect == Collect::Changes).then(Changed::new);
    loop {
        scanned.ending = match lines.next()? {
            Next::End => Ending::Whole,
            Next::Torn => Ending::Torn,
            Next::TooLong => Ending::Damaged(lines.damage("it is too long")),
            Next::Line => match take(&mut scanned, &lines) {
                Ok(()) => continue,
                Err(why) => Ending::Damaged(lines.damage(why)),
            },
        };
        return Ok(Ok(scanned));
    }
}

/// Reads the rows, and the line that says of which commit they are.
fn begin(lines: &mut Lines<'_>) -> io::Result<Result<Scanned, Damage>> {
    let missing = |lines: &Lines<'_>| Ok(Err(lines.damage("it ends before its rows do: the rest is missing")));
    let Next::Line = lines.next()? else { return missing(lines) };
    let header = match Header::parse(&lines.line) {
        Ok(header) => header,
        Err(why) => return Ok(Err(lines.damage(&why))),
    };
    let mut hasher = blake3::Hasher::new();
    let (rows, rows_end, checksum) = loop {
        hasher.update(&lines.line);
        let at = lines.offset;
        let Next::Line = lines.next()? else { return missing(lines) };
        match CopyEnd::begins(&lines.line) {
            Some(true) => {}
            Some(false) => continue,
            None => return Ok(Err(lines.damage("it is no row"))),
        }
        let rows = lines.number - 2;
        match CopyEnd::parse(&lines.line) {
            Some(end) if end.is_of(rows, &hasher) => break (rows, at, end.checksum),
            _ => return Ok(Err(lines.damage("the rows before it are not those that were written"))),
        }
    };
    let mut chain = Chain::after_rows(checksum);
    let Next::Line = lines.next()? else { return missing(lines) };
    let passed = chain.pass(&lines.line).and_then(|()| line::counters(&lines.line).ok_or("it has no counters"));
    let counters = match passed {
        Ok(counters) => counters,
        Err(why) => return Ok(Err(lines.damage(why))),
    };
    let end = Place { offset: lines.offset, line: lines.number, chain };
    let recent = VecDeque::from([(counters.clone(), end.clone())]);
    let (ending, changed) = (Ending::Whole, None);
    Ok(Ok(Scanned { header, counters, ending, rows, rows_end, end, recent, changed }))
}

fn take(scanned: &mut Scanned, lines: &Lines<'_>) -> Result<(), &'static str> {
    let mut chain = scanned.end.chain.clone();
    chain.pass(&lines.line)?;
    let counters = line::counters(&lines.line).ok_or("it has no counters")?;
    if counters.commit != scanned.counters.commit + 1 {
        return Err("it is not the commit that comes next");
    }
    if let Some(changed) = &mut scanned.changed {
        let begin = lines.offset - lines.line.len() as u64;
        for (row, value) in line::rows(&lines.line).ok_or("it has a row of unknown kind")? {
            let slice =
                |place: std::ops::Range<usize>| Slice { offset: begin + place.start as u64, length: place.len() };
            // The reverse index follows from the bindings.
            if !matches!(row, Row::Owner(_) | Row::Facts) {
                changed.insert(row.to_bytes(), value.map(slice));
            }
        }
    }
    scanned.end = Place { offset: lines.offset, line: lines.number, chain };
    scanned.counters = counters;
    if scanned.recent.len() == RECENT {
        scanned.recent.pop_front();
    }
    scanned.recent.push_back((scanned.counters.clone(), scanned.end.clone()));
    Ok(())
}

/// What comes next in a file of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Line,
    /// A line without its end, the last one.
    Torn,
    TooLong,
    End,
}

/// A file, line by line.
pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// The line that was read last, its end included.
    pub(super) line: Vec<u8>,
    /// Its number, from 1.
    pub(super) number: u64,
    /// The place after it.
    pub(super) offset: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead) -> Self {
        Self { input, line: Vec::new(), number: 0, offset: 0 }
    }

    pub(super) fn next(&mut self) -> io::Result<Next> {
        self.line.clear();
        let read = Read::take(&mut *self.input, MAX_LINE_BYTES).read_until(b'\n', &mut self.line)? as u64;
        self.number += u64::from(read > 0);
        self.offset += read;
        Ok(match self.line.last() {
            None => Next::End,
            Some(b'\n') => Next::Line,
            Some(_) if read == MAX_LINE_BYTES => Next::TooLong,
            Some(_) => Next::Torn,
        })
    }

    /// Says what is wrong with the line that was read last.
    fn damage(&self, why: &str) -> Damage {
        Damage { line: self.number, why: why.to_owned() }
    }
}
