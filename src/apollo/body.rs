//! Request bodies: declared fields only, in the order of the vendor's page, the same bytes each time.
//!
//! The journal keeps these texts and a later run sends them again, so nothing here may depend on
//! anything but the arguments.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::{ApolloId, Field, Fields, Value};

/// Writes the body of a create.
pub fn create(fields: &Fields, run_dedupe: bool) -> String {
    write(&ContactBody { fields, lists: true, run_dedupe: Some(run_dedupe) })
}

/// Writes the body of an update.
///
/// Lists are left out whatever `fields` holds, since `label_names` here replaces every list the
/// contact is on; they change through [`lists`].
pub fn update(fields: &Fields) -> String {
    write(&ContactBody { fields, lists: false, run_dedupe: None })
}

/// Writes the body of both calls that change lists: one contact, the lists it joins or leaves.
pub fn lists(id: &ApolloId, lists: &BTreeSet<String>) -> String {
    write(&ListsBody { entity_ids: [id.as_str()], label_names: lists, modality: "contacts" })
}

/// Writes the body of a search, oldest contact first.
///
/// Sorted, so that a contact created while we page comes last and shifts no other.
pub(super) fn search(keywords: &str, page: u32, per_page: u32) -> String {
    write(&SearchBody { q_keywords: Some(keywords), sort_by_field: CREATED, sort_ascending: true, page, per_page })
}

/// Writes the body of a search for all contacts, newest first.
///
/// A contact created while we page shifts the others to later pages: rows repeat, and none is missed.
pub(super) fn newest(page: u32, per_page: u32) -> String {
    write(&SearchBody { q_keywords: None, sort_by_field: CREATED, sort_ascending: false, page, per_page })
}

/// Sorts by when contacts were made.
const CREATED: &str = "contact_created_at";

struct ContactBody<'a> {
    fields: &'a Fields,
    lists: bool,
    run_dedupe: Option<bool>,
}

impl Serialize for ContactBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        // Fields are sorted by field, which is the order of the page, custom fields last.
        for (field, value) in self.fields.iter() {
            match field {
                Field::Custom(_) => {}
                Field::LabelNames if !self.lists => {}
                named => map.serialize_entry(named.api_name(), value)?,
            }
        }
        let custom = CustomFields(self.fields);
        if custom.iter().next().is_some() {
            map.serialize_entry("typed_custom_fields", &custom)?;
        }
        if let Some(run_dedupe) = self.run_dedupe {
            map.serialize_entry("run_dedupe", &run_dedupe)?;
        }
        map.end()
    }
}

struct CustomFields<'a>(&'a Fields);

impl<'a> CustomFields<'a> {
    fn iter(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.0.iter().filter_map(|(field, value)| match field {
            Field::Custom(id) => Some((id.as_str(), value)),
            _ => None,
        })
    }
}

impl Serialize for CustomFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[derive(serde::Serialize)]
struct ListsBody<'a> {
    entity_ids: [&'a str; 1],
    label_names: &'a BTreeSet<String>,
    modality: &'static str,
}

#[derive(serde::Serialize)]
struct SearchBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    q_keywords: Option<&'a str>,
    sort_by_field: &'static str,
    sort_ascending: bool,
    page: u32,
    per_page: u32,
}

fn write(body: &impl Serialize) -> String {
    serde_json::to_string(body).expect("texts, lists and booleans under text keys are always JSON")
}

#[cfg(test)]
mod tests;
