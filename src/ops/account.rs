//! An index of all contacts in the account, so that looking for many contacts does not need a request for each.
//!
//! Keeps ids and keyed hashes, and the seen fields of declared contacts that were asked for. A match of a hash is only a
//! hint: the contact is viewed before anything is concluded. Only "no match" counts by itself, and only if the whole
//! account was read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::apollo::Contact;
use crate::model::{ApolloId, Field, Fields, IdentityKey, Timestamp, fold_email, mailbox};

use super::seen::{AskedFor, PackedSeen, Seen};
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
    seen: Option<PackedSeen>,
}

/// What is saved of one contact.
type Line<'a> = (ApolloId, Box<[Mark]>, Option<&'a RawValue>);

/// A contact that was made.
#[derive(Debug)]
pub(super) struct Made {
    id: ApolloId,
    marks: Box<[Mark]>,
}

impl Made {
    pub(super) fn with(key: &IdentityKey, id: &ApolloId, fields: &Fields) -> Self {
        let emails: Vec<String> = fields.text(&Field::Email).into_iter().map(str::to_owned).collect();
        Self { id: id.clone(), marks: marks_of(key, fields, &emails) }
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
        let marks = marks_of(&self.key, &contact.readable, &contact.emails);
        self.see_with(marks, contact, asked, at)
    }

    /// Takes in what is asked for of a contact that shows no more than that: what it is found by stays.
    pub(super) fn see_part(&mut self, contact: &Contact, asked: &AskedFor, at: Timestamp) {
        let marks = self.known(&contact.id).map(|known| known.marks.clone());
        let marks = marks.unwrap_or_else(|| marks_of(&self.key, &contact.readable, &contact.emails));
        self.see_with(marks, contact, Some(asked), at);
    }

    fn see_with(&mut self, marks: Box<[Mark]>, contact: &Contact, asked: Option<&AskedFor>, at: Timestamp) -> bool {
        let before = self.seen(&contact.id).map(PackedSeen::unpack);
        let asked = asked.or(before.as_ref().map(|seen| &seen.asked));
        let seen = asked.map(|asked| Seen::of(contact, asked, before.as_ref(), at));
        let is_as_before = match (&before, &seen) {
            (Some(before), Some(seen)) => before.is_as(seen),
            (before, seen) => before.is_none() && seen.is_none(),
        };
        let seen = seen.as_ref().map(PackedSeen::from);
        self.take_in(Known { id: contact.id.clone(), marks, seen }, is_as_before)
    }

    /// Takes in contacts that were made.
    pub(super) fn add(&mut self, made: Vec<Made>) {
        for Made { id, marks } in made {
            let is_as_before = self.seen(&id).is_none();
            self.take_in(Known { id, marks, seen: None }, is_as_before);
        }
    }

