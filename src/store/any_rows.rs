//! The rows of an open state, whichever engine keeps them.

use super::postgres::{self, SharedRows};
use super::rows::SledRows;
use crate::model::Roster;
use crate::state::{Counters, Error, Location, Row, Rows, Table};

#[derive(Clone, Copy)]
pub(super) enum AnyRows<'a> {
    Sled(&'a SledRows),
    Database(&'a SharedRows),
}

impl Rows for AnyRows<'_> {
    fn location(&self) -> &Location {
        match self {
            Self::Sled(rows) => rows.location(),
            Self::Database(rows) => rows.location(),
        }
    }

    fn get(&self, row: &Row) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Sled(rows) => rows.get(row),
            Self::Database(rows) => rows.get(row),
        }
    }

    fn table(&self, table: Table) -> impl Iterator<Item = Result<(Row, Vec<u8>), Error>> {
        let (sled, database) = match self {
            Self::Sled(rows) => (Some(rows.table(table)), None),
            Self::Database(rows) => (None, Some(rows.table(table))),
        };
        sled.into_iter().flatten().chain(database.into_iter().flatten())
    }
}

impl AnyRows<'_> {
    /// Reads every row, in any order and by several threads; `desired` tells about how the rows are spread.
    pub(super) fn scan(
        &self,
        desired: &Roster,
        visit: impl Fn(&[u8], &[u8]) -> Result<(), Error> + Sync,
    ) -> Result<Counters, Error> {
        match self {
            Self::Sled(rows) => rows.scan_in_parts(desired, visit),
            Self::Database(rows) => {
                rows.scan(visit)?;
                postgres::counters(*rows)
            }
        }
    }
}
