//! The answer to a request for many contacts: the rows it shows, and what keeps it from being a proof.
//!
//! Promises nothing of whom it does not show: rows come in any order, thin, and some may be missing. Which row is
//! whose is not decided here, nor what follows.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::Contact;
use super::complaint;
use super::error::Misread;
use super::json::{self, Object};
use super::lists::is_job;

/// What a request for many contacts was answered with.
///
/// Its status was a success, which proves nothing by itself: only what the rows show was done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchAnswer {
    /// Contacts that the answer shows, none twice, in no order that means anything.
    pub rows: Vec<Row>,
    /// Rows that show no contact: each may stand for any item of the request.
    pub unreadable: usize,
    /// What the answer complains of, by `error`, `errors` or `success: false`.
    pub complaint: Option<String>,
    /// Whether the work was only queued: nobody can ask when it is done.
    pub is_job: bool,
}

/// One contact of such an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What the row shows of the contact, which may be little: what it does not show is absent.
    pub contact: Contact,
    pub standing: Standing,
}

/// What the answer says of a row's contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The request made it.
    ///
    /// By the answer's word alone: a `created_at` that is older than the request says otherwise.
    Created,
    /// It was there before the request.
    Existing,
    /// It exists nowhere (`existence_level: none`), so nothing was made.
    ///
    /// Source: such rows were once answered with a success, and no search found them
    /// (`docs/api-notes.md#calls-for-many-contacts`).
    Nowhere,
}

impl BatchAnswer {
    /// Reads the answer to a create of many.
    ///
    /// A contact that is among the created and the existing ones counts as existing, and so does a created one whose
    /// row says that it matched.
    pub(super) fn read_created(text: &str) -> Result<Self, Misread> {
        Self::read(text, &[("existing_contacts", Standing::Existing), ("created_contacts", Standing::Created)])
    }

    /// Reads the answer to a change of many.
    pub(super) fn read_changed(text: &str) -> Result<Self, Misread> {
        Self::read(text, &[("contacts", Standing::Existing)])
    }

    /// Reads the rows under `members`, what stands first counts for a contact that is under two.
    ///
    /// An answer that has none of them, is no job and says nothing of it, is an answer to something else.
    fn read(text: &str, members: &[(&str, Standing)]) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        let mut read = Self { complaint: complaint::of(&answer), is_job: is_job(&answer), ..Self::default() };
        if !read.is_job && members.iter().all(|(name, _)| answer.raw(name).is_none()) {
            return Err(Misread::refused(&answer).unwrap_or(Misread::Lacks("no contacts")));
        }
        let mut seen = BTreeSet::new();
        for (name, standing) in members {
            for raw in answer.raw(name).map(rows).unwrap_or_default() {
                match Row::read(raw, *standing) {
                    Ok(row) if seen.insert(row.contact.id.clone()) => read.rows.push(row),
                    Ok(_) => {}
                    Err(_) => read.unreadable += 1,
                }
            }
        }
        Ok(read)
    }
}

impl Row {
    fn read(raw: &RawValue, standing: Standing) -> Result<Self, Misread> {
        let row = Object::of(raw).ok_or(Misread::Lacks("a contact that is no object"))?;
        let contact = Contact::row_of_batch(&row)?;
        let is_match =
            contact.was_existing == Some(true) || contact.dedupe.as_ref().is_some_and(|it| it.found_existing);
        let standing = match row.text("existence_level").as_deref() {
            Some("none") => Standing::Nowhere,
            _ if is_match => Standing::Existing,
            _ => standing,
        };
        Ok(Self { contact, standing })
    }
}

/// Returns the rows that a member holds: an array's items, an object's members, or the one row that it is itself.
///
/// Anything else but null stands for rows that cannot be read.
fn rows(raw: &RawValue) -> Vec<&RawValue> {
    if json::is_null(raw) {
        return Vec::new();
    }
    json::array(raw).unwrap_or_else(|| match Object::of(raw) {
        Some(object) if object.raw("id").is_none() => object.into_values(),
        _ => vec![raw],
    })
}

#[cfg(test)]
mod tests;
