//! Everything that is known of one key, as one document.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::ResourceChange;
use super::state::ContactState;
use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::model::{ConflictCause, Endpoint, Glossary, Intent};
use crate::ops::{Problem, ProblemKind, Why};
use crate::plan::Dispute;
use crate::source::Location;
use crate::ui::{Mask, time_text, words};

/// What `why KEY --json` prints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WhyDocument<'a> {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    format_version: &'static str,
    contactsd_version: &'static str,
    key: &'a str,
    /// `contact.KEY`.
    address: String,
    /// Where the entry stands; null when it is not declared.
    declared: Option<Declared>,
    /// What the state holds; null when it is not managed.
    managed: Option<ContactState<'a>>,
    /// The run that applied it last.
    run: Option<&'a str>,
    /// What Apollo called the last request that wrote to it, which its support may ask for; null where nothing was written,
    /// or Apollo did not say.
    request_id: Option<&'a str>,
    /// The contact it was before it was forgotten, and when.
    forgotten: Option<Forgotten<'a>>,
    /// Requests whose outcome is not recorded.
    open: Vec<OpenRequest<'a>>,
    /// What waits for a person.
    undecided: Option<Undecided<'a>>,
    /// How it fails in the running service.
    failing: Option<FailingFacts>,
    /// Whether another process is at work on it.
    in_progress: bool,
    /// What the next apply would do with it; empty if nothing.
    next: Vec<ResourceChange<'a>>,
}

/// Where an entry stands.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Declared {
    file: String,
    line: Option<usize>,
}

/// A contact that a key had.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Forgotten<'a> {
    apollo_id: &'a str,
    at: String,
}

/// A request whose outcome is not recorded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct OpenRequest<'a> {
    request: Endpoint,
    apollo_id: Option<&'a str>,
    run: &'a str,
    attempts: u32,
    first_sent_at: String,
    last_sent_at: String,
    /// Whether Apollo refused it, which may hide that it was done.
    refused: bool,
    /// What Apollo called it in its last answer; null where none came.
    request_id: Option<&'a str>,
}

/// What waits for a person.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct Undecided<'a> {
    since: String,
    /// The contacts that it is about.
    apollo_ids: Vec<&'a str>,
    /// In words; they may change.
    message: String,
    /// What to do, in words.
    detail: String,
}

/// An entry that fails in the running service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(super) struct FailingFacts {
    since: String,
    /// How often it has failed in a row.
    attempts: u32,
    /// In words; they may change.
    message: String,
    /// When it is tried again; null when it waits for a person.
    next_try: Option<String>,
    /// What Apollo called the request that failed; null where no request did, or no answer came.
    request_id: Option<String>,
}

impl<'a> WhyDocument<'a> {
    /// `location` is where the entry stands now, and `names` tells what ids stand for.
    pub fn new(why: &'a Why, location: Option<&Location>, names: &Glossary, mask: Mask) -> Self {
        let line = location.map(|location| location.line);
        let declared =
            why.place.as_ref().map(|place| Declared { file: place.path.to_string_lossy().into_owned(), line });
        let undecided = why.conflict.as_ref().map(|conflict| {
            let ids = match &conflict.cause {
                ConflictCause::Namesakes { ids } | ConflictCause::Several { ids } => ids.iter().collect(),
                ConflictCause::Collision { .. } | ConflictCause::Stranger | ConflictCause::UnseenMatch => {
                    vec![&conflict.apollo_id]
                }
            };
            let kind = ProblemKind::Undecided(Dispute::of(&conflict.apollo_id, &conflict.cause));
            let told = words::problem(&Problem { key: Some(why.key.clone()), ..Problem::from(kind) });
            let apollo_ids = ids.into_iter().map(crate::model::ApolloId::as_str).collect();
            Undecided { since: time_text(conflict.at), apollo_ids, message: told.summary, detail: told.detail }
        });
        Self {
            format_version: FORMAT_VERSION,
            contactsd_version: PROGRAM_VERSION,
            key: why.key.as_str(),
            address: why.key.address(),
            declared,
            managed: why.binding.as_ref().map(|binding| ContactState::new(&why.key, binding, mask)),
            run: why.binding.as_ref().map(|binding| &*binding.run.0),
            request_id: why.binding.as_ref().and_then(|binding| binding.request_id.as_deref()),
            forgotten: why
                .tombstone
                .as_ref()
                .map(|forgotten| Forgotten { apollo_id: forgotten.apollo_id.as_str(), at: time_text(forgotten.at) }),
            open: why.intents.iter().map(OpenRequest::of).collect(),
            undecided,
            failing: why.failing.as_ref().map(|failing| FailingFacts {
                since: time_text(failing.since),
                attempts: failing.attempts,
                message: words::in_short(&failing.error, Some(&why.key)),
                next_try: failing.next_try.map(time_text),
                request_id: failing.error.request_id().map(str::to_owned),
            }),
            in_progress: why.under_way,
            next: why.actions.iter().map(|action| ResourceChange::new(action, line, names, mask)).collect(),
        }
    }
}

impl<'a> OpenRequest<'a> {
    fn of(intent: &'a Intent) -> Self {
        Self {
            request: intent.endpoint,
            apollo_id: intent.apollo_id.as_ref().map(crate::model::ApolloId::as_str),
            run: &intent.run.0,
            attempts: intent.attempts,
            first_sent_at: time_text(intent.first_sent_at),
            last_sent_at: time_text(intent.last_sent_at),
            refused: intent.refused,
            request_id: intent.request_id.as_deref(),
        }
    }
}
