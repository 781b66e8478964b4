//! Plans beside a process that is at work.

use super::*;

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
