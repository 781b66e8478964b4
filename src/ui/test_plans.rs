//! Plans, messages and reports that tests show; one home, so that every form of output is tested on the same ones.
//!
//! Fictional people only.

use std::path::Path;

use crate::model::{
    ApolloId, ContactKey, Entry, Field, Intent, IntentId, Lineage, Place, RunId, Serial, Timestamp, Value,
};
use crate::ops::{Ended, Report};
use crate::plan::{Action, Brake, BrakeKind, Change, Dispute, Housekeeping, Operation, Plan, Reason, Scope, Setting};
use crate::source::{Code, Diagnostic, Location, Severity};

pub(crate) fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

pub(crate) fn id(number: u64) -> ApolloId {
    ApolloId::parse(&format!("66f0c1{number:018x}")).unwrap()
}

pub(crate) fn custom(digit: char) -> Field {
    Field::try_from(format!("typed_custom_fields.{}", digit.to_string().repeat(24))).unwrap()
}

pub(crate) fn lists(names: &[&str]) -> Value {
    Value::Lists(names.iter().map(|&name| name.to_owned()).collect())
}

pub(crate) fn entry(name: &str, fields: &[(Field, Value)]) -> Entry {
    Entry {
        place: Place { path: Path::new("contacts.d/team.yaml").into(), key: key(name) },
        fields: fields.iter().cloned().collect(),
        run_dedupe: true,
        apollo_id: None,
        moved_from: None,
        ignored: [].into(),
    }
}

pub(crate) fn ada(fields: &[(Field, Value)]) -> Entry {
    let name = [(Field::FirstName, "Ada".into()), (Field::LastName, "Byron".into())];
    let mail = [(Field::Email, "ada@example.com".into())];
    entry("ada", &[&name[..], &mail, fields].concat())
}

pub(crate) fn set(field: Field, before: Option<Value>, after: Value) -> Change {
    Change { field, before, after: Setting::Set(after) }
}

pub(crate) fn released(field: Field) -> Change {
    Change { field, before: Some("x".into()), after: Setting::Released }
}

pub(crate) fn action(name: &str, reason: Reason, operation: Operation) -> Action {
    action_in("contacts.d/team.yaml", name, reason, operation)
}

pub(crate) fn action_in(path: &str, name: &str, reason: Reason, operation: Operation) -> Action {
    Action { place: Place { path: Path::new(path).into(), key: key(name) }, reason, operation }
}

pub(crate) fn create(entry: Entry) -> Action {
    action(entry.key().clone().as_str(), Reason::NotInState, Operation::Create { entry: entry.into() })
}

pub(crate) fn update(reason: Reason, fields: &[(Field, Value)], changes: Vec<Change>) -> Action {
    action("ada", reason, Operation::Update { id: id(1), entry: ada(fields).into(), changes })
}

pub(crate) fn plan_of(actions: Vec<Action>) -> Plan {
    Plan {
        lineage: Lineage("lineage".into()),
        serial: Serial(1),
        actions,
        scope: Scope::default(),
        unchanged: 0,
        refreshed: false,
        brakes: Vec::new(),
        dropped: Vec::new(),
        housekeeping: Housekeeping::default(),
    }
}

/// Every kind of field, in an entry that was applied once.
pub(crate) fn full() -> Vec<(Field, Value)> {
    vec![
        (Field::Title, "Analyst".into()),
        (Field::LabelNames, lists(&["Customers", "VIP"])),
        (Field::PresentRawAddress, "1 Example Square\nLondon\nUK".into()),
        (custom('a'), "blue".into()),
        (custom('b'), "".into()),
    ]
}

pub(crate) fn intent(attempts: u32) -> Box<Intent> {
    Box::new(Intent {
        body: "{}".into(),
        fields: ada(&full()).fields,
        run: RunId("died".into()),
        first_sent_at: Timestamp(0),
        last_sent_at: Timestamp(0),
        attempts,
        path: "contacts.d/team.yaml".into(),
        ..Intent::bare(key("ada"))
    })
}

pub(crate) fn conflict(dispute: Dispute) -> Action {
    action("ada", Reason::Undecided, Operation::Conflict { dispute, entry: ada(&[]).into() })
}

pub(crate) fn brake(kind: BrakeKind, count: usize, limit: usize) -> Brake {
    Brake { kind, count, limit }
}

/// What a first apply after some edits looks like.
pub(crate) fn several_actions() -> Plan {
    let grace = entry("grace", &[(Field::FirstName, "Grace".into()), (Field::Email, "grace@example.com".into())]);
    let title = set(Field::Title, Some("CTO".into()), "CEO".into());
    plan_of(vec![
        update(Reason::FieldsDiffer, &[(Field::Title, "CEO".into())], vec![title]),
        action("bob", Reason::GoneFromFiles, Operation::Forget { id: id(2) }),
        create(grace),
    ])
}

