//! Plan files on disk: the same plan back, or an error that says why not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::model::{ApolloId, ContactKey, Endpoint, Entry, Field, Fields, IntentId, Lineage, Place, Serial, Value};
use crate::ops::Forecast;
use crate::plan::{
    Action, Brake, BrakeKind, Change, Creates, Dispute, Housekeeping, Limit, OneEach, Operation, Plan, Reason, Scope,
    Setting,
};

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

fn id() -> ApolloId {
    ApolloId::parse("00000000000000000000000a").unwrap()
}

fn entry(of: &str) -> Entry {
    let lists = ["North", "Süd\n"].map(str::to_owned).into_iter().collect();
    let fields: [(Field, Value); 2] =
        [(Field::Title, "\"CTO\"\u{1b}".into()), (Field::LabelNames, Value::Lists(lists))];
    Entry {
        place: Place { path: Path::new("contacts.d/team.yaml").into(), key: key(of) },
        fields: fields.into_iter().collect::<Fields>(),
        run_dedupe: false,
        apollo_id: Some(id()),
        moved_from: Some(key("old")),
        ignored: [].into(),
    }
}

fn action(of: &str, operation: Operation) -> Action {
    Action { place: entry(of).place, reason: Reason::FieldsDiffer, operation }
}

fn scope() -> Scope {
    Scope::new(&["*a*".parse().unwrap()], &["contact.x?".parse().unwrap()])
}

fn planned() -> (Planned, Origins) {
    let changes = vec![
        Change { field: Field::Title, before: Some("CEO".into()), after: Setting::Set("CTO".into()) },
        Change { field: Field::Email, before: None, after: Setting::Released },
    ];
    let plan = Plan {
        lineage: Lineage("first".to_owned()),
        serial: Serial(7),
        actions: vec![
            action("ada", Operation::Create { entry: entry("ada").into() }),
            action("bo", Operation::Update { id: id(), entry: entry("bo").into(), changes }),
            action("cy", Operation::Forget { id: id() }),
        ],
        scope: scope(),
        unchanged: 40,
        refreshed: false,
        brakes: vec![Brake { kind: BrakeKind::MaxCreates, count: 1, limit: 0 }],
        dropped: vec![(entry("di").place, Field::Email)],
        housekeeping: Housekeeping {
            conflicts: vec![key("ed")],
            intents: vec![IntentId(3)],
            standing: vec![key("flo")],
        },
    };
    let policy = Policy {
        max_creates: Some(Limit::Count(0)),
        max_forgets: Some(Limit::Percent(20)),
        recreate: [key("fay")].into(),
        scope: scope(),
        ..Policy::default()
    };
    let origins = Origins { api: "https://api.apollo.io".to_owned(), files: [9; 32], file_count: 2, policy };
    let forecast = Forecast {
        requests: [(Endpoint::CreateContact, 1), (Endpoint::AddToLists, 2)].into(),
        up_to: [Endpoint::AddToLists].into(),
        at_most: true,
        duration: Duration::new(61, 5),
        assumed: true,
        assumed_for: [Endpoint::CreateContact].into(),
        creates: Creates::Together,
        one_each: [(OneEach::TypedPhone, 2)].into(),
    };
    let digest = Some(plan.digest(&origins.api, &origins.files));
    (Planned { plan, digest, forecast, left_out: 0, names: crate::model::Glossary::default() }, origins)
}

/// A directory with a plan file in it.
struct Saved {
    directory: tempfile::TempDir,
}

impl Saved {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let saved = Self { directory };
        let (planned, origins) = planned();
        save_plan(&saved.path(), &planned, &origins).unwrap();
        saved
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("team.plan")
    }

    fn read_as(&self, bytes: &[u8]) -> Result<SavedPlan, SavedError> {
        fs::write(self.path(), bytes).unwrap();
        read_plan(&self.path())
    }
}

#[test]
fn a_plan_is_read_back_as_it_was_saved() {
    let (planned, origins) = planned();
    let read = read_plan(&Saved::new().path()).unwrap();
    assert_eq!(read.planned.plan, planned.plan);
    assert_eq!((read.planned.digest, read.planned.forecast), (planned.digest, planned.forecast));
    assert_eq!(read.origins, origins);
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    assert_eq!(fs::read(Saved::new().path()).unwrap(), fs::read(Saved::new().path()).unwrap());
}

