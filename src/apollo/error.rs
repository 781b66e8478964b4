//! What can go wrong with one request, and what that says about sending it again.
//!
//! Only status and structured fields decide; no message is ever matched to classify.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;

use super::Meta;
use super::complaint;
use super::excerpt::{self, excerpt};
use super::hint;
use super::json::Object;
use crate::model::{ApolloId, Endpoint, Field};

/// One request as messages name it: `POST https://api.apollo.io/api/v1/contacts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: Method,
    /// Without the query. Never holds a credential: base URLs with one are refused.
    pub url: Box<str>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)
    }
}

/// A request that was not answered with what it asked for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("{url} would send the credential in the clear: plain http is for this machine only")]
    Insecure { url: String },
    #[error("{url} cannot be the address of the API: {problem}")]
    BaseUrl { url: String, problem: &'static str },
    #[error("the credential holds a character that no HTTP header can carry")]
    Credential,
    #[error("cannot set up the HTTP client")]
    Setup { source: Arc<reqwest::Error> },
    /// No connection, so nothing was sent: name look-up, refusal, TLS, a proxy, or too slow in any of them.
    #[error("{call}: cannot connect")]
    Connect { call: Call, source: Arc<reqwest::Error> },
    /// No complete answer within the request timeout. What the server did is unknown.
    #[error("{call}: no answer in time")]
    Timeout { call: Call, meta: Option<Box<Meta>>, source: Arc<reqwest::Error> },
    /// The connection broke, or the answer was cut short or no HTTP. What the server did is unknown.
    #[error("{call}: the connection broke before the answer was complete")]
    Transport { call: Call, meta: Option<Box<Meta>>, source: Arc<dyn std::error::Error + Send + Sync> },
    /// The server refused or failed, and said so by the status.
    #[error("{0}")]
    Status(Box<Refusal>),
    /// Success by the status, with a body that is not the answer.
    #[error("{call} answered {status} with {problem}{said}", status = meta.status, said = said(message.as_deref()))]
    Unreadable { call: Call, problem: &'static str, message: Option<Box<str>>, meta: Box<Meta> },
    /// Success by the status, with a body above the 8 MiB that are read.
    #[error("{call} answered {status} with more than {limit_bytes} bytes", status = meta.status)]
    TooLarge { call: Call, limit_bytes: usize, meta: Box<Meta> },
}

/// An answer whose status is not a success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub call: Call,
    pub meta: Meta,
    /// What the server says in words, from `error`, `message` or a plain text.
    pub message: Option<String>,
    /// Whether it is a page for browsers, as gateways answer, and not the API's own word: then nobody knows
    /// whether the request was executed.
    pub is_page: bool,
    /// The start of the body, at most 512 characters, control characters escaped.
    pub body: String,
    /// `API_INACCESSIBLE` for a key that lacks the scope, `INVALID_ACCESS_TOKEN`; most answers have none.
    pub error_code: Option<String>,
    /// The contacts that the server says are deleted.
    pub deleted_contact_ids: Vec<String>,
    /// The contact of an update of many that a 400 or 422 speaks of; whether the others were written is not told.
    pub contact_id: Option<ApolloId>,
    /// The field that a 400 or 422 seems to speak of.
    pub field: Option<Field>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {}", self.call, self.meta.status)?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None if self.body.is_empty() => Ok(()),
            None if self.is_page => f.write_str(" with an HTML page"),
            None => write!(f, ": {}", self.body),
        }
    }
}

/// Whether and when a failed request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same request would fail the same way.
    Never,
    /// Back off and send it again: it never reached the server, or sending it twice does no harm.
    Now,
    /// The quota is used up and the request was not executed: send it when a window has reset.
    Later,
    /// A create that may or may not have been executed: find out before sending anything for it.
    Settle,
}

