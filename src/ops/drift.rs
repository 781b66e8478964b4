//! What has changed in Apollo since it was applied.
//!
//! Only reads. Compares each managed field of declared and bound contacts with what was applied. What was read may be kept in
//! the state, where it changes no plan.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::time::Duration;

use crate::apollo::{Contact, PER_PAGE, SearchPage};
use crate::model::{
    ApolloId, Binding, ContactKey, Endpoint, Entry, Field, Found as InApollo, Merged, PackedEntry, Timestamp,
    fold_email, mailbox,
};
use crate::state::{self, Change, Snapshot};

use super::account::{Account, By};
use super::apply::line::Failure;
use super::apply::outcome::confirm;
use super::apply::outcome::sight::{Sight, Wanted, namesakes};
use super::drifted::{Drift, DriftChange, Drifted, FieldDrift, Refreshing};
use super::problem::refused_for_all;
use super::refresh::compare;
use super::refresh::{Asked, Halt, Refreshed, Sighting, asked, refresh};
use super::seen::AskedFor;
use super::sees::Sees;
use super::sweep;
use super::{Desired, Event, LoadError, Problem, ProblemKind, Session, SessionOptions, Viewer, knowledge};

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

/// Finds what has changed of those that `desired` declares and `snapshot` has bound; a snapshot to refresh by.
///
/// What is known of the account is taken out of the snapshot.
pub async fn drift(viewer: &Viewer, desired: &Desired, snapshot: &mut Snapshot) -> Result<Found, DriftError> {
    find(viewer, desired, snapshot, false).await
}

/// The same, and which declared entries without a contact have one in the account.
pub async fn drift_and_new(viewer: &Viewer, desired: &Desired, snapshot: &mut Snapshot) -> Result<Found, DriftError> {
    find(viewer, desired, snapshot, true).await
}

