//! Keys that change: moves, contacts that are named elsewhere, and keys that come back.

use super::*;

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
fn a_rename_takes_the_decision_about_a_deleted_contact_along() {
    let mut world = World::new().applied("ada", ADA, 1).declared("countess", ADA);
    world.0.bindings.get_mut(&key("ada")).unwrap().gone_at = Some(Timestamp(5));
    insta::assert_snapshot!(world.text(), @"countess conflict Gone { id: 000000000000000000000001 } (Undecided)");
    let policy = Policy { recreate: [key("countess")].into_iter().collect(), ..Policy::default() };
    let lines: Vec<_> = plan(&world.0, &policy).actions.iter().map(line).collect();
    assert_eq!(lines, ["countess create (Recreate)"]);
}
