//! A probe tells the reading that the server follows, and touches nobody but its own contacts.

use std::time::Duration;

use serde_json::json;

use super::world::World;
use crate::model::Endpoint;
use crate::ops::{
    MOST_CONTACTS, ProbeReading as Reading, ProbeReport, Question, Scope, Session, Unknown, probe, probe_target,
};
use crate::sandbox::{Action, DedupeReading, Options, Witness};

impl World {
    async fn probe(&self) -> ProbeReport {
        let session = Session::open(self.options()).await.unwrap();
        let report = probe(&session, Duration::ZERO).await;
        session.close().await.unwrap();
        report
    }
}

/// Probes a server, and makes sure that it holds what the report says and that a stranger stays as it was.
async fn probed(sandbox: impl FnOnce(Options) -> Options) -> ProbeReport {
    let world = World::to(sandbox, None).await;
    world.somebody(json!({"first_name": "Throwaway", "last_name": "Quill", "email": "pia@example.com"})).await;
    let stranger = world.server.contacts();
    let report = world.probe().await;
    let contacts = world.server.contacts();
    assert_eq!(contacts[..1], stranger[..]);
    assert!(contacts.len() - 1 <= MOST_CONTACTS, "{} contacts", contacts.len() - 1);
    let made: Vec<&str> = report.made.keys().map(crate::model::ApolloId::as_str).collect();
    for contact in &contacts[1..] {
        assert!(contact.to_string().contains(&report.mark), "{contact}");
        let is_named = made.contains(&contact["id"].as_str().unwrap());
        assert!(is_named || report.may_be_more, "{contact} is not in {report:#?}");
    }
    let asked: Vec<Question> = report.findings.iter().map(|finding| finding.question).collect();
    assert_eq!(asked, Question::ALL);
    report
}

async fn with(quirks: &str) -> ProbeReport {
    probed(|options| Options { quirks: quirks.parse().unwrap(), ..options }).await
}

#[track_caller]
fn check(report: &ProbeReport, question: Question, reading: Result<Reading, Unknown>) {
    let finding = report.findings.iter().find(|finding| finding.question == question).unwrap();
    assert_eq!(finding.reading, reading, "{finding:?}");
}

#[tokio::test]
async fn a_plain_server_is_read_as_it_is() {
    let report = with("").await;
    let expected = [
        (Question::EmptyBatch, Reading::Accepted),
        (Question::TwinsInBatch, Reading::MadeOnce),
        (Question::RowContents, Reading::TellsCreation),
        (Question::ItemLists, Reading::ListsIgnored),
        (Question::SearchLag, Reading::ShownAtOnce),
        (Question::KeywordSearch, Reading::ShownAtOnce),
        (Question::MatchInBatch, Reading::LeftAsItWas),
        (Question::MatchStanding, Reading::AmongExisting),
        (Question::AppendedLists, Reading::ListsTaken),
        (Question::NameAndCompany, Reading::Matched),
        (Question::PlusTag, Reading::Matched),
        (Question::SingleMatch, Reading::Overwritten),
        (Question::Witnesses, Reading::BothWitnesses),
        (Question::BulkUpdate, Reading::ShownChanged),
        (Question::RefusalAmongMany, Reading::NobodyWritten),
        (Question::Stages, Reading::QueryAndBody),
        (Question::ClearText, Reading::Cleared),
        (Question::ClearPhone, Reading::Cleared),
    ];
    for (question, reading) in expected {
        check(&report, question, Ok(reading));
    }
    assert_eq!((report.made.len(), report.may_be_more), (2, false));
    assert!(report.scopes.values().all(|scope| *scope == Scope::Granted), "{:?}", report.scopes);
}

