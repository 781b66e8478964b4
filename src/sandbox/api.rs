//! The calls themselves: a body in, an answer out, with the book in between.
//!
//! Knows nothing of connections, credentials, quota and faults, which `gate.rs` has dealt with.

use axum::routing::MethodFilter;
use serde_json::{Value, json};

use super::action::Action;
use super::answer::{self, Answer};
use super::book::{Book, Created, Gone, Membership};
use super::contact::Contact;
use super::options::{DeletedAnswer, Options};
use super::quirks::Quirk;
use super::search_view::Keywords;
use super::sent::{Body, Refusal, Sent, Text};
use super::team;
use crate::model::Timestamp;

/// One call of the API: how it is asked for, and the function that answers it.
pub(super) struct Endpoint {
    pub(super) action: Action,
    pub(super) methods: MethodFilter,
    /// After `/api/v1`.
    pub(super) path: &'static str,
    /// The scope as the 403 answers name it, after `api/v1/`.
    ///
    /// Source: vendor pages of each operation; `contacts/destroy` from a recorded answer.
    pub(super) scope: &'static str,
    pub(super) answer: fn(&mut Call<'_>) -> Result<Answer, Refusal>,
}

/// One request for a call, and what it works on.
pub(super) struct Call<'a> {
    pub(super) book: &'a mut Book,
    pub(super) options: &'a Options,
    /// The contact that the path names, unchecked.
    pub(super) id: &'a str,
    pub(super) body: &'a [u8],
    /// The date of what is written.
    pub(super) now: Timestamp,
}

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
/// PUT is the older documentation's method and still in use.
const CHANGE: MethodFilter = MethodFilter::PATCH.or(MethodFilter::PUT);

/// Every call there is.
pub(super) static ENDPOINTS: [Endpoint; 11] = [
    of(Action::Create, POST, "/contacts", "contacts/create", create),
    of(Action::Update, CHANGE, "/contacts/{id}", "contacts/update", update),
    of(Action::View, GET, "/contacts/{id}", "contacts/show", view),
    of(Action::Delete, MethodFilter::DELETE, "/contacts/{id}", "contacts/destroy", |_| {
        Err(no_scope("contacts/destroy"))
    }),
    of(Action::Search, POST, "/contacts/search", "contacts/search", search),
    of(Action::ShowLists, GET, "/labels", "labels/index", |call| {
        Ok(answer::ok(&call.book.labels().map(answer::label).collect()))
    }),
    of(
        Action::AddToLists,
        POST,
        "/labels/add_entity_ids_to_label_names",
        "labels/add_entity_ids_to_label_names",
        |call| change_lists(call, Membership::Add),
    ),
    of(
        Action::RemoveFromLists,
        POST,
        "/labels/remove_entity_ids_from_label_names",
        "labels/remove_entity_ids_from_label_names",
        |call| change_lists(call, Membership::Remove),
    ),
    of(Action::ShowStages, GET, "/contact_stages", "contact_stages/index", |_| Ok(answer::ok(&team::stages()))),
    of(Action::Profile, GET, "/users/api_profile", "users/api_profile", |_| Ok(answer::ok(&team::profile()))),
    of(Action::Health, GET, "/auth/health", "auth/health", |_| Ok(health(true))),
];

