//! What a probe found out, as facts.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::model::{ApolloId, Endpoint, Timestamp};

/// Contacts that a probe makes, at most.
pub const MOST_CONTACTS: usize = 5;

/// Whom a probe would write for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProbeTarget {
    pub team: Option<String>,
    /// The user that the credential acts as.
    pub user: Option<String>,
    /// Contacts in the account.
    pub contacts: Option<u64>,
}

/// What a probe did and saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeReport {
    /// Stands in every name and e-mail that the probe made.
    pub mark: String,
    pub at: Timestamp,
    /// One for each question, in their order.
    pub findings: Vec<Finding>,
    /// The contacts that were made, with the e-mail of each.
    pub made: BTreeMap<ApolloId, String>,
    /// Whether a request that makes contacts was left without an answer, so that there may be more of them.
    pub may_be_more: bool,
    /// Lists that may have been made.
    pub lists: Vec<String>,
    /// What is known of each kind of request that was sent.
    pub scopes: BTreeMap<Endpoint, Scope>,
}

/// Whether the credential may send a kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Granted,
    /// It may not, or there is no such call; the status.
    Refused(u16),
    Unknown,
}

/// What pages leave open or contradict each other about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    EmptyBatch,
    TwinsInBatch,
    RowContents,
    RowOrder,
    ItemLists,
    SearchLag,
    KeywordSearch,
    MatchInBatch,
    MatchStanding,
    AppendedLists,
    NameAndCompany,
    PlusTag,
    SingleMatch,
    Witnesses,
    BulkUpdate,
    RefusalAmongMany,
    Stages,
    ClearText,
    ClearPhone,
}

impl Question {
    pub const ALL: [Self; 19] = [
        Self::EmptyBatch,
        Self::TwinsInBatch,
        Self::RowContents,
        Self::RowOrder,
        Self::ItemLists,
        Self::SearchLag,
        Self::KeywordSearch,
        Self::MatchInBatch,
        Self::MatchStanding,
        Self::AppendedLists,
        Self::NameAndCompany,
        Self::PlusTag,
        Self::SingleMatch,
        Self::Witnesses,
        Self::BulkUpdate,
        Self::RefusalAmongMany,
        Self::Stages,
        Self::ClearText,
        Self::ClearPhone,
    ];
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub question: Question,
    pub facts: Vec<Fact>,
    pub reading: Result<Reading, Unknown>,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The status of an answer.
    Status(u16),
    /// What a refusal said, or why no answer came.
    Said(String),
    /// How many rows stood among the created and the existing ones, and how many named nobody that exists.
    Rows { created: usize, existing: usize, nowhere: usize },
    /// The work was only queued.
    Job,
    /// Names of what rows show, and of what they leave out.
    Shown { shown: Vec<&'static str>, hidden: Vec<&'static str> },
    /// How long it took, or was waited for.
    Took(Duration),
}

/// What it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// An empty batch is taken.
    Accepted,
    /// An empty batch is refused for its content, which says that batches may be sent.
    RefusedForContent,
    /// Batches may not be sent.
    NotAllowed,
    MadeOnce,
    MadeTwice,
    /// The batch was refused for it.
    Refused,
    /// Rows tell when a contact was made.
    TellsCreation,
    HidesCreation,
    SameOrder,
    OtherOrder,
    /// Lists were left out without a word.
    ListsIgnored,
    ListsTaken,
    /// The first look showed it.
    ShownAtOnce,
    ShownLater,
    NotShown,
    LeftAsItWas,
    Overwritten,
    /// Nobody was matched.
    MadeAnother,
    Matched,
    /// An answer shows a match as one.
    AmongExisting,
    /// It shows it like a new contact.
    AmongCreated,
    BothWitnesses,
    DedupeResultAlone,
    WasExistingAlone,
    /// Only the id tells.
    NoWitness,
    /// The change was made, and the answer shows it.
    ShownChanged,
    /// The change was made, and the answer does not show it.
    ChangedUnseen,
    NotChanged,
    NobodyWritten,
    WrittenBefore,
    OthersWritten,
    /// It was no refusal: the others were written and the one was passed over.
    PassedOver,
    QueryAlone,
    BodyAlone,
    QueryAndBody,
    NeitherPlace,
    Cleared,
    Kept,
}

/// Why nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The run ended before.
    NotAsked,
    /// The credential may not ask.
    NotAllowed,
    /// No answer, or one that cannot be used.
    NoAnswer,
    /// The answer does not tell.
    NotTold,
    /// What it takes was not there: an earlier step failed.
    NothingToAskWith,
    /// It could have made a contact more than is allowed.
    Enough,
}
