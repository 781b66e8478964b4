//! Contacts that are created and changed in one request for many.

use std::fmt::Write as _;

use serde_json::json;

use super::line::Spoil;
use super::world::World;
use crate::model::{Batching, MatchedBy, Origin};
use crate::sandbox::{Action, Options};

/// Makes a world whose sessions send up to 100 contacts in one request.
async fn world(sandbox: impl FnOnce(Options) -> Options) -> World {
    let mut world = World::to(sandbox, None).await;
    world.batching = Batching::default();
    world
}

async fn with(quirks: &str, faults: &str) -> World {
    world(|options| Options { quirks: quirks.parse().unwrap(), faults: faults.parse().unwrap(), ..options }).await
}

/// Writes entries; `more` is what stands in each beside its name and its e-mail.
fn people(count: usize, more: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        let more = more(number);
        writeln!(
            text,
            "  p{number:03}: {{first_name: F{number}, last_name: Quill, email: p{number}@example.com{more}}}"
        )
        .unwrap();
        text
    })
}

fn plain(count: usize) -> String {
    people(count, |_| String::new())
}

/// What was shown is what is done: a file that changes after that is for the next plan.
#[tokio::test]
async fn what_was_planned_is_sent_whatever_becomes_of_the_files_meanwhile() {
    let world = world(|options| options).await;
    let of = |from: usize, title: &str| {
        let all = people(from + 3, |_| format!(", title: {title}, organization_name: Example"));
        all.lines().skip(from).fold(String::new(), |text, line| text + line + "\n")
    };
    world.declare(&of(0, "Clerk"));
    world.declare_in("edited.yaml", &of(3, "Clerk"));
    world.declare_in("removed.yaml", &of(6, "Clerk"));
    world.declare_in("unreadable.yaml", &of(9, "Clerk"));
    let meanwhile = |dir: &std::path::Path| {
        world.declare_in("edited.yaml", &of(3, "Poet"));
        std::fs::remove_file(dir.join("removed.yaml")).unwrap();
        std::fs::remove_file(dir.join("unreadable.yaml")).unwrap();
        std::fs::create_dir(dir.join("unreadable.yaml")).unwrap();
    };
    let report = world.apply_while(meanwhile).await.unwrap();
    assert_eq!((report.added, report.failed, report.remaining), (12, 0, 0));
    let contacts = world.server.contacts();
    assert!(contacts.iter().all(|contact| contact["title"] == "Clerk"), "{contacts:#?}");
    assert_eq!((contacts.len(), world.sent(Action::BulkCreate)), (12, 3));
    world.assert_told(&[]);
    // The next plan is of the files as they are by now.
    let report = world.apply().await.unwrap();
    assert_eq!((report.changed, report.forgotten), (3, 6));
    assert_eq!(world.contact("F4")["title"], "Poet");
}

impl World {
    fn sent(&self, action: Action) -> u64 {
        self.server.requests().requests(action)
    }

    /// Applies until nothing is left, and makes sure that there is one contact for each entry.
    async fn comes_to_rest_with(&self, count: usize) {
        // Each of them may take several runs, when every answer of the server is spoiled.
        for _ in 0..20 {
            if self.apply().await.is_none() {
                break;
            }
        }
        let emails: std::collections::BTreeSet<_> =
            self.server.contacts().iter().map(|contact| contact["email"].to_string()).collect();
        assert_eq!((emails.len(), self.server.contacts().len()), (count, count));
        assert_eq!(self.snapshot().bindings.len(), count);
        assert!(self.snapshot().intents.is_empty());
    }
}

#[tokio::test]
async fn many_are_created_by_few_requests_and_the_first_batch_is_small() {
    let world = with("", "").await;
    world.declare(&plain(230));
    assert_eq!(world.apply().await.unwrap().added, 230);
    // Ten, then a hundred each; one before them asks whether they may go out.
    assert_eq!((world.sent(Action::BulkCreate), world.sent(Action::Create)), (1 + 4, 0));
    // The account is empty, which one page shows.
    assert_eq!((world.sent(Action::Search), world.sent(Action::View)), (1, 0));
    world.comes_to_rest_with(230).await;
    let origins: Vec<_> = world.snapshot().bindings.into_values().map(|binding| binding.origin).collect();
    assert!(origins.iter().all(|origin| *origin == Origin::Created));
    // A state asks once, and begins small once.
    world.declare(&plain(350));
    assert_eq!(world.apply().await.unwrap().added, 120);
    assert_eq!(world.sent(Action::BulkCreate), 5 + 2);
}

