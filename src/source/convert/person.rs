//! One row as a contact: which cell becomes what, what has no place, and what keeps a row from being a contact.
//!
//! Values stay letter for letter, but for one apostrophe before a number, by which spreadsheets say that it is text.
//! Pure.

use std::collections::BTreeSet;

use super::super::code::Severity;
use super::super::{ByName, rules, words};
use super::columns::Columns;
use super::layouts::Says;
use crate::model::{ApolloId, Field, Fields, Value};

/// A row as a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub fields: Fields,
    pub by_name: ByName,
    pub apollo_id: Option<ApolloId>,
    /// What a person should know of it.
    pub notes: Vec<Note>,
}

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Person(Box<Person>),
    Skipped(Skip),
    Refused(Refusal),
}

/// Why a row is left out on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Skip {
    Empty,
    /// The person does not want to be written to or called, by this column.
    OptedOut {
        column: String,
    },
    /// The record was deleted or merged, by this column.
    Deleted {
        column: String,
    },
}

/// Why a row is no contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has another number of cells than the header; it goes over so many lines.
    /// A cell over so many lines holds what was meant as rows: a quote was not closed.
    OpenQuote {
        lines: usize,
    },
    Ragged {
        cells: usize,
        expected: usize,
        lines: usize,
    },
    /// A value that tells who it is holds a character that cannot be seen.
    Control {
        field: Field,
        character: char,
    },
    Email,
    ApolloId,
    /// Neither an e-mail nor a name nor an id.
    NoIdentity,
    /// A file cannot hold it.
    Unwritable,
}

/// Something that is not as it stands in the table, or that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// The person does not want to be written to or called, and is taken because that was asked for.
    OptedOut { column: String },
    /// Apollo guessed the e-mail.
    Extrapolated,
    /// Mail to the address has come back.
    Bounced,
    /// There is more than one value for a field; the first was taken.
    Several(String),
    /// The value of a field is no good.
    LeftOut { field: String, why: Unfit },
    /// Apollo has the contact and never shows the field.
    NeverShown(Field),
    /// A name of several words stands in one column.
    NameSplit,
    /// In the place of the first name stands the e-mail.
    AddressAsName,
    /// Of the company there is only an id.
    CompanyById,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unfit {
    Url,
    Id,
    Control,
    /// It is the number of a fax or a pager.
    NoPhone,
}

/// What to do with those who do not want to be written to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum OptedOut {
    #[default]
    Skip,
    Keep,
}

/// What is needed to read a row.
pub(super) struct Reader<'r> {
    pub(super) columns: &'r Columns,
    pub(super) header: &'r [String],
    /// What stands between several values in one cell.
    pub(super) between: Option<&'static str>,
    pub(super) opted_out: OptedOut,
}

/// Labels that Google gives by itself begin so.
const SYSTEM_LABEL: char = '*';

