//! A state that is large enough to be read in parts reads as any other.

use std::collections::BTreeMap;

use super::support::*;
use crate::model::{Binding, ContactKey, Endpoint, Field, Fingerprint, IntentId, Named, Roster, Timestamp};
use crate::state::{CHANGES_PER_COMMIT, Change, Wanted};

/// Enough for several parts on any machine that tests run on.
fn people() -> u64 {
    256 * rayon::current_num_threads() as u64 + 700
}

/// Every way in which a binding can stand, in turn.
fn a_binding(number: u64) -> Binding {
    let mut binding = binding(number, "Engineer");
    match number % 8 {
        0 => binding.fingerprint = None,
        1 => binding.fingerprint = Some(fingerprint(2)),
        2 => binding.gone_at = Some(Timestamp(3)),
        3 => binding.dropped = [Field::Title].into(),
        // What looks like the end of a binding that stands, in a text.
        4 => binding.path = format!("{{\",\"fingerprint\":\"{}\",\"gone_at\":null}}", fingerprint(1)),
        _ => {}
    }
    binding
}

#[tokio::test]
async fn a_state_that_is_read_in_parts_reads_as_any_other() {
    let world = World::new();
    let store = world.open();
    let name = |number: u64| key(&format!("{:x}-{number}", number * 7919 % 16));
    let all: BTreeMap<ContactKey, Binding> = (0..people()).map(|number| (name(number), a_binding(number))).collect();
    let puts: Vec<Change> = all
        .iter()
        .map(|(key, binding)| Change::PutBinding { key: key.clone(), binding: Box::new(binding.clone()) })
        .collect();
    for some in puts.chunks(CHANGES_PER_COMMIT) {
        store.commit(some.to_vec()).await.unwrap();
    }
    let beside = vec![
        Change::PutIntent { id: IntentId(7), intent: Box::new(intent("x")) },
        Change::PutConflict(conflict("carol")),
        Change::Forget { key: key("zed"), tombstone: tombstone(4) },
        Change::PutQuota { endpoint: Endpoint::CreateContact, ledger: "ledger".to_owned() },
        Change::PutCredential("hash".to_owned()),
    ];
    store.commit(beside).await.unwrap();

    // Some are declared otherwise, some not at all, and some that are declared are not bound.
    let declared = |number: u64| (name(number), fingerprint(if number.is_multiple_of(31) { 3 } else { 1 }));
    let declared: BTreeMap<ContactKey, Fingerprint> =
        (0..people() + 50).filter(|number| number % 17 != 5).map(declared).collect();
    let roster: Roster = declared.iter().map(|(key, fingerprint)| (key.clone(), *fingerprint)).collect();
    let stands = |key: &ContactKey, binding: &Binding| {
        let Binding { fingerprint, gone_at, dropped, .. } = binding;
        gone_at.is_none() && dropped.is_empty() && fingerprint.is_some() && *fingerprint == declared.get(key).copied()
    };
    let differing: BTreeMap<_, _> =
        all.iter().filter(|(key, binding)| !stands(key, binding)).map(|(key, of)| (key.clone(), of.clone())).collect();
    let unbound: Vec<_> = declared.keys().filter(|key| !all.contains_key(key)).cloned().collect();
    assert!(!differing.is_empty() && differing.len() < all.len() && unbound.len() > 10);

    let live = store.snapshot(&Wanted::new(roster.clone(), Named::NONE)).await.unwrap();
    store.close().await.unwrap();
    let snapshot = read(&world.path(), &Wanted::new(roster.clone(), Named::NONE)).unwrap().unwrap();
    assert_eq!(snapshot, live);
    assert_eq!(snapshot.bindings, differing);
    assert_eq!(snapshot.unchanged, all.len() - differing.len());
    assert_eq!(snapshot.unbound, unbound);
    assert_eq!((snapshot.intents.len(), snapshot.conflicts.len(), snapshot.tombstones.len()), (1, 1, 1));
    assert_eq!((snapshot.credential.as_deref(), snapshot.quota.len()), (Some("hash"), 1));

    // Whoever names contacts is told their owners as well, and the same of everything else.
    let named: Named = [id(5), id(1 << 40)].iter().collect();
    let with_owners = read(&world.path(), &Wanted::new(roster, named)).unwrap().unwrap();
    assert_eq!(with_owners.owners, [(id(5), name(5))].into());
    assert_eq!(with_owners.bindings, snapshot.bindings);
}
