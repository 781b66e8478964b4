//! What is asked and how it is answered: paths, checks and headers.

use std::sync::Arc;

use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Answer, TEXT, answer, reply};
use super::live::{self, Live};
use crate::hosts::{Hosts, Misdirected};

/// Most bytes of one question: room for the fingerprints of about two million entries.
pub(super) const MAX_QUESTION_BYTES: u64 = 256 << 20;

/// The functions behind the pages that everybody may read.
pub struct Answers {
    /// Whether the work goes on at all, and the sentence that says so; `Err` makes supervisors restart the process.
    pub health: Answer<Result<String, String>>,
    /// Whether the work gets done; `Err` is for people to look at.
    pub readiness: Answer<Result<String, String>>,
    /// Prometheus text exposition, version 0.0.4.
    pub metrics: Answer<String>,
    /// One JSON document.
    pub status: Answer<String>,
    /// The page for people.
    pub live: Live,
}

/// What is answered, and by what.
#[derive(Debug, Clone, Default)]
pub struct Routes(Router);

const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

const INDEX: &str = "\
/         how the service is doing, as a page
/events   the same each time that it changes
/healthz  whether the service lives
/readyz   whether passes succeed
/metrics  figures for Prometheus
/status   what contactsd status --json prints
";

impl Routes {
    /// The pages that everybody may read.
    pub fn pages(answers: Answers) -> Self {
        let Answers { health, readiness, metrics, status, live } = answers;
        let judged = |ask: Answer<Result<String, String>>| {
            page(TEXT, move || match ask() {
                Ok(text) => (StatusCode::OK, text + "\n"),
                Err(text) => (StatusCode::SERVICE_UNAVAILABLE, text + "\n"),
            })
        };
        let told = |kind, ask: Answer<String>| page(kind, move || (StatusCode::OK, ask()));
        let router = live::routes(live)
            .route("/healthz", judged(health))
            .route("/readyz", judged(readiness))
            .route("/metrics", told(METRICS, metrics))
            .route("/status", told(JSON, status));
        Self(router)
    }

    /// Adds a call that only processes of this program make; an `Err` says why it has no answer now.
    #[must_use]
    pub fn call<Q, A, F>(self, name: &str, answer: impl Fn(Q) -> F + Clone + Send + Sync + 'static) -> Self
    where
        Q: DeserializeOwned + Send + 'static,
        A: Serialize + 'static,
        F: Future<Output = Result<A, String>> + Send + 'static,
    {
        let handle = async move |Json(question): Json<Q>| {
            answer(question).await.map(Json).map_err(|why| (StatusCode::SERVICE_UNAVAILABLE, why))
        };
        Self(self.0.route(&call_path(name), post(handle)))
    }

    /// Makes what answers requests that call this server by a name it goes by.
    pub(super) fn for_hosts(self, hosts: Hosts) -> Router {
        let nothing = async || reply(StatusCode::NOT_FOUND, TEXT, format!("There is nothing here. There is:\n{INDEX}"));
        self.0.fallback(nothing).layer(middleware::from_fn_with_state(Arc::new(hosts), guard))
    }

    /// Makes what answers processes of this program.
    pub(super) fn for_processes(self) -> Router {
        let limit = usize::try_from(MAX_QUESTION_BYTES).expect("addresses have more than 32 bits");
        self.0.fallback(unknown).layer(DefaultBodyLimit::max(limit)).layer(middleware::from_fn(measure))
    }
}

/// Names the path of a call.
pub(super) fn call_path(name: &str) -> String {
    format!("/v2/{name}")
}

/// Answers with a function.
fn page(kind: &'static str, ask: impl Fn() -> (StatusCode, String) + Send + Sync + 'static) -> MethodRouter {
    let ask = Arc::new(ask);
    get(async move || match answer(ask).await {
        Ok((status, text)) => reply(status, kind, text),
        Err(failed) => failed,
    })
}

/// Lets only requests through that call this server by a name it goes by.
async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match hosts.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(Misdirected::NotOneHost) => reply(StatusCode::BAD_REQUEST, TEXT, "A request names one host.\n"),
        Err(Misdirected::OtherHost) => {
            let text = "This server does not go by the host name of the request. Ask by address, or give the name to \
                        contactsd with --listen-name.\n";
            reply(StatusCode::MISDIRECTED_REQUEST, TEXT, text)
        }
    }
}

/// Refuses a question that is too long before it is read.
async fn measure(request: Request, next: Next) -> Response {
    let bytes = request.body().size_hint().lower();
    if bytes > MAX_QUESTION_BYTES {
        let why = format!("it has {bytes} bytes, and {MAX_QUESTION_BYTES} are taken");
        return (StatusCode::PAYLOAD_TOO_LARGE, why).into_response();
    }
    next.run(request).await
}

async fn unknown(uri: Uri) -> (StatusCode, String) {
    let version = env!("CARGO_PKG_VERSION");
    (StatusCode::NOT_FOUND, format!("it is contactsd {version} and does not know {}", uri.path()))
}
