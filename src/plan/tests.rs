//! Every row of the table of actions, and the properties that hold for all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::model::{
    ApolloId, Batching, Binding, BulkCreate, Conflict, ConflictCause, Endpoint, Entry, Field, Fields, IdentityHash,
    IdentityKey, Intent, Origin, PackedEntry, Place, RunId, Timestamp, Tombstone, Value,
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
        apollo_id: id(number),
        applied: entry.fields.clone(),
        observed: Fields::default(),
        origin: Origin::Created,
        bound_at: Timestamp(0),
        applied_at: Timestamp(0),
        run: RunId("earlier".into()),
        request_id: None,
        path: entry.place.path.display().to_string(),
        fingerprint: Some(entry.fingerprint()),
        gone_at: None,
        dropped: BTreeSet::new(),
        possible_lists: BTreeSet::new(),
        merged_into: None,
        found_lists: BTreeSet::new(),
    }
}

fn intent(entry: &Entry, endpoint: Endpoint) -> Intent {
    Intent {
        key: entry.key().clone(),
        endpoint,
        apollo_id: None,
        body: "{}".into(),
        fields: entry.fields.clone(),
        run_dedupe: entry.run_dedupe,
        run: RunId("died".into()),
        first_sent_at: Timestamp(0),
        last_sent_at: Timestamp(0),
        attempts: 1,
        path: entry.place.path.display().to_string(),
        batch: None,
        there_before: Vec::new(),
        unpaired: Vec::new(),
        refused: false,
        request_id: None,
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

#[test]
fn an_entry_that_the_state_does_not_know_is_created() {
    insta::assert_snapshot!(World::new().declared("ada", ADA).text(), @"ada create (NotInState)");
}

#[test]
fn an_entry_that_stands_as_applied_needs_nothing() {
    let world = World::new().declared("ada", ADA).applied("ada", ADA, 1);
    assert_eq!(world.text(), "");
    assert_eq!(world.plan().unchanged, 1);
}

#[test]
fn an_entry_that_names_its_contact_is_adopted() {
    let world = World::new().declared("ada", "email=ada@example.com; apollo_id=00000000000000000000000a");
    insta::assert_snapshot!(world.text(), @"ada adopt 00000000000000000000000a (DeclaresApolloId)");
}

#[test]
fn naming_the_contact_that_is_bound_already_needs_nothing() {
    let world = World::new().applied("ada", ADA, 10).declared("ada", &format!("{ADA}; apollo_id={}", id(10)));
    assert_eq!(world.text(), "");
}

#[test]
fn naming_another_contact_than_the_bound_one_is_a_contradiction() {
    let world = World::new().applied("ada", ADA, 10).declared("ada", &format!("{ADA}; apollo_id={}", id(11)));
    insta::assert_snapshot!(world.text(), @"ada contradiction: bound 00000000000000000000000a, declared 00000000000000000000000b (Undecided)");
}

#[test]
fn naming_the_contact_of_a_key_that_is_gone_is_a_move() {
    let world =
        World::new().applied("bob", "first_name=Bob", 10).declared("ada", &format!("{ADA}; apollo_id={}", id(10)));
    assert_eq!(world.plan().actions.len(), 1);
    assert!(matches!(&world.plan().actions[0].operation, Operation::Move { from, .. } if *from == key("bob")));
}

#[test]
fn naming_the_contact_of_another_declared_key_is_a_conflict() {
    let world = World::new()
        .applied("bob", "first_name=Bob", 10)
        .declared("bob", "first_name=Bob")
        .declared("ada", &format!("{ADA}; apollo_id={}", id(10)));
    insta::assert_snapshot!(world.text(), @r#"ada conflict Collision { id: 00000000000000000000000a, other: "bob" } (Undecided)"#);
}

#[test]
fn only_the_fields_that_differ_are_sent() {
    let world =
        World::new().applied("ada", &format!("{ADA}; title=CTO"), 1).declared("ada", &format!("{ADA}; title=CEO"));
    insta::assert_snapshot!(world.text(), @r#"ada update 000000000000000000000001: title "CTO" -> "CEO" (FieldsDiffer)"#);
}

#[test]
fn a_field_declared_empty_is_cleared_and_one_declared_no_more_is_released() {
    let applied = World::new().applied("ada", &format!("{ADA}; title=CTO"), 1);
    insta::assert_snapshot!(applied.declared("ada", &format!("{ADA}; title=")).text(), @r#"ada update 000000000000000000000001: title "CTO" -> "" (FieldsDiffer)"#);
    let applied = World::new().applied("ada", &format!("{ADA}; title=CTO"), 1);
    insta::assert_snapshot!(applied.declared("ada", ADA).text(), @"ada release: title released (NoLongerDeclared)");
}

#[test]
fn what_was_never_confirmed_after_a_bind_is_pending() {
    let mut world =
        World::new().applied("ada", ADA, 1).declared("ada", &format!("{ADA}; website_url=https://example.com"));
    world.0.bindings.get_mut(&key("ada")).unwrap().fingerprint = None;
    insta::assert_snapshot!(world.text(), @r#"ada update 000000000000000000000001: website_url ? -> "https://example.com" (StillPending)"#);
}

#[test]
fn an_unanswered_update_is_sent_again_with_what_the_file_says_now() {
    let world = World::new()
        .applied("ada", &format!("{ADA}; title=CTO"), 1)
        .unanswered("ada", "title=CEO", Endpoint::UpdateContact)
        .declared("ada", &format!("{ADA}; title=CTO"));
    insta::assert_snapshot!(world.text(), @r#"ada update 000000000000000000000001: title ? -> "CTO" (UpdateInDoubt)"#);
    assert!(world.plan().housekeeping.is_empty());
}

#[test]
fn an_unanswered_update_of_a_field_that_is_not_declared_any_more_is_dropped_quietly() {
    let world = World::new()
        .applied("ada", ADA, 1)
        .unanswered("ada", "title=CEO", Endpoint::UpdateContact)
        .declared("ada", ADA);
    assert_eq!(world.text(), "");
    assert_eq!(world.plan().housekeeping.intents, [IntentId(1)]);
}

#[test]
fn a_key_that_is_gone_is_forgotten() {
    let world = World::new().applied("ada", ADA, 1);
    insta::assert_snapshot!(world.text(), @"ada forget 000000000000000000000001 (GoneFromFiles)");
}

#[test]
fn a_rename_is_a_move_whether_it_is_declared_or_recognized() {
    let renamed = |fields: &str| World::new().applied("ada", ADA, 1).declared("byron", fields).text();
    insta::assert_snapshot!(renamed("moved_from=ada; title=CEO"), @r#"
    byron move 000000000000000000000001 from ada: first_name released, last_name released, organization_name released, title ? -> "CEO", email released (MovedFrom)
    "#);
    insta::assert_snapshot!(renamed(ADA), @"byron move 000000000000000000000001 from ada:  (SameEmail)");
    insta::assert_snapshot!(
        renamed("first_name=ADA; last_name=byron; organization_name=Analytical  Engines; email=new@example.com"),
        @r#"byron move 000000000000000000000001 from ada: first_name "Ada" -> "ADA", last_name "Byron" -> "byron", organization_name "Analytical Engines" -> "Analytical  Engines", email "ada@example.com" -> "new@example.com" (SamePerson)"#
    );
}

#[test]
fn a_rename_that_two_could_claim_is_guessed_for_neither() {
    let same = "first_name=Ada; last_name=Byron; organization_name=Engines";
    let world = World::new().applied("ada", same, 1).declared("one", same).declared("two", same);
    insta::assert_snapshot!(world.text(), @r"
    ada forget 000000000000000000000001 (GoneFromFiles)
    one create (NotInState)
    two create (NotInState)
    ");
}

#[test]
fn a_key_is_known_under_another_name_while_its_email_is_in_doubt() {
    let mut world = World::new().applied("ada", ADA, 1).declared("byron", ADA);
    let binding = world.0.bindings.get_mut(&key("ada")).unwrap();
    binding.observed = std::mem::take(&mut binding.applied);
    binding.applied.set(Field::LastName, "Byron");
    assert!(matches!(&world.plan().actions[0].operation, Operation::Move { from, .. } if *from == key("ada")));
}

#[test]
fn a_move_that_was_done_is_not_done_again() {
    let world = World::new().applied("byron", ADA, 1).declared("byron", &format!("{ADA}; moved_from=ada"));
    assert_eq!(world.text(), "");
}

#[test]
fn a_key_that_comes_back_as_the_same_person_gets_its_contact_back() {
    let world = World::new().buried("ada", ADA, 1).declared("ada", &format!("{ADA}; title=CEO"));
    insta::assert_snapshot!(world.text(), @"ada restore 000000000000000000000001 (CameBack)");
}

#[test]
fn a_key_that_comes_back_as_somebody_else_is_created() {
    let world = World::new().buried("ada", ADA, 1).declared("ada", "email=eve@example.com");
    insta::assert_snapshot!(world.text(), @"ada create (NotInState)");
}

#[test]
fn a_create_without_an_answer_is_settled_before_anything_else_happens_to_its_key() {
    let world =
        World::new().unanswered("ada", ADA, Endpoint::CreateContact).declared("ada", &format!("{ADA}; title=CEO"));
    insta::assert_snapshot!(world.text(), @"ada settle create of ada for ada (CreateUnanswered)");
}

#[test]
fn a_create_in_doubt_follows_its_entry_to_the_new_key() {
    let open = || World::new().unanswered("ada", ADA, Endpoint::CreateContact);
    insta::assert_snapshot!(open().declared("byron", "moved_from=ada").text(), @"byron settle create of ada for byron (CreateUnanswered)");
    insta::assert_snapshot!(open().declared("byron", ADA).text(), @"byron settle create of ada for byron (CreateUnanswered)");
}

#[test]
fn a_create_in_doubt_is_settled_even_when_its_entry_is_gone() {
    let world = World::new().unanswered("ada", ADA, Endpoint::CreateContact);
    insta::assert_snapshot!(world.text(), @"ada settle create of ada for nobody (CreateUnanswered)");
}

fn collision() -> World {
    let mut world = World::new().applied("bob", "first_name=Bob", 9).declared("ada", ADA);
    let bob = entry("bob", "first_name=Bob");
    world.0.bindings.clear();
    world.0.declared_now.insert(key("bob"), bob.fingerprint());
    let conflict = Conflict {
        key: key("ada"),
        fingerprint: world.0.entries[&key("ada")].fingerprint(),
        apollo_id: id(9),
        cause: ConflictCause::Collision { other: key("bob"), other_fingerprint: Some(bob.fingerprint()) },
        at: Timestamp(0),
    };
    world.0.conflicts.insert(key("ada"), conflict);
    world
}

#[test]
fn a_recorded_collision_is_not_sent_again_until_an_entry_changes() {
    insta::assert_snapshot!(collision().text(), @r#"ada conflict Collision { id: 000000000000000000000009, other: "bob" } (Undecided)"#);
    assert!(collision().plan().housekeeping.is_empty());

    let edited = collision().declared("ada", "email=other@example.com");
    insta::assert_snapshot!(edited.text(), @"ada create (NotInState)");
    assert_eq!(edited.plan().housekeeping.conflicts, [key("ada")]);

    let mut other_edited = collision();
    other_edited.0.declared_now.insert(key("bob"), entry("bob", "first_name=Robert").fingerprint());
    insta::assert_snapshot!(other_edited.text(), @"ada create (NotInState)");

    let mut other_gone = collision();
    other_gone.0.declared_now.clear();
    insta::assert_snapshot!(other_gone.text(), @"ada create (NotInState)");
}

#[test]
fn a_contact_that_is_gone_in_apollo_waits_for_a_decision() {
    let mut world = World::new().applied("ada", ADA, 1).declared("ada", &format!("{ADA}; title=CEO"));
    world.0.bindings.get_mut(&key("ada")).unwrap().gone_at = Some(Timestamp(5));
    insta::assert_snapshot!(world.text(), @"ada conflict Gone { id: 000000000000000000000001 } (Undecided)");
}

#[test]
fn a_field_that_apollo_did_not_keep_is_told_until_the_entry_changes_it() {
    let mut world = World::new().applied("ada", ADA, 1).declared("ada", ADA);
    world.0.bindings.get_mut(&key("ada")).unwrap().dropped.insert(Field::Email);
    let told = |world: &World| world.plan().dropped.into_iter().map(|(_, field)| field).collect::<Vec<_>>();
    assert!(world.plan().is_empty());
    assert_eq!(told(&world), [Field::Email]);
    let world = world.declared("ada", "email=ada.b@example.com");
    assert_eq!(told(&world), []);
}

#[test]
fn a_contact_that_is_gone_is_created_anew_when_asked_for_and_settled_when_that_is_in_doubt() {
    let mut world = World::new().applied("ada", ADA, 1).declared("ada", ADA);
    world.0.bindings.get_mut(&key("ada")).unwrap().gone_at = Some(Timestamp(5));
    let policy = Policy { recreate: [key("ada")].into_iter().collect(), ..Policy::default() };
    let lines = |world: &World| plan(&world.0, &policy).actions.iter().map(line).collect::<Vec<_>>();
    assert_eq!(lines(&world), ["ada create (Recreate)"]);
    let world = world.unanswered("ada", ADA, Endpoint::CreateContact);
    assert_eq!(lines(&world), ["ada settle create of ada for ada (CreateUnanswered)"]);
}

#[test]
fn an_entry_with_a_create_in_doubt_takes_over_the_contact_it_names() {
    let world = World::new()
        .applied("old", "first_name=Old", 10)
        .unanswered("ada", ADA, Endpoint::CreateContact)
        .declared("ada", &format!("{ADA}; apollo_id={}", id(10)));
    assert_eq!(world.plan().actions.len(), 1);
    assert!(matches!(&world.plan().actions[0].operation, Operation::Move { from, .. } if *from == key("old")));
}

#[test]
fn a_rename_takes_the_decision_about_a_deleted_contact_along() {
    let mut world = World::new().applied("ada", ADA, 1).declared("countess", ADA);
    world.0.bindings.get_mut(&key("ada")).unwrap().gone_at = Some(Timestamp(5));
    insta::assert_snapshot!(world.text(), @"countess conflict Gone { id: 000000000000000000000001 } (Undecided)");
    let policy = Policy { recreate: [key("countess")].into_iter().collect(), ..Policy::default() };
    let lines: Vec<_> = plan(&world.0, &policy).actions.iter().map(line).collect();
    assert_eq!(lines, ["countess create (Recreate)"]);
}

#[test]
fn requests_are_counted_by_endpoint() {
    let world = World::new()
        .declared("new", "email=new@example.com; label_names=A")
        .applied("old", "title=CTO; label_names=A,B", 1)
        .declared("old", "title=CEO; label_names=B,C")
        .applied("gone", "title=CTO", 2);
    let expected = [
        (Endpoint::CreateContact, 1),
        (Endpoint::UpdateContact, 1),
        (Endpoint::SearchContacts, 1),
        (Endpoint::AddToLists, 2),
        (Endpoint::RemoveFromLists, 1),
    ];
    assert_eq!(world.plan().requests(Batching::ALONE), expected.into_iter().collect());
}

#[test]
fn what_an_import_may_not_need_is_counted_up_to() {
    let named = |world: World, name: &str, number: u64| {
        let mut world = world.declared(name, "title=CEO; label_names=Leads");
        let entry = world.0.entries.get_mut(&key(name)).unwrap();
        *entry = Entry { apollo_id: Some(id(number)), ..entry.unpack() }.into();
        world
    };
    let counts = |world: &World| {
        let plan = world.plan();
        let batches = Batches::of(&plan.actions, Batching::default());
        (batches.requests(), batches.up_to())
    };
    let two = named(named(World::new(), "a", 1), "b", 2);
    let (requests, up_to) = counts(&two);
    assert_eq!(requests[&Endpoint::ViewContact], 2);
    // Each is viewed; whether anything is written shows then.
    assert_eq!(up_to, [Endpoint::UpdateContact, Endpoint::AddToLists].into());
    let (_, up_to) = counts(&named(two, "c", 3));
    assert!(up_to.contains(&Endpoint::ViewContact), "pages may show as many at once");
    // What is known to differ is sent.
    let world = World::new().applied("old", "title=CTO", 4).declared("old", "title=CEO");
    assert!(counts(&world).1.is_empty());
}

#[test]
fn contacts_that_share_no_request_are_counted_by_why() {
    use OneEach::{AskedFor, ClearedStage, NoDedupe, NoEmail, TypedPhone, WebsiteUrl};
    let mut world = World::new()
        .declared("plain", "email=p@example.com; label_names=Leads")
        .declared("phone", "email=a@example.com; mobile_phone=1; website_url=https://example.com")
        .declared("site", "email=b@example.com; website_url=https://example.com")
        .declared("empty", "email=c@example.com; home_phone=")
        .declared("nameless", "first_name=Ada; direct_phone=1")
        .declared("twin", "email=d@example.com; direct_phone=1")
        .declared("again", "email=e@example.com; direct_phone=1")
        .applied("moved", "title=CTO", 1)
        .declared("moved", "title=CEO")
        .applied("called", "home_phone=1", 2)
        .declared("called", "home_phone=2; title=CEO")
        .applied("staged", "contact_stage_id=66f0c1000000000000000aaa", 3)
        .declared("staged", "contact_stage_id=");
    let twin = world.0.entries.get_mut(&key("twin")).unwrap();
    *twin = Entry { run_dedupe: false, ..twin.unpack() }.into();
    let mut plan = world.plan();
    plan.actions.iter_mut().find(|action| *action.key() == key("again")).unwrap().reason = Reason::AskedFor;
    let counts = |batching| one_each(&plan.actions, batching);
    let expected = [(TypedPhone, 2), (WebsiteUrl, 1), (ClearedStage, 1), (NoEmail, 1), (NoDedupe, 1), (AskedFor, 1)];
    assert_eq!(counts(Batching::default()), expected.into_iter().collect());
    assert!(counts(Batching::ALONE).is_empty(), "each takes one of its own anyway");
}

#[test]
fn how_new_contacts_go_out_is_known_and_a_look_that_is_not_made_is_not_counted() {
    let world = World::new().declared("ada", "email=ada@example.com").declared("bo", "first_name=Bo");
    let plan = world.plan();
    let of = |batching| {
        let batches = Batches::of(&plan.actions, batching);
        (batches.creation(), batches.requests().get(&Endpoint::SearchContacts).copied())
    };
    let unseen = Batching { looks: false, ..Batching::default() };
    assert_eq!(of(Batching::ALONE), (Creates::OneByOne, Some(2)));
    assert_eq!(of(Batching::default()), (Creates::Together, Some(2)));
    assert_eq!(of(unseen), (Creates::TogetherUnseen, Some(1)), "who is created alone is looked for");
    let creates = |known| Batches::of(&plan.actions, Batching::default().knowing(known)).requests();
    assert_eq!(creates(None)[&Endpoint::CreateContacts], 2, "one asks whether it may");
    assert_eq!(creates(Some(BulkCreate::Granted))[&Endpoint::CreateContacts], 1);
}

#[test]
fn the_digest_covers_api_files_serial_and_actions() {
    let world = World::new().declared("ada", ADA);
    let digest = world.plan().digest("sandbox", &[0; 32]);
    assert_eq!(digest, world.plan().digest("sandbox", &[0; 32]));
    assert_ne!(digest, world.plan().digest("sandbox", &[1; 32]));
    assert_ne!(digest, world.plan().digest("https://api.apollo.io", &[0; 32]));
    let mut later = World::new().declared("ada", ADA);
    later.0.serial = Serial(2);
    assert_ne!(digest, later.plan().digest("sandbox", &[0; 32]));
    assert_ne!(digest, World::new().declared("ada", "email=eve@example.com").plan().digest("sandbox", &[0; 32]));
}

#[test]
fn the_digest_does_not_depend_on_how_the_directory_is_spelled() {
    let mut world = World::new()
        .declared("ada", ADA)
        .applied("bo", "email=bo@example.com", 1)
        .declared("bo", "email=bob@example.com")
        .unanswered("cy", "email=cy@example.com", Endpoint::CreateContact)
        .declared("cy", "email=cy@example.com");
    let digest = world.plan().digest("sandbox", &[0; 32]);
    for entry in world.0.entries.values_mut() {
        let path = std::path::Path::new("/srv/./contacts.d/team.yaml").into();
        let Entry { place: Place { key, .. }, .. } = entry.unpack();
        *entry = Entry { place: Place { path, key }, ..entry.unpack() }.into();
    }
    let plan = world.plan();
    assert_eq!(plan.actions.len(), 3);
    assert_eq!(digest, plan.digest("sandbox", &[0; 32]));
}

/// Does to a model of the state what applying `plan` does when every request succeeds.
fn apply_to_model(input: &mut Input, plan: &Plan) {
    for action in &plan.actions {
        let name = action.key().clone();
        let bound =
            |entry: &PackedEntry, id: &ApolloId| Binding { apollo_id: id.clone(), ..binding(&entry.unpack(), 0) };
        let created = |entry: &Entry| binding(entry, fresh(entry));
        match &action.operation {
            Operation::Create { entry } => drop(input.bindings.insert(name, created(&entry.unpack()))),
            Operation::Adopt { id, entry, .. } | Operation::Restore { id, entry } => {
                input.tombstones.remove(&name);
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Update { id, entry, .. } | Operation::Release { id, entry, .. } => {
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Move { from, id, entry, .. } => {
                input.bindings.remove(from);
                input.bindings.insert(name, bound(entry, id));
            }
            Operation::Forget { id } => {
                let gone = input.bindings.remove(&name).unwrap();
                let identity = IdentityHash::of(&gone.applied, &SECRET);
                input.tombstones.insert(name, Tombstone { apollo_id: id.clone(), identity, at: Timestamp(0) });
            }
            Operation::Settle { intent_id, entry, .. } => {
                input.intents.remove(intent_id);
                if let Some(entry) = entry {
                    input.bindings.insert(name, created(&entry.unpack()));
                }
            }
            Operation::Conflict { .. } | Operation::Contradiction { .. } => {}
        }
        let moved = match &action.operation {
            Operation::Move { from, .. } => Some(from),
            _ => None,
        };
        input.intents.retain(|_, intent| {
            intent.endpoint == Endpoint::CreateContact || (intent.key != *action.key() && Some(&intent.key) != moved)
        });
    }
    input.intents.retain(|id, _| !plan.housekeeping.intents.contains(id));
    for key in &plan.housekeeping.standing {
        let fingerprint = input.entries[key].fingerprint();
        input.bindings.get_mut(key).unwrap().fingerprint = Some(fingerprint);
    }
}

fn fresh(entry: &Entry) -> u64 {
    1000 + u64::from(entry.fingerprint().as_bytes()[0]) * 256 + u64::from(entry.fingerprint().as_bytes()[1])
}

fn any_fields() -> impl Strategy<Value = String> {
    let maybe = |name: &'static str, values: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(values)).prop_map(move |v| v.map(|v| format!("{name}={v}")))
    };
    (
        maybe("email", &["a@example.com", "b@example.com", "c@example.com", ""]),
        maybe("first_name", &["Ada", "Bob"]),
        maybe("last_name", &["Byron", "Ross"]),
        maybe("organization_name", &["Engines"]),
        maybe("title", &["CTO", "CEO", ""]),
        maybe("label_names", &["A", "A,B", ""]),
    )
        .prop_map(|(a, b, c, d, e, f)| [a, b, c, d, e, f].into_iter().flatten().collect::<Vec<_>>().join("; "))
}

const KEYS: [&str; 6] = ["k1", "k2", "k3", "k4", "k5", "k6"];

prop_compose! {
    fn any_world()(
        declared in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..6),
        applied in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..6),
        open in proptest::collection::vec((proptest::sample::select(&KEYS[..]), any_fields(), any::<bool>()), 0..3),
        buried in proptest::collection::btree_map(proptest::sample::select(&KEYS[..]), any_fields(), 0..3),
    ) -> Input {
        let mut world = World::new();
        for (number, (name, fields)) in (1..).zip(&applied) {
            world = world.applied(name, fields, number);
        }
        for (name, fields) in &declared {
            world = world.declared(name, fields);
        }
        for (name, fields, create) in &open {
            let bound = applied.contains_key(name);
            if bound {
                world = world.unanswered(name, fields, Endpoint::UpdateContact);
            } else if *create && !world.0.intents.values().any(|intent| intent.key == key(name)) {
                world = world.unanswered(name, fields, Endpoint::CreateContact);
            }
        }
        for (number, (name, fields)) in (100..).zip(&buried) {
            if !applied.contains_key(name) {
                world = world.buried(name, fields, number);
            }
        }
        world.0
    }
}

/// Writes the plan made while other keys are under way, and how many actions it leaves out.
fn beside(world: &World, under_way: &[&str]) -> (String, usize) {
    let keys = under_way.iter().map(|name| key(name)).collect();
    let (plan, left_out) = plan_beside(&world.0, &keys, &Policy::default());
    (plan.actions.iter().map(|action| line(action) + "\n").collect(), left_out)
}

#[test]
fn what_another_process_is_at_work_on_is_left_out() {
    let world = World::new().declared("ada", ADA).declared("bob", "email=bob@example.com");
    assert_eq!(beside(&world, &[]), (world.text(), 0));
    assert_eq!(beside(&world, &["ada"]), ("bob create (NotInState)\n".to_owned(), 1));
    let sent = world.unanswered("ada", ADA, Endpoint::CreateContact);
    assert_eq!(beside(&sent, &["ada"]), ("bob create (NotInState)\n".to_owned(), 1));
    assert_eq!(beside(&sent, &["bob"]), ("ada settle create of ada for ada (CreateUnanswered)\n".to_owned(), 1));
}

#[test]
fn an_entry_renamed_while_its_old_key_is_under_way_is_not_shown_as_new() {
    let create = World::new().unanswered("ada", ADA, Endpoint::CreateContact).declared("lovelace", ADA);
    assert_eq!(beside(&create, &["ada"]), (String::new(), 1));
    let update = World::new().applied("ada", ADA, 1).declared("lovelace", ADA);
    assert_eq!(beside(&update, &["ada"]), (String::new(), 1));
}

#[test]
fn records_of_keys_under_way_are_not_swept() {
    let world = World::new().applied("ada", ADA, 1).declared("ada", ADA);
    let world = world.unanswered("ada", "title=Countess", Endpoint::RemoveFromLists);
    let under_way = [key("ada")].into();
    let (plan, _) = plan_beside(&world.0, &under_way, &Policy::default());
    assert!(plan.housekeeping.is_empty());
}

/// The entry stayed among those that differ for good, since nothing was to be sent for it: each plan read it again.
#[test]
fn an_entry_that_changed_in_nothing_managed_is_noted_again() {
    let world = World::new().applied("ada", ADA, 1).declared("ada", &format!("{ADA}; moved_from=countess"));
    let plan = world.plan();
    assert!(plan.is_empty());
    assert_eq!(plan.housekeeping.standing, [key("ada")]);
    assert!(World::new().applied("ada", ADA, 1).declared("ada", ADA).plan().housekeeping.is_empty());
}

proptest! {
    #[test]
    fn planning_after_applying_gives_nothing(mut input in any_world()) {
        let first = plan(&input, &Policy::default());
        apply_to_model(&mut input, &first);
        let second = plan(&input, &Policy::default());
        prop_assert!(second.is_empty(), "left over: {:#?}", second.actions);
        prop_assert!(second.housekeeping.is_empty());
    }

    #[test]
    fn every_key_has_one_action_at_most_and_they_are_sorted(input in any_world()) {
        let plan = plan(&input, &Policy::default());
        let keys: Vec<_> = plan.actions.iter().map(|action| action.key().clone()).collect();
        let mut sorted = keys.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(keys, sorted);
    }

    #[test]
    fn no_contact_is_given_to_two_keys(mut input in any_world()) {
        let first = plan(&input, &Policy::default());
        let bound: Vec<ApolloId> = first.actions.iter().filter_map(|action| match &action.operation {
            Operation::Move { id, .. } | Operation::Restore { id, .. } | Operation::Update { id, .. } => Some(id.clone()),
            _ => None,
        }).collect();
        let distinct: std::collections::BTreeSet<_> = bound.iter().collect();
        prop_assert_eq!(distinct.len(), bound.len());
        let rows = input.bindings.len();
        apply_to_model(&mut input, &first);
        prop_assert!(input.bindings.len() <= rows + input.entries.len());
    }

    #[test]
    fn a_plan_beside_another_process_is_the_plan_without_its_keys(input in any_world(), busy in any::<[bool; 4]>()) {
        let names: Vec<ContactKey> = input.entries.keys().chain(input.bindings.keys()).cloned().collect();
        let under_way = names.iter().zip(busy.iter().cycle()).filter(|(_, busy)| **busy).map(|(key, _)| key.clone()).collect();
        let whole = plan(&input, &Policy::default());
        let (beside, left_out) = plan_beside(&input, &under_way, &Policy::default());
        prop_assert_eq!(beside.actions.len() + left_out, whole.actions.len());
        prop_assert!(beside.actions.iter().all(|action| !under_way.contains(action.key()) && whole.actions.contains(action)));
    }

    #[test]
    fn the_same_input_gives_the_same_bytes(input in any_world()) {
        let bytes = |input: &Input| serde_json::to_vec(&plan(input, &Policy::default())).unwrap();
        prop_assert_eq!(bytes(&input), bytes(&input.clone()));
    }
}

fn scoped(world: &World, target: &[&str], exclude: &[&str]) -> Plan {
    let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
    let scope = Scope::new(&patterns(target), &patterns(exclude));
    plan(&world.0, &Policy { scope, max_creates: Some(Limit::Count(1)), ..Policy::default() })
}

fn keys_of(plan: &Plan) -> Vec<&str> {
    plan.actions.iter().map(|action| action.key().as_str()).collect()
}

#[test]
fn a_plan_for_some_keys_is_that_part_of_the_whole_plan() {
    let world = World::new()
        .declared("ada", ADA)
        .declared("bo", "email=bo@example.com")
        .declared("cy", "email=cy@example.com; title=CTO")
        .applied("cy", "email=cy@example.com; title=CEO", 3)
        .applied("di", "email=di@example.com", 4);
    let whole = world.plan();
    assert_eq!(keys_of(&whole), ["ada", "bo", "cy", "di"]);
    for (target, exclude, left) in [
        (&["ada"][..], &[][..], &["ada"][..]),
        (&["?i", "c*"], &[], &["cy", "di"]),
        (&[], &["ada", "bo"], &["cy", "di"]),
        (&["*"], &["*o"], &["ada", "cy", "di"]),
        (&["ada"], &["ada"], &[]),
    ] {
        let part = scoped(&world, target, exclude);
        assert_eq!(keys_of(&part), left);
        assert!(part.actions.iter().all(|action| whole.actions.contains(action)));
    }
}

#[test]
fn limits_count_what_is_asked_for() {
    let world = World::new().declared("ada", ADA).declared("bo", "email=bo@example.com");
    assert_eq!(scoped(&world, &["*"], &[]).brakes.len(), 1);
    assert_eq!(scoped(&world, &["bo"], &[]).brakes, []);
}

#[test]
fn a_move_stays_together() {
    let world = World::new().applied("old", ADA, 1).declared("new", &format!("{ADA}; title=CTO"));
    for (target, exclude, moved) in
        [(&["old"][..], &[][..], true), (&["new"], &[], true), (&[], &["old"], false), (&[], &["new"], false)]
    {
        let part = scoped(&world, target, exclude);
        assert_eq!(keys_of(&part), if moved { vec!["new"] } else { vec![] }, "{target:?} {exclude:?}");
    }
}

#[test]
fn what_is_left_out_is_not_swept_away() {
    let world = World::new()
        .applied("ada", "title=CEO", 1)
        .declared("ada", "title=CTO")
        .unanswered("ada", "title=CTO", Endpoint::UpdateContact)
        .declared("bo", "email=bo@example.com");
    assert_eq!(world.plan().housekeeping, Housekeeping::default());
    assert_eq!(scoped(&world, &["bo"], &[]).housekeeping, Housekeeping::default());
}

#[test]
fn a_plan_for_all_that_is_a_plan_for_some_has_another_digest() {
    let world = World::new().declared("ada", ADA);
    let (whole, part) = (world.plan(), scoped(&world, &["ada"], &[]));
    assert_eq!(whole.actions, part.actions);
    assert_ne!(whole.digest("sandbox", &[0; 32]), part.digest("sandbox", &[0; 32]));
    assert_eq!(part.digest("sandbox", &[0; 32]), scoped(&world, &["ada", "ada"], &[]).digest("sandbox", &[0; 32]));
}
