//! The keys that actions are working on right now, for processes that read the state meanwhile.
//!
//! An intent of a key that is here belongs to a request under way; one of a key that is not is in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ContactKey;

/// Which keys are under way. Clones are handles to the same.
#[derive(Debug, Default, Clone)]
pub(super) struct UnderWay(Arc<Mutex<Keys>>);

#[derive(Debug, Default)]
struct Keys {
    /// How many actions are at work on each key.
    now: BTreeMap<ContactKey, usize>,
    /// For each look that is being taken, the keys that were under way at any time since it began.
    looks: BTreeMap<u64, BTreeSet<ContactKey>>,
    last_look: u64,
}

/// Keeps keys under way until it is dropped.
#[derive(Debug)]
pub(super) struct Mark {
    keys: Vec<ContactKey>,
    under_way: UnderWay,
}

/// A look that is being taken. It ends when this is dropped, seen to its end or not.
struct Look<'a> {
    number: u64,
    under_way: &'a UnderWay,
}

impl Look<'_> {
    fn keys(&self) -> BTreeSet<ContactKey> {
        self.under_way.locked().looks.get(&self.number).cloned().unwrap_or_default()
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.under_way.locked().looks.remove(&self.number);
    }
}

impl Keys {
    fn begin_look(&mut self) -> u64 {
        self.last_look += 1;
        self.looks.insert(self.last_look, self.now.keys().cloned().collect());
        self.last_look
    }
}

impl UnderWay {
    /// Marks keys; to be called before anything about them is written.
    pub(super) fn mark<'a>(&self, keys: impl Iterator<Item = &'a ContactKey>) -> Mark {
        let keys: Vec<ContactKey> = keys.cloned().collect();
        let mut state = self.locked();
        for key in &keys {
            *state.now.entry(key.clone()).or_default() += 1;
            state.looks.values_mut().for_each(|seen| seen.extend([key.clone()]));
        }
        drop(state);
        Mark { keys, under_way: self.clone() }
    }

    /// Takes a look at the state, and returns every key that was under way at any time of it.
    ///
    /// So none is missing that was under way at the moment which the look shows.
    pub(super) async fn during<T>(&self, look: impl Future<Output = T>) -> (T, BTreeSet<ContactKey>) {
        let taken = Look { number: self.locked().begin_look(), under_way: self };
        let seen = look.await;
        (seen, taken.keys())
    }

    fn locked(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut state = self.under_way.locked();
        for key in &self.keys {
            if let Some(count) = state.now.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    state.now.remove(key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ContactKey {
        ContactKey::parse(text).unwrap()
    }

    #[tokio::test]
    async fn a_look_sees_what_was_under_way_at_any_time_of_it() {
        let under_way = UnderWay::default();
        let before = under_way.mark([&key("before")].into_iter());
        drop(under_way.mark([&key("over")].into_iter()));
        let look = async {
            drop(before);
            drop(under_way.mark([&key("meanwhile")].into_iter()));
        };
        let ((), seen) = under_way.during(look).await;
        assert_eq!(seen, [key("before"), key("meanwhile")].into());
        assert_eq!(under_way.during(async {}).await.1, BTreeSet::new());
    }

    #[tokio::test]
    async fn a_key_is_under_way_until_the_last_of_its_actions_ends() {
        let under_way = UnderWay::default();
        let ada = key("ada");
        let (one, other) = (under_way.mark([&ada].into_iter()), under_way.mark([&ada].into_iter()));
        drop(one);
        assert_eq!(under_way.during(async {}).await.1, [ada].into());
        drop(other);
        assert!(under_way.during(async {}).await.1.is_empty());
    }
}
