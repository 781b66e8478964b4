//! How Apollo has declared contacts now: by a view each where they are few, else by pages of everybody, and by the pages
//! of what has changed where everybody was read before.
//!
//! Only looks. That a contact is gone takes both a reading in which everybody else was met and a view of the contact
//! itself; whoever is just missing from a page is looked at, and nothing is concluded from it.

pub(super) mod compare;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::apollo::{Contact, PER_PAGE, SearchPage};
use crate::model::{ApolloId, Endpoint, Field, IdentityKey, Timestamp};

use super::account::Account;
use super::apply::line::Failure;
use super::apply::outcome::sight::hides_email;
use super::drifted::Refreshing as Reading;
use super::seen::{AskedFor, PackedSeen};
use super::sees::Sees;
use super::sweep::{self, Sweep};
use super::{Event, Unseen, chain};

/// The declared contacts that are asked for, and what is of each.
pub(super) type Asked = BTreeMap<ApolloId, AskedFor>;

/// Puts together what is asked for. Most contacts are asked for the same fields, which are kept once.
pub(super) fn asked(contacts: impl IntoIterator<Item = (ApolloId, AskedFor)>) -> Asked {
    let mut fields: BTreeSet<Arc<BTreeSet<Field>>> = BTreeSet::new();
    let shared = |(id, mut asked): (ApolloId, AskedFor)| {
        match fields.get(&asked.fields) {
            Some(known) => asked.fields = Arc::clone(known),
            None => drop(fields.insert(Arc::clone(&asked.fields))),
        }
        (id, asked)
    };
    contacts.into_iter().map(shared).collect()
}

/// How one contact stands in Apollo.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sighting {
    Seen(PackedSeen),
    /// It is not among all contacts of the account, and Apollo says so to a view of it.
    Gone,
    /// Apollo answers with another contact instead.
    Merged(ApolloId),
    /// It was not seen, and whether it is gone is not certain; why.
    Unknown(Unseen),
}

/// What ended a refresh early.
#[derive(Debug)]
pub(super) struct Halt {
    pub(super) endpoint: Endpoint,
    pub(super) failure: Failure,
}

impl Halt {
    fn of_search(failure: Failure) -> Self {
        Self { endpoint: Endpoint::SearchContacts, failure }
    }
}

/// What a refresh has learned.
#[derive(Debug)]
pub(super) struct Refreshed {
    /// Everybody in the account; `None` where not everybody was met.
    pub(super) account: Option<Account>,
    pub(super) sightings: BTreeMap<ApolloId, Sighting>,
}

/// Looks how the contacts that are asked for stand, by as few requests as that takes.
///
/// `account` is what an earlier reading knew of everybody; `wants_everybody`, whether everybody is to be known afterwards.
pub(super) async fn refresh(
    seer: &impl Sees,
    account: Option<Account>,
    key: IdentityKey,
    asked: &Asked,
    wants_everybody: bool,
) -> Result<Refreshed, Halt> {
    let mut look = Look { seer, asked, wants_everybody, now: seer.line().clock.now(), sightings: BTreeMap::new() };
    if let Some(account) = account
        && let Some(account) = look.at_changes(account).await?
    {
        return look.conclude(Some(account)).await;
    }
    let account = look.at_everybody(key).await?;
    look.conclude(account).await
}

/// What pages of everybody have brought.
struct Pages {
    /// How far they came; `None` where they ended early.
    swept: Option<Sweep>,
    account: Account,
    /// Whether a row hides its e-mail.
    hides: bool,
}

/// A refresh while it looks.
struct Look<'a, S> {
    seer: &'a S,
    asked: &'a Asked,
    wants_everybody: bool,
    now: Timestamp,
    /// What was not learned from pages.
    sightings: BTreeMap<ApolloId, Sighting>,
}

/// What became of a view.
pub(super) enum View {
    Shown(Box<Contact>),
    /// Apollo says that there is no such contact.
    Denied,
    Failed(String),
}

