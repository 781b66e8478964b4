//! What the sandbox's answers look like: every key of the documented examples, null where they are null.
//!
//! Decides nothing; it only gives stored things their outward shape.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::book::Book;
use super::contact::{Contact, Label, sanitized};
use super::matching::is_free;
use super::moment::iso;
use super::quirks::{Quirk, Quirks};
use super::sent::Refusal;
use super::team;
use crate::model::Timestamp;

/// An answer before it is put on the wire.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content: Content,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Json(Value),
    Text(String),
    Html(String),
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(super) fn json(status: u16, body: Value) -> Self {
        Self { status, content: Content::Json(body) }
    }

    /// Answers `{"error": text}`.
    pub(super) fn error(status: u16, text: impl Into<String>) -> Self {
        Self::json(status, json!({ "error": text.into() }))
    }

    /// Answers with a gateway's page: what a client meets when something before the API answers.
    pub(super) fn page(status: u16) -> Self {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let title = format!("{status} {}", reason.unwrap_or("Error"));
        let page = format!(
            "<html><head><title>{title}</title></head>\
             <body><center><h1>{title}</h1></center><hr><center>sandbox</center></body></html>\n"
        );
        Self { status, content: Content::Html(page) }
    }

    /// Returns the bytes of the body.
    pub(super) fn body(&self) -> Vec<u8> {
        match &self.content {
            Content::Json(value) => value.to_string().into_bytes(),
            Content::Text(text) => text.clone().into_bytes(),
            Content::Html(page) => page.clone().into_bytes(),
        }
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::error(refusal.status, refusal.error)
    }
}

/// Keys that are null in every answer of a team without CRM, enrichment and sequences.
///
/// Source: vendor page of the create call, both examples; those after `account_phone_note` are from
/// recorded answers.
const NULL_KEYS: [&str; 40] = [
    "linkedin_url",
    "person_id",
    "email_needs_tickling",
    "organization_id",
    "headline",
    "photo_url",
    "linkedin_uid",
    "extrapolated_email_confidence",
    "salesforce_id",
    "salesforce_lead_id",
    "salesforce_contact_id",
    "salesforce_account_id",
    "crm_owner_id",
    "direct_dial_status",
    "direct_dial_enrichment_failed_at",
    "email_source",
    "last_activity_date",
    "hubspot_vid",
    "hubspot_company_id",
    "crm_id",
    "merged_crm_ids",
    "suggested_from_rule_engine_config_id",
    "email_unsubscribed",
    "crm_record_url",
    "email_status_unavailable_reason",
    "twitter_url",
    "next_contact_id",
    "time_zone",
    "city",
    "state",
    "country",
    "intent_strength",
    "account_phone_note",
    "person_deleted",
    "call_opted_out",
    "street_address",
    "postal_code",
    "formatted_address",
    "facebook_url",
    "godmode_apollo_creator",
];

const FALSE_KEYS: [&str; 6] = [
    "queued_for_crm_push",
    "has_pending_email_arcgate_request",
    "has_email_arcgate_request",
    "show_intent",
    "is_likely_to_engage",
    "email_domain_catchall",
];

const EMPTY_LIST_KEYS: [&str; 4] =
    ["contact_roles", "emailer_campaign_ids", "contact_rule_config_statuses", "contact_campaign_statuses"];

const TEXT_KEYS: [(&str, &str); 7] = [
    ("owner_id", team::USER_ID),
    ("creator_id", team::USER_ID),
    ("source", "api"),
    ("original_source", "api"),
    ("existence_level", "full"),
    ("email_true_status", "User Managed"),
    ("source_display_name", "Created from API"),
];

/// Gives a contact its outward shape.
pub(super) fn contact(contact: &Contact) -> Value {
    let texts = &contact.texts;
    let mut shape = Map::new();
    shape.extend(NULL_KEYS.map(|key| (key.to_owned(), Value::Null)));
    shape.extend(FALSE_KEYS.map(|key| (key.to_owned(), Value::Bool(false))));
    shape.extend(EMPTY_LIST_KEYS.map(|key| (key.to_owned(), json!([]))));
    shape.extend(TEXT_KEYS.map(|(key, text)| (key.to_owned(), json!(text))));
    let phones = phone_numbers(contact);
    let varying = [
        ("id", json!(contact.id)),
        ("first_name", json!(texts.first_name)),
        ("last_name", json!(texts.last_name)),
        ("name", json!(contact.name())),
        ("title", json!(texts.title)),
        ("contact_stage_id", json!(texts.contact_stage_id)),
        ("organization_name", json!(texts.organization_name)),
        ("present_raw_address", json!(texts.present_raw_address)),
        ("created_at", json!(iso(contact.created_at))),
        ("updated_at", json!(iso(contact.updated_at))),
        ("email_status", json!(contact.email_status)),
        ("account_id", json!(texts.account_id)),
        ("sanitized_phone", phones.first().map_or(Value::Null, |phone| phone["sanitized_number"].clone())),
        ("label_ids", json!(contact.label_ids)),
        ("email", json!(texts.email)),
        ("email_from_customer", texts.email.as_ref().map_or(Value::Null, |_| json!(true))),
        ("updated_email_true_status", json!(true)),
        ("custom_field_errors", json!({})),
        ("contact_emails", json!(contact_emails(contact))),
        ("phone_numbers", json!(phones)),
        ("free_domain", json!(texts.email.as_deref().is_some_and(is_free))),
        ("typed_custom_fields", json!(contact.custom_fields)),
    ];
    shape.extend(varying.map(|(key, value)| (key.to_owned(), value)));
    Value::Object(shape)
}