/// The same in several files, which are in another order than the keys.
pub(crate) fn several_files() -> Plan {
    let mut plan = several_actions();
    let title = set(Field::Title, Some("CTO".into()), "CEO".into());
    let zoe = Operation::Update {
        id: id(3),
        entry: entry("zoe", &[(Field::Title, "CEO".into())]).into(),
        changes: vec![title],
    };
    plan.actions.push(action_in("contacts.d/a/first.yaml", "zoe", Reason::FieldsDiffer, zoe));
    plan
}

/// One action of each kind and each dispute, in the order of a plan.
pub(crate) fn each_action() -> Plan {
    let person = |name: &str, fields: &[(Field, Value)]| {
        let own = [(Field::FirstName, "Ada".into()), (Field::Email, format!("{name}@example.com").as_str().into())];
        entry(name, &[&own[..], fields].concat())
    };
    let conflict = |name: &str, dispute| {
        action(name, Reason::Undecided, Operation::Conflict { dispute, entry: person(name, &[]).into() })
    };
    let adopt = |name: &str, entry| {
        action(name, Reason::DeclaresApolloId, Operation::Adopt { id: id(1), entry, evidence: None })
    };
    let title = || set(Field::Title, Some("CTO".into()), "Analyst".into());
    let moved = |name: &str, from: &str, reason, changes| {
        action(
            name,
            reason,
            Operation::Move { from: key(from), id: id(7), entry: person(name, &full()).into(), changes },
        )
    };
    let settle = |name: &str, attempts, entry| {
        action(
            name,
            Reason::CreateUnanswered,
            Operation::Settle { intent_id: IntentId(1), intent: intent(attempts), entry },
        )
    };
    let mut solo = entry("create.alone", &[(Field::FirstName, "Solo".into()), (Field::LabelNames, lists(&[]))]);
    solo.run_dedupe = false;
    plan_of(vec![
        adopt("adopt", person("adopt", &full()).into()),
        conflict("conflict.collision", Dispute::Collision { id: id(4), other: key("lovelace") }),
        conflict("conflict.gone", Dispute::Gone { id: id(4) }),
        conflict("conflict.several", Dispute::Several { ids: vec![id(4), id(5)] }),
        conflict("conflict.stranger", Dispute::Stranger { id: id(4) }),
        action(
            "contradiction",
            Reason::Undecided,
            Operation::Contradiction {
                bound: id(1),
                declared: id(2),
                owner: Some(key("bob")),
                entry: person("contradiction", &[]).into(),
            },
        ),
        action("create", Reason::NotInState, Operation::Create { entry: person("create", &full()).into() }),
        create(solo),
        action("create.anew", Reason::Recreate, Operation::Create { entry: person("create.anew", &[]).into() }),
        action("forget", Reason::GoneFromFiles, Operation::Forget { id: id(2) }),
        action("forget.asked", Reason::AskedFor, Operation::Forget { id: id(3) }),
        moved("move", "old.key", Reason::SameEmail, vec![]),
        moved("move.changed", "older.key", Reason::MovedFrom, vec![title()]),
        action(
            "release",
            Reason::NoLongerDeclared,
            Operation::Release {
                id: id(8),
                entry: person("release", &full()).into(),
                changes: vec![released(Field::HomePhone), released(custom('d'))],
            },
        ),
        action("restore", Reason::CameBack, Operation::Restore { id: id(9), entry: person("restore", &[]).into() }),
        settle("settle", 1, Some(person("settle", &[]).into())),
        settle("settle.gone", 2, None),
        action(
            "update",
            Reason::FieldsDiffer,
            Operation::Update { id: id(10), entry: person("update", &full()).into(), changes: every_change() },
        ),
        action(
            "update.pending",
            Reason::StillPending,
            Operation::Update {
                id: id(11),
                entry: person("update.pending", &[(Field::WebsiteUrl, "https://example.com".into())]).into(),
                changes: vec![set(Field::WebsiteUrl, None, "https://example.com".into())],
            },
        ),
    ])
}

/// A change of each form: cleared, words, not known before, a list, lines, released, a custom field.
fn every_change() -> Vec<Change> {
    vec![
        set(Field::OrganizationName, Some("Acme".into()), "".into()),
        set(
            Field::Title,
            Some("Head of Sales for Northern Europe, the Baltics and Africa".into()),
            "Head of Marketing for Northern Europe, the Baltics and Asia".into(),
        ),
        set(Field::WebsiteUrl, None, "https://example.com".into()),
        set(Field::LabelNames, Some(lists(&["Customers", "Leads"])), lists(&["Customers", "VIP"])),
        set(
            Field::PresentRawAddress,
            Some("1 Example Square\nParis\nFrance".into()),
            "1 Example Square\nLondon\nUK".into(),
        ),
        released(Field::HomePhone),
        set(custom('a'), Some("red".into()), "blue".into()),
    ]
}

