//! Random commits against a map that does the same in memory, with reopens in between.

use proptest::prelude::*;

use super::support::*;
use crate::state::tests::model::{Model, any_change};
use crate::state::{Change, Wanted};
use crate::store::Store;

#[derive(Debug, Clone)]
enum Step {
    /// Commits made at the same time.
    Commits(Vec<Vec<Change>>),
    Reopen,
    /// As `Reopen`, but dropped without being closed.
    Drop,
}

fn any_step() -> impl Strategy<Value = Step> {
    let commit = prop::collection::vec(any_change(), 0..5);
    prop_oneof![
        8 => prop::collection::vec(commit, 1..5).prop_map(Step::Commits),
        1 => Just(Step::Reopen),
        1 => Just(Step::Drop),
    ]
}

async fn commit_together(store: &Store, model: &mut Model, commits: Vec<Vec<Change>>) {
    let mut answers = Vec::new();
    for changes in commits {
        let next = model.commit(&changes);
        let store = store.clone();
        answers.push((next.is_some(), tokio::spawn(async move { store.commit(changes).await })));
        if let Some(next) = next {
            *model = next;
        }
    }
    for (accepted, answer) in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.is_ok(), accepted, "{answer:?}");
    }
}

async fn check(store: &Store, model: &Model) {
    let snapshot = store.snapshot(&Wanted::everything()).await.unwrap();
    assert_eq!(snapshot.bindings, model.bindings);
    assert_eq!(snapshot.intents, model.intents);
    assert_eq!(snapshot.conflicts, model.conflicts);
    assert_eq!(snapshot.tombstones, model.tombstones);
    let progress = store.plan_progress().await.unwrap();
    assert_eq!(progress.plan.map(|plan| plan.digest), model.plan);
    assert_eq!(progress.spent, model.spent);
    for number in 0..8 {
        assert_eq!(store.owner_of(&id(number)).await.unwrap().as_ref(), model.owner(&id(number)));
    }
    if let Some(last) = model.intents.keys().last() {
        assert!(store.next_intent_id() > *last);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_commits_read_back_as_made(steps in prop::collection::vec(any_step(), 1..12)) {
        over_each_engine(async |world| {
            let mut model = Model::default();
            let mut store = world.open();
            let mut serial = store.snapshot(&Wanted::everything()).await.unwrap().serial;
            for step in steps.clone() {
                match step {
                    Step::Commits(commits) => {
                        let before = model.clone();
                        commit_together(&store, &mut model, commits).await;
                        let now = store.snapshot(&Wanted::everything()).await.unwrap().serial;
                        assert!(now >= serial);
                        assert!(before.bindings == model.bindings || now > serial);
                        serial = now;
                    }
                    Step::Reopen => {
                        store.close().await.unwrap();
                        store = world.open();
                    }
                    Step::Drop => {
                        drop(store);
                        store = world.open();
                    }
                }
                check(&store, &model).await;
            }
        });
    }
}
