//! Which entry is which contact, told by what both say of themselves; pure.
//!
//! Only hits that are the only ones on both sides pair: what could be somebody else is left to a person. A name alone
//! pairs nobody.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Entry, Field, Identity, RebuiltBy, fold_email};
use crate::ops::Unseen;
use crate::ops::refresh::compare::{Standing, is_shown, standing};

/// Entries without an `apollo_id`, and the contacts that may belong to them.
pub(super) struct Search<'e> {
    entries: Vec<Sought<'e>>,
    by_mark: HashMap<Mark, Vec<usize>>,
    emails: HashSet<String>,
    names: HashSet<[String; 2]>,
}

/// What a contact has to have to be an entry's, folded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Mark {
    Email(String),
    EmailAndNames(String, [String; 2]),
    NamesAtCompany([String; 2], String),
    Names([String; 2]),
}

struct Sought<'e> {
    entry: &'e Entry,
    identity: Identity,
    mark: Mark,
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
    Unseen { id: ApolloId, why: Unseen },
    /// A person is waited for already, or a request of which the outcome is not known.
    Waits,
    /// It was forgotten and has come back: the next apply binds it again.
    Returns,
}

impl<'e> Search<'e> {
    pub(super) fn for_entries(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let entries: Vec<Sought> = entries.into_iter().map(Sought::of).collect();
        let mut by_mark: HashMap<Mark, Vec<usize>> = HashMap::new();
        for (number, sought) in entries.iter().enumerate() {
            by_mark.entry(sought.mark.clone()).or_default().push(number);
        }
        // Nothing at all is no name.
        by_mark.retain(|mark, _| match mark {
            Mark::Names(names) | Mark::NamesAtCompany(names, _) => names.iter().any(|name| !name.is_empty()),
            Mark::Email(_) | Mark::EmailAndNames(..) => true,
        });
        let emails = entries.iter().filter_map(|sought| sought.identity.email.clone()).collect();
        let all_names = entries.iter().map(|sought| names(&sought.entry.fields));
        let names = all_names.filter(|names| names.iter().any(|name| !name.is_empty())).collect();
        Self { entries, by_mark, emails, names }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reports whether a contact has the e-mail or the name of an entry.
    pub(super) fn concerns(&self, contact: &Contact) -> bool {
        self.names.contains(&names(&contact.readable))
            || contact.emails.iter().any(|email| self.emails.contains(&fold_email(email)))
    }

    /// Tells for each entry who it is; `owners` are the contacts that belong to keys already.
    ///
    /// `contacts` are all of the account that concern these entries.
    pub(super) fn pair(
        &self,
        contacts: &[&Contact],
        owners: &BTreeMap<ApolloId, ContactKey>,
    ) -> Vec<(&'e Entry, Verdict)> {
        // Those of one mark stand together, so that many namesakes take no more room than they are.
        let mut of_mark: HashMap<&Mark, Vec<usize>> = HashMap::new();
        let mut marks_of: Vec<Vec<&Mark>> = vec![Vec::new(); contacts.len()];
        for (number, contact) in contacts.iter().enumerate() {
            for mark in marks(contact) {
                if let Some((mark, _)) = self.by_mark.get_key_value(&mark) {
                    of_mark.entry(mark).or_default().push(number);
                    marks_of[number].push(mark);
                }
            }
        }
        let found = |entry: usize| of_mark.get(&self.entries[entry].mark).map_or(&[][..], Vec::as_slice);
        let claiming = |contact: usize| marks_of[contact].iter().flat_map(|mark| &self.by_mark[*mark]).copied();
        let is_free = |contact: usize| !owners.contains_key(&contacts[contact].id);
        let mut paired: Vec<Option<(usize, RebuiltBy)>> = vec![None; self.entries.len()];
        for (entry, paired) in paired.iter_mut().enumerate() {
            if let [contact] = found(entry)[..]
                && claiming(contact).count() == 1
                && is_free(contact)
            {
                *paired = self.entries[entry].by(contacts[contact]).map(|by| (contact, by));
            }
        }
        // Of several who could be it, only one may be of which nothing speaks against that.
        let agrees = |entry: usize, contact: usize| self.entries[entry].agrees_with(contacts[contact]);
        let is_open = |entry: usize| paired[entry].is_none();
        let mut told_apart: Vec<(usize, usize)> = Vec::new();
        for entry in (0..self.entries.len()).filter(|&entry| is_open(entry)) {
            // A second one ends the search.
            let agreeing: Vec<usize> =
                found(entry).iter().copied().filter(|&contact| agrees(entry, contact)).take(2).collect();
            if let [contact] = agreeing[..]
                && is_free(contact)
                && self.entries[entry].tells_more(contacts[contact])
                && claiming(contact).all(|other| other == entry || !is_open(other) || !agrees(other, contact))
            {
                told_apart.push((entry, contact));
            }
        }
        for (entry, contact) in told_apart {
            paired[entry] = Some((contact, RebuiltBy::Fields));
        }
        let like = Like::among(contacts);
        let verdict = |(number, sought): (usize, &Sought<'e>)| {
            let verdict = if let Some((contact, by)) = paired[number] {
                Verdict::Pair(contacts[contact].id.clone(), by)
            } else {
                let ids = |found: &[usize]| found.iter().map(|&contact| contacts[contact].id.clone()).collect();
                Verdict::Open(match found(number) {
                    [] => match like.of(sought) {
                        none if none.is_empty() => WhyOpen::Nobody,
                        like => WhyOpen::Similar(ids(&like)),
                    },
                    [contact] => self.why_not(number, contacts[*contact], claiming(*contact), owners),
                    several => WhyOpen::Several(ids(&several[..several.len().min(MOST_NAMED)])),
                })
            };
            (sought.entry, verdict)
        };
        self.entries.iter().enumerate().map(verdict).collect()
    }

    fn why_not(
        &self,
        entry: usize,
        contact: &Contact,
        claimed_by: impl Iterator<Item = usize>,
        owners: &BTreeMap<ApolloId, ContactKey>,
    ) -> WhyOpen {
        let id = contact.id.clone();
        if let Some(owner) = owners.get(&id) {
            return WhyOpen::Owned { id, owner: owner.clone() };
        }
        let others = claimed_by.filter(|&other| other != entry).take(MOST_NAMED);
        let others: Vec<ContactKey> = others.map(|other| self.entries[other].entry.key().clone()).collect();
        if others.is_empty() { WhyOpen::NameAlone(id) } else { WhyOpen::Shared { id, others } }
    }
}

impl<'e> Sought<'e> {
    /// Marked by what a contact has to have to be the entry's: the e-mail, or the names where none is declared.
    ///
    /// Many may share an e-mail that is never matched: there the name counts as well.
    fn of(entry: &'e Entry) -> Self {
        let (identity, names) = (Identity::of(&entry.fields), names(&entry.fields));
        let mark = match (&identity.email, &identity.company) {
            (Some(email), _) if entry.run_dedupe => Mark::Email(email.clone()),
            (Some(email), _) => Mark::EmailAndNames(email.clone(), names),
            (None, Some(company)) => Mark::NamesAtCompany(names, company.clone()),
            (None, None) => Mark::Names(names),
        };
        Self { entry, identity, mark }
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

/// Lists what a contact could be looked for by.
fn marks(contact: &Contact) -> HashSet<Mark> {
    let names = names(&contact.readable);
    let company = contact.readable.folded(&Field::OrganizationName);
    let emails = contact.emails.iter().map(|email| fold_email(email)).filter(|email| !email.is_empty());
    let by_email = emails.flat_map(|email| [Mark::Email(email.clone()), Mark::EmailAndNames(email, names.clone())]);
    let by_name = [Mark::NamesAtCompany(names.clone(), company), Mark::Names(names.clone())];
    by_email.chain(by_name).collect()
}

/// The most contacts, or keys, that are told of one entry.
const MOST_NAMED: usize = 20;

/// Contacts by what may make them look like an entry.
struct Like {
    by_name: HashMap<[String; 2], Vec<usize>>,
    by_email: HashMap<String, Vec<usize>>,
}

impl Like {
    fn among(contacts: &[&Contact]) -> Self {
        let mut like = Self { by_name: HashMap::new(), by_email: HashMap::new() };
        for (number, contact) in contacts.iter().enumerate() {
            like.by_name.entry(names(&contact.readable)).or_default().push(number);
            for email in &contact.emails {
                like.by_email.entry(fold_email(email)).or_default().push(number);
            }
        }
        like
    }

    /// Lists the first contacts that have the name or the e-mail of an entry.
    fn of(&self, sought: &Sought<'_>) -> Vec<usize> {
        let name = names(&sought.entry.fields);
        let has_name = name.iter().any(|name| !name.is_empty());
        let by_name = self.by_name.get(&name).filter(|_| has_name);
        let by_email = sought.identity.email.as_ref().and_then(|email| self.by_email.get(email));
        let found: BTreeSet<usize> =
            by_name.into_iter().chain(by_email).flat_map(|found| found.iter().take(MOST_NAMED)).copied().collect();
        found.into_iter().take(MOST_NAMED).collect()
    }
}

fn names(fields: &crate::model::Fields) -> [String; 2] {
    [Field::FirstName, Field::LastName].map(|field| fields.folded(&field))
}

#[cfg(test)]
mod tests;
