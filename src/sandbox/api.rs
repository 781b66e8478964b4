//! The calls themselves: a body in, an answer out, with the book in between.
//!
//! Knows nothing of connections, credentials, quota and faults, which `gate.rs` has dealt with.

use axum::routing::MethodFilter;
use serde_json::{Value, json};

use super::action::Action;
use super::answer::{self, Answer};
use super::book::{Created, Gone, Membership};
use super::bulk;
use super::call::{Call, bear_witness, no_scope};
use super::contact::Contact;
use super::faults::Fault;
use super::options::{DeletedAnswer, Options};
use super::quirks::Quirk;
use super::search_view::Keywords;
use super::sent::{Body, Refusal, Sent, Text};
use super::team;

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

const GET: MethodFilter = MethodFilter::GET;
const POST: MethodFilter = MethodFilter::POST;
/// PUT is the older documentation's method and still in use.
const CHANGE: MethodFilter = MethodFilter::PATCH.or(MethodFilter::PUT);

/// Every call there is.
pub(super) static ENDPOINTS: [Endpoint; 16] = [
    of(Action::Create, POST, "/contacts", "contacts/create", create),
    of(Action::BulkCreate, POST, "/contacts/bulk_create", "contacts/bulk_create", bulk::create),
    of(Action::BulkUpdate, POST, "/contacts/bulk_update", "contacts/bulk_update", bulk::update),
    of(Action::UpdateStages, POST, "/contacts/update_stages", "contacts/update_stages", bulk::update_stages),
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
    of(Action::ShowStages, GET, "/contact_stages", "contact_stages/index", |call| {
        Ok(answer::ok(&call.book.catalog().stages()))
    }),
    of(Action::ShowCustomFields, GET, "/typed_custom_fields", "typed_custom_fields/index", |call| {
        Ok(answer::ok(&call.book.catalog().typed_custom_fields()))
    }),
    of(Action::ShowFields, GET, "/fields", "fields/index", |call| {
        Ok(answer::ok(&call.book.catalog().fields(call.query)))
    }),
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
        bear_witness(&mut shape, &id, &key, witness);
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
    let told =
        |number: usize| if quirks.has(Quirk::SearchCountsAsText) { json!(number.to_string()) } else { json!(number) };
    Ok(answer::ok(&json!({
        "breadcrumbs": [],
        "partial_results_only": false,
        "has_join": false,
        "disable_eu_prospecting": false,
        "partial_results_limit": 10000,
        "num_fetch_result": null,
        "pagination": {
            "page": told(page),
            "per_page": told(per_page),
            "total_entries": told(found.len()),
            "total_pages": told(found.len().div_ceil(per_page)),
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
    let ids: Vec<_> = ids.into_iter().filter(|_| call.strike_item() != Some(Fault::ItemUndone)).collect();
    if how == Membership::Remove || !call.has(Quirk::ListAddIgnored) {
        call.book.change_lists(&ids, &names, how, call.now);
    }
    if body.flag("async")? {
        return Ok(answer::ok(&json!({ "entity_progress_job": answer::job(&ids, call.now) })));
    }
    let labels: Vec<Value> = call.book.labels_named(&names).map(answer::label).collect();
    Ok(answer::ok(&json!({ "labels": labels })))
}
