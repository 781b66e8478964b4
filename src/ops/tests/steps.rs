//! Every request and every commit fails in turn: count the steps, fail the Nth, go on, check.

use super::line::Spoil;
use super::world::World;
use crate::store::{self, Moment};

/// A life of three entries: Apollo knows one by e-mail, one by company, and one not at all.
const LIFE: [&str; 5] = [
    "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO, website_url: https://example.com,\n    \
     label_names: [Leads, Board], mobile_phone: '+12025550101'}\n  \
     bob: {first_name: Bob, last_name: Quill, organization_name: Example, label_names: [Leads]}\n  \
     cyd: {first_name: Cyd, last_name: Reed, run_dedupe: false, title: Engineer}\n",
    "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO, label_names: [Leads, Speakers]}\n  \
     rob: {first_name: Bob, last_name: Quill, organization_name: Example, moved_from: bob, title: Poet}\n  \
     cyd: {first_name: Cyd, last_name: Reed, run_dedupe: false, title: Engineer}\n",
    "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CEO, label_names: [Speakers]}\n  \
     rob: {first_name: Bob, last_name: Quill, organization_name: Example}\n",
    "  cyd: {first_name: Cyd, last_name: Reed, run_dedupe: false, title: ''}\n  \
     rob: {first_name: Bob, last_name: Quill, organization_name: Example, label_names: []}\n",
    "  ada: {first_name: Ada, last_name: Byron, email: ada@example.com, title: CTO, label_names: [Speakers]}\n  \
     cyd: {first_name: Cyd, last_name: Reed, run_dedupe: false, title: Captain}\n  \
     rob: {first_name: Bob, last_name: Quill, organization_name: Example, title: Poet}\n",
];

/// Lives through all edits with one apply each, then comes to rest, and compares.
async fn live(world: &World, what: &str) {
    for files in LIFE {
        world.declare(files);
        world.apply().await;
    }
    world.settle_down().await;
    let [ada, bob, cyd] = ["Ada", "Bob", "Cyd"].map(|name| world.contact(name));
    assert_eq!([&ada["title"], &bob["title"], &cyd["title"]], ["CTO", "Poet", "Captain"], "{what}");
    assert_eq!(ada["email"], "ada@example.com", "{what}");
    assert!(ada["label_names"].as_array().unwrap().iter().any(|name| name == "Speakers"), "{what}: {ada}");
    let state = world.snapshot();
    assert!(state.intents.is_empty() && state.conflicts.is_empty(), "{what}: {state:#?}");
    let bound: Vec<_> = state.bindings.iter().map(|(key, of)| (key.as_str(), of.apollo_id.as_str())).collect();
    let ids = [&ada, &cyd, &bob].map(|contact| contact["id"].as_str().unwrap());
    assert_eq!(bound, [("ada", ids[0]), ("cyd", ids[1]), ("rob", ids[2])], "{what}");
    assert_eq!(world.server.contacts().len(), 3, "{what}");
}

/// Where the state is kept.
#[derive(Debug, Clone, Copy)]
enum Engine {
    Sled,
    /// Directly, or behind PgBouncer.
    Database(&'static str),
}

const ENGINES: [Engine; 3] = [Engine::Sled, Engine::Database("PostgreSQL"), Engine::Database("PgBouncer")];

impl Engine {
    /// Puts the state of a world where this engine keeps it; `None` where the engine is not installed.
    fn keep(self, world: World) -> Option<World> {
        match self {
            Self::Sled => Some(world),
            Self::Database(way) => {
                let location = store::database_locations().into_iter().find(|(found, _)| *found == way);
                location.map(|(_, location)| world.in_database(Some(location)))
            }
        }
    }
}

/// Runs a test over each engine, all at the same time.
fn over_each_engine<F: Future<Output = ()>>(test: impl Fn(Engine) -> F + Send + Sync) {
    std::thread::scope(|scope| {
        let test = &test;
        for engine in ENGINES {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(test(engine));
            });
        }
    });
}

async fn every_request_fails_in_turn(engine: Engine, spoil: Spoil) {
    for number in 1.. {
        let Some(world) = engine.keep(World::new(Some((number, spoil))).await) else { return };
        live(&world, &format!("{engine:?}: {spoil:?} of request {number}")).await;
        if world.line.requests() < number {
            assert!(number > 15, "{number} requests are too few to be all of them");
            return;
        }
    }
}

async fn every_commit_fails_in_turn(engine: Engine, moment: Moment) {
    for number in 1.. {
        let Some(world) = engine.keep(World::new(None).await) else { return };
        world.broken.at(number, moment);
        live(&world, &format!("{engine:?}: {moment:?} of commit {number}")).await;
        if !world.broken.has_struck() {
            assert!(number > 25, "{number} commits are too few to be all of them");
            return;
        }
    }
}

#[test]
fn any_request_may_be_lost_on_its_way() {
    over_each_engine(async |engine| every_request_fails_in_turn(engine, Spoil::Before).await);
}

#[test]
fn any_answer_may_be_lost() {
    over_each_engine(async |engine| every_request_fails_in_turn(engine, Spoil::After).await);
}

#[test]
fn any_answer_may_be_replaced_by_a_page() {
    over_each_engine(async |engine| every_request_fails_in_turn(engine, Spoil::Page).await);
}

#[test]
fn any_commit_may_fail_before_it_reaches_the_disk() {
    over_each_engine(async |engine| every_commit_fails_in_turn(engine, Moment::BeforeBatch).await);
}

#[test]
fn any_commit_may_fail_after_its_rows_are_on_disk() {
    over_each_engine(async |engine| every_commit_fails_in_turn(engine, Moment::AfterBarrier).await);
}

#[test]
fn any_commit_may_be_done_and_reported_as_failed() {
    over_each_engine(async |engine| every_commit_fails_in_turn(engine, Moment::AfterHead).await);
}
