//! An account, or a part of it, as contact files: who goes into which, and what the state keeps so that binding them
//! takes no look at each.
//!
//! Only looks at Apollo, and writes no file.

mod arrange;
mod current;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

pub use arrange::Omission;
pub use current::{Current, Missing, current};

use arrange::{Arranged, Files, There, arrange};

use super::account::Account;
use super::apply::line::Failure;
use super::credential::names_by_id;
use super::drifted::Refreshing;
use super::format::FormatError;
use super::generated::{self, Placed, Wanted};
use super::refresh::Halt;
use super::seen::AskedFor;
use super::split::{Split, slug};
use super::{Desired, DriftError, Event, LoadError, Session, knowledge, sweep};
use crate::apollo::{Contact, SearchPage};
use crate::beneath::Root;
use crate::model::{ApolloId, ContactKey, Endpoint, Field, NameKind, Names, PackedBinding, Timestamp};
use crate::source::{Written, contact_file};
use crate::state::Snapshot;

/// The directory that the files are for.
#[derive(Debug, Clone, Copy)]
pub struct Into<'r> {
    pub root: &'r Root,
    /// Whether files that were edited are ours as well.
    pub even_edited: bool,
}

/// Whom to export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    Everybody,
    /// Who is on the list of this name.
    List(String),
    /// Who is in the stage of this name or id.
    Stage(String),
    /// Whom a search for these words finds.
    Search(String),
}

/// Contacts as they are to stand in files.
#[derive(Debug)]
pub struct Export {
    pub files: Files,
    /// Who is in no file, or not with everything.
    pub omitted: Vec<Omission>,
    /// How many contacts were selected.
    pub selected: usize,
    /// How many contacts the account has that were not met, where it tells.
    pub missed: u64,
    /// The keys that each file declares that contactsd made before.
    pub declared: BTreeMap<PathBuf, BTreeSet<ContactKey>>,
}

impl Export {
    /// Compares the files with those below `root`. Nothing is written.
    ///
    /// Stages and custom fields stand by their `names` as far as these are known.
    pub fn compared(&self, root: &Root, names: &Names) -> Result<Vec<Placed>, FormatError> {
        let compare = |(name, contacts): (&PathBuf, &Vec<Written>)| {
            let keys: BTreeSet<&ContactKey> = contacts.iter().map(|contact| &contact.key).collect();
            let declared = self.declared.get(name).into_iter().flatten();
            let lost = declared.filter(|key| !keys.contains(key)).cloned().collect();
            let text = contact_file(contacts, names);
            let body = Box::new(move |out: &mut dyn Write| out.write_all(text.as_bytes()));
            generated::compare(Some(root), Wanted { name: name.clone(), contacts: contacts.len(), lost, body })
        };
        self.files.iter().map(compare).collect()
    }
}

/// Why there is nothing to export.
#[derive(Debug)]
pub enum ExportError {
    Load(LoadError),
    /// No list or stage has this name; those that there are.
    UnknownName {
        kind: NameKind,
        name: String,
        known: Vec<String>,
    },
    /// Cannot read the lists or stages from Apollo.
    NamesUnknown,
    /// An account of so many contacts is not given as a whole.
    TooMany,
    Looking(DriftError),
}

impl From<Failure> for ExportError {
    fn from(failure: Failure) -> Self {
        Self::Looking(Halt { endpoint: Endpoint::SearchContacts, failure }.into())
    }
}

/// What rows have to have to be selected.
enum Within {
    Everything,
    List(String),
    Stage(String),
}

impl Session {
    /// Reads the selected contacts and arranges them in files for the directory of `desired`.
    ///
    /// What was seen is kept in the state where files are written: values of those who are in files, of others hashes
    /// alone. The credential was proven.
    pub async fn export(
        &self,
        desired: &Desired,
        into: Option<Into<'_>>,
        snapshot: &Snapshot,
        names: &Names,
        selection: &Selection,
        split: Split,
    ) -> Result<Export, ExportError> {
        let within = within(selection, names)?;
        let there = there(desired, into, snapshot)?;
        let mut found: BTreeMap<ApolloId, Contact> = BTreeMap::new();
        let declared_ids: BTreeSet<ApolloId> = there.iter().filter_map(|there| there.id.clone()).collect();
        let (now, mut account) = (self.now(), Account::new(snapshot.identity_key));
        let mut meet = |page: &SearchPage| {
            if page.page == 1 {
                self.tell(Event::Refreshing(Refreshing::Pages(sweep::pages(page))));
            }
            for contact in page.contacts.iter().filter(|contact| !contact.person_deleted) {
                let is_selected = within.holds(contact);
                let is_asked_for = is_selected || declared_ids.contains(&contact.id);
                account.see(contact, is_asked_for.then(|| asked_for(contact, now)).as_ref(), now);
                if is_selected {
                    found.insert(contact.id.clone(), contact.clone());
                }
            }
            ControlFlow::Continue(())
        };
        let (mut missed, mut swept_whole) = (0, None);
        if let Selection::Search(words) = selection {
            for page in 1.. {
                let page = self.access.search(words, page).await?.value;
                found.extend(page.contacts.iter().map(|contact| (contact.id.clone(), contact.clone())));
                if page.is_last() {
                    break;
                }
            }
        } else {
            let swept = sweep::everyone(&self.access, &mut meet).await?.ok_or(ExportError::TooMany)?;
            missed = swept.entries.unwrap_or_default().saturating_sub(account.len() as u64);
            swept_whole = Some(swept).filter(|swept| swept.is_whole);
        }
        let selected = found.len();
        let list_names = names.lists.as_ref().map(|lists| names_by_id(lists.items.clone()));
        let with_lists = |contact: Contact| {
            let lists = lists_of(&contact, list_names.as_ref());
            (contact, lists)
        };
        let contacts = found.into_values().map(with_lists).collect();
        let Arranged { files, omitted } = arrange(contacts, &there, split, &selection.file());
        if let Some(swept) = swept_whole.filter(|_| into.is_some()) {
            let written: BTreeSet<&ApolloId> =
                files.values().flatten().filter_map(|contact| contact.apollo_id.as_ref()).collect();
            account.forget_values_unless(|id| written.contains(id) || declared_ids.contains(id));
            let mut account = account.read_by(swept);
            knowledge::save(self.store(), &mut account).await.map_err(Failure::Store)?;
            self.knows(account).await;
        }
        let mut declared: BTreeMap<PathBuf, BTreeSet<ContactKey>> = BTreeMap::new();
        for there in there.into_iter().filter(|there| there.is_own) {
            declared.entry(there.name).or_default().insert(there.entry.place.key);
        }
        Ok(Export { files, omitted, selected, missed, declared })
    }
}

