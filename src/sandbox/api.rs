//! The calls themselves: a body in, an answer out, with the book in between.
//!
//! Knows nothing of connections, credentials, quota and faults, which `gate.rs` has dealt with.

use serde_json::{Value, json};

use super::action::{Action, Call};
use super::answer::{self, Answer};
use super::book::{Book, Created, Gone, Membership};
use super::contact::Contact;
use super::options::{DedupeReading, DeletedAnswer, Witness};
use super::quirks::{Quirk, Quirks};
use super::search_view::Keywords;
use super::sent::{Body, Refusal, Sent};
use super::team;
use crate::model::Timestamp;

/// Where the documentation leaves a choice, what was chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Readings {
    pub(super) dedupe: DedupeReading,
    pub(super) witness: Witness,
    pub(super) deleted_answer: DeletedAnswer,
    pub(super) labels_in_view: bool,
    pub(super) quirks: Quirks,
}

/// Search results on a page when the request does not say.
const DEFAULT_PER_PAGE: usize = 25;
/// Search results on a page at most; asking for more gives this many.
const MAX_PER_PAGE: usize = 100;
/// The last page that search gives (vendor page: 50,000 records are 500 pages of 100).
const LAST_PAGE: usize = 500;

/// Does what the call asks and answers it.
pub(super) fn answer(book: &mut Book, readings: Readings, call: &Call, body: &[u8], now: Timestamp) -> Answer {
    let id = &call.id;
    let answered = match call.action {
        Action::Create => create(book, readings, body, now),
        Action::Update => update(book, readings, id, body, now),
        Action::View => Ok(view(book, readings, id)),
        Action::Delete => Ok(no_scope(Action::Delete)),
        Action::Search => search(book, readings.quirks, body, now),
        Action::ShowLists => Ok(Answer::ok(book.labels().map(answer::label).collect())),
        Action::AddToLists => change_lists(book, readings.quirks, body, Membership::Add, now),
        Action::RemoveFromLists => change_lists(book, readings.quirks, body, Membership::Remove, now),
        Action::ShowStages => Ok(Answer::ok(team::stages())),
        Action::Profile => Ok(Answer::ok(team::profile())),
        Action::Health => Ok(health(true)),
    };
    let mut answer = answered.unwrap_or_else(Answer::from);
    if readings.quirks.has(Quirk::AnswersArrays) {
        answer::show_arrays(&mut answer);
    }
    answer
}

/// Answers whether the credential is a good one; this call never gives 401.
pub(super) fn health(logged_in: bool) -> Answer {
    Answer::ok(json!({ "healthy": true, "is_logged_in": logged_in }))
}

/// Answers that the credential does not reach the action.
pub(super) fn no_scope(action: Action) -> Answer {
    let error = format!("{} is not accessible with this api_key", action.scope());
    Answer::json(403, json!({ "error": error, "error_code": "API_INACCESSIBLE" }))
}

/// Refuses an account that the credential may not see, though it reaches the call itself.
fn no_account(sent: &Sent, quirks: Quirks) -> Option<Answer> {
    let names_one = sent.texts.account_id.as_ref().is_some_and(|id| !id.is_empty());
    (names_one && quirks.has(Quirk::ForbidsAccounts)).then(|| {
        let error = "api/v1/accounts/show is not accessible with this api_key";
        Answer::json(403, json!({ "error": error, "error_code": "API_INACCESSIBLE" }))
    })
}

/// Adds what an answer complains of although the work was done.
fn complain(shape: &mut Value, quirks: Quirks) {
    if quirks.has(Quirk::ErrorBesideContact) {
        shape["error"] = json!("Some values could not be processed.");
    }
}

