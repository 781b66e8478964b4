//! Plans for a part of the contacts.

use super::*;

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