#[tokio::test]
async fn what_a_batch_cannot_carry_follows_and_lists_follow_by_one_call() {
    let world = with("", "").await;
    world.declare(&people(30, |number| match number % 3 {
        0 => ", label_names: [Leads, Board]".to_owned(),
        1 => ", label_names: [Leads], mobile_phone: '+44 7911 000000'".to_owned(),
        _ => ", website_url: 'https://example.com'".to_owned(),
    }));
    assert_eq!(world.apply().await.unwrap().added, 30);
    let counts = [Action::BulkCreate, Action::AddToLists, Action::Update].map(|action| world.sent(action));
    // Those of the same lists are in one batch where that is possible: 10 of none, then 20 of two sets.
    assert_eq!(counts, [1 + 2, 2, 20]);
    world.comes_to_rest_with(30).await;
    assert_eq!(world.contact("F0")["label_names"], json!(["Board", "Leads"]));
    assert_eq!(world.contact("F1")["label_names"], json!(["Leads"]));
}

#[tokio::test]
async fn nobody_who_is_there_is_written_in_either_reading() {
    for quirks in ["", "bulk-overwrites"] {
        let world = with(quirks, "").await;
        world.somebody(json!({"first_name": "Pia", "last_name": "Quill", "email": "p1@example.com"})).await;
        world.somebody(json!({"first_name": "F2", "last_name": "Quill", "email": "other@example.com"})).await;
        let before = world.server.contacts();
        world.declare(&plain(20));
        let report = world.apply().await.unwrap();
        // One with the e-mail is imported, and a namesake at the same domain waits for a person.
        assert_eq!((report.added, report.imported, report.failed), (18, 1, 1), "{quirks}");
        world.assert_told(&["p002: Undecided(Namesakes"]);
        let after = world.server.contacts();
        assert_eq!(after[1], before[1], "{quirks}");
        assert_eq!(after[0]["first_name"], "F1", "the entry's own contact is brought up");
        let pia = &world.snapshot().bindings[&crate::model::ContactKey::parse("p001").unwrap()];
        assert_eq!(pia.origin, Origin::Matched(MatchedBy::LookUp), "{quirks}");
    }
}

#[tokio::test]
async fn a_match_that_no_look_has_shown_is_a_conflict() {
    let mut world = with("", "").await;
    // The first request asks whether many may be created.
    let pia = r#"{"first_name": "Pia", "last_name": "Quill", "email": "p1@example.com"}"#;
    world.spoil_create(2, Spoil::Meanwhile(pia)).await;
    world.declare(&plain(20));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.imported, report.failed), (19, 0, 1));
    world.assert_told(&["p001: Undecided(UnseenMatch"]);
}

#[tokio::test]
async fn without_a_look_whom_apollo_has_is_imported_and_named() {
    let mut world = with("", "").await;
    world.batching.looks = false;
    world.somebody(json!({"first_name": "Pia", "last_name": "Quill", "email": "p1@example.com"})).await;
    world.declare(&plain(20));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.imported, report.imports.len()), (19, 1, 1));
    assert_eq!(world.sent(Action::Search), 0);
    assert_eq!(report.imports[0].changes().len(), 1, "the first name alone");
}

#[tokio::test]
async fn one_bad_contact_holds_nobody_up_and_costs_at_most_sixteen_requests() {
    for quirks in ["refuses-marked", "refuses-marked,bulk-refused-half-done", "refuses-marked,bulk-refusals-silent"] {
        let world = with(quirks, "").await;
        world.declare(&plain(10));
        world.settle_down().await;
        let before = world.line.requests();
        world.declare(&people(
            110,
            |number| if number == 77 { ", title: Head (refuse)".to_owned() } else { String::new() },
        ));
        let report = world.apply().await.unwrap();
        assert_eq!((report.added, report.failed), (99, 1), "{quirks}");
        world.assert_told(&["p077: Rejected"]);
        let extra = world.line.requests() - before - 3;
        assert!(extra <= 16, "{quirks}: {extra} requests more than the one it would have been");
        world.declare(&plain(110));
        world.comes_to_rest_with(110).await;
    }
}

