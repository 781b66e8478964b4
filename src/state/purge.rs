//! Which rows of a state tell of one person, and what is left of the others.
//!
//! Pure: a row in, what is kept of it out.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec;
use super::error::Error;
use super::location::Location;
use super::row::Row;
use crate::model::{ApolloId, Binding, Conflict, ConflictCause, ContactKey, Intent, Tombstone};

/// A key that is to leave no trace, with the contacts that it had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Purge {
    key: ContactKey,
    ids: BTreeSet<ApolloId>,
}

impl Purge {
    pub(crate) fn of(key: &ContactKey) -> Self {
        Self { key: key.clone(), ids: BTreeSet::new() }
    }

    /// Notes which contacts the key had, by a row; every row has to be noted before any is asked about.
    pub(crate) fn note(&mut self, state: &Location, row: &Row, value: &[u8]) -> Result<(), Error> {
        match row {
            Row::Binding(key) if *key == self.key => {
                self.ids.insert(codec::decode::<Binding>(state, value)?.apollo_id);
            }
            Row::Tombstone(key) if *key == self.key => {
                self.ids.insert(codec::decode::<Tombstone>(state, value)?.apollo_id);
            }
            Row::Intent(_) => {
                let intent: Intent = codec::decode(state, value)?;
                if intent.key == self.key {
                    self.ids.extend(intent.apollo_id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns what is kept of a row; `None` where nothing is.
    pub(crate) fn kept(&self, state: &Location, row: &Row, value: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match row {
            Row::Binding(key) | Row::Tombstone(key) | Row::Spent(key) if *key == self.key => Ok(None),
            Row::Binding(_) => changed(state, value, |binding: &mut Binding| {
                let merged = binding.merged_into.as_mut().filter(|merged| merged.owner.as_ref() == Some(&self.key));
                merged.is_some_and(|merged| merged.owner.take().is_some())
            }),
            Row::Owner(id) if self.ids.iter().any(|known| known.as_str().eq_ignore_ascii_case(id)) => Ok(None),
            Row::Intent(_) => {
                let intent: Intent = codec::decode(state, value)?;
                if intent.key == self.key {
                    return Ok(None);
                }
                changed(state, value, |intent: &mut Intent| {
                    let before = (intent.there_before.len(), intent.unpaired.len());
                    intent.there_before.retain(|id| !self.ids.contains(id));
                    intent.unpaired.retain(|id| !self.ids.contains(id));
                    before != (intent.there_before.len(), intent.unpaired.len())
                })
            }
            Row::Conflict(_) => {
                let conflict: Conflict = codec::decode(state, value)?;
                Ok((!self.is_about(&conflict)).then(|| value.to_vec()))
            }
            Row::Account(_) => {
                let text: String = codec::decode(state, value)?;
                Ok(Some(self.account(&text).map_or_else(|| value.to_vec(), |text| codec::encode(&text))))
            }
            _ => Ok(Some(value.to_vec())),
        }
    }

    /// Reports whether a conflict names the key or one of its contacts; what stands in the way is met again.
    fn is_about(&self, conflict: &Conflict) -> bool {
        let names = match &conflict.cause {
            ConflictCause::Collision { other, .. } => *other == self.key,
            ConflictCause::Namesakes { ids } | ConflictCause::Several { ids } => {
                ids.iter().any(|id| self.ids.contains(id))
            }
            ConflictCause::Stranger | ConflictCause::UnseenMatch => false,
        };
        names || conflict.key == self.key || self.ids.contains(&conflict.apollo_id)
    }

    /// Takes the hashes of the contacts out of a part of what is known of the account: a list of pairs, an id first.
    fn account(&self, text: &str) -> Option<String> {
        let mut part: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
        let before = part.len();
        part.retain(|pair| {
            let id = pair.get(0).and_then(serde_json::Value::as_str);
            id.is_none_or(|id| !self.ids.iter().any(|known| known.as_str().eq_ignore_ascii_case(id)))
        });
        (part.len() < before).then(|| serde_json::to_string(&part).expect("values are JSON"))
    }
}

/// Returns the value as it is, or as `change` made it where that says so.
fn changed<T: DeserializeOwned + Serialize>(
    state: &Location,
    value: &[u8],
    change: impl FnOnce(&mut T) -> bool,
) -> Result<Option<Vec<u8>>, Error> {
    let mut read: T = codec::decode(state, value)?;
    Ok(Some(if change(&mut read) { codec::encode(&read) } else { value.to_vec() }))
}
