//! sled's one tree, where the rows of a state are kept: reading them, and proving that none is missing.
//!
//! Every batch rewrites the counters row, which holds the number of rows and a sum over their hashes. sled can lose
//! rows without a word when its file is damaged; the sum then differs.

use std::io;
use std::iter;
use std::ops::Bound;

use rayon::prelude::*;

use super::panics;
use crate::model::Roster;
use crate::state::{Counters, Error, FORMAT, Facts, Location, Row, Rows, Table, Totals, Writes, decode};

/// How many parts of a state each core reads: more than one, as one may hold more than the next.
const PARTS_A_CORE: usize = 4;

/// How many keys are looked at for the bounds of a part.
const SAMPLED_FOR_A_PART: usize = 64;

/// Bytes of rows that are read for one more look at the page they stand on.
///
/// sled lets go of pages only after so many looks at them, and its iterator takes one look a page: without more,
/// reading a large state keeps some hundred megabytes of it.
const BYTES_A_LOOK: usize = 2048;

/// The same while the copy is written, which an apply does at its end, when it has the most in memory.
const BYTES_A_LOOK_WHILE_COPYING: usize = 512;

/// The rows of an open sled, and which state they are of. Clones are handles to the same.
///
/// A panic of sled's goes through everything here but what says otherwise.
#[derive(Debug, Clone)]
pub(super) struct SledRows {
    pub(super) state: Location,
    pub(super) db: sled::Db,
}

impl Rows for SledRows {
    fn location(&self) -> &Location {
        &self.state
    }

    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        let value = self.db.get(row.to_bytes()).map_err(|error| self.failed(error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        self.db.scan_prefix(table.prefix()).map(|pair| {
            let (key, value) = pair.map_err(|error| self.failed(error))?;
            Ok((self.parse(&key)?, value.to_vec()))
        })
    }
}

impl SledRows {
    /// Runs what reads; a panic in it means a damaged state.
    pub(super) fn protect<T>(&self, read: impl FnOnce(&Self) -> Result<T, Error>) -> Result<T, Error> {
        panics::catch(|| read(self))
            .unwrap_or_else(|panic| Err(Error::unreadable(&self.state, format!("sled stopped at it: {panic}"))))
    }

    /// Applies a batch, in memory at least.
    pub(super) fn apply(&self, rows: Writes) -> sled::Result<()> {
        let mut batch = sled::Batch::default();
        for (row, value) in rows {
            match value {
                Some(value) => batch.insert(row.to_bytes(), value),
                None => batch.remove(row.to_bytes()),
            }
        }
        self.db.apply_batch(batch)
    }

    /// Reads the facts. Protected.
    pub(super) fn facts(&self) -> Result<Facts, Error> {
        let facts = self.protect(|rows| rows.read::<Facts>(&Row::Facts))?;
        let facts = facts.ok_or_else(|| Error::unreadable(&self.state, "its lineage is missing"))?;
        if facts.format > u32::from(FORMAT) {
            return Err(Error::TooNew { state: self.state.clone(), found: facts.format });
        }
        Ok(facts)
    }

    /// Reads the counters alone; what they say is to be proven by [`SledRows::scan`]. Protected.
    pub(super) fn counters(&self) -> Result<Counters, Error> {
        self.protect(|rows| rows.read(&Row::Counters))?.ok_or_else(|| self.without_counters())
    }

    /// Reads every row for nothing but to prove that all are there, each of a kind that is known. Protected.
    pub(super) fn verify(&self) -> Result<Counters, Error> {
        self.scan(|key, _| self.parse(key).map(drop))
    }

    /// Reads every row, hands each to `visit`, and proves afterwards that they are all there. Protected.
    ///
    /// What `visit` has gathered counts only when this returns the counters. No batch may run meanwhile.
    pub(super) fn scan(&self, visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>) -> Result<Counters, Error> {
        let (found, counters) = self.read_some(self.db.iter(), BYTES_A_LOOK, visit)?;
        self.prove(&found, counters)
    }

    /// The same for whoever copies them, which takes longer and less memory.
    pub(super) fn scan_to_copy(&self, visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>) -> Result<Counters, Error> {
        let (found, counters) = self.read_some(self.db.iter(), BYTES_A_LOOK_WHILE_COPYING, visit)?;
        self.prove(&found, counters)
    }

