//! What the traces of a create without an answer mean: which contact it made, which existed before, and what comes next.

use std::time::Duration;

use crate::apollo::Contact;
use crate::journal::{self, Conclusion};
use crate::model::{ApolloId, ConflictCause, Entry, Identity, Intent, Timestamp};
use crate::plan::Dispute;

use super::create::{Asked, was_there};
use super::person;

/// What is known of a create in doubt.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    /// Contacts that are new and show nothing else than was sent.
    made: Vec<ApolloId>,
    /// Contacts like the entry that were there before.
    before: Vec<ApolloId>,
    /// Contacts that are new, of the same person, and show something else.
    unlike: Vec<ApolloId>,
}

impl Witness {
    /// Reports whether a contact says anything about a create.
    pub(crate) fn concerns(intent: &Intent, contact: &Contact) -> bool {
        let is_of_it =
            || person::agrees(&intent.fields, contact) || person::is_like(&intent.fields, intent.run_dedupe, contact);
        !contact.person_deleted && is_of_it()
    }

    /// Reports whether a contact that no key owns is what a create made, by all that it shows.
    pub(crate) fn has_made(intent: &Intent, contact: &Contact, earliest: Timestamp) -> bool {
        !contact.person_deleted
            && !person::is_older(contact, earliest)
            && !is_later(intent, contact, earliest)
            && person::agrees(&intent.fields, contact)
    }

    /// Takes in a contact that concerns the create and that no key owns; `is_known`, whether the state knew it before.
    pub(crate) fn hear(&mut self, intent: &Intent, contact: &Contact, is_known: bool, earliest: Timestamp) {
        let agrees = person::agrees(&intent.fields, contact) && !is_later(intent, contact, earliest);
        let was_there = intent.there_before.contains(&contact.id) || was_there(contact, is_known, earliest);
        let held = match (was_there, agrees) {
            (true, _) if !person::is_like(&intent.fields, intent.run_dedupe, contact) => return,
            (true, _) => &mut self.before,
            (false, true) => &mut self.made,
            (false, false) => &mut self.unlike,
        };
        if !held.contains(&contact.id) {
            held.push(contact.id.clone());
        }
    }

    /// Reports whether anything was found that the create made.
    pub(crate) fn is_clear(&self) -> bool {
        !self.made.is_empty()
    }

    /// Returns the one contact that a refused create made all the same; `None` where there is none or more than one.
    pub(crate) fn only(self) -> Option<ApolloId> {
        let mut made = self.made;
        made.pop().filter(|_| made.is_empty())
    }
}

/// What comes next for a create in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// It made this contact, which is the entry's.
    Bind(ApolloId),
    /// It made this contact, and its entry is gone.
    LeaveBehind(ApolloId),
    /// Only a person can tell, now and whenever it is looked at again.
    Undecided(Dispute),
    /// Only a person can tell; recorded until then.
    Conflict { id: ApolloId, cause: ConflictCause },
    /// It made nothing, and nobody wants it any more.
    GiveUp,
    /// The create may have been matched to this contact: to be viewed. If it is nobody else, [`Next::CreateAsDeclared`].
    View(ApolloId),
    /// What was sent is not what the entry means now: the entry is created as it stands.
    CreateAsDeclared,
    /// The body is sent once more, after a look.
    SendAgain,
    /// A person said that whoever is like it is somebody else.
    CreateAnyway,
}

/// Decides what comes next; `entry` is what is declared now, if anything.
pub(crate) fn next(witness: Witness, intent: &Intent, entry: Option<&Entry>, asked: Asked) -> Next {
    let Witness { made, before, unlike } = witness;
    match (journal::conclude(made, entry.is_some()), entry) {
        (Conclusion::Bind(id), Some(_)) => Next::Bind(id),
        (Conclusion::Bind(id), None) => Next::LeaveBehind(id),
        (Conclusion::Several(ids), Some(_)) => Next::Undecided(Dispute::Several { ids }),
        (Conclusion::SendAgain, Some(entry)) => nothing_made(before, &unlike, intent, entry, asked),
        // Nobody wants it any more: whatever there is stays as it is.
        (Conclusion::Several(_) | Conclusion::SendAgain | Conclusion::Drop, _) => Next::GiveUp,
    }
}

fn nothing_made(before: Vec<ApolloId>, unlike: &[ApolloId], intent: &Intent, entry: &Entry, asked: Asked) -> Next {
    let is_withdrawn = person::is_withdrawn(&intent.fields, &entry.fields);
    if asked == Asked::Nothing {
        let is_found = dedupe_finds(intent);
        match (unlike, before.as_slice()) {
            // Made since, by somebody: whether it is ours in another form only a person can tell.
            ([other, ..], _) if !is_found => return Next::Undecided(Dispute::Several { ids: vec![other.clone()] }),
            // The create may have been matched to whom the entry was corrected not to mean.
            (_, [first, ..]) if is_withdrawn && intent.run_dedupe => return Next::View(first.clone()),
            (_, [first, ..]) if !is_found => {
                return Next::Conflict { id: first.clone(), cause: ConflictCause::Namesakes { ids: before } };
            }
            _ => {}
        }
    }
    match asked {
        // Sent again, it could be matched to somebody whom the entry was corrected not to mean.
        _ if is_withdrawn => Next::CreateAsDeclared,
        Asked::Nothing => Next::SendAgain,
        Asked::Anyway => Next::CreateAnyway,
    }
}

/// Reports whether Apollo's dedupe would find the contact that this create made.
pub(crate) fn dedupe_finds(intent: &Intent) -> bool {
    let identity = Identity::of(&intent.fields);
    intent.run_dedupe && (identity.email.is_some() || identity.person_at_company().is_some())
}

/// Reports whether a contact that a person named is one that a create in doubt made, as far as it shows.
pub(crate) fn may_have_made(intent: &Intent, contact: &Contact) -> bool {
    let earliest = intent.first_sent_at - journal::CLOCK_SLACK;
    !intent.there_before.contains(&contact.id) && Witness::has_made(intent, contact, earliest)
}

/// How long after it was sent a request may still take effect, at most.
const LONGEST_EFFECT: Duration = Duration::from_hours(1);

/// Reports whether a contact was made so long after the last attempt that no attempt has made it.
fn is_later(intent: &Intent, contact: &Contact, earliest: Timestamp) -> bool {
    if earliest == Timestamp(0) {
        return false;
    }
    let span = intent.last_sent_at.since(intent.first_sent_at) + journal::CLOCK_SLACK * 2 + LONGEST_EFFECT;
    contact.created_at.is_some_and(|created| created > earliest + span)
}

/// Reports whether a contact that was viewed as what a create made still shows that.
pub(crate) fn is_what_was_made(made: &ApolloId, intent: &Intent, contact: &Contact) -> bool {
    contact.id == *made && !contact.person_deleted && person::agrees(&intent.fields, contact)
}