impl Error {
    /// Decides by status and structured fields alone whether the request may be sent again.
    ///
    /// | what happened | create, of one or many | update, view, search, stages, lists |
    /// |---|---|---|
    /// | no connection | now | now |
    /// | timeout, broken connection, cut answer | settle | now |
    /// | 5xx, 408, 425 | settle | now |
    /// | 200 that is no answer: not JSON, too large, `error` instead of the contact | settle | never |
    /// | 303, which answers a request that was executed | settle | never |
    /// | any 4xx that is an HTML page, 429 aside | settle | now |
    /// | 429 that is an HTML page | settle | later |
    /// | 429 | later | later |
    /// | any other status | never | never |
    ///
    /// A page is a gateway's, which may put it in place of an answer that tells of work done. The API
    /// itself refuses in JSON or plain text.
    ///
    /// All calls but those that create are repeatable. A complete 200 that is no answer is not repeated,
    /// since it is what this server, or something in between, answers: the entry fails with its
    /// reason and the next run sends it again.
    pub fn retry(&self, endpoint: Endpoint) -> Retry {
        let in_doubt = |repeatable| if endpoint.creates() { Retry::Settle } else { repeatable };
        match self {
            Self::Insecure { .. } | Self::BaseUrl { .. } | Self::Credential | Self::Setup { .. } => Retry::Never,
            Self::Connect { .. } => Retry::Now,
            Self::Timeout { .. } | Self::Transport { .. } => in_doubt(Retry::Now),
            Self::Unreadable { .. } | Self::TooLarge { .. } => in_doubt(Retry::Never),
            Self::Status(refusal) => match refusal.meta.status {
                429 if refusal.is_page => in_doubt(Retry::Later),
                429 => Retry::Later,
                400..500 if refusal.is_page => in_doubt(Retry::Now),
                408 | 425 | 500.. => in_doubt(Retry::Now),
                303 => in_doubt(Retry::Never),
                _ => Retry::Never,
            },
        }
    }

