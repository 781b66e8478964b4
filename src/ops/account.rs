//! An index of all contacts in the account, so that looking for many contacts does not need a request for each.
//!
//! Keeps ids and keyed hashes, and the seen fields of declared contacts that were asked for. A match of a hash is only a
//! hint: the contact is viewed before anything is concluded. Only "no match" counts by itself, and only if the whole
//! account was read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::apollo::Contact;
use crate::model::{ApolloId, Field, Fields, IdentityKey, Timestamp, fold_email, mailbox};

use super::seen::{AskedFor, Seen};
use super::sweep::Sweep;

/// Everybody in the account, as of the last reading.
#[derive(Debug, Clone)]
pub(super) struct Account {
    key: IdentityKey,
    /// Each in the place of its number.
    contacts: Vec<Known>,
    numbers: BTreeMap<ApolloId, u32>,
    /// Whom each mark leads to.
    by_mark: BTreeSet<(Mark, u32)>,
    /// What changed later is not known, by the server's clock.
    pub(super) read_to: Timestamp,
    /// Contacts that are not saved as they are known now.
    unsaved: BTreeSet<u32>,
    /// The parts that were saved.
    saved_parts: u32,
    /// The contacts in these parts, each counted as often as it stands there.
    saved_contacts: usize,
}

/// A keyed hash of something that tells people apart.
type Mark = u64;

/// What is known of one contact, as it was seen last.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    id: ApolloId,
    /// What it is found by.
    marks: Box<[Mark]>,
    /// Its declared fields, where somebody has asked for them.
    seen: Option<Box<Seen>>,
}

/// What is saved of one contact.
type Line = (ApolloId, Box<[Mark]>, Option<Box<Seen>>);

/// A contact that was made.
#[derive(Debug)]
pub(super) struct Made {
    id: ApolloId,
    marks: Box<[Mark]>,
}

impl Made {
    pub(super) fn with(key: &IdentityKey, id: &ApolloId, fields: &Fields) -> Self {
        let emails: Vec<String> = fields.text(&Field::Email).into_iter().map(str::to_owned).collect();
        Self { id: id.clone(), marks: marks(key, fields, &emails) }
    }
}

