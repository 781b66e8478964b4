//! What the sandbox's answers look like: every key of the documented examples, null where they are null.
//!
//! Decides nothing; it only gives stored things their outward shape.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Response, StatusCode, Uri};
use serde_json::{Map, Value, json};

use super::book::Book;
use super::contact::{Contact, Label, sanitized};
use super::matching::is_free;
use super::moment::iso;
use super::quirks::{Quirk, Quirks};
use super::sent::{PhoneKind, Refusal, Text};
use super::team;
use crate::model::Timestamp;

/// An answer with its content type and, where they are the call's, further headers.
pub(super) type Answer = Response<String>;

/// What every answered contact holds: `null` and the like where a team without CRM, enrichment and sequences has it so.
///
/// Source: vendor page of the create call, both examples; `person_deleted` to `godmode_apollo_creator` are from recorded
/// answers.
static CONTACT: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("contact.json")).expect("it is an object of JSON"));

pub(super) fn ok(body: &Value) -> Answer {
    json(200, body)
}

pub(super) fn json(status: u16, body: &Value) -> Answer {
    text(status, "application/json; charset=utf-8", body.to_string())
}

/// Answers with a gateway's page: what a client meets when something before the API answers.
pub(super) fn page(status: u16) -> Answer {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let title = format!("{status} {}", reason.unwrap_or("Error"));
    let page = format!(
        "<html><head><title>{title}</title></head>\
         <body><center><h1>{title}</h1></center><hr><center>sandbox</center></body></html>\n"
    );
    text(status, "text/html", page)
}

pub(super) fn unauthorized() -> Answer {
    text(401, "text/plain; charset=utf-8", "Invalid access credentials.".to_owned())
}

fn text(status: u16, kind: &str, body: String) -> Answer {
    let answer = Response::builder().status(status).header(CONTENT_TYPE, kind).body(body);
    answer.expect("the sandbox's statuses and content types are valid")
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        json(refusal.status, &refusal.body)
    }
}

/// Answers that there is no such call.
pub(super) async fn nothing(method: Method, uri: Uri) -> Answer {
    Refusal::error(404, format!("There is no {method} {} here.", uri.path())).into()
}

/// Gives a contact its outward shape.
pub(super) fn contact(contact: &Contact, quirks: Quirks) -> Value {
    let phones = phone_numbers(contact);
    let own = json!({
        "id": contact.id,
        "name": contact.name(),
        "created_at": iso(contact.created_at),
        "updated_at": iso(contact.updated_at),
        "email_status": contact.email_status,
        "sanitized_phone": phones.first().map(|phone| &phone["sanitized_number"]),
        "label_ids": contact.label_ids,
        "email_from_customer": contact.text(Text::Email).map(|_| true),
        "contact_emails": contact_emails(contact),
        "phone_numbers": phones,
        "free_domain": contact.text(Text::Email).is_some_and(is_free),
        "typed_custom_fields": custom_fields(contact, quirks),
    });
    let mut shape = CONTACT.clone();
    for part in [json!(contact.texts), own] {
        if let Value::Object(members) = part {
            shape.extend(members);
        }
    }
    shape.remove("website_url");
    Value::Object(shape)
}

fn custom_fields(contact: &Contact, quirks: Quirks) -> Value {
    let splits = quirks.has(Quirk::AnswersArrays);
    let parts = |text: &String| if splits && text.contains(';') { text.split(';').collect() } else { json!(text) };
    contact.custom_fields.iter().map(|(id, text)| (id.clone(), parts(text))).collect()
}

/// Gives a contact the shape of a search result: as elsewhere, with one key more.
pub(super) fn row(found: &Contact, quirks: Quirks) -> Value {
    let mut row = contact(found, quirks);
    row["contact_job_change_event"] = Value::Null;
    if quirks.has(Quirk::SearchHidesEmails)
        && let Some(row) = row.as_object_mut()
    {
        row.retain(|key, _| !["email", "contact_emails"].contains(&key.as_str()));
    }
    row
}

/// Gives a contact with its lists the shape of the create and update answers.
pub(super) fn contact_with_labels(book: &Book, answered: &Contact, quirks: Quirks) -> Value {
    let labels = answered.label_ids.iter().filter_map(|id| book.label(id));
    json!({ "contact": contact(answered, quirks), "labels": labels.map(label_of_contact).collect::<Vec<_>>() })
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

/// Names a kind of phone number. The vendor's examples show `work_direct`, `work_hq` and `other`; the two between are
/// guesses.
fn phone_type(kind: PhoneKind) -> &'static str {
    match kind {
        PhoneKind::Direct => "work_direct",
        PhoneKind::Corporate => "work_hq",
        PhoneKind::Mobile => "mobile",
        PhoneKind::Home => "home",
        PhoneKind::Other => "other",
    }
}

fn phone_numbers(contact: &Contact) -> Vec<Value> {
    let numbered = contact.phones.iter().enumerate().map(|(position, (kind, raw))| {
        json!({
            "raw_number": raw,
            "sanitized_number": sanitized(raw),
            "type": phone_type(*kind),
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
    let shapes = contact.emails().enumerate().map(|(position, email)| {
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
