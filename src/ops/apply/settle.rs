//! Finds out what became of a create that was sent and not answered.
//!
//! Never before the request has had time to take effect and to show; never by a blind second create: what is new in
//! the account is read first, then searched for, and what is sent again is the journaled body. Never binds a contact
//! that was there before the first attempt, nor one that shows anything else than was sent.

use crate::failpoints::{self, reached};
use crate::model::{ApolloId, Entry, Intent, IntentId};
use crate::ops::{ProblemKind, Step, problem};
use crate::state::Change;

use super::outcome::create::Asked;
use super::outcome::person;
use super::outcome::settled::{self, Next};
use super::performer::{End, Performer, Trouble};

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
        self.let_it_show(intent).await;
        reached(failpoints::Step::SettleBeforeSearch);
        let Some(witness) = self.witness(intent).await? else {
            return match entry {
                // Sending again exactly as it was is the only look there is, and dedupe makes it safe.
                Some(entry) if settled::dedupe_finds(intent) => {
                    self.send_create(id, intent.clone(), entry, Vec::new(), false).await
                }
                Some(_) => Err(Trouble::failed(ProblemKind::MayNotLook.at(self.place, None))),
                None => self.give_up(id, intent, None).await,
            };
        };
        let mut next = settled::next(witness, intent, entry, asked);
        let Some(entry) = entry else {
            let made = if let Next::LeaveBehind(contact) = &next { Some(contact) } else { None };
            return self.give_up(id, intent, made).await;
        };
        if let Next::View(before) = next {
            let contact = self.view(&before).await?;
            if person::is_somebody_else_now(&intent.fields, &entry.fields, &contact) {
                return Err(self.somebody_else(id, entry, &before).await?);
            }
            next = Next::CreateAsDeclared;
        }
        match next {
            Next::Bind(found) => self.bind_made(id, intent, entry, &found).await,
            Next::Undecided(dispute) => Err(Trouble::failed(problem::undecided(&dispute, entry))),
            Next::Conflict { id, cause } => Err(self.conflict(None, entry, &id, cause).await?),
            Next::CreateAsDeclared => {
                self.warn(vec![problem::withdrawn_intent(intent, self.place)]);
                self.record(vec![Change::DropIntent { id }]).await?;
                reached(failpoints::Step::SettleWritten);
                self.create_alone(entry, asked, Vec::new()).await
            }
            Next::SendAgain => {
                reached(failpoints::Step::SettleBeforeSend);
                self.look_and_send(Some((id, intent)), entry, Vec::new()).await
            }
            Next::CreateAnyway => {
                reached(failpoints::Step::SettleBeforeSend);
                self.record(vec![Change::DropIntent { id }]).await?;
                self.create_alone(entry, asked, Vec::new()).await
            }
            Next::View(_) | Next::LeaveBehind(_) | Next::GiveUp => {
                unreachable!("the entry is declared, and was viewed")
            }
        }
    }

    /// Drops the intent of a create whose entry is gone, and keeps the memory of the contact that it `made`, if any.
    async fn give_up(&self, id: IntentId, intent: &Intent, made: Option<&ApolloId>) -> Result<End, Trouble> {
        self.warn(vec![match made {
            Some(contact) => problem::left_behind(contact, self.place),
            None => problem::dropped_intent(intent, self.place),
        }]);
        let forget = made.map(|contact| Change::Forget {
            key: self.place.key.clone(),
            tombstone: self.tombstone(contact, &intent.fields),
        });
        let changes = forget.into_iter().chain([Change::DropIntent { id }]).chain(self.spent());
        self.record(changes.collect()).await?;
        reached(failpoints::Step::SettleWritten);
        Ok(End::Done(Step::Settle, None))
    }
}