impl Reader<'_> {
    /// Reads the cells of a row.
    pub(super) fn read(&self, row: &csv::StringRecord) -> Taken {
        match self.person(row) {
            Ok(person) => Taken::Person(Box::new(person)),
            Err(other) => other,
        }
    }

    fn person(&self, row: &csv::StringRecord) -> Result<Person, Taken> {
        if row.iter().all(|cell| cell.trim().is_empty()) {
            return Err(Taken::Skipped(Skip::Empty));
        }
        let says = |column: &(usize, Says)| says(row.get(column.0).unwrap_or_default(), column.1);
        let named = |column: &(usize, Says)| self.header[column.0].trim().to_owned();
        if let Some(column) = self.columns.deleted.iter().find(|column| says(column)) {
            return Err(Taken::Skipped(Skip::Deleted { column: named(column) }));
        }
        let mut notes = Vec::new();
        if let Some(column) = self.columns.opt_outs.iter().find(|column| says(column)) {
            match self.opted_out {
                OptedOut::Skip => return Err(Taken::Skipped(Skip::OptedOut { column: named(column) })),
                OptedOut::Keep => notes.push(Note::OptedOut { column: named(column) }),
            }
        }
        self.wanted(row, notes).map_err(Taken::Refused)
    }

    fn wanted(&self, row: &csv::StringRecord, mut notes: Vec<Note>) -> Result<Person, Refusal> {
        let apollo_id = match self.first(row, &self.columns.apollo_ids) {
            Some(text) => Some(ApolloId::parse(text).ok_or(Refusal::ApolloId)?),
            None => None,
        };
        let mut fields: Vec<(Field, Value)> = Vec::with_capacity(self.columns.texts.len() + 2);
        for (field, columns) in &self.columns.texts {
            let Some(text) = self.text(row, field, columns, &mut notes)? else { continue };
            if apollo_id.is_some() && self.columns.of_new.contains(field) {
                notes.push(Note::NeverShown(field.clone()));
            } else {
                fields.push((field.clone(), Value::Text(text)));
            }
        }
        self.phones(row, &mut fields, &mut notes);
        self.name(row, &mut fields, &mut notes)?;
        if let Some(address) = self.address(row).filter(|text| is_kept(&Field::PresentRawAddress, text, &mut notes)) {
            fields.push((Field::PresentRawAddress, Value::Text(address)));
        }
        let lists = self.lists(row, &mut notes);
        if !lists.is_empty() {
            fields.push((Field::LabelNames, Value::Lists(lists)));
        }
        let fields: Fields = fields.into();
        let by_name = self.by_name(row, &mut notes);
        self.remarks(row, &fields, &mut notes);
        let says = |field| fields.text(&field).is_some_and(|text| !text.trim().is_empty());
        if apollo_id.is_none() && ![Field::Email, Field::FirstName, Field::LastName].into_iter().any(says) {
            return Err(Refusal::NoIdentity);
        }
        Ok(Person { fields, by_name, apollo_id, notes })
    }

    /// Reads a field that stands in one of several columns; a value that is no good is left out, unless it tells who the
    /// person is.
    fn text(
        &self,
        row: &csv::StringRecord,
        field: &Field,
        columns: &[usize],
        notes: &mut Vec<Note>,
    ) -> Result<Option<String>, Refusal> {
        let mut values = columns.iter().flat_map(|column| self.values(row, *column));
        let Some(mut text) = values.next() else { return Ok(None) };
        if values.any(|other| other != text) {
            notes.push(Note::Several(field.to_string()));
        }
        if *field == Field::Email
            && let Some(first) = first_of_several(text)
        {
            text = first;
            notes.push(Note::Several(field.to_string()));
        }
        if let (true, Some(character)) = (is_identity(field), control(text)) {
            return Err(Refusal::Control { field: field.clone(), character });
        }
        if *field == Field::Email && is_bad(field, text) {
            return Err(Refusal::Email);
        }
        Ok(is_kept(field, text, notes).then(|| text.to_owned()))
    }

    /// Reads the values of one cell.
    fn values<'c>(&self, row: &'c csv::StringRecord, column: usize) -> impl Iterator<Item = &'c str> + use<'c> {
        let cell = row.get(column).unwrap_or_default();
        let (one, several) = match self.between {
            Some(between) if cell.contains(between) => (None, Some(cell.split(between))),
            _ => (Some(cell), None),
        };
        let values = one.into_iter().chain(several.into_iter().flatten());
        values.map(without_apostrophe).filter(|value| !value.trim().is_empty())
    }

    fn first<'c>(&self, row: &'c csv::StringRecord, columns: &[usize]) -> Option<&'c str> {
        columns.iter().find_map(|column| self.values(row, *column).next())
    }

    /// Reads numbers whose kind stands beside them.
    fn phones(&self, row: &csv::StringRecord, fields: &mut Vec<(Field, Value)>, notes: &mut Vec<Note>) {
        for (column, kind) in &self.columns.phones {
            let kind = kind.and_then(|kind| row.get(kind)).unwrap_or_default();
            let Some(field) = phone_field(kind) else {
                if self.values(row, *column).next().is_some() {
                    notes.push(Note::LeftOut { field: kind.trim().to_owned(), why: Unfit::NoPhone });
                }
                continue;
            };
            for number in self.values(row, *column) {
                match fields.iter().find(|(known, _)| *known == field) {
                    Some((_, Value::Text(known))) if known == number => {}
                    Some(_) => notes.push(Note::Several(field.to_string())),
                    None if is_kept(&field, number, notes) => {
                        fields.push((field.clone(), Value::Text(number.to_owned())));
                    }
                    None => {}
                }
            }
        }
    }

    /// Makes sure that a person has a name where the table has one for them.
    fn name(
        &self,
        row: &csv::StringRecord,
        fields: &mut Vec<(Field, Value)>,
        notes: &mut Vec<Note>,
    ) -> Result<(), Refusal> {
        let text = |fields: &[(Field, Value)], field: Field| {
            fields.iter().find_map(|(known, value)| match value {
                Value::Text(text) if *known == field => Some(text.clone()),
                _ => None,
            })
        };
        let (first, email) = (text(fields, Field::FirstName), text(fields, Field::Email));
        let is_address = |first: &String| email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(first));
        if first.as_ref().is_some_and(is_address) {
            fields.retain(|(field, _)| *field != Field::FirstName);
            notes.push(Note::AddressAsName);
        } else if first.is_none()
            && text(fields, Field::LastName).is_none()
            && let Some(name) = self.first(row, &self.columns.names)
        {
            if email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(name)) {
                return Ok(());
            }
            if let Some(character) = control(name) {
                return Err(Refusal::Control { field: Field::FirstName, character });
            }
            let (first, last) = name.split_once(' ').map_or((name, ""), |(first, last)| (first, last.trim_start()));
            fields.push((Field::FirstName, first.into()));
            if !last.is_empty() {
                fields.push((Field::LastName, last.into()));
                notes.push(Note::NameSplit);
            }
        }
        Ok(())
    }

    /// Puts an address together, of the first parts of one that hold something.
    fn address(&self, row: &csv::StringRecord) -> Option<String> {
        self.columns.addresses.values().find_map(|columns| {
            let parts: Vec<&str> = columns.iter().filter_map(|column| self.values(row, *column).next()).collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        })
    }

    fn lists(&self, row: &csv::StringRecord, notes: &mut Vec<Note>) -> BTreeSet<String> {
        let mut lists = BTreeSet::new();
        for (column, between) in &self.columns.lists {
            let names = self.values(row, *column).flat_map(|value| value.split(*between)).map(str::trim);
            let is_system = |name: &str| between.is_empty() && name.starts_with(SYSTEM_LABEL);
            let is_ours = |name: &&str| !name.is_empty() && !is_system(name);
            let fit = names.filter(is_ours).filter(|name| is_kept(&Field::LabelNames, name, notes));
            lists.extend(fit.map(str::to_owned));
        }
        lists
    }

    fn by_name(&self, row: &csv::StringRecord, notes: &mut Vec<Note>) -> ByName {
        let stage = self.first(row, &self.columns.stages).map(str::trim);
        if stage.is_some_and(|stage| control(stage).is_some()) {
            notes.push(Note::LeftOut { field: "contact_stage".to_owned(), why: Unfit::Control });
        }
        let stage = stage.filter(|stage| control(stage).is_none());
        let mut by_name = ByName { stage: stage.map(str::to_owned), ..ByName::default() };
        for (label, column) in &self.columns.custom {
            let Some(value) = self.first(row, std::slice::from_ref(column)) else { continue };
            if control(value).is_some() {
                notes.push(Note::LeftOut { field: format!("custom_fields.{label}"), why: Unfit::Control });
            } else {
                by_name.custom.entry(label.clone()).or_insert_with(|| value.to_owned());
            }
        }
        by_name
    }

    /// Notes what columns tell that are not values of a contact.
    fn remarks(&self, row: &csv::StringRecord, fields: &Fields, notes: &mut Vec<Note>) {
        let has = |columns: &[usize]| self.first(row, columns).is_some();
        let is_guess = |status: &str| status.trim().eq_ignore_ascii_case("extrapolated");
        if fields.contains(&Field::Email) && self.first(row, &self.columns.email_status).is_some_and(is_guess) {
            notes.push(Note::Extrapolated);
        }
        if fields.contains(&Field::Email) && has(&self.columns.bounced) {
            notes.push(Note::Bounced);
        }
        if !fields.contains(&Field::OrganizationName) && has(&self.columns.company_ids) {
            notes.push(Note::CompanyById);
        }
    }
}