    /// Returns what the headers said, when an answer had begun to arrive; its quota counts.
    pub fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Insecure { .. }
            | Self::BaseUrl { .. }
            | Self::Credential
            | Self::Setup { .. }
            | Self::Connect { .. } => None,
            Self::Timeout { meta, .. } | Self::Transport { meta, .. } => meta.as_deref(),
            Self::Unreadable { meta, .. } | Self::TooLarge { meta, .. } => Some(meta),
            Self::Status(refusal) => Some(&refusal.meta),
        }
    }

    /// Returns the status of the answer, when one had begun to arrive.
    pub fn status(&self) -> Option<u16> {
        self.meta().map(|meta| meta.status)
    }

    /// Returns what the server called the request, when an answer had begun to arrive.
    pub fn request_id(&self) -> Option<&str> {
        self.meta()?.request_id.as_deref()
    }

    /// Returns the code that the server gave in a field of its own.
    pub fn error_code(&self) -> Option<&str> {
        self.refusal()?.error_code.as_deref()
    }

    /// Reports whether the answer is a page for browsers, which is no refusal whatever its status.
    pub fn is_page(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.is_page)
    }

    /// Reports whether the credential may not do any request of this kind.
    ///
    /// Only the API's own code says so, and only where its words name the very action: a request may be
    /// refused for another action that it implies, and then others of its kind are not.
    pub fn is_barred(&self, endpoint: Endpoint) -> bool {
        self.refusal().is_some_and(|refusal| {
            let action = endpoint.scope().trim_start_matches("api/v1/");
            refusal.meta.status == 403
                && !refusal.is_page
                && refusal.error_code.as_deref() == Some("API_INACCESSIBLE")
                && refusal.message.as_deref().is_some_and(|message| hint::mentions(message, action))
        })
    }

    /// Reports whether the answer says that contact `id` does not exist any more.
    ///
    /// That is 404 or 410 to a request for this one contact, or a 422 that lists it as deleted, and no page of a
    /// gateway. A view may show it by [`Contact::person_deleted`](super::Contact::person_deleted) as well.
    pub fn contact_is_gone(&self, id: &ApolloId) -> bool {
        self.refusal().filter(|refusal| !refusal.is_page).is_some_and(|refusal| match refusal.meta.status {
            // To a request for many, or for lists, a status speaks of the call.
            404 | 410 => refusal.call.url.ends_with(id.as_str()),
            422 => refusal.deleted_contact_ids.iter().any(|gone| gone.trim().eq_ignore_ascii_case(id.as_str())),
            _ => false,
        })
    }

    /// Reports whether the words of a 422, or of an error with a success, sound as if the contact did not exist.
    ///
    /// Words prove nothing: a key that may not see contacts is told the same. Look at this contact, then at
    /// another that is known: gone is only what is told so while the other is shown.
    pub fn contact_may_be_gone(&self, id: &ApolloId) -> bool {
        if self.contact_is_gone(id) {
            return true;
        }
        let speaks_of_contact = match self {
            Self::Unreadable { .. } => true,
            Self::Status(refusal) => refusal.meta.status == 422 && !refusal.is_page && refusal.field.is_none(),
            _ => false,
        };
        speaks_of_contact && self.server_message().is_some_and(sounds_gone)
    }

    /// Returns what the server said in words, fit for a terminal and at most 512 characters.
    pub fn server_message(&self) -> Option<&str> {
        match self {
            Self::Unreadable { message, .. } => message.as_deref(),
            _ => self.refusal()?.message.as_deref(),
        }
    }

    /// Returns what `Display` repeats of an answer: words or a body that may hold what was sent.
    pub fn repeated(&self) -> Option<&str> {
        let body = || self.refusal().map(|refusal| refusal.body.as_str());
        self.server_message().or_else(body).filter(|text| !text.is_empty())
    }

    /// Returns the field that a 400 or 422 seems to speak of.
    ///
    /// A guess for pointing at a line, partly from the message's words; nothing else may rest on it.
    pub fn field_hint(&self) -> Option<Field> {
        self.refusal()?.field.clone()
    }

    /// Returns the contact of an update of many that the refusal speaks of.
    pub fn refused_contact(&self) -> Option<&ApolloId> {
        self.refusal()?.contact_id.as_ref()
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Status(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Classifies a request without a complete answer; `meta` is there when one had begun to arrive.
    pub(super) fn lost(call: Call, meta: Option<Meta>, source: reqwest::Error) -> Self {
        // The call names the URL already.
        let source = Arc::new(source.without_url());
        let meta = meta.map(Box::new);
        // A connection that took too long is both: connect comes first, since then nothing was sent.
        // A connection that closed under a request is neither, so that a create is settled even when
        // it was one that had idled in the pool.
        if source.is_connect() {
            Self::Connect { call, source }
        } else if source.is_timeout() {
            Self::Timeout { call, meta, source }
        } else {
            Self::Transport { call, meta, source }
        }
    }

    /// Turns a success whose body cannot be used into the error for it.
    pub(super) fn misread(call: Call, meta: Meta, misread: Misread) -> Self {
        let meta = Box::new(meta);
        match misread {
            Misread::Cut(source) => Self::Transport { call, meta: Some(meta), source },
            Misread::Lacks(problem) => Self::Unreadable { call, problem, message: None, meta },
            Misread::Refused(message) => {
                Self::Unreadable { call, problem: "an error", message: Some(message.into()), meta }
            }
        }
    }
}

impl Refusal {
    /// Reads as much of a refusal as its body gives; `sent` is the body of the request.
    ///
    /// `is_html` says whether its content type is that of a page.
    pub(super) fn read(call: Call, meta: Meta, body: &str, is_html: bool, sent: Option<&str>) -> Self {
        let answer = Object::document(body).ok().flatten();
        let details = answer.as_ref().and_then(|answer| answer.object("error_details"));
        let code = answer.as_ref().and_then(|answer| answer.text("error_code"));
        // Some frameworks send their JSON as HTML: what can be read as the API's form is taken for it.
        let is_page = excerpt::is_html(body) || (is_html && answer.is_none());
        let message = match &answer {
            Some(answer) => {
                let said = complaint::said_in(answer).or_else(|| complaint::of(answer));
                said.map(|said| with_details(said, details.as_ref()))
            }
            None if is_page => None,
            None => plain_text(body),
        };
        let is_of_value = matches!(meta.status, 400 | 422);
        let named = |name| details.as_ref().filter(|_| is_of_value).and_then(|details| details.text(name));
        let contact_id = named("contact_id").and_then(|id| ApolloId::parse(id.trim()));
        let field = is_of_value.then(|| {
            let (message, sent) = (message.as_deref().unwrap_or_default(), sent.unwrap_or_default());
            hint::field(named("field").as_deref(), message, hint::item(sent, contact_id.as_ref()))
        });
        Self {
            call,
            message: message.map(|message| excerpt(&message)),
            is_page,
            body: excerpt(body),
            error_code: code
                .or_else(|| details.as_ref().and_then(|details| details.text("code")))
                .map(|code| excerpt(&code)),
            contact_id,
            deleted_contact_ids: answer.and_then(|answer| answer.texts("deleted_contact_ids")).unwrap_or_default(),
            field: field.flatten(),
            meta,
        }
    }
}

/// Why the body of a success is not the answer.
#[derive(Debug)]
pub(super) enum Misread {
    /// It ends in the middle: a connection that closed early looks like this when no length was announced.
    Cut(Arc<dyn std::error::Error + Send + Sync>),
    /// It is complete, and something we need is not in it.
    Lacks(&'static str),
    /// It holds an `error` in place of the answer.
    Refused(String),
}

impl Misread {
    /// Reads a body as JSON; `Ok(None)` when it is no object.
    pub(super) fn or_json(text: &str) -> Result<Option<Object<'_>>, Self> {
        if text.trim().is_empty() {
            return Err(Self::Lacks("nothing"));
        }
        Object::document(text).map_err(|error| match error.is_eof() {
            true => Self::Cut(Arc::new(error)),
            false if excerpt::is_html(text) => Self::Lacks("an HTML page"),
            false => Self::Lacks("something other than JSON"),
        })
    }

    pub(super) fn or_object(text: &str) -> Result<Object<'_>, Self> {
        Self::or_json(text)?.ok_or(Self::Lacks("JSON that is no object"))
    }

    /// Returns the refusal that a success holds, if it does.
    pub(super) fn refused(answer: &Object) -> Option<Self> {
        complaint::of(answer).map(Self::Refused)
    }
}

