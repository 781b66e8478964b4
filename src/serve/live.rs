//! A page for people that stays as things are: whole, and its changing part again in a stream of events.
//!
//! Decides when the part is sent, to how many, and what a browser may do with the page; never what it says. A stream
//! ends by itself before its connection would, and a browser opens the next one; so none is cut in the middle, and one
//! that nobody reads any more is gone soon.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream::unfold;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until};

use super::answers::{Answer, TEXT, answer, reply};

/// How many streams there are at a time; few enough that there is room for others beside them.
pub(super) const STREAMS: usize = 8;

/// How long a stream lasts.
pub(super) const LONGEST: Duration = Duration::from_secs(25);

/// How often the part is made anew though nobody told of a change, since it tells how long ago things were. It is
/// also how soon it is noticed that nobody reads on.
const EVERY: Duration = Duration::from_secs(5);

/// How long it is waited whether more changes follow one.
const QUIET: Duration = Duration::from_millis(100);

/// How long a browser waits before it opens a stream again.
const AGAIN: Duration = Duration::from_secs(1);

const HTML: &str = "text/html; charset=utf-8";

/// Resolves with what comes next.
pub type Next = Pin<Box<dyn Future<Output = More> + Send>>;

/// Whether a page goes on to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// It may have changed.
    Changed,
    /// It has changed for the last time.
    Ends,
}

/// The functions behind a page for people.
pub struct Live {
    /// One HTML document; it is whole without its stream.
    pub page: Answer<String>,
    /// What of the document changes, as HTML.
    pub part: Answer<String>,
    /// Waits for what comes after the call.
    pub next: Answer<Next>,
    /// What the document may load and run, in the words of a Content-Security-Policy.
    pub policy: String,
}

/// Makes what answers with the page at `/` and with its stream at `/events`.
pub(super) fn routes(live: Live) -> Router {
    let Live { page, part, next, policy } = live;
    let policy = HeaderValue::try_from(policy).expect("a policy is ASCII");
    let (page, part, next) = (Arc::new(page), Arc::new(part), Arc::new(next));
    let places = Arc::new(Semaphore::new(STREAMS));
    let whole = get(async move || match answer(page).await {
        Ok(text) => {
            let headers = [
                (CONTENT_SECURITY_POLICY, policy),
                (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                same_origin(),
            ];
            (headers, reply(StatusCode::OK, HTML, text)).into_response()
        }
        Err(failed) => failed,
    });
    let events = get(async move || {
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            let text = "As many watch this page as can be. Without the stream it can be loaded again at any time.\n";
            return reply(StatusCode::SERVICE_UNAVAILABLE, TEXT, text);
        };
        stream(Stream::new(part, next, place))
    });
    Router::new().route("/", whole).route("/events", events)
}

/// Keeps other pages from loading it as a part of theirs.
fn same_origin() -> (HeaderName, HeaderValue) {
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"))
}

fn stream(stream: Stream) -> Response {
    let headers = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        same_origin(),
    ];
    let events =
        unfold(stream, async |mut stream| stream.event().await.map(|event| (Ok::<_, Infallible>(event), stream)));
    (headers, Sse::new(events)).into_response()
}

/// One who listens.
struct Stream {
    part: Arc<Answer<String>>,
    next: Arc<Answer<Next>>,
    /// What comes after what was sent last; `None` before the first, and when nothing does.
    coming: Option<Next>,
    sent: Option<String>,
    ends_at: Instant,
    _place: OwnedSemaphorePermit,
}

impl Stream {
    fn new(part: Arc<Answer<String>>, next: Arc<Answer<Next>>, place: OwnedSemaphorePermit) -> Self {
        Self { part, next, coming: None, sent: None, ends_at: Instant::now() + LONGEST, _place: place }
    }

    /// Waits until there is something to say; `None` at the end.
    async fn event(&mut self) -> Option<Event> {
        let is_first = self.sent.is_none();
        let more = match self.coming.take() {
            Some(coming) => tokio::select! {
                more = changed(coming) => more,
                () = sleep(EVERY) => More::Changed,
                () = sleep_until(self.ends_at) => return None,
            },
            None if is_first => More::Changed,
            None => return None,
        };
        // Before the part is made: what changes meanwhile is not missed.
        self.coming = (more == More::Changed).then(|| (self.next)());
        let part = answer(Arc::clone(&self.part)).await.ok()?;
        if self.sent.as_ref() == Some(&part) {
            return Some(Event::default().comment("nothing new"));
        }
        let event = if is_first { Event::default().retry(AGAIN) } else { Event::default() }.data(&part);
        self.sent = Some(part);
        Some(event)
    }
}

/// Waits for a change, and then whether more follow.
async fn changed(coming: Next) -> More {
    let more = coming.await;
    if more == More::Changed {
        sleep(QUIET).await;
    }
    more
}
