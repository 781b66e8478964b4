//! Request bodies: declared fields only, in the order of the vendor's page, the same bytes each time.
//!
//! The journal keeps these texts and a later run sends them again, so nothing here may depend on
//! anything but the arguments.

use std::collections::BTreeSet;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Order;
use crate::model::{ApolloId, Endpoint, Field, Fields, Value};

/// Writes the body of a create.
pub fn create(fields: &Fields, run_dedupe: bool) -> String {
    write(&ContactBody { run_dedupe: Some(run_dedupe), ..ContactBody::of(Endpoint::CreateContact, fields) })
}

/// Writes the body of an update.
///
/// Lists are left out whatever `fields` holds, since `label_names` here replaces every list the
/// contact is on; they change through [`lists`].
pub fn update(fields: &Fields) -> String {
    write(&ContactBody::of(Endpoint::UpdateContact, fields))
}

/// Writes one contact of a create of many; what such a create cannot carry ([`Endpoint::carries`]) is left out.
pub fn create_item(fields: &Fields) -> String {
    write(&ContactBody::of(Endpoint::CreateContacts, fields))
}

/// Writes the body of a create of many from what [`create_item`] wrote, at most [`MOST_CONTACTS`] of them.
///
/// Apollo may match a contact for each. Without any the request makes nothing and still tells whether the key may
/// make it.
pub fn create_many<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    format!(r#"{{"contacts":[{}],"run_dedupe":true}}"#, joined(items))
}

/// Writes one contact of an update of many: its id and the fields to write. What such an update cannot carry
/// ([`Endpoint::carries`]) is left out.
pub fn update_item(id: &ApolloId, fields: &Fields) -> String {
    write(&ContactBody { id: Some(id), ..ContactBody::of(Endpoint::UpdateContacts, fields) })
}

/// Writes the body of an update of many from what [`update_item`] wrote, at most [`MOST_CONTACTS`] of them.
pub fn update_many<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    format!(r#"{{"contact_attributes":[{}]}}"#, joined(items))
}

/// Writes the body of the call that moves contacts to one stage.
pub fn stages<'a>(ids: impl IntoIterator<Item = &'a ApolloId>, stage: &str) -> String {
    write(&StagesBody { contact_ids: texts(ids), contact_stage_id: stage })
}

/// Writes the body of both calls that change lists: contacts, the lists that all of them join or leave.
pub fn lists<'a>(ids: impl IntoIterator<Item = &'a ApolloId>, lists: &BTreeSet<String>) -> String {
    write(&ListsBody { entity_ids: texts(ids), label_names: lists, modality: "contacts" })
}

/// Writes the body of a search; without keywords it is for all contacts.
pub(super) fn search(keywords: Option<&str>, order: Order, page: u32, per_page: u32) -> String {
    let (sort_by_field, sort_ascending) = match order {
        Order::OldestFirst => ("contact_created_at", true),
        Order::NewestFirst => ("contact_created_at", false),
        Order::LongestUnchangedFirst => ("contact_updated_at", true),
        Order::LastChangedFirst => ("contact_updated_at", false),
    };
    write(&SearchBody { q_keywords: keywords, sort_by_field, sort_ascending, page, per_page })
}

/// Most contacts in one request: for more, creates are refused and updates are put off to a job that nobody can ask
/// after.
///
/// Source: vendor pages "Bulk Create Contacts" and "Bulk Update Contacts"
/// (`docs/api-notes.md#calls-for-many-contacts`).
pub const MOST_CONTACTS: usize = 100;

/// Joins bodies that are JSON already, letter for letter: the journal holds what was sent.
fn joined<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().collect::<Vec<_>>().join(",")
}

fn texts<'a>(ids: impl IntoIterator<Item = &'a ApolloId>) -> Vec<&'a str> {
    ids.into_iter().map(ApolloId::as_str).collect()
}

struct ContactBody<'a> {
    /// The call, which says what of `fields` is written.
    call: Endpoint,
    id: Option<&'a ApolloId>,
    fields: &'a Fields,
    run_dedupe: Option<bool>,
}

impl<'a> ContactBody<'a> {
    fn of(call: Endpoint, fields: &'a Fields) -> Self {
        Self { call, id: None, fields, run_dedupe: None }
    }
}

impl Serialize for ContactBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id.as_str())?;
        }
        // Fields are sorted by field, which is the order of the page, custom fields last.
        for (field, value) in self.fields.iter().filter(|(field, _)| self.call.carries(field)) {
            match field {
                Field::Custom(_) => {}
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
    entity_ids: Vec<&'a str>,
    label_names: &'a BTreeSet<String>,
    modality: &'static str,
}

#[derive(serde::Serialize)]
struct StagesBody<'a> {
    contact_ids: Vec<&'a str>,
    contact_stage_id: &'a str,
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
