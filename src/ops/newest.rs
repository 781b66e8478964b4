//! What is new in the account: contacts made since a moment, read from the newest pages on.
//!
//! The first witness of what became of a create without an answer: unlike a search for words, it does not depend on
//! how the server's index spells a name. Only reads; one reading serves every create in doubt that it reaches back to.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::apollo::{Answer, Contact, Order};
use crate::journal;
use crate::model::{ApolloId, Intent, Timestamp};

use super::apply::courier::Failure;
use super::apply::outcome::settled::Witness;
use super::credential::Access;

/// The most pages that are read; Apollo gives no more.
///
/// Source: vendor page "Search for Contacts", hard cap (`docs/api-notes.md#search`).
const MAX_PAGES: u32 = 500;

/// One reading of the newest contacts that no key owned then.
#[derive(Debug)]
pub(super) struct Newest {
    pub(super) contacts: Vec<Contact>,
    /// Whether every contact made since `back_to` was among the pages read.
    pub(super) is_whole: bool,
    /// By the server's clock.
    back_to: Timestamp,
    /// By our clock.
    began_at: Timestamp,
    /// The server's time when it began to answer, and ours then.
    clocks: (Timestamp, Timestamp),
}

impl Newest {
    /// Returns the earliest time at which a contact that `intent` made can say it was made.
    pub(super) fn earliest(&self, intent: &Intent) -> Timestamp {
        let (server_now, now) = self.clocks;
        journal::earliest_creation(intent, server_now, now)
    }

    /// Counts the creates that have made one of the contacts, by what was sent.
    pub(super) fn count(&self, intents: &[&Intent]) -> usize {
        let has_made = |intent: &&&Intent| {
            let is_it = |contact: &&Contact| Witness::has_made(intent, contact, self.earliest(intent));
            self.contacts.iter().any(|contact| is_it(&contact))
        };
        intents.iter().filter(has_made).count()
    }

    fn serves(&self, intent: &Intent, due: Timestamp) -> bool {
        self.began_at >= due && self.back_to <= self.earliest(intent)
    }
}

/// The last reading, for all who settle in one session.
#[derive(Debug, Default)]
pub(super) struct LastReading(tokio::sync::Mutex<Option<Arc<Newest>>>);

impl LastReading {
    /// Reads what was made since `intent` was first sent; `due` is when such a reading could first be trusted.
    pub(super) async fn since(&self, access: &Access, intent: &Intent, due: Timestamp) -> Result<Arc<Newest>, Failure> {
        // Held while reading, so that all who wait are served by one reading.
        let mut last = self.0.lock().await;
        if let Some(newest) = last.as_ref().filter(|newest| newest.serves(intent, due)) {
            return Ok(Arc::clone(newest));
        }
        let newest = Arc::new(Newest::read(access, intent).await?);
        *last = Some(Arc::clone(&newest));
        Ok(newest)
    }
}

impl Newest {
    async fn read(access: &Access, intent: &Intent) -> Result<Self, Failure> {
        let courier = &access.courier;
        let began_at = courier.clock.now();
        let mut contacts = Vec::new();
        let mut seen: BTreeSet<ApolloId> = BTreeSet::new();
        let mut clocks = None;
        let mut youngest_left = None;
        let mut is_sorted = true;
        let (mut first_total, mut repeated) = (None, 0);
        for page in 1.. {
            let Answer { value: found, meta } = access.everybody(Order::NewestFirst, page).await?;
            let now = courier.clock.now();
            let clocks = *clocks.get_or_insert((meta.date.unwrap_or(now), now));
            let earliest = journal::earliest_creation(intent, clocks.0, clocks.1);
            let is_last = found.is_last();
            let mut reached = false;
            let first_total = *first_total.get_or_insert(found.total_entries);
            let made = first_total.zip(found.total_entries).map(|(first, now)| now.saturating_sub(first));
            let leaves_out =
                found.contacts.is_empty() && found.total_entries.is_some_and(|total| total > seen.len() as u64);
            // Contacts made meanwhile move others to the next page, where they are met again.
            for contact in found.contacts {
                if !seen.insert(contact.id.clone()) {
                    repeated += 1;
                    continue;
                }
                if let Some(created) = contact.created_at {
                    is_sorted &= youngest_left.is_none_or(|youngest| created <= youngest);
                    youngest_left = Some(created);
                    reached |= created < earliest;
                }
                // Those that are owned could not be what is looked for.
                if courier.store.owner_of(&contact.id).await.map_err(Failure::Store)?.is_none() {
                    contacts.push(contact);
                }
            }
            // A server that does not sort is read to its end.
            if is_last || (reached && is_sorted) || page == MAX_PAGES {
                let back_to = if is_last { Timestamp(0) } else { earliest };
                // More that are met again than were made meanwhile stand in the place of others.
                let is_steady = !leaves_out && made.is_none_or(|made| repeated <= made);
                let is_whole = is_steady && (is_last || (reached && is_sorted));
                return Ok(Newest { contacts, is_whole, back_to, began_at, clocks });
            }
        }
        unreachable!("pages are counted up to their limit")
    }
}
