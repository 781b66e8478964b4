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

/// Reads every contact, oldest first: one that is made meanwhile is met at the end.
///
/// `meet` is given each page, and may end the reading, which gives `None`; so does an account of more pages than
/// Apollo gives.
pub(super) async fn everyone(
    seer: &impl Sees,
    mut meet: impl FnMut(&SearchPage) -> ControlFlow<()>,
) -> Result<Option<Sweep>, Failure> {
    let mut ids: BTreeSet<ApolloId> = BTreeSet::new();
    let mut read_to = None;
    for page in 1.. {
        let Answer { value: found, meta } = seer.everybody(Order::OldestFirst, page).await?;
        let read_to = *read_to.get_or_insert(meta.date.unwrap_or_else(|| seer.line().clock.now()));
        ids.extend(found.contacts.iter().map(|contact| contact.id.clone()));
        if meet(&found).is_break() {
            return Ok(None);
        }
        if found.is_last() {
            let entries = found.total_entries;
            let is_whole = entries.is_none_or(|entries| ids.len() as u64 >= entries);
            return Ok(Some(Sweep { read_to, is_whole, entries }));
        }
        if pages(&found) > PAGES_OF_AN_ACCOUNT || page as usize >= PAGES_OF_AN_ACCOUNT {
            return Ok(None);
        }
    }
    unreachable!("pages are counted up to the last")
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
    for page in 1..=u32::try_from(PAGES_OF_AN_ACCOUNT).expect("there are 500 pages") {
        let Answer { value: found, meta } = seer.everybody(Order::LastChangedFirst, page).await?;
        let read_to = *read_to.get_or_insert(meta.date.unwrap_or_else(|| seer.line().clock.now()));
        let is_old = |contact: &Contact| contact.updated_at.is_some_and(|at| at + OVERLAP < since);
        let is_known = meet(&found).is_break();
        if is_known || found.is_last() || found.contacts.last().is_some_and(is_old) {
            return Ok(Some(Sweep { read_to, is_whole: true, entries: found.total_entries }));
        }
    }
    Ok(None)
}

/// Returns how many pages there are in all, where a page tells; as many as can be otherwise.
pub(super) fn pages(page: &SearchPage) -> usize {
    page.total_pages.map_or(usize::MAX, |pages| pages as usize)
}
