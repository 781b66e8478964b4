//! A contact as the API answers it: what it shows of the fields that files can declare.
//!
//! Only the id is required. What an answer does not show is absent here, never guessed.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::complaint;
use super::error::Misread;
use super::excerpt::excerpt;
use super::json::{self, Object};
use super::phone::Phone;
use crate::model::{ApolloId, CustomFieldId, Field, Fields, TEXT_FIELDS, Timestamp, Value, fold_email};

/// One contact of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: ApolloId,
    pub created_at: Option<Timestamp>,
    /// When it was changed last, by the server's clock.
    pub updated_at: Option<Timestamp>,
    /// Every e-mail the answer shows, the primary one first, none twice.
    pub emails: Vec<String>,
    /// The fields that the answer shows with one text each; `""` where it shows null.
    ///
    /// Never `website_url` (the API does not show it), lists (see `label_names`) or phones (see
    /// [`Contact::shows_phone`]). Custom fields are the texts shown; numbers and booleans letter
    /// for letter; an empty array is `""`, one item is that item, and several are left out, since
    /// no source says how one text encodes them.
    pub readable: Fields,
    pub phones: Vec<Phone>,
    /// The names of the lists the contact is on; `None` when the answer does not show them, as
    /// search results do not.
    pub label_names: Option<Vec<String>>,
    /// Complaints about custom fields, by id; a complaint of unknown form has an empty id.
    pub custom_field_errors: Vec<(String, String)>,
    /// What the server says of a match. Absence proves nothing: the vendor's schema lacks it.
    pub dedupe: Option<DedupeResult>,
    /// The server's other word on a match, `was_existing`. Absence proves nothing here either.
    pub was_existing: Option<bool>,
    /// The ids of the lists the contact is on; `None` when the answer does not show them.
    pub label_ids: Option<Vec<String>>,
    /// Whether the answer says that the contact was deleted in Apollo.
    pub person_deleted: bool,
    /// What the answer complains of beside the contact, fit for a terminal.
    pub complaint: Option<String>,
    /// Custom fields that the answer shows in a form that no one text stands for, as several picked values.
    pub in_other_form: BTreeSet<Field>,
    /// Whether it is a row of an answer about many that shows no custom fields at all: what these hold is unknown.
    pub leaves_custom_out: bool,
}

/// The server's word on whether a create matched a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DedupeResult {
    pub found_existing: bool,
    /// `email_match` is the only documented reason.
    pub match_reason: Option<String>,
    pub existing_contact_id: Option<String>,
}

impl Contact {
    /// Makes a contact of which an answer shows its id alone.
    #[cfg(test)]
    pub(crate) fn bare(id: ApolloId) -> Self {
        Self {
            id,
            created_at: None,
            updated_at: None,
            emails: Vec::new(),
            readable: Fields::default(),
            phones: Vec::new(),
            label_names: None,
            custom_field_errors: Vec::new(),
            dedupe: None,
            was_existing: None,
            label_ids: None,
            person_deleted: false,
            complaint: None,
            in_other_form: BTreeSet::new(),
            leaves_custom_out: false,
        }
    }

