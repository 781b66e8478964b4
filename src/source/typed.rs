//! The fast reader: one pass of serde over a file's text, straight into entries.
//!
//! It knows only whether a file is good. At the first mistake it gives up, and whatever it finds
//! doubtful it flags; `check` then reads the same text with positions and has the last word.
//! Scalars are taken as text and never as YAML's numbers and dates, so that `007` stays `007`.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::merge::{CustomValues, Declared, Draft, MERGE_KEY, Section, Slot};
use super::rules;
use crate::model::{ApolloId, ContactKey, CustomFieldId, Entry, Place};

/// A file read without mistakes.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// In the order of the file; a key may come twice.
    pub(super) entries: Vec<Entry>,
    /// Whether the file must be read again for what is wrong with single values, or doubtful.
    pub(super) doubtful: bool,
}

/// Reads all documents of `text`.
pub(super) fn read(path: &Arc<Path>, text: &str) -> Result<Reading, serde_yaml::Error> {
    let watch = Watch::new(text);
    let mut entries = Vec::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let Some(document) = document.deserialize_option(Nullable(DocumentSeed(&watch)))? else { continue };
        let defaults = document.defaults;
        entries.extend(document.contacts.into_iter().map(|(key, draft)| {
            let place = Place { path: Arc::clone(path), key };
            draft.into_entry(place, &defaults)
        }));
    }
    let unidentified = |entry: &Entry| !super::check::identifies_a_person(entry);
    let doubtful = watch.doubtful.get() || watch.saw_suspicious_null(text) || entries.iter().any(unidentified);
    Ok(Reading { entries, doubtful })
}

/// What is noticed on the way; shared by all seeds of one file.
struct Watch {
    doubtful: Cell<bool>,
    saw_null: Cell<bool>,
    /// How many more values may be read, aliases followed.
    budget: Cell<u64>,
}

impl Watch {
    fn new(text: &str) -> Self {
        let budget = rules::expansion_limit(text.len());
        Self { doubtful: Cell::new(false), saw_null: Cell::new(false), budget: Cell::new(budget) }
    }

    fn doubt_if(&self, doubtful: bool) {
        if doubtful {
            self.doubtful.set(true);
        }
    }

    fn spend<E: serde::de::Error>(&self) -> Result<(), E> {
        let left = self.budget.get().checked_sub(1).ok_or_else(|| E::custom("aliases expand to too many values"))?;
        self.budget.set(left);
        Ok(())
    }

    /// Reports whether a null could have been one of the doubtful spellings, which serde does not tell apart.
    fn saw_suspicious_null(&self, text: &str) -> bool {
        self.saw_null.get() && ["Null", "NULL", "~"].iter().any(|spelling| text.contains(spelling))
    }
}

/// Reads null, however spelled, as `None` and the rest by the seed.
struct Nullable<S>(S);

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Nullable<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(deserializer).map(Some)
    }
}

/// Reads a field's value: null cancels, anything else is declared.
struct DeclaredSeed<'w, S>(&'w Watch, S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for DeclaredSeed<'_, S> {
    type Value = Declared<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        self.0.spend()?;
        let value = deserializer.deserialize_option(Nullable(self.1))?;
        if value.is_none() {
            self.0.saw_null.set(true);
        }
        Ok(value.map_or(Declared::Null, Declared::Is))
    }
}

/// Reads a scalar letter for letter through `F`, which refuses what is no good.
struct Scalar<F, T>(F, PhantomData<T>);

impl<F: FnOnce(&str) -> Option<T>, T> Scalar<F, T> {
    fn new(parse: F) -> Self {
        Self(parse, PhantomData)
    }
}

impl<'de, F: FnOnce(&str) -> Option<T>, T> DeserializeSeed<'de> for Scalar<F, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: FnOnce(&str) -> Option<T>, T> Visitor<'_> for Scalar<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text of another form")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).ok_or_else(|| E::custom(format_args!("{text:?} cannot stand here")))
    }
}

