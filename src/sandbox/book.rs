//! The sandbox's contacts and lists in memory, and every rule of how calls change them.
//!
//! Each call that writes makes one [`Change`]; applying the changes of a log in order gives the same book
//! again. Never does I/O and never reads a clock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::catalog::Catalog;
use super::contact::{Contact, Label};
use super::matching::{Index, MatchKey};
use super::options::DedupeReading;
use super::search_view::{Keywords, SearchView};
use super::sent::{Sent, Text, is_id};
use crate::model::Timestamp;

/// What one call changed: contacts and lists as they are afterwards.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Change {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contacts: Vec<Contact>,
    /// Contacts that are gone; their ids are never given again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) deleted: Vec<String>,
    /// Contacts that went into another one: the id that was absorbed, and the survivor's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) merged: Vec<(String, String)>,
    /// The stages and custom fields that take the place of those there were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) catalog: Option<Catalog>,
}

impl Change {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Everything the sandbox holds.
pub(super) struct Book {
    contacts: BTreeMap<String, Contact>,
    /// What was deleted, as it was last.
    deleted: BTreeMap<String, Contact>,
    /// The survivor of each contact that was absorbed.
    merged: BTreeMap<String, String>,
    labels: BTreeMap<String, Label>,
    label_ids: HashMap<String, String>,
    catalog: Catalog,
    /// Contacts on each list, by the list's id.
    label_counts: HashMap<String, u64>,
    index: Index,
    search: SearchView,
    seed: u64,
    /// The counter in the last id given.
    last_id: u64,
    /// Changes that are applied here and not yet handed to the log.
    outbox: Vec<Change>,
}

/// The outcome of a create.
pub(super) struct Created {
    pub(super) id: String,
    /// By what an existing contact was recognized.
    pub(super) matched: Option<MatchKey>,
}

/// Whether naming a contact by its id found it.
pub(super) enum Gone {
    Malformed,
    Unknown,
    Deleted,
}

/// What becomes of a contact's lists when lists are written to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Membership {
    Add,
    Remove,
    Replace,
}

impl Book {
    pub(super) fn new(seed: u64, search_lag: Duration) -> Self {
        Self {
            contacts: BTreeMap::new(),
            deleted: BTreeMap::new(),
            merged: BTreeMap::new(),
            labels: BTreeMap::new(),
            label_ids: HashMap::new(),
            label_counts: HashMap::new(),
            catalog: Catalog::default(),
            index: Index::default(),
            search: SearchView::new(search_lag),
            seed,
            last_id: 0,
            outbox: Vec::new(),
        }
    }

    /// Applies a change that the log had.
    pub(super) fn replay(&mut self, change: &Change) {
        let ids = change.labels.iter().map(|label| &label.id).chain(change.contacts.iter().map(|contact| &contact.id));
        let absorbed = change.merged.iter().map(|(absorbed, _)| absorbed);
        let ids = ids.chain(&change.deleted).chain(absorbed);
        self.last_id = ids.filter_map(|id| counter(id)).fold(self.last_id, u64::max);
        // A deletion is long past: only contacts carry the time that the lag counts from.
        self.apply(change, Timestamp::default());
    }

    /// Returns the changes that give this book again, one for each thing in it.
    pub(super) fn snapshot(&self) -> impl Iterator<Item = Change> {
        let labels = self.labels.values().map(|label| Change { labels: vec![label.clone()], ..Change::default() });
        let contacts =
            self.contacts.values().map(|contact| Change { contacts: vec![contact.clone()], ..Change::default() });
        let deleted = self.deleted.iter().map(|(id, contact)| Change {
            contacts: vec![contact.clone()],
            deleted: vec![id.clone()],
            ..Change::default()
        });
        let merged = self.merged.iter().map(|(absorbed, survivor)| Change {
            merged: vec![(absorbed.clone(), survivor.clone())],
            ..Change::default()
        });
        let catalog = (self.catalog != Catalog::default()).then(|| self.catalog.clone());
        let catalog = catalog.map(|catalog| Change { catalog: Some(catalog), ..Change::default() });
        catalog.into_iter().chain(labels).chain(contacts).chain(deleted).chain(merged)
    }

