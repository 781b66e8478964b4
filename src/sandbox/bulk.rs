//! The calls for many contacts: rows are thin and in an order that means nothing, and one bad item refuses all.
//!
//! Items lack what the vendor's pages lack: lists, phones by kind and `website_url`, of updates the stage as well. Sent
//! all the same, they are ignored without a word.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::answer::{self, Answer};
use super::book::{Created, Gone, Membership};
use super::call::{Call, bear_witness, refuse};
use super::faults::Fault;
use super::options::{DedupeReading, DeletedAnswer};
use super::quirks::Quirk;
use super::sent::{Body, Refusal, Sent, Text, is_id};

/// Contacts in a create at most; an update of more becomes a job.
const MOST_AT_ONCE: usize = 100;
/// Contacts in an update at most.
const MOST_UPDATES: usize = 1000;

/// Makes contacts, or finds for each whom it matches.
pub(super) fn create(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let body = Body::read(call.body)?;
    // The vendor's page asks for `contacts` and words the refusal like this.
    let items = body.objects("contacts")?.ok_or_else(|| missing("contact_attributes"))?;
    let (lists, run_dedupe) = (body.texts("append_label_names")?.unwrap_or_default(), body.flag("run_dedupe")?);
    if items.is_empty() && call.has(Quirk::BulkEmptyRefused) {
        return Err(missing("contact_attributes"));
    }
    check_size(&items, MOST_AT_ONCE)?;
    let (items, refused) = read_items(call, &items, |call, item| {
        let sent = Sent { run_dedupe, ..carried(call.sent_of(item)?) };
        // Where items do not match each other, whom they match is settled before any of them is made.
        let matched = call.has(Quirk::BulkTwinsMade).then(|| call.book.match_of(&sent, call.now));
        Ok((sent, matched))
    })?;
    let reading =
        if call.has(Quirk::BulkOverwrites) { DedupeReading::Overwrite } else { DedupeReading::ReturnExisting };
    let (mut on_lists, mut shown, mut ghosts) = (Vec::new(), Vec::new(), Vec::new());
    for (sent, matched) in items {
        let struck = call.strike_item();
        if call.has(Quirk::CreatesGhosts) || struck == Some(Fault::ItemGhost) {
            ghosts.push(call.book.ghost(&sent, call.now));
            continue;
        }
        if struck == Some(Fault::ItemUndone) {
            continue;
        }
        let matched = matched.unwrap_or_else(|| call.book.match_of(&sent, call.now));
        let created = call.book.create_or_match(&sent, matched, reading, call.now);
        if created.matched.is_none() || !call.has(Quirk::AppendSkipsMatches) {
            on_lists.push(created.id.clone());
        }
        shown.extend((struck != Some(Fault::ItemLeftOut)).then_some(created));
    }
    if !lists.is_empty() {
        call.book.change_lists(&on_lists, &lists, Membership::Add, call.now);
    }
    if let Some(refused) = refused {
        return Err(refused);
    }
    if call.has(Quirk::BulkAnswersJobs) {
        return Ok(answer::ok(&answer::bulk_job("contact_bulk_create", &[], call.now)));
    }
    let (mut created, mut existing) = (Vec::new(), Vec::new());
    for Created { id, matched } in shown {
        let mut row = answer::thin_row(call.book.known(&id), call.options.quirks);
        match matched {
            Some(key) if call.has(Quirk::BulkMatchesAmongCreated) => {
                bear_witness(&mut row, &id, &key, call.options.witness);
                created.push(row);
            }
            Some(_) => existing.push(row),
            None => created.push(row),
        }
    }
    for ghost in ghosts {
        let mut row = answer::thin_row(&ghost, call.options.quirks);
        row["existence_level"] = json!("none");
        created.push(row);
    }
    call.dice.shuffle(&mut created);
    call.dice.shuffle(&mut existing);
    let shape = json!({ "created_contacts": created, "existing_contacts": existing });
    Ok(answer::ok(&call.with_complaint(shape)))
}

