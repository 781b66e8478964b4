//! From what is declared and what is known to the plan.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Entry, Field, Fingerprint, Found, Identity, IdentityHash,
    IdentityKey, Intent, IntentId, Lineage, Merged, PackedEntry, Place, Serial, Tombstone,
};

use super::renames::Renames;
use super::{Action, Change, Dispute, Evidence, Housekeeping, Known, Managed, Operation, Plan, Policy, Reason};

/// Everything a plan depends on; read once, before planning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The declared entries that differ from the state, or that an intent or conflict concerns.
    pub entries: BTreeMap<ContactKey, PackedEntry>,
    /// The state's rows of `entries`, and of all keys that are no longer in the files.
    pub bindings: BTreeMap<ContactKey, Binding>,
    /// How many further entries are declared and stand applied exactly so.
    pub unchanged: usize,
    /// Whether the bindings are as Apollo was found to hold them.
    pub refreshed: bool,
    /// The open intents of processes that are gone.
    pub intents: BTreeMap<IntentId, Intent>,
    pub conflicts: BTreeMap<ContactKey, Conflict>,
    pub tombstones: BTreeMap<ContactKey, Tombstone>,
    /// The keys that own the contacts which `entries` name by `apollo_id`.
    pub owners: BTreeMap<ApolloId, ContactKey>,
    /// Whom a look found for keys that are not bound.
    pub found: BTreeMap<ContactKey, Found>,
    /// What is declared now for the other keys of `conflicts`; absent when they are gone.
    pub declared_now: BTreeMap<ContactKey, Fingerprint>,
    pub lineage: Lineage,
    pub serial: Serial,
    pub identity_key: IdentityKey,
}

/// Compares what is declared with what is known and says what to do, sorted by key.
pub fn plan(input: &Input, policy: &Policy) -> Plan {
    plan_beside(input, &BTreeSet::new(), policy).0
}

/// Plans while another process applies: what it is at work on right now is left out, and counted.
///
/// What becomes of those keys is known only when that process is done with them.
pub fn plan_beside(input: &Input, under_way: &BTreeSet<ContactKey>, policy: &Policy) -> (Plan, usize) {
    let view = View::new(input, policy);
    let mut actions = Vec::with_capacity(input.entries.len());
    let mut idle = Vec::new();
    for (key, packed) in &input.entries {
        let declared = Declared::new(key, packed);
        match view.action_for(&declared) {
            Some(action) => actions.push(action),
            None => idle.push((key, packed)),
        }
    }
    actions.extend(view.forgets());
    actions.extend(view.orphaned_creates());
    if !actions.is_sorted_by(|one, other| one.key() <= other.key()) {
        actions.sort_by(|one, other| one.key().cmp(other.key()));
    }
    let planned = actions.len();
    actions.retain(|action| !action.touches(under_way));
    let left_out = planned - actions.len();
    // What an action outside the scope will bring to an end is not over yet.
    let housekeeping = view.housekeeping(&actions, &idle, under_way);
    actions.retain(|action| policy.scope.holds(action));
    let mut plan = Plan {
        lineage: input.lineage.clone(),
        serial: input.serial,
        unchanged: input.unchanged + idle.len(),
        refreshed: input.refreshed,
        brakes: Vec::new(),
        dropped: view.dropped().into_iter().filter(|(place, _)| policy.scope.holds_key(&place.key)).collect(),
        housekeeping,
        actions,
        scope: policy.scope.clone(),
    };
    plan.brakes = policy.brakes(&plan.counts(), Managed { managed: input.unchanged + input.bindings.len(), gone: 0 });
    (plan, left_out)
}

/// One declared entry, at rest as long as nothing asks for all of it.
struct Declared<'a> {
    key: &'a ContactKey,
    packed: &'a PackedEntry,
    whole: OnceCell<Entry>,
}

impl<'a> Declared<'a> {
    fn new(key: &'a ContactKey, packed: &'a PackedEntry) -> Self {
        Self { key, packed, whole: OnceCell::new() }
    }

