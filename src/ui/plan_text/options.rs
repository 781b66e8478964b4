//! How a plan is shown, and what is shown beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::mask::Mask;
use crate::model::{Digest, Endpoint, Glossary};
use crate::plan::{Action, Creates, OneEach, Operation};

/// What a plan's text depends on beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanOptions<'a> {
    pub color: bool,
    /// Columns of the rule and of prose at the end.
    pub width: usize,
    pub mask: Mask,
    pub detail: Detail,
    /// File by file instead of by address alone.
    pub by_file: bool,
    /// Shows only the first of many actions and the beginning of long values, and says so: for a terminal, where
    /// nobody reads thousands of blocks.
    pub abridged: bool,
    /// The command that applies, as this user would type it; `None` leaves the hint out, as in
    /// automation and where the question follows at once.
    pub next_step: Option<&'a str>,
    pub forecast: Option<&'a Forecast>,
    /// Shown so that a later apply can insist on this plan.
    pub digest: Option<&'a Digest>,
    /// What ids in the plan stand for, where that is known.
    pub names: Option<&'a Glossary>,
}

impl Default for PlanOptions<'_> {
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
            mask: Mask::Off,
            detail: Detail::Blocks,
            by_file: false,
            abridged: false,
            next_step: None,
            forecast: None,
            digest: None,
            names: None,
        }
    }
}

/// How much is said of each action.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A block, with what stays counted and what is meant explained.
    #[default]
    Blocks,
    /// A line, and one for each change.
    Concise,
}

/// What applying the plan costs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Forecast {
    pub requests: Vec<(Endpoint, usize)>,
    /// The kinds of which fewer may be sent.
    pub up_to: BTreeSet<Endpoint>,
    /// How long it takes within the quota; `None` when that cannot be said.
    pub duration: Option<Duration>,
    /// Whether it takes that long only if as many requests as can be are sent.
    pub at_most: bool,
    /// What the duration rests on, for example which limits were assumed.
    pub note: Option<String>,
    /// How new contacts go out.
    pub creates: Creates,
    /// The contacts that take a request of their own where others share theirs, by why.
    pub one_each: BTreeMap<OneEach, usize>,
}

/// Reports whether applying the plan does something about the action.
pub(in crate::ui) fn is_performed(action: &Action) -> bool {
    !matches!(action.operation, Operation::Conflict { .. } | Operation::Contradiction { .. })
}