/// Views one contact; `Err` for what ends a look as a whole.
pub(super) async fn view(seer: &impl Sees, id: &ApolloId) -> Result<View, Halt> {
    match seer.view(id).await {
        Ok(contact) if contact.person_deleted => Ok(View::Denied),
        Ok(contact) => Ok(View::Shown(Box::new(contact))),
        Err(Failure::Refused(error)) if error.contact_may_be_gone(id) => Ok(View::Denied),
        // What speaks of the call, and not of this contact, ends it.
        Err(Failure::Refused(error)) if matches!(error.status(), Some(400 | 404 | 410 | 422)) => {
            Ok(View::Failed(chain(&error)))
        }
        Err(failure) => Err(Halt { endpoint: Endpoint::ViewContact, failure }),
    }
}

impl<S: Sees> Look<'_, S> {
    /// Reads what has changed since the last reading; `None` where it takes a reading of everybody.
    async fn at_changes(&mut self, mut account: Account) -> Result<Option<Account>, Halt> {
        self.tell(Reading::Changes);
        let (since, mut hides) = (account.read_to, false);
        let meet = |page: &SearchPage| {
            hides |= self.take(&mut account, page);
            ControlFlow::Continue(())
        };
        let Some(changed) = sweep::changed(self.seer, since, meet).await.map_err(Halt::of_search)? else {
            return Ok(None);
        };
        // Somebody who was there is not any more, or somebody was missed.
        if hides || !changed.is_whole || changed.entries != Some(account.len() as u64) {
            return Ok(None);
        }
        let unseen: Vec<&ApolloId> = self.asked.keys().filter(|id| !self.covers(&account, id)).collect();
        let is_cheaper = unseen.len() <= account.len().div_ceil(PER_PAGE as usize);
        let contradicted = is_cheaper && self.view_into(&mut account, &unseen, true).await?;
        Ok((is_cheaper && !contradicted).then(|| account.read_by(changed)))
    }

    /// Reads everybody, or each of those who are asked for; returns everybody who was met where that is all.
    async fn at_everybody(&mut self, key: IdentityKey) -> Result<Option<Account>, Halt> {
        let by_pages = self.wants_everybody || self.asked.len() > 1;
        let read = if by_pages { self.pages(key, !self.wants_everybody).await? } else { None };
        let Pages { swept, mut account, hides } = match read {
            Some(read) => read,
            None if !self.view_each().await? => return Ok(None),
            None => self.pages(key, false).await?.expect("pages are read where views are no choice"),
        };
        let is_whole = swept.is_some_and(|swept| swept.is_whole);
        let unseen: Vec<&ApolloId> = self.asked.keys().filter(|id| !self.covers(&account, id)).collect();
        self.view_into(&mut account, &unseen, is_whole).await?;
        // Of a row that hides its e-mail nobody knows whose it is, so that looks could not go by it.
        if let Some(swept) = swept.filter(|_| is_whole && !hides) {
            return Ok(Some(account.read_by(swept)));
        }
        self.take_from(&account);
        Ok(None)
    }

    /// Reads pages of everybody; `None` where it may be left to views, and those are fewer.
    async fn pages(&self, key: IdentityKey, or_views: bool) -> Result<Option<Pages>, Halt> {
        let mut account = Account::new(key);
        let (mut hides, mut by_views) = (false, false);
        let meet = |page: &SearchPage| {
            let pages = sweep::pages(page);
            if page.page == 1 {
                by_views = or_views && !page.is_last() && self.asked.len() < pages.saturating_sub(1);
                if by_views {
                    return ControlFlow::Break(());
                }
                self.tell(Reading::Pages(pages));
            }
            hides |= self.take(&mut account, page);
            ControlFlow::Continue(())
        };
        let swept = sweep::everyone(self.seer, meet).await.map_err(Halt::of_search)?;
        Ok((!by_views).then_some(Pages { swept, account, hides }))
    }

    /// Takes in a page; reports whether a row of it hides its e-mail.
    fn take(&self, account: &mut Account, page: &SearchPage) -> bool {
        for contact in page.contacts.iter().filter(|contact| !contact.person_deleted) {
            account.see(contact, self.asked.get(&contact.id), self.now);
        }
        page.contacts.iter().any(hides_email)
    }

    /// Views each of those who are asked for; reports whether one seems to be gone, which pages of everybody can tell.
    async fn view_each(&mut self) -> Result<bool, Halt> {
        self.tell(Reading::Views(self.asked.len()));
        let mut is_denied = false;
        for (id, declared) in self.asked {
            let sighting = match view(self.seer, id).await? {
                View::Shown(contact) => self.sighting(id, &contact, declared),
                View::Denied => {
                    is_denied = true;
                    continue;
                }
                View::Failed(why) => Sighting::Unknown(Unseen::Failed(why)),
            };
            self.sightings.insert(id.clone(), sighting);
        }
        Ok(is_denied)
    }

    /// Views those who were not among the pages; `is_whole`, whether everybody else was.
    ///
    /// Reports whether a view denied somebody whom the pages had.
    async fn view_into(&mut self, account: &mut Account, unseen: &[&ApolloId], is_whole: bool) -> Result<bool, Halt> {
        if !unseen.is_empty() {
            self.tell(Reading::Views(unseen.len()));
        }
        let mut contradicted = false;
        for &id in unseen {
            let declared = &self.asked[id];
            let sighting = match view(self.seer, id).await? {
                View::Shown(contact) => {
                    if contact.id == *id {
                        account.see(&contact, Some(declared), self.now);
                    }
                    self.sighting(id, &contact, declared)
                }
                View::Denied if is_whole && !account.has(id) => Sighting::Gone,
                View::Denied => {
                    contradicted |= account.has(id);
                    Sighting::Unknown(Unseen::NotCertain)
                }
                View::Failed(why) => Sighting::Unknown(Unseen::Failed(why)),
            };
            self.sightings.insert(id.clone(), sighting);
        }
        Ok(contradicted)
    }

    fn sighting(&self, id: &ApolloId, contact: &Contact, asked: &AskedFor) -> Sighting {
        if contact.id == *id {
            Sighting::Seen(PackedSeen::of(contact, asked, self.now))
        } else {
            Sighting::Merged(contact.id.clone())
        }
    }

    /// Reports whether what was seen of a contact holds all that is asked for.
    fn covers(&self, account: &Account, id: &ApolloId) -> bool {
        account.seen(id).is_some_and(|seen| seen.asked().fields.is_superset(&self.asked[id].fields))
    }

    /// Puts what an account holds of those who are asked for among what was seen.
    fn take_from(&mut self, account: &Account) {
        for id in self.asked.keys() {
            if let Some(seen) = account.seen(id) {
                self.sightings.insert(id.clone(), Sighting::Seen(seen.clone()));
            }
        }
    }

    /// Finds out what lists are called where that is not known, and puts together what was seen.
    async fn conclude(mut self, mut account: Option<Account>) -> Result<Refreshed, Halt> {
        if let Some(account) = &account {
            self.take_from(account);
        }
        let is_unnamed = |sighting: &Sighting| matches!(sighting, Sighting::Seen(seen) if seen.has_unnamed_lists());
        if self.sightings.values().any(is_unnamed) {
            let names = match self.seer.lists().await {
                Ok(names) => names,
                // Who may not ask compares no lists.
                Err(Failure::Refused(_) | Failure::Barred) => BTreeMap::new(),
                Err(failure) => return Err(Halt { endpoint: Endpoint::ShowLists, failure }),
            };
            let name = |id: &str| names.get(&id.to_lowercase()).cloned();
            if let Some(account) = &mut account {
                account.name_lists(name);
                // What was named is kept once.
                self.take_from(account);
            }
            for sighting in self.sightings.values_mut() {
                if let Sighting::Seen(seen) = sighting
                    && seen.has_unnamed_lists()
                {
                    *seen = seen.with_lists_named(name);
                }
            }
        }
        Ok(Refreshed { account, sightings: self.sightings })
    }

    fn tell(&self, reading: Reading) {
        self.seer.line().tell(Event::Refreshing(reading));
    }
}

#[cfg(test)]
mod tests;