const fn of(
    action: Action,
    methods: MethodFilter,
    path: &'static str,
    scope: &'static str,
    answer: fn(&mut Call<'_>) -> Result<Answer, Refusal>,
) -> Endpoint {
    Endpoint { action, methods, path, scope, answer }
}

/// Search results on a page when the request does not say.
const DEFAULT_PER_PAGE: usize = 25;
/// Search results on a page at most; asking for more gives this many.
const MAX_PER_PAGE: usize = 100;
/// The last page that search gives (vendor page: 50,000 records are 500 pages of 100).
const LAST_PAGE: usize = 500;

/// Answers whether the credential is a good one; this call never gives 401.
pub(super) fn health(logged_in: bool) -> Answer {
    answer::ok(&json!({ "healthy": true, "is_logged_in": logged_in }))
}

/// Says that the credential does not reach a scope.
pub(super) fn no_scope(scope: &str) -> Refusal {
    let error = format!("api/v1/{scope} is not accessible with this api_key");
    Refusal { status: 403, body: json!({ "error": error, "error_code": "API_INACCESSIBLE" }) }
}

impl Call<'_> {
    fn has(&self, quirk: Quirk) -> bool {
        self.options.quirks.has(quirk)
    }

    /// Reads the body of a create or an update, in the form that is stored.
    fn sent(&self) -> Result<Sent, Refusal> {
        let mut sent = Sent::read(self.body)?;
        // The credential may not see accounts, though it reaches the call itself.
        let names_account = sent.texts.get(&Text::AccountId).is_some_and(|id| !id.is_empty());
        if names_account && self.has(Quirk::ForbidsAccounts) {
            return Err(no_scope("accounts/show"));
        }
        self.options.quirks.fold(&mut sent);
        Ok(sent)
    }

    /// Shows a contact that was written.
    fn written(&self, contact: &Contact) -> Value {
        let mut shape = answer::contact_with_labels(self.book, contact, self.options.quirks);
        if self.has(Quirk::ErrorBesideContact) {
            shape["error"] = json!("Some values could not be processed.");
        }
        shape
    }

    /// Answers that a contact is not there, or shows the one that was deleted, with a mark.
    fn gone(&self, gone: Gone) -> Result<Answer, Refusal> {
        let deleted = self.book.deleted(self.id).filter(|_| matches!(gone, Gone::Deleted));
        let Some(deleted) = deleted.filter(|_| self.options.deleted_answer == DeletedAnswer::PersonDeleted) else {
            return Err(refuse(gone, self.id, self.options.deleted_answer));
        };
        let mut shape = answer::contact_with_labels(self.book, deleted, self.options.quirks);
        shape["contact"]["person_deleted"] = json!(true);
        Ok(answer::ok(&shape))
    }
}

/// Refuses an id; one of a deleted contact in the way that was chosen.
pub(super) fn refuse(gone: Gone, id: &str, deleted: DeletedAnswer) -> Refusal {
    let error = format!("The contact with ID {id} has been deleted.");
    match (gone, deleted) {
        (Gone::Malformed, _) => Refusal::invalid_id(id),
        (Gone::Unknown, _) | (_, DeletedAnswer::Unknown422) => {
            Refusal::error(422, format!("The contact with ID {id} does not exist."))
        }
        (Gone::Deleted, DeletedAnswer::Plain422) => Refusal::error(422, error),
        (Gone::Deleted, DeletedAnswer::NotFound404) => Refusal::error(404, error),
        (Gone::Deleted, DeletedAnswer::Gone410) => Refusal::error(410, error),
        (Gone::Deleted, DeletedAnswer::NamedIn422 | DeletedAnswer::PersonDeleted) => {
            let body = json!({ "error": error, "skip_alert_dialog": true, "deleted_contact_ids": [id] });
            Refusal { status: 422, body }
        }
    }
}

fn create(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let sent = call.sent()?;
    let Options { dedupe, witness, quirks, .. } = *call.options;
    if quirks.has(Quirk::CreatesGhosts) {
        let ghost = answer::contact(&call.book.ghost(&sent, call.now), quirks);
        let mut shape = json!({ "contact": ghost, "labels": [] });
        shape["contact"]["existence_level"] = json!("none");
        return Ok(answer::ok(&shape));
    }
    let Created { id, matched } = call.book.create(&sent, dedupe, call.now);
    let mut shape = call.written(call.book.known(&id));
    if let Some(key) = matched {
        if witness.is_dedupe_result() {
            shape["dedupe_result"] =
                json!({ "found_existing": true, "match_reason": key.reason(), "existing_contact_id": id });
        }
        if witness.is_was_existing() {
            shape["was_existing"] = json!(true);
        }
    }
    Ok(answer::ok(&shape))
}

