//! Tables of people as contact files: which rows become entries, with which keys, in which files.
//!
//! Rows pass one by one and none is kept: their texts wait in a file without a name until all keys are known. What is
//! written passes every check of contact files. Sends nothing and knows no state.

mod error;
mod merge;
mod spool;
mod there;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use error::ConvertError;
pub use merge::{Differing, Merge};

use spool::{InFile, Piece, Spool, Spooled};
use there::{Holder, Known, There, alike, hash, marks};

use super::generated::{self, Placed, Placing, Wanted};
use super::split::{Split, slug};
use crate::beneath::Root;
use crate::model::{ContactKey, Field, Fields, Identity, KeyMaker, Names, PersonAtCompany, is_spelled_whole, key_base};
use crate::source::convert::{Cells, Note, Person, Refusal, Skip, Table, TableError, TableOptions, Taken};
use crate::source::{Clash, Code, MAX_FILE_BYTES, Written, write_fields};

/// A table with the name that its file has for people.
pub struct NamedTable {
    pub name: PathBuf,
    pub table: Table,
}

/// Where contacts go.
#[derive(Clone, Copy)]
pub struct ConvertInto<'r> {
    /// The directory; `None` for one that is not there yet.
    pub root: Option<&'r Root>,
    pub split: Split,
}

/// What came of one row.
pub struct RowFound<'f> {
    /// The number of the table.
    pub table: usize,
    pub line: usize,
    pub cells: &'f Cells,
    pub what: RowOutcome<'f>,
}

/// Whether a row became an entry.
#[derive(Debug)]
pub enum RowOutcome<'f> {
    Taken(&'f [Note]),
    Skipped(RowSkip),
    Refused(RowRefusal),
}

/// Why a row is left out on purpose.
#[derive(Debug)]
pub enum RowSkip {
    Row(Skip),
    /// An entry of another file is this person.
    Declared {
        key: ContactKey,
        path: PathBuf,
    },
}

/// Why a row is no contact.
#[derive(Debug)]
pub enum RowRefusal {
    Row(Refusal),
    /// Apollo would make one contact of it and another one.
    Clash {
        code: Code,
        with: Other,
    },
    /// It says the same as another row.
    Repeated {
        with: Other,
    },
}

/// Another contact.
#[derive(Debug)]
pub enum Other {
    Row { table: usize, line: usize },
    Entry { key: ContactKey, path: PathBuf },
}

/// What came of all rows.
#[derive(Default)]
pub struct Converted {
    pub rows: usize,
    pub skipped: usize,
    pub refused: usize,
    pub files: Vec<ConvertedFile>,
}

/// A file with what is to become of it.
pub struct ConvertedFile {
    pub placed: Placed,
    /// What is to become of it where somebody has edited it.
    pub merge: Option<Merge>,
}

/// Opens a table; what is no plain file, such as a pipe, is read to its end first.
pub fn open_table(mut file: File, options: &TableOptions) -> Result<Table, TableError> {
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Table::open(file, options),
        Ok(_) => open_stream(&mut file, options),
        Err(error) => Err(TableError::Read(error)),
    }
}

/// Reads a table to its end and opens it.
pub fn open_stream(input: &mut dyn Read, options: &TableOptions) -> Result<Table, TableError> {
    let kept = tempfile::tempfile().and_then(|mut file| io::copy(input, &mut file).map(|_| file));
    Table::open(kept.map_err(TableError::Read)?, options)
}