fn create(book: &mut Book, readings: Readings, body: &[u8], now: Timestamp) -> Result<Answer, Refusal> {
    let mut sent = Sent::read(body)?;
    if let Some(refused) = no_account(&sent, readings.quirks) {
        return Ok(refused);
    }
    readings.quirks.fold(&mut sent);
    if readings.quirks.has(Quirk::CreatesGhosts) {
        let mut shape = json!({ "contact": answer::contact(&book.ghost(&sent, now)), "labels": [] });
        shape["contact"]["existence_level"] = json!("none");
        return Ok(Answer::ok(shape));
    }
    let Created { id, matched } = book.create(&sent, readings.dedupe, now);
    let contact = book.contact(&id).unwrap_or_else(|_| unreachable!("a create answers a contact that is there"));
    let mut shape = answer::contact_with_labels(book, contact);
    complain(&mut shape, readings.quirks);
    if let Some(key) = matched {
        if readings.witness.is_dedupe_result() {
            shape["dedupe_result"] =
                json!({ "found_existing": true, "match_reason": key.reason(), "existing_contact_id": id });
        }
        if readings.witness.is_was_existing() {
            shape["was_existing"] = json!(true);
        }
    }
    Ok(Answer::ok(shape))
}

fn update(book: &mut Book, readings: Readings, id: &str, body: &[u8], now: Timestamp) -> Result<Answer, Refusal> {
    let mut sent = Sent::read(body)?;
    if let Some(refused) = no_account(&sent, readings.quirks) {
        return Ok(refused);
    }
    readings.quirks.fold(&mut sent);
    readings.quirks.keep_cleared(&mut sent);
    if readings.quirks.has(Quirk::UpdatesNothing) {
        sent = Sent::default();
    }
    Ok(match book.update(id, &sent, now) {
        Ok(()) => found(book, id, |contact| {
            let mut shape = answer::contact_with_labels(book, contact);
            complain(&mut shape, readings.quirks);
            Answer::ok(shape)
        }),
        Err(Gone::Deleted) if readings.deleted_answer == DeletedAnswer::PersonDeleted => {
            book.update_deleted(id, &sent, now);
            person_deleted(book, id)
        }
        Err(gone) => gone_answer(&gone, id, readings.deleted_answer),
    })
}

fn view(book: &Book, readings: Readings, id: &str) -> Answer {
    match book.contact(id) {
        Ok(contact) if readings.labels_in_view => Answer::ok(answer::contact_with_labels(book, contact)),
        Ok(contact) => Answer::ok(json!({ "contact": answer::contact(contact) })),
        Err(Gone::Deleted) if readings.deleted_answer == DeletedAnswer::PersonDeleted => person_deleted(book, id),
        Err(gone) => gone_answer(&gone, id, readings.deleted_answer),
    }
}

/// Answers with a contact that is there.
pub(super) fn found(book: &Book, id: &str, answer: impl Fn(&Contact) -> Answer) -> Answer {
    book.contact(id).map_or_else(|gone| gone_answer(&gone, id, DeletedAnswer::default()), answer)
}

/// Answers with a deleted contact as if it were there, but for a mark.
fn person_deleted(book: &Book, id: &str) -> Answer {
    let Some(deleted) = book.deleted(id) else { return gone_answer(&Gone::Unknown, id, DeletedAnswer::default()) };
    let mut shape = answer::contact_with_labels(book, deleted);
    shape["contact"]["person_deleted"] = json!(true);
    Answer::ok(shape)
}

/// Refuses an id; one of a deleted contact in the way that was chosen.
pub(super) fn gone_answer(gone: &Gone, id: &str, deleted: DeletedAnswer) -> Answer {
    let Refusal { status, error } = gone.refusal(id);
    let status = match (gone, deleted) {
        (Gone::Malformed | Gone::Unknown, _) | (Gone::Deleted, DeletedAnswer::Plain422) => status,
        (Gone::Deleted, DeletedAnswer::Unknown422) => return gone_answer(&Gone::Unknown, id, deleted),
        (Gone::Deleted, DeletedAnswer::NotFound404) => 404,
        (Gone::Deleted, DeletedAnswer::Gone410) => 410,
        (Gone::Deleted, DeletedAnswer::NamedIn422 | DeletedAnswer::PersonDeleted) => {
            let ids = json!({ "error": error, "skip_alert_dialog": true, "deleted_contact_ids": [id] });
            return Answer::json(status, ids);
        }
    };
    Answer::error(status, error)
}