/// What a contact is looked for by.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    /// The address without its tag.
    Mailbox(&'a str),
    NameAtCompany(&'a str, &'a str, &'a str),
    NameAtDomain(&'a str, &'a str, &'a str),
}

/// The first part of what is saved.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    read_to: Timestamp,
    /// The parts that count, this one among them.
    parts: u32,
}

/// Most contacts of one part, which takes about 100 bytes for each, and for a declared one up to a kilobyte.
const CONTACTS_OF_A_PART: usize = 200;

/// What is to be saved: the number of a part, and its text; one without a text is removed.
pub(super) type Part = (u32, Option<String>);

impl Account {
    pub(super) fn new(key: IdentityKey) -> Self {
        Self {
            key,
            contacts: Vec::new(),
            numbers: BTreeMap::new(),
            by_mark: BTreeSet::new(),
            read_to: Timestamp(0),
            unsaved: BTreeSet::new(),
            saved_parts: 0,
            saved_contacts: 0,
        }
    }

    /// Notes how far a reading came that ended well.
    pub(super) fn read_by(self, sweep: Sweep) -> Self {
        Self { read_to: sweep.read_to, ..self }
    }

    /// Returns how many contacts are known, those included that were deleted since.
    pub(super) fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Lists the contacts that any of the marks leads to, each once.
    pub(super) fn find<'a>(&self, by: impl IntoIterator<Item = By<'a>>) -> Vec<ApolloId> {
        let marks = by.into_iter().map(|by| by.mark(&self.key));
        let found: BTreeSet<&ApolloId> = marks.flat_map(|mark| self.with(mark)).collect();
        found.into_iter().cloned().collect()
    }

    /// Lists the contacts that a mark leads to.
    fn with(&self, mark: Mark) -> impl Iterator<Item = &ApolloId> {
        self.by_mark.range((mark, 0)..=(mark, u32::MAX)).map(|(_, number)| &self.contacts[*number as usize].id)
    }

    /// Takes in what a row shows; reports whether that is news.
    ///
    /// Keeps what is asked for of the contact; for `None`, what was kept of it before.
    pub(super) fn see(&mut self, contact: &Contact, asked: Option<&AskedFor>, at: Timestamp) -> bool {
        let marks = marks(&self.key, &contact.readable, &contact.emails);
        let before = self.seen(&contact.id);
        let asked = asked.or(before.map(|seen| &seen.asked));
        let seen = asked.map(|asked| Box::new(Seen::of(contact, asked, before, at)));
        self.take_in(Known { id: contact.id.clone(), marks, seen })
    }

    /// Takes in contacts that were made.
    pub(super) fn add(&mut self, made: Vec<Made>) {
        for Made { id, marks } in made {
            self.take_in(Known { id, marks, seen: None });
        }
    }

    /// Returns what was seen of a contact that somebody has asked for.
    pub(super) fn seen(&self, id: &ApolloId) -> Option<&Seen> {
        self.known(id)?.seen.as_deref()
    }

    fn known(&self, id: &ApolloId) -> Option<&Known> {
        self.numbers.get(id).map(|number| &self.contacts[*number as usize])
    }

    /// Reports whether a contact was there when the account was read.
    pub(super) fn has(&self, id: &ApolloId) -> bool {
        self.numbers.contains_key(id)
    }

    /// Notes what the lists of contacts are called.
    pub(super) fn name_lists(&mut self, name: impl Fn(&str) -> Option<String>) {
        for (number, known) in (0..).zip(&mut self.contacts) {
            let Some(seen) = known.seen.as_mut().filter(|seen| seen.has_unnamed_lists()) else { continue };
            seen.name_lists(&name);
            if !seen.has_unnamed_lists() {
                self.unsaved.insert(number);
            }
        }
    }

    /// Keeps values of declared contacts alone.
    pub(super) fn forget_values_unless(&mut self, is_declared: impl Fn(&ApolloId) -> bool) {
        for (number, known) in (0..).zip(&mut self.contacts) {
            if !is_declared(&known.id) && known.seen.take().is_some() {
                self.unsaved.insert(number);
            }
        }
    }

    /// Marks that a contact had before lead to it as well: whoever is found is viewed.
    fn take_in(&mut self, known: Known) -> bool {
        let count = u32::try_from(self.contacts.len()).expect("an account holds less than four billion contacts");
        let number = *self.numbers.entry(known.id.clone()).or_insert(count);
        let before = self.contacts.get_mut(number as usize);
        if let Some(before) = &before
            && before.marks == known.marks
            && match (&before.seen, &known.seen) {
                (Some(before), Some(seen)) => before.is_as(seen),
                (before, seen) => before.is_none() && seen.is_none(),
            }
        {
            return false;
        }
        self.by_mark.extend(known.marks.iter().map(|&mark| (mark, number)));
        match before {
            Some(before) => *before = known,
            None => self.contacts.push(known),
        }
        self.unsaved.insert(number);
        true
    }

    /// Reads what was saved; `None` when it is not whole.
    pub(super) fn load(key: IdentityKey, parts: &[String]) -> Option<Self> {
        let (head, rest) = parts.split_first()?;
        let Head { read_to, parts: count } = serde_json::from_str(head).ok()?;
        let mut account = Self::new(key);
        for text in rest.get(..(count as usize).checked_sub(1)?)? {
            let part: Vec<Line> = serde_json::from_str(text).ok()?;
            account.saved_contacts += part.len();
            for (id, marks, seen) in part {
                account.take_in(Known { id, marks, seen });
            }
        }
        account.unsaved.clear();
        Some(Self { read_to, saved_parts: count, ..account })
    }

    /// Lists what is to be written so that it can be loaded again, and takes it for saved.
    ///
    /// The first part comes last: until it is written, what was saved before counts. Each text is made when its turn
    /// comes: all of them take as much memory as the account.
    pub(super) fn save(&mut self) -> impl Iterator<Item = Part> {
        let is_new = self.saved_parts == 0;
        // What is known of a contact stands in the last part that it is in.
        let again = self.saved_contacts + self.unsaved.len() > 2 * self.contacts.len() + CONTACTS_OF_A_PART;
        let from = if is_new || again { 1 } else { self.saved_parts };
        let old_parts = self.saved_parts;
        let unsaved = std::mem::take(&mut self.unsaved);
        let numbers: Vec<u32> =
            if is_new || again { self.numbers.values().copied().collect() } else { unsaved.into_iter().collect() };
        let written = numbers.len();
        let parts = u32::try_from(written.div_ceil(CONTACTS_OF_A_PART)).expect("as many parts as contacts at most");
        let count = from + parts;
        self.saved_contacts = if from == 1 { written } else { self.saved_contacts + written };
        self.saved_parts = count;
        let contacts = &self.contacts;
        let head = Head { read_to: self.read_to, parts: count };
        let texts = (from..count).zip((0..).step_by(CONTACTS_OF_A_PART)).map(move |(part, start)| {
            let numbers = numbers[start..].iter().take(CONTACTS_OF_A_PART);
            let known = numbers.map(|number| &contacts[*number as usize]);
            let lines: Vec<_> = known.map(|Known { id, marks, seen }| (id, marks, seen)).collect();
            (part, Some(serde_json::to_string(&lines).expect("ids and numbers are JSON")))
        });
        let head = (0, Some(serde_json::to_string(&head).expect("numbers are JSON")));
        texts.chain([head]).chain((count..old_parts).map(|part| (part, None)))
    }
}

