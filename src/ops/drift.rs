//! What has changed in Apollo since it was applied, by whoever's hand.
//!
//! Only looks. Of those who are declared and bound, each field that is managed is compared with what was applied; what
//! was learned on the way may be kept in the state, where it changes no plan.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{ApolloId, Binding, ContactKey, Endpoint, Entry, Merged, Place, Timestamp};
use crate::state::{self, Change, Snapshot};

use super::account::Account;
use super::apply::line::Failure;
use super::problem::refused_for_all;
use super::refresh::compare::{self, FieldDrift};
use super::refresh::{Asked, Halt, Refreshed, Sighting, refresh};
use super::seen::AskedFor;
use super::viewer::Sees;
use super::{Desired, LoadError, Problem, ProblemKind, Session, SessionOptions, Viewer, knowledge};

/// What has changed in Apollo since it was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drift {
    /// Those that differ, sorted by key.
    pub contacts: Vec<Drifted>,
    /// How many contacts were compared, those that differ among them.
    pub compared: usize,
    /// How many fields differ that the entries say to leave alone.
    pub ignored: usize,
    /// Fields that were changed to what the files declare by now: nothing is to be shown or restored.
    pub(super) settled: Vec<(ContactKey, Vec<FieldDrift>)>,
    /// Contacts of which it is not known how they stand, with why.
    pub unknown: Vec<(Place, ApolloId, String)>,
}

/// A contact that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drifted {
    pub place: Place,
    pub id: ApolloId,
    /// When it was changed last, by Apollo's clock; where that is told.
    pub since: Option<Timestamp>,
    pub change: DriftChange,
    /// What tells people who it is.
    pub entry: Entry,
}

/// What became of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftChange {
    /// Some fields hold something else.
    Fields(Vec<FieldDrift>),
    /// It was deleted.
    Gone,
    /// It was merged into another one.
    Merged(ApolloId),
}

/// A drift with what was learned of the account on the way.
pub struct Found {
    pub drift: Drift,
    account: Option<Account>,
}

/// Why nothing can be said.
#[derive(Debug)]
pub enum DriftError {
    Load(LoadError),
    /// The run was asked to end, or why was told before.
    Ended,
    Problem(Box<Problem>),
}

impl From<Halt> for DriftError {
    fn from(Halt { endpoint, failure }: Halt) -> Self {
        match failure {
            Failure::Refused(error) | Failure::InDoubt(error) => {
                Self::Problem(Box::new(refused_for_all(endpoint, &error)))
            }
            Failure::Store(error) => Self::Problem(ProblemKind::CannotWrite(super::chain(&error)).into()),
            Failure::Stopped | Failure::Stale | Failure::Barred | Failure::Out => Self::Ended,
        }
    }
}

/// Finds what has changed of those that `desired` declares and `snapshot` has bound; a snapshot of everything, with what
/// is known of the account.
pub async fn drift(viewer: &Viewer, desired: &Desired, snapshot: &Snapshot) -> Result<Found, DriftError> {
    find(viewer, desired, snapshot).await
}

impl Session {
    /// The same, by the one writer of the state; keeps there what it learns.
    pub async fn drift(&self, desired: &Desired, snapshot: &Snapshot) -> Result<Drift, DriftError> {
        let Found { drift, account } = find(&self.access, desired, snapshot).await?;
        if let Some(mut account) = account {
            let store_failed = |error| Halt { endpoint: Endpoint::SearchContacts, failure: Failure::Store(error) };
            knowledge::save(self.store(), &mut account).await.map_err(store_failed)?;
            self.knows(account).await;
        }
        Ok(drift)
    }
}

impl Session {
    /// Notes in the state who is not in Apollo any more, so that a person decides about them, and what Apollo holds as the
    /// files declare it by now.
    pub async fn note_found(&self, drift: &Drift) -> Result<(), state::Error> {
        for (key, fields) in &drift.settled {
            let Some(binding) = self.store().binding(key).await? else { continue };
            let binding = Box::new(compare::as_found(&binding, fields));
            self.store().commit(vec![Change::PutBinding { key: key.clone(), binding }]).await?;
        }
        for Drifted { place, change, .. } in &drift.contacts {
            let (DriftChange::Gone | DriftChange::Merged(_)) = change else { continue };
            let Some(mut binding) = self.store().binding(&place.key).await? else { continue };
            let mut owners = BTreeMap::new();
            if let DriftChange::Merged(survivor) = change
                && let Some(owner) = self.store().owner_of(survivor).await?
            {
                owners.insert(survivor.clone(), owner);
            }
            mark(&mut binding, change, &owners, self.now());
            binding.fingerprint = None;
            let change = Change::PutBinding { key: place.key.clone(), binding: Box::new(binding) };
            self.store().commit(vec![change]).await?;
        }
        Ok(())
    }
}

async fn find(seer: &impl Sees, desired: &Desired, snapshot: &Snapshot) -> Result<Found, DriftError> {
    desired.everyone().map_err(DriftError::Load)?;
    let entries = desired.entries(snapshot.bindings.keys()).map_err(DriftError::Load)?;
    let bound = || entries.iter().map(|(key, entry)| (entry, &snapshot.bindings[key]));
    let asked_for = |entry: &Entry, binding: &Binding| {
        let declared = entry.fields.iter().chain(binding.applied.iter());
        AskedFor { fields: declared.map(|(field, _)| field.clone()).collect(), applied_at: binding.applied_at }
    };
    let asked: Asked = bound().map(|(entry, binding)| (binding.apollo_id.clone(), asked_for(entry, binding))).collect();
    if asked.is_empty() {
        return Ok(Found { drift: Drift::default(), account: None });
    }
    let parts: Vec<String> = snapshot.account.values().cloned().collect();
    let account = Account::load(snapshot.identity_key, &parts);
    let Refreshed { account, sightings } = refresh(seer, account, snapshot.identity_key, &asked).await?;
    let is_gone = |sighting: &Sighting| matches!(sighting, Sighting::Gone);
    if sightings.len() > 1 && sightings.values().all(is_gone) {
        // The account would hardly have lost all of them; the credential may see another one.
        return Err(DriftError::Problem(ProblemKind::NobodyThere { contacts: sightings.len() }.into()));
    }
    let mut drift = Drift::default();
    for (entry, binding) in bound() {
        drift.take(entry, binding, &sightings);
    }
    Ok(Found { drift, account })
}

