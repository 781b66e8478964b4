//! Entries that Apollo would make one contact of.
//!
//! Apollo matches by e-mail, plus tags aside, and by name at one company, where it judges companies by
//! name or by e-mail domain (vendor page of the create call, match order; plus tags: seen).

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::code::{Code, Severity};
use super::providers;
use crate::model::{ContactKey, Declares, Entry, Field, Fields, Identity};

/// Entries that share what Apollo matches by.
#[derive(Debug)]
pub(super) struct Group<'e> {
    pub(super) code: Code,
    /// The field that shows best what is shared.
    pub(super) field: Field,
    /// At least two, sorted by path and key.
    pub(super) entries: Vec<&'e Entry>,
}

/// What Apollo may match an entry by, one kind at a time.
#[derive(Debug, Clone, Copy)]
enum Criterion {
    Mailbox,
    PersonAtCompany,
    PersonAtDomain,
}

impl Criterion {
    const ALL: [Self; 3] = [Self::Mailbox, Self::PersonAtCompany, Self::PersonAtDomain];

    fn key(self, identity: &Identity) -> Option<Vec<String>> {
        match self {
            Self::Mailbox => identity.mailbox().map(|mailbox| vec![mailbox]),
            Self::PersonAtCompany => {
                identity.person_at_company().map(|person| vec![person.first_name, person.last_name, person.company])
            }
            Self::PersonAtDomain => {
                let (first_name, last_name) = identity.name.clone()?;
                Some(vec![identity.domain()?.to_owned(), first_name, last_name])
            }
        }
    }

    fn code(self, key: &[String]) -> Code {
        match self {
            Self::Mailbox => Code::SameEmail,
            Self::PersonAtCompany => Code::SameNameAndCompany,
            Self::PersonAtDomain if providers::is_public_mail(&key[0]) => Code::SameNameAtPublicProvider,
            Self::PersonAtDomain => Code::SameNameAndDomain,
        }
    }

    fn field(self) -> Field {
        match self {
            Self::Mailbox => Field::Email,
            Self::PersonAtCompany | Self::PersonAtDomain => Field::LastName,
        }
    }
}

/// What no two contacts may share unless both stand apart: a mistake, by its code, and a hash of what is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clash {
    pub code: Code,
    pub hash: u64,
}

/// Lists by what a contact with these fields would be one with others in Apollo.
pub fn clashes(fields: &Fields) -> impl Iterator<Item = Clash> + use<> {
    let identity = Identity::of(fields);
    let clash = move |criterion: Criterion| {
        let key = criterion.key(&identity)?;
        let code = criterion.code(&key);
        (code.severity() == Severity::Error).then(|| Clash { code, hash: hash(&(criterion as u8, key)) })
    };
    Criterion::ALL.into_iter().filter_map(clash)
}

/// Finds the groups that Apollo would collapse; what one criterion has grouped, a later one does not repeat.
pub(super) fn groups(entries: &BTreeMap<ContactKey, Entry>) -> Vec<Group<'_>> {
    let entries: Vec<_> = entries.values().collect();
    // Hashes first: almost all of them are unique, and keeping every folded text would cost more than the entries.
    let mut hashes: [Vec<(u64, usize)>; 3] = Default::default();
    for (index, entry) in entries.iter().enumerate() {
        let identity = Identity::of(&entry.fields);
        for (criterion, hashes) in Criterion::ALL.into_iter().zip(&mut hashes) {
            hashes.extend(criterion.key(&identity).map(|key| (hash(&key), index)));
        }
    }
    let mut found = Vec::new();
    let mut grouped: HashMap<&ContactKey, usize> = HashMap::new();
    for (criterion, mut hashes) in Criterion::ALL.into_iter().zip(hashes) {
        hashes.sort_unstable();
        let candidates = hashes.chunk_by(|one, other| one.0 == other.0).filter(|run| run.len() > 1);
        for (key, members) in candidates.flat_map(|run| same_key(criterion, run, &entries)) {
            if members.len() < 2 || members.iter().all(|entry| entry.stands_apart()) || repeats(&members, &grouped) {
                continue;
            }
            let number = found.len();
            for member in &members {
                grouped.entry(member.key()).or_insert(number);
            }
            found.push(group(criterion, &key, members));
        }
    }
    found
}

fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Splits a run of equal hashes by what was hashed.
fn same_key<'e>(
    criterion: Criterion,
    run: &[(u64, usize)],
    entries: &[&'e Entry],
) -> BTreeMap<Vec<String>, Vec<&'e Entry>> {
    let mut by_key: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for &(_, index) in run {
        if let Some(key) = criterion.key(&Identity::of(&entries[index].fields)) {
            by_key.entry(key).or_default().push(entries[index]);
        }
    }
    by_key
}

fn repeats(members: &[&Entry], grouped: &HashMap<&ContactKey, usize>) -> bool {
    let mut groups = members.iter().map(|entry| grouped.get(entry.key()));
    groups.next().flatten().is_some_and(|first| groups.all(|other| other == Some(first)))
}

fn group<'e>(criterion: Criterion, key: &[String], mut entries: Vec<&'e Entry>) -> Group<'e> {
    entries.sort_by(|one, other| (&one.place.path, one.key()).cmp(&(&other.place.path, other.key())));
    Group { code: criterion.code(key), field: criterion.field(), entries }
}
