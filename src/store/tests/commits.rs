//! What commits do to rows, serials, intents and barriers.

use std::sync::Arc;
use std::task::{Context, Waker};

use super::support::*;
use crate::model::{Endpoint, IntentId, Named, Roster, Serial, Timestamp};
use crate::state::{Change, Error, Wanted};
use crate::store::{Broken, Store};

fn put(name: &str, number: u64) -> Change {
    Change::PutBinding { key: key(name), binding: Box::new(binding(number, "Engineer")) }
}

fn put_intent(number: u64, of: &str) -> Change {
    Change::PutIntent { id: IntentId(number), intent: Box::new(intent(of)) }
}

async fn serial_after(store: &Store, change: Change) -> u64 {
    store.commit(vec![change]).await.unwrap().0
}

#[test]
fn everything_put_is_read_back_by_the_next_process() {
    over_each_engine(async |world| {
        let store = world.open();
        store
            .commit(vec![
                put("ada", 1),
                put_intent(7, "bob"),
                Change::PutConflict(conflict("carol")),
                Change::Forget { key: key("dave"), tombstone: tombstone(4) },
                Change::PutQuota { endpoint: Endpoint::CreateContact, ledger: r#"{"spent":3}"#.to_owned() },
                Change::PutCredential("hash".to_owned()),
            ])
            .await
            .unwrap();
        let live = store.snapshot(&Wanted::everything()).await.unwrap();
        store.close().await.unwrap();

        let snapshot = world.read_all();
        assert_eq!(snapshot, live);
        assert_eq!(snapshot.lineage.0, "first");
        assert_eq!(snapshot.origin, ORIGIN);
        assert_eq!(snapshot.bindings[&key("ada")], binding(1, "Engineer"));
        assert_eq!(snapshot.intents[&IntentId(7)], intent("bob"));
        assert_eq!(snapshot.conflicts[&key("carol")], conflict("carol"));
        assert_eq!(snapshot.tombstones[&key("dave")], tombstone(4));
        assert_eq!(snapshot.quota[&Endpoint::CreateContact], r#"{"spent":3}"#);
        assert_eq!(snapshot.credential.as_deref(), Some("hash"));
    });
}

#[test]
fn a_contact_belongs_to_one_key() {
    over_each_engine(async |world| {
        let store = world.open();
        store.commit(vec![put("ada", 1)]).await.unwrap();
        let refused = store.commit(vec![put("eve", 2), put("bob", 1)]).await;
        assert!(matches!(&refused, Err(Error::IdTaken { owner, .. }) if *owner == key("ada")), "{refused:?}");
        assert_eq!(store.binding(&key("eve")).await.unwrap(), None, "nothing of a refused commit is written");

        // Given up by its key, the contact may go to another, in one commit.
        store.commit(vec![put("ada", 3), put("bob", 1)]).await.unwrap();
        assert_eq!(store.owner_of(&id(1)).await.unwrap(), Some(key("bob")));
        assert_eq!(store.owner_of(&id(3)).await.unwrap(), Some(key("ada")));
        store.commit(vec![Change::RemoveBinding { key: key("bob") }]).await.unwrap();
        assert_eq!(store.owner_of(&id(1)).await.unwrap(), None);
    });
}

#[test]
fn two_commits_that_share_a_barrier_cannot_share_a_contact() {
    over_each_engine(async |world| {
        let store = world.open();
        let (one, other) = tokio::join!(store.commit(vec![put("ada", 1)]), store.commit(vec![put("bob", 1)]));
        assert!(one.is_ok());
        assert!(matches!(other, Err(Error::IdTaken { .. })));
        assert_eq!(store.owner_of(&id(1)).await.unwrap(), Some(key("ada")));
    });
}

#[test]
fn the_serial_moves_with_what_is_managed_and_with_nothing_else() {
    over_each_engine(async |world| {
        let store = world.open();
        assert_eq!(serial_after(&store, put("ada", 1)).await, 1);
        assert_eq!(serial_after(&store, put("ada", 1)).await, 1);
        let mut observed = binding(1, "Engineer");
        observed.observed = fields("Seen");
        observed.fingerprint = None;
        assert_eq!(serial_after(&store, Change::PutBinding { key: key("ada"), binding: Box::new(observed) }).await, 1);
        let gone = crate::model::Binding { gone_at: Some(Timestamp(9)), ..binding(1, "Engineer") };
        assert_eq!(serial_after(&store, Change::PutBinding { key: key("ada"), binding: Box::new(gone) }).await, 2);
        let changed = Box::new(binding(1, "Director"));
        assert_eq!(serial_after(&store, Change::PutBinding { key: key("ada"), binding: changed }).await, 3);
        assert_eq!(serial_after(&store, put_intent(1, "bob")).await, 3);
        assert_eq!(serial_after(&store, Change::DropIntent { id: IntentId(1) }).await, 3);
        assert_eq!(serial_after(&store, Change::PutConflict(conflict("bob"))).await, 3);
        assert_eq!(serial_after(&store, Change::DropConflict { key: key("bob") }).await, 3);
        let quota = Change::PutQuota { endpoint: Endpoint::ViewContact, ledger: "{}".to_owned() };
        assert_eq!(serial_after(&store, quota).await, 3);
        assert_eq!(serial_after(&store, Change::PutCredential("hash".to_owned())).await, 3);
        assert_eq!(serial_after(&store, Change::PutTeam("t1".to_owned())).await, 3);
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().team.as_deref(), Some("t1"));
        assert_eq!(serial_after(&store, Change::Rename { from: key("ada"), to: key("ada2") }).await, 4);
        assert_eq!(serial_after(&store, Change::Forget { key: key("ada2"), tombstone: tombstone(1) }).await, 5);
        assert_eq!(serial_after(&store, Change::RemoveBinding { key: key("ada2") }).await, 5);
        assert_eq!(serial_after(&store, Change::DropTombstone { key: key("ada2") }).await, 6);
        assert_eq!(serial_after(&store, Change::DropTombstone { key: key("ada2") }).await, 6);
        store.close().await.unwrap();
        assert_eq!(world.read_all().serial, Serial(6));
    });
}

#[test]
fn a_rename_takes_binding_conflict_and_intents_along() {
    over_each_engine(async |world| {
        let store = world.open();
        store.commit(vec![put("ada", 1), put_intent(1, "ada"), put_intent(2, "bob")]).await.unwrap();
        // The second intent of ada is still in the batch when the rename comes.
        let moves = vec![
            put_intent(3, "ada"),
            Change::PutConflict(conflict("ada")),
            Change::Rename { from: key("ada"), to: key("lady") },
        ];
        store.commit(moves).await.unwrap();
        let snapshot = store.snapshot(&Wanted::everything()).await.unwrap();
        assert_eq!(snapshot.bindings.keys().collect::<Vec<_>>(), [&key("lady")]);
        assert_eq!(store.owner_of(&id(1)).await.unwrap(), Some(key("lady")));
        assert_eq!(snapshot.conflicts[&key("lady")].key, key("lady"));
        assert_eq!(snapshot.conflicts.len(), 1);
        let keys: Vec<_> = snapshot.intents.values().map(|intent| intent.key.clone()).collect();
        assert_eq!(keys, [key("lady"), key("bob"), key("lady")]);
    });
}

#[test]
fn a_rename_to_a_bound_key_is_refused() {
    over_each_engine(async |world| {
        let store = world.open();
        store.commit(vec![put("ada", 1), put("bob", 2)]).await.unwrap();
        let refused = store.commit(vec![Change::Rename { from: key("ada"), to: key("bob") }]).await;
        assert!(matches!(refused, Err(Error::KeyTaken { .. })));
        assert_eq!(store.binding(&key("bob")).await.unwrap().unwrap().apollo_id, id(2));
    });
}

#[test]
fn a_commit_that_does_not_fit_a_batch_is_refused_whole() {
    over_each_engine(async |world| {
        let store = world.open();
        let many = |count: u64| (0..count).map(|number| put(&format!("k{number}"), number)).collect::<Vec<_>>();
        assert!(matches!(store.commit(many(50)).await, Err(Error::TooManyRows { rows: 100, limit: 99 })));
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.len(), 0);
        store.commit(many(49)).await.unwrap();
        assert_eq!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.len(), 49);
    });
}

