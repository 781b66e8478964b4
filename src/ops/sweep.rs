//! Readings of a whole account, page by page: everybody, or who has changed since.
//!
//! The one home of reading pages of everybody. Only reads, and keeps nobody: each page goes to whoever asked. It tells
//! whether everybody was among them, which is never taken for granted.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::apollo::{Answer, Contact, Order, SearchPage};
use crate::model::{ApolloId, Timestamp};
use crate::plan::PAGES_OF_AN_ACCOUNT;

use super::apply::line::Failure;
use super::sees::Sees;

/// How far behind the last change that was read the next reading begins, since changes show late.
const OVERLAP: Duration = Duration::from_mins(10);

/// What a reading that came to its end has met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sweep {
    /// What changed later is not known, by the server's clock.
    pub(super) read_to: Timestamp,
    /// Whether as many people were met as the account has: rows that repeat or are left out are people who were not.
    pub(super) is_whole: bool,
    /// The contacts that the account has, where it tells.
    pub(super) entries: Option<u64>,
}

impl Sweep {
    /// Tells what so many contacts that were met are of all, by the last page.
    fn of(read_to: Timestamp, met: usize, last: &SearchPage) -> Self {
        let entries = last.total_entries;
        Self { read_to, is_whole: entries.is_none_or(|entries| met as u64 >= entries), entries }
    }
}

/// The pages that Apollo gives from one end.
#[expect(clippy::cast_possible_truncation, reason = "they are 500")]
const MOST_PAGES: u32 = PAGES_OF_AN_ACCOUNT as u32;

/// Reads every contact, oldest first: one that is made meanwhile is met at the end. Of an account of more pages than Apollo
/// gives, the rest comes from the other end, newest first.
///
/// `meet` is given each page, counted on from one end to the other, and may end the reading, which gives `None`; so does
/// an account of more pages than Apollo gives from both.
pub(super) async fn everyone(
    seer: &impl Sees,
    mut meet: impl FnMut(&SearchPage) -> ControlFlow<()>,
) -> Result<Option<Sweep>, Failure> {
    let mut oldest: BTreeSet<ApolloId> = BTreeSet::new();
    let mut read_to = None;
    for page in 1..=MOST_PAGES {
        let Answer { value: found, meta } = seer.everybody(Order::OldestFirst, page).await?;
        let read_to = *read_to.get_or_insert(meta.date.unwrap_or_else(|| seer.line().clock.now()));
        oldest.extend(found.contacts.iter().map(|contact| contact.id.clone()));
        if meet(&found).is_break() {
            return Ok(None);
        }
        if found.is_last() {
            return Ok(Some(Sweep::of(read_to, oldest.len(), &found)));
        }
        if found.total_pages.is_some_and(|pages| pages > 2 * MOST_PAGES) {
            return Ok(None);
        }
    }
    let mut newest: BTreeSet<ApolloId> = BTreeSet::new();
    for page in 1..=MOST_PAGES {
        let mut found = seer.everybody(Order::NewestFirst, page).await?.value;
        found.page += MOST_PAGES;
        let meets_oldest = found.contacts.iter().any(|contact| oldest.contains(&contact.id));
        newest.extend(found.contacts.iter().map(|contact| contact.id.clone()));
        if meet(&found).is_break() {
            return Ok(None);
        }
        if meets_oldest || found.contacts.is_empty() {
            let read_to = read_to.expect("the first page was read");
            return Ok(Some(Sweep::of(read_to, oldest.union(&newest).count(), &found)));
        }
    }
    Ok(None)
}

/// Reads who has changed since an earlier reading, last changed first.
///
/// `meet` is given each page, and may say that what follows is known. `None` where so many have changed that Apollo
/// does not give them all.
pub(super) async fn changed(
    seer: &impl Sees,
    since: Timestamp,
    mut meet: impl FnMut(&SearchPage) -> ControlFlow<()>,
) -> Result<Option<Sweep>, Failure> {
    let mut read_to = None;
    let mut is_whole = true;
    let mut known: BTreeSet<ApolloId> = BTreeSet::new();
    for page in 1..=MOST_PAGES {
        let Answer { value: found, meta } = seer.everybody(Order::LastChangedFirst, page).await?;
        // Where one comes again, another was left out: somebody changed meanwhile, or the pages do not meet.
        is_whole &= found.contacts.iter().all(|contact| known.insert(contact.id.clone()));
        let read_to = *read_to.get_or_insert(meta.date.unwrap_or_else(|| seer.line().clock.now()));
        let is_old = |contact: &Contact| contact.updated_at.is_some_and(|at| at + OVERLAP < since);
        let is_known = meet(&found).is_break();
        if is_known || found.is_last() || found.contacts.last().is_some_and(is_old) {
            return Ok(Some(Sweep { read_to, is_whole, entries: found.total_entries }));
        }
    }
    Ok(None)
}

/// Returns how many pages there are in all, where a page tells; as many as can be otherwise.
pub(super) fn pages(page: &SearchPage) -> usize {
    page.total_pages.map_or(usize::MAX, |pages| pages as usize)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::apollo::{Meta, PER_PAGE};
    use crate::ops::apply::line::Line;

    /// An account of so many contacts, of which Apollo gives 500 pages in any order.
    struct Many(u64, Line, Mutex<Vec<(Order, u32)>>);

    impl Sees for Many {
        fn line(&self) -> &Line {
            &self.1
        }

        async fn everybody(&self, order: Order, page: u32) -> Result<Answer<SearchPage>, Failure> {
            assert!(page <= 500, "Apollo refuses it");
            self.2.lock().unwrap().push((order, page));
            let (all, per) = (self.0, u64::from(PER_PAGE));
            let places = (u64::from(page) - 1) * per..(u64::from(page) * per).min(all);
            let number = |place| if order == Order::OldestFirst { place } else { all - 1 - place };
            let contact = |place| Contact::bare(ApolloId::parse(&format!("{:024x}", number(place))).unwrap());
            let total_pages = u32::try_from(all.div_ceil(per)).ok();
            let contacts = places.map(contact).collect();
            let value = SearchPage { contacts, page, total_pages, total_entries: Some(all) };
            Ok(Answer { value, meta: Meta::default() })
        }

        async fn view(&self, _: &ApolloId) -> Result<Contact, Failure> {
            unreachable!("nobody is viewed")
        }

        async fn lists(&self) -> Result<BTreeMap<String, String>, Failure> {
            unreachable!("lists are not asked for")
        }
    }

    async fn read(many: u64) -> (Option<bool>, usize, usize) {
        let account = Many(many, Line::alone(), Mutex::default());
        let mut met = BTreeSet::new();
        let swept = everyone(&account, |page| {
            met.extend(page.contacts.iter().map(|contact| contact.id.clone()));
            ControlFlow::Continue(())
        });
        let is_whole = swept.await.unwrap().map(|sweep| sweep.is_whole);
        (is_whole, met.len(), account.2.lock().unwrap().len())
    }

    #[tokio::test]
    async fn what_apollo_does_not_give_from_one_end_comes_from_the_other() {
        assert_eq!(read(0).await, (Some(true), 0, 1));
        assert_eq!(read(250).await, (Some(true), 250, 3));
        assert_eq!(read(50_000).await, (Some(true), 50_000, 500));
        assert_eq!(read(50_001).await, (Some(true), 50_001, 501));
        assert_eq!(read(74_950).await, (Some(true), 74_950, 750));
        assert_eq!(read(100_001).await, (None, 100, 1), "more than both ends give");
    }
}
