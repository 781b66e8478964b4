//! An account made up of contacts that are known from elsewhere, each with its id, as if they had always been there.
//!
//! Stages and custom fields that they name and the team does not have are made.

use serde_json::Value;

use super::Error;
use super::answer;
use super::book::{Book, Seeded};
use super::sent::{Body, Refusal, Sent, Text, is_id};
use super::server::Server;
use crate::model::Timestamp;

impl Server {
    /// Adds contacts, each an object with `id`, the fields of a create, `contact_stage` and `custom_fields` by name; who
    /// is there already stays. Returns how many were added, once they are on the disk.
    pub async fn fill(&self, contacts: &[Value]) -> Result<usize, Error> {
        let (shared, mut added) = (self.shared(), Ok(0));
        let now = shared.now();
        let answer = shared
            .work(|desk| {
                added = fill(&mut desk.book, contacts, now);
                answer::ok(&Value::Null)
            })
            .await;
        let refused = |refusal: Refusal| Error::Fill { why: refusal.body.to_string() };
        if !answer.status().is_success() {
            return Err(Error::Fill { why: "what was added could not be kept".to_owned() });
        }
        added.map_err(refused)
    }
}

fn fill(book: &mut Book, contacts: &[Value], now: Timestamp) -> Result<usize, Refusal> {
    let (mut catalog, mut added) = (book.catalog().clone(), 0);
    for contact in contacts {
        let body = Body::read(contact.to_string().as_bytes())?;
        let id = body.text("id")?.filter(|id| is_id(id)).ok_or_else(|| Refusal::misconfigured("id is missing"))?;
        if book.contact(&id).is_ok() || book.deleted(&id).is_some() {
            continue;
        }
        let mut sent = Sent::of(&body)?;
        if let Some(stage) = body.text("contact_stage")? {
            sent.texts.insert(Text::ContactStageId, catalog.stage_named(&stage));
        }
        for (label, value) in body.texts_by_name("custom_fields")? {
            sent.custom_fields.extend(catalog.value_named(&label, &value));
        }
        if catalog != *book.catalog() {
            book.set_catalog(catalog.clone(), now);
        }
        book.seed_as(id, &sent, Seeded { created_at: None, additional_emails: Vec::new() }, now);
        added += 1;
    }
    Ok(added)
}