fn search(book: &mut Book, quirks: Quirks, body: &[u8], now: Timestamp) -> Result<Answer, Refusal> {
    let body = Body::read(body)?;
    let keywords = Keywords::new(&body.text("q_keywords")?.unwrap_or_default(), quirks);
    let stages = body.texts("contact_stage_ids")?.unwrap_or_default();
    let labels = body.texts("contact_label_ids")?.unwrap_or_default();
    let page = body.ordinal("page", 1)?;
    let per_page = body.ordinal("per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE);
    if page > LAST_PAGE {
        return Err(Refusal::misconfigured(format_args!("page must not be greater than {LAST_PAGE}")));
    }
    let mut found = book.search(&keywords, now, |contact| {
        let stage = contact.texts.contact_stage_id.as_ref();
        (stages.is_empty() || stage.is_some_and(|stage| stages.contains(stage)))
            && (labels.is_empty() || labels.iter().any(|label| contact.label_ids.contains(label)))
    });
    sort(&mut found, body.text("sort_by_field")?.as_deref(), body.flag("sort_ascending")?)?;
    let step = if quirks.has(Quirk::SearchRepeatsRows) { (per_page - 1).max(1) } else { per_page };
    let rows = found.iter().skip((page - 1) * step).take(per_page).map(|found| answer::row(found, quirks));
    let rows: Vec<Value> = rows.collect();
    if rows.is_empty() && quirks.has(Quirk::SearchBareWhenEmpty) {
        return Ok(Answer::ok(json!({ "breadcrumbs": [], "contacts": null })));
    }
    Ok(Answer::ok(json!({
        "breadcrumbs": [],
        "partial_results_only": false,
        "has_join": false,
        "disable_eu_prospecting": false,
        "partial_results_limit": 10000,
        "num_fetch_result": null,
        "pagination": {
            "page": page,
            "per_page": per_page,
            "total_entries": found.len(),
            "total_pages": found.len().div_ceil(per_page),
        },
        "contacts": rows,
    })))
}

/// Sorts search results, the newest first unless told otherwise.
///
/// Nobody here has any activity, so those fields sort like the time of creation.
fn sort(found: &mut [&Contact], field: Option<&str>, ascending: bool) -> Result<(), Refusal> {
    let by_update = match field {
        None
        | Some(
            "contact_created_at"
            | "contact_last_activity_date"
            | "contact_email_last_opened_at"
            | "contact_email_last_clicked_at",
        ) => false,
        Some("contact_updated_at") => true,
        Some(other) => return Err(Refusal::misconfigured(format_args!("{other} is not a valid sort_by_field"))),
    };
    let time = |contact: &Contact| if by_update { contact.updated_at } else { contact.created_at };
    found.sort_unstable_by(|one, other| (time(one), &one.id).cmp(&(time(other), &other.id)));
    if !ascending || field.is_none() {
        found.reverse();
    }
    Ok(())
}

fn change_lists(
    book: &mut Book,
    quirks: Quirks,
    body: &[u8],
    how: Membership,
    now: Timestamp,
) -> Result<Answer, Refusal> {
    let body = Body::read(body)?;
    let ids = body.texts("entity_ids")?.unwrap_or_default();
    let names = body.texts("label_names")?.unwrap_or_default();
    match body.text("modality")?.as_deref() {
        Some("contacts") => {}
        Some(other) => return Err(Refusal::misconfigured(format_args!("modality {other} is not known here"))),
        None => return Err(Refusal::misconfigured("modality is missing")),
    }
    if ids.is_empty() || names.is_empty() {
        return Ok(Answer::ok(json!({ "message": "Nothing to do: no records or no lists were given." })));
    }
    if how == Membership::Add && quirks.has(Quirk::ListAddRefused) {
        return Ok(Answer::ok(json!({ "success": false, "errors": ["The records could not be added."] })));
    }
    if how == Membership::Remove || !quirks.has(Quirk::ListAddIgnored) {
        book.change_lists(&ids, &names, how, now);
    }
    if body.flag("async")? {
        return Ok(Answer::ok(json!({ "entity_progress_job": answer::job(&ids, now) })));
    }
    let labels = book.known_labels(&names);
    let labels: Vec<Value> = labels.iter().filter_map(|id| book.label(id)).map(answer::label).collect();
    Ok(Answer::ok(json!({ "labels": labels })))
}
