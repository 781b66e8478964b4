//! Rows of the table of actions: what each single entry needs.

use super::*;

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