#[test]
fn the_promised_number_of_changes_fits_a_commit_whatever_they_are() {
    over_each_engine(async |world| {
        let store = world.open();
        let count = u64::try_from(crate::state::CHANGES_PER_COMMIT).unwrap();
        let each = |change: &dyn Fn(u64) -> Change| (0..count).map(change).collect::<Vec<_>>();
        store.commit(each(&|number| put(&format!("k{number}"), number))).await.unwrap();
        store.commit(each(&|number| put(&format!("k{number}"), number + 100))).await.unwrap();
        let rename = |number| Change::Rename { from: key(&format!("k{number}")), to: key(&format!("n{number}")) };
        store.commit(each(&rename)).await.unwrap();
        let forget = |number| Change::Forget { key: key(&format!("n{number}")), tombstone: tombstone(number) };
        store.commit(each(&forget)).await.unwrap();
    });
}

#[tokio::test]
async fn commits_that_come_together_share_a_barrier() {
    let world = World::new();
    let store = world.open();
    let counted = Arc::new(Broken::default());
    store.break_at(Arc::clone(&counted));
    let mut commits: Vec<_> =
        (0..200_u64).map(|number| Box::pin(store.commit(vec![put(&format!("k{number}"), number)]))).collect();
    {
        // The writer cannot pass the gate while it is held, so that all the others queue up behind the first.
        let _gate = store.gate().read().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(commits.iter_mut().all(|commit| commit.as_mut().poll(&mut context).is_pending()));
    }
    let mut serials = std::collections::BTreeSet::new();
    for commit in commits {
        serials.insert(commit.await.unwrap());
    }
    assert_eq!(serials.len(), 200, "each commit has a serial of its own");
    let barriers = counted.barriers();
    assert!((1..=2).contains(&barriers), "200 commits took {barriers} barriers");
    store.close().await.unwrap();
    assert_eq!(world.read_all().bindings.len(), 200);
}

