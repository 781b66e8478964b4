//! A file of rows: finding its header, and reading on from there row by row.
//!
//! Rows are never held: one at a time, whatever the size of the file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::columns::Columns;
use super::encoding::{Decoded, Encoding, Looks, look};
use super::layouts::{self, Layout, plain};
use super::map::Map;
use super::person::{OptedOut, Reader, Refusal, Taken};
use crate::model::Field;

/// How to read tables.
#[derive(Debug, Default, Clone)]
pub struct TableOptions {
    /// The name of the layout; recognized where none is given.
    pub layout: Option<String>,
    pub maps: Vec<Map>,
    /// Found out where none is given.
    pub encoding: Option<Encoding>,
    pub opted_out: OptedOut,
}

/// What a table was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// What people call its layout; `None` for one that was mapped by hand.
    pub layout: Option<&'static str>,
    pub encoding: Encoding,
    pub delimiter: char,
    /// The line of the header.
    pub line: usize,
    pub columns: usize,
    /// The names of columns that nobody knows.
    pub unknown: Vec<String>,
}

/// Why a file is no table that can be read.
#[derive(Debug)]
pub enum TableError {
    Read(io::Error),
    /// It is a workbook of a spreadsheet program.
    Workbook,
    /// It holds zero bytes.
    Binary,
    /// It holds UTF-8, and bytes that are none.
    Mixed,
    Empty,
    /// No layout is known by its columns.
    Unknown {
        columns: Vec<String>,
        line: usize,
    },
    /// Its columns are those of several layouts.
    Ambiguous {
        layouts: Vec<&'static str>,
    },
    /// A column that was mapped is not there.
    NoColumn {
        column: String,
        columns: Vec<String>,
    },
    /// No column tells who somebody is.
    NoIdentity,
}

/// A row as it was read.
#[derive(Debug)]
pub struct Row<'t> {
    /// The line that it begins on.
    pub line: usize,
    pub cells: &'t csv::StringRecord,
    pub taken: Taken,
}

/// A table whose rows are read one by one.
pub struct Table {
    about: About,
    header: Vec<String>,
    columns: Columns,
    between: Option<&'static str>,
    opted_out: OptedOut,
    reader: csv::Reader<Decoded<File>>,
    row: csv::StringRecord,
    /// Which of the columns without a place hold something.
    held: Vec<bool>,
}

/// How much of a file the header is looked for in, in bytes of text.
const HEAD: u64 = 256 * 1024;

/// How many rows may stand before the header.
const BEFORE_HEADER: usize = 30;

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

impl Table {
    /// Finds out what a file holds.
    pub fn open(mut file: File, options: &TableOptions) -> Result<Self, TableError> {
        let looks = look(&mut file).map_err(TableError::Read)?;
        let encoding = match (looks, options.encoding) {
            (Looks::Workbook, _) => return Err(TableError::Workbook),
            (_, Some(encoding)) | (Looks::Text(encoding), None) => encoding,
            (Looks::Binary, None) => return Err(TableError::Binary),
            (Looks::Mixed, None) => return Err(TableError::Mixed),
        };
        let mut head = Vec::new();
        let again = file.try_clone().map_err(TableError::Read)?;
        Decoded::new(again, encoding).take(HEAD).read_to_end(&mut head).map_err(TableError::Read)?;
        let Heading { delimiter, number, layout } = heading(&head, options)?;
        file.seek(SeekFrom::Start(0)).map_err(TableError::Read)?;
        let mut reader = builder(delimiter).from_reader(Decoded::new(file, encoding));
        let mut row = csv::StringRecord::new();
        let mut line = 1;
        for _ in 0..=number {
            line = next(&mut reader, &mut row).map_err(TableError::Read)?.ok_or(TableError::Empty)?;
        }
        let header: Vec<String> = row.iter().map(str::to_owned).collect();
        let columns = Columns::of(&header, layout, &options.maps);
        if !columns.tell_who() {
            return Err(TableError::NoIdentity);
        }
        let about = About {
            layout: layout.map(|layout| layout.title),
            encoding,
            delimiter: char::from(delimiter),
            line,
            columns: header.len(),
            unknown: columns.unknown.clone(),
        };
        let (between, none) = (layout.and_then(|layout| layout.between), vec![false; columns.no_place.len()]);
        Ok(Self { about, header, columns, between, opted_out: options.opted_out, reader, row, held: none })
    }

    pub fn about(&self) -> &About {
        &self.about
    }

    /// Returns the names of the columns as they are written.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the next row; `None` at the end.
    pub fn next_row(&mut self) -> io::Result<Option<Row<'_>>> {
        let Some(line) = next(&mut self.reader, &mut self.row)? else { return Ok(None) };
        let Self { header, columns, between, opted_out, row, held, .. } = self;
        let reader = Reader { columns, header, between: *between, opted_out: *opted_out };
        let has_more = row.iter().skip(header.len()).any(|cell| !cell.is_empty());
        let is_one_empty = row.len() == 1 && row.iter().all(|cell| cell.trim().is_empty());
        let taken = if let Some(lines) = open_quote(row, header.len(), self.about.delimiter) {
            Taken::Refused(Refusal::OpenQuote { lines })
        } else if (row.len() < header.len() && !is_one_empty) || has_more {
            let lines = 1 + row.iter().map(|cell| cell.matches('\n').count()).sum::<usize>();
            Taken::Refused(Refusal::Ragged { cells: row.len(), expected: header.len(), lines })
        } else {
            reader.read(row)
        };
        if let Taken::Person(_) = taken {
            for (held, column) in held.iter_mut().zip(&columns.no_place) {
                *held = *held || row.get(*column).is_some_and(|cell| !cell.trim().is_empty());
            }
        }
        Ok(Some(Row { line, cells: row, taken }))
    }

    /// Names the columns of rows read so far that hold something that a contact has no field for.
    pub fn without_place(&self) -> Vec<String> {
        let held = self.columns.no_place.iter().zip(&self.held).filter(|(_, held)| **held);
        held.map(|(column, _)| self.header[*column].trim().to_owned()).collect()
    }
}

