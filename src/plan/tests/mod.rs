//! What plans are made from and how they read; the tests stand by what they are about.

mod beside;
mod digest;
mod doubts;
mod properties;
mod renames;
mod requests;
mod rows;
mod scope;

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::model::{
    ApolloId, Batching, Binding, BulkCreate, Conflict, ConflictCause, Endpoint, Entry, Field, Fields, IdentityHash,
    IdentityKey, Intent, PackedEntry, Place, RunId, Timestamp, Tombstone, Value,
};

const SECRET: IdentityKey = IdentityKey([7; 32]);

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

/// An entry whose fields are `name=value`, separated by `; `. Lists are separated by `,`.
fn entry(name: &str, fields: &str) -> Entry {
    let mut entry = Entry {
        place: Place { path: Path::new("contacts.d/team.yaml").into(), key: key(name) },
        fields: Fields::default(),
        run_dedupe: true,
        apollo_id: None,
        moved_from: None,
        ignored: [].into(),
    };
    for (name, value) in fields.split("; ").filter_map(|pair| pair.split_once('=')) {
        match name {
            "apollo_id" => entry.apollo_id = ApolloId::parse(value),
            "moved_from" => entry.moved_from = Some(key(value)),
            "label_names" => {
                let lists = value.split(',').filter(|list| !list.is_empty()).map(str::to_owned).collect();
                entry.fields.set(Field::LabelNames, Value::Lists(lists));
            }
            text => entry.fields.set(Field::text_field(text).unwrap(), value),
        }
    }
    entry
}

fn binding(entry: &Entry, number: u64) -> Binding {
    Binding {
        applied: entry.fields.clone(),
        bound_at: Timestamp(0),
        applied_at: Timestamp(0),
        run: RunId("earlier".into()),
        path: entry.place.path.display().to_string(),
        fingerprint: Some(entry.fingerprint()),
        ..Binding::bare(id(number))
    }
}

fn intent(entry: &Entry, endpoint: Endpoint) -> Intent {
    Intent {
        endpoint,
        body: "{}".into(),
        fields: entry.fields.clone(),
        run_dedupe: entry.run_dedupe,
        run: RunId("died".into()),
        first_sent_at: Timestamp(0),
        last_sent_at: Timestamp(0),
        path: entry.place.path.display().to_string(),
        ..Intent::bare(entry.key().clone())
    }
}

/// Both sides of a plan. Starts empty; tests add what they need.
struct World(Input);

impl World {
    fn new() -> Self {
        Self(Input {
            entries: BTreeMap::new(),
            bindings: BTreeMap::new(),
            unchanged: 0,
            refreshed: false,
            intents: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            tombstones: BTreeMap::new(),
            owners: BTreeMap::new(),
            found: BTreeMap::new(),
            declared_now: BTreeMap::new(),
            lineage: Lineage("lineage".into()),
            serial: Serial(1),
            identity_key: SECRET,
        })
    }

    fn declared(mut self, name: &str, fields: &str) -> Self {
        let entry = entry(name, fields);
        if let Some((owner, _)) = self.0.bindings.iter().find(|(_, b)| Some(&b.apollo_id) == entry.apollo_id.as_ref()) {
            self.0.owners.insert(entry.apollo_id.clone().unwrap(), owner.clone());
        }
        self.0.entries.insert(entry.key().clone(), entry.into());
        self
    }

    fn applied(mut self, name: &str, fields: &str, number: u64) -> Self {
        let entry = entry(name, fields);
        self.0.bindings.insert(entry.key().clone(), binding(&entry, number));
        self
    }

    fn unanswered(mut self, name: &str, fields: &str, endpoint: Endpoint) -> Self {
        let next = IntentId(self.0.intents.len() as u64 + 1);
        self.0.intents.insert(next, intent(&entry(name, fields), endpoint));
        self
    }

    fn buried(mut self, name: &str, fields: &str, number: u64) -> Self {
        let identity = IdentityHash::of(&entry(name, fields).fields, &SECRET);
        self.0.tombstones.insert(key(name), Tombstone { apollo_id: id(number), identity, at: Timestamp(0) });
        self
    }

    fn plan(&self) -> Plan {
        plan(&self.0, &Policy::default())
    }

    /// Writes the plan as one line an action.
    fn text(&self) -> String {
        self.plan().actions.iter().map(|action| line(action) + "\n").collect()
    }
}

fn line(action: &Action) -> String {
    let changes = |changes: &[Change]| {
        let parts: Vec<_> = changes
            .iter()
            .map(|change| match (&change.before, &change.after) {
                (_, Setting::Released) => format!("{} released", change.field),
                (before, Setting::Set(after)) => {
                    format!("{} {} -> {}", change.field, show(before.as_ref()), show(Some(after)))
                }
            })
            .collect();
        parts.join(", ")
    };
    let what = match &action.operation {
        Operation::Create { .. } => "create".to_owned(),
        Operation::Adopt { id, .. } => format!("adopt {id}"),
        Operation::Restore { id, .. } => format!("restore {id}"),
        Operation::Update { id, changes: c, .. } => format!("update {id}: {}", changes(c)),
        Operation::Move { from, id, changes: c, .. } => format!("move {id} from {from}: {}", changes(c)),
        Operation::Release { changes: c, .. } => format!("release: {}", changes(c)),
        Operation::Forget { id } => format!("forget {id}"),
        Operation::Settle { intent, entry, .. } => {
            let entry = entry.as_ref().map(PackedEntry::unpack);
            format!("settle create of {} for {}", intent.key, entry.as_ref().map_or("nobody", |e| e.key().as_str()))
        }
        Operation::Conflict { dispute, .. } => format!("conflict {dispute:?}"),
        Operation::Contradiction { bound, declared, .. } => {
            format!("contradiction: bound {bound}, declared {declared}")
        }
    };
    format!("{} {what} ({:?})", action.key(), action.reason)
}

fn show(value: Option<&Value>) -> String {
    match value {
        None => "?".to_owned(),
        Some(Value::Text(text)) => format!("{text:?}"),
        Some(Value::Lists(lists)) => format!("{lists:?}"),
    }
}

const ADA: &str = "email=ada@example.com; first_name=Ada; last_name=Byron; organization_name=Analytical Engines";
