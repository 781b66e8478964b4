//! What the state remembers of saved plans.

use super::support::*;
use crate::model::{Digest, IntentId, Serial};
use crate::state::{Change, PlanRow};
use crate::store::Store;

fn put(name: &str, number: u64) -> Change {
    Change::PutBinding { key: key(name), binding: Box::new(binding(number, "Engineer")) }
}

fn plan(name: &str) -> Digest {
    Digest(name.to_owned())
}

fn row(name: &str, serial: u64) -> PlanRow {
    PlanRow { digest: plan(name), serial: Serial(serial) }
}

async fn known(store: &Store) -> Option<PlanRow> {
    store.plan_progress().await.unwrap().plan
}

#[test]
fn the_row_of_a_plan_follows_the_writes_that_it_makes() {
    over_each_engine(async |world| {
        let store = world.open();
        store.commit(vec![put("ada", 1)]).await.unwrap();
        assert_eq!(known(&store).await, None);
        store.commit(vec![Change::BeginPlan(plan("one"))]).await.unwrap();
        assert_eq!(known(&store).await, Some(row("one", 1)));
        store.commit(vec![Change::PutIntent { id: IntentId(1), intent: Box::new(intent("bob")) }]).await.unwrap();
        assert_eq!(known(&store).await, Some(row("one", 1)), "the serial stands, and so does the row");
        let (one, other) = tokio::join!(store.commit(vec![put("bob", 2)]), store.commit(vec![put("cyd", 3)]));
        assert_eq!((one.unwrap(), other.unwrap()), (Serial(2), Serial(3)));
        assert_eq!(known(&store).await, Some(row("one", 3)));
    });
}

#[test]
fn what_others_write_leaves_the_row_behind() {
    over_each_engine(async |world| {
        let store = world.open();
        store.commit(vec![Change::BeginPlan(plan("one")), put("ada", 1)]).await.unwrap();
        assert_eq!(known(&store).await, Some(row("one", 1)));
        store.close().await.unwrap();
        let store = world.open();
        assert_eq!(store.commit(vec![put("bob", 2)]).await.unwrap(), Serial(2));
        assert_eq!(known(&store).await, Some(row("one", 1)));
        store.commit(vec![Change::BeginPlan(plan("two"))]).await.unwrap();
        assert_eq!(known(&store).await, Some(row("two", 2)));
        store.commit(vec![Change::EndPlan]).await.unwrap();
        assert_eq!(known(&store).await, None);
        store.commit(vec![put("cyd", 3)]).await.unwrap();
        assert_eq!(known(&store).await, None);
    });
}

#[test]
fn a_mark_and_the_result_it_is_of_are_written_together_or_not_at_all() {
    over_each_engine(async |world| {
        let store = world.open();
        let spend = |name: &str| Change::SpendAction { plan: plan("one"), key: key(name) };
        store.commit(vec![Change::BeginPlan(plan("one"))]).await.unwrap();
        store.commit(vec![put("ada", 1), spend("ada")]).await.unwrap();
        // Refused: the contact belongs to another key.
        assert!(store.commit(vec![spend("bob"), put("bob", 1)]).await.is_err());
        drop(store);
        let progress = world.open().plan_progress().await.unwrap();
        assert_eq!(progress.plan, Some(row("one", 1)));
        assert_eq!(progress.spent, [(key("ada"), plan("one"))].into());
    });
}
