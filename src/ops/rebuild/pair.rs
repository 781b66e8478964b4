//! Which entry is which contact, told by what both say of themselves; pure.
//!
//! Only hits that are the only ones on both sides pair: what could be somebody else is left to a person. A name alone
//! pairs nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Entry, Field, Identity, RebuiltBy, fold_email};
use crate::ops::apply::outcome::person::has_same_name;
use crate::ops::refresh::compare::{Standing, is_shown, standing};

/// Entries that name no contact, and whom they could be.
pub(super) struct Search<'e> {
    entries: Vec<Sought<'e>>,
    by_email: HashMap<String, Vec<usize>>,
    by_name: HashMap<[String; 2], Vec<usize>>,
}

struct Sought<'e> {
    entry: &'e Entry,
    identity: Identity,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Pair(ApolloId, RebuiltBy),
    Open(WhyOpen),
}

/// Why an entry is left to a person, or to the next apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyOpen {
    /// Nobody in Apollo is like it.
    Nobody,
    /// Nobody is it; these have its name, or its e-mail.
    Similar(Vec<ApolloId>),
    /// Each of these could be it.
    Several(Vec<ApolloId>),
    /// The contact could be that of other entries as well.
    Shared { id: ApolloId, others: Vec<ContactKey> },
    /// The contact belongs to another entry.
    Owned { id: ApolloId, owner: ContactKey },
    /// There is one of its name, and nothing more that tells.
    NameAlone(ApolloId),
    /// Not everybody in the account could be read, so that nobody knows whether a hit is the only one.
    NotEverybody,
    /// Apollo says that there is no contact of the id that it names.
    Gone(ApolloId),
    /// Apollo answers with another contact than the one that it names.
    Merged { id: ApolloId, survivor: ApolloId },
    /// The contact that it names was not seen; why.
    Unseen { id: ApolloId, why: String },
    /// A person is waited for already, or a request of which the outcome is not known.
    Waits,
    /// It was forgotten and has come back: the next apply binds it again.
    Returns,
}

