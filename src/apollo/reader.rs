//! What can be asked of the API without changing anything, and how any request is sent.
//!
//! One method per call. Outside of this module nobody can send by it what changes something.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use url::Url;

use super::cleaner::Cleaner;
use super::error::Misread;
use super::names;
use super::received::{End, MAX_BODY_BYTES, Received};
use super::search::PER_PAGE;
use super::{Answer, Call, Contact, Error, Meta, Options, Order, Profile, Refusal, SearchPage, body};
use crate::model::{ApolloId, CustomField, List, Stage};

/// The API as one team sees it, for those who only look. Cloning shares the connections.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(super) http: reqwest::Client,
    pub(super) base_url: Url,
    /// The longest time for a request for many contacts.
    pub(super) many_timeout: Duration,
    pub(super) cleaner: Cleaner,
}

/// How many times as long as another a request for many contacts may take.
///
/// It may take the server minutes, and an answer that is not waited for leaves all of them in doubt.
/// Source: the vendor's pages on changes of lists, 300 seconds (`docs/api-notes.md#calls-for-many-contacts`).
const MANY_TIMES_AS_LONG: u32 = 5;

impl Reader {
    /// Makes a reader without sending anything.
    ///
    /// Refuses plain HTTP to any host but this machine, base URLs that hold more than an address,
    /// and credentials that no header can carry.
    pub fn new(options: Options) -> Result<Self, Error> {
        let http = options.http()?;
        let many_timeout = options.request_timeout.saturating_mul(MANY_TIMES_AS_LONG);
        let cleaner = Cleaner::new(options.credential.secret().clone());
        Ok(Self { http, base_url: options.base_url, many_timeout, cleaner })
    }

    /// Reads one contact: `GET /contacts/{id}`.
    pub async fn view_contact(&self, id: &ApolloId) -> Result<Answer<Contact>, Error> {
        self.send(Method::GET, &["contacts", id.as_str()], None).await?.read(Contact::read)
    }

    /// Reads the stages that a contact can be in: `GET /contact_stages`.
    pub async fn stages(&self) -> Result<Answer<Vec<Stage>>, Error> {
        self.send(Method::GET, &["contact_stages"], None).await?.read(names::stages)
    }

    /// Reads all custom fields with the options of picklists and the limits of texts: `GET /typed_custom_fields`.
    ///
    /// The page calls it deprecated; the one that takes its place shows neither.
    pub async fn custom_fields(&self) -> Result<Answer<Vec<CustomField>>, Error> {
        self.send(Method::GET, &["typed_custom_fields"], None).await?.read(names::fields)
    }

    /// Reads the custom fields as the newer call shows them: `GET /fields?source=custom`.
    pub async fn fields(&self) -> Result<Answer<Vec<CustomField>>, Error> {
        let mut url = self.url(&["fields"]);
        url.query_pairs_mut().append_pair("source", "custom");
        self.send_within(None, Method::GET, url, None).await?.read(names::fields)
    }

    /// Reads all lists: `GET /labels`.
    pub async fn lists(&self) -> Result<Answer<Vec<List>>, Error> {
        self.send(Method::GET, &["labels"], None).await?.read(names::lists)
    }

    /// Reads page `page`, counted from 1, of the contacts that match `keywords`, or of all: `POST /contacts/search`.
    pub async fn search_contacts(
        &self,
        keywords: Option<&str>,
        order: Order,
        page: u32,
    ) -> Result<Answer<SearchPage>, Error> {
        let body = body::search(keywords, order, page, PER_PAGE);
        let reply = self.send(Method::POST, &["contacts", "search"], Some(&body)).await?;
        reply.read(|text| SearchPage::read(text, page))
    }

    /// Reads who the credential acts as: `GET /users/api_profile`.
    pub async fn profile(&self) -> Result<Answer<Profile>, Error> {
        self.send(Method::GET, &["users", "api_profile"], None).await?.read(Profile::read)
    }

    pub(super) async fn send(&self, method: Method, path: &[&str], body: Option<&str>) -> Result<Reply, Error> {
        self.send_within(None, method, self.url(path), body).await
    }

    pub(super) async fn send_for_many(&self, url: Url, body: &str) -> Result<Reply, Error> {
        self.send_within(Some(self.many_timeout), Method::POST, url, Some(body)).await
    }

    /// Sends a request that may take as long as `time`, or as long as any for `None`.
    async fn send_within(
        &self,
        time: Option<Duration>,
        method: Method,
        url: Url,
        body: Option<&str>,
    ) -> Result<Reply, Error> {
        let mut shown = url.clone();
        shown.set_query(None);
        let call = Call { method: method.clone(), url: shown.as_str().into() };
        let mut request = self.http.request(method, url);
        if let Some(time) = time {
            request = request.timeout(time);
        }
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
            End::Cut(source) => Err(Error::misread(call, meta, Misread::Cut(Arc::new(source)))),
            End::Undecodable => {
                Err(Error::misread(call, meta, Misread::Lacks("a compressed body that cannot be read")))
            }
        }
    }

    pub(super) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base_url.clone();
        url.path_segments_mut().expect("a URL with a host has a path").pop_if_empty().extend(path);
        url
    }
}

/// A success by its status, its whole body received.
pub(super) struct Reply {
    call: Call,
    meta: Meta,
    body: Vec<u8>,
}

impl Reply {
    pub(super) fn read<T>(self, read: impl FnOnce(&str) -> Result<T, Misread>) -> Result<Answer<T>, Error> {
        let Self { call, meta, body } = self;
        let value = match std::str::from_utf8(&body) {
            Ok(text) => read(text),
            Err(cut) if cut.error_len().is_none() => Err(Misread::Cut(Arc::new(cut))),
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
