//! Short stand-ins for everything by which one entry can be at odds with another.
//!
//! Two entries that share a key, a claim to one, a contact or what Apollo matches by share a mark. Entries
//! without a shared mark have nothing to do with each other; those with one are looked at in full.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

use crate::model::{Declares, Parts};

/// One thing that no two entries should share: 63 bits of a hash, and a bit that says whether the entry waives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(u64);

impl Mark {
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub fn to_bits(self) -> u64 {
        self.0
    }

    fn new(hash: u64, is_waived: bool) -> Self {
        Self(hash & !1 | u64::from(is_waived))
    }

    /// Returns the mark as others share it, waived or not.
    #[must_use]
    pub fn plain(self) -> Self {
        Self(self.0 & !1)
    }

    /// Reports whether the entry says that it may share this one.
    pub fn is_waived(self) -> bool {
        self.0 & 1 == 1
    }
}

/// What kind of thing a mark stands for; part of what is hashed.
#[derive(Clone, Copy)]
enum Kind {
    /// A key, declared or named by `moved_from`.
    Key = b'k' as isize,
    Contact = b'i' as isize,
    Mailbox = b'm' as isize,
    PersonAtCompany = b'c' as isize,
    PersonAtDomain = b'd' as isize,
}

/// Lists the marks of an entry.
pub fn marks<D: Declares>(entry: &D) -> impl Iterator<Item = Mark> + use<D> {
    marks_by(&mut Parts::default(), entry)
}

/// The same with memory that is used again.
pub fn marks_by<D: Declares>(parts: &mut Parts, entry: &D) -> impl Iterator<Item = Mark> + use<D> {
    parts.take(entry);
    let parts = &*parts;
    let firm = |kind, text: &str| Some(Mark::new(hash(kind, &[text]), false));
    let soft = |kind, parts: &[&str]| Mark::new(hash(kind, parts), entry.stands_apart());
    let at_company = parts.name().zip(parts.company());
    // An e-mail without an `@` is a mistake and counts as absent.
    let mailbox = parts.mailbox();
    let at_domain = parts.name().zip(mailbox.map(|(_, domain)| domain));
    [
        firm(Kind::Key, entry.key().as_str()),
        entry.moved_from().and_then(|key| firm(Kind::Key, key.as_str())),
        entry.apollo_id().and_then(|id| firm(Kind::Contact, id.as_str())),
        mailbox.map(|(base, domain)| soft(Kind::Mailbox, &[base, domain])),
        at_company.map(|((first, last), company)| soft(Kind::PersonAtCompany, &[first, last, company])),
        at_domain.map(|((first, last), domain)| soft(Kind::PersonAtDomain, &[domain, first, last])),
    ]
    .into_iter()
    .flatten()
}

/// Finds what more than one mark stands for, unless all who share it waive it; sorted, and plain.
///
/// `marks` must be sorted.
pub fn shared(marks: impl IntoIterator<Item = Mark>) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::new();
    let mut last: Option<Mark> = None;
    for mark in marks {
        // Of those with one hash the waived ones come last, so the first of two tells whether any does not waive.
        match last {
            Some(first) if first.plain() == mark.plain() => {
                if !first.is_waived() && found.last() != Some(&first) {
                    found.push(first);
                }
            }
            _ => last = Some(mark),
        }
    }
    found
}

/// Hashes what an entry is known by. Marks are kept, so it is a hash that stays the same; two that meet by chance, or
/// because somebody took pains, cost no more than a look at both entries.
fn hash(kind: Kind, parts: &[&str]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write_u8(kind as u8);
    for part in parts {
        hasher.write(part.as_bytes());
        hasher.write_u8(0);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::{ApolloId, ContactKey, Entry, Field, Fields, Place};

    fn entry(key: &str, fields: &[(Field, &str)]) -> Entry {
        let key = ContactKey::parse(key).unwrap();
        Entry {
            place: Place { path: Path::new("a.yaml").into(), key },
            fields: fields.iter().map(|(field, text)| (field.clone(), (*text).into())).collect::<Fields>(),
            run_dedupe: true,
            apollo_id: None,
            moved_from: None,
            ignored: [].into(),
        }
    }

    fn shared_by(entries: &[&Entry]) -> usize {
        let mut all: Vec<Mark> = entries.iter().flat_map(|entry| marks(*entry)).collect();
        all.sort_unstable();
        shared(all).len()
    }

    #[test]
    fn what_apollo_matches_by_is_shared_however_it_is_spelled() {
        let ada = entry("ada", &[(Field::Email, "Ada+x@example.com"), (Field::FirstName, "Ada")]);
        assert_eq!(shared_by(&[&ada, &entry("b", &[(Field::Email, "ada@EXAMPLE.com")])]), 1);
        let person = |key, company| {
            let names = [(Field::FirstName, "Ada"), (Field::LastName, "Byron"), (Field::OrganizationName, company)];
            entry(key, &names)
        };
        assert_eq!(shared_by(&[&person("a", "Example"), &person("b", " EXAMPLE ")]), 1);
        assert_eq!(shared_by(&[&person("a", "Example"), &person("b", "Other")]), 0);
    }

    #[test]
    fn a_key_that_is_declared_and_claimed_is_shared() {
        let ada = entry("ada", &[]);
        let moved = Entry { moved_from: Some(ada.key().clone()), ..entry("countess", &[]) };
        assert_eq!(shared_by(&[&ada, &moved]), 1);
        assert_eq!(shared_by(&[&ada, &ada]), 1);
    }

    #[test]
    fn only_what_all_waive_is_no_ones_concern() {
        let mail = [(Field::Email, "ada@example.com")];
        let waiving = |key| Entry { run_dedupe: false, ..entry(key, &mail) };
        assert_eq!(shared_by(&[&waiving("a"), &waiving("b")]), 0);
        assert_eq!(shared_by(&[&waiving("a"), &entry("b", &mail)]), 1);
        let id = ApolloId::parse("00000000000000000000000a");
        let [one, other] = ["a", "b"].map(|key| Entry { run_dedupe: false, apollo_id: id.clone(), ..entry(key, &[]) });
        assert_eq!(shared_by(&[&one, &other]), 1);
    }
}