/// Writes to each contact what its item says.
pub(super) fn update(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let body = Body::read(call.body)?;
    let items = body.objects("contact_attributes")?.ok_or_else(|| missing("contact_attributes"))?;
    check_size(&items, MOST_UPDATES)?;
    let is_job = body.flag("async")? || items.len() > MOST_AT_ONCE;
    let (changes, refused) = read_items(call, &items, |call, item| {
        let id = item.text("id")?.ok_or_else(|| missing("id"))?;
        match check_contact(call, &id) {
            Ok(is_there) => {
                let mut sent = carried(call.sent_of(item).map_err(|refusal| details(call, &id, item, &refusal))?);
                sent.texts.remove(&Text::ContactStageId);
                call.options.quirks.keep_cleared(&mut sent);
                Ok((id, is_there.then_some(sent)))
            }
            Err(refusal) => Err(with_details(refusal, &id, "id")),
        }
    })?;
    write(call, changes, refused, |call, ids| {
        if is_job || call.has(Quirk::BulkAnswersJobs) {
            return answer::bulk_job("contact_bulk_update", &ids, call.now);
        }
        let mut rows: Vec<_> = ids.iter().filter_map(|id| row(call, id, answer::thin_row)).collect();
        call.dice.shuffle(&mut rows);
        call.with_complaint(json!({ "contacts": rows }))
    })
}

/// Moves contacts to one stage; what the query does not say is taken from the body.
pub(super) fn update_stages(call: &mut Call<'_>) -> Result<Answer, Refusal> {
    let body = if call.body.trim_ascii().is_empty() { Body::read(b"{}")? } else { Body::read(call.body)? };
    let said = |names: &[&str]| -> Vec<String> {
        let pairs = form_urlencoded::parse(call.query.as_bytes());
        pairs.filter(|(name, _)| names.contains(&&**name)).map(|(_, value)| value.into_owned()).collect()
    };
    let mut ids = said(&["contact_ids[]", "contact_ids"]);
    if ids.is_empty() {
        ids = body.texts("contact_ids")?.unwrap_or_default();
    }
    let stage = match said(&["contact_stage_id"]).pop() {
        Some(stage) => Some(stage),
        None => body.text("contact_stage_id")?,
    };
    let stage = stage.ok_or_else(|| missing("contact_stage_id"))?;
    if ids.is_empty() {
        return Err(missing("contact_ids"));
    }
    if !is_id(&stage) {
        return Err(Refusal::invalid_id(&stage));
    }
    let sent = Sent { texts: [(Text::ContactStageId, stage)].into(), ..Sent::default() };
    let (changes, refused) =
        read_items(call, &ids, |call, id| Ok((id.clone(), check_contact(call, id)?.then(|| sent.clone()))))?;
    write(call, changes, refused, |call, ids| {
        if call.has(Quirk::BulkAnswersJobs) {
            return answer::bulk_job("contact_update_stages", &ids, call.now);
        }
        let mut rows: Vec<_> = ids.iter().filter_map(|id| row(call, id, answer::contact)).collect();
        call.dice.shuffle(&mut rows);
        call.with_complaint(json!({ "contacts": rows }))
    })
}

