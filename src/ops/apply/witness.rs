//! Finds what a create made that was sent and not answered, or refused.

use crate::apollo::Contact;
use crate::journal;
use crate::model::{ApolloId, Endpoint, Intent, Timestamp};
use crate::ops::ProblemKind;

use super::outcome::settled::Witness;
use super::outcome::sight::{hides_email, keywords};
use super::performer::{Performer, Trouble};

impl Performer<'_> {
    /// Finds the contacts that the create may have made: those that are new, then those that a search finds; `None`
    /// where the credential may not search.
    pub(super) async fn witness(&self, intent: &Intent) -> Result<Option<Witness>, Trouble> {
        let Some((mut witness, earliest)) = self.newest(intent).await? else { return Ok(None) };
        // Whoever was created together is matched by the e-mail if it is there: the newest contacts are witness enough.
        if witness.is_clear() || (self.crew().is_some() && intent.endpoint == Endpoint::CreateContacts) {
            return Ok(Some(witness));
        }
        for keywords in keywords(&intent.fields) {
            let Some(found) = self.search(&keywords).await? else { return Ok(None) };
            if found.cut {
                return Err(Trouble::failed(ProblemKind::TooManyHits.at(self.place, None)));
            }
            self.hear(intent, earliest, &found.contacts, &mut witness).await?;
        }
        Ok(Some(witness))
    }

    /// Returns a contact as the newest pages show it, where the create went out with others: a view each would take as
    /// many requests as creating them alone.
    pub(super) async fn among_newest(&self, intent: &Intent, id: &ApolloId) -> Result<Option<Contact>, Trouble> {
        if self.crew().is_none() || intent.endpoint != Endpoint::CreateContacts {
            return Ok(None);
        }
        let newest = self.session.newest(intent, intent.last_sent_at + self.session.settle_after(intent)).await;
        let Some(newest) = self.unless_barred(newest)? else { return Ok(None) };
        let row = newest.contacts.iter().find(|contact| contact.id == *id && !hides_email(contact));
        Ok(row.cloned())
    }

    /// Looks for the contact that a refused create may have made all the same, among those that are new.
    pub(super) async fn made_although_refused(&self, intent: &Intent) -> Result<Option<ApolloId>, Trouble> {
        self.let_it_show(intent).await;
        // Where nobody can tell, the refusal is believed.
        Ok(self.newest(intent).await?.and_then(|(witness, _)| witness.only()))
    }

    /// Waits until what a create made has had the time to show.
    pub(super) async fn let_it_show(&self, intent: &Intent) {
        let wait = journal::settle_wait(intent, self.session.settle_after(intent), self.session.now());
        self.session.courier().pause(wait).await;
    }

    /// Hears those that are new, and tells the earliest time of creation of a contact that the create made.
    async fn newest(&self, intent: &Intent) -> Result<Option<(Witness, Timestamp)>, Trouble> {
        let newest = self.session.newest(intent, intent.last_sent_at + self.session.settle_after(intent)).await;
        let Some(newest) = self.unless_barred(newest)? else { return Ok(None) };
        if !newest.is_whole {
            return Err(Trouble::failed(ProblemKind::TooManyNew.at(self.place, None)));
        }
        let (mut witness, earliest) = (Witness::default(), newest.earliest(intent));
        self.hear(intent, earliest, &newest.contacts, &mut witness).await?;
        Ok(Some((witness, earliest)))
    }

    /// Sorts contacts into those that the create may have made and those that were there before.
    async fn hear(
        &self,
        intent: &Intent,
        earliest: Timestamp,
        contacts: &[Contact],
        witness: &mut Witness,
    ) -> Result<(), Trouble> {
        for contact in contacts.iter().filter(|contact| Witness::concerns(intent, contact)) {
            if self.owner(&contact.id).await?.is_none() {
                witness.hear(intent, contact, self.job.known.contains(&contact.id), earliest);
            }
        }
        Ok(())
    }
}
