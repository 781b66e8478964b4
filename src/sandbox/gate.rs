//! What every request passes: hosts, routes, credentials, scopes, quota and faults, before and after its work.
//!
//! The order is fixed: web pages, 404, 401, 403, 429, faults, work. What is refused before quota carries no quota
//! headers. A page on the web can make a browser ask here, under the page's own host name or with its origin.

use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use serde_json::json;

use super::action::Action;
use super::answer::{self, Answer};
use super::api::{ENDPOINTS, Endpoint, health};
use super::call::{Call, no_scope};
use super::control;
use super::faults::{Fault, Struck};
use super::line::Line;
use super::quirks::Quirk;
use super::quota::Exhausted;
use super::sent::Refusal;
use super::shared::{Desk, Shared};
use crate::hosts::Misdirected;

/// Bytes of a request's body at most.
const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// Makes what answers every request; a request brings its [`Line`] along.
pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let mut router = Router::new();
    for endpoint in &ENDPOINTS {
        let handle = async move |State(shared): State<Arc<Shared>>,
                                 Extension(line): Extension<Line>,
                                 id: Option<Path<String>>,
                                 request: Request| {
            let id = id.map(|Path(id)| id).unwrap_or_default();
            let answer = pass(&shared, &line, endpoint, &id, request).await;
            // Counted before a byte goes out, so that whoever has seen the end of a request finds it counted.
            let status = (!line.is_cut()).then(|| answer.status().as_u16());
            shared.desk().counts.count(endpoint.action, status);
            answer
        };
        router = router.route(&format!("/api/v1{}", endpoint.path), on(endpoint.methods, handle));
    }
    router
        .nest("/sandbox", control::router(shared))
        .fallback(nothing)
        .method_not_allowed_fallback(nothing)
        .layer(from_fn_with_state(Arc::clone(shared), frame))
        .with_state(Arc::clone(shared))
}

/// Refuses pages of the web, and gives every answer its date and its id.
async fn frame(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut response = match refuse_web_page(&shared, &request) {
        Some(refused) => Answer::from(refused).into_response(),
        None => next.run(request).await,
    };
    put(response.headers_mut(), "x-request-id", &shared.request_id());
    if let Some(date) = shared.date() {
        put(response.headers_mut(), "date", &date);
    }
    response
}

/// Answers that there is no such call.
async fn nothing(State(shared): State<Arc<Shared>>, method: Method, uri: Uri) -> Answer {
    if is_vendor_page_only(&shared) { answer::page(404) } else { answer::nothing(method, uri).await }
}

/// Reports whether there is no call but the one that makes a contact.
fn is_vendor_page_only(shared: &Shared) -> bool {
    shared.desk().options.quirks.has(Quirk::VendorPageOnly)
}

async fn pass(shared: &Shared, line: &Line, endpoint: &Endpoint, id: &str, request: Request) -> Answer {
    let Endpoint { action, scope, .. } = *endpoint;
    let now = shared.now();
    if action != Action::Create && is_vendor_page_only(shared) {
        return answer::page(404);
    }
    if !shared.accepts(request.headers()) {
        return if action == Action::Health { health(false) } else { answer::unauthorized() };
    }
    let (standing, spent, struck) = {
        let mut desk = shared.desk();
        if desk.options.missing_scopes.contains(&action) {
            return no_scope(scope).into();
        }
        let (standing, spent) = desk.windows.spend(action, now);
        let struck = if spent.is_ok() { desk.draw(action) } else { Struck::default() };
        (standing, spent, struck)
    };
    if let Some(delay) = struck.delay {
        tokio::time::sleep(delay).await;
    }
    let mut retry_after = (struck.fault == Some(Fault::Unavailable)).then_some(struck.retry_after);
    let mut answer = match spent {
        Err(exhausted) => {
            retry_after = Some(exhausted.retry_after);
            too_many(endpoint, &exhausted).into()
        }
        Ok(()) if struck.fault.is_some_and(Fault::is_before_work) => strike(&struck).unwrap_or_default(),
        Ok(()) => {
            let done = work(shared, endpoint, id, request).await;
            strike(&struck).unwrap_or(done)
        }
    };
    for (name, value) in standing.headers() {
        put(answer.headers_mut(), &name, &value);
    }
    if let Some(seconds) = retry_after {
        put(answer.headers_mut(), "retry-after", &seconds.to_string());
    }
    match struck.fault {
        Some(Fault::LostReply | Fault::CutBefore) => line.cut(),
        Some(Fault::Truncated) => line.cut_after(answer.body().len() / 2),
        _ => {}
    }
    answer
}

/// Does the work of a call and waits until it is on disk.
async fn work(shared: &Shared, endpoint: &Endpoint, id: &str, request: Request) -> Answer {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = match to_bytes(request.into_body(), MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => return Refusal::error(413, format!("The body cannot be read: {error}.")).into(),
    };
    let now = shared.now();
    let work = |Desk { book, options, dice, counts, .. }: &mut Desk| {
        let now = options.quirks.date(now);
        let (action, query, body) = (endpoint.action, query.as_str(), &*body);
        let mut call = Call { action, book, options, dice, counts, id, query, body, now };
        (endpoint.answer)(&mut call).unwrap_or_else(Answer::from)
    };
    shared.work(work).await
}

/// Returns what a fault answers in place of the work's answer.
fn strike(struck: &Struck) -> Option<Answer> {
    let refusal = match struck.fault? {
        Fault::PageBefore | Fault::PageAfter => return Some(answer::page(struck.page_status)),
        Fault::Html502 => return Some(answer::page(502)),
        Fault::Error500 | Fault::Error500After => Refusal::error(500, "Internal server error"),
        Fault::Unavailable => Refusal::error(503, "Service temporarily unavailable"),
        Fault::Stray429 => Refusal { status: 429, body: json!({ "message": "Too many requests. Please slow down." }) },
        Fault::RefusedAfterWork => Refusal::misconfigured("The request cannot be processed."),
        // The answer goes out as it is, whole or cut; items were struck while the work was done.
        Fault::LostReply
        | Fault::CutBefore
        | Fault::Truncated
        | Fault::Slow
        | Fault::ItemLeftOut
        | Fault::ItemUndone
        | Fault::ItemGhost => return None,
    };
    Some(refusal.into())
}

/// Refuses what a page on the web may have made a browser ask.
fn refuse_web_page(shared: &Shared, request: &Request) -> Option<Refusal> {
    Some(match shared.hosts.check(request.headers(), request.uri()) {
        Err(Misdirected::NotOneHost) => Refusal::error(400, "A request names one host."),
        Err(Misdirected::OtherHost) => Refusal::error(421, "The sandbox answers to localhost and to addresses alone."),
        Ok(()) if request.headers().contains_key(header::ORIGIN) => {
            Refusal::error(403, "The sandbox answers programs on this machine and no web pages.")
        }
        Ok(()) => return None,
    })
}

/// Refuses a call whose window is exhausted, in the documented words: the create call's route is the bare path.
fn too_many(endpoint: &Endpoint, exhausted: &Exhausted) -> Refusal {
    let route = if endpoint.action == Action::Create { "contacts" } else { endpoint.scope };
    let message = format!(
        "The maximum number of api calls allowed for api/v1/{route} is {} times per {}. \
         Please upgrade your plan from https://app.apollo.io/#/settings/plans/upgrade.",
        exhausted.limit, exhausted.word
    );
    Refusal { status: 429, body: json!({ "message": message }) }
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::try_from(name).expect("the sandbox's header names are valid");
    headers.insert(name, HeaderValue::try_from(value).expect("digits and plain text make a header value"));
}