    fn place(&self) -> Place {
        Place { path: self.packed.path(), key: self.key.clone() }
    }

    fn whole(&self) -> &Entry {
        self.whole.get_or_init(|| self.packed.unpack())
    }

    fn packed(&self) -> PackedEntry {
        self.packed.clone()
    }
}

/// The input with what follows from all of it taken together.
struct View<'a> {
    input: &'a Input,
    policy: &'a Policy,
    /// Open creates by the key they were sent for.
    creates: BTreeMap<&'a ContactKey, (IntentId, &'a Intent)>,
    /// Unanswered updates and list calls by key.
    writes: BTreeMap<&'a ContactKey, Vec<&'a Intent>>,
    renames: Renames,
    /// The contacts that new entries name; such an entry takes over from the key that is gone.
    claimed: BTreeSet<ApolloId>,
}

impl<'a> View<'a> {
    fn new(input: &'a Input, policy: &'a Policy) -> Self {
        let mut creates = BTreeMap::new();
        let mut writes: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (&id, intent) in &input.intents {
            if intent.is_create_in_doubt() {
                creates.insert(&intent.key, (id, intent));
            } else if !intent.endpoint.creates() {
                writes.entry(&intent.key).or_default().push(intent);
            }
        }
        let unbound = || input.entries.iter().filter(|(key, _)| !input.bindings.contains_key(key));
        let claimed: BTreeSet<_> = unbound().filter_map(|(_, entry)| entry.apollo_id()).collect();
        // A create in doubt may have made the contact, so its key counts like a bound one.
        let unclaimed = input.bindings.iter().filter(|(_, binding)| !claimed.contains(&binding.apollo_id));
        let is_declared = |key: &ContactKey| input.entries.contains_key(key);
        let bound = unclaimed.filter(|(key, _)| !is_declared(key));
        let bound = bound.map(|(key, binding)| (key.clone(), Identity::of(&binding.last_known())));
        let doubtful = creates.iter().filter(|(key, _)| !is_declared(key));
        let doubtful = doubtful.map(|(&key, (_, intent))| (key.clone(), Identity::of(&intent.fields)));
        let gone: BTreeMap<ContactKey, Identity> = bound.chain(doubtful).collect();
        let new = unbound().filter(|(key, entry)| !creates.contains_key(key) && entry.apollo_id().is_none());
        let new: Vec<(&ContactKey, &PackedEntry)> = new.collect();
        Self { renames: Renames::find(&new, &gone), claimed, input, policy, creates, writes }
    }

    /// Decides what one declared entry needs; `None` when it stands as declared.
    fn action_for(&self, entry: &Declared<'_>) -> Option<Action> {
        let key = entry.key;
        if let Some(binding) = self.input.bindings.get(key) {
            return self.action_for_bound(entry, binding);
        }
        let (operation, reason) = if let Some(id) = entry.packed.apollo_id() {
            self.adopt(entry, &id)
        } else if let Some(&(intent_id, intent)) = self.creates.get(key) {
            self.settle(intent_id, intent, entry)
        } else if self.policy.create.contains(key) {
            (Operation::Create { entry: entry.packed() }, Reason::AskedFor)
        } else if let Some(dispute) = self.standing_dispute(entry) {
            (Operation::Conflict { dispute, entry: entry.packed() }, Reason::Undecided)
        } else if let Some((from, reason)) = self.renames.of(key) {
            self.rename(entry, from, *reason)
        } else if let Some(tombstone) = self.tombstone_of(entry) {
            if self.policy.recreate.contains(key) {
                let operation = Operation::Create { entry: entry.packed() };
                return Some(Action { place: entry.place(), reason: Reason::Recreate, operation });
            }
            (Operation::Restore { id: tombstone.apollo_id.clone(), entry: entry.packed() }, Reason::CameBack)
        } else {
            self.found_or_new(entry)
        };
        Some(Action { place: entry.place(), reason, operation })
    }

