//! What every request passes: hosts, routes, credentials, scopes, quota and faults, before and after its work.
//!
//! The order is fixed: web pages, 404, 401, 403, 429, faults, work. What is refused before quota carries no quota
//! headers. A page on the web can make a browser ask here, under the page's own host name or with its origin.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::Fault;
use super::action::{Action, Call};
use super::answer::{Answer, Content};
use super::faults::Struck;
use super::line::Line;
use super::moment::http_date;
use super::quirks::Quirk;
use super::quota::Exhausted;
use super::shared::Shared;
use super::{api, control};
use crate::hosts::Misdirected;

/// Bytes of a request's body at most.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// An answer with the headers that go beside it.
struct Outgoing {
    answer: Answer,
    headers: Vec<(String, String)>,
}

impl From<Answer> for Outgoing {
    fn from(answer: Answer) -> Self {
        Self { answer, headers: Vec::new() }
    }
}

/// Answers one request.
pub(super) async fn handle(shared: &Shared, line: &Line, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if let Some(refused) = refuse_web_page(shared, &head) {
        return respond(shared, refused.into());
    }
    let path = head.uri.path();
    let outgoing = match Call::of(&head.method, path) {
        Some(call) => pass(shared, line, &call, &head.headers, body).await,
        None if control::needs_key(path) && !shared.accepts(credential(&head.headers)) => unauthorized().into(),
        None if path.starts_with(control::PREFIX) => match read(body).await {
            Ok(body) => control::answer(shared, &head, &body).await.into(),
            Err(too_large) => too_large.into(),
        },
        None => Answer::error(404, format!("There is no {} {path} here.", head.method)).into(),
    };
    respond(shared, outgoing)
}

async fn pass(shared: &Shared, line: &Line, call: &Call, headers: &HeaderMap, body: Body) -> Outgoing {
    let action = call.action;
    let now = shared.now();
    if !shared.accepts(credential(headers)) {
        return counted(shared, action, refuse_credential(action).into());
    }
    if shared.missing_scopes.contains(&action) {
        return counted(shared, action, api::no_scope(action).into());
    }
    let (standing, spent) = shared.spend(action, now);
    let mut headers = standing.headers();
    if let Err(exhausted) = spent {
        headers.push(("retry-after".to_owned(), exhausted.retry_after.to_string()));
        return counted(shared, action, Outgoing { answer: too_many(action, &exhausted), headers });
    }
    let struck = shared.draw(action);
    if let Some(delay) = struck.delay {
        tokio::time::sleep(delay).await;
    }
    let answer = match struck.fault {
        Some(fault) if fault.is_before_work() => Answer::error(500, "Internal server error"),
        _ => match read(body).await {
            Ok(body) => work(shared, call, &body).await,
            Err(too_large) => too_large,
        },
    };
    let answer = strike(&struck).unwrap_or(answer);
    if struck.fault == Some(Fault::Unavailable) {
        headers.push(("retry-after".to_owned(), struck.retry_after.to_string()));
    }
    // Counted before a byte goes out, so that whoever has seen the end of a request finds it counted.
    if let Some(Fault::LostReply | Fault::CutBefore) = struck.fault {
        shared.count(action, None);
        line.cut();
        return Outgoing { answer, headers };
    }
    if struck.fault == Some(Fault::Truncated) {
        line.cut_after(answer.body().len() / 2);
    }
    counted(shared, action, Outgoing { answer, headers })
}

/// Does the work of a call and waits until it is on disk.
async fn work(shared: &Shared, call: &Call, body: &[u8]) -> Answer {
    let readings = shared.readings();
    let now = readings.quirks.date(shared.now());
    let done = shared.work(|book| api::answer(book, readings, call, body, now)).await;
    done.unwrap_or_else(|error| Answer::error(500, error.to_string()))
}

/// Returns what a fault answers in place of the work's answer.
fn strike(struck: &Struck) -> Option<Answer> {
    Some(match struck.fault? {
        Fault::Error500 | Fault::Error500After => Answer::error(500, "Internal server error"),
        Fault::Unavailable => Answer::error(503, "Service temporarily unavailable"),
        Fault::Stray429 => Answer::json(429, json!({ "message": "Too many requests. Please slow down." })),
        Fault::PageBefore | Fault::PageAfter => Answer::page(struck.page_status),
        Fault::Html502 => Answer::page(502),
        Fault::RefusedAfterWork => Answer::error(422, "Parameters misconfigured. The request cannot be processed."),
        Fault::LostReply | Fault::CutBefore | Fault::Truncated | Fault::Slow => return None,
    })
}

async fn read(body: Body) -> Result<axum::body::Bytes, Answer> {
    let read = to_bytes(body, MAX_BODY_BYTES).await;
    read.map_err(|error| Answer::error(413, format!("The body cannot be read: {error}.")))
}

/// Returns the credential of a request: an API key, or an access token; the two cannot be told apart here.
fn credential(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let bearer = || text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    text("x-api-key").or_else(bearer).filter(|credential| !credential.is_empty())
}

fn refuse_credential(action: Action) -> Answer {
    match action {
        Action::Health => api::health(false),
        _ => unauthorized(),
    }
}

fn unauthorized() -> Answer {
    Answer { status: 401, content: Content::Text("Invalid access credentials.".to_owned()) }
}

/// Refuses what a page on the web may have made a browser ask.
fn refuse_web_page(shared: &Shared, head: &Parts) -> Option<Answer> {
    Some(match shared.check_host(head) {
        Err(Misdirected::NotOneHost) => Answer::error(400, "A request names one host."),
        Err(Misdirected::OtherHost) => Answer::error(421, "The sandbox answers to localhost and to addresses alone."),
        Ok(()) if head.headers.contains_key(header::ORIGIN) => {
            Answer::error(403, "The sandbox answers programs on this machine and no web pages.")
        }
        Ok(()) => return None,
    })
}

fn too_many(action: Action, exhausted: &Exhausted) -> Answer {
    let message = format!(
        "The maximum number of api calls allowed for {} is {} times per {}. \
         Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade.",
        action.route(),
        exhausted.limit,
        exhausted.word
    );
    Answer::json(429, json!({ "message": message }))
}

fn counted(shared: &Shared, action: Action, outgoing: Outgoing) -> Outgoing {
    shared.count(action, Some(outgoing.answer.status));
    outgoing
}

fn respond(shared: &Shared, outgoing: Outgoing) -> Response {
    let Outgoing { answer, headers } = outgoing;
    let mut response = Response::new(Body::from(answer.body()));
    *response.status_mut() = StatusCode::from_u16(answer.status).expect("the sandbox's statuses are valid");
    let content_type = match answer.content {
        Content::Json(_) => "application/json; charset=utf-8",
        Content::Text(_) => "text/plain; charset=utf-8",
        Content::Html(_) => "text/html",
    };
    let map = response.headers_mut();
    map.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    let has_date = !shared.readings().quirks.has(Quirk::NoDate);
    let date = has_date.then(|| ("date".to_owned(), http_date(shared.now())));
    let id = ("x-request-id".to_owned(), shared.request_id());
    for (name, value) in date.into_iter().chain([id]).chain(headers) {
        let name = header::HeaderName::try_from(name).expect("the sandbox's header names are valid");
        map.insert(name, HeaderValue::try_from(value).expect("digits and plain text make a header value"));
    }
    response
}