impl Session {
    /// The same with entries that are not bound, by the writer of the state; keeps what it reads in the state.
    pub async fn drift(&self, desired: &Desired, snapshot: &mut Snapshot) -> Result<Drift, DriftError> {
        let Found { drift, account } = find(&self.access, desired, snapshot, true).await?;
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
        for key in &drift.back {
            let Some(mut binding) = self.store().binding(key).await? else { continue };
            (binding.gone_at, binding.fingerprint) = (None, None);
            let binding = Box::new(binding);
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

async fn find(
    seer: &impl Sees,
    desired: &Desired,
    snapshot: &mut Snapshot,
    with_new: bool,
) -> Result<Found, DriftError> {
    desired.everyone().map_err(DriftError::Load)?;
    let account = std::mem::take(&mut snapshot.account);
    let snapshot = &*snapshot;
    let entries = desired.entries_at_rest(snapshot.packed.keys()).map_err(DriftError::Load)?;
    // One after the other: as they are worked with they take many times as much memory.
    let bound = || entries.iter().map(|(key, entry)| (entry.unpack(), snapshot.packed[key].unpack()));
    let asked_for = |(entry, binding): (Entry, Binding)| {
        let declared = entry.fields.iter().chain(binding.applied.iter());
        let fields: BTreeSet<Field> = declared.map(|(field, _)| field.clone()).collect();
        (binding.apollo_id, AskedFor { fields: fields.into(), applied_at: binding.applied_at })
    };
    let asked: Asked = asked(bound().map(asked_for));
    let new = if with_new { new_entries(desired, snapshot).map_err(DriftError::Load)? } else { Vec::new() };
    if asked.is_empty() && new.is_empty() {
        return Ok(Found { drift: Drift::default(), account: None });
    }
    let account = Account::load(snapshot.identity_key, account.into_values());
    let Refreshed { mut account, sightings } =
        refresh(seer, account, snapshot.identity_key, &asked, !new.is_empty()).await?;
    if let Some(account) = &mut account {
        account.forget_values_unless(|id| asked.contains_key(id));
    }
    drop(asked);
    let is_gone = |sighting: &Sighting| matches!(sighting, Sighting::Gone);
    if sightings.len() > 1 && sightings.values().all(is_gone) {
        // The account would hardly have lost all of them; the credential may see another one.
        return Err(DriftError::Problem(ProblemKind::NobodyThere { contacts: sightings.len() }.into()));
    }
    let mut drift = Drift::default();
    for (entry, binding) in bound() {
        drift.take(&entry, &binding, &sightings);
    }
    drop(sightings);
    if let Some(account) = &account {
        drift.found = in_apollo(seer, account, &new, snapshot).await?;
    }
    Ok(Found { drift, account })
}

/// Returns the entries that would be created and may be in the account already, as far as an account tells.
fn new_entries(desired: &Desired, snapshot: &Snapshot) -> Result<Vec<PackedEntry>, LoadError> {
    let unbound: Vec<ContactKey> = desired.keys()?.into_iter().filter(|key| !snapshot.is_bound(key)).collect();
    let open: BTreeSet<&ContactKey> = snapshot.intents.values().map(|intent| &intent.key).collect();
    let may_be_there = |(key, entry): &(ContactKey, PackedEntry)| {
        let is_open =
            snapshot.conflicts.contains_key(key) || snapshot.tombstones.contains_key(key) || open.contains(key);
        if is_open || entry.apollo_id().is_some() {
            return false;
        }
        let entry = entry.unpack();
        email(&entry).is_some() || !Wanted::of(&entry.fields, entry.run_dedupe).marks().is_empty()
    };
    let entries = desired.entries_at_rest(&unbound)?.into_iter().filter(may_be_there);
    Ok(entries.map(|(_, entry)| entry).collect())
}

fn email(entry: &Entry) -> Option<String> {
    entry.fields.text(&Field::Email).map(fold_email).filter(|email| !email.is_empty())
}

/// Views the contacts of the account that have the e-mails or names of entries that are not bound.
async fn in_apollo(
    seer: &impl Sees,
    account: &Account,
    new: &[PackedEntry],
    snapshot: &Snapshot,
) -> Result<BTreeMap<ContactKey, InApollo>, DriftError> {
    let owned: BTreeSet<ApolloId> = if new.is_empty() { BTreeSet::new() } else { snapshot.contacts().collect() };
    let free = |ids: Vec<ApolloId>| -> Vec<ApolloId> { ids.into_iter().filter(|id| !owned.contains(id)).collect() };
    let candidates = new.iter().map(|entry| {
        let entry = entry.unpack();
        let wanted = Wanted::of(&entry.fields, entry.run_dedupe);
        let by_email = email(&entry).map(|email| account.find([By::Mailbox(&mailbox(&email))])).unwrap_or_default();
        let by_name = if wanted.looks_by_name() { account.find(wanted.marks()) } else { Vec::new() };
        let (by_email, by_name) = (free(by_email), free(by_name));
        (entry, by_email, by_name)
    });
    let candidates = candidates.filter(|(_, by_email, by_name)| !by_email.is_empty() || !by_name.is_empty());
    let candidates: Vec<_> = candidates.collect();
    let ids: BTreeSet<&ApolloId> =
        candidates.iter().flat_map(|(_, by_email, by_name)| by_email.iter().chain(by_name)).collect();
    let contacts = contacts_of(seer, account, &ids).await?;
    let shown = |ids: &[ApolloId]| -> Vec<Contact> { ids.iter().filter_map(|id| contacts.get(id)).cloned().collect() };
    let mut found = BTreeMap::new();
    for (entry, by_email, by_name) in &candidates {
        let wanted = Wanted::of(&entry.fields, entry.run_dedupe);
        let sight = match wanted.by_email(&shown(by_email)) {
            Sight::Nobody => namesakes(shown(by_name).iter().filter(|contact| wanted.is_namesake(contact))),
            sight => sight,
        };
        let in_apollo = match sight {
            Sight::SamePerson(id) => one(entry, &contacts[&id]),
            Sight::Several(ids) => InApollo::Several(ids),
            Sight::Namesakes(ids) => InApollo::Namesakes(ids),
            Sight::Nobody | Sight::Owned(..) | Sight::MayNotSearch => continue,
        };
        found.insert(entry.key().clone(), in_apollo);
    }
    Ok(found)
}

/// Reads contacts of the account, by a view each or by pages of everybody, whichever is fewer; those are left out that are
/// not there any more.
async fn contacts_of(
    seer: &impl Sees,
    account: &Account,
    ids: &BTreeSet<&ApolloId>,
) -> Result<BTreeMap<ApolloId, Contact>, Halt> {
    let mut contacts: BTreeMap<ApolloId, Contact> = BTreeMap::new();
    let pages = account.len().div_ceil(PER_PAGE as usize);
    if ids.len() > pages {
        seer.line().tell(Event::Refreshing(Refreshing::Pages(pages)));
        let meet = |page: &SearchPage| {
            let meant = page.contacts.iter().filter(|contact| !contact.person_deleted && ids.contains(&contact.id));
            contacts.extend(meant.map(|contact| (contact.id.clone(), contact.clone())));
            ControlFlow::Continue(())
        };
        let halt = |failure| Halt { endpoint: Endpoint::SearchContacts, failure };
        sweep::everyone(seer, meet).await.map_err(halt)?;
    }
    let unseen: Vec<&ApolloId> = ids.iter().copied().filter(|id| !contacts.contains_key(id)).collect();
    if !unseen.is_empty() {
        seer.line().tell(Event::Refreshing(Refreshing::Views(unseen.len())));
    }
    for id in unseen {
        match seer.view(id).await {
            Ok(contact) if contact.id == *id && !contact.person_deleted => drop(contacts.insert(id.clone(), contact)),
            // Somebody else by now, or nobody.
            Ok(_) | Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(Halt { endpoint: Endpoint::ViewContact, failure }),
        }
    }
    Ok(contacts)
}

fn one(entry: &Entry, contact: &Contact) -> InApollo {
    let text = |field: Field| contact.readable.text(&field).unwrap_or_default().trim().to_owned();
    let name = [text(Field::FirstName), text(Field::LastName)].join(" ").trim().to_owned();
    let observed = confirm::observed(&entry.fields, contact);
    InApollo::One { id: contact.id.clone(), observed, name, company: text(Field::OrganizationName) }
}

impl Drift {
    fn take(&mut self, entry: &Entry, binding: &Binding, sightings: &BTreeMap<ApolloId, Sighting>) {
        let id = &binding.apollo_id;
        let (since, change) = match sightings.get(id) {
            Some(Sighting::Seen(seen)) => {
                let seen = seen.unpack();
                if binding.gone_at.is_some() {
                    self.back.insert(entry.key().clone());
                }
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
/// costs requests the next time and nothing else. Returns what has changed.
pub async fn keep(found: Found, options: SessionOptions, snapshot: &Snapshot) -> Drift {
    let Found { drift, account } = found;
    if let Some(account) = account {
        keep_account(account, options, snapshot).await;
    }
    drift
}

async fn keep_account(mut account: Account, options: SessionOptions, snapshot: &Snapshot) {
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
/// Nothing of it is in the state. The snapshot is one to refresh by.
pub fn as_found(desired: &Desired, snapshot: Snapshot, drift: &Drift, now: Timestamp) -> Result<Snapshot, LoadError> {
    let roster = &desired.everyone()?.roster;
    let unbound = desired.keys()?.into_iter().filter(|key| !snapshot.is_bound(key)).collect();
    let drifted: BTreeMap<&ContactKey, &DriftChange> =
        drift.contacts.iter().map(|drifted| (&drifted.place.key, &drifted.change)).collect();
    let settled: BTreeMap<&ContactKey, &Vec<FieldDrift>> =
        drift.settled.iter().map(|(key, fields)| (key, fields)).collect();
    let has_merged = drifted.values().any(|change| matches!(change, DriftChange::Merged(_)));
    let of_merged = snapshot.packed.iter().filter(|_| has_merged);
    let owners: BTreeMap<ApolloId, ContactKey> =
        of_merged.map(|(key, binding)| (binding.apollo_id(), key.clone())).collect();
    let (mut bindings, mut unchanged) = (BTreeMap::new(), snapshot.unchanged);
    for (key, packed) in snapshot.packed {
        let change = drifted.get(&key);
        if change.is_none() && packed.stands_as(roster.fingerprint(&key)) {
            unchanged += 1;
            continue;
        }
        let mut binding = packed.unpack();
        for fields in settled.get(&key).copied().into_iter().chain(change.and_then(|change| change.fields())) {
            binding = compare::as_found(&binding, fields);
        }
        if let Some(change) = change {
            mark(&mut binding, change, &owners, now);
        }
        if drift.back.contains(&key) {
            binding.gone_at = None;
        }
        bindings.insert(key, binding);
    }
    Ok(Snapshot {
        bindings,
        packed: BTreeMap::new(),
        unchanged,
        unbound,
        account: BTreeMap::new(),
        refreshed: drift.unknown.is_empty(),
        found: drift.found.clone(),
        ..snapshot
    })
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