    /// Reads as [`SledRows::scan`] does, on all cores; `desired` tells about how the rows are spread.
    pub(super) fn scan_in_parts(
        &self,
        desired: &Roster,
        visit: impl Fn(&[u8], &[u8]) -> Result<(), Error> + Sync,
    ) -> Result<Counters, Error> {
        let bounds = bounds(desired);
        let part = |number: usize| {
            let begins = number.checked_sub(1).map_or(Bound::Unbounded, |before| Bound::Included(&*bounds[before]));
            let ends = bounds.get(number).map_or(Bound::Unbounded, |bound| Bound::Excluded(&**bound));
            self.read_some(self.db.range::<&[u8], _>((begins, ends)), BYTES_A_LOOK, &visit)
        };
        let parts: Result<Vec<_>, Error> = (0..bounds.len() + 1).into_par_iter().with_max_len(1).map(part).collect();
        let (mut found, mut counters) = (Totals::default(), None);
        for (totals, in_part) in parts? {
            found.join(&totals);
            counters = counters.or(in_part);
        }
        self.prove(&found, counters)
    }

    /// Reads some rows; returns what they add up to, and the counters where they are among them.
    fn read_some(
        &self,
        rows: sled::Iter,
        bytes_a_look: usize,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), Error>,
    ) -> Result<(Totals, Option<Counters>), Error> {
        let counters_key = Row::Counters.to_bytes();
        self.protect(|_| {
            let (mut found, mut counters, mut unlooked) = (Totals::default(), None, 0);
            for pair in rows {
                let (key, value) = pair.map_err(|error| self.failed(error))?;
                if *key == *counters_key {
                    counters = Some(decode(&self.state, &value)?);
                    continue;
                }
                found.add(&key, &value);
                visit(&key, &value)?;
                unlooked += value.len();
                while unlooked >= bytes_a_look {
                    unlooked -= bytes_a_look;
                    self.db.contains_key(&key).map_err(|error| self.failed(error))?;
                }
            }
            Ok((found, counters))
        })
    }

    /// Compares what was found with what was written.
    fn prove(&self, found: &Totals, counters: Option<Counters>) -> Result<Counters, Error> {
        let counters = counters.ok_or_else(|| self.without_counters())?;
        if *found == counters.totals {
            return Ok(counters);
        }
        let why = format!(
            "it holds {} rows and {} bindings where {} and {} were written, or some of them differ",
            found.rows, found.bindings, counters.totals.rows, counters.totals.bindings
        );
        Err(Error::unreadable(&self.state, why))
    }

    pub(super) fn parse(&self, key: &[u8]) -> Result<Row, Error> {
        Row::parse(key).ok_or_else(|| Error::unreadable(&self.state, "it holds a row of unknown kind"))
    }

    fn without_counters(&self) -> Error {
        Error::unreadable(&self.state, "its counters are missing")
    }

    pub(super) fn failed(&self, error: sled::Error) -> Error {
        failed("read", &self.state, error)
    }
}

/// Sorts sled's errors into a disk that refuses and files that are damaged.
///
/// A blob or a page that is missing reads as "not found" or "unexpected end", which is damage.
pub(super) fn failed(step: &'static str, state: &Location, error: sled::Error) -> Error {
    use io::ErrorKind::{InvalidData, NotFound, Other, UnexpectedEof};
    match error {
        sled::Error::Io(source) if !matches!(source.kind(), InvalidData | NotFound | Other | UnexpectedEof) => {
            Error::io(step, state.directory(), source)
        }
        damage => Error::unreadable(state, format!("sled says: {damage}")),
    }
}

/// Returns keys of rows between which there is about as much to read; none where there is little.
fn bounds(desired: &Roster) -> Vec<Vec<u8>> {
    let parts = PARTS_A_CORE * rayon::current_num_threads();
    let sample = desired.sample(SAMPLED_FOR_A_PART * parts);
    if sample.len() < SAMPLED_FOR_A_PART * parts {
        return Vec::new();
    }
    // In front of the bindings stands the reverse index, of short rows.
    let within = sample.into_iter().step_by(SAMPLED_FOR_A_PART).skip(1).map(|key| Row::Binding(key).to_bytes());
    iter::once(Table::Bindings.prefix().to_vec()).chain(within).collect()
}
