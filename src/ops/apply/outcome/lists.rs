//! What the answer to a call for lists proves, and which lists of a contact are ours.

use std::collections::BTreeSet;

use crate::apollo::{Contact, ListChange};
use crate::model::{Binding, Endpoint, Field, Fields, Intent, Value, fold_text};

/// A call that puts contacts on lists, or takes them off.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListCall {
    pub(crate) names: BTreeSet<String>,
    pub(crate) adds: bool,
}

impl ListCall {
    pub(crate) fn of(endpoint: Endpoint, sent: &Fields) -> Self {
        Self { names: sent.lists().map(str::to_owned).collect(), adds: endpoint == Endpoint::AddToLists }
    }

    /// Reports whether a success leaves open what was done.
    pub(crate) fn is_doubtful(&self, answer: &ListChange) -> bool {
        let misses = |shown: &Vec<String>| !self.names.iter().all(|name| holds(shown, name));
        answer.complaint.is_some() || answer.is_job || (self.adds && answer.names.as_ref().is_some_and(misses))
    }

    /// Reports whether a contact shows that it was done.
    pub(crate) fn stands(&self, contact: &Contact) -> bool {
        let shown = contact.label_names.as_ref();
        shown.is_some_and(|shown| self.names.iter().all(|name| holds(shown, name) == self.adds))
    }

    /// Notes which of the lists had the contact before: these are not ours to take it off.
    pub(crate) fn note_found(&self, binding: &mut Binding, answer: &ListChange, lists_before: &BTreeSet<String>) {
        let was_on = |name: &&String| answer.ids.get(*name).is_some_and(|id| lists_before.contains(id));
        if self.adds {
            binding.found_lists.extend(self.names.iter().filter(was_on).cloned());
        }
    }

    /// Notes that it was done.
    pub(crate) fn note_done(&self, binding: &mut Binding) {
        binding.possible_lists.retain(|list| !self.names.contains(list));
        let mut lists: BTreeSet<String> = binding.applied.lists().map(str::to_owned).collect();
        if self.adds {
            lists.extend(self.names.difference(&binding.found_lists).cloned());
        } else {
            lists.retain(|list| !self.names.contains(list));
        }
        binding.applied.set(Field::LabelNames, Value::Lists(lists));
    }

    /// Notes what it may have done although it was refused, but for what the contact shows as it was.
    pub(crate) fn note_refused(&self, binding: &mut Binding, seen: Option<&Contact>) {
        let shown = seen.and_then(|contact| contact.label_names.as_ref());
        let may_be_on = |name: &&String| shown.is_none_or(|shown| holds(shown, name));
        let mut possible: BTreeSet<String> = self.names.iter().filter(may_be_on).cloned().collect();
        if self.adds {
            possible.retain(|name| !binding.applied.lists().any(|list| list == name));
        } else {
            self.note_done(binding);
        }
        binding.possible_lists.extend(possible);
    }
}

fn holds(shown: &[String], name: &str) -> bool {
    shown.iter().any(|list| fold_text(list) == fold_text(name))
}

/// Notes the lists that a create has or may have put the contact on and that are not known to be applied, so that
/// those no longer declared, now or later, are taken off again.
pub(crate) fn note_sent(binding: &mut Binding, intent: &Intent) {
    let applied: BTreeSet<&str> = binding.applied.lists().collect();
    let possible = intent.fields.lists().filter(|list| !applied.contains(list));
    binding.possible_lists = possible.map(str::to_owned).collect();
}
