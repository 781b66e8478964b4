//! What went wrong, as facts; `ui::words` makes sentences of them.
//!
//! Never words anything: no sentence and no name of a flag stands here.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::apollo;
use crate::model::{ApolloId, ContactKey, Endpoint, Entry, Field, Intent, Place, RunId, Value};
use crate::plan::{Brake, Dispute};
use crate::source::{self, Location};
use crate::state;
use crate::store::Remark;

use super::apply::outcome::confirm::Deviation;

/// Something a person should know, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: ProblemKind,
    /// The entry that it is about; `None` for what any other would have met in its place.
    pub key: Option<ContactKey>,
    /// The file of the entry.
    pub path: Option<PathBuf>,
    /// The line of the entry, where that is known.
    pub location: Option<Location>,
}

/// What went wrong with a request, as far as it is told.
///
/// Two are the same whichever requests met them.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The error with everything that caused it.
    pub why: String,
    /// The status of the answer; `None` when none came.
    pub status: Option<u16>,
    /// What the server said in words.
    pub message: Option<String>,
    /// The part of `why` that the server said, which may repeat values of the entry.
    pub said: Option<String>,
    /// What Apollo called the request, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        let Self { why, status, message, said, request_id: _ } = self;
        (why, status, message, said) == (&other.why, &other.status, &other.message, &other.said)
    }
}

impl Fault {
    pub(super) fn of(error: &apollo::Error) -> Self {
        Self {
            why: chain(error),
            status: error.status(),
            message: error.server_message().map(str::to_owned),
            said: error.repeated().map(str::to_owned),
            request_id: error.request_id().map(str::to_owned),
        }
    }
}

/// Why a session cannot begin, or not with another credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Apollo says that the credential is of another team than the state's contacts are.
    OtherTeam { recorded: String, given: String },
    /// Nothing that Apollo shows says whose the credential is.
    TeamUnknown { viewed: Option<ApolloId>, why: String },
    /// Apollo refused the credential.
    Refused(Fault),
    /// Anything else, with what caused it.
    Other { why: String },
}

/// Why it is not known how a contact stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// Apollo does not show it.
    NotShown,
    /// The same, and not all contacts of the account could be read, so none is reported as gone.
    NotCertain,
    /// Looking at it failed, with what caused that.
    Failed(String),
}

/// Why a contact is taken to be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotThere {
    /// Apollo shows it as deleted.
    Deleted,
    /// Apollo refuses to show it, in these words.
    Refused(String),
}

