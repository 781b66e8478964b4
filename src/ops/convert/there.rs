//! The people that the files of a directory already declare, in short: to match rows with their existing entries, and with
//! entries of other files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ConvertError;
use crate::beneath::Root;
use crate::model::{ApolloId, ContactKey, Declares, Entry, Fields};
use crate::ops::generated;
use crate::source::{self, Clash, Code, Severity, clashes};

/// Who holds what no two contacts may share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// A row: the number of its table, and its line.
    Row { table: u16, line: u32 },
    /// An entry of a file, by its number.
    Entry(u32),
}

/// Who holds a mark, in few bytes: there are several for each row.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// The line of a row, or the number of an entry.
    number: u32,
    /// The number of the table; none for an entry.
    table: u16,
    /// Whether others may hold it who let others, too.
    lets_others: bool,
}

impl Held {
    /// Stands where there is no table.
    const ENTRY: u16 = u16::MAX;

    fn new(holder: Holder, lets_others: bool) -> Self {
        match holder {
            Holder::Row { table, line } => Self { number: line, table: table.min(Self::ENTRY - 1), lets_others },
            Holder::Entry(number) => Self { number, table: Self::ENTRY, lets_others },
        }
    }

    fn holder(self) -> Holder {
        match self.table {
            Self::ENTRY => Holder::Entry(self.number),
            table => Holder::Row { table, line: self.number },
        }
    }
}

/// An entry of a file.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) key: ContactKey,
    /// Its file, below the directory.
    pub(super) name: Arc<Path>,
    apollo_id: Option<ApolloId>,
    /// Whether nothing but all that it says tells it from others.
    pub(super) is_weak: bool,
}

impl Known {
    /// Reports whether the entry says an id, and another one than `id`, if that is one.
    pub(super) fn has_another_id(&self, id: &str) -> bool {
        let both = self.apollo_id.as_ref().zip(ApolloId::parse(id));
        both.is_some_and(|(known, id)| *known != id)
    }
}

/// Whom the files declare.
#[derive(Default)]
pub(super) struct There {
    /// Entries of files that are made again: who shares a mark with a row is that person.
    own: HashMap<u64, u32>,
    pub(super) known: Vec<Known>,
    /// The keys that each file declares that is made again.
    pub(super) own_keys: BTreeMap<PathBuf, BTreeSet<ContactKey>>,
    /// The keys of all other files.
    pub(super) other_keys: BTreeSet<ContactKey>,
    /// What is held, and by whom.
    held: HashMap<u64, Held>,
}

impl There {
    /// Reads all files below `root`; `is_made_again` tells of a file that contactsd made whether this conversion is about it.
    pub(super) fn read(root: &Root, is_made_again: impl Fn(&Path) -> bool) -> Result<Self, ConvertError> {
        let mut there = Self::default();
        let found = source::contact_files(root).map_err(ConvertError::Unreadable)?;
        let mut wrong: Vec<source::Diagnostic> = found.diagnostics;
        for below in &found.files {
            let is_own = is_made_again(below) && generated::is_own(root, below, true);
            let name: Arc<Path> = below.as_path().into();
            wrong.extend(source::visit(root, below, &mut |entry| there.add(&entry, &name, is_own)));
        }
        wrong.retain(|one| one.severity == Severity::Error);
        if wrong.is_empty() { Ok(there) } else { Err(ConvertError::Invalid(wrong)) }
    }

    fn add(&mut self, entry: &Entry, name: &Arc<Path>, is_own: bool) {
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let mut marks = marks(&entry.fields, entry.apollo_id.as_ref());
        let is_weak = marks.is_empty();
        let (key, apollo_id) = (entry.key().clone(), entry.apollo_id.clone());
        self.known.push(Known { key, name: Arc::clone(name), apollo_id, is_weak });
        if is_own {
            self.own_keys.entry(name.to_path_buf()).or_default().insert(entry.key().clone());
            if is_weak {
                marks.push(alike(&entry.fields));
            }
            for mark in marks {
                self.own.entry(mark.hash).or_insert(number);
            }
        } else {
            self.other_keys.insert(entry.key().clone());
            for mark in marks {
                let stands_apart = entry.stands_apart() && mark.code != Code::SharedApolloId;
                self.held.entry(mark.hash).or_insert(Held::new(Holder::Entry(number), stands_apart));
            }
        }
    }

    /// Finds the entry that a person has in a file that is made again: by the id first, then by e-mail, then by name; an
    /// entry with another id is somebody else.
    pub(super) fn own_entry(&self, marks: &[Clash], apollo_id: Option<&ApolloId>) -> Option<&Known> {
        let known = marks.iter().filter_map(|mark| Some(&self.known[*self.own.get(&mark.hash)? as usize]));
        let is_other =
            |known: &&Known| apollo_id.zip(known.apollo_id.as_ref()).is_some_and(|(one, other)| one != other);
        known.into_iter().find(|known| !is_other(known))
    }

    /// Finds who holds one of these already, if that rules the new one out.
    pub(super) fn clash(&self, marks: &[Clash], stands_apart: bool) -> Option<(Code, Holder)> {
        marks.iter().find_map(|mark| {
            let held = self.held.get(&mark.hash)?;
            let is_shared = held.lets_others && stands_apart && mark.code != Code::SharedApolloId;
            (!is_shared).then_some((mark.code, held.holder()))
        })
    }

    /// Notes who holds these from here on.
    pub(super) fn hold(&mut self, marks: &[Clash], holder: Holder, stands_apart: bool) {
        for mark in marks {
            let lets_others = stands_apart && mark.code != Code::SharedApolloId;
            self.held.entry(mark.hash).or_insert(Held::new(holder, lets_others));
        }
    }

    /// Gives back the memory of what was needed to compare rows.
    pub(super) fn forget_marks(&mut self) {
        (self.held, self.own) = Default::default();
    }
}

/// Lists what no two contacts may share of one, the surest first.
pub(super) fn marks(fields: &Fields, apollo_id: Option<&ApolloId>) -> Vec<Clash> {
    let of_id = apollo_id.map(|id| Clash { code: Code::SharedApolloId, hash: hash(&("id", id.as_str())) });
    of_id.into_iter().chain(clashes(fields)).collect()
}

/// Marks somebody whom nothing tells from others but all that is said.
pub(super) fn alike(fields: &Fields) -> Clash {
    Clash { code: Code::SharedApolloId, hash: hash(&("alike", fields.iter().collect::<Vec<_>>())) }
}

pub(super) fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
