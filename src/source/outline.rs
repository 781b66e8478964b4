//! Where the contacts of one file and their fields stand.
//!
//! Made only for files of which something is shown. Holds places, no values.

use std::collections::HashMap;

use super::diagnostic::Span;
use crate::model::{ContactKey, CustomFieldId};

/// What a contact can hold, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// A field, by the name that it is written with.
    Slot(&'static str),
    Custom(CustomFieldId),
}

impl Part {
    /// Returns where the same may be declared by name.
    fn by_name(&self) -> Option<Self> {
        match self {
            Self::Slot("contact_stage_id") => Some(Self::Slot("contact_stage")),
            // Which label has the id is not known here.
            Self::Custom(_) => Some(Self::Slot("custom_fields")),
            Self::Slot(_) => None,
        }
    }
}

/// Where a part of a contact stands.
#[derive(Debug)]
struct Noted {
    part: Part,
    name: Spot,
    value: Spot,
}

/// A [`Span`] in half the room.
#[derive(Debug, Clone, Copy)]
struct Spot {
    line: u32,
    column: u32,
    width: u32,
}

impl From<Span> for Spot {
    fn from(span: Span) -> Self {
        let short = |number: usize| u32::try_from(number).expect("a file has fewer than four billion characters");
        Self { line: short(span.line), column: short(span.column), width: short(span.width) }
    }
}

impl From<Spot> for Span {
    fn from(Spot { line, column, width }: Spot) -> Self {
        Self { line: line as usize, column: column as usize, width: width as usize }
    }
}

/// A contact as it stands in the file.
#[derive(Debug)]
struct Contact {
    key: Spot,
    parts: Box<[Noted]>,
    /// The number of its document.
    document: usize,
}

/// All contacts of a file.
#[derive(Debug, Default)]
pub(super) struct Outline {
    contacts: HashMap<ContactKey, Vec<Contact>>,
    /// What stands in the defaults of each document.
    defaults: Vec<Box<[Noted]>>,
    parts: Vec<Noted>,
    own_defaults: Box<[Noted]>,
}

impl Outline {
    /// Notes a part of what is being read; of several by one name the first counts.
    pub(super) fn note(&mut self, part: Part, name: Span, value: Span) {
        self.parts.push(Noted { part, name: name.into(), value: value.into() });
    }

    /// Takes what was noted for a contact.
    pub(super) fn end_contact(&mut self, key: &ContactKey, span: Span) {
        let (parts, document) = (std::mem::take(&mut self.parts).into_boxed_slice(), self.defaults.len());
        self.contacts.entry(key.clone()).or_default().push(Contact { key: span.into(), parts, document });
    }

    /// Takes what was noted for the defaults of the document.
    pub(super) fn end_defaults(&mut self) {
        self.own_defaults = std::mem::take(&mut self.parts).into_boxed_slice();
    }

    pub(super) fn end_document(&mut self) {
        self.defaults.push(std::mem::take(&mut self.own_defaults));
    }

    /// Returns every place that declares `key`.
    pub(super) fn keys(&self, key: &ContactKey) -> Vec<Span> {
        self.contacts.get(key).into_iter().flatten().map(|contact| contact.key.into()).collect()
    }

    /// Returns the place of the name of a part, or of the key where none is asked for or declared.
    pub(super) fn name(&self, key: &ContactKey, part: Option<&Part>) -> Option<Span> {
        self.find(key, part, |noted| noted.name)
    }

    /// Returns the place of the value of a part, or of the key where none is asked for or declared.
    pub(super) fn value(&self, key: &ContactKey, part: Option<&Part>) -> Option<Span> {
        self.find(key, part, |noted| noted.value)
    }

    fn find(&self, key: &ContactKey, part: Option<&Part>, spot: impl Fn(&Noted) -> Spot) -> Option<Span> {
        let contact = self.contacts.get(key)?.first()?;
        let of_document = self.defaults.get(contact.document).map_or(&*self.own_defaults, |defaults| defaults);
        let parts = || contact.parts.iter().chain(of_document);
        let find = |part: &Part| parts().find(|noted| noted.part == *part);
        let noted = part.and_then(|part| find(part).or_else(|| find(&part.by_name()?)));
        Some(noted.map_or(contact.key, spot).into())
    }
}
