//! One method per call of the API. Each sends at most one request and reads at most 8 MiB of its answer.
//!
//! Never retries, never waits for quota, never measures time.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::cleaner::Cleaner;
use super::error::Misread;
use super::received::{End, MAX_BODY_BYTES, Received};
use super::search::PER_PAGE;
use super::{Answer, Call, Contact, Error, ListChange, Meta, Options, Profile, Refusal, SearchPage, body};
use crate::model::{ApolloId, Endpoint};

/// The API as one team sees it. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: Url,
    cleaner: Cleaner,
}

impl Client {
    /// Makes a client without sending anything.
    ///
    /// Refuses plain HTTP to any host but this machine, base URLs that hold more than an address,
    /// and credentials that no header can carry.
    pub fn new(options: Options) -> Result<Self, Error> {
        let http = options.http()?;
        Ok(Self { http, base_url: options.base_url, cleaner: Cleaner::new(options.credential.secret().clone()) })
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

    /// Reads one contact: `GET /contacts/{id}`.
    pub async fn view_contact(&self, id: &ApolloId) -> Result<Answer<Contact>, Error> {
        self.send(Method::GET, &["contacts", id.as_str()], None).await?.read(Contact::read)
    }

    /// Reads page `page`, counted from 1, of the contacts that match `keywords`: `POST /contacts/search`.
    pub async fn search_contacts(&self, keywords: &str, page: u32) -> Result<Answer<SearchPage>, Error> {
        let body = body::search(keywords, page, PER_PAGE);
        let reply = self.send(Method::POST, &["contacts", "search"], Some(&body)).await?;
        reply.read(|text| SearchPage::read(text, page))
    }

    /// Reads page `page`, counted from 1, of all contacts, those made last first: `POST /contacts/search`.
    pub async fn newest_contacts(&self, page: u32) -> Result<Answer<SearchPage>, Error> {
        let body = body::newest(page, PER_PAGE);
        let reply = self.send(Method::POST, &["contacts", "search"], Some(&body)).await?;
        reply.read(|text| SearchPage::read(text, page))
    }

    /// Reads who the credential acts as: `GET /users/api_profile`.
    pub async fn profile(&self) -> Result<Answer<Profile>, Error> {
        self.send(Method::GET, &["users", "api_profile"], None).await?.read(Profile::read)
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
        self.send(Method::POST, &["labels", action], Some(body)).await?.read(ListChange::read)
    }

    async fn send(&self, method: Method, path: &[&str], body: Option<&str>) -> Result<Reply, Error> {
        let url = self.url(path);
        let call = Call { method: method.clone(), url: url.as_str().into() };
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body.to_owned());
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(source) => return Err(Error::lost(call, None, source)),
        };
        self.cleaner.headers(response.headers_mut());
        let meta = Meta::read(response.status(), response.headers());
        tracing::debug!(%call, meta.status, meta.request_id, "answered");
        let is_html = response.headers().get(CONTENT_TYPE).is_some_and(names_html);
        let success = response.status().is_success();
        let Received { body: received, end } = Received::all_of(response).await;
        let received = self.cleaner.body(received, !matches!(end, End::Whole));
        if !success {
            // The status decides, so a body that did not arrive whole only costs words of the message.
            let text = String::from_utf8_lossy(&received);
            return Err(Error::Status(Box::new(Refusal::read(call, meta, &text, is_html, body))));
        }
        match end {
            End::Whole => Ok(Reply { call, meta, body: received }),
            End::TooLarge => Err(Error::TooLarge { call, limit_bytes: MAX_BODY_BYTES, meta: Box::new(meta) }),
            End::Lost(source) => Err(Error::lost(call, Some(meta), source)),
            End::Cut(source) => Err(Error::misread(call, meta, Misread::Cut(source.into()))),
            End::Undecodable => {
                Err(Error::misread(call, meta, Misread::Lacks("a compressed body that cannot be read")))
            }
        }
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("a URL with a host has a path").pop_if_empty().extend(path);
        url
    }
}

/// A success by its status, its whole body received.
struct Reply {
    call: Call,
    meta: Meta,
    body: Vec<u8>,
}

impl Reply {
    fn read<T>(self, read: impl FnOnce(&str) -> Result<T, Misread>) -> Result<Answer<T>, Error> {
        let Self { call, meta, body } = self;
        let value = match std::str::from_utf8(&body) {
            Ok(text) => read(text),
            Err(cut) if cut.error_len().is_none() => Err(Misread::Cut(cut.into())),
            Err(_) => Err(Misread::Lacks("bytes that are no UTF-8")),
        };
        match value {
            Ok(value) => Ok(Answer { value, meta }),
            Err(misread) => Err(Error::misread(call, meta, misread)),
        }
    }
}

/// Reports whether a `Content-Type` is that of a page for browsers.
fn names_html(content_type: &HeaderValue) -> bool {
    content_type.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains("html"))
}

#[cfg(test)]
mod tests;
