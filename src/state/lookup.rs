//! What is read of single rows of a state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::codec;
use super::engine::Rows;
use super::error::Error;
use super::row::{Row, Table};
use crate::model::{ApolloId, Binding, ContactKey, Digest, Endpoint, Intent, NameKind, Names, Serial, Tombstone};

/// The plan that was applied last, of those that were saved or expected.
///
/// A state knows one at a time. Its row follows every write that the plan makes, so that a plan which went half-way is
/// told from one that others have overtaken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRow {
    pub digest: Digest,
    /// The serial after the last write that this plan made.
    pub serial: Serial,
}

/// What the state remembers of saved plans.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct PlanProgress {
    /// `None` when no saved plan was applied, or another apply came after it.
    pub plan: Option<PlanRow>,
    /// The keys whose actions are done, each with its plan; one of an earlier plan means nothing.
    pub spent: BTreeMap<ContactKey, Digest>,
}

/// Returns the key that a contact belongs to.
pub(crate) fn owner_of(rows: &impl Rows, id: &ApolloId) -> Result<Option<ContactKey>, Error> {
    match (rows.read(&Row::owner(id))?, Row::owner_in_capitals(id)) {
        (None, Some(former)) => rows.read(&former),
        (owner, _) => Ok(owner),
    }
}

/// Returns up to `most` of the bindings whose contacts are not known to be gone.
pub(crate) fn some_bindings(rows: &impl Rows, most: usize) -> Result<Vec<Binding>, Error> {
    let bindings = rows.table(Table::Bindings).map(|row| codec::decode(rows.location(), &row?.1));
    bindings
        .filter(|binding: &Result<Binding, _>| binding.as_ref().map_or(true, |it| it.gone_at.is_none()))
        .take(most)
        .collect()
}

/// Reports whether there are creates that were sent and not answered.
pub(crate) fn has_doubts(rows: &impl Rows) -> Result<bool, Error> {
    for row in rows.table(Table::Intents) {
        let intent: Intent = codec::decode(rows.location(), &row?.1)?;
        if intent.is_create_in_doubt() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns up to `most` contacts that are the state's: those of [`some_bindings`], then those that were forgotten.
pub(crate) fn some_contacts(rows: &impl Rows, most: usize) -> Result<Vec<ApolloId>, Error> {
    let mut contacts: Vec<_> = some_bindings(rows, most)?.into_iter().map(|binding| binding.apollo_id).collect();
    let forgotten = rows.table(Table::Tombstones).take(most - contacts.len());
    for row in forgotten {
        contacts.push(codec::decode::<Tombstone>(rows.location(), &row?.1)?.apollo_id);
    }
    Ok(contacts)
}

/// Returns the quota ledgers, as the caller wrote them.
pub(crate) fn quota(rows: &impl Rows) -> Result<BTreeMap<Endpoint, String>, Error> {
    let ledger = |endpoint| Ok(rows.read(&Row::Quota(endpoint))?.map(|ledger| (endpoint, ledger)));
    Endpoint::ALL.into_iter().filter_map(|endpoint| ledger(endpoint).transpose()).collect()
}

/// Returns the parts of what is known of everybody in the account, as the caller wrote them.
pub(crate) fn account(rows: &impl Rows) -> Result<Vec<String>, Error> {
    rows.table(Table::Account).map(|row| codec::decode(rows.location(), &row?.1)).collect()
}

/// Returns the names that Apollo has told.
pub(crate) fn names(rows: &impl Rows) -> Result<Names, Error> {
    let [stages, fields, lists] = NameKind::ALL.map(Row::Names);
    Ok(Names { stages: rows.read(&stages)?, fields: rows.read(&fields)?, lists: rows.read(&lists)? })
}

/// Reports whether there are neither intents nor conflicts.
pub(crate) fn is_quiet(rows: &impl Rows) -> bool {
    [Table::Intents, Table::Conflicts].into_iter().all(|table| rows.table(table).next().is_none())
}

/// Returns what is remembered of saved plans.
pub(crate) fn plan_progress(rows: &impl Rows) -> Result<PlanProgress, Error> {
    let mut progress = PlanProgress { plan: rows.read(&Row::Plan)?, ..PlanProgress::default() };
    for row in rows.table(Table::Spent) {
        if let (Row::Spent(key), value) = row? {
            progress.spent.insert(key, codec::decode(rows.location(), &value)?);
        }
    }
    Ok(progress)
}
