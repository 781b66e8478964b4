//! Renewing the index: what the files declare and how much of it stands applied, for the next load.
//!
//! A failure costs time alone, so it is told to the log.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::sync::Arc;

use tracing::debug;

use crate::index::{HeadNote, StateNote, WriteError, Writer};
use crate::model::{Binding, ContactKey, Fingerprint, Names};
use crate::source::LOADER;
use crate::state::{Location, Snapshot};
use crate::store;

use super::{Desired, Reading, Session, chain};

/// Most keys without an entry that an index lists; with more of them none is written.
const MOST_ORPHANS: usize = 10_000;

/// Which part of a directory a plan has looked into before it writes an index for the next one to be spared that.
///
/// The whole index is written, which takes about as long as reading so many of the files.
const WORTH_WRITING: usize = 200;

/// Renews the index of `state` by what a plan has read; does nothing where that is no better than what is there.
///
/// Never waits, and never while another process writes.
pub fn renew_index(state: &Location, desired: &Desired, reading: &Reading) {
    let Some(basis) = &reading.basis else { return };
    // A state that an index vouched for stands as it did; the index is as good as ever unless files changed.
    let loaded = &desired.known().loaded;
    let is_worth_it = !loaded.is_known && loaded.effort * WORTH_WRITING >= loaded.count;
    if desired.part().is_some() && !is_worth_it && desired.names_are_indexed() {
        return;
    }
    let Reading { snapshot, .. } = reading;
    if has_newer_names(snapshot, desired) {
        return;
    }
    let is_quiet = snapshot.intents.is_empty() && snapshot.conflicts.is_empty();
    let standing = Standing::of(desired, snapshot);
    let Some(note) = standing.note(&basis.head, &snapshot.origin, is_quiet, desired) else { return };
    match store::renew(state, basis, |out| standing.write(out, desired, note)) {
        Ok(true) => {}
        Ok(false) => debug!("the index was not renewed: somebody has the state open, or it has moved on"),
        Err(error) => debug!("the index was not renewed: {}", chain(&error)),
    }
}

impl Session {
    /// Renews the index after a pass that had nothing to do, unless it is as good as one can be.
    pub async fn renew_index_if_behind(&self, desired: &Desired, snapshot: &Snapshot) {
        if desired.part().is_none() || !desired.known().loaded.is_known || !desired.names_are_indexed() {
            self.renew_index(desired, snapshot).await;
        }
    }

    /// Renews the index by what was written since `snapshot` was taken for `desired`.
    pub(super) async fn renew_index(&self, desired: &Desired, snapshot: &Snapshot) {
        match self.try_renew_index(desired, snapshot).await {
            Ok(true) => {}
            Ok(false) => debug!("the index was not renewed"),
            Err(why) => debug!("the index was not renewed: {why}"),
        }
    }

    async fn try_renew_index(&self, desired: &Desired, snapshot: &Snapshot) -> Result<bool, String> {
        fn told(error: impl std::error::Error) -> String {
            chain(&error)
        }
        // An index names all files of a directory.
        if self.store_has_failed()
            || !desired.was_loaded()
            || desired.is_partial()
            || has_newer_names(snapshot, desired)
        {
            return Ok(false);
        }
        let everyone = desired.everyone().map_err(told)?;
        let Some((head, is_quiet)) = self.store().head().await.map_err(told)? else { return Ok(false) };
        let mut standing = Standing::of(desired, snapshot);
        let roster = Arc::clone(&everyone.roster);
        let judge = move |key: &ContactKey, binding: Option<&Binding>| Stands::of(roster.fingerprint(key), binding);
        if let Some(written) = self.store().written(judge).await.map_err(told)? {
            for (key, how) in written {
                standing.update(key, how);
            }
        } else {
            let now = self.store().snapshot(&everyone.wanted()).await.map_err(told)?;
            standing = Standing::of(desired, &now);
        }
        let Some(note) = standing.note(&head, &snapshot.origin, is_quiet, desired) else { return Ok(false) };
        let desired = desired.clone();
        self.store().renew_index(head, move |out| standing.write(out, &desired, note)).await.map_err(told)
    }
}