    /// Takes the changes made since the last call, for the log.
    pub(super) fn take_outbox(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.outbox)
    }

    /// Returns the stages and custom fields of the team.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Gives the team other stages or custom fields, as people do in the web application.
    pub(super) fn set_catalog(&mut self, catalog: Catalog, now: Timestamp) {
        self.commit(Change { catalog: Some(catalog), ..Change::default() }, now);
    }

    pub(super) fn contacts(&self) -> impl Iterator<Item = &Contact> {
        self.contacts.values()
    }

    /// Returns a contact by the id in a path; one that was absorbed is its survivor.
    pub(super) fn contact(&self, id: &str) -> Result<&Contact, Gone> {
        let id = self.survivor(id);
        if let Some(contact) = self.contacts.get(id) {
            return Ok(contact);
        }
        Err(match id {
            id if !is_id(id) => Gone::Malformed,
            id if self.deleted.contains_key(id) => Gone::Deleted,
            _ => Gone::Unknown,
        })
    }

    /// Returns a contact by an id that a call of this book gave.
    pub(super) fn known(&self, id: &str) -> &Contact {
        &self.contacts[id]
    }

    /// Returns a contact that was deleted, as it was last.
    pub(super) fn deleted(&self, id: &str) -> Option<&Contact> {
        self.deleted.get(self.survivor(id))
    }

    /// Follows merges from an id to the contact that is left.
    fn survivor<'a>(&'a self, id: &'a str) -> &'a str {
        let mut id = id;
        while let Some(survivor) = self.merged.get(id) {
            id = survivor;
        }
        id
    }

    /// Returns every list with the number of contacts on it.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&Label, u64)> {
        self.labels.values().map(|label| (label, self.label_counts.get(&label.id).copied().unwrap_or(0)))
    }

    /// Returns one list with the number of contacts on it; ids in contacts always have one.
    pub(super) fn label(&self, id: &str) -> Option<(&Label, u64)> {
        self.labels.get(id).map(|label| (label, self.label_counts.get(id).copied().unwrap_or(0)))
    }

    pub(super) fn search(
        &mut self,
        keywords: &Keywords,
        now: Timestamp,
        filter: impl Fn(&Contact) -> bool,
    ) -> Vec<&Contact> {
        self.search.find(keywords, now, filter)
    }

    /// Creates a contact, or with `run_dedupe` answers the one that is there already.
    pub(super) fn create(&mut self, sent: &Sent, reading: DedupeReading, now: Timestamp) -> Created {
        let matched = self.match_of(sent, now);
        self.create_or_match(sent, matched, reading, now)
    }

    /// Returns whom a create matches, and by what; nobody without `run_dedupe`.
    pub(super) fn match_of(&self, sent: &Sent, now: Timestamp) -> Option<(String, MatchKey)> {
        let mut draft = Contact::new(String::new(), now);
        draft.write(sent);
        self.index.find(&draft).filter(|_| sent.run_dedupe)
    }

    /// Creates a contact, or answers the one that was matched.
    pub(super) fn create_or_match(
        &mut self,
        sent: &Sent,
        matched: Option<(String, MatchKey)>,
        reading: DedupeReading,
        now: Timestamp,
    ) -> Created {
        if let Some((id, key)) = matched {
            if reading == DedupeReading::Overwrite {
                self.overwrite(&id, sent, &key, now);
            }
            return Created { id, matched: Some(key) };
        }
        let mut made = Contact::new(self.next_id(now), now);
        made.write(sent);
        let id = made.id.clone();
        self.write_labels(made, sent.label_names.as_deref().unwrap_or_default(), Membership::Add, now);
        Created { id, matched: None }
    }

    /// Returns what a create would have made, under an id that stays nobody's.
    pub(super) fn ghost(&mut self, sent: &Sent, now: Timestamp) -> Contact {
        let mut ghost = Contact::new(self.next_id(now), now);
        ghost.write(sent);
        ghost
    }

    /// Updates a contact: lists are replaced, everything else is overwritten where it was sent. Returns its id.
    pub(super) fn update(&mut self, id: &str, sent: &Sent, now: Timestamp) -> Result<String, Gone> {
        let mut contact = self.contact(id)?.clone();
        let id = contact.id.clone();
        contact.write(sent);
        match &sent.label_names {
            Some(names) => self.write_labels(contact, names, Membership::Replace, now),
            None => self.write_labels(contact, &[], Membership::Add, now),
        }
        Ok(id)
    }

    /// Adds contacts to lists or takes them off; ids that name no contact are ignored.
    ///
    /// Adding makes lists that are missing; taking off ignores them.
    pub(super) fn change_lists(&mut self, ids: &[String], names: &[String], how: Membership, now: Timestamp) {
        let contacts: BTreeMap<_, _> = ids
            .iter()
            .filter_map(|id| self.contacts.get(self.survivor(id)))
            .map(|contact| (contact.id.clone(), contact.clone()))
            .collect();
        let mut change = Change::default();
        let label_ids = self.label_ids(names, how, &mut change, now);
        for contact in contacts.into_values() {
            change.contacts.extend(self.moved(contact, &label_ids, how, now));
        }
        self.commit(change, now);
    }

    /// Returns those of `names` that are lists, with the number of contacts on each.
    pub(super) fn labels_named(&self, names: &[String]) -> impl Iterator<Item = (&Label, u64)> {
        names.iter().filter_map(|name| self.label(self.label_ids.get(name)?))
    }

    /// Adds a contact that was there before the first request, shown by search at once.
    pub(super) fn seed(&mut self, sent: &Sent, extra: Seeded, now: Timestamp) -> String {
        let id = self.next_id(now);
        self.seed_as(id, sent, extra, now)
    }

    /// The same under an id that was given elsewhere and that nobody has here.
    pub(super) fn seed_as(&mut self, id: String, sent: &Sent, extra: Seeded, now: Timestamp) -> String {
        let mut contact = Contact::new(id, extra.created_at.unwrap_or(now));
        contact.additional_emails = extra.additional_emails;
        contact.write(sent);
        let (id, made_at) = (contact.id.clone(), contact.created_at);
        self.write_labels(contact, sent.label_names.as_deref().unwrap_or_default(), Membership::Add, made_at);
        self.search.show_at_once(&self.contacts[&id]);
        id
    }

    /// Deletes a contact as a person in the web application would.
    pub(super) fn delete(&mut self, id: &str, now: Timestamp) -> Result<(), Gone> {
        let id = self.contact(id)?.id.clone();
        self.commit(Change { deleted: vec![id], ..Change::default() }, now);
        Ok(())
    }

    /// Takes a contact out of what a log is written again from, as if there had been none; reports whether there was.
    pub(super) fn erase(&mut self, id: &str) -> bool {
        let was_there = self.remove(id).is_some() | self.deleted.remove(id).is_some();
        let merges = self.merged.len();
        self.merged.retain(|absorbed, survivor| absorbed != id && survivor != id);
        was_there || self.merged.len() < merges
    }

    /// Writes to a contact that was deleted; it stays deleted.
    pub(super) fn update_deleted(&mut self, id: &str, sent: &Sent, now: Timestamp) {
        let Some(mut contact) = self.deleted(id).cloned() else { return };
        contact.write(sent);
        contact.updated_at = now;
        let deleted = vec![contact.id.clone()];
        self.commit(Change { contacts: vec![contact], deleted, ..Change::default() }, now);
    }

    /// Merges one contact into another, as a person in the web application would: the survivor keeps its values.
    pub(super) fn merge(&mut self, absorbed: &str, survivor: &str, now: Timestamp) -> Result<(), Gone> {
        let (absorbed, survivor) = (self.contact(absorbed)?.id.clone(), self.contact(survivor)?.id.clone());
        if absorbed != survivor {
            self.commit(Change { merged: vec![(absorbed, survivor)], ..Change::default() }, now);
        }
        Ok(())
    }

    /// Writes what was sent over the contact it matched; lists are added.
    ///
    /// The e-mail is replaced only when the match was not by e-mail (vendor page of the create call).
    fn overwrite(&mut self, id: &str, sent: &Sent, matched: &MatchKey, now: Timestamp) {
        let mut sent = sent.clone();
        if matches!(matched, MatchKey::Mailbox(_)) {
            sent.texts.remove(&Text::Email);
        }
        let mut contact = self.contacts[id].clone();
        contact.write(&sent);
        self.write_labels(contact, sent.label_names.as_deref().unwrap_or_default(), Membership::Add, now);
    }

    /// Commits one contact as given, with its lists changed.
    fn write_labels(&mut self, contact: Contact, names: &[String], how: Membership, now: Timestamp) {
        let mut change = Change::default();
        let label_ids = self.label_ids(names, how, &mut change, now);
        change.contacts.extend(self.moved(contact, &label_ids, how, now));
        self.commit(change, now);
    }

    /// Returns the ids of the lists of these names; lists that are missing are made, unless for removal.
    fn label_ids(&mut self, names: &[String], how: Membership, change: &mut Change, now: Timestamp) -> Vec<String> {
        let mut ids = Vec::with_capacity(names.len());
        for name in names.iter().filter(|name| !name.trim().is_empty()).collect::<BTreeSet<_>>() {
            match self.label_ids.get(name) {
                Some(id) => ids.push(id.clone()),
                None if how == Membership::Remove => {}
                None => {
                    let id = self.next_id(now);
                    ids.push(id.clone());
                    change.labels.push(Label { id, name: name.clone(), created_at: now, updated_at: now });
                }
            }
        }
        ids
    }

    /// Returns `contact` with its lists changed; `None` when it then equals what is stored.
    ///
    /// Writing what is stored already leaves `updated_at` alone, as recorded answers show.
    fn moved(&self, mut contact: Contact, label_ids: &[String], how: Membership, now: Timestamp) -> Option<Contact> {
        if how == Membership::Replace {
            contact.label_ids.clear();
        }
        for id in label_ids {
            match how {
                Membership::Add | Membership::Replace => contact.label_ids.insert(id.clone()),
                Membership::Remove => contact.label_ids.remove(id),
            };
        }
        if self.contacts.get(&contact.id) == Some(&contact) {
            return None;
        }
        contact.updated_at = now;
        Some(contact)
    }

    fn commit(&mut self, change: Change, now: Timestamp) {
        if !change.is_empty() {
            self.apply(&change, now);
            self.outbox.push(change);
        }
    }

    fn apply(&mut self, change: &Change, now: Timestamp) {
        if let Some(catalog) = &change.catalog {
            self.catalog = catalog.clone();
        }
        for label in &change.labels {
            self.label_ids.insert(label.name.clone(), label.id.clone());
            self.labels.insert(label.id.clone(), label.clone());
        }
        for contact in &change.contacts {
            self.remove(&contact.id);
            for id in &contact.label_ids {
                *self.label_counts.entry(id.clone()).or_default() += 1;
            }
            self.index.insert(contact);
            self.search.write(&contact.id, Some(contact), contact.updated_at);
            self.contacts.insert(contact.id.clone(), contact.clone());
        }
        for id in &change.deleted {
            // Logs of earlier versions keep nothing of a deleted contact but its id.
            let contact = self.remove(id).unwrap_or_else(|| Contact::new(id.clone(), now));
            self.search.write(id, None, now.max(contact.updated_at));
            self.deleted.insert(id.clone(), contact);
        }
        for (absorbed, survivor) in &change.merged {
            let hidden_at = self.remove(absorbed).map_or(now, |contact| now.max(contact.updated_at));
            self.search.write(absorbed, None, hidden_at);
            self.merged.insert(absorbed.clone(), survivor.clone());
        }
    }

    fn remove(&mut self, id: &str) -> Option<Contact> {
        let contact = self.contacts.remove(id)?;
        self.index.remove(&contact);
        for id in &contact.label_ids {
            *self.label_counts.get_mut(id).expect("a list that has a contact is counted") -= 1;
        }
        Some(contact)
    }

    /// Makes an id: seconds, seed and a counter that goes on over restarts.
    fn next_id(&mut self, now: Timestamp) -> String {
        loop {
            self.last_id += 1;
            let id = format!("{:08x}{:06x}{:010x}", (now.0 / 1000) & 0xffff_ffff, self.seed & 0xff_ffff, self.last_id);
            if !self.contacts.contains_key(&id) {
                return id;
            }
        }
    }
}

/// Reads the counter back out of an id; one that was given elsewhere has none as a rule.
fn counter(id: &str) -> Option<u64> {
    let counter = id.get(14..).and_then(|digits| u64::from_str_radix(digits, 16).ok());
    counter.filter(|counter| *counter < MOST_IDS)
}

/// More ids than a sandbox ever gives.
const MOST_IDS: u64 = 1 << 32;

/// What only the control surface can give a contact.
pub(super) struct Seeded {
    pub(super) created_at: Option<Timestamp>,
    pub(super) additional_emails: Vec<String>,
}
