//! Looks whether Apollo has a contact like an entry before a create is sent for it.
//!
//! Only looks: the caller binds what it finds, or a person decides. Finding no contact proves nothing, because searches
//! lag and do not match everything that Apollo's own deduplication does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::apollo::{Answer, Contact};
use crate::model::{ApolloId, ContactKey, Endpoint, Field, Fields, fold_email, mailbox};

use super::courier::Failure;
use super::outcome::sight::{Owned, Sight, Wanted, hides_email, keywords, namesakes};
use super::performer::{Performer, Trouble};
use crate::ops::ProblemKind;
use crate::ops::account::{Account, By};

/// The most pages of search results looked through for one person; a page holds 100.
const MAX_PAGES: u32 = 5;

/// The most rows without an e-mail that are viewed to learn theirs.
const MAX_VIEWS: usize = 5;

/// What a search for one person brought.
pub(super) struct Found {
    pub(super) contacts: Vec<Contact>,
    /// Whether there were more results than are looked through, so that none found proves nothing.
    pub(super) cut: bool,
}

impl Performer<'_> {
    /// Looks for whom Apollo would match to a create of `fields`, or who could be its contact already.
    ///
    /// Those who are created together are looked for in the account as a whole where that takes fewer requests.
    pub(super) async fn look_before(&self, fields: &Fields, run_dedupe: bool) -> Result<Sight, Trouble> {
        let too_many = || Trouble::failed(ProblemKind::TooManyHits.at(self.place, None));
        let wanted = Wanted::of(fields, run_dedupe);
        let Some(account) = self.whole_account().await? else { return Ok(Sight::MayNotSearch) };
        let account = account.as_deref();
        if let Some(email) = fields.text(&Field::Email).map(str::trim).filter(|email| !email.is_empty()) {
            let Some(mut found) = self.find_by_email(account, email, run_dedupe).await? else {
                return Ok(Sight::MayNotSearch);
            };
            if found.cut {
                return Err(too_many());
            }
            let unseen = self.learn_emails(|contact| wanted.may_be(contact), &mut found.contacts).await?;
            let (owned, free) = self.part_by_owner(found.contacts).await?;
            match wanted.by_email(&free) {
                Sight::Nobody => {}
                sight => return Ok(sight),
            }
            // Found by the e-mail, and nobody knows whether it is theirs.
            match namesakes(free.iter().filter(|contact| unseen.contains(&contact.id))) {
                Sight::Nobody => {}
                sight => return Ok(sight),
            }
            for (contact, owner) in wanted.taken(&owned) {
                if self.is_up_to_date(contact, owner).await {
                    return Ok(Sight::Owned(contact.id.clone(), owner.clone()));
                }
            }
        }
        if !wanted.looks_by_name() {
            return Ok(Sight::Nobody);
        }
        let Some(mut found) = self.find_by_name(account, &wanted).await? else { return Ok(Sight::MayNotSearch) };
        if found.cut {
            return Err(too_many());
        }
        let unseen = self.learn_emails(|contact| wanted.may_be_at_domain(contact), &mut found.contacts).await?;
        let (_, free) = self.part_by_owner(found.contacts).await?;
        let is_namesake =
            |contact: &&Contact| wanted.is_namesake(contact) || (unseen.contains(&contact.id) && hides_email(contact));
        Ok(namesakes(free.iter().filter(is_namesake)))
    }

    /// Returns everybody in the account, where searching for each of those who are created together takes more
    /// requests than reading all; the outer `None` where the credential may not search.
    async fn whole_account(&self) -> Result<Option<Option<Arc<Account>>>, Trouble> {
        if self.crew().is_none() {
            return Ok(Some(None));
        }
        let account = self.session.account(self.job.identity_key, self.job.looks).await;
        self.unless_barred(account)
    }

    async fn find_by_email(
        &self,
        account: Option<&Account>,
        email: &str,
        run_dedupe: bool,
    ) -> Result<Option<Found>, Trouble> {
        let bare = mailbox(email);
        if let Some(account) = account {
            return self.view_all(account.find([By::Mailbox(&mailbox(&fold_email(email)))])).await.map(Some);
        }
        let Some(mut found) = self.search(email).await? else { return Ok(None) };
        if run_dedupe && bare != email {
            // Apollo is said to match the mailbox without its tag as well.
            let Some(more) = self.search(&bare).await? else { return Ok(None) };
            found.cut |= more.cut;
            found.contacts.extend(more.contacts);
        }
        Ok(Some(found))
    }

    async fn find_by_name(&self, account: Option<&Account>, wanted: &Wanted<'_>) -> Result<Option<Found>, Trouble> {
        if let Some(account) = account {
            return self.view_all(account.find(wanted.marks())).await.map(Some);
        }
        let Some(found) = self.search(&wanted.names).await? else { return Ok(None) };
        if !found.cut || wanted.narrower().is_empty() {
            return Ok(Some(found));
        }
        // Where the name is common, only those at the same company matter.
        self.search(&format!("{} {}", wanted.names, wanted.narrower())).await
    }

    /// Views contacts of the account, as they are now; those that are gone are left out.
    async fn view_all(&self, ids: Vec<ApolloId>) -> Result<Found, Trouble> {
        let mut found = Found { contacts: Vec::new(), cut: ids.len() > MAX_VIEWS };
        for id in ids.iter().take(MAX_VIEWS) {
            if let Ok(contact) = self.view_living(id).await? {
                found.contacts.push(contact);
            }
        }
        Ok(found)
    }

    /// Lists everybody who is like the entry, so that none of them is taken for what a create is about to make.
    pub(super) async fn everybody_like(&self, fields: &Fields) -> Result<Vec<ApolloId>, Trouble> {
        let mut ids = BTreeSet::new();
        for keywords in keywords(fields) {
            let Some(found) = self.search(&keywords).await? else { return Ok(Vec::new()) };
            ids.extend(found.contacts.into_iter().map(|contact| contact.id));
        }
        Ok(ids.into_iter().collect())
    }

    /// Reads what a search for `keywords` brings, each contact once; `None` where the credential may not search.
    pub(super) async fn search(&self, keywords: &str) -> Result<Option<Found>, Trouble> {
        let mut contacts: BTreeMap<ApolloId, Contact> = BTreeMap::new();
        for page in 1.. {
            let found = self.session.access.search(keywords, page).await;
            let Some(Answer { value: found, .. }) = self.unless_barred(found)? else { return Ok(None) };
            let was_last = found.is_last();
            // An empty page that gives a number of contacts hides some.
            let hides = found.contacts.is_empty() && found.total_entries.is_some_and(|all| all > contacts.len() as u64);
            contacts.extend(found.contacts.into_iter().map(|contact| (contact.id.clone(), contact)));
            if was_last || page == MAX_PAGES {
                return Ok(Some(Found { contacts: contacts.into_values().collect(), cut: hides || !was_last }));
            }
        }
        unreachable!("pages are counted up to their limit")
    }

    /// Passes on what a search has brought; `None` where it failed because the credential may not search at all.
    pub(super) fn unless_barred<T>(&self, found: Result<T, Failure>) -> Result<Option<T>, Trouble> {
        let is_barred = |endpoint| self.session.courier().is_barred(endpoint);
        match found {
            Ok(found) => Ok(Some(found)),
            Err(Failure::Refused(_) | Failure::Barred)
                if is_barred(Endpoint::SearchContacts) && !is_barred(Endpoint::CreateContact) =>
            {
                Ok(None)
            }
            Err(failure) => Err(self.trouble(Endpoint::SearchContacts, failure)),
        }
    }

    /// Views rows that show no e-mail and for which it counts, since a search may leave e-mails out.
    ///
    /// Returns those whose e-mail nobody knows still: there were too many, or the view failed.
    async fn learn_emails(
        &self,
        counts: impl Fn(&Contact) -> bool,
        contacts: &mut [Contact],
    ) -> Result<BTreeSet<ApolloId>, Trouble> {
        let mut unseen = BTreeSet::new();
        let unknown = contacts.iter_mut().filter(|contact| contact.emails.is_empty() && counts(contact));
        for (number, contact) in unknown.enumerate() {
            if number >= MAX_VIEWS {
                unseen.insert(contact.id.clone());
                continue;
            }
            match self.session.access.view(&contact.id).await {
                Ok(seen) if seen.id == contact.id => *contact = seen,
                Ok(_) | Err(Failure::Refused(_) | Failure::Barred) => drop(unseen.insert(contact.id.clone())),
                Err(failure) => return Err(self.trouble(Endpoint::ViewContact, failure)),
            }
        }
        Ok(unseen)
    }

    /// Parts contacts that other keys own from those that are free; those of the entry's own key count as free.
    async fn part_by_owner(&self, contacts: Vec<Contact>) -> Result<(Vec<Owned>, Vec<Contact>), Trouble> {
        let (mut taken, mut free) = (Vec::new(), Vec::new());
        for contact in contacts.into_iter().filter(|contact| !contact.person_deleted) {
            match self.owner(&contact.id).await?.filter(|owner| *owner != self.place.key) {
                Some(owner) => taken.push((contact, owner)),
                None => free.push(contact),
            }
        }
        Ok((taken, free))
    }

    /// Reports whether a row shows the e-mail that another key's contact was given last; a search may lag.
    async fn is_up_to_date(&self, row: &Contact, key: &ContactKey) -> bool {
        let binding = self.session.store().binding(key).await.ok().flatten();
        binding.is_some_and(|binding| {
            let given = binding.applied.text(&Field::Email).filter(|email| !email.is_empty());
            given.is_none_or(|given| row.has_email(given))
        })
    }
}
