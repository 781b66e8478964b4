//! One method per call of the API. Each sends at most one request and reads at most 8 MiB of its answer.
//!
//! Never retries, never waits for quota, never measures time.

use std::ops::Deref;

use reqwest::Method;

use super::{Answer, BatchAnswer, Call, Contact, Error, ListChange, Meta, Options, Reader, body};
use crate::model::{ApolloId, Endpoint};

/// The API as one team sees it, for those who may change it. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Client(Reader);

impl Deref for Client {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}

impl Client {
    /// Makes a client; see [`Reader::new`].
    pub fn new(options: Options) -> Result<Self, Error> {
        Reader::new(options).map(Self)
    }

    /// Creates a contact, or matches one if `body` asks for it: `POST /contacts`.
    ///
    /// `body` is sent as it is, so that what the journal holds is what was sent.
    pub async fn create_contact(&self, body: &str) -> Result<Answer<Contact>, Error> {
        self.send(Method::POST, &["contacts"], Some(body)).await?.read(Contact::read_created)
    }

    /// Writes the fields in `body` and no others: `PATCH /contacts/{id}`.
    pub async fn update_contact(&self, id: &ApolloId, body: &str) -> Result<Answer<Contact>, Error> {
        self.send(Method::PATCH, &["contacts", id.as_str()], Some(body)).await?.read(Contact::read)
    }

    /// Creates many contacts, or finds for each whom Apollo takes for the same: `POST /contacts/bulk_create`.
    ///
    /// `body` is what [`body::create_many`] writes. Whom the answer does not show, and all when it cannot be read, are
    /// in doubt.
    pub async fn create_contacts(&self, body: &str) -> Result<Answer<BatchAnswer>, Error> {
        let url = self.url(&["contacts", "bulk_create"]);
        self.send_for_many(url, body).await?.read(BatchAnswer::read_created)
    }

    /// Writes fields of many contacts, to each its own: `POST /contacts/bulk_update`.
    ///
    /// `body` is what [`body::update_many`] writes. Custom fields are not shown by the answer.
    pub async fn update_contacts(&self, body: &str) -> Result<Answer<BatchAnswer>, Error> {
        let url = self.url(&["contacts", "bulk_update"]);
        self.send_for_many(url, body).await?.read(BatchAnswer::read_changed)
    }

    /// Moves contacts to one stage: `POST /contacts/update_stages`.
    ///
    /// The page has the arguments in the query, and earlier ones and programs of the vendor's own have them in the
    /// body: they are sent in both places. With [`body::MOST_CONTACTS`] contacts the address has 4,400 characters.
    pub async fn update_stages(&self, ids: &[&ApolloId], stage: &str) -> Result<Answer<BatchAnswer>, Error> {
        self.update_stages_by(&[StagesBy::Query, StagesBy::Body], ids, stage).await
    }

    /// The same with the arguments in some `places` alone.
    pub(crate) async fn update_stages_by(
        &self,
        places: &[StagesBy],
        ids: &[&ApolloId],
        stage: &str,
    ) -> Result<Answer<BatchAnswer>, Error> {
        let mut url = self.url(&["contacts", "update_stages"]);
        if places.contains(&StagesBy::Query) {
            let named = ids.iter().map(|id| ("contact_ids[]", id.as_str()));
            url.query_pairs_mut().extend_pairs(named).append_pair("contact_stage_id", stage);
        }
        let is_in_body = places.contains(&StagesBy::Body);
        let body = if is_in_body { body::stages(ids.iter().copied(), stage) } else { "{}".to_owned() };
        self.send_for_many(url, &body).await?.read(BatchAnswer::read_changed)
    }

    /// Returns the error for a contact that the answer to a create of many does not show, and what that complains of.
    pub(crate) fn unshown(&self, meta: &Meta, complaint: Option<String>) -> Error {
        let call = Call { method: Method::POST, url: self.url(&["contacts", "bulk_create"]).as_str().into() };
        let message = complaint.map(String::into_boxed_str);
        Error::Unreadable { call, problem: "no row for this contact", message, meta: Box::new(meta.clone()) }
    }

    /// Puts contacts on lists or takes them off, as [`body::lists`] writes it.
    ///
    /// # Panics
    ///
    /// If `endpoint` is neither of the two list calls.
    pub async fn change_lists(&self, endpoint: Endpoint, body: &str) -> Result<Answer<ListChange>, Error> {
        let action = match endpoint {
            Endpoint::AddToLists => "add_entity_ids_to_label_names",
            Endpoint::RemoveFromLists => "remove_entity_ids_from_label_names",
            other => panic!("{other} is no list call"),
        };
        self.send_for_many(self.url(&["labels", action]), body).await?.read(ListChange::read)
    }
}

/// Where the arguments of a move to a stage stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StagesBy {
    Query,
    Body,
}

#[cfg(test)]
mod tests;
