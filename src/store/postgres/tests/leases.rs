//! Who may write, and that nobody else does.

use super::*;

#[tokio::test]
async fn one_holds_the_lease_and_is_named_to_the_others() {
    let Some(server) = server() else { return };
    let first = open(server, "one-holds", "apply").await.unwrap();
    let refused = open(server, "one-holds", "watch").await.err().unwrap();
    assert!(matches!(&refused, Error::Held { holder, .. } if holder.operation == "apply"), "{refused}");
    assert!(refused.to_string().contains("`apply`, process 7 of ada@build-1"), "{refused}");
    let reading = Reading::begin(address(server, "one-holds")).await.unwrap().unwrap();
    assert_eq!(reading.holder().await.unwrap(), Some(holder("apply")));
    first.close().await.unwrap();
    open(server, "one-holds", "watch").await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn states_of_one_database_do_not_meet() {
    let Some(server) = server() else { return };
    let mut one = open(server, "meet-1", "apply").await.unwrap();
    let mut other = open(server, "meet-2", "apply").await.unwrap();
    one.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
    assert!(other.get(&[b"t/ada".to_vec()]).await.unwrap().is_empty());
    assert_eq!(one.get(&[b"t/ada".to_vec()]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_wakes_after_the_lease_was_taken_over_writes_nothing() {
    let Some(server) = server() else { return };
    let mut late = open(server, "late", "apply").await.unwrap();
    late.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
    // The clock of the database is the one that counts: the lease ends there while its holder sleeps.
    server.sql("UPDATE contactsd_leases SET expires_at = now() WHERE state = 'late'");
    let mut next = open(server, "late", "watch").await.unwrap();
    let refused = late.commit(&writes(&[("t/ada", Some("2"))]), 2, "b").await.unwrap_err();
    assert!(matches!(refused, Error::LeaseLost { .. }), "{refused}");
    next.commit(&writes(&[("t/ada", Some("3"))]), 2, "c").await.unwrap();
    let rows = next.get(&[b"t/ada".to_vec()]).await.unwrap();
    assert_eq!(rows.values().collect::<Vec<_>>(), [&crate::store::codec::with_format("3")]);
}

#[tokio::test]
async fn of_many_who_ask_at_once_one_gets_the_lease() {
    let Some(server) = server() else { return };
    let asking: Vec<_> = (0..20).map(|_| tokio::spawn(async { open(server, "many", "apply").await.ok() })).collect();
    let mut taken = Vec::new();
    for asked in asking {
        taken.extend(asked.await.unwrap());
    }
    assert_eq!(taken.len(), 1);
    assert_eq!(server.sql("SELECT fence FROM contactsd_fences WHERE state = 'many'"), "1");
}

#[tokio::test]
async fn a_lease_lasts_longer_than_requests_and_says_so() {
    let Some(server) = server() else { return };
    let engine = open(server, "lasts", "apply").await.unwrap();
    assert!(engine.outlasts(std::time::Duration::from_secs(120)));
    assert!(!engine.outlasts(lease::TERM));
}
