//! Plans as people see them. Here is what the tests build plans from.

mod actions;
mod values;
mod whole;

use std::path::Path;

use super::*;
use crate::model::{
    ApolloId, ContactKey, Entry, Field, Intent, IntentId, Lineage, Place, RunId, Serial, Timestamp, Value,
};
use crate::plan::{Brake, BrakeKind, Change, Dispute, Housekeeping, Reason, Setting};

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("66f0c1{number:018x}")).unwrap()
}

fn custom(digit: char) -> Field {
    Field::try_from(format!("typed_custom_fields.{}", digit.to_string().repeat(24))).unwrap()
}

fn lists(names: &[&str]) -> Value {
    Value::Lists(names.iter().map(|&name| name.to_owned()).collect())
}

fn entry(name: &str, fields: &[(Field, Value)]) -> Entry {
    Entry {
        place: Place { path: Path::new("contacts.d/team.yaml").into(), key: key(name) },
        fields: fields.iter().cloned().collect(),
        run_dedupe: true,
        apollo_id: None,
        moved_from: None,
    }
}

fn ada(fields: &[(Field, Value)]) -> Entry {
    let name = [(Field::FirstName, "Ada".into()), (Field::LastName, "Byron".into())];
    let mail = [(Field::Email, "ada@example.com".into())];
    entry("ada", &[&name[..], &mail, fields].concat())
}

fn set(field: Field, before: Option<Value>, after: Value) -> Change {
    Change { field, before, after: Setting::Set(after) }
}

fn released(field: Field) -> Change {
    Change { field, before: Some("x".into()), after: Setting::Released }
}

fn action(name: &str, reason: Reason, operation: Operation) -> Action {
    let path = Path::new("contacts.d/team.yaml").into();
    Action { place: Place { path, key: key(name) }, reason, operation }
}

fn create(entry: Entry) -> Action {
    action(entry.key().clone().as_str(), Reason::NotInState, Operation::Create { entry })
}

fn update(reason: Reason, fields: &[(Field, Value)], changes: Vec<Change>) -> Action {
    action("ada", reason, Operation::Update { id: id(1), entry: ada(fields), changes })
}

fn plan_of(actions: Vec<Action>) -> Plan {
    Plan {
        lineage: Lineage("lineage".into()),
        serial: Serial(1),
        actions,
        unchanged: 0,
        brakes: Vec::new(),
        dropped: Vec::new(),
        housekeeping: Housekeeping::default(),
    }
}

fn text(plan: &Plan, options: PlanOptions<'_>) -> String {
    PlanText { plan, options }.to_string().replace('\u{1b}', "␛")
}

/// Shows the block of one action, without what stands before and after it.
fn block(action: Action) -> String {
    block_with(action, PlanOptions::default())
}

fn block_with(action: Action, options: PlanOptions<'_>) -> String {
    let text = text(&plan_of(vec![action]), options);
    let start =
        ["following actions:\n\n", "can go on:\n\n"].iter().find_map(|title| Some(text.find(title)? + title.len()));
    let end = text.rfind("    }\n").unwrap() + "    }".len();
    text[start.unwrap()..end].to_owned()
}

/// Every kind of field, in an entry that was applied once.
fn full() -> Vec<(Field, Value)> {
    vec![
        (Field::Title, "Analyst".into()),
        (Field::LabelNames, lists(&["Customers", "VIP"])),
        (Field::PresentRawAddress, "1 Example Square\nLondon\nUK".into()),
        (custom('a'), "blue".into()),
        (custom('b'), "".into()),
    ]
}

fn intent(attempts: u32) -> Box<Intent> {
    Box::new(Intent {
        key: key("ada"),
        endpoint: Endpoint::CreateContact,
        apollo_id: None,
        body: "{}".into(),
        fields: ada(&full()).fields,
        run_dedupe: true,
        run: RunId("died".into()),
        first_sent_at: Timestamp(0),
        last_sent_at: Timestamp(0),
        attempts,
        path: "contacts.d/team.yaml".into(),
    })
}

fn conflict(dispute: Dispute) -> Action {
    action("ada", Reason::Undecided, Operation::Conflict { dispute, entry: ada(&[]) })
}

fn brake(kind: BrakeKind, count: usize, limit: usize) -> Brake {
    Brake { kind, count, limit }
}

const COLOR: PlanOptions<'static> =
    PlanOptions { color: true, width: 60, mask: false, next_step: None, forecast: None, digest: None };

/// What a first apply after some edits looks like.
fn several_actions() -> Plan {
    let grace = entry("grace", &[(Field::FirstName, "Grace".into()), (Field::Email, "grace@example.com".into())]);
    let title = set(Field::Title, Some("CTO".into()), "CEO".into());
    plan_of(vec![
        update(Reason::FieldsDiffer, &[(Field::Title, "CEO".into())], vec![title]),
        action("bob", Reason::GoneFromFiles, Operation::Forget { id: id(2) }),
        create(grace),
    ])
}
