//! What this process has written since the index was up to date, and whether it has said so on disk.

use std::collections::BTreeSet;
use std::io;

use super::change::Writes;
use super::index_file;
use super::keys::Row;
use super::snapshot::Part;
use crate::index::HeadNote;
use crate::model::ContactKey;
use crate::private_dir::PrivateDir;

/// Most keys that are remembered; after more, all bindings are looked at again.
const MOST_KEYS: usize = 100_000;

/// The writes since an index.
#[derive(Debug)]
pub(super) struct SinceIndex {
    /// The head that an index of no writes names; `None` when no index can be up to date.
    head: Option<HeadNote>,
    /// The keys whose bindings were written; `None` when there were too many.
    keys: Option<BTreeSet<ContactKey>>,
    is_marked: bool,
    /// What the mark of this process says.
    word: String,
    /// Why what is on disk is unknown, so that no index is true of it until the state is opened again.
    failed: Option<String>,
}

impl SinceIndex {
    pub(super) fn new(head: Option<HeadNote>, word: String) -> Self {
        Self { head, keys: Some(BTreeSet::new()), is_marked: false, word, failed: None }
    }

    /// Marks the index as behind before the first write.
    pub(super) fn mark(&mut self, state: &PrivateDir) -> io::Result<()> {
        if !self.is_marked {
            index_file::mark_behind(state, &self.word)?;
            self.is_marked = true;
        }
        Ok(())
    }

    /// Notes rows that are going to be written.
    pub(super) fn note(&mut self, writes: &Writes) {
        let Some(keys) = &mut self.keys else { return };
        keys.extend(writes.keys().filter_map(|row| match Row::parse(row) {
            Some(Row::Binding(key)) => Some(key),
            _ => None,
        }));
        if keys.len() > MOST_KEYS {
            self.keys = None;
        }
    }

    /// Notes that a write failed, which may stand in sled's memory in whole or in part, and on disk or not.
    pub(super) fn fail(&mut self, why: &str) {
        self.failed.get_or_insert_with(|| why.to_owned());
    }

    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    pub(super) fn begins_at(&self, head: &HeadNote) -> bool {
        self.failed.is_none() && self.head.as_ref() == Some(head)
    }

    /// Reports whether a part looks at all that may have changed since its index was written.
    pub(super) fn is_covered_by(&self, part: &Part) -> bool {
        let keys = self.keys.as_ref();
        self.begins_at(&part.note.head)
            && keys.is_some_and(|keys| keys.iter().all(|key| part.keys.binary_search(key).is_ok()))
    }

    pub(super) fn written(&self) -> Option<BTreeSet<ContactKey>> {
        self.keys.clone()
    }

    /// Begins again with an index that names `head`.
    pub(super) fn restart(&mut self, head: HeadNote) {
        (self.head, self.keys, self.is_marked) = (Some(head), Some(BTreeSet::new()), false);
    }
}