fn text() -> Scalar<impl FnOnce(&str) -> Option<String>, String> {
    Scalar::new(|text| Some(text.to_owned()))
}

/// A truth value, read by YAML's rules so that a quoted one is refused.
struct Truth;

impl<'de> DeserializeSeed<'de> for Truth {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

/// Reads a list of names.
struct ListsSeed<'w>(&'w Watch);

impl<'de> DeserializeSeed<'de> for ListsSeed<'_> {
    type Value = BTreeSet<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListsSeed<'_> {
    type Value = BTreeSet<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(item) = items.next_element_seed(DeclaredSeed(self.0, text()))? {
            match item {
                Declared::Is(name) if !name.trim().is_empty() => names.insert(name),
                _ => return Err(A::Error::custom("a list item without a name")),
            };
        }
        self.0.doubt_if(rules::twins_by_case(&names).is_some());
        Ok(names)
    }
}

/// A map's key: a name of ours, a merge key, or none we know.
enum Name<T> {
    Merge,
    Known(T),
}

fn name<T>(parse: impl FnOnce(&str) -> Option<T>) -> Scalar<impl FnOnce(&str) -> Option<Name<T>>, Name<T>> {
    Scalar::new(|text| if text == MERGE_KEY { Some(Name::Merge) } else { parse(text).map(Name::Known) })
}

/// Reads what a merge key holds: a map, or a list of maps, the earlier ones stronger.
struct MergeSeed<S>(S);

impl<'de, S: DeserializeSeed<'de> + Copy> DeserializeSeed<'de> for MergeSeed<S> {
    type Value = Vec<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, S: DeserializeSeed<'de> + Copy> Visitor<'de> for MergeSeed<S> {
    type Value = Vec<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map or a list of maps to merge")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Ok(vec![self.0.deserialize(serde::de::value::MapAccessDeserializer::new(map))?])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut bases = Vec::new();
        while let Some(base) = items.next_element_seed(self.0)? {
            bases.push(base);
        }
        Ok(bases)
    }
}

/// Reads custom fields by id.
#[derive(Clone, Copy)]
struct CustomSeed<'w>(&'w Watch);

impl<'de> DeserializeSeed<'de> for CustomSeed<'_> {
    type Value = CustomValues;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for CustomSeed<'_> {
    type Value = CustomValues;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of custom fields by id")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.0.spend()?;
        let (mut values, mut bases) = (CustomValues::new(), None);
        while let Some(id) = map.next_key_seed(name(CustomFieldId::parse))? {
            match id {
                Name::Merge => merge_once(&mut bases, map.next_value_seed(MergeSeed(self))?)?,
                Name::Known(id) => {
                    let value = map.next_value_seed(DeclaredSeed(self.0, text()))?;
                    refuse_second(values.insert(id, value).is_some())?;
                }
            }
        }
        for (id, value) in bases.into_iter().flatten().flatten() {
            values.entry(id).or_insert(value);
        }
        Ok(values)
    }
}

fn merge_once<T, E: serde::de::Error>(bases: &mut Option<Vec<T>>, found: Vec<T>) -> Result<(), E> {
    refuse_second(bases.replace(found).is_some())
}

fn refuse_second<E: serde::de::Error>(seen: bool) -> Result<(), E> {
    if seen { Err(E::custom("a name stands twice in one map")) } else { Ok(()) }
}

/// Reads one map of fields.
#[derive(Clone, Copy)]
struct DraftSeed<'w> {
    watch: &'w Watch,
    in_defaults: bool,
}

impl<'de> DeserializeSeed<'de> for DraftSeed<'_> {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DraftSeed<'_> {
    type Value = Draft;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
        self.watch.spend()?;
        let (mut draft, mut bases) = (Draft::default(), None);
        while let Some(slot) = map.next_key_seed(name(Slot::named))? {
            match slot {
                Name::Merge => merge_once(&mut bases, map.next_value_seed(MergeSeed(self))?)?,
                Name::Known(slot) => self.read_slot(slot, &mut draft, &mut map)?,
            }
        }
        bases.into_iter().flatten().for_each(|base| draft.fill(base));
        Ok(draft)
    }
}

