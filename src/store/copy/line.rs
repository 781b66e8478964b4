//! One commit as a line: the counters after it, the rows that it wrote, and a checksum over it and all that is before.
//!
//! Rows of the reverse index are among them, so that sled is brought up by the line as it was by the commit.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::state::{Counters, Row, Writes, key_of_text, text_of_key};

const BEGIN: &[u8] = b"{\"counters\":";
const ROWS: &[u8] = b",\"rows\":[";
const CHECKSUM: &[u8] = b",\"checksum\":\"";
const END: &[u8] = b"\"}\n";

/// How long a checksum is as text: 16 bytes in hexadecimal.
const CHECKSUM_LENGTH: usize = 32;

/// The checksum of everything up to a line, so that no line can be left out, moved or taken from another copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain(String);

impl Chain {
    /// Begins after the rows, by the checksum in their last line.
    pub(super) fn after_rows(checksum: String) -> Self {
        Self(checksum)
    }

    fn over(&self, body: &[u8]) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes()).update(body);
        let mut checksum = hasher.finalize().to_hex().to_string();
        checksum.truncate(CHECKSUM_LENGTH);
        checksum
    }

    /// Checks a line, and goes on after it.
    pub(super) fn pass(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let (body, checksum) = split(line).ok_or("it is not a commit")?;
        let found = self.over(body);
        if found.as_bytes() != checksum {
            return Err("it is not what was written, or does not follow on the line before");
        }
        self.0 = found;
        Ok(())
    }
}

/// Splits a line into what its checksum is of, and the checksum.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = line.strip_suffix(END)?;
    let (body, checksum) = rest.split_at_checked(rest.len().checked_sub(CHECKSUM_LENGTH)?)?;
    Some((body.strip_suffix(CHECKSUM)?, checksum))
}

/// Writes the line of a batch behind what stands in `out`; returns how many bytes of it are rows of their own.
///
/// `counters` is the JSON of the counters after it, which are not among the rows.
pub(super) fn render(out: &mut Vec<u8>, counters: &[u8], batch: &Writes, chain: &mut Chain) -> Puts {
    let begin = out.len();
    let mut puts = Puts::default();
    out.extend_from_slice(BEGIN);
    out.extend_from_slice(counters);
    out.extend_from_slice(ROWS);
    let mut is_first = true;
    for (row, value) in batch.iter().filter(|(row, _)| **row != Row::Counters) {
        let at = out.len();
        out.extend_from_slice(if is_first { b"{\"key\":" } else { b",{\"key\":" });
        is_first = false;
        serde_json::to_writer(&mut *out, &text_of_key(row)).expect("a text is plain data, and a Vec takes every write");
        if let Some(value) = value {
            out.extend_from_slice(b",\"value\":");
            out.extend_from_slice(value.get(1..).unwrap_or_default());
        }
        out.push(b'}');
        if value.is_some() && !matches!(row, Row::Owner(_) | Row::Facts) {
            puts.rows += 1;
            puts.bytes += (out.len() - at) as u64;
        }
    }
    out.push(b']');
    let checksum = chain.over(&out[begin..]);
    out.extend_from_slice(CHECKSUM);
    out.extend_from_slice(checksum.as_bytes());
    out.extend_from_slice(END);
    chain.0 = checksum;
    puts
}

/// How many rows a line writes that a pulled state has, and how long they are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Puts {
    pub(super) rows: u64,
    pub(super) bytes: u64,
}

/// Reads the counters of a line that was checked.
pub(super) fn counters(line: &[u8]) -> Option<Counters> {
    let rest = line.strip_prefix(BEGIN)?;
    serde_json::Deserializer::from_slice(rest).into_iter().next()?.ok()
}

/// Reads the rows of a line that was checked: what each holds now, by its place in the line; `None` once it is gone.
pub(super) fn rows(line: &[u8]) -> Option<Vec<(Row, Option<Range<usize>>)>> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        rows: Vec<Change<'a>>,
    }
    #[derive(Deserialize)]
    struct Change<'a> {
        #[serde(borrow)]
        key: Cow<'a, str>,
        #[serde(borrow)]
        value: Option<&'a RawValue>,
    }
    let line_read: Line<'_> = serde_json::from_slice(line).ok()?;
    let place = |value: &RawValue| {
        let begin = value.get().as_ptr().addr() - line.as_ptr().addr();
        begin..begin + value.get().len()
    };
    let row = |Change { key, value }: Change<'_>| Some((key_of_text(&key)?, value.map(place)));
    line_read.rows.into_iter().map(row).collect()
}