    /// Returns what was seen of a contact that somebody has asked for.
    pub(super) fn seen(&self, id: &ApolloId) -> Option<&PackedSeen> {
        self.known(id)?.seen.as_ref()
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
            *seen = seen.with_lists_named(&name);
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
    ///
    /// `is_as_before`, whether what was seen of one that is known says nothing new; reports whether it or its marks do.
    fn take_in(&mut self, known: Known, is_as_before: bool) -> bool {
        let count = u32::try_from(self.contacts.len()).expect("an account holds less than four billion contacts");
        let number = *self.numbers.entry(known.id.clone()).or_insert(count);
        let before = self.contacts.get_mut(number as usize);
        if before.as_ref().is_some_and(|before| is_as_before && before.marks == known.marks) {
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
    ///
    /// Each part is given up when it is read: all of them take as much memory as the account.
    pub(super) fn load(key: IdentityKey, parts: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut parts = parts.into_iter();
        let Head { read_to, parts: count } = serde_json::from_str(&parts.next()?).ok()?;
        let mut account = Self::new(key);
        for _ in 0..count.checked_sub(1)? {
            let text = parts.next()?;
            let part: Vec<Line> = serde_json::from_str(&text).ok()?;
            account.saved_contacts += part.len();
            for (id, marks, seen) in part {
                let seen = match seen {
                    Some(seen) => Some(PackedSeen::saved(seen)?),
                    None => None,
                };
                account.take_in(Known { id, marks, seen }, false);
            }
        }
        account.unsaved.clear();
        Some(Self { read_to, saved_parts: count, ..account })
    }

    /// Lists what is to be written so that it can be loaded again, and takes it for saved.
    pub(super) fn save(&mut self) -> impl Iterator<Item = Part> {
        let is_new = self.saved_parts == 0;
        // What is known of a contact stands in the last part that it is in.
        let many = 2 * self.contacts.len() + CONTACTS_OF_A_PART;
        // Where most of them are written, all of them are: what they replace is read each time as well.
        let again = self.saved_contacts + self.unsaved.len() > many || 2 * self.unsaved.len() > self.contacts.len();
        let from = if is_new || again { 1 } else { self.saved_parts };
        let unsaved = std::mem::take(&mut self.unsaved);
        let numbers: Vec<u32> =
            if is_new || again { self.numbers.values().copied().collect() } else { unsaved.into_iter().collect() };
        let old_parts = std::mem::replace(&mut self.saved_parts, from + parts_of(numbers.len()));
        self.saved_contacts = if from == 1 { numbers.len() } else { self.saved_contacts + numbers.len() };
        let contacts = &self.contacts;
        written(self.read_to, from, old_parts, numbers, |number| {
            let Known { id, marks, seen } = &contacts[number as usize];
            (id, marks, seen.as_ref())
        })
    }

    /// Lists what is to be written of contacts that were made. This account does not learn of them; one that is loaded
    /// later does.
    ///
    /// Call it only when everything else was saved.
    pub(super) fn append(&self, made: Vec<Made>) -> impl Iterator<Item = Part> {
        written(self.read_to, self.saved_parts, self.saved_parts, made, |Made { id, marks }| {
            (id, marks, None::<PackedSeen>)
        })
    }
}

/// Counts the parts that so many contacts take.
fn parts_of(contacts: usize) -> u32 {
    u32::try_from(contacts.div_ceil(CONTACTS_OF_A_PART)).expect("as many parts as contacts at most")
}

/// Makes parts from number `from` on; those behind them, up to `old_parts`, are removed.
///
/// The first part comes last: until it is written, what was saved before counts. Each text is made when its turn
/// comes: all of them take as much memory as the account.
fn written<K, L: Serialize>(
    read_to: Timestamp,
    from: u32,
    old_parts: u32,
    contacts: Vec<K>,
    line: impl Fn(K) -> L,
) -> impl Iterator<Item = Part> {
    let count = from + parts_of(contacts.len());
    let mut contacts = contacts.into_iter();
    let texts = (from..count).map(move |part| {
        let lines: Vec<_> = contacts.by_ref().take(CONTACTS_OF_A_PART).map(&line).collect();
        (part, Some(serde_json::to_string(&lines).expect("ids and numbers are JSON")))
    });
    let head = Head { read_to, parts: count };
    let head = (0, Some(serde_json::to_string(&head).expect("numbers are JSON")));
    texts.chain([head]).chain((count..old_parts).map(|part| (part, None)))
}

fn marks_of(key: &IdentityKey, fields: &Fields, emails: &[String]) -> Box<[Mark]> {
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
        Account::load(IdentityKey([1; 32]), kept.values().cloned())
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
    fn what_is_asked_for_later_takes_nothing_of_what_a_contact_is_found_by() {
        let mut account = Account::new(IdentityKey([1; 32]));
        let whole = Contact { emails: vec!["p1@example.com".to_owned()], readable: fields(1), ..Contact::bare(id(1)) };
        account.see(&whole, None, Timestamp(1));
        let titles: BTreeSet<Field> = [Field::Title].into();
        let asked = AskedFor { fields: titles.into(), applied_at: Timestamp(2) };
        let shown = Seen::of(&whole, &asked, None, Timestamp(2)).contact(&id(1));
        account.see_part(&shown, &asked, Timestamp(2));
        assert_eq!(account.seen(&id(1)).unwrap().asked(), asked);
        let mut kept = BTreeMap::new();
        write(&mut kept, account.save());
        assert_eq!(read(&kept).unwrap().find([By::Mailbox("p1@example.com")]), [id(1)]);
    }

    #[test]
    fn what_was_seen_is_kept_as_it_is_and_nothing_is_known_of_what_cannot_be_read() {
        let mut account = Account::new(IdentityKey([1; 32]));
        let emails: BTreeSet<Field> = [Field::Email, Field::LabelNames].into();
        let asked = AskedFor { fields: emails.into(), applied_at: Timestamp(2) };
        let contact = |labels: &[&str]| Contact {
            readable: fields(1),
            label_ids: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
            ..Contact::bare(id(1))
        };
        assert!(account.see(&contact(&["a1"]), Some(&asked), Timestamp(1)));
        assert!(account.seen(&id(1)).unwrap().has_unnamed_lists());
        account.name_lists(|id| (id == "a1").then(|| "Leads".to_owned()));
        let mut kept = BTreeMap::new();
        write(&mut kept, account.save());
        let mut loaded = read(&kept).unwrap();
        let seen = loaded.seen(&id(1)).unwrap();
        assert!(!seen.has_unnamed_lists() && seen.asked() == asked);
        assert_eq!(seen.unpack().contact(&id(1)).label_names, Some(vec!["Leads".to_owned()]));
        // The same again is no news, whatever its time; another list is.
        assert!(!loaded.see(&contact(&["a1"]), None, Timestamp(9)));
        assert!(loaded.see(&contact(&["a1", "b2"]), None, Timestamp(9)));
        let text = kept[&1].replace("\"asked\"", "\"asks\"");
        kept.insert(1, text);
        assert!(read(&kept).is_none());
    }

    #[test]
    fn what_was_made_is_known_to_whoever_loads_it() {
        let (mut kept, mut account) = (BTreeMap::new(), Account::new(IdentityKey([1; 32])));
        for known in [0, 3] {
            (0..known).for_each(|number| account.made(&id(number), &fields(number)));
            account.read_to = Timestamp(7);
            write(&mut kept, account.save());
            let made: Vec<_> = (1..500).map(|number| Made::with(&account.key, &id(number), &fields(number))).collect();
            write(&mut kept, account.append(made));
            let loaded = read(&kept).unwrap();
            assert_eq!((loaded.len(), loaded.read_to), (if known > 0 { 500 } else { 499 }, Timestamp(7)));
            assert_eq!(loaded.find([By::Mailbox("p499@example.com")]), [id(499)]);
            account = loaded;
        }
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
