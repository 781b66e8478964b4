//! Reads the account as far as looks need it, and keeps in the state what is known of it.
//!
//! Only reads from Apollo, and never prints what it saw.

use std::ops::ControlFlow;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use crate::apollo::SearchPage;
use crate::model::{ApolloId, Fields, IdentityKey, Timestamp};
use crate::state::{self, CHANGES_PER_COMMIT, Change};
use crate::store::Store;

use super::account::{Account, Made, Part};
use super::apply::courier::Failure;
use super::apply::outcome::sight::hides_email;
use super::credential::Access;
use super::sweep;

/// How long a reading stands before what has changed since is read.
const STANDS: Duration = Duration::from_mins(10);

/// So few searches are no more than what a reading may take in vain.
const FEW_SEARCHES: usize = 3;

/// If a run made more contacts than these, they are written without adding them to the account in memory, as such a run
/// uses the most memory at its end. The next look loads the account from the state.
const MANY_MADE: usize = 10_000;

/// What is known of the account in one session.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    known: tokio::sync::Mutex<Known>,
    /// Contacts that were made since the last reading; `None` as long as nobody has read.
    made: std::sync::Mutex<Option<Vec<Made>>>,
}

#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    /// It cannot be read as a whole, or searching for each takes fewer requests.
    NotWorthIt,
    Whole {
        account: Arc<Account>,
        /// When it was read last, by our clock; `None` where it was not in this session.
        read_at: Option<Timestamp>,
    },
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
        let mut known = self.known.lock().await;
        let now = access.courier.clock.now();
        let store = &access.courier.store;
        if matches!(*known, Known::Nothing) {
            let parts = store.account().await.map_err(Failure::Store)?;
            if let Some(account) = Account::load(key, parts) {
                *known = Known::Whole { account: Arc::new(account), read_at: None };
            }
        }
        let mut account = match &*known {
            Known::NotWorthIt => return Ok(None),
            Known::Whole { account, read_at: Some(read_at) } if now.since(*read_at) < STANDS => {
                return Ok(Some(Arc::clone(account)));
            }
            Known::Whole { account, .. } => {
                let mut account = Account::clone(account);
                account.add(self.take_made());
                read_changes(access, account).await?
            }
            Known::Nothing => read_whole(access, key, searches).await?,
        };
        if let Some(account) = &mut account {
            save(store, account).await.map_err(Failure::Store)?;
        }
        let account = account.map(Arc::new);
        *known = match &account {
            Some(account) => {
                self.locked_made().get_or_insert_default();
                Known::Whole { account: Arc::clone(account), read_at: Some(now) }
            }
            None => Known::NotWorthIt,
        };
        Ok(account)
    }

    /// Notes a contact that was made, so that it is no news when the account is read again.
    pub(super) fn made(&self, key: &IdentityKey, id: &ApolloId, fields: &Fields) {
        if let Some(made) = &mut *self.locked_made() {
            made.push(Made::with(key, id, fields));
        }
    }

    /// Keeps what was made for the next session, and forgets that a reading was not worth it.
    pub(super) async fn keep(&self, store: &Store) -> Result<(), state::Error> {
        let mut known = self.known.lock().await;
        let made = self.take_made();
        match &mut *known {
            Known::Whole { account, .. } if made.len() > MANY_MADE => {
                let written = write(store, account.append(made)).await;
                *known = Known::Nothing;
                written
            }
            Known::Whole { account, .. } if !made.is_empty() => {
                let account = Arc::make_mut(account);
                account.add(made);
                save(store, account).await
            }
            Known::Whole { .. } => Ok(()),
            Known::Nothing | Known::NotWorthIt => {
                *known = Known::Nothing;
                Ok(())
            }
        }
    }

    /// Takes over what somebody else has read just now.
    pub(super) async fn take_over(&self, account: Account, now: Timestamp) {
        let mut known = self.known.lock().await;
        self.locked_made().get_or_insert_default();
        *known = Known::Whole { account: Arc::new(account), read_at: Some(now) };
    }

    fn take_made(&self) -> Vec<Made> {
        self.locked_made().as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn locked_made(&self) -> MutexGuard<'_, Option<Vec<Made>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn save(store: &Store, account: &mut Account) -> Result<(), state::Error> {
    write(store, account.save()).await
}

