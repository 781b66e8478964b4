//! One request of a call, and what the answers to several calls have in common.

use serde_json::{Value, json};

use super::action::Action;
use super::answer::{self, Answer};
use super::book::{Book, Gone};
use super::contact::Contact;
use super::counts::Counts;
use super::faults::{Dice, Fault};
use super::matching::MatchKey;
use super::options::{DeletedAnswer, Options, Witness};
use super::quirks::{MARK, Quirk};
use super::sent::{Body, Refusal, Sent, Text};
use crate::model::Timestamp;

/// One request for a call, and what it works on.
pub(super) struct Call<'a> {
    pub(super) action: Action,
    pub(super) book: &'a mut Book,
    pub(super) options: &'a Options,
    pub(super) dice: &'a mut Dice,
    pub(super) counts: &'a mut Counts,
    /// The contact that the path names, unchecked.
    pub(super) id: &'a str,
    /// What stands after the `?`, still encoded.
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    /// The date of what is written.
    pub(super) now: Timestamp,
}

impl Call<'_> {
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.options.quirks.has(quirk)
    }

    /// Reads the body of a create or an update, in the form that is stored.
    pub(super) fn sent(&self) -> Result<Sent, Refusal> {
        self.sent_of(&Body::read(self.body)?)
    }

    /// Reads what an object says of a contact, in the form that is stored.
    pub(super) fn sent_of(&self, body: &Body) -> Result<Sent, Refusal> {
        let mut sent = Sent::of(body)?;
        let is_marked = |text: &String| text.contains(MARK);
        if self.has(Quirk::RefusesMarked) && sent.texts.values().chain(sent.custom_fields.values()).any(is_marked) {
            return Err(Refusal::misconfigured(format_args!("a text with {MARK} cannot be accepted")));
        }
        // The credential may not see accounts, though it reaches the call itself.
        let names_account = sent.texts.get(&Text::AccountId).is_some_and(|id| !id.is_empty());
        if names_account && self.has(Quirk::ForbidsAccounts) {
            return Err(no_scope("accounts/show"));
        }
        self.options.quirks.fold(&mut sent);
        self.book.catalog().swallow(&mut sent);
        Ok(sent)
    }

    /// Draws what becomes of one of the contacts that the request is for.
    pub(super) fn strike_item(&mut self) -> Option<Fault> {
        let fault = self.dice.draw_item(self.action)?;
        self.counts.count_fault(fault);
        Some(fault)
    }

    /// Shows what was written, with a complaint where that is a habit.
    pub(super) fn with_complaint(&self, mut shape: Value) -> Value {
        if self.has(Quirk::ErrorBesideContact) {
            shape["error"] = json!("Some values could not be processed.");
        }
        shape
    }

    /// Shows a contact that was written.
    pub(super) fn written(&self, contact: &Contact) -> Value {
        self.with_complaint(answer::contact_with_labels(self.book, contact, self.options.quirks))
    }

    /// Answers that a contact is not there, or shows the one that was deleted, with a mark.
    pub(super) fn gone(&self, gone: Gone) -> Result<Answer, Refusal> {
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

/// Shows that a create has matched contact `id`, as far as that is shown.
pub(super) fn bear_witness(shape: &mut Value, id: &str, key: &MatchKey, witness: Witness) {
    if witness.is_dedupe_result() {
        shape["dedupe_result"] =
            json!({ "found_existing": true, "match_reason": key.reason(), "existing_contact_id": id });
    }
    if witness.is_was_existing() {
        shape["was_existing"] = json!(true);
    }
}

/// Says that the credential does not reach a scope.
pub(super) fn no_scope(scope: &str) -> Refusal {
    let error = format!("api/v1/{scope} is not accessible with this api_key");
    Refusal { status: 403, body: json!({ "error": error, "error_code": "API_INACCESSIBLE" }) }
}
