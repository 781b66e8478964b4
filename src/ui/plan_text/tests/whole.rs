//! What stands around the blocks: legend, counts, cost, brakes, next step.

use super::*;

#[test]
fn a_plan_shows_legend_blocks_counts_cost_and_next_step() {
    let forecast = Forecast {
        requests: vec![(Endpoint::CreateContact, 1), (Endpoint::UpdateContact, 1)],
        duration: Some(Duration::from_millis(300)),
        note: None,
        ..Forecast::default()
    };
    let options =
        PlanOptions { forecast: Some(&forecast), next_step: Some("contactsd apply"), ..PlanOptions::default() };
    insta::assert_snapshot!(text(&several_actions(), options), @r#"
    Actions are indicated with the following symbols:
      + create
      ~ update in-place
      . forget

    contactsd will perform the following actions:

      # contact.ada will be updated in-place
      ~ contact "ada" {
            id    = "66f0c1000000000000000001"
          ~ title = "CTO" -> "CEO"
            # (3 unchanged attributes hidden)
        }

      # contact.bob will be removed from the state but will not be destroyed
      # (because contact.bob is no longer in the contact files)
      # (it was in contacts.d/team.yaml)
      . contact "bob" {
            id = "66f0c1000000000000000002"
        }

      # contact.grace will be created
      # (or imported, if Apollo has a contact with this e-mail)
      + contact "grace" {
          + first_name = "Grace"
          + email      = "grace@example.com"
          + id         = (known after apply)
        }

    Plan: 1 to add, 1 to change, 0 to destroy, 1 to forget.
    Requests: 1 create, 1 update; about 1s within the quota.
    Each new contact is searched for before it is created. If the key is not allowed
    to search, a contact that Apollo matches is overwritten.

    ────────────────────────────────────────────────────────────────────────────────

    Run "contactsd apply" to perform these actions. It plans again, and asks before
    anything is sent.
    "#);
}

#[test]
fn color_is_where_terraform_has_it() {
    let digest = Digest("0123456789abcdef".into());
    insta::assert_snapshot!(text(&several_actions(), PlanOptions { digest: Some(&digest), ..COLOR }), @r#"
    Actions are indicated with the following symbols:
      ␛[32m+␛[0m create
      ␛[33m~␛[0m update in-place
      ␛[31m.␛[0m forget

    contactsd will perform the following actions:

      ␛[1m# contact.ada␛[0m will be updated in-place
      ␛[33m~␛[0m contact "ada" {
            id    = "66f0c1000000000000000001"
          ␛[33m~␛[0m title = "CTO" ␛[33m->␛[0m "CEO"
            ␛[90m# (3 unchanged attributes hidden)␛[0m
        }

      ␛[1m# contact.bob␛[0m ␛[31mwill be removed from the state but will not be destroyed␛[0m
      ␛[90m# (because contact.bob is no longer in the contact files)␛[0m
      ␛[90m# (it was in contacts.d/team.yaml)␛[0m
      ␛[31m.␛[0m contact "bob" {
            id = "66f0c1000000000000000002"
        }

      ␛[1m# contact.grace␛[0m will be created
      ␛[90m# (or imported, if Apollo has a contact with this e-mail)␛[0m
      ␛[32m+␛[0m contact "grace" {
          ␛[32m+␛[0m first_name = "Grace"
          ␛[32m+␛[0m email      = "grace@example.com"
          ␛[32m+␛[0m id         = ␛[90m(known after apply)␛[0m
        }

    ␛[1mPlan:␛[0m 1 to add, 1 to change, 0 to destroy, 1 to forget.
    Each new contact is searched for before it is created. If
    the key is not allowed to search, a contact that Apollo
    matches is overwritten.
    ␛[90mDigest: 0123456789abcdef␛[0m
    "#);
}

#[test]
fn no_changes_is_said_in_one_line() {
    let none = |unchanged| text(&Plan { unchanged, ..plan_of(vec![]) }, PlanOptions::default());
    insta::assert_snapshot!(none(0), @"No changes. The contact files declare no contacts.");
    insta::assert_snapshot!(none(1), @"No changes. The files are as last applied (1 contact). Apollo was not asked.");
    insta::assert_snapshot!(none(1024), @"No changes. The files are as last applied (1,024 contacts). Apollo was not asked.");
    insta::assert_snapshot!(text(&Plan { unchanged: 2, ..plan_of(vec![]) }, COLOR), @"␛[1m␛[32mNo changes.␛[0m ␛[1mThe files are as last applied (2 contacts). Apollo was not asked.␛[0m");
}

#[test]
fn the_summary_line_counts_everything_in_a_fixed_order() {
    let adopt = |name: &str| {
        action(
            name,
            Reason::DeclaresApolloId,
            Operation::Adopt { id: id(1), entry: entry(name, &[]).into(), evidence: None },
        )
    };
    let mut actions = vec![adopt("a"), adopt("b"), conflict(Dispute::Gone { id: id(4) })];
    actions.extend(several_actions().actions);
    let release = Operation::Release { id: id(1), entry: ada(&[]).into(), changes: vec![released(Field::Title)] };
    actions.push(action("c", Reason::NoLongerDeclared, release));
    let settle = Operation::Settle { intent_id: IntentId(1), intent: intent(1), entry: None };
    actions.push(action("d", Reason::CreateUnanswered, settle));
    let moved = Operation::Move { from: key("f"), id: id(1), entry: ada(&[]).into(), changes: vec![] };
    actions.push(action("e", Reason::MovedFrom, moved));
    let text = text(&plan_of(actions), PlanOptions::default());
    insta::assert_snapshot!(text.rsplit_once("\n\n").unwrap().1, @"
    Plan: 2 to import, 1 to add, 1 to change, 0 to destroy, 1 to forget.
    Also: 1 to move, 1 to release, 1 to settle, 1 needs a decision.
    Each new contact is searched for before it is created. If the key is not allowed
    to search, a contact that Apollo matches is overwritten.
    ");
}

#[test]
fn a_forecast_says_what_it_rests_on() {
    let forecast = Forecast {
        requests: vec![(Endpoint::CreateContact, 10_000), (Endpoint::ViewContact, 0)],
        duration: Some(Duration::from_mins(1000)),
        note: Some("600 requests per hour assumed until Apollo tells its limits".into()),
        ..Forecast::default()
    };
    let text = text(&several_actions(), PlanOptions { forecast: Some(&forecast), ..PlanOptions::default() });
    insta::assert_snapshot!(text.rsplit_once("\n\n").unwrap().1, @"
    Plan: 1 to add, 1 to change, 0 to destroy, 1 to forget.
    Requests: 10,000 create; about 16h40m within the quota (600 requests per hour
    assumed until Apollo tells its limits).
    Each new contact is searched for before it is created. If the key is not allowed
    to search, a contact that Apollo matches is overwritten.
    ");
}

#[test]
fn what_may_turn_out_not_to_be_needed_is_counted_up_to() {
    let text = |at_most| {
        forecast_text(&Forecast {
            requests: vec![(Endpoint::ViewContact, 2), (Endpoint::UpdateContact, 2000)],
            up_to: [Endpoint::UpdateContact].into(),
            duration: Some(Duration::from_hours(3)),
            at_most,
            ..Forecast::default()
        })
        .unwrap()
    };
    insta::assert_snapshot!(text(true), @"Requests: 2 view, up to 2,000 update; up to 3h within the quota.");
    insta::assert_snapshot!(text(false), @"Requests: 2 view, up to 2,000 update; about 3h within the quota.");
}

#[test]
fn what_takes_a_request_each_is_named_with_how_many_there_are() {
    use OneEach::{AskedFor, ClearedStage, NoDedupe, NoEmail, TypedPhone, WebsiteUrl};

    let one_each = |counts: &[(OneEach, usize)]| {
        let forecast = Forecast { one_each: counts.iter().copied().collect(), ..Forecast::default() };
        one_each_text(&forecast).unwrap_or_default()
    };
    assert_eq!(one_each(&[]), "");
    insta::assert_snapshot!(one_each(&[(TypedPhone, 2000)]), @"Some contacts need a request of their own: 2,000 have a phone number.");
    let all = [TypedPhone, WebsiteUrl, ClearedStage, NoEmail, NoDedupe, AskedFor];
    insta::assert_snapshot!(one_each(&all.map(|why| (why, 1))), @"Some contacts need a request of their own: 1 has a phone number, 1 has a website_url, 1 has a stage to clear, 1 has no e-mail, 1 has run_dedupe: false, 1 is created by --create.");
    insta::assert_snapshot!(one_each(&all.map(|why| (why, 2))), @"Some contacts need a request of their own: 2 have a phone number, 2 have a website_url, 2 have a stage to clear, 2 have no e-mail, 2 have run_dedupe: false, 2 are created by --create.");
}

#[test]
fn what_a_create_may_touch_depends_on_how_it_goes_out() {
    let note = |creates, detail| {
        let forecast = Forecast { creates, ..Forecast::default() };
        look_note(&several_actions(), detail, Some(&forecast)).unwrap()
    };
    insta::assert_snapshot!(note(Creates::Together, Detail::Blocks), @"Each new contact is searched for before it is created. If the key is not allowed to search: a request for many contacts does not change a contact that Apollo matches, but a request for one contact overwrites it.");
    insta::assert_snapshot!(note(Creates::Together, Detail::Concise), @"Each new contact is searched for before it is created, and imported if Apollo has a contact with its e-mail. If the key is not allowed to search: a request for many contacts does not change a contact that Apollo matches, but a request for one contact overwrites it.");
    insta::assert_snapshot!(note(Creates::TogetherUnseen, Detail::Blocks), @"New contacts that share a request are not searched for first (--look off): by Apollo's page, a contact that it matches stays as it is.");
    insta::assert_snapshot!(note(Creates::TogetherUnseen, Detail::Concise), @"New contacts that share a request are not searched for first (--look off): by Apollo's page, a contact that it matches stays as it is, and is imported if it has the e-mail.");
    insta::assert_snapshot!(note(Creates::OneByOne, Detail::Concise), @"Each new contact is searched for before it is created, and imported if Apollo has a contact with its e-mail. If the key is not allowed to search, a contact that Apollo matches is overwritten.");
}

#[test]
fn brakes_say_what_lifts_them_and_no_next_step_is_offered() {
    let brakes = vec![
        brake(BrakeKind::ForgetsAll, 5, 4),
        brake(BrakeKind::ForgetsMany, 1400, 1000),
        brake(BrakeKind::MaxCreates, 2, 1),
        brake(BrakeKind::MaxUpdates, 3, 0),
        brake(BrakeKind::MaxForgets, 5, 2),
    ];
    let plan = Plan { brakes, ..several_actions() };
    let options = PlanOptions { next_step: Some("contactsd apply"), ..PlanOptions::default() };
    let text = text(&plan, options);
    insta::assert_snapshot!(&text[text.find("Plan:").unwrap()..], @"
    Plan: 1 to add, 1 to change, 0 to destroy, 1 to forget.
    Each new contact is searched for before it is created. If the key is not allowed
    to search, a contact that Apollo matches is overwritten.

    Brake: all 5 managed contacts would be forgotten. If this is intended, add
    --force.

    Brake: 1,400 contacts would be forgotten, and at most 1,000 are allowed. If this
    is intended, add --force.

    Brake: 2 contacts would be created, and at most 1 is allowed. To allow it, raise
    --max-creates.

    Brake: 3 contacts would be updated, and at most 0 are allowed. To allow it,
    raise --max-updates.

    Brake: 5 contacts would be forgotten, and at most 2 are allowed. To allow it,
    raise --max-forgets.
    ");
}

#[test]
fn a_plan_of_any_size_has_a_block_an_action_and_the_same_bytes_every_time() {
    for size in [1, 100, 10_000] {
        let actions = (0..size).map(|number| create(entry(&format!("k{number:05}"), &full()))).collect();
        let plan = plan_of(actions);
        let once = text(&plan, PlanOptions::default());
        assert_eq!(once.matches("  + contact \"").count(), size);
        assert!(once.contains(&format!("Plan: {size} to add, 0 to change, 0 to destroy.")));
        assert_eq!(once, text(&plan, PlanOptions::default()));
    }
}