#[tokio::test]
async fn every_contact_of_a_thin_or_incomplete_answer_ends_in_one_way() {
    for faults in
        ["item-left-out=0.5", "item-undone=0.5", "item-ghost=0.5", "lost-reply=0.2", "truncated=0.2", "page-after=0.2"]
    {
        for quirks in ["", "bulk-rows-bare", "bulk-answers-jobs", "bulk-empty-refused"] {
            let world = with(quirks, &format!("bulk-create:{faults}")).await;
            world.declare(&plain(40));
            let report = world.apply().await.unwrap();
            assert_eq!(report.added + report.failed + report.remaining, 40, "{faults} {quirks}");
            world.comes_to_rest_with(40).await;
        }
    }
}

#[tokio::test]
async fn any_request_of_a_batch_may_be_lost() {
    for spoil in [Spoil::Before, Spoil::After, Spoil::PageAfter(404), Spoil::PageBefore(403), Spoil::Page] {
        for number in 1.. {
            let mut world = with("", "").await;
            world.declare(&people(25, |number| {
                if number % 2 == 0 { ", label_names: [Leads]".to_owned() } else { String::new() }
            }));
            world.spoil(number, spoil).await;
            world.apply().await;
            let was_all = world.line.requests() < number;
            world.comes_to_rest_with(25).await;
            if was_all {
                break;
            }
        }
    }
}

#[tokio::test]
async fn where_nobody_may_create_many_each_is_created_alone() {
    let without = |options: Options| Options { missing_scopes: [Action::BulkCreate].into(), ..options };
    let world = world(without).await;
    world.declare(&plain(5));
    assert_eq!(world.apply().await.unwrap().added, 5);
    assert_eq!((world.sent(Action::BulkCreate), world.sent(Action::Create)), (1, 5));
    world.assert_told(&["CreatesOneByOne"]);
    let vendor = with("vendor-page-only", "").await;
    vendor.declare(&plain(5));
    assert_eq!(vendor.apply().await.unwrap().added, 5);
    vendor.comes_to_rest_with(5).await;
}

#[tokio::test]
async fn whether_many_may_be_created_is_asked_again_when_nothing_is_answered() {
    for spoil in [Spoil::Before, Spoil::After] {
        for number in 1..=3 {
            let mut world = with("", "").await;
            world.declare(&plain(20));
            world.spoil(number, spoil).await;
            assert_eq!(world.apply().await.unwrap().added, 20, "{spoil:?} {number}");
            assert_eq!(world.sent(Action::Create), 0, "{spoil:?} {number}");
        }
    }
    let world = with("", "bulk-create:error-500=1").await;
    world.declare(&plain(5));
    assert_eq!(world.apply().await.unwrap().added, 5);
    assert_eq!((world.sent(Action::BulkCreate), world.sent(Action::Create)), (3, 5));
    let told = world.take_problems();
    assert!(told.iter().any(|told| told.starts_with("BatchesUnknown")), "{told:#?}");
}

#[tokio::test]
async fn many_are_changed_by_few_requests() {
    let world = with("", "").await;
    let field = "60c39ed82bd02f01154c470a";
    let declared = |title: &str| {
        people(150, |number| {
            format!(", title: {title}, label_names: [L{}], typed_custom_fields: {{{field}: {title}}}", number % 2)
        })
    };
    world.declare(&declared("CTO"));
    world.settle_down().await;
    let before = world.line.requests();
    world.declare(&declared("CEO"));
    assert_eq!(world.apply().await.unwrap().changed, 150);
    // Two batches, and a page after each, since the answer shows no custom fields.
    assert_eq!(world.line.requests() - before, 4);
    assert_eq!((world.sent(Action::BulkUpdate), world.sent(Action::Update)), (2, 0));
    world.comes_to_rest_with(150).await;
    assert!(world.server.contacts().iter().all(|contact| contact["title"] == "CEO"));
}

#[tokio::test]
async fn a_contact_that_a_batch_left_out_is_changed_although_nothing_was_known_of_the_field() {
    let field = "60c39ed82bd02f01154c470a";
    for quirks in ["", "bulk-rows-bare"] {
        let world = with(quirks, "bulk-update:item-undone=0.5").await;
        let declared =
            |value: &str| people(20, |_| format!(", title: {value}, typed_custom_fields: {{{field}: {value}}}"));
        world.declare(&declared("CTO"));
        world.settle_down().await;
        // Neither field is managed for a while.
        world.declare(&plain(20));
        world.settle_down().await;
        world.take_problems();
        world.declare(&declared("CEO"));
        world.settle_down().await;
        assert_eq!(world.take_problems(), [""; 0], "{quirks}");
        for contact in world.server.contacts() {
            assert_eq!(
                (&contact["title"], &contact["typed_custom_fields"][field]),
                (&json!("CEO"), &json!("CEO")),
                "{quirks}"
            );
        }
    }
}