    /// Takes over the one contact that a look found, and creates one where it found none.
    fn found_or_new(&self, entry: &Declared<'_>) -> (Operation, Reason) {
        match self.input.found.get(entry.key) {
            Some(Found::One { id, observed, name, company }) => {
                let mut changes = Known::new(observed, []).changes_to(&entry.whole().fields);
                // Lists that it is on by somebody else's hand stay.
                changes.retain(Change::sends);
                let evidence = Evidence { name: name.clone(), company: company.clone(), changes };
                let (id, evidence) = (id.clone(), Some(Box::new(evidence)));
                (Operation::Adopt { id, entry: entry.packed(), evidence }, Reason::SameEmailInApollo)
            }
            Some(Found::Several(ids)) => {
                let dispute = Dispute::Several { ids: ids.clone() };
                (Operation::Conflict { dispute, entry: entry.packed() }, Reason::Undecided)
            }
            Some(Found::Namesakes(ids)) => {
                let dispute = Dispute::Namesakes { ids: ids.clone() };
                (Operation::Conflict { dispute, entry: entry.packed() }, Reason::Undecided)
            }
            None => (Operation::Create { entry: entry.packed() }, Reason::NotInState),
        }
    }

    fn action_for_bound(&self, entry: &Declared<'_>, binding: &Binding) -> Option<Action> {
        let entry_copy = || entry.packed();
        let id = binding.apollo_id.clone();
        let (operation, reason) = match &entry.packed.apollo_id() {
            Some(declared) if *declared != id => {
                let owner = self.input.owners.get(declared).cloned();
                let contradiction =
                    Operation::Contradiction { bound: id, declared: declared.clone(), owner, entry: entry_copy() };
                (contradiction, Reason::Undecided)
            }
            // Sent to take the place of a contact that is gone.
            _ if self.creates.contains_key(entry.key) => {
                let (intent_id, intent) = self.creates[entry.key];
                self.settle(intent_id, intent, entry)
            }
            _ if binding.gone_at.is_some() && self.policy.recreate.contains(entry.key) => {
                (Operation::Create { entry: entry_copy() }, Reason::Recreate)
            }
            _ if binding.gone_at.is_some() => {
                (Operation::Conflict { dispute: Dispute::Gone { id }, entry: entry_copy() }, Reason::Undecided)
            }
            _ if binding.merged_into.is_some() => {
                (Operation::Conflict { dispute: merged(binding), entry: entry_copy() }, Reason::Undecided)
            }
            _ => {
                let known = self.known(entry.key, binding);
                let changes = known.changes_to(&entry.whole().fields);
                let reason = reason_for(&changes, &known, binding)?;
                match reason {
                    Reason::NoLongerDeclared => (Operation::Release { id, entry: entry_copy(), changes }, reason),
                    _ => (Operation::Update { id, entry: entry_copy(), changes }, reason),
                }
            }
        };
        Some(Action { place: entry.place(), reason, operation })
    }

    /// Binds to the contact that the entry names, which another key may have had.
    fn adopt(&self, entry: &Declared<'_>, id: &ApolloId) -> (Operation, Reason) {
        match self.input.owners.get(id) {
            Some(owner) if self.is_gone(owner) => self.rename(entry, owner, Reason::DeclaresApolloId),
            Some(owner) => {
                let dispute = Dispute::Collision { id: id.clone(), other: owner.clone() };
                (Operation::Conflict { dispute, entry: entry.packed() }, Reason::Undecided)
            }
            None => {
                (Operation::Adopt { id: id.clone(), entry: entry.packed(), evidence: None }, Reason::DeclaresApolloId)
            }
        }
    }