impl Drift {
    /// Reports whether nothing has changed.
    pub fn is_none(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Counts the contacts that have changed, and those that are not there any more.
    pub fn counts(&self) -> (usize, usize) {
        let changed = self.contacts.iter().filter(|drifted| matches!(drifted.change, DriftChange::Fields(_))).count();
        (changed, self.contacts.len() - changed)
    }

    /// Lists what should be known beside it.
    pub fn warnings(&self) -> Vec<Problem> {
        let told = |(place, id, why): &(Place, ApolloId, String)| {
            ProblemKind::NotSeen { id: id.clone(), why: why.clone() }.at(place, None)
        };
        self.unknown.iter().map(told).collect()
    }

    fn take(&mut self, entry: &Entry, binding: &Binding, sightings: &BTreeMap<ApolloId, Sighting>) {
        let id = &binding.apollo_id;
        let (since, change) = match sightings.get(id) {
            Some(Sighting::Seen(seen)) => {
                let found = compare::drift(entry, binding, &seen.contact(id), &seen.derived);
                let (settled, mut fields): (Vec<_>, Vec<_>) = found.into_iter().partition(FieldDrift::is_as_declared);
                if !settled.is_empty() {
                    self.settled.push((entry.key().clone(), settled));
                }
                let found = fields.len();
                fields.retain(|drifted| !entry.ignores(&drifted.field));
                self.ignored += found - fields.len();
                (seen.updated_at, (!fields.is_empty()).then_some(DriftChange::Fields(fields)))
            }
            Some(Sighting::Gone) => (None, Some(DriftChange::Gone)),
            Some(Sighting::Merged(survivor)) => (None, Some(DriftChange::Merged(survivor.clone()))),
            Some(Sighting::Unknown(why)) => {
                self.unknown.push((entry.place.clone(), id.clone(), why.clone()));
                return;
            }
            None => return,
        };
        self.compared += 1;
        if let Some(change) = change {
            self.contacts.push(Drifted {
                place: entry.place.clone(),
                id: id.clone(),
                since,
                change,
                entry: entry.clone(),
            });
        }
    }
}

/// Keeps in the state what was learned of the account, where nobody else writes it now; whatever keeps it from that
/// costs requests the next time and nothing else.
pub async fn keep(found: Found, options: SessionOptions, snapshot: &Snapshot) {
    let Some(mut account) = found.account else { return };
    let options = SessionOptions { client: None, runtime_directory: None, lock_timeout: Duration::ZERO, ..options };
    let session = match Session::open(options).await {
        Ok(session) => session,
        Err(error) => return tracing::debug!(%error, "what was seen of the account is not kept"),
    };
    let kept = async {
        let is_the_same = session.store().head().await?.is_some_and(|(head, _)| head.lineage == snapshot.lineage);
        if is_the_same {
            knowledge::save(session.store(), &mut account).await?;
        }
        session.close().await
    };
    if let Err(error) = kept.await {
        tracing::debug!(%error, "what was seen of the account is not kept");
    }
}

/// Returns a snapshot for `desired` as it would be if what Apollo holds now had been applied: a plan made from it restores
/// the files.
///
/// Nothing of it is in the state. The snapshot is one of everything.
pub fn as_found(desired: &Desired, snapshot: Snapshot, drift: &Drift, now: Timestamp) -> Result<Snapshot, LoadError> {
    let roster = &desired.everyone()?.roster;
    let unbound = desired.keys()?.into_iter().filter(|key| !snapshot.bindings.contains_key(key)).collect();
    let mut found = Snapshot { unbound, account: BTreeMap::new(), ..snapshot };
    let drifted: BTreeMap<&ContactKey, &DriftChange> =
        drift.contacts.iter().map(|drifted| (&drifted.place.key, &drifted.change)).collect();
    for (key, fields) in &drift.settled {
        if let Some(binding) = found.bindings.get_mut(key) {
            *binding = compare::as_found(binding, fields);
        }
    }
    let owners: BTreeMap<ApolloId, ContactKey> =
        found.bindings.iter().map(|(key, binding)| (binding.apollo_id.clone(), key.clone())).collect();
    let before = found.bindings.len();
    found.bindings.retain(|key, binding| match drifted.get(key) {
        Some(DriftChange::Fields(fields)) => {
            *binding = compare::as_found(binding, fields);
            true
        }
        Some(change) => {
            mark(binding, change, &owners, now);
            true
        }
        None => !roster.fingerprint(key).is_some_and(|declared| binding.stands_as(Some(declared))),
    });
    found.unchanged += before - found.bindings.len();
    Ok(found)
}

/// Notes that a contact is not there any more.
fn mark(binding: &mut Binding, change: &DriftChange, owners: &BTreeMap<ApolloId, ContactKey>, now: Timestamp) {
    match change {
        DriftChange::Fields(_) => {}
        DriftChange::Gone => binding.gone_at = binding.gone_at.or(Some(now)),
        DriftChange::Merged(survivor) => {
            let owner = owners.get(survivor).cloned();
            binding.merged_into.get_or_insert(Merged { survivor: survivor.clone(), owner });
        }
    }
}
