//! Finds out what became of a create that was sent and not answered.
//!
//! Never before the request has had time to take effect and to show in a search; never by a blind
//! second create: a look-up comes first, and what is sent again is the journaled body. Never binds a
//! contact that the create did not make and that the entry, as it is now, does not mean.

use crate::apollo::Contact;
use crate::failpoints::{self, reached};
use crate::journal::{self, Conclusion};
use crate::model::{ApolloId, Endpoint, Entry, Field, Fields, Identity, Intent, IntentId, Origin, Timestamp};
use crate::plan::Dispute;
use crate::store::Change;

use super::action::{End, Performer, Trouble};
use super::bind::note_sent_lists;
use super::courier::{Failure, Look, Reply};
use super::{Step, confirm, problem};

/// The most pages of search results looked through for one person; a page holds 100.
const MAX_PAGES: u32 = 5;

impl Performer<'_> {
    pub(super) async fn settle(&self, id: IntentId, intent: &Intent, entry: Option<&Entry>) -> Result<End, Trouble> {
        self.session.pause(journal::settle_wait(intent, self.session.settle_after, self.session.clock.now())).await;
        reached(failpoints::Step::SettleBeforeSearch);
        let can_send_again = dedupe_finds(intent) && entry.is_some();
        let (candidates, is_looked_up) = match self.find(&intent.fields).await {
            Ok(found) => {
                let cut = found.cut;
                let candidates = self.candidates(intent, found)?;
                if candidates.is_empty() && cut {
                    return Err(Trouble::failed(problem::too_many_hits(self.place)));
                }
                (candidates, true)
            }
            // Without the scope to search, sending again is the only look there is, and dedupe makes it safe.
            Err(Failure::Refused(error)) if error.status() == Some(403) && can_send_again => (Vec::new(), false),
            Err(Failure::Barred) if can_send_again => (Vec::new(), false),
            Err(failure) => return Err(self.trouble(Endpoint::SearchContacts, failure)),
        };
        let ids = candidates.iter().map(|candidate| candidate.id.clone()).collect();
        match (journal::conclude(ids, entry.is_some()), entry) {
            (Conclusion::Bind(found), Some(entry)) => {
                let contact = self.view(&found).await?;
                let was_there = candidates.iter().any(|candidate| candidate.id == found && candidate.was_there)
                    || may_be_matched(intent, &contact);
                if was_there && confirm::is_somebody_else_now(&intent.fields, &entry.fields, &contact) {
                    return Err(self.somebody_else(id, entry, &found).await?);
                }
                let mut binding = self.bind(&contact, entry, Origin::Settled);
                note_sent_lists(&mut binding, intent);
                reached(failpoints::Step::SettleBeforeBind);
                self.bound(Some(id), entry, binding, &contact, Step::Settle).await
            }
            (Conclusion::Bind(contact), None) => {
                self.warn(vec![problem::left_behind(&contact, self.place)]);
                let tombstone = self.tombstone(&contact, &intent.fields);
                let forget = Change::Forget { key: self.place.key.clone(), tombstone };
                self.record([forget, Change::DropIntent { id }].into_iter().chain(self.spent()).collect()).await?;
                reached(failpoints::Step::SettleWritten);
                Ok(End::Done(Step::Settle, None))
            }
            (Conclusion::SendAgain, Some(entry))
                if is_looked_up && confirm::is_withdrawn(&intent.fields, &entry.fields) =>
            {
                // Sent again, it could be matched to somebody whom the entry was corrected not to mean.
                self.warn(vec![problem::withdrawn_intent(intent, self.place)]);
                self.record(vec![Change::DropIntent { id }]).await?;
                reached(failpoints::Step::SettleWritten);
                self.create(entry).await
            }
            (Conclusion::SendAgain, Some(entry)) => {
                reached(failpoints::Step::SettleBeforeSend);
                self.send_create(id, &mut intent.clone(), entry).await
            }
            (Conclusion::Several(ids), Some(entry)) => {
                Err(Trouble::failed(problem::undecided(&Dispute::Several { ids }, entry)))
            }
            // Nobody wants it any more: whatever there is stays as it is.
            (Conclusion::Several(_) | Conclusion::SendAgain | Conclusion::Drop, _) => {
                self.warn(vec![problem::dropped_intent(intent, self.place)]);
                self.record([Change::DropIntent { id }].into_iter().chain(self.spent()).collect()).await?;
                reached(failpoints::Step::SettleWritten);
                Ok(End::Done(Step::Settle, None))
            }
        }
    }

    /// Looks for exactly one contact of this identity; several are a conflict told by the failure.
    pub(super) async fn look_up_once(&self, fields: &Fields) -> Result<Option<ApolloId>, Trouble> {
        let found = match self.find(fields).await {
            Ok(found) => found,
            Err(failure) => return Err(self.trouble(Endpoint::SearchContacts, failure)),
        };
        let free = |contact: &Contact| Ok(self.owner(&contact.id)?.is_none());
        let mut ids = Vec::new();
        for contact in &found.hits {
            if free(contact)? {
                ids.push(contact.id.clone());
            }
        }
        match journal::conclude(ids, true) {
            Conclusion::Bind(id) => Ok(Some(id)),
            Conclusion::SendAgain | Conclusion::Drop if found.cut => {
                Err(Trouble::failed(problem::too_many_hits(self.place)))
            }
            Conclusion::SendAgain | Conclusion::Drop => Ok(None),
            Conclusion::Several(ids) => {
                let summary = format!("More than one contact could be {}", self.place.key.address());
                let names = ids.iter().map(ApolloId::as_str).collect::<Vec<_>>().join(", ");
                let detail = format!(
                    "The state is new and Apollo would not match this entry, so it was searched for: Apollo holds \
                     {names}. Say which one it is: contactsd import {} ID.",
                    self.place.key
                );
                Err(Trouble::failed(super::Problem::error(summary, detail).at(self.place, None)))
            }
        }
    }

    /// Searches for the person that `fields` describe; returns exact hits and the server's time.
    async fn find(&self, fields: &Fields) -> Result<Found, Failure> {
        let keywords = keywords(fields);
        let mut hits = Vec::new();
        let mut page = 1;
        loop {
            let (reply, meta) = self.session.look(&Look::Search { keywords: keywords.clone(), page }).await?;
            let Reply::Page(found) = reply else { unreachable!("a search is answered with a page") };
            hits.extend(found.contacts.into_iter().filter(|contact| confirm::is_person(fields, contact)));
            if page >= found.total_pages.min(MAX_PAGES) {
                let server_now = meta.date.unwrap_or_else(|| self.session.clock.now());
                return Ok(Found { hits, server_now, cut: found.total_pages > MAX_PAGES });
            }
            page += 1;
        }
    }

    /// Keeps the hits that the create in doubt may have made or matched.
    fn candidates(&self, intent: &Intent, found: Found) -> Result<Vec<Candidate>, Trouble> {
        let earliest = self.earliest(intent, Some(found.server_now));
        let mut candidates = Vec::new();
        for contact in found.hits {
            // Without dedupe the create makes its own contact, whoever else is there already.
            let may_be_ours = intent.run_dedupe || contact.created_at.is_none_or(|created| created >= earliest);
            if may_be_ours && self.owner(&contact.id)?.is_none() {
                let was_there = self.was_there(&contact, earliest);
                candidates.push(Candidate { id: contact.id, was_there });
            }
        }
        Ok(candidates)
    }

    async fn view(&self, id: &ApolloId) -> Result<Contact, Trouble> {
        match self.session.look(&Look::View(id.clone())).await {
            Ok((Reply::Contact(contact), _)) => Ok(*contact),
            Ok((Reply::Page(_) | Reply::Done, _)) => unreachable!("a view is answered with a contact"),
            Err(failure) => Err(self.trouble(Endpoint::ViewContact, failure)),
        }
    }

    fn owner(&self, id: &ApolloId) -> Result<Option<crate::model::ContactKey>, Trouble> {
        let owner = self.session.store.owner_of(id);
        owner.map_err(|error| self.store_trouble(&error))
    }
}

