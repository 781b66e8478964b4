//! Functions that answer, and what is common to all answers for everybody: their form and their headers.
//!
//! Knows no path.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};

/// A function that answers. It is called on a thread that may wait for a disk.
pub type Answer<T> = Box<dyn Fn() -> T + Send + Sync>;

pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// Answers with a function; one that panics is a failure of its own question alone.
pub(super) async fn answer<T: Send + 'static>(
    ask: Arc<impl Fn() -> T + Send + Sync + ?Sized + 'static>,
) -> Result<T, Response> {
    tokio::task::spawn_blocking(move || ask()).await.map_err(|error| {
        tracing::error!(%error, "a question to the status address could not be answered");
        reply(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "The answer failed; the log says why.\n")
    })
}

pub(super) fn reply(status: StatusCode, kind: &'static str, text: impl Into<String>) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-store"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, text.into()).into_response()
}