impl DraftSeed<'_> {
    fn read_slot<'de, A: MapAccess<'de>>(self, slot: Slot, draft: &mut Draft, map: &mut A) -> Result<(), A::Error> {
        let watch = self.watch;
        refuse_second(draft.holds(&slot))?;
        if self.in_defaults && slot.belongs_to_one_contact() {
            return Err(A::Error::custom("a field of one contact in the defaults"));
        }
        match slot {
            Slot::Text(field) => {
                let value = map.next_value_seed(DeclaredSeed(watch, text()))?;
                if let Declared::Is(text) = &value {
                    watch.doubt_if(rules::judge(&field, text).is_some());
                }
                draft.texts.push((field, value));
            }
            Slot::Lists => draft.lists = map.next_value_seed(DeclaredSeed(watch, ListsSeed(watch)))?,
            Slot::Custom => draft.custom = map.next_value_seed(DeclaredSeed(watch, CustomSeed(watch)))?,
            Slot::RunDedupe => draft.run_dedupe = map.next_value_seed(DeclaredSeed(watch, Truth))?,
            Slot::ApolloId => {
                draft.apollo_id = map.next_value_seed(DeclaredSeed(watch, Scalar::new(ApolloId::parse)))?;
            }
            Slot::MovedFrom => {
                let key = Scalar::new(|text: &str| ContactKey::parse(text).ok());
                draft.moved_from = map.next_value_seed(DeclaredSeed(watch, key))?;
            }
        }
        Ok(())
    }
}

/// Reads the contacts of one document.
#[derive(Clone, Copy)]
struct ContactsSeed<'w>(&'w Watch);

impl<'de> DeserializeSeed<'de> for ContactsSeed<'_> {
    type Value = Vec<(ContactKey, Draft)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ContactsSeed<'_> {
    type Value = Vec<(ContactKey, Draft)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of contacts by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        self.0.spend()?;
        let (mut contacts, mut bases) = (Vec::new(), None);
        while let Some(key) = map.next_key_seed(name(|text| ContactKey::parse(text).ok()))? {
            match key {
                Name::Merge => merge_once(&mut bases, map.next_value_seed(MergeSeed(self))?)?,
                Name::Known(key) => {
                    let fields = DraftSeed { watch: self.0, in_defaults: false };
                    let draft = map.next_value_seed(DeclaredSeed(self.0, fields))?;
                    contacts.push((key, draft.value().unwrap_or_default()));
                }
            }
        }
        if let Some(bases) = bases {
            let mut held: HashSet<_> = contacts.iter().map(|(key, _)| key.clone()).collect();
            contacts.extend(bases.into_iter().flatten().filter(|(key, _)| held.insert(key.clone())));
        }
        Ok(contacts)
    }
}

struct Document {
    contacts: Vec<(ContactKey, Draft)>,
    defaults: Draft,
}

/// Reads one document.
struct DocumentSeed<'w>(&'w Watch);

impl<'de> DeserializeSeed<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Document, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for DocumentSeed<'_> {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with contacts and defaults")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let (mut contacts, mut defaults) = (None, None);
        while let Some(section) = map.next_key_seed(Scalar::new(Section::named))? {
            match section {
                Section::Contacts => {
                    let found = map.next_value_seed(DeclaredSeed(self.0, ContactsSeed(self.0)))?;
                    refuse_second(contacts.replace(found).is_some())?;
                }
                Section::Defaults => {
                    let fields = DraftSeed { watch: self.0, in_defaults: true };
                    let found = map.next_value_seed(DeclaredSeed(self.0, fields))?;
                    refuse_second(defaults.replace(found).is_some())?;
                }
            }
        }
        Ok(Document {
            contacts: contacts.and_then(Declared::value).unwrap_or_default(),
            defaults: defaults.and_then(Declared::value).unwrap_or_default(),
        })
    }
}