/// What happened. A text is an error with everything that caused it, where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    // Requests and the credential.
    /// The credential lacks the scope for all requests of this kind.
    MayNot {
        endpoint: Endpoint,
        fault: Fault,
    },
    /// Apollo did not list the names that this kind of request is for.
    NamesUnread {
        endpoint: Endpoint,
        fault: Fault,
    },
    /// Apollo does not accept what the request holds.
    Rejected(Fault),
    /// The request was not executed.
    Failed {
        endpoint: Endpoint,
        fault: Fault,
    },
    /// Whether the request took effect is unknown.
    InDoubt {
        endpoint: Endpoint,
        fault: Fault,
    },
    /// The same create was sent so often, and the server fails on it each time.
    FailsAgain {
        attempts: u32,
        status: u16,
        fault: Fault,
    },
    /// Requests of this kind failed for longer than is waited for; `had_success`, whether others went well before.
    Outage {
        endpoint: Endpoint,
        fault: Fault,
        unreachable: bool,
        lasted: Duration,
        had_success: bool,
    },
    /// The same, where no single request is meant.
    NoAnswers {
        unreachable: bool,
    },
    CredentialRefused(Fault),
    /// The credential in use is refused, and the one that has taken its place is no better.
    NewCredentialUnusable(Cause),
    /// A new credential is not used, and the one before is.
    NewCredentialTurnedDown(Cause),
    /// The credential cannot be read again; `is_refused`, whether Apollo refuses the one in use.
    CredentialUnreadable {
        why: String,
        is_refused: bool,
    },

    // One entry.
    /// A search brought more people than are looked through.
    TooManyHits,
    /// More contacts are new than can be read.
    TooManyNew,
    /// The credential may not search, and Apollo would not match the entry.
    MayNotLook,
    /// Creates go out without a look; the first of them is this one.
    CreatesBlindly(ContactKey),
    /// The credential may not create many contacts in one request, so each takes its own.
    CreatesOneByOne,
    /// The quota that runners share cannot be drawn from, why; requests go out all the same.
    QuotaUnshared(String),
    /// Requests wait for a window for longer than is waited for.
    QuotaUsedUp {
        endpoint: Endpoint,
        wait: Duration,
    },
    /// No key of the contact files matches a pattern.
    NothingDeclaredMatches(String),
    /// Apollo did not answer whether it may, so each takes its own.
    BatchesUnknown {
        why: String,
    },
    /// The contact that the entry means was merged into another one; `is_named`, whether the entry itself says the id.
    Merged {
        id: ApolloId,
        survivor: ApolloId,
        owner: Option<ContactKey>,
        is_named: bool,
    },
    /// The contact that was to be managed again is gone, and another one is created.
    RestoredAsNew(ApolloId),
    DoesNotExist {
        id: ApolloId,
        is_named: bool,
        why: NotThere,
    },
    /// An answer complains of something and shows the contact as it was sent.
    Complained(String),
    /// A call was answered with a success twice and did not change the lists.
    ListsUnchanged {
        names: BTreeSet<String>,
        adds: bool,
        said: String,
    },
    Undecided(Dispute),
    /// A create in doubt leads to a contact that existed before, of a person that its entry no longer describes.
    MeantSomebodyElse(ApolloId),
    Contradiction {
        bound: ApolloId,
        declared: ApolloId,
        owner: Option<ContactKey>,
    },
    /// Apollo holds a field otherwise than it was sent.
    Deviates {
        deviation: Deviation,
        sent: Option<Value>,
    },
    /// The same of an earlier apply; nothing is sent for it any more.
    StillDropped(Field),
    /// A create whose entry is gone may have made a contact that is not managed.
    IntentDropped {
        key: ContactKey,
        run: RunId,
        path: String,
    },
    /// A create whose entry now describes another person is given up, because Apollo shows no contact that it made.
    IntentWithdrawn(RunId),
    /// An entry was bound to a contact by its id, while a create for it had no answer and was not looked for.
    MayBeTwice {
        id: ApolloId,
        run: RunId,
    },
    /// An earlier create made a contact whose entry is gone.
    LeftBehind {
        key: ContactKey,
        id: ApolloId,
    },
    /// A contact was bound to another key while it was looked at for this one.
    TakenMeanwhile {
        id: ApolloId,
        owner: ContactKey,
    },

    // What is seen of the account.
    /// None of so many contacts is there, so that the credential is suspected.
    NobodyThere {
        contacts: usize,
    },
    /// How a contact stands is not known.
    NotSeen {
        id: ApolloId,
        why: Unseen,
    },

    // The state.
    /// What happens to the entry cannot be recorded.
    CannotRecord(String),
    CannotWrite(String),
    /// Other processes cannot ask for the state while this one writes it.
    CannotAnswer(String),
    NotClosed(String),
    /// The state was damaged, or of an earlier format, and was put right before it was opened.
    StateMended(Remark),

    // Plans.
    /// The plan is for a part of the contacts.
    Targeted,
    /// The plan exceeds a limit; so many of those it would forget are forgotten already.
    Braked {
        brake: Brake,
        gone: usize,
    },
    /// A pattern of the scope matches no key.
    NoSuchKey {
        excludes: bool,
        pattern: String,
        nearest: Option<ContactKey>,
    },
    FilesUnusable(String),

    // Plans that a person asks for by hand.
    NotDeclared {
        key: ContactKey,
        nearest: Option<ContactKey>,
    },
    /// The entry says another id than the one to be imported.
    NamesAnother {
        key: ContactKey,
        named: ApolloId,
    },
    BoundAlready {
        key: ContactKey,
        id: ApolloId,
    },
    BelongsToAnother {
        id: ApolloId,
        key: ContactKey,
        owner: ContactKey,
    },
    KeyTaken {
        key: ContactKey,
        id: ApolloId,
    },
    NotInState {
        key: ContactKey,
        nearest: Option<ContactKey>,
    },
    /// No managed key matches the pattern.
    NothingMatches(String),
    /// Two patterns do not say which key becomes which.
    UnclearMove {
        from: String,
        to: String,
    },
    /// Asked to be created again, and not known to be gone.
    NotGone(ContactKey),
    /// Asked to be created all the same, and bound or not declared.
    NotToCreate(ContactKey),

    // The service.
    StateUnreadable(String),
    StateLost(String),
    WaitsForState(String),
    StateNotOpened(Cause),
    PlaceLost(String),
    /// The state takes no more writes until it is opened again.
    StateClosed,
    CredentialUnusable(Cause),
    /// The credential was refused, which was told when it was.
    NoCredential,
    /// Nobody can ask the service for now.
    CannotBeAsked(String),
}