/// Words for no, as spreadsheets of several languages write them.
const NO: [&str; 12] = ["false", "0", "no", "n", "-", "falsch", "nein", "faux", "non", "falso", "nee", "onwaar"];

fn says(cell: &str, says: Says) -> bool {
    let cell = cell.trim();
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(cell));
    match says {
        _ if cell.is_empty() => false,
        Says::Anything => true,
        // A word that nobody knows here is taken for yes: whoever did not want to be written to loses otherwise.
        Says::Yes => !is_one_of(&NO),
        Says::OneOf(words) => is_one_of(words),
    }
}

/// Drops the apostrophe by which spreadsheets say that a number is text.
fn without_apostrophe(cell: &str) -> &str {
    let rest = cell.strip_prefix('\'');
    rest.filter(|rest| rest.starts_with(|c: char| c == '+' || c.is_ascii_digit())).unwrap_or(cell)
}

/// Returns the first of several addresses in one cell; `None` where it holds one, or something else.
fn first_of_several(cell: &str) -> Option<&str> {
    let is_between = |c: char| matches!(c, ',' | ';') || c.is_whitespace();
    if !cell.contains(is_between) || !is_bad(&Field::Email, cell) {
        return None;
    }
    let mut parts = cell.split(is_between).filter(|part| !part.is_empty());
    let first = parts.next()?;
    let mut rest = parts.peekable();
    rest.peek()?;
    let is_good = |part: &str| !is_bad(&Field::Email, part);
    (is_good(first) && rest.all(is_good)).then_some(first)
}

