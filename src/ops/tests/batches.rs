//! One request for many contacts: what the journal holds of it, before it leaves and as its results are recorded.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::world::World;
use crate::apollo::{Answer, Meta};
use crate::model::{ContactKey, Intent, IntentId, RunId, Timestamp};
use crate::ops::Session;
use crate::ops::apply::courier::{Parcel, Way};
use crate::state::{CHANGES_PER_COMMIT, Change, Snapshot, Wanted};

fn intent(key: &str) -> Intent {
    Intent {
        body: format!(r#"{{"first_name":"{key}"}}"#),
        run: RunId("run".to_owned()),
        first_sent_at: Timestamp(0),
        last_sent_at: Timestamp(0),
        attempts: 0,
        ..Intent::bare(ContactKey::parse(key).unwrap())
    }
}

async fn written(session: &Session) -> Snapshot {
    session.store().snapshot(&Wanted::everything()).await.unwrap()
}

#[tokio::test]
async fn a_batch_is_on_disk_as_a_whole_before_its_one_request_and_goes_item_by_item() {
    let world = World::new(None).await;
    let session = Session::open(world.options()).await.unwrap();
    // More than one commit takes.
    let mut intents: Vec<Intent> = (0..CHANGES_PER_COMMIT * 2).map(|number| intent(&format!("k{number}"))).collect();
    let ids: Vec<IntentId> = intents.iter().map(|_| session.store().next_intent_id()).collect();
    let (requests, seen) = (AtomicUsize::new(0), Mutex::new(None));
    let ask = |_: Arc<Way>| async {
        requests.fetch_add(1, Ordering::SeqCst);
        let found = written(&session).await;
        *seen.lock().unwrap() = Some(found);
        Ok(Answer { value: (), meta: Meta::default() })
    };
    let parcel = Parcel::new(ids.iter().copied().zip(&mut intents).collect(), Vec::new(), None);
    session.access.send(parcel, ask).await.unwrap();
    assert_eq!(requests.into_inner(), 1);

    let seen = seen.into_inner().unwrap().unwrap();
    let keys: BTreeSet<&ContactKey> = seen.intents.values().map(|intent| &intent.key).collect();
    assert_eq!(keys.len(), intents.len(), "each item stands in the journal by its key when the request leaves");
    for (id, intent) in &seen.intents {
        assert_eq!((intent.batch, intent.attempts), (Some(ids[0]), 1), "{id}");
        assert_eq!(intent.body, format!(r#"{{"first_name":"{}"}}"#, intent.key), "with its own body");
    }

    // Nobody recorded a result: all of it is in doubt, whatever was answered.
    assert_eq!(written(&session).await.intents, seen.intents);
    session.store().commit(vec![Change::DropIntent { id: ids[0] }, Change::DropIntent { id: ids[7] }]).await.unwrap();
    let left = written(&session).await.intents;
    assert_eq!(left.len(), ids.len() - 2);
    assert!(left.values().all(|intent| intent.batch == Some(ids[0])), "what is left knows that it went together");
}

#[tokio::test]
async fn an_item_that_is_sent_again_alone_is_of_no_batch_any_more() {
    let world = World::new(None).await;
    let session = Session::open(world.options()).await.unwrap();
    let mut alone = Intent { batch: Some(IntentId(1)), attempts: 1, ..intent("ada") };
    let id = session.store().next_intent_id();
    let ask = |_: Arc<Way>| async { Ok(Answer { value: (), meta: Meta::default() }) };
    session.access.send(Parcel::new(vec![(id, &mut alone)], Vec::new(), None), ask).await.unwrap();
    let stored = &written(&session).await.intents[&id];
    assert_eq!((stored.batch, stored.attempts), (None, 2));
}
