//! Misbehavior on request: which faults there are, how often they strike, and the dice.
//!
//! Decides and never acts: `gate.rs` carries out what was drawn.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Action, choice};

/// One way for a request to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The work is done and the connection cut without an answer.
    LostReply,
    /// The connection is cut before any work.
    CutBefore,
    /// 500 with a JSON body, before any work.
    #[serde(rename = "error-500")]
    Error500,
    /// The work is done, and the answer is 500 with a JSON body.
    #[serde(rename = "error-500-after")]
    Error500After,
    /// 503 with `retry-after`, before any work.
    Unavailable,
    /// A gateway's HTML page with a status of [`PAGE_STATUSES`], before any work.
    PageBefore,
    /// The work is done, and the answer is a gateway's HTML page with a status of [`PAGE_STATUSES`].
    PageAfter,
    /// The work is done, and the answer is 422 with a JSON body.
    RefusedAfterWork,
    /// The work is done, and the answer is a gateway's HTML page with 502.
    #[serde(rename = "html-502")]
    Html502,
    /// The work is done, and the connection cut in the middle of the answer's body.
    Truncated,
    /// The request waits before it is worked on; another fault may strike it as well.
    Slow,
    /// 429 without `retry-after` although windows have requests left; no work is done.
    #[serde(rename = "stray-429")]
    Stray429,
}

impl Fault {
    /// Reports whether the request's work is left undone.
    pub(super) fn is_before_work(self) -> bool {
        use Fault::{CutBefore, Error500, PageBefore, Stray429, Unavailable};
        matches!(self, CutBefore | Error500 | PageBefore | Stray429 | Unavailable)
    }
}

/// What a page of a gateway has for its status.
const PAGE_STATUSES: [u16; 5] = [403, 404, 410, 418, 429];

/// How often one fault strikes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rule {
    /// The action it is limited to; every action when `None`.
    action: Option<Action>,
    fault: Fault,
    /// From 0, never, to 1, always.
    probability: f64,
}

/// The faults asked for; none by default.
#[derive(Debug, Clone, PartialEq)]
pub struct Faults {
    rules: Vec<Rule>,
    /// How long a slow request waits.
    slow: Duration,
    /// What `retry-after` says with a 503, in seconds.
    retry_after: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self { rules: Vec::new(), slow: Duration::from_secs(1), retry_after: 1 }
    }
}

/// A part of a fault text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{part:?} is no fault: write [ACTION:]FAULT=PROBABILITY with a probability from 0 to 1 and a fault of {}, \
     slow-ms=MILLISECONDS or retry-after=SECONDS",
    choice::names::<Fault>().join(", ")
)]
pub struct InvalidFaults {
    part: String,
}

impl FromStr for Faults {
    type Err = InvalidFaults;

    /// Reads `lost-reply=0.1,create:error-500=0.05,slow=0.2,slow-ms=300`; an empty text is no faults.
    fn from_str(text: &str) -> Result<Self, InvalidFaults> {
        let mut faults = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let invalid = || InvalidFaults { part: part.to_owned() };
            let (name, value) = part.split_once('=').ok_or_else(invalid)?;
            match name {
                "slow-ms" => faults.slow = Duration::from_millis(value.parse().map_err(|_| invalid())?),
                "retry-after" => faults.retry_after = value.parse().map_err(|_| invalid())?,
                _ => faults.rules.push(Rule::parse(name, value).ok_or_else(invalid)?),
            }
        }
        Ok(faults)
    }
}

impl Rule {
    fn parse(name: &str, value: &str) -> Option<Self> {
        let (action, name) = match name.split_once(':') {
            Some((action, name)) => (Some(action.parse().ok()?), name),
            None => (None, name),
        };
        let fault = choice::read(name).ok()?;
        let probability = value.parse().ok().filter(|probability| (0.0..=1.0).contains(probability))?;
        Some(Self { action, fault, probability })
    }

    fn concerns(&self, action: Action) -> bool {
        self.action.is_none_or(|only| only == action)
    }
}

/// What strikes one request.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Struck {
    /// How long to wait first.
    pub(super) delay: Option<Duration>,
    /// Any fault but [`Fault::Slow`].
    pub(super) fault: Option<Fault>,
    /// The status of a page.
    pub(super) page_status: u16,
    /// What `retry-after` says with a 503, in seconds.
    pub(super) retry_after: u64,
}

/// Draws faults; the same seed and requests draw the same ones.
pub(super) struct Dice {
    pub(super) faults: Faults,
    random: fastrand::Rng,
}

impl Dice {
    pub(super) fn new(faults: Faults, seed: u64) -> Self {
        Self { faults, random: fastrand::Rng::with_seed(seed) }
    }

    /// Draws for one request; of several faults that strike, the first named counts.
    ///
    /// Every rule that concerns the action is drawn for, so that one hit does not shift the later draws.
    pub(super) fn draw(&mut self, action: Action) -> Struck {
        let mut struck = Struck { retry_after: self.faults.retry_after, ..Struck::default() };
        for rule in self.faults.rules.iter().filter(|rule| rule.concerns(action)) {
            let hit = self.random.f64() < rule.probability;
            if matches!(rule.fault, Fault::PageBefore | Fault::PageAfter) {
                struck.page_status = PAGE_STATUSES[self.random.usize(..PAGE_STATUSES.len())];
            }
            match rule.fault {
                _ if !hit => {}
                Fault::Slow => struck.delay = Some(self.faults.slow),
                fault => struck.fault = struck.fault.or(Some(fault)),
            }
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_cannot_be_read_are_refused_with_the_part_that_is_wrong() {
        for wrong in ["lost-reply", "lost-reply=2", "lost-reply=-0.1", "lost-reply=NaN", "lost=0.1", "sing:slow=1"] {
            let error = format!("slow=0.5,{wrong}").parse::<Faults>().unwrap_err();
            assert_eq!(error.part, wrong);
        }
        assert_eq!("".parse(), Ok(Faults::default()));
    }

    #[test]
    fn zero_never_strikes_and_one_always_does() {
        let mut dice = Dice::new("error-500=0,slow=1,slow-ms=20,create:lost-reply=1".parse().unwrap(), 1);
        for _ in 0..100 {
            let delay = Some(Duration::from_millis(20));
            let struck = Struck { delay, retry_after: 1, ..Struck::default() };
            assert_eq!(dice.draw(Action::View), struck);
            assert_eq!(dice.draw(Action::Create), Struck { fault: Some(Fault::LostReply), ..struck });
        }
    }

    #[test]
    fn one_seed_draws_one_sequence() {
        let draws = |seed| {
            let mut dice = Dice::new("lost-reply=0.3,page-after=0.3".parse().unwrap(), seed);
            (0..64).map(|_| dice.draw(Action::Create)).collect::<Vec<_>>()
        };
        assert_eq!(draws(7), draws(7));
        assert_ne!(draws(7), draws(8));
    }
}
