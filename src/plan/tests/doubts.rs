//! Creates without an answer, collisions, and what waits for a person.

use super::*;

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