/// Shows custom texts with `;` as arrays of their parts, in every contact of an answer.
pub(super) fn show_arrays(answer: &mut Answer) {
    let Content::Json(body) = &mut answer.content else { return };
    let mut contacts: Vec<&mut Value> = match body {
        Value::Object(members) => members.values_mut().collect(),
        _ => return,
    };
    contacts = contacts
        .into_iter()
        .flat_map(|member| match member {
            Value::Array(items) => items.iter_mut().collect(),
            one => vec![one],
        })
        .collect();
    let fields = contacts.into_iter().filter_map(|contact| contact.get_mut("typed_custom_fields")?.as_object_mut());
    for value in fields.flat_map(|fields| fields.values_mut()) {
        if let Some(text) = value.as_str().filter(|text| text.contains(';')) {
            *value = text.split(';').collect();
        }
    }
}

/// Gives a contact the shape of a search result: as elsewhere, with one key more.
pub(super) fn row(found: &Contact, quirks: Quirks) -> Value {
    let mut row = contact(found);
    row["contact_job_change_event"] = Value::Null;
    if quirks.has(Quirk::SearchHidesEmails)
        && let Some(row) = row.as_object_mut()
    {
        row.retain(|key, _| !["email", "contact_emails"].contains(&key.as_str()));
    }
    row
}

/// Gives a contact with its lists the shape of the create and update answers.
pub(super) fn contact_with_labels(book: &Book, answered: &Contact) -> Value {
    let labels = answered.label_ids.iter().filter_map(|id| book.label(id));
    json!({ "contact": contact(answered), "labels": labels.map(label_of_contact).collect::<Vec<_>>() })
}

/// Gives a list the shape it has beside a contact.
pub(super) fn label_of_contact((label, count): (&Label, u64)) -> Value {
    json!({
        "id": label.id,
        "modality": "contacts",
        "cached_count": count,
        "name": label.name,
        "created_at": iso(label.created_at),
        "updated_at": iso(label.updated_at),
        "user_id": team::USER_ID,
    })
}

/// Gives a list the shape it has among all lists: its id under three names, and the team's.
pub(super) fn label(counted: (&Label, u64)) -> Value {
    let mut shape = label_of_contact(counted);
    shape["_id"] = shape["id"].clone();
    shape["key"] = shape["id"].clone();
    shape["team_id"] = json!(team::TEAM_ID);
    shape
}

/// Gives a change of lists that was asked for with `async` the shape of a job; there is no way to ask after one.
pub(super) fn job(ids: &[String], now: Timestamp) -> Value {
    json!({
        "id": team::JOB_ID, "progress": -1, "entity_ids": ids, "created_at": iso(now), "updated_at": iso(now),
    })
}

fn phone_numbers(contact: &Contact) -> Vec<Value> {
    let numbered = contact.phones.iter().enumerate().map(|(position, (kind, raw))| {
        json!({
            "raw_number": raw,
            "sanitized_number": sanitized(raw),
            "type": kind.answered(),
            "position": position,
            "status": "no_status",
            "dnc_status": null,
            "dnc_other_info": null,
            "dialer_flags": null,
        })
    });
    numbered.collect()
}

fn contact_emails(contact: &Contact) -> Vec<Value> {
    let emails = contact.texts.email.iter().chain(&contact.additional_emails).enumerate();
    let shapes = emails.map(|(position, email)| {
        json!({
            "email": email,
            "email_md5": null,
            "email_sha256": null,
            "email_status": "verified",
            "email_source": null,
            "extrapolated_email_confidence": null,
            "position": position,
            "email_from_customer": true,
            "free_domain": is_free(email),
        })
    });
    shapes.collect()
}
