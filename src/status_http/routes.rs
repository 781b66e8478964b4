//! What is asked and how it is answered: paths, checks and headers.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::hosts::{Hosts, Misdirected};

/// Whether something holds, with the sentence that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Yes(String),
    No(String),
}

/// The functions that answer. Each is called on a thread that may wait for a disk.
pub struct Answers {
    /// Whether the work goes on at all; `No` makes supervisors restart the process.
    pub health: Answer<Verdict>,
    /// Whether the work gets done; `No` is for people to look at.
    pub readiness: Answer<Verdict>,
    /// Prometheus text exposition, version 0.0.4.
    pub metrics: Answer<String>,
    /// One JSON document.
    pub status: Answer<String>,
}

type Answer<T> = Box<dyn Fn() -> T + Send + Sync>;

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const JSON: &str = "application/json";

const INDEX: &str = "\
/healthz  whether the service lives
/readyz   whether passes succeed
/metrics  figures for Prometheus
/status   what contactsd status --json prints
";

pub(super) fn router(answers: Arc<Answers>, hosts: Arc<Hosts>) -> Router {
    Router::new()
        .route("/", get(async || answer(StatusCode::OK, TEXT, INDEX.to_owned())))
        .route("/healthz", get(async |State(answers): State<Arc<Answers>>| judged(answers, |to| (to.health)()).await))
        .route("/readyz", get(async |State(answers): State<Arc<Answers>>| judged(answers, |to| (to.readiness)()).await))
        .route(
            "/metrics",
            get(async |State(answers): State<Arc<Answers>>| told(answers, METRICS, |to| (to.metrics)()).await),
        )
        .route(
            "/status",
            get(async |State(answers): State<Arc<Answers>>| told(answers, JSON, |to| (to.status)()).await),
        )
        .fallback(async || answer(StatusCode::NOT_FOUND, TEXT, format!("There is nothing here. There is:\n{INDEX}")))
        .with_state(answers)
        .layer(middleware::from_fn_with_state(hosts, guard))
}

/// Lets only requests through that call this server by a name it goes by.
async fn guard(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match hosts.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(Misdirected::NotOneHost) => answer(StatusCode::BAD_REQUEST, TEXT, "A request names one host.\n".to_owned()),
        Err(Misdirected::OtherHost) => {
            let text = "This server does not go by the host name of the request. Ask by address, or give the name to \
                        contactsd with --listen-name.\n";
            answer(StatusCode::MISDIRECTED_REQUEST, TEXT, text.to_owned())
        }
    }
}

async fn judged(answers: Arc<Answers>, ask: impl FnOnce(&Answers) -> Verdict + Send + 'static) -> Response {
    match asked(answers, ask).await {
        Ok(Verdict::Yes(text)) => answer(StatusCode::OK, TEXT, format!("{text}\n")),
        Ok(Verdict::No(text)) => answer(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{text}\n")),
        Err(failed) => failed,
    }
}

async fn told(
    answers: Arc<Answers>,
    kind: &'static str,
    ask: impl FnOnce(&Answers) -> String + Send + 'static,
) -> Response {
    asked(answers, ask).await.map_or_else(|failed| failed, |text| answer(StatusCode::OK, kind, text))
}

/// Calls a function that answers, where it may block; one that panics is a failure of its own question alone.
async fn asked<T: Send + 'static>(
    answers: Arc<Answers>,
    ask: impl FnOnce(&Answers) -> T + Send + 'static,
) -> Result<T, Response> {
    tokio::task::spawn_blocking(move || ask(&answers)).await.map_err(|error| {
        tracing::error!(%error, "a question to the status address could not be answered");
        answer(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "The answer failed; the log says why.\n".to_owned())
    })
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (status, headers, text).into_response()
}
