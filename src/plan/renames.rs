//! Which new key is an old one under another name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{ContactKey, Identity, PackedEntry};

use super::Reason;

/// The key that each renamed entry had, and how that is known. A key takes part in one pair at most.
#[derive(Debug, Default)]
pub(super) struct Renames {
    from_of: BTreeMap<ContactKey, (ContactKey, Reason)>,
    taken: BTreeSet<ContactKey>,
}

impl Renames {
    /// Pairs new entries with keys that are gone.
    ///
    /// What an entry says by `moved_from` comes first, then the same e-mail, then the same name at
    /// the same company. The latter two count only where exactly one gone key and one new entry
    /// share the mark: a guess between two would give one person's contact to another.
    pub(super) fn find(new: &[(&ContactKey, &PackedEntry)], gone: &BTreeMap<ContactKey, Identity>) -> Self {
        let mut renames = Self::default();
        if gone.is_empty() {
            return renames;
        }
        for (key, entry) in new {
            if let Some(from) = entry.moved_from().filter(|from| gone.contains_key(from)) {
                renames.pair(key, &from, Reason::MovedFrom);
            }
        }
        let gone: Vec<_> = gone.iter().collect();
        renames.pair_by(Reason::SameEmail, new, &gone, |identity| identity.email.clone());
        renames.pair_by(Reason::SamePerson, new, &gone, |identity| {
            identity.person_at_company().map(|p| [p.first_name, p.last_name, p.company].join("\0"))
        });
        renames
    }

    /// Returns the key that `key` had.
    pub(super) fn of(&self, key: &ContactKey) -> Option<&(ContactKey, Reason)> {
        self.from_of.get(key)
    }

    /// Reports whether `key` lives on under another name.
    pub(super) fn took(&self, key: &ContactKey) -> bool {
        self.taken.contains(key)
    }

    fn pair(&mut self, key: &ContactKey, from: &ContactKey, reason: Reason) {
        if !self.from_of.contains_key(key) && self.taken.insert(from.clone()) {
            self.from_of.insert(key.clone(), (from.clone(), reason));
        }
    }

    fn pair_by(
        &mut self,
        reason: Reason,
        new: &[(&ContactKey, &PackedEntry)],
        gone: &[(&ContactKey, &Identity)],
        mark: impl Fn(&Identity) -> Option<String>,
    ) {
        let mut sharing: BTreeMap<String, (Vec<&ContactKey>, Vec<&ContactKey>)> = BTreeMap::new();
        for (key, identity) in gone.iter().filter(|(key, _)| !self.taken.contains(key)) {
            if let Some(mark) = mark(identity) {
                sharing.entry(mark).or_default().1.push(key);
            }
        }
        for (key, entry) in new.iter().filter(|(key, _)| !self.from_of.contains_key(key)) {
            // Of many new entries, few have the mark of one that is gone.
            if let Some((new, _)) = mark(&Identity::of(*entry)).and_then(|mark| sharing.get_mut(&mark)) {
                new.push(key);
            }
        }
        for (new, gone) in sharing.values() {
            if let ([key], [from]) = (&new[..], &gone[..]) {
                self.pair(key, from, reason);
            }
        }
    }
}
