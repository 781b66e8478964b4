//! Keys that are no longer in the files, since when, and what waits for them.
//!
//! A file that is being moved or written again looks like one that is gone, so forgetting waits.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::board::Waiting;
use crate::model::{ContactKey, Identity, PersonAtCompany, Timestamp};
use crate::plan::{Managed, Operation, Plan};
use crate::state::Snapshot;

/// How long a key whose time has come waits on while a file is being written.
const WRITING_PAUSE: Duration = Duration::from_secs(1);

/// The keys that passes did not find.
#[derive(Debug, Default)]
pub(super) struct Absent {
    since: BTreeMap<ContactKey, Timestamp>,
    /// `None` while no key is missing.
    wave: Option<Managed>,
}

/// What was taken out of a plan.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HeldBack {
    /// The keys to be forgotten later.
    pub(super) waiting: Vec<Waiting>,
    /// How many of them the last pass had found.
    pub(super) news: usize,
}

impl HeldBack {
    /// Returns when the first of them may be forgotten.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.waiting.iter().filter_map(|waiting| waiting.forget_at).min()
    }
}

impl Absent {
    /// Takes out of the plan the keys that were not gone for long enough, and creates of the same people.
    ///
    /// Apollo would match such a create to the contact that still belongs to the waiting key. From a directory
    /// without a single file nobody is forgotten at all. While a file is being written (`is_partial`) nobody is either,
    /// and keys that were there before it count as there: it may hold them.
    pub(super) fn hold_back(
        &mut self,
        plan: &mut Plan,
        snapshot: &Snapshot,
        forget_after: Duration,
        no_files: bool,
        is_partial: bool,
        now: Timestamp,
    ) -> HeldBack {
        let before = std::mem::take(&mut self.since);
        let mut unsure = BTreeSet::new();
        for action in plan.actions.iter().filter(|action| is_forget(&action.operation)) {
            match before.get(action.key()) {
                None if is_partial => {
                    unsure.insert(action.key().clone());
                }
                since => {
                    self.since.insert(action.key().clone(), since.copied().unwrap_or(now));
                }
            }
        }
        let earliest = if is_partial { now + WRITING_PAUSE } else { Timestamp(0) };
        let forget_at = |since: Timestamp| (!no_files).then_some((since + forget_after).max(earliest));
        let waits = |since: Timestamp| forget_at(since).is_none_or(|at| at > now);
        let waiting: Vec<_> = (self.since.iter().filter(|(_, since)| waits(**since)))
            .map(|(key, &since)| Waiting { key: key.clone(), gone_since: since, forget_at: forget_at(since) })
            .collect();
        let keys: BTreeSet<&ContactKey> = waiting.iter().map(|waiting| &waiting.key).chain(&unsure).collect();
        plan.actions.retain(|action| !(is_forget(&action.operation) && keys.contains(action.key())));
        let people = People::of(keys.iter().copied(), snapshot);
        plan.actions.retain(|action| match &action.operation {
            Operation::Create { entry } => !people.has(&Identity::of(entry)),
            _ => true,
        });
        let news = waiting.iter().filter(|waiting| !before.contains_key(&waiting.key)).count();
        HeldBack { waiting, news }
    }

    /// Returns what limits on forgetting are measured against.
    ///
    /// Keys that go one after the other, each before the one ahead is forgotten, are measured as if they went together:
    /// a directory that is being emptied slowly is being emptied.
    pub(super) fn wave(&mut self, managed: usize) -> Managed {
        let now = Managed { managed, gone: 0 };
        if self.since.is_empty() {
            self.wave = None;
            return now;
        }
        let wave = self.wave.get_or_insert(now);
        wave.managed = wave.managed.max(managed + wave.gone);
        *wave
    }

    /// Counts what was forgotten, but for what a person approved.
    pub(super) fn note_forgotten(&mut self, count: usize) {
        if let Some(wave) = &mut self.wave {
            wave.gone += count;
        }
    }
}

pub(super) fn is_forget(operation: &Operation) -> bool {
    matches!(operation, Operation::Forget { .. })
}

/// Who the waiting keys' contacts are, as Apollo would match them.
struct People {
    mailboxes: BTreeSet<String>,
    at_companies: BTreeSet<PersonAtCompany>,
}

impl People {
    fn of<'a>(keys: impl Iterator<Item = &'a ContactKey>, snapshot: &Snapshot) -> Self {
        let identities = keys.filter_map(|key| Some(Identity::of(&snapshot.bindings.get(key)?.applied)));
        let identities: Vec<Identity> = identities.collect();
        Self {
            mailboxes: identities.iter().filter_map(Identity::mailbox).collect(),
            at_companies: identities.iter().filter_map(Identity::person_at_company).collect(),
        }
    }

    fn has(&self, identity: &Identity) -> bool {
        identity.mailbox().is_some_and(|mailbox| self.mailboxes.contains(&mailbox))
            || identity.person_at_company().is_some_and(|person| self.at_companies.contains(&person))
    }
}