#[tokio::test]
async fn a_bad_or_gone_contact_among_those_that_are_changed_holds_nobody_up() {
    for quirks in [
        "refuses-marked",
        "refuses-marked,bulk-refusals-silent",
        "refuses-marked,bulk-refused-half-done",
        "refuses-marked,bulk-ignores-gone",
        "refuses-marked,bulk-answers-jobs",
    ] {
        let world = with(quirks, "").await;
        world.declare(&people(40, |_| ", title: CTO".to_owned()));
        world.settle_down().await;
        world.delete("F11").await;
        world.declare(&people(40, |number| format!(", title: CEO{}", if number == 7 { " (refuse)" } else { "" })));
        let report = world.apply().await.unwrap();
        assert_eq!((report.changed, report.failed), (38, 2), "{quirks}");
        let told = world.take_problems();
        assert!(told.iter().any(|told| told.starts_with("p007: Rejected")), "{quirks}: {told:#?}");
        assert!(told.iter().any(|told| told.starts_with("p011: Undecided(Gone")), "{quirks}: {told:#?}");
    }
}

#[tokio::test]
async fn an_account_is_read_once_and_then_its_changes() {
    let world = with("", "").await;
    for number in 0..250 {
        let email = format!("old{number}@example.org");
        world.somebody(json!({"first_name": "Old", "last_name": format!("N{number}"), "email": email})).await;
    }
    world.declare(&plain(120));
    assert_eq!(world.apply().await.unwrap().added, 120);
    assert_eq!(world.sent(Action::Search), 3, "three pages hold the account");
    // Of the next run it takes one page, although a hundred contacts were made since.
    world.declare(&plain(121));
    assert_eq!(world.apply().await.unwrap().added, 1);
    assert_eq!(world.sent(Action::Search), 4);
    // Who was made or changed by somebody meanwhile is seen.
    world.somebody(json!({"first_name": "Pia", "last_name": "Quill", "email": "p122@example.com"})).await;
    world.add(json!({"first_name": "F123", "last_name": "Quill", "email": "other@example.com"})).await;
    world.declare(&plain(124));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.imported, report.failed), (1, 1, 1));
    world.assert_told(&["p123: Undecided(Namesakes"]);
}

#[tokio::test]
async fn whoever_is_known_and_was_deleted_is_in_nobodys_way() {
    let world = with("", "").await;
    world.somebody(json!({"first_name": "Pia", "last_name": "Stone", "email": "p1@example.com"})).await;
    world.declare(&plain(1));
    world.declare("  a: {first_name: A, email: a@example.com}\n  b: {first_name: B, email: b@example.com}\n");
    world.settle_down().await;
    world.delete("Pia").await;
    world.declare(&(plain(2)));
    assert_eq!(world.apply().await.unwrap().added, 2);
}

#[tokio::test]
async fn an_account_that_hides_emails_is_searched_for_each() {
    let world = with("search-hides-emails", "").await;
    world.somebody(json!({"first_name": "Pia", "last_name": "Quill", "email": "p1@example.com"})).await;
    world.declare(&plain(5));
    let report = world.apply().await.unwrap();
    assert_eq!((report.added, report.imported, report.failed), (4, 1, 0));
}

#[tokio::test]
async fn a_batch_whose_answer_is_lost_is_settled_by_pages() {
    let mut world = with("", "").await;
    world.declare(&plain(10));
    world.settle_down().await;
    world.spoil_create(1, Spoil::After).await;
    world.declare(&people(110, |number| format!(", label_names: [L{}]", number % 2)));
    let report = world.apply().await.unwrap();
    assert_eq!((report.changed, report.failed), (10, 100));
    let before = world.line.requests();
    assert_eq!(world.apply().await.unwrap().settled, 100);
    // A page and the one after it, and the lists: no view of each.
    assert!(world.line.requests() - before <= 5, "{} requests", world.line.requests() - before);
    world.comes_to_rest_with(110).await;
}