#[test]
fn a_cut_file_is_found_wherever_it_was_cut() {
    let saved = Saved::new();
    let whole = fs::read(saved.path()).unwrap();
    for length in 0..whole.len() {
        let read = saved.read_as(&whole[..length]);
        let is_told = match read {
            Err(SavedError::Cut { .. }) => true,
            Err(SavedError::NotAPlan { .. }) => length < 18,
            _ => false,
        };
        assert!(is_told, "cut at {length}: {:?}", saved.read_as(&whole[..length]).map(|read| read.origins));
    }
}

#[test]
fn a_changed_file_is_found_wherever_it_was_changed() {
    let saved = Saved::new();
    let whole = fs::read(saved.path()).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert!(saved.read_as(&changed).is_err(), "changed at {at}: {:?}", String::from_utf8_lossy(&changed));
    }
}

#[test]
fn lines_taken_out_or_put_in_another_order_are_found() {
    let saved = Saved::new();
    let text = fs::read_to_string(saved.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for at in 1..lines.len() - 1 {
        let mut fewer = lines.clone();
        fewer.remove(at);
        assert!(saved.read_as((fewer.join("\n") + "\n").as_bytes()).is_err(), "without {at}");
        let mut swapped = lines.clone();
        swapped.swap(at, 1 + at % (lines.len() - 2));
        assert!(saved.read_as((swapped.join("\n") + "\n").as_bytes()).is_err(), "with {at} elsewhere");
    }
}

#[test]
fn a_file_of_a_later_format_names_its_version() {
    let saved = Saved::new();
    let read = saved.read_as(b"{\"plan\":{\"format\":2,\"contactsd\":\"9.1.0\",\"other\":[]}}\n{\"what\":1}\n");
    assert!(matches!(&read, Err(SavedError::TooNew { found: 2, by, .. }) if by == "9.1.0"), "{read:?}");
}

#[test]
fn another_kind_of_file_is_no_plan() {
    let saved = Saved::new();
    for other in ["contacts:\n  ada: {}\n", "PK\u{3}\u{4}", "{\"format_version\":\"1.2\"}\n", "\n"] {
        assert!(matches!(saved.read_as(other.as_bytes()), Err(SavedError::NotAPlan { .. })), "{other:?}");
    }
    assert!(matches!(read_plan(saved.directory.path()), Err(SavedError::Read { .. })));
}

#[test]
fn a_plan_file_is_its_owners_alone_and_replaces_the_one_before() {
    let saved = Saved::new();
    fs::set_permissions(saved.path(), fs::Permissions::from_mode(0o644)).unwrap();
    let (planned, mut origins) = planned();
    origins.file_count = 3;
    save_plan(&saved.path(), &planned, &origins).unwrap();
    assert_eq!(fs::metadata(saved.path()).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(read_plan(&saved.path()).unwrap().origins.file_count, 3);
    assert_eq!(fs::read_dir(saved.directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn only_files_are_replaced() {
    let (planned, origins) = planned();
    let error = save_plan(Path::new("/dev/null"), &planned, &origins);
    assert!(matches!(error, Err(SaveError::NotAFile { .. })), "{error:?}");
    let error = save_plan(Path::new("/nonexistent/team.plan"), &planned, &origins);
    assert!(matches!(error, Err(SaveError::Write { .. })), "{error:?}");
}

#[test]
fn a_plan_that_needs_a_decision_is_marked() {
    let (mut planned, origins) = planned();
    let saved = Saved::new();
    let text = || fs::read_to_string(saved.path()).unwrap();
    assert!(text().contains("\"errored\":false") && !read_plan(&saved.path()).unwrap().is_errored());
    let conflict = Operation::Conflict { dispute: Dispute::Gone { id: id() }, entry: entry("di").into() };
    planned.plan.actions.push(action("di", conflict));
    planned.digest = Some(planned.plan.digest(&origins.api, &origins.files));
    save_plan(&saved.path(), &planned, &origins).unwrap();
    assert!(text().contains("\"errored\":true") && read_plan(&saved.path()).unwrap().is_errored());
}
