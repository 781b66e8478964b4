//! Rows that did not become contacts, as a table again: every cell as it was, and behind them why.
//!
//! The columns that are added are passed over when the table is read again.

use std::io::{self, Write};

use super::columns::OURS;

/// A table of rows that are given back.
pub struct Rejects<W: Write> {
    out: csv::Writer<W>,
    /// The names of the columns of all tables that rows come from, and which of them they are in each table.
    width: usize,
    places: Vec<Vec<usize>>,
}

impl<W: Write> Rejects<W> {
    /// Begins a table that holds rows of tables with these headers.
    pub fn begin<'h>(out: W, headers: impl IntoIterator<Item = &'h [String]>) -> io::Result<Self> {
        let mut names: Vec<&str> = Vec::new();
        let mut places = Vec::new();
        for header in headers {
            let mut place_of = Vec::new();
            for name in header {
                // A second column of one name is another one.
                let free = |at: &usize| names[*at] == name && !place_of.contains(at);
                let place = (0..names.len()).find(free).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                place_of.push(place);
            }
            places.push(place_of);
        }
        let width = names.len();
        let mut out = csv::WriterBuilder::new().flexible(true).from_writer(out);
        let ours = ["outcome", "reason", "file", "line"].map(|name| format!("{OURS}{name}"));
        out.write_record(names.into_iter().chain(ours.iter().map(String::as_str)))?;
        Ok(Self { out, width, places })
    }

    /// Writes a row of the table of this number, with what became of it, why, and where it stands.
    pub fn write(&mut self, table: usize, cells: &csv::StringRecord, ours: [&str; 4]) -> io::Result<()> {
        let places = &self.places[table];
        let mut row = vec![""; self.width];
        for (cell, place) in cells.iter().zip(places) {
            row[*place] = cell;
        }
        // Cells beyond the header stand behind everything else.
        let more = cells.iter().skip(places.len());
        Ok(self.out.write_record(row.into_iter().chain(ours).chain(more))?)
    }

    /// Writes what is left, and returns what all was written to.
    pub fn finish(self) -> io::Result<W> {
        self.out.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}
