//! What may happen to an intent, and what may be concluded about one without an answer.
//!
//! Pure: it never stores, sends or waits. An intent is written before its request leaves and dropped
//! in the same write that records the answer, so one that is found later is in doubt: its request may
//! have had its effect.

use std::time::Duration;

use crate::model::{ApolloId, Intent, Timestamp};

/// Where one intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Written, nothing sent.
    Intended,
    /// A request is under way.
    Sent,
    /// A request went out and its answer is unknown, or was lost with the process.
    InDoubt,
    /// The outcome is known and recorded; the intent is dropped.
    Answered,
    /// The request had no effect for certain; the intent is dropped.
    Refused,
    /// A look-up found out what became of it; the intent is dropped.
    Settled,
}

/// What happens to an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Send,
    /// An answer came that says what was done.
    Answer,
    /// The request provably had no effect: it never left, or the server refused it.
    Refuse,
    /// The answer was lost, or says nothing.
    Lose,
    /// The process that sent it is gone.
    Crash,
    /// A look-up told the outcome.
    Settle,
}

/// A step that an intent cannot take where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an intent that is {status:?} cannot take the step {step:?}")]
pub struct IllegalStep {
    pub status: Status,
    pub step: Step,
}

/// Returns where an intent stands after `step`.
///
/// An intent in doubt may be sent again only by settling, which decides that first: a repeatable
/// request goes from `InDoubt` by `Send`, and a create takes that step after its look-up found nothing.
pub fn next(status: Status, step: Step) -> Result<Status, IllegalStep> {
    match (status, step) {
        (Status::Intended | Status::InDoubt, Step::Send) => Ok(Status::Sent),
        (Status::Sent, Step::Answer) => Ok(Status::Answered),
        (Status::Sent | Status::Intended, Step::Refuse) => Ok(Status::Refused),
        (Status::Sent, Step::Lose) => Ok(Status::InDoubt),
        // A crash between the write and the send cannot be told from one after it.
        (Status::Intended | Status::Sent | Status::InDoubt, Step::Crash) => Ok(Status::InDoubt),
        (Status::InDoubt, Step::Settle) => Ok(Status::Settled),
        (status, step) => Err(IllegalStep { status, step }),
    }
}

/// What a look-up of an unanswered create means for its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conclusion {
    /// This contact is the one.
    Bind(ApolloId),
    /// More than one contact could be it; a person decides.
    Several(Vec<ApolloId>),
    /// There is none, and the entry is still wanted: send the journaled body again.
    SendAgain,
    /// There is none, and nobody wants it any more.
    Drop,
}

/// Decides what the contacts found for an unanswered create mean; `declared`, whether its entry still stands.
pub fn conclude(mut found: Vec<ApolloId>, declared: bool) -> Conclusion {
    found.sort_unstable();
    found.dedup();
    match (found.pop(), found.is_empty()) {
        (Some(id), true) => Conclusion::Bind(id),
        (Some(id), false) => {
            found.push(id);
            Conclusion::Several(found)
        }
        (None, _) if declared => Conclusion::SendAgain,
        (None, _) => Conclusion::Drop,
    }
}

/// Returns how long to wait before a create in doubt is looked up.
///
/// The request may still be at work on the server, and a search lags behind writes; `settle_after`
/// covers both. Never longer than that, whatever the clock did.
pub fn settle_wait(intent: &Intent, settle_after: Duration, now: Timestamp) -> Duration {
    (intent.last_sent_at + settle_after).since(now).min(settle_after)
}

/// Returns the earliest creation time, by the server's clock, of a contact that the intent made.
///
/// `server_now` is the `Date` of an answer that arrived at `now`; the two seconds cover its whole
/// seconds and the way.
pub fn earliest_creation(intent: &Intent, server_now: Timestamp, now: Timestamp) -> Timestamp {
    server_now - now.since(intent.first_sent_at) - Duration::from_secs(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 6] =
        [Status::Intended, Status::Sent, Status::InDoubt, Status::Answered, Status::Refused, Status::Settled];
    const STEPS: [Step; 6] = [Step::Send, Step::Answer, Step::Refuse, Step::Lose, Step::Crash, Step::Settle];

    #[test]
    fn what_is_over_takes_no_further_step() {
        for status in [Status::Answered, Status::Refused, Status::Settled] {
            for step in STEPS {
                assert_eq!(next(status, step), Err(IllegalStep { status, step }));
            }
        }
    }

    #[test]
    fn a_request_under_way_is_not_sent_a_second_time() {
        assert!(next(Status::Sent, Step::Send).is_err());
    }

    #[test]
    fn every_way_out_of_doubt_leads_through_a_look_up_or_a_decided_send() {
        let ways: Vec<_> = STEPS.into_iter().filter(|&step| next(Status::InDoubt, step).is_ok()).collect();
        assert_eq!(ways, [Step::Send, Step::Crash, Step::Settle]);
    }

    #[test]
    fn an_answer_counts_only_for_a_request_under_way() {
        let with_answer: Vec<_> = STATUSES.into_iter().filter(|&status| next(status, Step::Answer).is_ok()).collect();
        assert_eq!(with_answer, [Status::Sent]);
    }

    fn id(number: u8) -> ApolloId {
        ApolloId::parse(&format!("{number:024x}")).unwrap()
    }

    #[test]
    fn one_hit_binds_several_stop_and_none_depends_on_the_entry() {
        assert_eq!(conclude(vec![id(1)], true), Conclusion::Bind(id(1)));
        assert_eq!(conclude(vec![id(1), id(1)], false), Conclusion::Bind(id(1)));
        assert_eq!(conclude(vec![id(2), id(1)], true), Conclusion::Several(vec![id(1), id(2)]));
        assert_eq!(conclude(vec![], true), Conclusion::SendAgain);
        assert_eq!(conclude(vec![], false), Conclusion::Drop);
    }
}