/// So many creates in files of a hundred each, and a forget after every 250.
pub(crate) fn many(creates: usize) -> Plan {
    let mut actions = Vec::new();
    for number in 0..creates {
        let name = format!("k{number:05}");
        let path = format!("contacts.d/page{:03}.yaml", number / 100);
        let mail = format!("{name}@example.com");
        let own = [
            (Field::FirstName, "Kim".into()),
            (Field::LastName, format!("Number {number}").as_str().into()),
            (Field::Title, "Analyst".into()),
            (Field::Email, mail.as_str().into()),
        ];
        let mut entry = entry(&name, &own);
        entry.place.path = Path::new(&path).into();
        actions.push(action_in(&path, &name, Reason::NotInState, Operation::Create { entry: entry.into() }));
        if number % 250 == 249 {
            let gone = format!("{name}.gone");
            let operation = Operation::Forget { id: id(number as u64) };
            actions.push(action_in("contacts.d/old.yaml", &gone, Reason::GoneFromFiles, operation));
        }
    }
    plan_of(actions)
}

/// What acts on terminals, Markdown, people and CI runners, in every place that foreign text can stand.
pub(crate) fn hostile() -> Plan {
    let terminal = "x\u{1b}]0;pwned\u{7}\u{202e}\"\r\n    }\n\n##[error]\\";
    let markdown = "```\n</details>\n\n<!-- contactsd plan: contacts.d -->\n# @everyone\n- item\n+++\n::error::x";
    let fence = "`".repeat(70);
    let long = "Lorem ipsum dolor sit amet, ".repeat(400);
    let fields: Vec<(Field, Value)> = vec![
        (Field::Title, terminal.into()),
        (Field::LabelNames, lists(&["::error::x\u{9b}", "</summary>", "@octocat"])),
        (Field::PresentRawAddress, markdown.into()),
        (Field::OrganizationName, fence.as_str().into()),
        (Field::FirstName, "::add-mask::Ada".into()),
        (Field::LastName, "\u{202e}norB \u{2066}y".into()),
        (custom('a'), long.as_str().into()),
        (custom('b'), "##vso[task.setvariable]x ![i](http://example.com/x.png)".into()),
    ];
    let path = "contacts.d/`a`\u{1b}[31m\n::error::<!-- x -->@team/eve.yaml";
    let mut eve = entry("eve@octocat", &fields);
    eve.place.path = Path::new(path).into();
    let after = long.replacen("dolor", "color", 3).replacen("sit amet", "sat emit", 1);
    let changes = vec![
        set(Field::Title, Some("a\u{7}b".into()), "a\u{8}b".into()),
        set(Field::PresentRawAddress, Some(markdown.into()), format!("{markdown}\n~~~~\n@@ -1 +1 @@").as_str().into()),
        set(custom('a'), Some(long.as_str().into()), after.as_str().into()),
    ];
    let mallory = entry("mallory", &fields);
    plan_of(vec![
        action_in(path, "eve@octocat", Reason::NotInState, Operation::Create { entry: eve.into() }),
        action_in(path, "frank", Reason::GoneFromFiles, Operation::Forget { id: id(2) }),
        action("mallory", Reason::FieldsDiffer, Operation::Update { id: id(3), entry: mallory.into(), changes }),
    ])
}

/// Messages of each kind: a warning and an error with lines of the files, and words of a server.
pub(crate) fn messages() -> Vec<Diagnostic> {
    let location = |path: &str, line, column, width, text: &str| Location {
        path: path.into(),
        line,
        column,
        width,
        text: text.to_owned(),
        skipped: 0,
    };
    let invalid = Diagnostic {
        code: Some(Code::InvalidEmail),
        severity: Severity::Error,
        summary: "\"grace at example.com\" is not an e-mail address".into(),
        detail: "This is no e-mail address: there is no @ in it.".into(),
        key: ContactKey::parse("grace").ok(),
        location: Some(location("contacts.d/team.yaml", 7, 12, 20, "    email: grace at example.com")),
        related: Vec::new(),
        path: None,
        said: None,
        findings: 1,
    };
    let twice = Diagnostic {
        code: Some(Code::SameNameAtPublicProvider),
        severity: Severity::Warning,
        summary: "contact.ada and contact.byron are both Ada Byron at mail.example".into(),
        detail: "Apollo may take Ada Byron for one person.".into(),
        key: ContactKey::parse("ada").ok(),
        location: Some(location("contacts.d/team.yaml", 3, 17, 3, "    first_name: Ada # ```@octocat")),
        related: vec![("byron here".into(), location("contacts.d/`b`.yaml", 21, 17, 3, "    first_name: Ada"))],
        path: None,
        said: None,
        findings: 1,
    };
    vec![invalid, twice]
}

/// A run that ended early, with something in every count.
pub(crate) fn partial_report() -> Report {
    Report {
        imported: 2,
        added: 1200,
        changed: 3,
        changed_imports: 0,
        forgotten: 4,
        moved: 5,
        released: 6,
        settled: 7,
        failed: 8,
        remaining: 9,
        imports: Vec::new(),
        failures: Vec::new(),
        obstacle: None,
        ended: Ended::Interrupted,
    }
}