#[tokio::test]
async fn each_other_reading_is_told() {
    for (quirk, question, reading) in [
        ("bulk-empty-refused", Question::EmptyBatch, Reading::RefusedForContent),
        ("bulk-twins-made", Question::TwinsInBatch, Reading::MadeTwice),
        ("bulk-overwrites", Question::MatchInBatch, Reading::Overwritten),
        ("bulk-matches-among-created", Question::MatchInBatch, Reading::LeftAsItWas),
        ("append-skips-matches", Question::AppendedLists, Reading::ListsIgnored),
        ("bulk-rows-bare", Question::RowContents, Reading::HidesCreation),
        ("bulk-refused-half-done", Question::RefusalAmongMany, Reading::WrittenBefore),
        ("bulk-ignores-gone", Question::RefusalAmongMany, Reading::PassedOver),
        ("bulk-answers-jobs", Question::BulkUpdate, Reading::ChangedUnseen),
        ("updates-nothing", Question::BulkUpdate, Reading::NotChanged),
        ("keeps-cleared", Question::ClearText, Reading::Kept),
        ("keeps-cleared", Question::ClearPhone, Reading::Kept),
    ] {
        check(&with(quirk).await, question, Ok(reading));
    }
    let unseen = probed(|options| Options {
        quirks: "bulk-matches-among-created".parse().unwrap(),
        witness: Witness::CreatedAt,
        dedupe: DedupeReading::ReturnExisting,
        ..options
    });
    let unseen = unseen.await;
    check(&unseen, Question::MatchStanding, Ok(Reading::AmongCreated));
    check(&unseen, Question::SingleMatch, Ok(Reading::LeftAsItWas));
    check(&unseen, Question::Witnesses, Ok(Reading::NoWitness));
    for (witness, reading) in
        [(Witness::DedupeResult, Reading::DedupeResultAlone), (Witness::WasExisting, Reading::WasExistingAlone)]
    {
        check(&probed(|options| Options { witness, ..options }).await, Question::Witnesses, Ok(reading));
    }
}

#[tokio::test]
async fn what_shows_late_is_not_taken_for_shown() {
    let report = probed(|options| Options { search_lag: Duration::from_hours(1), ..options }).await;
    check(&report, Question::SearchLag, Ok(Reading::NotShown));
    check(&report, Question::MatchInBatch, Ok(Reading::LeftAsItWas));
}

#[tokio::test]
async fn a_step_that_fails_stops_no_other() {
    let vendor = with("vendor-page-only").await;
    check(&vendor, Question::EmptyBatch, Ok(Reading::NotAllowed));
    check(&vendor, Question::MatchInBatch, Err(Unknown::NotAllowed));
    assert_eq!(vendor.scopes[&Endpoint::CreateContacts], Scope::Refused(404));
    let without =
        |options: Options| Options { missing_scopes: [Action::BulkCreate, Action::ShowStages].into(), ..options };
    let report = probed(without).await;
    check(&report, Question::TwinsInBatch, Err(Unknown::NotAllowed));
    check(&report, Question::Stages, Err(Unknown::NotAllowed));
    check(&report, Question::SingleMatch, Ok(Reading::Overwritten));
    check(&report, Question::ClearText, Ok(Reading::Cleared));
    assert_eq!(report.scopes[&Endpoint::CreateContacts], Scope::Refused(403));
}

#[tokio::test]
async fn whatever_is_lost_the_report_names_each_contact_or_says_that_there_may_be_more() {
    for faults in [
        "bulk-create:item-left-out=0.5",
        "bulk-create:item-undone=0.5",
        "bulk-create:item-ghost=0.5",
        "bulk-create:lost-reply=0.5,create:lost-reply=0.5",
        "bulk-create:truncated=0.5,create:truncated=0.5",
        "bulk-create:error-500-after=0.5,create:page-after=0.5",
    ] {
        for seed in 0..3 {
            let faults = faults.parse().unwrap();
            probed(|options| Options { faults, seed, ..options }).await;
        }
    }
}

#[tokio::test]
async fn for_whom_it_would_ask_is_known_before() {
    let world = World::new(None).await;
    world.somebody(json!({"first_name": "Pia", "email": "pia@example.com"})).await;
    let session = Session::open(world.options()).await.unwrap();
    let target = probe_target(&session).await.unwrap();
    assert_eq!((target.contacts, target.user.as_deref()), (Some(1), Some("sandy.box@example.com")));
    assert!(target.team.is_some());
    assert_eq!(world.server.contacts().len(), 1);
    session.close().await.unwrap();
}
