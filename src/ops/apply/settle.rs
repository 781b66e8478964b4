//! Finds out what became of a create that was sent and not answered.
//!
//! Never before the request has had time to take effect and to show; never by a blind second create: what is new in
//! the account is read first, then searched for, and what is sent again is the journaled body. Never binds a contact
//! that was there before the first attempt, nor one that shows anything else than was sent.

use crate::failpoints::{self, reached};
use crate::journal::{self, Conclusion};
use crate::model::{ConflictCause, Endpoint, Entry, Identity, Intent, IntentId};
use crate::ops::{Step, problem};
use crate::plan::Dispute;
use crate::state::Change;

use super::outcome::confirm;
use super::performer::{Asked, End, Performer, Trouble};
use super::witness::Witness;

impl Performer<'_> {
    /// Settles a create in doubt; `asked`, whether a person said that whoever was there before is somebody else.
    pub(super) async fn settle(
        &self,
        id: IntentId,
        intent: &Intent,
        entry: Option<&Entry>,
        asked: Asked,
    ) -> Result<End, Trouble> {
        // Another entry of this name may be about to bind what it made.
        let _alone = self.alone(&intent.fields).await;
        self.session.courier().pause(journal::settle_wait(intent, self.session.settle_after, self.session.now())).await;
        reached(failpoints::Step::SettleBeforeSearch);
        let witness = match self.witness(intent).await {
            Ok(witness) => witness?,
            Err(failure) if self.may_not_search(&failure) => {
                return match entry {
                    // Sending again is the only look there is, and dedupe makes it safe.
                    Some(entry) if dedupe_finds(intent) => self.send_again(id, intent, entry).await,
                    Some(_) => Err(Trouble::failed(problem::needs_a_person(self.place))),
                    None => self.give_up(id, intent).await,
                };
            }
            Err(failure) => return Err(self.trouble(Endpoint::SearchContacts, failure)),
        };
        let declared = entry.is_some();
        match (journal::conclude(witness.made.iter().map(|contact| contact.id.clone()).collect(), declared), entry) {
            (Conclusion::Bind(found), Some(entry)) => self.bind_made(id, intent, entry, &found).await,
            (Conclusion::Bind(contact), None) => {
                self.warn(vec![problem::left_behind(&contact, self.place)]);
                let tombstone = self.tombstone(&contact, &intent.fields);
                let forget = Change::Forget { key: self.place.key.clone(), tombstone };
                self.record([forget, Change::DropIntent { id }].into_iter().chain(self.spent()).collect()).await?;
                reached(failpoints::Step::SettleWritten);
                Ok(End::Done(Step::Settle, None))
            }
            (Conclusion::Several(ids), Some(entry)) => {
                Err(Trouble::failed(problem::undecided(&Dispute::Several { ids }, entry)))
            }
            (Conclusion::SendAgain, Some(entry)) => self.nobody_made(id, intent, entry, witness, asked).await,
            // Nobody wants it any more: whatever there is stays as it is.
            (Conclusion::Several(_) | Conclusion::SendAgain | Conclusion::Drop, _) => self.give_up(id, intent).await,
        }
    }

    /// Goes on where no contact was found that the create made.
    async fn nobody_made(
        &self,
        id: IntentId,
        intent: &Intent,
        entry: &Entry,
        witness: Witness,
        asked: Asked,
    ) -> Result<End, Trouble> {
        if let Some(other) = witness.unlike.first().filter(|_| asked == Asked::Nothing) {
            // Made since, by somebody: whether it is ours in another form only a person can tell.
            if !dedupe_finds(intent) {
                return Err(Trouble::failed(problem::undecided(&Dispute::Several { ids: vec![other.clone()] }, entry)));
            }
        }
        let is_withdrawn = confirm::is_withdrawn(&intent.fields, &entry.fields);
        if let [before, ..] = witness.before.as_slice()
            && asked == Asked::Nothing
        {
            if is_withdrawn && intent.run_dedupe {
                // The create may have been matched to whom the entry was corrected not to mean.
                let contact = self.view(&before.id).await?;
                if confirm::is_somebody_else_now(&intent.fields, &entry.fields, &contact) {
                    return Err(self.somebody_else(id, entry, &before.id).await?);
                }
            } else if !dedupe_finds(intent) {
                let ids = witness.before.iter().map(|contact| contact.id.clone()).collect();
                let cause = ConflictCause::Namesakes { ids };
                return Err(self.conflict(None, entry, &before.id, cause).await?);
            }
        }
        if is_withdrawn {
            // Sent again, it could be matched to somebody whom the entry was corrected not to mean.
            self.warn(vec![problem::withdrawn_intent(intent, self.place)]);
            self.record(vec![Change::DropIntent { id }]).await?;
            reached(failpoints::Step::SettleWritten);
            return self.create_alone(entry, asked, Vec::new()).await;
        }
        reached(failpoints::Step::SettleBeforeSend);
        match asked {
            Asked::Nothing => self.look_and_send(Some((id, intent)), entry, Vec::new()).await,
            Asked::Anyway => {
                self.record(vec![Change::DropIntent { id }]).await?;
                self.create_alone(entry, asked, Vec::new()).await
            }
        }
    }

    /// Drops the intent of a create whose entry is gone.
    async fn give_up(&self, id: IntentId, intent: &Intent) -> Result<End, Trouble> {
        self.warn(vec![problem::dropped_intent(intent, self.place)]);
        self.record([Change::DropIntent { id }].into_iter().chain(self.spent()).collect()).await?;
        reached(failpoints::Step::SettleWritten);
        Ok(End::Done(Step::Settle, None))
    }
}

/// Reports whether Apollo's dedupe would find the contact that this create made.
fn dedupe_finds(intent: &Intent) -> bool {
    let identity = Identity::of(&intent.fields);
    intent.run_dedupe && (identity.email.is_some() || identity.person_at_company().is_some())
}