impl ProblemKind {
    /// Returns the status of the answer that it came from, if one came.
    pub fn status(&self) -> Option<u16> {
        self.fault()?.status
    }

    /// Returns what Apollo called the request that failed, if one did and was answered.
    pub fn request_id(&self) -> Option<&str> {
        self.fault()?.request_id.as_deref()
    }

    fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Rejected(fault)
            | Self::CredentialRefused(fault)
            | Self::MayNot { fault, .. }
            | Self::NamesUnread { fault, .. }
            | Self::Failed { fault, .. }
            | Self::InDoubt { fault, .. }
            | Self::FailsAgain { fault, .. }
            | Self::Outage { fault, .. } => Some(fault),
            _ => None,
        }
    }

    /// Points at an entry, or at one field of it where that is known.
    pub(super) fn at(self, place: &Place, field: Option<&Field>) -> Problem {
        let location = source::locate(place, field);
        Problem { kind: self, key: Some(place.key.clone()), path: Some(place.path.to_path_buf()), location }
    }
}

impl From<ProblemKind> for Problem {
    fn from(kind: ProblemKind) -> Self {
        Self { kind, key: None, path: None, location: None }
    }
}

impl From<ProblemKind> for Box<Problem> {
    fn from(kind: ProblemKind) -> Self {
        Self::new(kind.into())
    }
}

/// Writes an error with everything that caused it, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Tells what a request that Apollo turned down, or that could not be made, means for the entry.
pub(super) fn refused(endpoint: Endpoint, error: &apollo::Error, place: &Place) -> Problem {
    let fault = Fault::of(error);
    match fault.status {
        Some(401) => ProblemKind::CredentialRefused(fault).into(),
        Some(403) if error.is_barred(endpoint) => ProblemKind::MayNot { endpoint, fault }.into(),
        Some(400..=499) if !error.is_page() => ProblemKind::Rejected(fault).at(place, error.field_hint().as_ref()),
        _ => ProblemKind::Failed { endpoint, fault }.at(place, None),
    }
}

/// Tells the same of a request that is about no single entry.
pub(super) fn refused_for_all(endpoint: Endpoint, error: &apollo::Error) -> Problem {
    let fault = Fault::of(error);
    match fault.status {
        Some(401) => ProblemKind::CredentialRefused(fault).into(),
        Some(403) if error.is_barred(endpoint) => ProblemKind::MayNot { endpoint, fault }.into(),
        _ => ProblemKind::Failed { endpoint, fault }.into(),
    }
}

/// Tells that names could not be asked for.
pub(super) fn names_unread(endpoint: Endpoint, error: &apollo::Error) -> Problem {
    let fault = Fault::of(error);
    match fault.status {
        Some(401) => ProblemKind::CredentialRefused(fault).into(),
        _ => ProblemKind::NamesUnread { endpoint, fault }.into(),
    }
}

/// Tells of a request whose effect is unknown.
pub(super) fn in_doubt(endpoint: Endpoint, error: &apollo::Error, place: &Place) -> Problem {
    ProblemKind::InDoubt { endpoint, fault: Fault::of(error) }.at(place, None)
}

/// How often Apollo must have failed on one create before the entry itself is suspected.
const FAILS_AGAIN: u32 = 3;

/// Tells of a create whose effect is unknown; `attempts`, how often the same body was sent.
pub(super) fn create_in_doubt(error: &apollo::Error, attempts: u32, place: &Place) -> Problem {
    let fault = Fault::of(error);
    match fault.status {
        Some(status @ 500..600) if attempts >= FAILS_AGAIN => {
            ProblemKind::FailsAgain { attempts, status, fault }.at(place, None)
        }
        _ => in_doubt(Endpoint::CreateContact, error, place),
    }
}

