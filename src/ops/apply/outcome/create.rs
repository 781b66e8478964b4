//! What the answer to a create means: a contact that was made, one that was there, or one that only a person can judge.

use crate::apollo::{self, Contact};
use crate::journal;
use crate::model::{ApolloId, ConflictCause, Endpoint, Entry, Intent, MatchedBy, Origin, Timestamp};
use crate::ops::Step;

use super::{change, person};

/// What a person said about a create on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Nothing,
    /// The contact is to be made although Apollo has a contact like it.
    Anyway,
}

/// What is known beside the answer to a create.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    /// Whether the state knew the answered contact when the plan was made.
    pub(crate) is_known: bool,
    /// The earliest time of creation of a contact that the request made, by the server's clock.
    pub(crate) earliest: Timestamp,
    /// Whether an earlier attempt was left without an answer.
    pub(crate) settling: bool,
    /// Whether a look showed nobody, so that a match is one that it did not show.
    pub(crate) looked: bool,
}

/// What an answer to a create means for its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Created {
    /// The contact is the entry's; `all_sent`, whether all that was sent stands on it.
    Bind { step: Step, origin: Origin, all_sent: bool },
    /// Only a person can tell.
    Conflict(ConflictCause),
    /// The body, as it was written once, leads to a contact whom the entry does not mean any more.
    SomebodyElse,
}

/// Tells what a contact means that was answered to the create of `sent`, and that no other key owns.
pub(crate) fn of_answer(sent: &Intent, entry: &Entry, contact: &Contact, facts: Facts) -> Created {
    let Facts { is_known, earliest, settling, looked } = facts;
    // The answer to an earlier attempt was lost: what that made is matched by this one.
    let is_ours = settling
        && !was_there(contact, is_known, earliest)
        && !sent.there_before.contains(&contact.id)
        && person::agrees(&sent.fields, contact);
    // Known and made moments ago, its time alone would pass it off as new.
    let matched = if is_known { Some(MatchedBy::CreationTime) } else { person::matched(contact, earliest) };
    let matched = matched.filter(|_| !is_ours);
    let matched = matched.map(|by| if sent.endpoint == Endpoint::CreateContacts { MatchedBy::BulkCreate } else { by });
    let differs = person::may_be_matched(entry, contact);
    // By the server's clock it may be a little older than the request that made it; then its values decide.
    let is_recent = contact.created_at.is_some_and(|created| created >= earliest + journal::CLOCK_SLACK);
    let may_have_been_there = matched.is_some() || (differs && !is_recent);
    if may_have_been_there && person::is_stranger(&sent.fields, contact) {
        return Created::Conflict(ConflictCause::Stranger);
    }
    // The entry may have changed since the body was written: whom only the body means is not the entry's.
    if may_have_been_there && person::is_somebody_else_now(&sent.fields, &entry.fields, contact) {
        return Created::SomebodyElse;
    }
    if matched.is_some() && looked {
        // What stood there before can no longer be seen.
        return Created::Conflict(ConflictCause::UnseenMatch);
    }
    let all_sent = matched.is_none() && !differs && !settling;
    let (step, origin) = match matched {
        None => (Step::Create, if settling { Origin::Settled } else { Origin::Created }),
        Some(by) => (Step::Import, Origin::Matched(by)),
    };
    Created::Bind { step, origin, all_sent }
}

/// Reports whether a contact was there before what made one no earlier than `earliest`.
pub(super) fn was_there(contact: &Contact, is_known: bool, earliest: Timestamp) -> bool {
    is_known || person::is_older(contact, earliest)
}

/// Reports whether a refused create is remembered, since the refusal may hide that the contact was made.
///
/// Where Apollo matches by e-mail, the next create finds it.
pub(crate) fn may_hide_a_contact(sent: &Intent, entry: &Entry, error: &apollo::Error) -> bool {
    change::is_for_its_content(sent.endpoint, error) && !entry.is_matched_by_email()
}

/// What the contact that a view of one by its id was answered with means for its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Adopted {
    Bind(Step),
    /// It was merged into another one: not who the entry, or the memory of it, names.
    Merged,
    Stranger,
}

/// Tells what a contact means that was viewed as `id`; `origin` is why.
pub(crate) fn of_view(id: &ApolloId, entry: &Entry, origin: &Origin, contact: &Contact) -> Adopted {
    match origin {
        _ if contact.id != *id => Adopted::Merged,
        Origin::Adopted => Adopted::Bind(Step::Import),
        _ if person::is_stranger(&entry.fields, contact) => Adopted::Stranger,
        Origin::Restored => Adopted::Bind(Step::Restore),
        _ => Adopted::Bind(Step::Import),
    }
}
