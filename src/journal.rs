//! What may happen to an intent, and what may be concluded about one without an answer.
//!
//! Pure: it never stores, sends or waits. An intent is written before its request leaves and dropped
//! in the same write that records the answer, so one that is found later is in doubt: its request may
//! have had its effect. The intents of a batch stand as their one request does, and each is dropped with its own result.

use std::time::Duration;

use crate::model::{ApolloId, Intent, Timestamp};

/// Where the intents of one request stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Written, and nothing sent that may have had an effect.
    Intended,
    /// A request is under way; whether an earlier one of the same intent may have had its effect.
    Sent { in_doubt_before: bool },
    /// A request may have had its effect, and no answer is known.
    InDoubt,
    /// The answer says what was done; the intent is dropped as it is recorded.
    Answered,
    /// The request had no effect for certain; the intent is dropped.
    Refused,
}

/// What happens to a request, and so to its intents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Send,
    /// An answer came that says what was done.
    Answer,
    /// The request was not carried out, and could be another time: it never left, met a used-up quota,
    /// or a credential that was not accepted.
    Bounce,
    /// The server turned the request down for what it is, as it would have done before.
    Refuse,
    /// No answer came, or one that does not say what was done.
    Lose,
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
/// A request that bounced proves nothing about an earlier one, so doubt stays doubt; one that was
/// refused for its content proves that the same content was refused before.
pub fn next(status: Status, step: Step) -> Result<Status, IllegalStep> {
    use Status::{Answered, InDoubt, Intended, Refused, Sent};
    match (status, step) {
        (Intended, Step::Send) => Ok(Sent { in_doubt_before: false }),
        (InDoubt, Step::Send) => Ok(Sent { in_doubt_before: true }),
        (Sent { .. }, Step::Answer) => Ok(Answered),
        (Sent { in_doubt_before: false }, Step::Bounce) => Ok(Intended),
        (Sent { .. }, Step::Refuse) => Ok(Refused),
        (Sent { in_doubt_before: true }, Step::Bounce) | (Sent { .. }, Step::Lose) => Ok(InDoubt),
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

/// How far the times of creation that a server gives may lie behind its clock, or ours where it tells no time.
pub const CLOCK_SLACK: Duration = Duration::from_mins(5);

/// Returns the earliest creation time, by the server's clock, of a contact that the intent made.
///
/// `server_now` is the `Date` of an answer that arrived at `now`. [`CLOCK_SLACK`] is taken off, and contacts as old as
/// that are told from ours by their values.
pub fn earliest_creation(intent: &Intent, server_now: Timestamp, now: Timestamp) -> Timestamp {
    if now < intent.first_sent_at {
        // Our clock was set back meanwhile: how long ago that was is not known.
        return Timestamp(0);
    }
    server_now - now.since(intent.first_sent_at) - CLOCK_SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 6] = [
        Status::Intended,
        Status::Sent { in_doubt_before: false },
        Status::Sent { in_doubt_before: true },
        Status::InDoubt,
        Status::Answered,
        Status::Refused,
    ];
    const STEPS: [Step; 5] = [Step::Send, Step::Answer, Step::Bounce, Step::Refuse, Step::Lose];

    #[test]
    fn what_is_over_takes_no_further_step() {
        for status in [Status::Answered, Status::Refused] {
            for step in STEPS {
                assert_eq!(next(status, step), Err(IllegalStep { status, step }));
            }
        }
    }

    #[test]
    fn a_request_under_way_is_not_sent_a_second_time() {
        assert!(next(Status::Sent { in_doubt_before: false }, Step::Send).is_err());
        assert!(next(Status::Sent { in_doubt_before: true }, Step::Send).is_err());
    }

    #[test]
    fn a_bounce_takes_no_doubt_away() {
        let lost = next(Status::Sent { in_doubt_before: false }, Step::Lose).unwrap();
        let again = next(lost, Step::Send).unwrap();
        assert_eq!(next(again, Step::Bounce), Ok(Status::InDoubt));
    }

    #[test]
    fn only_a_request_under_way_is_answered() {
        let answered: Vec<_> = STATUSES.into_iter().filter(|&status| next(status, Step::Answer).is_ok()).collect();
        assert!(answered.iter().all(|status| matches!(status, Status::Sent { .. })));
        assert_eq!(answered.len(), 2);
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