fn update(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let mut sent = call.sent()?;
    call.options.quirks.keep_cleared(&mut sent);
    if call.has(Quirk::UpdatesNothing) {
        sent = Sent::default();
    }
    match call.book.update(call.id, &sent, call.now) {
        Ok(id) => Ok(answer::ok(&call.written(call.book.known(&id)))),
        Err(gone) => {
            if matches!(gone, Gone::Deleted) && call.options.deleted_answer == DeletedAnswer::PersonDeleted {
                call.book.update_deleted(call.id, &sent, call.now);
            }
            call.gone(gone)
        }
    }
}

fn view(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let Options { labels_in_view, quirks, .. } = *call.options;
    match call.book.contact(call.id) {
        Ok(found) if labels_in_view => Ok(answer::ok(&answer::contact_with_labels(call.book, found, quirks))),
        Ok(found) => Ok(answer::ok(&json!({ "contact": answer::contact(found, quirks) }))),
        Err(gone) => call.gone(gone),
    }
}

fn search(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let quirks = call.options.quirks;
    let body = Body::read(call.body)?;
    let keywords = Keywords::new(&body.text("q_keywords")?.unwrap_or_default(), quirks);
    let stages = body.texts("contact_stage_ids")?.unwrap_or_default();
    let labels = body.texts("contact_label_ids")?.unwrap_or_default();
    let page = body.ordinal("page", 1)?;
    let per_page = body.ordinal("per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE);
    if page > LAST_PAGE {
        return Err(Refusal::misconfigured(format_args!("page must not be greater than {LAST_PAGE}")));
    }
    let is_of = |wanted: &str, given: &[String]| given.iter().any(|given| given == wanted);
    let mut found = call.book.search(&keywords, call.now, |contact| {
        (stages.is_empty() || contact.text(Text::ContactStageId).is_some_and(|stage| is_of(stage, &stages)))
            && (labels.is_empty() || contact.label_ids.iter().any(|label| is_of(label, &labels)))
    });
    sort(&mut found, body.text("sort_by_field")?.as_deref(), body.flag("sort_ascending")?)?;
    let step = if quirks.has(Quirk::SearchRepeatsRows) { (per_page - 1).max(1) } else { per_page };
    let rows = found.iter().skip((page - 1) * step).take(per_page).map(|found| answer::row(found, quirks));
    let rows: Vec<Value> = rows.collect();
    if rows.is_empty() && quirks.has(Quirk::SearchBareWhenEmpty) {
        return Ok(answer::ok(&json!({ "breadcrumbs": [], "contacts": null })));
    }
    Ok(answer::ok(&json!({
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

fn change_lists(call: &mut Call<'_>, how: Membership) -> Result<Answer, Refusal> {
    let body = Body::read(call.body)?;
    let ids = body.texts("entity_ids")?.unwrap_or_default();
    let names = body.texts("label_names")?.unwrap_or_default();
    match body.text("modality")?.as_deref() {
        Some("contacts") => {}
        Some(other) => return Err(Refusal::misconfigured(format_args!("modality {other} is not known here"))),
        None => return Err(Refusal::misconfigured("modality is missing")),
    }
    if ids.is_empty() || names.is_empty() {
        return Ok(answer::ok(&json!({ "message": "Nothing to do: no records or no lists were given." })));
    }
    if how == Membership::Add && call.has(Quirk::ListAddRefused) {
        return Ok(answer::ok(&json!({ "success": false, "errors": ["The records could not be added."] })));
    }
    if how == Membership::Remove || !call.has(Quirk::ListAddIgnored) {
        call.book.change_lists(&ids, &names, how, call.now);
    }
    if body.flag("async")? {
        return Ok(answer::ok(&json!({ "entity_progress_job": answer::job(&ids, call.now) })));
    }
    let labels: Vec<Value> = call.book.labels_named(&names).map(answer::label).collect();
    Ok(answer::ok(&json!({ "labels": labels })))
}
