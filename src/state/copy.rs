//! A state as lines of text, to be carried elsewhere: a header, a line a row, and an end that proves the rest whole.
//!
//! Only the form: knows neither engines nor directories. `docs/state-format.md` describes it.

use std::borrow::Cow;
use std::io::{BufRead, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::codec;
use super::counters::{Counters, Facts};
use super::error::Error;
use super::location::Location;
use super::lookup::PlanRow;
use super::row::{FORMAT, Row};
use crate::model::{
    Binding, BulkCreate, Conflict, ContactKey, CustomField, Digest, IdentityKey, Intent, IntentId, Lineage, List,
    Listing, NameKind, Serial, Stage, Timestamp, Tombstone,
};

/// Version of the form: a reader takes any minor version of its major one.
const FORMAT_VERSION: &str = "1.0";
const MAJOR: &str = "1.";

/// Longest line that is read, in bytes; a row is a few kilobytes.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// How the last line begins, which no row does.
const END: &[u8] = b"{\"rows\":";
const ROW: &[u8] = b"{\"key\":";

/// The first line: what holds for the whole state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) format_version: String,
    /// Format of the values.
    pub(crate) state_format: u32,
    pub(crate) lineage: Lineage,
    pub(crate) serial: Serial,
    /// The highest number an intent was written with.
    pub(crate) last_intent: u64,
    pub(crate) origin: String,
    pub(crate) identity_key: IdentityKey,
}

/// The part of the header that every version has.
#[derive(Deserialize)]
struct Version {
    format_version: String,
}

#[derive(Serialize, Deserialize)]
struct RowLine<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// The last line.
#[derive(Serialize, Deserialize)]
pub(crate) struct CopyEnd {
    rows: u64,
    /// BLAKE3 of all bytes before this line.
    pub(crate) checksum: String,
}

impl CopyEnd {
    /// Reports whether a line is the last one; `None` where it is no row either.
    pub(crate) fn begins(line: &[u8]) -> Option<bool> {
        let is_end = line.starts_with(END);
        (is_end || line.starts_with(ROW)).then_some(is_end)
    }

    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Reports whether it ends so many rows, which were hashed with what is before them.
    pub(crate) fn is_of(&self, rows: u64, hasher: &blake3::Hasher) -> bool {
        self.rows == rows && self.checksum == hasher.finalize().to_hex().as_str()
    }
}

impl Header {
    /// Reads the first line.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        let version: Version =
            serde_json::from_slice(line).map_err(|_| "it is not the first line of a pulled state".to_owned())?;
        if !version.format_version.starts_with(MAJOR) {
            let found = version.format_version;
            return Err(format!("it is of version {found}; this contactsd reads {FORMAT_VERSION}"));
        }
        let header: Self = serde_json::from_slice(line).map_err(|_| "its header does not parse".to_owned())?;
        if header.state_format > u32::from(FORMAT) {
            let found = header.state_format;
            return Err(format!("its rows have the newer format {found}; use a newer contactsd"));
        }
        Ok(header)
    }

    pub(crate) fn of(facts: &Facts, counters: &Counters) -> Self {
        let Facts { format: _, lineage, origin, identity_key } = facts.clone();
        let (format_version, state_format) = (FORMAT_VERSION.to_owned(), u32::from(FORMAT));
        let Counters { serial, last_intent, .. } = *counters;
        Self { format_version, state_format, lineage, serial, last_intent, origin, identity_key }
    }
}

/// Writes a copy, line by line.
pub(crate) struct CopyWriter<'a> {
    /// Where the rows come from, for messages.
    state: &'a Location,
    out: &'a mut dyn Write,
    hasher: blake3::Hasher,
    rows: u64,
    line: Vec<u8>,
}

impl<'a> CopyWriter<'a> {
    pub(crate) fn begin(state: &'a Location, out: &'a mut dyn Write, header: &Header) -> Result<Self, Error> {
        let mut this = Self { state, out, hasher: blake3::Hasher::new(), rows: 0, line: Vec::new() };
        this.put(header)?;
        Ok(this)
    }

    /// Writes a row; `value` is as it is kept. Rows that follow from others are left out.
    pub(crate) fn row(&mut self, row: &Row, value: &[u8]) -> Result<(), Error> {
        if follows(row) {
            return Ok(());
        }
        let value = codec::raw(value).map_err(|malformed| malformed.of(self.state))?;
        self.rows += 1;
        self.put(&RowLine { key: Cow::Owned(text_of_key(row)), value })
    }

    /// Writes the line that makes the copy whole; returns how many rows it has, and the checksum of all before.
    pub(crate) fn end(mut self) -> Result<(u64, String), Error> {
        let (rows, checksum) = (self.rows, self.hasher.finalize().to_hex().to_string());
        self.put(&CopyEnd { rows, checksum: checksum.clone() })?;
        self.out.flush().map_err(Error::output)?;
        Ok((rows, checksum))
    }

    fn put(&mut self, line: &impl Serialize) -> Result<(), Error> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).expect("a line is plain data, and a Vec takes every write");
        self.line.push(b'\n');
        self.hasher.update(&self.line);
        self.out.write_all(&self.line).map_err(Error::output)
    }
}

/// Reads the line of a row without a look at what the value is of: its kind, and its value in this version's format.
pub(crate) fn row_of_line(line: &[u8], value: &mut Vec<u8>) -> Option<Row> {
    let read: RowLine<'_> = serde_json::from_slice(line).ok()?;
    value.clear();
    value.push(FORMAT);
    value.extend_from_slice(read.value.get().as_bytes());
    key_of_text(&read.key)
}

