//! The control surface, under a path that Apollo does not have: for tests and people, not for the client.
//!
//! Takes the key of the data, which `gate.rs` asks for, as all that shows contacts does. No quota, no faults.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::request::Parts;
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::api::{found, gone_answer};
use super::book::{Book, Gone, Seeded};
use super::contact::Contact;
use super::moment;
use super::owner;
use super::sent::{Body, Refusal, Sent};
use super::shared::Shared;
use super::{DeletedAnswer, Faults, Quirks};
use crate::model::Timestamp;

/// What all paths of the control surface begin with.
pub(super) const PREFIX: &str = "/sandbox/";
/// What the path of a contact ends with, where it is merged into another.
const MERGED_INTO: &str = "/merged-into";

/// Reports whether a path of the control surface takes the key: all but the one that only says who the owner is, by
/// which a process that knows the owner's file finds it alive.
pub(super) fn needs_key(path: &str) -> bool {
    path.starts_with(PREFIX) && path != owner::PATH
}

/// Answers one request to the control surface.
pub(super) async fn answer(shared: &Shared, head: &Parts, body: &[u8]) -> Answer {
    let path = head.uri.path();
    let now = shared.now();
    let done = match (head.method.as_str(), path) {
        ("GET", owner::PATH) => return Answer::ok(json!(shared.owner)),
        ("GET", "/sandbox/requests") => return Answer::ok(shared.counts().to_json()),
        ("PUT", "/sandbox/faults") => return change(body, |faults: Faults| shared.set_faults(faults)),
        ("PUT", "/sandbox/quirks") => return change(body, |quirks: Quirks| shared.set_quirks(quirks)),
        ("PUT", "/sandbox/deleted-answer") => {
            return change(body, |answer: DeletedAnswer| shared.set_deleted_answer(answer));
        }
        ("GET", "/sandbox/contacts") => shared.work(|book| Answer::ok(json!({ "contacts": contacts(book) }))).await,
        ("POST", "/sandbox/contacts") => shared.work(|book| seed(book, body, now).unwrap_or_else(Answer::from)).await,
        (method, _) => match path.strip_prefix("/sandbox/contacts/") {
            Some(id) if method == "DELETE" => {
                shared.work(|book| done(book.delete(id, now), id, json!({ "deleted": id }))).await
            }
            Some(id) if method == "PUT" && id.ends_with(MERGED_INTO) => {
                let id = id.trim_end_matches(MERGED_INTO);
                shared.work(|book| merge(book, id, body, now)).await
            }
            _ => return Answer::error(404, format!("There is no {method} {path} here.")),
        },
    };
    done.unwrap_or_else(|error| Answer::error(500, error.to_string()))
}

/// Returns every contact as answers show it, with what they leave out: `website_url` and `label_names`.
pub(super) fn contacts(book: &Book) -> Vec<Value> {
    let whole = |contact: &Contact| {
        let mut shape = answer::contact(contact);
        let names = contact.label_ids.iter().filter_map(|id| book.label(id)).map(|(label, _)| label.name.as_str());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        shape["label_names"] = json!(names);
        shape["website_url"] = json!(contact.texts.website_url);
        shape
    };
    book.contacts().map(whole).collect()
}

/// Adds a contact that was there before, or all in `contacts`; either every one is added or none.
fn seed(book: &mut Book, body: &[u8], now: Timestamp) -> Result<Answer, Refusal> {
    let whole = Body::read(body)?;
    let Some(several) = whole.items("contacts")? else {
        let (sent, extra) = seeded(body)?;
        let id = book.seed(&sent, extra, now);
        return Ok(found(book, &id, |contact| Answer::ok(answer::contact_with_labels(book, contact))));
    };
    let several: Vec<_> = several.iter().map(|one| seeded(one.to_string().as_bytes())).collect::<Result<_, _>>()?;
    let ids: Vec<_> = several.into_iter().map(|(sent, extra)| book.seed(&sent, extra, now)).collect();
    let contacts = ids.iter().filter_map(|id| book.contact(id).ok()).map(answer::contact);
    Ok(Answer::ok(json!({ "contacts": contacts.collect::<Vec<_>>() })))
}

/// Reads a contact that was there before: the fields of a create, `created_at` and `contact_emails`.
fn seeded(body: &[u8]) -> Result<(Sent, Seeded), Refusal> {
    let sent = Sent::read(body)?;
    let body = Body::read(body)?;
    let created_at = match body.text("created_at")? {
        Some(text) => {
            let time = moment::parse(&text);
            Some(time.ok_or_else(|| Refusal::misconfigured(format_args!("{text} is no time")))?)
        }
        None => None,
    };
    let additional_emails = body.texts("contact_emails")?.unwrap_or_default();
    Ok((sent, Seeded { created_at, additional_emails }))
}

/// Merges the contact into the one whose id is the body.
fn merge(book: &mut Book, absorbed: &str, body: &[u8], now: Timestamp) -> Answer {
    let survivor = String::from_utf8_lossy(body);
    let survivor = survivor.trim();
    done(book.merge(absorbed, survivor, now), absorbed, json!({ "merged": absorbed, "into": survivor }))
}

fn done(outcome: Result<(), Gone>, id: &str, body: Value) -> Answer {
    outcome.map_or_else(|gone| gone_answer(&gone, id, DeletedAnswer::default()), |()| Answer::ok(body))
}

/// Sets what the body's text stands for.
fn change<T: FromStr<Err: Display>>(body: &[u8], set: impl FnOnce(T)) -> Answer {
    let text = String::from_utf8_lossy(body);
    match text.trim().parse() {
        Ok(value) => {
            set(value);
            Answer::ok(json!({ "set": text.trim() }))
        }
        Err(error) => Answer::error(422, error.to_string()),
    }
}