impl<'e> Search<'e> {
    pub(super) fn for_entries(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let sought = |entry: &'e Entry| Sought { entry, identity: Identity::of(&entry.fields) };
        let entries: Vec<Sought> = entries.into_iter().map(sought).collect();
        let mut search = Self { entries: Vec::new(), by_email: HashMap::new(), by_name: HashMap::new() };
        for (number, Sought { entry, identity }) in entries.iter().enumerate() {
            if let Some(email) = &identity.email {
                search.by_email.entry(email.clone()).or_default().push(number);
            }
            let name = names(&entry.fields);
            if name.iter().any(|name| !name.is_empty()) {
                search.by_name.entry(name).or_default().push(number);
            }
        }
        Self { entries, ..search }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports whether a contact has the e-mail or the name of an entry.
    pub(super) fn concerns(&self, contact: &Contact) -> bool {
        !self.like(contact).is_empty()
    }

    /// Lists the entries that have an e-mail or the name of a contact.
    fn like(&self, contact: &Contact) -> BTreeSet<usize> {
        let by_email = contact.emails.iter().filter_map(|email| self.by_email.get(&fold_email(email)));
        let by_name = self.by_name.get(&names(&contact.readable));
        by_email.chain(by_name).flatten().copied().collect()
    }

    /// Tells for each entry who it is; `owners` are the contacts that belong to keys already.
    ///
    /// `contacts` are all of the account that concern these entries.
    pub(super) fn pair(
        &self,
        contacts: &[&Contact],
        owners: &BTreeMap<ApolloId, ContactKey>,
    ) -> Vec<(&'e Entry, Verdict)> {
        let mut like: Vec<Vec<usize>> = vec![Vec::new(); self.entries.len()];
        let mut of_entry = like.clone();
        let mut of_contact: Vec<Vec<usize>> = vec![Vec::new(); contacts.len()];
        for (number, contact) in contacts.iter().enumerate() {
            for entry in self.like(contact) {
                like[entry].push(number);
                if self.entries[entry].could_be(contact) {
                    of_entry[entry].push(number);
                    of_contact[number].push(entry);
                }
            }
        }
        let is_free = |contact: usize| !owners.contains_key(&contacts[contact].id);
        let mut paired: Vec<Option<(usize, RebuiltBy)>> = vec![None; self.entries.len()];
        for (entry, found) in of_entry.iter().enumerate() {
            if let [contact] = found[..]
                && of_contact[contact].len() == 1
                && is_free(contact)
            {
                paired[entry] = self.entries[entry].by(contacts[contact]).map(|by| (contact, by));
            }
        }
        // Of several who could be it, only one may be of which nothing speaks against that.
        let agrees = |entry: usize, contact: usize| self.entries[entry].agrees_with(contacts[contact]);
        let is_open = |entry: &usize| paired[*entry].is_none();
        let mut told_apart: Vec<(usize, usize)> = Vec::new();
        for entry in (0..self.entries.len()).filter(is_open) {
            let agreeing: Vec<usize> =
                of_entry[entry].iter().copied().filter(|&contact| agrees(entry, contact)).collect();
            if let [contact] = agreeing[..]
                && is_free(contact)
                && self.entries[entry].tells_more(contacts[contact])
                && of_contact[contact]
                    .iter()
                    .filter(|other| is_open(other))
                    .all(|&other| other == entry || !agrees(other, contact))
            {
                told_apart.push((entry, contact));
            }
        }
        for (entry, contact) in told_apart {
            paired[entry] = Some((contact, RebuiltBy::Fields));
        }
        let verdict = |(number, sought): (usize, &Sought<'e>)| {
            let verdict = match paired[number] {
                Some((contact, by)) => Verdict::Pair(contacts[contact].id.clone(), by),
                None => {
                    let ids = |found: &[usize]| found.iter().map(|&contact| contacts[contact].id.clone()).collect();
                    Verdict::Open(match of_entry[number][..] {
                        [] if like[number].is_empty() => WhyOpen::Nobody,
                        [] => WhyOpen::Similar(ids(&like[number])),
                        [contact] => self.why_not(number, contacts[contact], &of_contact[contact], owners),
                        ref several => WhyOpen::Several(ids(several)),
                    })
                }
            };
            (sought.entry, verdict)
        };
        self.entries.iter().enumerate().map(verdict).collect()
    }

    fn why_not(
        &self,
        entry: usize,
        contact: &Contact,
        claimed_by: &[usize],
        owners: &BTreeMap<ApolloId, ContactKey>,
    ) -> WhyOpen {
        let id = contact.id.clone();
        if let Some(owner) = owners.get(&id) {
            return WhyOpen::Owned { id, owner: owner.clone() };
        }
        let others = claimed_by.iter().filter(|&&other| other != entry);
        let others: Vec<ContactKey> = others.map(|&other| self.entries[other].entry.key().clone()).collect();
        if others.is_empty() { WhyOpen::NameAlone(id) } else { WhyOpen::Shared { id, others } }
    }
}

impl Sought<'_> {
    /// Reports whether a contact could be the entry's: it has the e-mail, or the names where none is declared.
    ///
    /// Many may share an e-mail that is never matched: there the name counts as well.
    fn could_be(&self, contact: &Contact) -> bool {
        let is_named_so = || has_same_name(&self.entry.fields, contact);
        match &self.identity.email {
            Some(email) => contact.has_email(email) && (self.entry.run_dedupe || is_named_so()),
            None => {
                let shown = contact.readable.folded(&Field::OrganizationName);
                is_named_so() && self.identity.company.as_ref().is_none_or(|company| *company == shown)
            }
        }
    }

    /// Says by what the one contact that could be the entry's is its; `None` where a name alone tells.
    fn by(&self, contact: &Contact) -> Option<RebuiltBy> {
        match (&self.identity.email, &self.identity.company) {
            (Some(_), _) if self.entry.run_dedupe => Some(RebuiltBy::Email),
            (Some(_), _) | (None, Some(_)) => Some(RebuiltBy::Names),
            (None, None) => (self.agrees_with(contact) && self.tells_more(contact)).then_some(RebuiltBy::Fields),
        }
    }

    /// Reports whether a contact shows nothing that the entry declares otherwise.
    fn agrees_with(&self, contact: &Contact) -> bool {
        let contradicts = |(field, value): (&Field, &crate::model::Value)| {
            !value.is_empty() && is_shown(field, contact) && standing(field, value, contact) == Standing::Differs
        };
        let may_differ = [Field::FirstName, Field::LastName].iter().any(|field| {
            let (declared, shown) = (self.entry.fields.folded(field), contact.readable.folded(field));
            declared.is_empty() != shown.is_empty()
        });
        !may_differ && !self.entry.fields.iter().any(contradicts)
    }

    /// Reports whether a contact shows something that the entry declares beside its name.
    fn tells_more(&self, contact: &Contact) -> bool {
        self.entry.fields.iter().any(|(field, value)| {
            !matches!(field, Field::FirstName | Field::LastName)
                && !value.is_empty()
                && is_shown(field, contact)
                && standing(field, value, contact) == Standing::Stands
        })
    }
}

fn names(fields: &crate::model::Fields) -> [String; 2] {
    [Field::FirstName, Field::LastName].map(|field| fields.folded(&field))
}

#[cfg(test)]
mod tests;
