//! What a plan says of the requests that it takes.

use super::*;

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
