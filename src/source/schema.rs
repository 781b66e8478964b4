//! The schema of contact files, for editors that complete and check while one types.
//!
//! Never refuses what `validate` accepts; what only `validate` sees (people who stand twice, addresses that are
//! no addresses) it lets pass.

use serde_json::{Map, Value, json};

use super::merge::Slot;
use crate::model::{ContactKey, Field, TEXT_FIELDS};

/// Returns the JSON Schema (draft 2020-12) of one document of a contact file.
pub fn schema() -> Value {
    let names = || Slot::names().map(|name| (name, Slot::named(name).expect("a name of a slot names one")));
    let merge = || [(MERGE_KEY.to_owned(), merged())];
    let contact = names().map(|(name, slot)| (name.to_owned(), property(name, &slot))).chain(merge());
    let defaults = names().filter(|(_, slot)| !slot.belongs_to_one_contact());
    let defaults = defaults.map(|(name, _)| {
        let same = format!("#/$defs/contact/properties/{name}");
        (name.to_owned(), json!({ "$ref": same }))
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contact file",
        "description": "One document of a file in contacts.d, as contactsd reads it. Text arrives letter for letter, so \
                        numbers and dates need no quotes.",
        "type": ["object", "null"],
        "properties": {
            "contacts": {
                "description": "The contacts, by keys of your choice. A key is the contact's identity over the whole \
                                directory: 1 to 128 of letters, digits and . _ - @ +, the first a letter or digit.",
                "type": ["object", "null"],
                "properties": { MERGE_KEY: merged() },
                "propertyNames": { "pattern": format!("{}|^{MERGE_KEY}$", ContactKey::PATTERN) },
                "additionalProperties": { "$ref": "#/$defs/contact" },
            },
            "defaults": {
                "description": "Fields that every contact of this document starts from. A list in a contact replaces the \
                                list here, custom fields merge one by one, and null cancels.",
                "type": ["object", "null"],
                "properties": defaults.chain(merge()).collect::<Map<_, _>>(),
                "additionalProperties": false,
            },
        },
        "additionalProperties": false,
        "$defs": {
            "contact": {
                "description": "One contact. A field that is absent or null is not managed; \"\" clears it.",
                "type": "object",
                "properties": contact.collect::<Map<_, _>>(),
                "additionalProperties": false,
            },
        },
    })
}

fn property(name: &str, slot: &Slot) -> Value {
    match slot {
        Slot::Text(field) => text(describe(name), pattern(field)),
        Slot::Lists => json!({
            "description": describe(name),
            "type": ["array", "null"],
            "items": { "type": ["string", "number", "boolean"], "pattern": r"\S" },
        }),
        Slot::Custom => json!({
            "description": describe(name),
            "type": ["object", "null"],
            "properties": { MERGE_KEY: merged() },
            "propertyNames": { "pattern": format!("{HEX24}|^{MERGE_KEY}$") },
            "additionalProperties": { "type": ANY_TEXT },
        }),
        Slot::Stage => text(describe(name), None),
        Slot::Labelled => json!({
            "description": describe(name),
            "type": ["object", "null"],
            "properties": { MERGE_KEY: merged() },
            "additionalProperties": {
                "type": ["string", "number", "boolean", "null", "array"],
                "items": { "type": ["string", "number", "boolean"] },
            },
        }),
        Slot::RunDedupe => json!({ "description": describe(name), "type": ["boolean", "null"], "default": true }),
        Slot::ApolloId => text(describe(name), Some(HEX24)),
        Slot::MovedFrom => text(describe(name), Some(ContactKey::PATTERN)),
        Slot::Ignore => json!({
            "description": describe(name),
            "type": ["array", "object", "null"],
            "items": { "type": ["string", "object"], "additionalProperties": { "type": ANY_TEXT } },
            "additionalProperties": { "type": ANY_TEXT },
        }),
    }
}

/// What YAML's parsers make of a bare scalar, which is text all the same.
const ANY_TEXT: [&str; 4] = ["string", "number", "boolean", "null"];

/// Names the maps that stand in a map as well. Some readers follow it before they check a schema, and some do not.
const MERGE_KEY: &str = "<<";

fn merged() -> Value {
    json!({
        "description": "The maps whose names stand here as well: *one alias, or [*several, *aliases].",
        "type": ["object", "array", "null"],
    })
}

const HEX24: &str = "^[0-9A-Fa-f]{24}$";

fn text(description: &str, pattern: Option<&str>) -> Value {
    let mut property = json!({ "description": description, "type": ANY_TEXT });
    if let Some(pattern) = pattern {
        property["pattern"] = pattern.into();
    }
    property
}

/// Returns a pattern that every good text of the field matches; an empty one clears.
fn pattern(field: &Field) -> Option<&'static str> {
    match field {
        Field::Email => Some("^$|^.+@.+$"),
        Field::AccountId | Field::ContactStageId => Some("^$|^[0-9A-Fa-f]{24}$"),
        Field::WebsiteUrl => Some(r"^$|^[Hh][Tt][Tt][Pp][Ss]?://\S+$"),
        _ => None,
    }
}

/// Says what a field holds.
fn describe(name: &str) -> &'static str {
    match name {
        "first_name" => "First name.",
        "last_name" => "Last name.",
        "organization_name" => "Name of the company.",
        "title" => "Job title.",
        "account_id" => "Apollo's id of the company's account, 24 hexadecimal digits.",
        "email" => "One e-mail address. Apollo finds a contact that it has by it.",
        "website_url" => "An absolute web address, https://... Apollo never shows it, so it is sent and not checked.",
        "contact_stage_id" => "Apollo's id of the contact's stage, 24 hexadecimal digits.",
        "present_raw_address" => "Postal address, as free text.",
        "direct_phone" => "Direct phone number. Text: +447700900123 and 007 need no quotes.",
        "corporate_phone" => "Phone number of the company.",
        "mobile_phone" => "Mobile phone number.",
        "home_phone" => "Phone number at home.",
        "other_phone" => "Another phone number.",
        "label_names" => {
            "Names of the lists that hold the contact. Lists that do not exist are made; lists that people add in Apollo \
             stay. [] leaves the lists that were applied."
        }
        "typed_custom_fields" => {
            "Values of custom fields, by the fields' ids: 24 hexadecimal digits, without \"contact.\" in front."
        }
        "contact_stage" => "The contact's stage by its name in Apollo, in the place of contact_stage_id.",
        "custom_fields" => {
            "Values of custom fields, by the fields' labels in Apollo. Options of picklists are written by their labels, several \
             of them as a list; numbers as digits; dates as 2025-08-07."
        }
        "run_dedupe" => "false: Apollo must not match this entry to a contact that it has.",
        "apollo_id" => "This entry is exactly this contact of Apollo's; none is created. 24 hexadecimal digits.",
        "moved_from" => "The key that this entry had before.",
        "ignore" => {
            "Fields that drift leaves alone when somebody changes them in Apollo; a list of names, or a map from names to \
                     reasons."
        }
        _ => unreachable!("{name} is none of the {} fields and their like", TEXT_FIELDS.len()),
    }
}