/// Reports whether words say of something that it is not there, in any of the usual ways.
fn sounds_gone(message: &str) -> bool {
    const WORDS: [&str; 8] = [
        "deleted",
        "not exist",
        "n't exist",
        "n’t exist",
        "no longer exist",
        "nonexistent",
        "non-existent",
        "not found",
    ];
    let message = message.to_lowercase();
    WORDS.iter().any(|words| message.contains(words)) || (message.contains("find") && message.contains("not"))
}

/// Adds to what a refusal says the field it speaks of and what is wrong with it, where that stands beside.
fn with_details(said: String, details: Option<&Object>) -> String {
    let text = |name| details.and_then(|details| details.text(name)).filter(|text| !text.trim().is_empty());
    match text("message").filter(|message| !said.contains(message.as_str())) {
        Some(message) => {
            let field = text("field").map(|field| format!("{field} ")).unwrap_or_default();
            format!("{}: {field}{message}", said.trim_end_matches('.'))
        }
        None => said,
    }
}

fn plain_text(body: &str) -> Option<String> {
    let text = serde_json::from_str(body).unwrap_or_else(|_| body.trim().to_owned());
    (!text.is_empty()).then_some(text)
}

fn said(message: Option<&str>) -> String {
    message.map(|message| format!(": {message}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