async fn write(store: &Store, parts: impl Iterator<Item = Part>) -> Result<(), state::Error> {
    let mut parts = parts.map(|(part, text)| Change::PutAccount { part, text });
    loop {
        let some: Vec<_> = parts.by_ref().take(CHANGES_PER_COMMIT).collect();
        if some.is_empty() {
            return Ok(());
        }
        store.commit(some).await?;
    }
}

/// Reads every contact; `None` where searching for each takes fewer requests, or where not everybody was seen.
async fn read_whole(access: &Access, key: IdentityKey, searches: usize) -> Result<Option<Account>, Failure> {
    if searches < FEW_SEARCHES {
        return Ok(None);
    }
    let mut account = Account::new(key);
    let now = access.courier.clock.now();
    let meet = |page: &SearchPage| {
        // Of a row that hides its e-mail nobody knows whose it is.
        if page.contacts.iter().any(hides_email) || (!page.is_last() && sweep::pages(page) > searches) {
            return ControlFlow::Break(());
        }
        for contact in &page.contacts {
            account.see(contact, None, now);
        }
        ControlFlow::Continue(())
    };
    let whole = sweep::everyone(access, meet).await?.filter(|sweep| sweep.is_whole);
    Ok(whole.map(|sweep| account.read_by(sweep)))
}

/// Reads who has changed since the last reading.
async fn read_changes(access: &Access, mut account: Account) -> Result<Option<Account>, Failure> {
    let (since, now) = (account.read_to, access.courier.clock.now());
    let mut hides = false;
    let meet = |page: &SearchPage| {
        hides |= page.contacts.iter().any(hides_email);
        let mut has_news = false;
        for contact in &page.contacts {
            has_news |= account.see(contact, None, now);
        }
        // A page of people who are known as they are, in an account that has no more than are known: what follows was
        // changed by ourselves.
        let is_known = !has_news && page.total_entries == Some(account.len() as u64);
        if hides || is_known { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let changed = sweep::changed(access, since, meet).await?.filter(|_| !hides);
    Ok(changed.map(|sweep| account.read_by(sweep)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Field, Lineage};
    use crate::state::{Drawn, Holder};
    use crate::store::{self, Options};

    const KEY: IdentityKey = IdentityKey([7; 32]);

    fn open(directory: &std::path::Path) -> Store {
        let options = Options {
            location: directory.into(),
            origin: "sandbox".to_owned(),
            own_dir: None,
            holder: Holder::bare("apply"),
            progress: store::Progress::default(),
        };
        Store::open(&options, Drawn { lineage: Lineage("first".to_owned()), identity_key: KEY }).unwrap()
    }

    #[tokio::test]
    async fn whoever_was_made_is_known_to_the_next_session_however_many_they_are() {
        for count in [3, MANY_MADE + 1] {
            let directory = tempfile::tempdir().unwrap();
            let (store, knowledge) = (open(&directory.path().join("state")), Knowledge::default());
            let mut account = Account::new(KEY);
            account.read_to = Timestamp(9);
            save(&store, &mut account).await.unwrap();
            knowledge.take_over(account, Timestamp(9)).await;
            for number in 0..count {
                let id = ApolloId::parse(&format!("{number:024x}")).unwrap();
                let fields: Fields =
                    [(Field::Email, format!("p{number}@example.com").as_str().into())].into_iter().collect();
                knowledge.made(&KEY, &id, &fields);
            }
            knowledge.keep(&store).await.unwrap();
            let known = Account::load(KEY, store.account().await.unwrap()).unwrap();
            assert_eq!((known.len(), known.read_to), (count, Timestamp(9)));
            // What this session goes on with is that, or nothing.
            match &*knowledge.known.lock().await {
                Known::Whole { account, .. } => assert_eq!((account.len(), count), (3, 3)),
                known => assert!(matches!(known, Known::Nothing) && count > MANY_MADE),
            }
            store.close().await.unwrap();
        }
    }
}
