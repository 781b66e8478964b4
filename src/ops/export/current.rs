//! Entries as Apollo has them now, so that what people have changed there can be taken into the files.
//!
//! Only looks. What Apollo makes of a value, and what it does not show, stands as it is declared.

use std::collections::BTreeMap;

use super::super::account::Account;
use super::super::refresh::compare::{Standing, standing};
use super::super::refresh::{Asked, Sighting, asked, refresh};
use super::super::seen::AskedFor;
use super::super::targeting::nearest_key;
use super::super::{Desired, DriftError, ProblemKind, Unseen, Viewer};
use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Entry, Field, Fields, PackedBinding, Value, fold_text};
use crate::plan::KeyPattern;
use crate::source::{Rest, Unfit, Written};
use crate::state::Snapshot;

/// Entries as Apollo has them.
#[derive(Debug, Default)]
pub struct Current {
    /// Sorted by key.
    pub entries: Vec<Written>,
    /// Fields that stand as they are declared, since Apollo does not show them.
    pub unshown: Vec<(ContactKey, Field)>,
    /// Values that a file cannot hold.
    pub unfit: Vec<(ContactKey, Unfit)>,
    /// Contacts that Apollo does not show.
    pub missing: Vec<(ContactKey, Missing)>,
}

/// Why there is nothing to say of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// It is not bound to a contact, and has no `apollo_id`.
    Unbound,
    Gone(ApolloId),
    Merged {
        id: ApolloId,
        survivor: ApolloId,
    },
    Unseen {
        id: ApolloId,
        why: Unseen,
    },
}

/// So few contacts are looked at without asking what has changed, which may show late.
const FEW: usize = 3;

/// Looks how Apollo has the entries that patterns mean; the credential was proven.
///
/// The snapshot is one to refresh by; what is known of the account is taken out of it.
pub async fn current(
    viewer: &Viewer,
    desired: &Desired,
    snapshot: &mut Snapshot,
    patterns: &[KeyPattern],
) -> Result<Current, DriftError> {
    let entries = meant(desired, patterns)?;
    let parts = std::mem::take(&mut snapshot.account).into_values();
    let id_of = |entry: &Entry| {
        let bound = snapshot.packed.get(entry.key()).map(PackedBinding::apollo_id);
        bound.or_else(|| entry.apollo_id.clone())
    };
    let asked: Asked = asked(entries.iter().filter_map(|entry| Some((id_of(entry)?, AskedFor::of_entry(entry)))));
    let account = if asked.len() > FEW { Account::load(snapshot.identity_key, parts) } else { None };
    let sightings = if asked.is_empty() {
        BTreeMap::new()
    } else {
        refresh(viewer, account, snapshot.identity_key, &asked, false).await?.sightings
    };
    let mut current = Current::default();
    for entry in &entries {
        let missing = match id_of(entry).map(|id| (sightings.get(&id), id)) {
            Some((Some(Sighting::Seen(seen)), id)) => {
                current.take(entry, &seen.unpack().contact(&id));
                continue;
            }
            Some((Some(Sighting::Gone), id)) => Missing::Gone(id),
            Some((Some(Sighting::Merged(survivor)), id)) => Missing::Merged { id, survivor: survivor.clone() },
            Some((Some(Sighting::Unknown(why)), id)) => Missing::Unseen { id, why: why.clone() },
            Some((None, id)) => Missing::Unseen { id, why: Unseen::NotShown },
            None => Missing::Unbound,
        };
        current.missing.push((entry.key().clone(), missing));
    }
    Ok(current)
}

/// Lists the entries that patterns mean; each has to mean one.
fn meant(desired: &Desired, patterns: &[KeyPattern]) -> Result<Vec<Entry>, DriftError> {
    let keys = desired.keys().map_err(DriftError::Load)?;
    for pattern in patterns {
        if !keys.iter().any(|key| pattern.matches(key)) {
            let problem = match pattern.key() {
                Some(key) => ProblemKind::NotDeclared { nearest: nearest_key(&key, &keys), key },
                None => ProblemKind::NothingDeclaredMatches(pattern.to_string()),
            };
            return Err(DriftError::Problem(problem.into()));
        }
    }
    let keys: Vec<ContactKey> =
        keys.into_iter().filter(|key| patterns.iter().any(|pattern| pattern.matches(key))).collect();
    Ok(desired.entries(&keys).map_err(DriftError::Load)?.into_values().collect())
}

impl Current {
    fn take(&mut self, entry: &Entry, contact: &Contact) {
        let mut fields = Fields::default();
        for (field, declared) in entry.fields.iter() {
            match declared {
                Value::Lists(lists) => {
                    if let Some(names) = &contact.label_names {
                        let is_on = |list: &&String| names.iter().any(|name| fold_text(name) == fold_text(list));
                        fields.set(field.clone(), Value::Lists(lists.iter().filter(is_on).cloned().collect()));
                    } else {
                        self.unshown.push((entry.key().clone(), field.clone()));
                        fields.set(field.clone(), declared.clone());
                    }
                }
                Value::Text(_) => {
                    let standing = standing(field, declared, contact);
                    if standing == Standing::Unsaid {
                        self.unshown.push((entry.key().clone(), field.clone()));
                    }
                    let now = (standing == Standing::Differs).then(|| Value::from(&*now(field, contact)));
                    fields.set(field.clone(), now.unwrap_or_else(|| declared.clone()));
                }
            }
        }
        let rest =
            Rest { run_dedupe: entry.run_dedupe, moved_from: entry.moved_from.clone(), ignored: entry.ignored.clone() };
        let apollo_id = entry.apollo_id.clone();
        let mut written = Written { fields, apollo_id, rest, ..Written::of(entry.key().clone()) };
        self.unfit.extend(written.fit().into_iter().map(|unfit| (entry.key().clone(), unfit)));
        self.entries.push(written);
    }
}

/// Returns what a contact shows for a field; nothing where it has none.
fn now(field: &Field, contact: &Contact) -> String {
    if field.is_phone() {
        let phone = contact.phones.iter().find(|phone| phone.field() == *field);
        return phone.map_or_else(String::new, |phone| {
            if phone.raw.trim().is_empty() { phone.sanitized.clone().unwrap_or_default() } else { phone.raw.clone() }
        });
    }
    contact.readable.text(field).unwrap_or_default().to_owned()
}
