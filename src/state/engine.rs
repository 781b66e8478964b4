//! The port to whatever keeps the rows of a state.
//!
//! An engine persists and decides nothing. Its methods may block: they are called where that holds up nobody else.

use serde::de::DeserializeOwned;

use super::codec;
use super::counters::Counters;
use super::error::Error;
use super::location::Location;
use super::row::{Row, Table, Writes};

/// The rows of a state, to be read.
pub(crate) trait Rows {
    /// Tells which state it is, for messages.
    fn location(&self) -> &Location;

    /// Returns the value of a row as it was last written.
    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error>;

    /// Lists the rows of a table, sorted by their keys.
    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>>;

    /// Returns what the value of a row says.
    fn read<T: DeserializeOwned>(&self, row: &Row) -> Result<Option<T>, Error> {
        self.get(row)?.map(|value| codec::decode(self.location(), &value)).transpose()
    }
}

/// A state that is open for writing, by this process alone. Nothing more is asked of it once anything has failed.
pub(crate) trait Engine {
    type Rows: Rows;

    /// The rows as they stand, with all that was written.
    fn rows(&self) -> &Self::Rows;

    /// Makes sure that this process may still write, before anything is drafted of some commits.
    fn begin(&mut self) -> Result<(), Error>;

    /// Writes one batch, all of it or nothing: at most [`super::MAX_BATCH_ROWS`] rows, the counters among them.
    fn write(&mut self, batch: Writes) -> Result<(), Error>;

    /// Returns when all that was written is durable; `counters` are as they are with it.
    fn commit(&mut self, counters: &Counters) -> Result<(), Error>;

    /// Does what can wait until nobody else does; `is_idle` tells that nobody does now.
    ///
    /// Reports whether there is something to tidy up.
    fn rest(&mut self, is_idle: bool) -> Result<bool, Error>;

    /// Tidies up, once nobody has written for a while.
    fn tidy(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Does what must be done before nobody writes any more.
    fn end(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