/// A row of a copy, checked to be what its key says.
pub(crate) struct CopiedRow {
    pub(crate) row: Row,
    pub(crate) value: Vec<u8>,
}

/// Reads a copy, line by line. Whoever uses what it returns before [`CopyReader::row`] has returned
/// `None` uses what may be half of a state.
pub(crate) struct CopyReader<'a> {
    input: &'a mut dyn BufRead,
    hasher: blake3::Hasher,
    line: Vec<u8>,
    number: u64,
    rows: u64,
    last_key: Vec<u8>,
}

impl<'a> CopyReader<'a> {
    pub(crate) fn begin(input: &'a mut dyn BufRead) -> Result<(Self, Header), Error> {
        let (hasher, line, last_key) = (blake3::Hasher::new(), Vec::new(), Vec::new());
        let mut this = Self { input, hasher, line, number: 0, rows: 0, last_key };
        this.next_line()?;
        this.hasher.update(&this.line);
        let header = Header::parse(&this.line).map_err(|why| this.wrong(why))?;
        Ok((this, header))
    }

    /// Returns the next row; `None` once the end has proven that all of them were there.
    pub(crate) fn row(&mut self) -> Result<Option<CopiedRow>, Error> {
        self.next_line()?;
        if self.line.starts_with(END) {
            self.check_end()?;
            return Ok(None);
        }
        self.hasher.update(&self.line);
        self.rows += 1;
        let line: RowLine<'_> = self.parse("it is no row")?;
        let (key, value) = (line.key.into_owned(), codec::with_format(line.value.get()));
        let row = key_of_text(&key).ok_or_else(|| self.wrong(format!("{key} is a row of unknown kind")))?;
        if !is_what_it_says(&row, &value) {
            return Err(self.wrong(format!("{key} does not hold what it should")));
        }
        let key = row.to_bytes();
        if key <= self.last_key {
            return Err(self.wrong("its rows are out of order".to_owned()));
        }
        self.last_key = key;
        Ok(Some(CopiedRow { row, value }))
    }

    /// Says what is wrong with the line read last.
    pub(crate) fn wrong(&self, why: String) -> Error {
        Error::NotACopy { line: self.number, why }
    }

    fn check_end(&mut self) -> Result<(), Error> {
        let end: CopyEnd = self.parse("its last line does not parse")?;
        if !end.is_of(self.rows, &self.hasher) {
            return Err(self.wrong("its rows are not those that were pulled".to_owned()));
        }
        if self.input.fill_buf().map_err(|error| Error::input(&error))?.is_empty() {
            return Ok(());
        }
        Err(self.wrong("something follows its last line".to_owned()))
    }

    /// Reads the next line, its end included.
    fn next_line(&mut self) -> Result<(), Error> {
        self.line.clear();
        self.number += 1;
        let mut bounded = Read::take(&mut *self.input, MAX_LINE_BYTES);
        bounded.read_until(b'\n', &mut self.line).map_err(|error| Error::input(&error))?;
        match self.line.last() {
            None => Err(self.wrong("it ends before its last line: the rest is missing".to_owned())),
            Some(_) if self.line.len() as u64 == MAX_LINE_BYTES => Err(self.wrong("it is too long".to_owned())),
            Some(_) => Ok(()),
        }
    }

    fn parse<'l, T: Deserialize<'l>>(&'l self, why: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.line).map_err(|_| self.wrong(why.to_owned()))
    }
}

/// Reports whether a row follows from others or from the header, and is left out.
fn follows(row: &Row) -> bool {
    matches!(row, Row::Facts | Row::Counters | Row::Owner(_))
}

/// Returns the key of a row as text.
pub(crate) fn text_of_key(row: &Row) -> String {
    match row {
        Row::Intent(IntentId(number)) => format!("i/{number}"),
        // As bytes, it is no text from the 128th on.
        Row::Account(part) => format!("k/{part}"),
        other => String::from_utf8(other.to_bytes()).expect("all other keys are text"),
    }
}

/// Reads what [`text_of_key`] renders; `None` for a row that no version up to this one writes.
pub(crate) fn key_of_text(text: &str) -> Option<Row> {
    if let Some(number) = text.strip_prefix("i/") {
        return number.parse().ok().map(|number| Row::Intent(IntentId(number)));
    }
    let part = text.strip_prefix("k/").and_then(|part| part.parse().ok());
    part.map(Row::Account).or_else(|| Row::parse(text.as_bytes()))
}

/// Reports whether a value is one that such a row can have.
pub(crate) fn is_what_it_says(row: &Row, value: &[u8]) -> bool {
    fn is<T: serde::de::DeserializeOwned>(value: &[u8]) -> bool {
        codec::parse::<T>(value).is_ok()
    }
    let is_of = |key: &ContactKey| codec::parse::<Conflict>(value).is_ok_and(|conflict| conflict.key == *key);
    match row {
        Row::Facts | Row::Counters | Row::Owner(_) => false,
        Row::Credential | Row::Team | Row::Quota(_) | Row::Account(_) => is::<String>(value),
        Row::BulkCreate => is::<BulkCreate>(value),
        Row::Names(NameKind::Stages) => is::<Listing<Stage>>(value),
        Row::Names(NameKind::Fields) => is::<Listing<CustomField>>(value),
        Row::Names(NameKind::Lists) => is::<Listing<List>>(value),
        Row::Established => is::<Timestamp>(value),
        Row::Plan => is::<PlanRow>(value),
        Row::Spent(_) => is::<Digest>(value),
        Row::Binding(_) => is::<Binding>(value),
        Row::Intent(_) => is::<Intent>(value),
        Row::Conflict(key) => is_of(key),
        Row::Tombstone(_) => is::<Tombstone>(value),
    }
}
