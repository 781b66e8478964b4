//! What this process has written since the index was up to date, and whether it has said so on disk.

use std::collections::BTreeSet;
use std::io;

use super::index_file;
use crate::index::HeadNote;
use crate::model::ContactKey;
use crate::private_dir::PrivateDir;
use crate::state::{Part, Row, Writes};

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
}

impl SinceIndex {
    pub(super) fn new(head: Option<HeadNote>, word: String) -> Self {
        Self { head, keys: Some(BTreeSet::new()), is_marked: false, word }
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
        keys.extend(writes.keys().filter_map(|row| match row {
            Row::Binding(key) => Some(key.clone()),
            _ => None,
        }));
        if keys.len() > MOST_KEYS {
            self.keys = None;
        }
    }

    pub(super) fn begins_at(&self, head: &HeadNote) -> bool {
        self.head.as_ref() == Some(head)
    }

    /// Reports whether a part looks at all that may have changed since its index was written.
    pub(super) fn is_covered_by(&self, part: &Part, head: &HeadNote) -> bool {
        let keys = self.keys.as_ref();
        self.begins_at(head) && keys.is_some_and(|keys| keys.iter().all(|key| part.keys.binary_search(key).is_ok()))
    }

    pub(super) fn written(&self) -> Option<BTreeSet<ContactKey>> {
        self.keys.clone()
    }

    /// Begins again with an index that names `head`.
    pub(super) fn restart(&mut self, head: HeadNote) {
        (self.head, self.keys, self.is_marked) = (Some(head), Some(BTreeSet::new()), false);
    }
}