/// Tells that requests of a kind failed for longer than is waited for.
pub(super) fn outage(endpoint: Endpoint, error: &apollo::Error, lasted: Duration, had_success: bool) -> Problem {
    let (fault, unreachable) = (Fault::of(error), matches!(error, apollo::Error::Connect { .. }));
    ProblemKind::Outage { endpoint, fault, unreachable, lasted, had_success }.into()
}

/// Tells that the contact an entry means was merged into another one.
pub(super) fn merged(id: &ApolloId, survivor: &ApolloId, owner: Option<&ContactKey>, entry: &Entry) -> Problem {
    let (id, survivor, owner) = (id.clone(), survivor.clone(), owner.cloned());
    ProblemKind::Merged { id, survivor, owner, is_named: entry.apollo_id.is_some() }.at(&entry.place, None)
}

/// Tells of fields that Apollo holds otherwise than they were sent.
pub(super) fn deviations(deviations: &[Deviation], entry: &Entry) -> Vec<Problem> {
    let told = |deviation: &Deviation| {
        let (field, sent) = (deviation.field.clone(), entry.fields.get(&deviation.field).cloned());
        ProblemKind::Deviates { deviation: deviation.clone(), sent }.at(&entry.place, Some(&field))
    };
    deviations.iter().map(told).collect()
}

/// Tells that a create whose entry is gone is given up.
pub(super) fn dropped_intent(intent: &Intent, place: &Place) -> Problem {
    let (key, run, path) = (place.key.clone(), intent.run.clone(), intent.path.clone());
    ProblemKind::IntentDropped { key, run, path }.into()
}

/// Tells that a create without an answer may have made another contact than the one that its entry is bound to.
pub(super) fn may_be_twice(intent: &Intent, id: &ApolloId, place: &Place) -> Problem {
    ProblemKind::MayBeTwice { id: id.clone(), run: intent.run.clone() }.at(place, None)
}

/// Tells that what happens to an entry cannot be recorded.
pub(super) fn store_failed(error: &state::Error, place: &Place) -> Problem {
    ProblemKind::CannotRecord(chain(error)).at(place, None)
}

pub(super) fn creates_blindly(place: &Place) -> Problem {
    ProblemKind::CreatesBlindly(place.key.clone()).into()
}

pub(super) fn restored_as_new(id: &ApolloId, place: &Place) -> Problem {
    ProblemKind::RestoredAsNew(id.clone()).at(place, None)
}

pub(super) fn does_not_exist(id: &ApolloId, entry: &Entry, why: NotThere) -> Problem {
    let (id, is_named) = (id.clone(), entry.apollo_id.is_some());
    ProblemKind::DoesNotExist { id, is_named, why }.at(&entry.place, None)
}

pub(super) fn complained(complaint: &str, entry: &Entry) -> Problem {
    ProblemKind::Complained(complaint.to_owned()).at(&entry.place, None)
}

pub(super) fn lists_unchanged(names: &BTreeSet<String>, adds: bool, said: &str, entry: &Entry) -> Problem {
    let (names, said) = (names.clone(), said.to_owned());
    ProblemKind::ListsUnchanged { names, adds, said }.at(&entry.place, Some(&Field::LabelNames))
}

pub(super) fn undecided(dispute: &Dispute, entry: &Entry) -> Problem {
    ProblemKind::Undecided(dispute.clone()).at(&entry.place, None)
}

pub(super) fn meant_somebody_else(id: &ApolloId, entry: &Entry) -> Problem {
    ProblemKind::MeantSomebodyElse(id.clone()).at(&entry.place, None)
}

pub(super) fn contradiction(
    bound: &ApolloId,
    declared: &ApolloId,
    owner: Option<&ContactKey>,
    entry: &Entry,
) -> Problem {
    let (bound, declared, owner) = (bound.clone(), declared.clone(), owner.cloned());
    ProblemKind::Contradiction { bound, declared, owner }.at(&entry.place, None)
}

pub(super) fn withdrawn_intent(intent: &Intent, place: &Place) -> Problem {
    ProblemKind::IntentWithdrawn(intent.run.clone()).at(place, None)
}

pub(super) fn left_behind(id: &ApolloId, place: &Place) -> Problem {
    ProblemKind::LeftBehind { key: place.key.clone(), id: id.clone() }.into()
}
