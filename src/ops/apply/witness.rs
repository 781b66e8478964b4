//! Finds what a create made that was sent and not answered, or refused.

use crate::apollo::Contact;
use crate::journal;
use crate::model::{ApolloId, Endpoint, Intent, Timestamp};
use crate::ops::problem;

use super::courier::Failure;
use super::look::keywords;
use super::outcome::confirm;
use super::performer::{Performer, Trouble};

impl Performer<'_> {
    /// Finds the contacts that the create may have made: those that are new, then those that a search finds.
    pub(super) async fn witness(&self, intent: &Intent) -> Result<Result<Witness, Trouble>, Failure> {
        let due = intent.last_sent_at + self.session.settle_after;
        let newest = self.session.newest(intent, due).await?;
        if !newest.is_whole {
            return Ok(Err(Trouble::failed(problem::too_many_new(self.place))));
        }
        let earliest = newest.earliest(intent);
        let mut witness = Witness::default();
        if let Err(trouble) = self.hear(intent, earliest, newest.contacts.iter(), &mut witness).await {
            return Ok(Err(trouble));
        }
        if !witness.made.is_empty() {
            return Ok(Ok(witness));
        }
        for keywords in keywords(&intent.fields) {
            let found = self.search(&keywords).await?;
            if found.cut {
                return Ok(Err(Trouble::failed(problem::too_many_hits(self.place))));
            }
            if let Err(trouble) = self.hear(intent, earliest, found.contacts.iter(), &mut witness).await {
                return Ok(Err(trouble));
            }
        }
        Ok(Ok(witness))
    }

    /// Looks for the contact that a refused create may have made all the same, among those that are new.
    pub(super) async fn made_although_refused(&self, intent: &Intent) -> Result<Option<ApolloId>, Trouble> {
        self.session.courier().pause(journal::settle_wait(intent, self.session.settle_after, self.session.now())).await;
        let newest = match self.session.newest(intent, intent.last_sent_at + self.session.settle_after).await {
            Ok(newest) => newest,
            // Nobody can tell then; the refusal is believed.
            Err(failure) if self.may_not_search(&failure) => return Ok(None),
            Err(failure) => return Err(self.trouble(Endpoint::SearchContacts, failure)),
        };
        if !newest.is_whole {
            return Err(Trouble::failed(problem::too_many_new(self.place)));
        }
        let mut witness = Witness::default();
        self.hear(intent, newest.earliest(intent), newest.contacts.iter(), &mut witness).await?;
        Ok(match witness.made.as_slice() {
            [one] => Some(one.id.clone()),
            _ => None,
        })
    }

    /// Sorts contacts into those that the create may have made and those that were there before.
    async fn hear<'c>(
        &self,
        intent: &Intent,
        earliest: Timestamp,
        contacts: impl Iterator<Item = &'c Contact>,
        witness: &mut Witness,
    ) -> Result<(), Trouble> {
        for contact in contacts {
            let agrees = confirm::agrees(&intent.fields, contact);
            let is_like = confirm::is_like(&intent.fields, intent.run_dedupe, contact);
            if !(agrees || is_like) || contact.person_deleted || self.owner(&contact.id).await?.is_some() {
                continue;
            }
            let was_there = intent.there_before.contains(&contact.id)
                || self.job.known.contains(&contact.id)
                || confirm::is_older(contact, earliest);
            let known = |held: &Vec<Contact>| held.iter().any(|held| held.id == contact.id);
            if was_there {
                if is_like && !known(&witness.before) {
                    witness.before.push(contact.clone());
                }
            } else if agrees && !known(&witness.made) {
                witness.made.push(contact.clone());
            } else if !agrees && !witness.unlike.contains(&contact.id) {
                witness.unlike.push(contact.id.clone());
            }
        }
        Ok(())
    }
}

/// What is known of a create in doubt.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Contacts that are new and show nothing else than was sent.
    pub(super) made: Vec<Contact>,
    /// Contacts like the entry that were there before.
    pub(super) before: Vec<Contact>,
    /// Contacts that are new, of the same person, and show something else.
    pub(super) unlike: Vec<ApolloId>,
}