/// While commits follow one another the head is behind; when all are answered it must not be.
#[tokio::test]
async fn at_rest_the_head_shows_every_commit() {
    let world = World::new();
    let store = world.open();
    for round in 0..5 {
        let mut commits = tokio::task::JoinSet::new();
        for number in 0..300 {
            let (store, change) = (store.clone(), put(&format!("r{round}-{number}"), round * 300 + number));
            commits.spawn(async move {
                tokio::task::yield_now().await;
                store.commit(vec![change]).await.unwrap();
                // Refused, so that groups end with a commit that writes nothing as well.
                assert!(store.commit(vec![put("nobody", round * 300 + number)]).await.is_err());
            });
        }
        commits.join_all().await;
        let (head, _) = store.head().await.unwrap().unwrap();
        assert_eq!((head.serial, head.bindings), (store.serial(), (round + 1) * 300));
        assert!(store.renew_index(head, |_| Ok(())).await.unwrap(), "the head is that of the last batch");
    }
}

#[test]
fn intent_numbers_never_come_again_once_written() {
    over_each_engine(async |world| {
        let store = world.open();
        let first = store.next_intent_id();
        let second = store.next_intent_id();
        assert!(first < second);
        store.commit(vec![put_intent(second.0, "ada")]).await.unwrap();
        store.commit(vec![Change::DropIntent { id: second }]).await.unwrap();
        store.close().await.unwrap();
        assert!(world.open().next_intent_id() > second);
    });
}

#[test]
fn only_bindings_that_do_not_stand_as_desired_are_copied() {
    over_each_engine(async |world| {
        let store = world.open();
        let pending = crate::model::Binding { fingerprint: None, ..binding(2, "x") };
        let gone = crate::model::Binding { gone_at: Some(Timestamp(1)), ..binding(3, "x") };
        store
            .commit(vec![
                put("stands", 1),
                Change::PutBinding { key: key("pending"), binding: Box::new(pending) },
                Change::PutBinding { key: key("gone"), binding: Box::new(gone) },
                put("edited", 4),
                put("removed", 5),
            ])
            .await
            .unwrap();
        let desired = [("edited", 2), ("gone", 1), ("new", 1), ("pending", 1), ("stands", 1)];
        let desired = desired.into_iter().map(|(name, byte)| (key(name), fingerprint(byte)));
        let contacts = [id(1), id(4), id(99)];
        let snapshot = store
            .snapshot(&Wanted::new(desired.collect::<Roster>(), contacts.iter().collect::<Named>()))
            .await
            .unwrap();
        let copied: Vec<_> = snapshot.bindings.keys().map(crate::model::ContactKey::as_str).collect();
        assert_eq!(copied, ["edited", "gone", "pending", "removed"]);
        assert_eq!((snapshot.unchanged, &snapshot.unbound[..]), (1, &[key("new")][..]));
        assert_eq!(snapshot.owners, [(id(1), key("stands")), (id(4), key("edited"))].into_iter().collect());
    });
}

#[tokio::test]
async fn after_a_failed_barrier_nothing_is_written_and_reading_goes_on() {
    let world = World::new();
    let store = world.open();
    store.commit(vec![put("ada", 1)]).await.unwrap();
    let blobs = world.path().join("sled/blobs");
    std::fs::remove_dir(&blobs).unwrap();
    let failed = store.commit(vec![put("bob", 2)]).await;
    assert!(matches!(failed, Err(Error::Barrier { .. })), "{failed:?}");
    std::fs::create_dir(&blobs).unwrap();
    let later = store.commit(vec![put("carol", 3)]).await;
    assert!(matches!(later, Err(Error::Poisoned { .. })), "{later:?}");
    assert_eq!(store.binding(&key("ada")).await.unwrap().unwrap().apollo_id, id(1));
    assert_eq!(store.binding(&key("carol")).await.unwrap(), None);
    assert!(store.snapshot(&Wanted::everything()).await.unwrap().bindings.contains_key(&key("ada")));
    assert!(matches!(store.close().await, Err(Error::Poisoned { .. })));
    world.open();
}

#[test]
fn a_closed_store_says_so_to_its_other_handles() {
    over_each_engine(async |world| {
        let store = world.open();
        let other = store.clone();
        store.close().await.unwrap();
        assert!(matches!(other.commit(vec![put("ada", 1)]).await, Err(Error::Closed { .. })));
        assert!(matches!(other.binding(&key("ada")).await, Err(Error::Closed { .. })));
    });
}