/// Reads tables to their ends and decides what files are to hold; tells what comes of each row. Nothing is written.
pub fn convert(
    tables: &mut [NamedTable],
    into: ConvertInto<'_>,
    tell: &mut dyn FnMut(&RowFound<'_>),
) -> Result<Converted, ConvertError> {
    let ones: Vec<String> = tables.iter().map(|table| file_stem(&table.name)).collect();
    let targets: BTreeSet<PathBuf> = ones.iter().map(|one| Split::None.file(one, None, None).into()).collect();
    let is_made_again = |below: &Path| into.split != Split::None || targets.contains(below);
    let there = into.root.map_or_else(|| Ok(There::default()), |root| There::read(root, is_made_again))?;
    let mut work = Work {
        there,
        spool: Spool::new().map_err(ConvertError::Spool)?,
        waiting: Vec::new(),
        names: Vec::new(),
        numbers: HashMap::new(),
        split: into.split,
        text: String::new(),
        found: Converted::default(),
    };
    for number in 0..tables.len() {
        let one = &ones[number];
        let NamedTable { name, table } = &mut tables[number];
        loop {
            let row = table.next_row().map_err(|source| ConvertError::Table { name: name.clone(), source })?;
            let Some(row) = row else { break };
            let what = work.take(number, row.line, one, row.taken)?;
            work.found.rows += 1;
            let outcome = match &what {
                Came::Taken(notes) => RowOutcome::Taken(notes),
                Came::Skipped(skip) => {
                    work.found.skipped += 1;
                    RowOutcome::Skipped(work.skip(skip, into.root))
                }
                Came::Refused(refusal) => {
                    work.found.refused += 1;
                    RowOutcome::Refused(work.refusal(refusal, into.root))
                }
            };
            tell(&RowFound { table: number, line: row.line, cells: row.cells, what: outcome });
        }
    }
    work.finish(into.root)
}

/// Names the file that the people of a table go into: after the table, without the number that browsers add.
fn file_stem(name: &Path) -> String {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let plain = stem.trim_end().strip_suffix(')').and_then(|rest| {
        let (before, number) = rest.rsplit_once('(')?;
        (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(before)
    });
    let slug = slug(plain.unwrap_or(&stem));
    if slug.is_empty() { "contacts".to_owned() } else { slug }
}

/// A conversion under way.
struct Work {
    there: There,
    spool: Spool,
    waiting: Vec<Waiting>,
    /// The files, by number, and back.
    names: Vec<PathBuf>,
    numbers: HashMap<PathBuf, u32>,
    split: Split,
    /// Used again for each row.
    text: String,
    found: Converted,
}

/// An entry whose key is not known yet.
struct Waiting {
    /// The key that it has in the file that is there.
    known: Option<ContactKey>,
    base: Option<Box<str>>,
    /// Tells it apart from others of the same name.
    id: Box<str>,
    /// Whether nothing but all that it says tells it from others.
    is_weak: bool,
    /// Whether `base` spells all letters of who it is.
    is_whole: bool,
    piece: Piece,
    file: u32,
    table: u16,
    line: u32,
}

/// What came of a row, in short.
enum Came {
    Taken(Vec<Note>),
    Skipped(Skipped),
    Refused(Refused),
}

enum Skipped {
    Row(Skip),
    Declared(u32),
}

enum Refused {
    Row(Refusal),
    Clash(Code, Holder),
    Repeated(Holder),
}

impl Work {
    fn take(&mut self, table: usize, line: usize, one: &str, taken: Taken) -> Result<Came, ConvertError> {
        let person = match taken {
            Taken::Skipped(skip) => return Ok(Came::Skipped(Skipped::Row(skip))),
            Taken::Refused(refusal) => return Ok(Came::Refused(Refused::Row(refusal))),
            Taken::Person(person) => *person,
        };
        let Person { fields, by_name, apollo_id, notes } = person;
        let marks = marks(&fields, apollo_id.as_ref());
        let stands_apart = apollo_id.is_some();
        match self.there.clash(&marks, stands_apart) {
            Some((Code::SameEmail | Code::SharedApolloId, Holder::Entry(number))) => {
                return Ok(Came::Skipped(Skipped::Declared(number)));
            }
            Some((code, holder)) => return Ok(Came::Refused(Refused::Clash(code, holder))),
            None => {}
        }
        let alone = [alike(&fields)];
        let told_by = if marks.is_empty() { &alone[..] } else { &marks };
        let known = self.there.own_entry(told_by, apollo_id.as_ref()).cloned();
        let base = key_base(&fields).map(String::into_boxed_str);
        // An id tells them apart wherever the key goes.
        let is_whole = apollo_id.is_some() || is_spelled_whole(&fields);
        let company = fields.text(&Field::OrganizationName);
        let first_list = fields.lists().next();
        let name = match &known {
            Some(known) => known.name.to_path_buf(),
            None => self.split.file(one, company, first_list).into(),
        };
        let placeholder = known.as_ref().map_or_else(placeholder, |known| known.key.clone());
        let written = Written { fields, by_name, apollo_id, ..Written::of(placeholder) };
        if !written.is_plain() && !written.is_readable() {
            return Ok(Came::Refused(Refused::Row(Refusal::Unwritable)));
        }
        self.text.clear();
        write_fields(&written, &Names::default(), &mut self.text);
        let digest = hash(&("row", &self.text));
        let holder = Holder::Row {
            table: u16::try_from(table).unwrap_or(u16::MAX),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        };
        let id = written.apollo_id.as_ref().map(|id| id.as_str().into());
        let id = id.unwrap_or_else(|| tells_apart(&written.fields).unwrap_or_else(|| short_hash(&[&self.text])));
        let is_weak = marks.is_empty();
        let mut marks = marks;
        if is_weak {
            // Nobody else can be told from it by anything but the whole row.
            let same = Clash { code: Code::SharedApolloId, hash: digest };
            if let Some((_, with)) = self.there.clash(&[same], false) {
                return Ok(Came::Refused(Refused::Repeated(with)));
            }
            marks.push(same);
        }
        self.there.hold(&marks, holder, stands_apart);
        let piece = self.spool.add(&self.text).map_err(ConvertError::Spool)?;
        let Holder::Row { table, line } = holder else { unreachable!("it was made above") };
        let (file, known) = (self.number_of(name), known.map(|known| known.key));
        self.waiting.push(Waiting { known, base, id, is_weak, is_whole, piece, file, table, line });
        Ok(Came::Taken(notes))
    }

    fn number_of(&mut self, name: PathBuf) -> u32 {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("there are fewer files than rows");
        self.names.push(name.clone());
        self.numbers.insert(name, number);
        number
    }

    fn entry(&self, number: u32, root: Option<&Root>) -> (ContactKey, PathBuf) {
        let known = &self.there.known[number as usize];
        (known.key.clone(), root.map_or_else(|| known.name.to_path_buf(), |root| root.named().join(&known.name)))
    }

    fn skip(&self, skip: &Skipped, root: Option<&Root>) -> RowSkip {
        match skip {
            Skipped::Row(skip) => RowSkip::Row(skip.clone()),
            Skipped::Declared(number) => {
                let (key, path) = self.entry(*number, root);
                RowSkip::Declared { key, path }
            }
        }
    }

    fn refusal(&self, refusal: &Refused, root: Option<&Root>) -> RowRefusal {
        match refusal {
            Refused::Row(refusal) => RowRefusal::Row(refusal.clone()),
            Refused::Clash(code, with) => RowRefusal::Clash { code: *code, with: self.other(*with, root) },
            Refused::Repeated(with) => RowRefusal::Repeated { with: self.other(*with, root) },
        }
    }

    fn other(&self, holder: Holder, root: Option<&Root>) -> Other {
        match holder {
            Holder::Row { table, line } => Other::Row { table: table.into(), line: line as usize },
            Holder::Entry(number) => {
                let (key, path) = self.entry(number, root);
                Other::Entry { key, path }
            }
        }
    }

    /// Gives everybody a key and compares the files with those that are there.
    fn finish(self, root: Option<&Root>) -> Result<Converted, ConvertError> {
        let Self { mut there, spool, mut waiting, names, mut found, .. } = self;
        there.forget_marks();
        let there = there;
        let spooled = Rc::new(spool.finish().map_err(ConvertError::Spool)?);
        // Who has a key keeps it, and the others get the same ones whatever order they came in.
        waiting.sort_unstable_by(|one, other| {
            let order = (one.known.is_none(), &one.base, &one.id, one.table, one.line);
            order.cmp(&(other.known.is_none(), &other.base, &other.id, other.table, other.line))
        });
        let mut maker = KeyMaker::sparing(there.other_keys.iter().cloned());
        let own: HashMap<&ContactKey, &Known> = there
            .known
            .iter()
            .filter(|known| !there.other_keys.contains(&known.key))
            .map(|known| (&known.key, known))
            .collect();
        let mut files: BTreeMap<PathBuf, Vec<InFile>> = BTreeMap::new();
        let would_share = |one: &Waiting, other: &Waiting| (&one.known, &one.base) == (&other.known, &other.base);
        for (at, row) in waiting.iter().enumerate() {
            let Waiting { known, base, id, is_weak, is_whole, piece, file, table, line } = row;
            let name = &names[*file as usize];
            // A key that stands there already may mean somebody else: in another file, with another id, or whoever else
            // would have been found by what tells people apart.
            let is_another = |key: &ContactKey| {
                own.get(key).is_some_and(|known| {
                    known.name.as_ref() != name || known.has_another_id(id) || !(*is_weak || known.is_weak)
                })
            };
            let neighbors = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
            let is_alone = !neighbors.filter_map(|at| waiting.get(at)).any(|other| would_share(row, other));
            let (base, known) = (base.as_deref(), known.clone().filter(|key| maker.take(key)));
            let make =
                || Some(if is_alone && *is_whole { maker.make_from(base, id) } else { maker.make_apart(base, id) });
            let free = || std::iter::from_fn(make).find(|key| !is_another(key));
            let key = known.or_else(free).expect("there are always more keys");
            let (piece, table, line) = (*piece, *table, *line);
            if !files.contains_key(name) {
                files.insert(name.clone(), Vec::new());
            }
            let into = files.get_mut(name).expect("it was put there");
            into.push(InFile { key, piece, table: table.into(), line: line as usize });
        }
        let none = BTreeSet::new();
        for (name, mut entries) in files {
            entries.sort_by(|one, other| one.key.cmp(&other.key));
            let bytes: u64 =
                entries.iter().map(|entry| entry.piece.bytes() + entry.key.as_str().len() as u64 + 5).sum();
            if bytes + FIRST_LINES >= MAX_FILE_BYTES {
                return Err(ConvertError::TooLarge { name, bytes });
            }
            let mut lost: BTreeSet<ContactKey> = there.own_keys.get(&name).unwrap_or(&none).clone();
            if !lost.is_empty() {
                lost.retain(|key| entries.binary_search_by(|entry| entry.key.cmp(key)).is_err());
            }
            found.files.push(placed(root, name, lost, entries, &spooled)?);
        }
        Ok(found)
    }
}

/// What stands above the entries of a file, in bytes, at most.
const FIRST_LINES: u64 = 256;

fn placed(
    root: Option<&Root>,
    name: PathBuf,
    lost: BTreeSet<ContactKey>,
    entries: Vec<InFile>,
    spooled: &Rc<Spooled>,
) -> Result<ConvertedFile, ConvertError> {
    let (contacts, entries, spooled) = (entries.len(), Rc::new(entries), Rc::clone(spooled));
    let body = {
        let (entries, spooled) = (Rc::clone(&entries), Rc::clone(&spooled));
        Box::new(move |out: &mut dyn Write| {
            out.write_all(b"contacts:\n")?;
            spooled.write(entries.iter().map(|entry| (&entry.key, entry.piece)), out)
        })
    };
    let placed = generated::compare(root, Wanted { name, contacts, lost, body })?;
    let merge = match (root, &placed.placing) {
        (Some(root), Placing::Edited { is_ours: true }) => {
            Some(merge::merge(root, &placed.name, &entries, &spooled).map_err(ConvertError::Spool)?)
        }
        _ => None,
    };
    Ok(ConvertedFile { placed, merge })
}

/// Returns a short hash of what tells people apart, the same whatever else changes; `None` where nothing does.
fn tells_apart(fields: &Fields) -> Option<Box<str>> {
    let identity = Identity::of(fields);
    if let Some(mailbox) = identity.mailbox() {
        return Some(short_hash(&[&mailbox]));
    }
    let PersonAtCompany { first_name, last_name, company } = identity.person_at_company()?;
    Some(short_hash(&[&first_name, &last_name, &company]))
}

/// The first 12 hexadecimal digits of a hash that is the same in every version of the program.
fn short_hash(texts: &[&str]) -> Box<str> {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(text.as_bytes()).update(&[0]);
    }
    hasher.finalize().to_hex()[..12].into()
}

/// Returns a key for a text that is read alone.
fn placeholder() -> ContactKey {
    ContactKey::parse("contact").expect("it is a key")
}

#[cfg(test)]
mod tests;
