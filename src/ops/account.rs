//! Everybody in the account, by what a look compares, so that looking for many needs no request for each.
//!
//! Only reads. Keeps ids and keyed hashes, no value of anybody. What it shows is a hint: whoever it points to is viewed
//! before anything is concluded; only that it points to nobody counts, and only where the whole account was read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::apollo::{Answer, Contact, Order};
use crate::model::{ApolloId, Field, IdentityKey, Timestamp, fold_email, mailbox};
use crate::plan::PAGES_OF_AN_ACCOUNT;

use super::apply::courier::Failure;
use super::apply::outcome::sight::hides_email;
use super::credential::Access;

/// How long a reading stands before what has changed since is read.
const STANDS: Duration = Duration::from_mins(10);

/// How far behind the last change that was read the next reading begins, since changes show late.
const OVERLAP: Duration = Duration::from_mins(10);

/// Everybody in the account, as of the last reading.
#[derive(Debug)]
pub(super) struct Account {
    key: IdentityKey,
    contacts: Vec<ApolloId>,
    /// What each contact is found by, with its place in `contacts`; sorted.
    marks: Vec<(Mark, u32)>,
    /// Later changes are not read, by the server's clock.
    read_to: Timestamp,
    /// By our clock.
    read_at: Timestamp,
}

/// A keyed hash of something that tells people apart.
type Mark = u64;

/// What a contact is looked for by.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    /// The address without its tag.
    Mailbox(&'a str),
    NameAtCompany(&'a str, &'a str, &'a str),
    NameAtDomain(&'a str, &'a str, &'a str),
}

impl Account {
    /// Lists whom some mark leads to, each once.
    pub(super) fn find<'a>(&self, by: impl IntoIterator<Item = By<'a>>) -> Vec<ApolloId> {
        let mut found = BTreeSet::new();
        for by in by {
            let mark = by.mark(&self.key);
            let first = self.marks.partition_point(|(other, _)| *other < mark);
            let places = self.marks[first..].iter().take_while(|(other, _)| *other == mark);
            found.extend(places.map(|(_, place)| self.contacts[*place as usize].clone()));
        }
        found.into_iter().collect()
    }

    fn new(key: IdentityKey) -> Self {
        Self { key, contacts: Vec::new(), marks: Vec::new(), read_to: Timestamp(0), read_at: Timestamp(0) }
    }

    /// Adds what a row shows; marks that it had before stay, and lead to it as well.
    fn add(&mut self, contact: &Contact) {
        let place = u32::try_from(self.contacts.len()).expect("an account of 2^32 contacts has no end to be read to");
        let (first, last) = (contact.readable.folded(&Field::FirstName), contact.readable.folded(&Field::LastName));
        let company = contact.readable.folded(&Field::OrganizationName);
        let mut add = |by: By<'_>| self.marks.push((by.mark(&self.key), place));
        if !company.is_empty() {
            add(By::NameAtCompany(&first, &last, &company));
        }
        for email in contact.emails.iter().map(|email| fold_email(email)) {
            add(By::Mailbox(&mailbox(&email)));
            if let Some((_, domain)) = email.rsplit_once('@') {
                add(By::NameAtDomain(&first, &last, domain));
            }
        }
        self.contacts.push(contact.id.clone());
    }
}

impl By<'_> {
    fn mark(self, key: &IdentityKey) -> Mark {
        let parts: [&str; 4] = match self {
            Self::Mailbox(mailbox) => ["mailbox", mailbox, "", ""],
            Self::NameAtCompany(first, last, company) => ["company", first, last, company],
            Self::NameAtDomain(first, last, domain) => ["domain", first, last, domain],
        };
        let hash = blake3::keyed_hash(&key.0, parts.join("\0").as_bytes());
        Mark::from_be_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }
}

/// What is known of the account in one session.
#[derive(Debug, Default)]
pub(super) struct Knowledge(tokio::sync::Mutex<Known>);

#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    /// It cannot be read as a whole, or searching for each is cheaper.
    NotWorthIt,
    Whole(Arc<Account>),
}

impl Knowledge {
    /// Returns everybody in the account, reading it where that takes fewer requests than `searches`; `None` where it
    /// does not, or where the whole account cannot be read.
    pub(super) async fn whole(
        &self,
        access: &Access,
        key: IdentityKey,
        searches: usize,
    ) -> Result<Option<Arc<Account>>, Failure> {
        // Held while reading, so that all who wait are served by one reading.
        let mut known = self.0.lock().await;
        let now = access.courier.clock.now();
        let account = match &*known {
            Known::NotWorthIt => None,
            Known::Whole(account) if now.since(account.read_at) < STANDS => return Ok(Some(Arc::clone(account))),
            Known::Whole(account) => read_changes(access, account).await?,
            Known::Nothing => read_whole(access, key, searches).await?,
        };
        let account = account.map(Arc::new);
        *known = account.clone().map_or(Known::NotWorthIt, Known::Whole);
        Ok(account)
    }
}

/// Reads every contact, oldest first: one that is made meanwhile is met at the end.
async fn read_whole(access: &Access, key: IdentityKey, searches: usize) -> Result<Option<Account>, Failure> {
    let mut account = Account::new(key);
    account.read_at = access.courier.clock.now();
    let mut seen = BTreeSet::new();
    let mut hidden = 0;
    for page in 1.. {
        let Answer { value: found, meta } = access.everybody(Order::OldestFirst, page).await?;
        if page == 1 {
            account.read_to = meta.date.unwrap_or(account.read_at);
        }
        let (is_last, entries) = (found.is_last(), found.total_entries);
        for contact in found.contacts.iter().filter(|contact| seen.insert(contact.id.clone())) {
            hidden += usize::from(hides_email(contact));
            account.add(contact);
        }
        let pages = found.total_pages.map_or(usize::MAX, |pages| pages as usize);
        // Of a row that hides its e-mail nobody knows whose it is.
        if hidden > 0 || (!is_last && (pages > PAGES_OF_AN_ACCOUNT || pages > searches.saturating_add(1))) {
            return Ok(None);
        }
        if is_last {
            account.marks.sort_unstable();
            // Rows that were left out are people who were not seen.
            return Ok(Some(account).filter(|_| entries.is_none_or(|entries| seen.len() as u64 >= entries)));
        }
    }
    unreachable!("pages are counted up to the last")
}

/// Reads who has changed since, last changed first.
async fn read_changes(access: &Access, account: &Account) -> Result<Option<Account>, Failure> {
    let mut now = Account {
        contacts: account.contacts.clone(),
        marks: account.marks.clone(),
        read_at: access.courier.clock.now(),
        ..Account::new(account.key)
    };
    for page in 1..=PAGES_OF_AN_ACCOUNT {
        let page = u32::try_from(page).expect("there are 500 pages");
        let Answer { value: found, meta } = access.everybody(Order::LastChangedFirst, page).await?;
        if page == 1 {
            now.read_to = meta.date.unwrap_or(now.read_at);
        }
        if found.contacts.iter().any(hides_email) {
            return Ok(None);
        }
        found.contacts.iter().for_each(|contact| now.add(contact));
        let is_old = |contact: &Contact| contact.updated_at.is_some_and(|at| at + OVERLAP < account.read_to);
        if found.is_last() || found.contacts.last().is_some_and(is_old) {
            now.marks.sort_unstable();
            return Ok(Some(now));
        }
    }
    Ok(None)
}