/// Reports whether the state knows names from a later time than the files were read with: an index would hide them.
fn has_newer_names(snapshot: &Snapshot, desired: &Desired) -> bool {
    let names = desired.names().filter(|_| desired.names_used().any());
    names.is_some_and(|names| Names::clone(names).updated_by(snapshot.names.clone()) != **names)
}

/// How one key stands.
#[derive(Clone, Copy)]
enum Stands {
    /// As it is declared, or it is neither declared nor bound.
    AsItShould,
    Differing,
    /// Bound and not declared.
    Orphaned,
}

impl Stands {
    fn of(declared: Option<Fingerprint>, binding: Option<&Binding>) -> Self {
        match (declared, binding) {
            (Some(_), Some(binding)) if binding.stands_as(declared) => Self::AsItShould,
            (Some(_), _) => Self::Differing,
            (None, Some(_)) => Self::Orphaned,
            (None, None) => Self::AsItShould,
        }
    }
}

/// What keeps a directory from standing applied.
struct Standing {
    /// Declared keys whose bindings do not stand as declared.
    differing: BTreeSet<ContactKey>,
    /// Bound keys that are not declared.
    orphans: BTreeSet<ContactKey>,
}

impl Standing {
    fn of(desired: &Desired, snapshot: &Snapshot) -> Self {
        let roster = &desired.known().roster;
        let bound = snapshot.bindings.keys().cloned();
        let (mut differing, orphans): (BTreeSet<_>, _) = bound.partition(|key| roster.find(key.as_str()).is_some());
        differing.extend(snapshot.unbound.iter().cloned());
        Self { differing, orphans }
    }

    /// Takes in how one key stands now.
    fn update(&mut self, key: ContactKey, how: Stands) {
        self.differing.remove(&key);
        self.orphans.remove(&key);
        match how {
            Stands::AsItShould => {}
            Stands::Differing => drop(self.differing.insert(key)),
            Stands::Orphaned => drop(self.orphans.insert(key)),
        }
    }

    /// Lists the numbers of the files that do not stand applied in whole.
    fn open_files(&self, desired: &Desired) -> HashSet<usize> {
        let roster = &desired.known().roster;
        self.differing.iter().filter_map(|key| roster.find(key.as_str())).map(|found| found.sheet).collect()
    }

    /// Notes how the state stands; `None` when too much would have to be noted.
    fn note(&self, head: &HeadNote, origin: &str, is_quiet: bool, desired: &Desired) -> Option<StateNote> {
        let open = self.open_files(desired);
        let loaded = &desired.known().loaded;
        let files = (0..loaded.files.len()).filter(|number| !open.contains(number));
        let applied = files.map(|number| loaded.entries_in(number, desired.index.as_deref())).sum();
        let orphans: Vec<ContactKey> = self.orphans.iter().cloned().collect();
        let note = StateNote { head: head.clone(), origin: origin.to_owned(), applied, orphans, is_quiet };
        (note.orphans.len() <= MOST_ORPHANS).then_some(note)
    }

    fn write(&self, out: &mut dyn Write, desired: &Desired, note: StateNote) -> Result<(), WriteError> {
        let open = self.open_files(desired);
        // One that no file is taken over from may be a damaged one.
        let files = &desired.known().loaded.files;
        let old = desired.index.as_deref().filter(|_| files.iter().any(|file| !file.was_read));
        let mut writer = Writer::new(out, old);
        desired.known().loaded.write(&mut writer, desired.index.as_deref(), |number| !open.contains(&number))?;
        let names = desired.names().filter(|_| desired.names_used().any()).cloned();
        writer.finish(LOADER, desired.digest, Some(note), names, old)?;
        Ok(())
    }
}