    fn rename(&self, entry: &Declared<'_>, from: &ContactKey, reason: Reason) -> (Operation, Reason) {
        if let Some(&(intent_id, intent)) = self.creates.get(from) {
            return self.settle(intent_id, intent, entry);
        }
        let binding = &self.input.bindings[from];
        if binding.merged_into.is_some() {
            // There is no contact to move; the decision about it goes on under the new key.
            return (Operation::Conflict { dispute: merged(binding), entry: entry.packed() }, Reason::Undecided);
        }
        let (from_key, id) = (from.clone(), binding.apollo_id.clone());
        if binding.gone_at.is_some() {
            // There is no contact to move; the decision about it goes on under the new key.
            return if self.policy.recreate.contains(entry.key) {
                (Operation::Create { entry: entry.packed() }, Reason::Recreate)
            } else {
                (Operation::Conflict { dispute: Dispute::Gone { id }, entry: entry.packed() }, Reason::Undecided)
            };
        }
        let changes = self.known(from, binding).changes_to(&entry.whole().fields);
        (Operation::Move { from: from_key, id, entry: entry.packed(), changes }, reason)
    }

    fn known(&self, key: &ContactKey, binding: &'a Binding) -> Known<'a> {
        Known::of(binding, self.writes.get(key).into_iter().flatten().copied())
    }

    /// Finds the memory of this person under the entry's key, or under the key it says it had.
    fn tombstone_of(&self, entry: &Declared<'_>) -> Option<&Tombstone> {
        let moved_from = entry.packed.moved_from();
        let keys = [Some(entry.key), moved_from.as_ref()].into_iter().flatten();
        let is_same = |tombstone: &&Tombstone| {
            let identity = IdentityHash::of(&entry.whole().fields, &self.input.identity_key);
            tombstone.identity.same_person(&identity)
        };
        keys.filter_map(|key| self.input.tombstones.get(key)).find(is_same)
    }

    /// Returns the recorded conflict of `entry` as long as neither side has changed since.
    fn standing_dispute(&self, entry: &Declared<'_>) -> Option<Dispute> {
        let conflict = self.input.conflicts.get(entry.key)?;
        let other_stands = match &conflict.cause {
            ConflictCause::Collision { other, other_fingerprint } => {
                self.input.declared_now.get(other) == other_fingerprint.as_ref()
            }
            ConflictCause::Stranger
            | ConflictCause::UnseenMatch
            | ConflictCause::Namesakes { .. }
            | ConflictCause::Several { .. } => true,
        };
        let stands = other_stands && conflict.fingerprint == entry.whole().fingerprint();
        stands.then(|| Dispute::of(&conflict.apollo_id, &conflict.cause))
    }

    fn forgets(&self) -> impl Iterator<Item = Action> {
        let gone = self.input.bindings.iter().filter(|(key, binding)| {
            self.is_gone(key) && !self.renames.took(key) && !self.claimed.contains(&binding.apollo_id)
        });
        gone.map(|(key, binding)| Action {
            place: Place { path: Path::new(&binding.path).into(), key: key.clone() },
            reason: Reason::GoneFromFiles,
            operation: Operation::Forget { id: binding.apollo_id.clone() },
        })
    }

    /// Lists what Apollo did not keep of entries that still declare exactly that.
    fn dropped(&self) -> Vec<(Place, Field)> {
        let stands = |entry: &Entry, binding: &Binding, field: &Field| {
            binding.dropped.contains(field) && binding.applied.get(field) == entry.fields.get(field)
        };
        let of_entry = |(key, entry): (&ContactKey, &PackedEntry)| {
            let binding = self.input.bindings.get(key).filter(|binding| !binding.dropped.is_empty())?;
            let entry = entry.unpack();
            let fields = entry.fields.iter().map(|(field, _)| field).filter(|field| stands(&entry, binding, field));
            Some(fields.map(|field| (entry.place.clone(), field.clone())).collect::<Vec<_>>())
        };
        self.input.entries.iter().filter_map(of_entry).flatten().collect()
    }

    /// Settles creates whose entry is gone and lives on under no other key.
    fn orphaned_creates(&self) -> impl Iterator<Item = Action> {
        let orphaned = self.creates.iter().filter(|(key, _)| {
            !self.input.entries.contains_key(key) && !self.renames.took(key) && !self.input.bindings.contains_key(key)
        });
        orphaned.map(|(&key, &(intent_id, intent))| Action {
            place: Place { path: Path::new(&intent.path).into(), key: key.clone() },
            reason: Reason::CreateUnanswered,
            operation: Operation::Settle { intent_id, intent: Box::new(intent.clone()), entry: None },
        })
    }

    /// Finds out what became of a create; `--create` says that whoever was there before is somebody else.
    fn settle(&self, intent_id: IntentId, intent: &Intent, entry: &Declared<'_>) -> (Operation, Reason) {
        let asked_for = self.policy.create.contains(entry.key);
        let reason = if asked_for { Reason::AskedFor } else { Reason::CreateUnanswered };
        (Operation::Settle { intent_id, intent: Box::new(intent.clone()), entry: Some(entry.packed()) }, reason)
    }

    fn is_gone(&self, key: &ContactKey) -> bool {
        self.input.bindings.contains_key(key) && !self.input.entries.contains_key(key)
    }

    /// Finds conflicts that no longer hold, unanswered writes that no action will bring to an end, and entries that
    /// need nothing though they are not noted to stand as they are.
    fn housekeeping(
        &self,
        actions: &[Action],
        idle: &[(&ContactKey, &PackedEntry)],
        under_way: &BTreeSet<ContactKey>,
    ) -> Housekeeping {
        let acted_on: BTreeSet<&ContactKey> = actions
            .iter()
            .flat_map(|action| match &action.operation {
                Operation::Move { from, .. } => [Some(action.key()), Some(from)],
                _ => [Some(action.key()), None],
            })
            .flatten()
            .collect();
        let stands = |key: &ContactKey| {
            let stands = |packed| self.standing_dispute(&Declared::new(key, packed)).is_some();
            !self.input.bindings.contains_key(key) && self.input.entries.get(key).is_some_and(stands)
        };
        // A refused create is looked for under the entry's new key as well.
        let is_taken_along = |intent: &Intent| {
            !self.input.entries.contains_key(&intent.key)
                && actions.iter().any(|action| match &action.operation {
                    Operation::Create { entry } => intent.may_be_of(action.key(), entry.moved_from().as_ref(), entry),
                    _ => false,
                })
        };
        let idle_write = |intent: &Intent| {
            let is_idle = !acted_on.contains(&intent.key) && !under_way.contains(&intent.key);
            (!intent.endpoint.creates() || (intent.refused && !is_taken_along(intent))) && is_idle
        };
        let unnoted = |(key, entry): &&(&ContactKey, &PackedEntry)| {
            let noted = self.input.bindings.get(*key).and_then(|binding| binding.fingerprint);
            noted != Some(entry.fingerprint()) && !under_way.contains(*key)
        };
        let is_over = |key: &&ContactKey| !stands(key) && !under_way.contains(*key);
        Housekeeping {
            conflicts: self.input.conflicts.keys().filter(is_over).cloned().collect(),
            intents: self.input.intents.iter().filter(|(_, intent)| idle_write(intent)).map(|(&id, _)| id).collect(),
            standing: idle.iter().filter(unnoted).map(|(key, _)| (*key).clone()).collect(),
        }
    }
}

/// Says why the changes are needed; `None` when there are none.
fn reason_for(changes: &[Change], known: &Known<'_>, binding: &Binding) -> Option<Reason> {
    if changes.is_empty() {
        return None;
    }
    Some(if !changes.iter().any(Change::sends) {
        Reason::NoLongerDeclared
    } else if known.is_in_doubt() {
        Reason::UpdateInDoubt
    } else if binding.fingerprint.is_none() {
        Reason::StillPending
    } else {
        Reason::FieldsDiffer
    })
}

/// Says that the contact of a binding was merged into another one.
fn merged(binding: &Binding) -> Dispute {
    let Merged { survivor, owner } = binding.merged_into.clone().expect("asked only of a binding that says so");
    Dispute::Merged { id: binding.apollo_id.clone(), survivor, owner }
}