    /// Reads the answer to a create, an update or a view.
    pub(super) fn read(text: &str) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        let Some(contact) = answer.object("contact") else {
            return Err(Misread::refused(&answer).unwrap_or(Misread::Lacks("no contact")));
        };
        let mut contact_read = Self::of(&contact, answer.objects("labels").as_deref())?;
        // No source promises where the witnesses of a match stand.
        contact_read.note_match(&[&answer, &contact]);
        contact_read.complaint = complaint::of(&answer);
        Ok(contact_read)
    }

    /// Reads one row of the answer to a request for many contacts, which says all it says of the contact by itself.
    pub(super) fn row_of_batch(row: &Object) -> Result<Self, Misread> {
        let mut contact = Self::of(row, None)?;
        contact.note_match(&[row]);
        contact.complaint = complaint::of(row);
        contact.leaves_custom_out = row.raw("typed_custom_fields").is_none();
        Ok(contact)
    }

    /// Notes what the first of `places` that does so says of a match.
    fn note_match(&mut self, places: &[&Object]) {
        self.dedupe = places.iter().find_map(|place| place.object("dedupe_result")).map(|result| dedupe(&result));
        self.was_existing = places.iter().find_map(|place| place.raw("was_existing").and_then(flag));
    }

    /// Reads the answer to a create, in which a contact that exists nowhere is no contact.
    ///
    /// Source: creates were once answered with ghosts that no search finds (`docs/api-notes.md#create`).
    pub(super) fn read_created(text: &str) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        let level = answer.object("contact").and_then(|contact| contact.text("existence_level"));
        match level.as_deref() {
            Some("none") => Err(Misread::Lacks("a contact that does not exist")),
            _ => Self::read(text),
        }
    }

    /// Reads one row of search results.
    pub(super) fn row(raw: &RawValue) -> Result<Self, Misread> {
        let row = Object::of(raw).ok_or(Misread::Lacks("a contact that is no object"))?;
        Ok(Self { leaves_custom_out: row.raw("typed_custom_fields").is_none(), ..Self::of(&row, None)? })
    }

    fn of(contact: &Object, labels: Option<&[Object]>) -> Result<Self, Misread> {
        let id = contact.text("id").and_then(|id| ApolloId::parse(&id));
        Ok(Self {
            id: id.ok_or(Misread::Lacks("a contact without an id"))?,
            created_at: contact.text("created_at").and_then(|text| time(&text)),
            updated_at: contact.text("updated_at").and_then(|text| time(&text)),
            emails: emails(contact),
            readable: readable(contact),
            phones: phones(contact),
            label_names: label_names(contact, labels),
            custom_field_errors: custom_field_errors(contact),
            dedupe: None,
            was_existing: None,
            label_ids: contact.texts("label_ids"),
            person_deleted: contact.raw("person_deleted").and_then(flag).unwrap_or_default(),
            complaint: None,
            in_other_form: in_other_form(contact),
            leaves_custom_out: false,
        })
    }

    /// Reports whether the answer shows `number`, whatever its kind and however it is written.
    ///
    /// Compares with the numbers as entered and as Apollo understood them. Doubt is "no", and so
    /// is a number without digits.
    pub fn shows_phone(&self, number: &str) -> bool {
        self.phones.iter().any(|phone| phone.is(number))
    }

    /// Reports whether the answer shows `email` among the contact's, however it is written.
    pub fn has_email(&self, email: &str) -> bool {
        let email = fold_email(email);
        self.emails.iter().any(|shown| fold_email(shown) == email)
    }
}

/// Reads a flag, written as one or as its word or digit.
fn flag(raw: &RawValue) -> Option<bool> {
    json::boolean(raw).or_else(|| match json::text(raw)?.trim().to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    })
}

/// Lists the custom fields that are there and that [`readable`] leaves out.
fn in_other_form(contact: &Object) -> BTreeSet<Field> {
    let custom = contact.object("typed_custom_fields");
    let unread = custom.iter().flat_map(Object::members).filter(|(_, raw)| custom_text(raw).is_none());
    unread.filter_map(|(id, _)| CustomFieldId::parse(id).map(Field::Custom)).collect()
}

fn time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or_default()))
}

fn emails(contact: &Object) -> Vec<String> {
    let more = contact.objects("contact_emails").unwrap_or_default();
    let mut emails: Vec<String> = Vec::new();
    for email in contact.text("email").into_iter().chain(more.iter().filter_map(|item| item.text("email"))) {
        let new = emails.iter().all(|known| fold_email(known) != fold_email(&email));
        if new && !email.trim().is_empty() {
            emails.push(email);
        }
    }
    emails
}

