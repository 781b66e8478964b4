//! Limits that stop a plan nobody meant.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::scope::Scope;
use crate::model::ContactKey;

/// Share of the managed contacts, in percent, that may be forgotten without `--force`.
const FORGET_PERCENT: usize = 30;

/// From this many managed contacts on, [`FORGET_PERCENT`] applies; fewer are a hand's work.
const FORGET_FLOOR: usize = 10;

/// What the person applying has allowed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Lifts the brakes on forgetting.
    pub force: bool,
    pub max_creates: Option<Limit>,
    pub max_updates: Option<Limit>,
    pub max_forgets: Option<Limit>,
    /// Keys whose contacts, deleted in Apollo, are to be created again.
    pub recreate: BTreeSet<ContactKey>,
    /// Keys whose contacts are to be created although Apollo has a contact like them.
    #[serde(default)]
    pub create: BTreeSet<ContactKey>,
    /// Which keys are planned for; limits count these alone.
    pub scope: Scope,
}

/// A number of contacts, or a share of those managed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    Count(usize),
    /// In percent of the contacts in the state, rounded down.
    Percent(u8),
}

/// What limits are measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Managed {
    /// The contacts in the state, and those that are `gone`.
    pub managed: usize,
    /// Those that plans before forgot, and that count with what this plan forgets.
    pub gone: usize,
}

/// A limit that a plan exceeds; such a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Brake {
    pub kind: BrakeKind,
    /// How many contacts the plan would touch in this way.
    pub count: usize,
    /// How many are allowed.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BrakeKind {
    /// Most of the managed contacts would be forgotten; lifted by `--force`.
    ForgetsMany,
    /// All managed contacts would be forgotten; lifted by `--force`.
    ForgetsAll,
    MaxCreates,
    MaxUpdates,
    MaxForgets,
}

impl BrakeKind {
    /// Reports whether it counts contacts that would be forgotten.
    pub fn is_of_forgetting(self) -> bool {
        match self {
            Self::ForgetsMany | Self::ForgetsAll | Self::MaxForgets => true,
            Self::MaxCreates | Self::MaxUpdates => false,
        }
    }
}

impl Limit {
    fn of(self, managed: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => managed * usize::from(percent) / 100,
        }
    }
}

impl FromStr for Limit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("{text:?} is neither a number of contacts nor a percentage such as 20%");
        match text.strip_suffix('%') {
            Some(percent) => match percent.parse() {
                Ok(percent @ 0..=100) => Ok(Self::Percent(percent)),
                _ => Err(expected()),
            },
            None => text.parse().map(Self::Count).map_err(|_| expected()),
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Policy {
    /// Lists the limits that a plan with `counts` passes.
    pub(super) fn brakes(&self, counts: &Counts, Managed { managed, gone }: Managed) -> Vec<Brake> {
        let forgets = if counts.forget > 0 { counts.forget + gone } else { 0 };
        let mut brakes = Vec::new();
        if !self.force && forgets > 0 {
            let allowed = managed * FORGET_PERCENT / 100;
            if forgets == managed {
                brakes.push(Brake { kind: BrakeKind::ForgetsAll, count: forgets, limit: managed - 1 });
            } else if managed >= FORGET_FLOOR && forgets * 100 > managed * FORGET_PERCENT {
                brakes.push(Brake { kind: BrakeKind::ForgetsMany, count: forgets, limit: allowed });
            }
        }
        let limits = [
            (BrakeKind::MaxCreates, counts.add, self.max_creates),
            (BrakeKind::MaxUpdates, counts.change, self.max_updates),
            (BrakeKind::MaxForgets, forgets, self.max_forgets),
        ];
        brakes.extend(limits.into_iter().filter_map(|(kind, count, limit)| {
            let limit = limit?.of(managed);
            (count > limit).then_some(Brake { kind, count, limit })
        }));
        brakes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(policy: &Policy, forget: usize, managed: usize) -> Vec<BrakeKind> {
        let counts = Counts { forget, ..Counts::default() };
        policy.brakes(&counts, Managed { managed, gone: 0 }).into_iter().map(|brake| brake.kind).collect()
    }

    #[test]
    fn forgetting_more_than_thirty_percent_of_ten_or_more_needs_force() {
        let policy = Policy::default();
        assert_eq!(kinds(&policy, 3, 10), []);
        assert_eq!(kinds(&policy, 4, 10), [BrakeKind::ForgetsMany]);
        assert_eq!(kinds(&policy, 8, 9), []);
        assert_eq!(kinds(&policy, 9, 9), [BrakeKind::ForgetsAll]);
        assert_eq!(kinds(&Policy { force: true, ..policy }, 9, 9), []);
    }

    #[test]
    fn force_lifts_no_limit_that_was_set_by_number() {
        let policy = Policy { force: true, max_forgets: Some(Limit::Count(2)), ..Policy::default() };
        assert_eq!(kinds(&policy, 3, 100), [BrakeKind::MaxForgets]);
        let policy = Policy { max_forgets: Some(Limit::Percent(5)), ..policy };
        assert_eq!(kinds(&policy, 5, 100), []);
        assert_eq!(kinds(&policy, 6, 100), [BrakeKind::MaxForgets]);
    }

    #[test]
    fn limits_are_numbers_or_percentages() {
        assert_eq!("7".parse(), Ok(Limit::Count(7)));
        assert_eq!("20%".parse(), Ok(Limit::Percent(20)));
        assert!("120%".parse::<Limit>().is_err());
        assert!("many".parse::<Limit>().is_err());
    }
}
