//! The control surface, under a path that Apollo does not have: for tests and people, not for the client.
//!
//! Takes the key of the data, as all that shows contacts does. No quota, no faults.

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, put};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::book::{Book, Gone, Seeded};
use super::call::refuse;
use super::catalog::Catalog;
use super::contact::Contact;
use super::sent::{Body, Refusal, Sent, Text};
use super::shared::Shared;
use super::{DeletedAnswer, Quirks, moment};
use crate::model::Timestamp;

type Sandbox = State<Arc<Shared>>;

/// Makes what answers the control surface.
///
/// All of it takes the key but the path that only says who the owner is, by which a process that knows the owner's file
/// finds it alive.
pub(super) fn router(shared: &Arc<Shared>) -> Router<Arc<Shared>> {
    let owner = async |State(shared): Sandbox| answer::ok(&json!(shared.owner));
    let requests = async |State(shared): Sandbox| answer::ok(&shared.desk().counts.to_json());
    let faults = async |State(shared): Sandbox, text: String| set(&text, |faults| shared.desk().dice.faults = faults);
    let quirks = async |State(shared): Sandbox, text: String| set(&text, |to| shared.desk().options.quirks = to);
    let deleted =
        async |State(shared): Sandbox, text: String| set(&text, |to| shared.desk().options.deleted_answer = to);
    let shown = async |State(shared): Sandbox| {
        shared.work(|desk| answer::ok(&json!({ "contacts": contacts(&desk.book) }))).await
    };
    Router::new()
        .route("/requests", get(requests))
        .route("/faults", put(faults))
        .route("/quirks", put(quirks))
        .route("/deleted-answer", put(deleted))
        .route("/stages", put(set_stages))
        .route("/fields", put(set_fields))
        .route("/contacts", get(shown).post(seed))
        .route("/contacts/{id}", delete(remove))
        .route("/contacts/{id}/merged-into", put(merge))
        .fallback(answer::nothing)
        .method_not_allowed_fallback(answer::nothing)
        .layer(from_fn_with_state(Arc::clone(shared), with_key))
        .route("/owner", get(owner))
}

async fn with_key(State(shared): Sandbox, request: Request, next: Next) -> Response {
    if shared.accepts(request.headers()) { next.run(request).await } else { answer::unauthorized().into_response() }
}

/// Returns every contact as answers show it, with what they leave out: `website_url` and `label_names`.
pub(super) fn contacts(book: &Book) -> Vec<Value> {
    let whole = |contact: &Contact| {
        let mut shape = answer::contact(contact, Quirks::default());
        let names = contact.label_ids.iter().filter_map(|id| book.label(id)).map(|(label, _)| label.name.as_str());
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        shape["label_names"] = json!(names);
        shape["website_url"] = json!(contact.text(Text::WebsiteUrl));
        shape
    };
    book.contacts().map(whole).collect()
}

/// Adds a contact that was there before, or all in `contacts`; either every one is added or none.
async fn seed(State(shared): Sandbox, body: Bytes) -> Answer {
    let now = shared.now();
    shared.work(|desk| seed_all(&mut desk.book, &body, now).unwrap_or_else(Answer::from)).await
}

fn seed_all(book: &mut Book, body: &[u8], now: Timestamp) -> Result<Answer, Refusal> {
    let whole = Body::read(body)?;
    let Some(several) = whole.objects("contacts")? else {
        let (sent, extra) = seeded(&whole)?;
        let id = book.seed(&sent, extra, now);
        return Ok(answer::ok(&answer::contact_with_labels(book, book.known(&id), Quirks::default())));
    };
    let several: Vec<_> = several.iter().map(seeded).collect::<Result<_, _>>()?;
    let ids: Vec<_> = several.into_iter().map(|(sent, extra)| book.seed(&sent, extra, now)).collect();
    let contacts: Vec<_> = ids.iter().map(|id| answer::contact(book.known(id), Quirks::default())).collect();
    Ok(answer::ok(&json!({ "contacts": contacts })))
}

/// Reads a contact that was there before: the fields of a create, `created_at` and `contact_emails`.
fn seeded(body: &Body) -> Result<(Sent, Seeded), Refusal> {
    let read =
        |text: String| moment::parse(&text).ok_or_else(|| Refusal::misconfigured(format_args!("{text} is no time")));
    let created_at = body.text("created_at")?.map(read).transpose()?;
    let additional_emails = body.texts("contact_emails")?.unwrap_or_default();
    Ok((Sent::of(body)?, Seeded { created_at, additional_emails }))
}

/// Gives the team the stages of the body.
async fn set_stages(State(shared): Sandbox, body: Bytes) -> Answer {
    set_catalog(&shared, &body, Catalog::with_stages).await
}

/// Gives the team the custom fields of the body.
async fn set_fields(State(shared): Sandbox, body: Bytes) -> Answer {
    set_catalog(&shared, &body, Catalog::with_fields).await
}

async fn set_catalog(
    shared: &Shared,
    body: &[u8],
    read: impl FnOnce(Catalog, &Body) -> Result<Catalog, Refusal>,
) -> Answer {
    let now = shared.now();
    let set = |book: &mut Book| {
        let catalog = read(book.catalog().clone(), &Body::read(body)?)?;
        book.set_catalog(catalog, now);
        let stages = book.catalog().stages();
        Ok::<_, Refusal>(answer::ok(&json!({ "stages": stages, "fields": book.catalog().typed_custom_fields() })))
    };
    shared.work(|desk| set(&mut desk.book).unwrap_or_else(Answer::from)).await
}

async fn remove(State(shared): Sandbox, Path(id): Path<String>) -> Answer {
    let now = shared.now();
    shared.work(|desk| done(desk.book.delete(&id, now), &id, &json!({ "deleted": id }))).await
}

/// Merges the contact into the one whose id is the body.
async fn merge(State(shared): Sandbox, Path(id): Path<String>, survivor: String) -> Answer {
    let (now, into) = (shared.now(), survivor.trim());
    shared.work(|desk| done(desk.book.merge(&id, into, now), &id, &json!({ "merged": id, "into": into }))).await
}

fn done(outcome: Result<(), Gone>, id: &str, body: &Value) -> Answer {
    match outcome {
        Ok(()) => answer::ok(body),
        Err(gone) => refuse(gone, id, DeletedAnswer::default()).into(),
    }
}

/// Sets what a text stands for.
fn set<T: FromStr<Err: Display>>(text: &str, put: impl FnOnce(T)) -> Answer {
    let text = text.trim();
    match text.parse() {
        Ok(value) => {
            put(value);
            answer::ok(&json!({ "set": text }))
        }
        Err(error) => Refusal::error(422, error.to_string()).into(),
    }
}