impl Selection {
    /// Names the file for contacts that nothing puts into another one.
    fn file(&self) -> String {
        match self {
            Self::Everybody => "apollo".to_owned(),
            Self::List(name) => format!("list-{}", slug(name)),
            Self::Stage(name) => format!("stage-{}", slug(name)),
            Self::Search(words) => format!("search-{}", slug(words)),
        }
    }
}

impl Within {
    fn holds(&self, contact: &Contact) -> bool {
        match self {
            Self::Everything => true,
            Self::List(id) => contact.label_ids.iter().flatten().any(|label| label.eq_ignore_ascii_case(id)),
            Self::Stage(id) => contact.readable.text(&Field::ContactStageId) == Some(id),
        }
    }
}

fn within(selection: &Selection, names: &Names) -> Result<Within, ExportError> {
    let unknown = |kind, name: &str, known| ExportError::UnknownName { kind, name: name.to_owned(), known };
    match selection {
        Selection::Everybody | Selection::Search(_) => Ok(Within::Everything),
        Selection::List(name) => {
            let lists = &names.lists.as_ref().ok_or(ExportError::NamesUnknown)?.items;
            let mut of_contacts = lists.iter().filter(|list| list.is_of_contacts());
            let found = of_contacts.clone().find(|list| list.name == *name);
            found.map(|list| Within::List(list.id.clone())).ok_or_else(|| {
                unknown(NameKind::Lists, name, of_contacts.by_ref().map(|list| list.name.clone()).collect())
            })
        }
        Selection::Stage(name) => {
            let stages = &names.stages.as_ref().ok_or(ExportError::NamesUnknown)?.items;
            let by_id = stages.iter().find(|stage| stage.id == *name);
            let found = names.stage(name).ok().or(by_id);
            found
                .map(|stage| Within::Stage(stage.id.clone()))
                .ok_or_else(|| unknown(NameKind::Stages, name, stages.iter().map(|stage| stage.name.clone()).collect()))
        }
    }
}

/// Lists the entries that are there, with the contacts that they are.
fn there(desired: &Desired, into: Option<Into<'_>>, snapshot: &Snapshot) -> Result<Vec<There>, ExportError> {
    let keys = desired.keys().map_err(ExportError::Load)?;
    let entries = desired.entries(&keys).map_err(ExportError::Load)?;
    let mut own: BTreeMap<PathBuf, bool> = BTreeMap::new();
    let there = |(key, entry): (ContactKey, crate::model::Entry)| {
        let bound = snapshot.packed.get(&key).map(PackedBinding::unpack).filter(|binding| binding.gone_at.is_none());
        let id = bound.map(|binding| binding.apollo_id).or_else(|| entry.apollo_id.clone());
        let name = into.and_then(|into| entry.place.path.strip_prefix(into.root.named()).ok());
        let name = name.unwrap_or(&entry.place.path).to_owned();
        let is_own = || into.is_some_and(|into| generated::is_own(into.root, &name, into.even_edited));
        let is_own = *own.entry(name.clone()).or_insert_with(is_own);
        There { entry, id, name, is_own }
    };
    Ok(entries.into_iter().map(there).collect())
}

/// Lists what the lists of a contact are called; `names` are those of all lists, by their ids in small letters.
fn lists_of(contact: &Contact, names: Option<&BTreeMap<String, String>>) -> Vec<String> {
    let Some(names) = names else { return contact.label_names.clone().unwrap_or_default() };
    contact.label_ids.iter().flatten().filter_map(|id| names.get(&id.to_lowercase()).cloned()).collect()
}

/// Returns what a file would declare of a contact.
fn asked_for(contact: &Contact, now: Timestamp) -> AskedFor {
    let (fields, _) = arrange::fields_of(contact, &[]);
    let fields: BTreeSet<Field> = fields.iter().map(|(field, _)| field.clone()).chain([Field::LabelNames]).collect();
    AskedFor { fields: fields.into(), applied_at: now }
}