fn readable(contact: &Object) -> Fields {
    let named = TEXT_FIELDS.into_iter().filter(|field| *field != Field::WebsiteUrl && !field.is_phone());
    let named = named.filter_map(|field| {
        let text = text_or_empty(contact.raw(field.api_name())?)?;
        Some((field, Value::Text(text)))
    });
    let custom = contact.object("typed_custom_fields");
    let custom = custom
        .iter()
        .flat_map(Object::members)
        .filter_map(|(id, raw)| Some((Field::Custom(CustomFieldId::parse(id)?), Value::Text(custom_text(raw)?))));
    named.chain(custom).collect()
}

fn text_or_empty(raw: &RawValue) -> Option<String> {
    if json::is_null(raw) { Some(String::new()) } else { json::text(raw) }
}

/// Returns the text of a custom field's value; `None` for what no one text stands for.
fn custom_text(raw: &RawValue) -> Option<String> {
    if let Some(items) = json::array(raw) {
        return match items.as_slice() {
            [] => Some(String::new()),
            [item] => scalar(item),
            _ => None,
        };
    }
    scalar(raw)
}

fn scalar(raw: &RawValue) -> Option<String> {
    let nested = raw.get().starts_with(['[', '{']);
    text_or_empty(raw).or_else(|| (!nested && !raw.get().starts_with('"')).then(|| raw.get().to_owned()))
}

fn phones(contact: &Object) -> Vec<Phone> {
    let items = contact.objects("phone_numbers").unwrap_or_default();
    items
        .iter()
        .map(|item| Phone {
            raw: item.text("raw_number").unwrap_or_default(),
            sanitized: item.text("sanitized_number").filter(|number| !number.is_empty()),
            kind: item.text("type"),
        })
        .filter(|phone| !phone.raw.is_empty() || phone.sanitized.is_some())
        .collect()
}

/// Returns the names of the contact's lists: those of `labels` that its `label_ids` name.
fn label_names(contact: &Object, labels: Option<&[Object]>) -> Option<Vec<String>> {
    let ids = contact.texts("label_ids");
    // No ids is an answer by itself, even where names are not shown.
    if ids.as_ref().is_some_and(Vec::is_empty) {
        return Some(Vec::new());
    }
    let of_contact = |label: &&Object| match &ids {
        Some(ids) => {
            label.text("id").is_some_and(|id| ids.iter().any(|of_contact| of_contact.eq_ignore_ascii_case(&id)))
        }
        None => label.text("modality").is_none_or(|modality| modality == "contacts"),
    };
    Some(labels?.iter().filter(of_contact).filter_map(|label| label.text("name")).collect())
}

/// Reads complaints about custom fields, whose form no source shows: nothing that is there is left out.
fn custom_field_errors(contact: &Object) -> Vec<(String, String)> {
    let Some(raw) = contact.raw("custom_field_errors") else { return Vec::new() };
    let shown = |raw: &RawValue| excerpt(&json::text(raw).unwrap_or_else(|| raw.get().to_owned()));
    if let Some(by_field) = Object::of(raw) {
        return by_field.members().map(|(id, complaint)| (id.to_owned(), shown(complaint))).collect();
    }
    let none = json::is_null(raw) || json::array(raw).is_some_and(|items| items.is_empty());
    if none || json::boolean(raw) == Some(false) { Vec::new() } else { vec![(String::new(), shown(raw))] }
}

fn dedupe(result: &Object) -> DedupeResult {
    let existing_contact_id = result.text("existing_contact_id").map(|id| excerpt(&id).to_ascii_lowercase());
    // A flag that cannot be read is taken as set when the result names a contact: a match that is
    // missed would be recorded as our own creation.
    let found = result.raw("found_existing").and_then(json::boolean).unwrap_or(existing_contact_id.is_some());
    DedupeResult { found_existing: found, match_reason: result.text("match_reason"), existing_contact_id }
}

#[cfg(test)]
mod tests;