fn is_identity(field: &Field) -> bool {
    matches!(field, Field::Email | Field::FirstName | Field::LastName | Field::OrganizationName)
}

/// Reports whether a value is a mistake for its field.
fn is_bad(field: &Field, text: &str) -> bool {
    let complaint = rules::judge(field, text);
    complaint.is_some_and(|complaint| words::complaint("", text, &complaint).severity == Severity::Error)
}

/// Reports whether a value may stand in its field; notes why not.
fn is_kept(field: &Field, text: &str, notes: &mut Vec<Note>) -> bool {
    let why = if control(text).is_some() {
        Unfit::Control
    } else if is_bad(field, text) {
        if *field == Field::WebsiteUrl { Unfit::Url } else { Unfit::Id }
    } else {
        return true;
    };
    notes.push(Note::LeftOut { field: field.to_string(), why });
    false
}

/// Finds a character that cannot be seen.
fn control(text: &str) -> Option<char> {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        return None;
    }
    rules::control_character(text).map(|(_, character)| character)
}

/// Says which kind of number a label names; `None` for what is no phone.
fn phone_field(kind: &str) -> Option<Field> {
    // Google marks the first of several with a star.
    let kind = kind.trim_start_matches(['*', ' ']).trim().to_lowercase();
    match kind.as_str() {
        "mobile" | "cell" | "work mobile" => Some(Field::MobilePhone),
        "work" => Some(Field::DirectPhone),
        "home" => Some(Field::HomePhone),
        "main" | "company" | "company main" => Some(Field::CorporatePhone),
        fax if fax.contains("fax") || fax.contains("pager") => None,
        _ => Some(Field::OtherPhone),
    }
}