/// Writes changes and answers for those that the answer shows; a refusal comes after what stood before it is done.
fn write(
    call: &mut Call<'_>,
    changes: Vec<(String, Option<Sent>)>,
    refused: Option<Refusal>,
    shape: impl FnOnce(&mut Call<'_>, Vec<String>) -> Value,
) -> Result<Answer, Refusal> {
    let mut shown = Vec::new();
    for (id, sent) in changes {
        let struck = call.strike_item();
        let Some(mut sent) = sent.filter(|_| struck != Some(Fault::ItemUndone)) else { continue };
        if call.has(Quirk::UpdatesNothing) {
            sent = Sent::default();
        }
        if call.book.update(&id, &sent, call.now).is_err() {
            call.book.update_deleted(&id, &sent, call.now);
        }
        shown.extend((struck != Some(Fault::ItemLeftOut)).then_some(id));
    }
    match refused {
        Some(refused) => Err(refused),
        None => Ok(answer::ok(&shape(call, shown))),
    }
}

/// Reads every item, or those before a bad one with what is said of that.
fn read_items<T, R>(
    call: &Call<'_>,
    items: &[T],
    read: impl Fn(&Call<'_>, &T) -> Result<R, Refusal>,
) -> Result<(Vec<R>, Option<Refusal>), Refusal> {
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        match read(call, item) {
            Ok(item) => done.push(item),
            Err(refusal) => {
                let is_silent = refusal.status == 422 && call.has(Quirk::BulkRefusalsSilent);
                let refusal = if is_silent { Refusal::error(422, "Parameters misconfigured.") } else { refusal };
                return if call.has(Quirk::BulkRefusedHalfDone) { Ok((done, Some(refusal))) } else { Err(refusal) };
            }
        }
    }
    Ok((done, None))
}

/// Takes out of an item what items cannot carry.
fn carried(mut sent: Sent) -> Sent {
    sent.texts.remove(&Text::WebsiteUrl);
    Sent { phones: BTreeMap::new(), label_names: None, ..sent }
}

/// Reports whether a change of contact `id` is to be carried out, or refuses the request for it.
fn check_contact(call: &Call<'_>, id: &str) -> Result<bool, Refusal> {
    let deleted_answer = call.options.deleted_answer;
    match (call.book.contact(id), deleted_answer) {
        (Ok(_), _) | (Err(Gone::Deleted), DeletedAnswer::PersonDeleted) => Ok(true),
        (Err(_), _) if call.has(Quirk::BulkIgnoresGone) => Ok(false),
        // A status speaks of the whole request, so it cannot say that one contact is gone.
        (Err(gone), DeletedAnswer::NotFound404 | DeletedAnswer::Gone410) => {
            Err(refuse(gone, id, DeletedAnswer::Plain422))
        }
        (Err(gone), _) => Err(refuse(gone, id, deleted_answer)),
    }
}

/// Shows a contact, one that was deleted with a mark.
fn row(call: &Call<'_>, id: &str, shape: fn(&super::contact::Contact, super::Quirks) -> Value) -> Option<Value> {
    if let Ok(found) = call.book.contact(id) {
        return Some(shape(found, call.options.quirks));
    }
    let mut row = shape(call.book.deleted(id)?, call.options.quirks);
    row["person_deleted"] = json!(true);
    Some(row)
}

/// Adds to a refusal which contact of an update it is about, and the field of its item that alone is refused.
fn details(call: &Call<'_>, id: &str, item: &Body, refusal: &Refusal) -> Refusal {
    let bad = item.one_by_one().find(|(_, member)| call.sent_of(member).is_err());
    with_details(refusal.clone(), id, bad.map_or("id", |(name, _)| name))
}

/// Says in the documented form which contact and field of an update a refusal is about.
fn with_details(mut refusal: Refusal, id: &str, field: &str) -> Refusal {
    if refusal.status == 422 {
        let message = std::mem::replace(&mut refusal.body["error"], json!("Validation failed."));
        refusal.body["error_details"] = json!({ "contact_id": id, "field": field, "message": message });
    }
    refusal
}

fn check_size(items: &[Body], most: usize) -> Result<(), Refusal> {
    match items.len() {
        count if count > most => {
            Err(Refusal::misconfigured(format_args!("{count} contacts are more than the {most} of one request")))
        }
        _ => Ok(()),
    }
}

fn missing(name: &str) -> Refusal {
    Refusal::misconfigured(format_args!("{name} is missing"))
}