fn marks(key: &IdentityKey, fields: &Fields, emails: &[String]) -> Box<[Mark]> {
    let [first, last, company] =
        [Field::FirstName, Field::LastName, Field::OrganizationName].map(|field| fields.folded(&field));
    let mut marks = Vec::new();
    if !company.is_empty() {
        marks.push(By::NameAtCompany(&first, &last, &company).mark(key));
    }
    for email in emails.iter().map(|email| fold_email(email)).filter(|email| !email.is_empty()) {
        marks.push(By::Mailbox(&mailbox(&email)).mark(key));
        if let Some((_, domain)) = email.rsplit_once('@') {
            marks.push(By::NameAtDomain(&first, &last, domain).mark(key));
        }
    }
    marks.sort_unstable();
    marks.dedup();
    marks.into()
}

impl By<'_> {
    fn mark(self, key: &IdentityKey) -> Mark {
        let parts: [&str; 4] = match self {
            Self::Mailbox(mailbox) => ["mailbox", mailbox, "", ""],
            Self::NameAtCompany(first, last, company) => ["company", first, last, company],
            Self::NameAtDomain(first, last, domain) => ["domain", first, last, domain],
        };
        let hash = blake3::keyed_hash(&key.0, parts.join("\0").as_bytes());
        Mark::from_be_bytes(*hash.as_bytes().first_chunk().expect("a hash has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    impl Account {
        fn made(&mut self, id: &ApolloId, fields: &Fields) {
            self.add(vec![Made::with(&self.key, id, fields)]);
        }
    }

    fn id(number: usize) -> ApolloId {
        ApolloId::parse(&format!("{number:024x}")).unwrap()
    }

    fn fields(number: usize) -> Fields {
        let email = format!("p{number}+news@example.com");
        let pairs = [(Field::FirstName, "Pia"), (Field::LastName, "Quill"), (Field::Email, &email)];
        pairs.into_iter().map(|(field, text)| (field, Value::from(text))).collect()
    }

    /// Writes parts as a state keeps them.
    fn write(kept: &mut BTreeMap<u32, String>, parts: impl Iterator<Item = Part>) {
        for (part, text) in parts {
            match text {
                Some(text) => drop(kept.insert(part, text)),
                None => drop(kept.remove(&part)),
            }
        }
    }

    fn read(kept: &BTreeMap<u32, String>) -> Option<Account> {
        Account::load(IdentityKey([1; 32]), &kept.values().cloned().collect::<Vec<_>>())
    }

    #[test]
    fn a_contact_is_found_by_its_mailbox_and_by_its_name_where_it_works() {
        let mut account = Account::new(IdentityKey([1; 32]));
        account.made(&id(1), &fields(1));
        assert_eq!(account.find([By::Mailbox("p1@example.com")]), [id(1)]);
        assert_eq!(account.find([By::NameAtDomain("pia", "quill", "example.com")]), [id(1)]);
        assert_eq!(account.find([By::NameAtDomain("pia", "quill", "example.org")]), []);
        assert_eq!(account.find([By::NameAtCompany("pia", "quill", "")]), []);
        // A contact that was changed is found by what it had as well, until it is viewed.
        account.made(&id(1), &fields(2));
        assert_eq!(account.find([By::Mailbox("p1@example.com"), By::Mailbox("p2@example.com")]), [id(1)]);
    }

    #[test]
    fn what_was_saved_is_loaded_whatever_it_went_through() {
        let mut kept = BTreeMap::new();
        assert!(read(&kept).is_none());
        let mut account = Account::new(IdentityKey([1; 32]));
        for round in 0..12 {
            for number in 0..700 {
                account.made(&id(number), &fields(number + round));
            }
            account.read_to = Timestamp(round as u64);
            write(&mut kept, account.save());
            let loaded = read(&kept).unwrap();
            let known = |account: &Account| -> Vec<Known> {
                account.numbers.keys().map(|id| account.known(id).unwrap().clone()).collect()
            };
            assert_eq!((loaded.read_to, known(&loaded)), (account.read_to, known(&account)));
            assert!(kept.len() <= 16, "{} parts for 700 contacts", kept.len());
            account = loaded;
        }
        // Nothing new takes the first part alone.
        assert_eq!(account.save().count(), 1);
    }

    #[test]
    fn a_part_that_is_missing_or_cannot_be_read_makes_nothing_known() {
        let mut account = Account::new(IdentityKey([1; 32]));
        (0..1200).for_each(|number| account.made(&id(number), &fields(number)));
        let mut kept = BTreeMap::new();
        write(&mut kept, account.save());
        assert!(read(&kept).is_some());
        for part in 0..7 {
            let mut damaged = kept.clone();
            damaged.insert(part, "{".to_owned());
            assert!(read(&damaged).is_none());
        }
        kept.pop_last();
        assert!(read(&kept).is_none());
    }
}