/// What a search for one person brought.
struct Found {
    /// The contacts that are exactly this person.
    hits: Vec<Contact>,
    /// The server's time when it answered.
    server_now: Timestamp,
    /// Whether there were more results than are looked through, so that none found proves nothing.
    cut: bool,
}

/// A contact that a create in doubt may have made or matched.
struct Candidate {
    id: ApolloId,
    /// Whether it was there before the create was first sent, as far as can be told.
    was_there: bool,
}

/// Reports whether a contact shows other values than the create sent, as one that Apollo matched would.
///
/// The time of creation cannot tell a contact that somebody made seconds before from ours.
pub(super) fn may_be_matched(intent: &Intent, contact: &Contact) -> bool {
    dedupe_finds(intent) && confirm::shows_other_values(&intent.fields, contact)
}

/// Reports whether Apollo's dedupe would find the contact that this create made.
fn dedupe_finds(intent: &Intent) -> bool {
    let identity = Identity::of(&intent.fields);
    intent.run_dedupe && (identity.email.is_some() || identity.person_at_company().is_some())
}

/// Returns what to search for: the e-mail, or the names.
fn keywords(fields: &Fields) -> String {
    if let Some(email) = fields.text(&Field::Email).filter(|email| !email.trim().is_empty()) {
        return email.to_owned();
    }
    let names = [Field::FirstName, Field::LastName];
    names.iter().filter_map(|name| fields.text(name)).filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ")
}