/// Finds a cell that a quote which was never closed has made of several rows; returns how many lines it takes.
///
/// Its first line completes the row that the quote stands in, and its last one begins the row that the next quote does.
fn open_quote(row: &csv::StringRecord, columns: usize, delimiter: char) -> Option<usize> {
    let parts = |line: &str| line.matches(delimiter).count();
    row.iter().enumerate().filter(|_| columns > 2).find_map(|(at, cell)| {
        let (first, rest) = cell.split_once('\n')?;
        let last = rest.lines().next_back().unwrap_or_default();
        let is_to_the_end = row.len() == at + 1 && row.len() < columns;
        let completes = at + parts(first) + 1 == columns;
        let begins = parts(last) == at || (is_to_the_end && rest.lines().all(|line| parts(line) + 1 == columns));
        (completes && begins).then(|| 1 + cell.matches('\n').count())
    })
}

impl Columns {
    /// Reports whether some column tells who a person is.
    fn tell_who(&self) -> bool {
        let who = [Field::Email, Field::FirstName, Field::LastName];
        let names_one = self.texts.iter().any(|(field, _)| who.contains(field));
        names_one || !self.names.is_empty() || !self.apollo_ids.is_empty()
    }
}

fn builder(delimiter: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true);
    builder
}

/// Reads a row and returns its line.
fn next<R: Read>(reader: &mut csv::Reader<Decoded<R>>, row: &mut csv::StringRecord) -> io::Result<Option<usize>> {
    let start = reader.position().byte();
    if !reader.read_record(row)? {
        return Ok(None);
    }
    Ok(Some(reader.get_mut().lines.at(start)))
}

/// Where the header stands.
struct Heading {
    delimiter: u8,
    /// How many rows stand before it.
    number: usize,
    layout: Option<&'static Layout>,
}

/// A row that may be the header.
struct Candidate {
    delimiter: u8,
    number: usize,
    line: usize,
    cells: Vec<String>,
}

impl Candidate {
    fn filled(&self) -> usize {
        self.cells.iter().filter(|cell| !cell.trim().is_empty()).count()
    }
}

/// Finds the header by what it names; nothing is guessed.
fn heading(head: &[u8], options: &TableOptions) -> Result<Heading, TableError> {
    let candidates = candidates(head);
    if candidates.is_empty() {
        return Err(TableError::Empty);
    }
    let asked_for = options.layout.as_deref().and_then(layouts::named);
    let mut found: Option<(&Candidate, Option<&'static Layout>)> = None;
    if let Some(layout) = asked_for {
        let known =
            |candidate: &&Candidate| candidate.cells.iter().filter(|cell| layout.column(cell).is_some()).count();
        let best = candidates.iter().rev().max_by_key(known).filter(|best| known(best) > 0);
        found = best.map(|best| (best, Some(layout)));
    } else {
        for candidate in &candidates {
            match &layouts::recognized(&candidate.cells)[..] {
                [] => {}
                [layout] => {
                    found = Some((candidate, Some(layout)));
                    break;
                }
                several => {
                    let layouts = several.iter().map(|layout| layout.name).collect();
                    return Err(TableError::Ambiguous { layouts });
                }
            }
        }
    }
    if found.is_none() && asked_for.is_none() && !options.maps.is_empty() {
        let holds = |candidate: &&Candidate| options.maps.iter().all(|map| has(&candidate.cells, &map.column));
        found = candidates.iter().find(holds).map(|candidate| (candidate, None));
    }
    let likely = || candidates.iter().rev().max_by_key(|candidate| candidate.filled()).expect("there is one");
    let Some((candidate, layout)) = found else {
        let likely = likely();
        let missing = options.maps.iter().find(|map| !has(&likely.cells, &map.column)).filter(|_| asked_for.is_none());
        return Err(match missing {
            Some(map) => TableError::NoColumn { column: map.column.clone(), columns: likely.cells.clone() },
            None => TableError::Unknown { columns: likely.cells.clone(), line: likely.line },
        });
    };
    if let Some(map) = options.maps.iter().find(|map| !has(&candidate.cells, &map.column)) {
        return Err(TableError::NoColumn { column: map.column.clone(), columns: candidate.cells.clone() });
    }
    Ok(Heading { delimiter: candidate.delimiter, number: candidate.number, layout })
}

fn has(cells: &[String], column: &str) -> bool {
    cells.iter().any(|cell| plain(cell) == plain(column))
}

/// Lists the first rows as each delimiter parts them, in the order of the file.
fn candidates(head: &[u8]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for delimiter in DELIMITERS {
        let encoding = Encoding::Utf8;
        let mut reader = builder(delimiter).from_reader(Decoded::new(head, encoding));
        let mut row = csv::StringRecord::new();
        for number in 0..BEFORE_HEADER {
            // The end may be in the middle of a character.
            let Ok(Some(line)) = next(&mut reader, &mut row) else { break };
            let cells = row.iter().map(str::to_owned).collect();
            candidates.push(Candidate { delimiter, number, line, cells });
        }
    }
    candidates.sort_by_key(|candidate| candidate.line);
    candidates.retain(|candidate| candidate.filled() > 0);
    candidates
}
