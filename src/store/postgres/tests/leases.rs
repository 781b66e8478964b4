//! Who may write, and that nobody else does.

use std::time::Duration;

use super::cut::{Cut, Cutter};
use super::*;

#[test]
fn one_holds_the_lease_and_is_named_to_the_others() {
    over_each_way("one-holds", async |way| {
        let mut first = way.open("apply").await.unwrap();
        let refused = way.open("watch").await.err().unwrap();
        assert!(matches!(&refused, Error::Held { holder, .. } if holder.operation == "apply"), "{refused}");
        assert!(refused.to_string().contains("`apply`, process 7 of ada@build-1"), "{refused}");
        assert_eq!(way.read().await.holder().await.unwrap(), Some(holder("apply")));
        first.close().await.unwrap();
        assert_eq!(way.read().await.holder().await.unwrap(), None);
        way.open("watch").await.unwrap().close().await.unwrap();
    });
}

#[test]
fn states_of_one_database_do_not_meet() {
    over_each_way("meet", async |way| {
        let mut one = way.open("apply").await.unwrap();
        let mut other = way.other().open("apply").await.unwrap();
        one.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
        let ada = Row::Tombstone(key("ada"));
        assert_eq!(other.get(&ada).await.unwrap(), None);
        assert_eq!(one.get(&ada).await.unwrap(), Some(with_format("1")));
    });
}

#[test]
fn who_wakes_after_the_lease_was_taken_over_writes_nothing() {
    over_each_way("late", async |way| {
        let mut late = way.open("apply").await.unwrap();
        late.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
        // The clock of the database is the one that counts: the lease ends there while its holder sleeps.
        way.server.sql("UPDATE contactsd_leases SET expires_at = now() WHERE state LIKE 'late%'");
        let mut next = way.open("watch").await.unwrap();
        let refused = late.commit(&tombstones(&[("ada", Some("2"))]), "b").await.unwrap_err();
        assert!(matches!(refused, Error::LeaseLost { .. }), "{refused}");
        next.commit(&tombstones(&[("ada", Some("3"))]), "c").await.unwrap();
        assert_eq!(next.get(&Row::Tombstone(key("ada"))).await.unwrap(), Some(with_format("3")));
        late.close().await.unwrap();
        assert_eq!(way.read().await.holder().await.unwrap(), Some(holder("watch")), "it gave back only its own");
    });
}

#[test]
fn of_many_who_ask_at_once_one_gets_the_lease() {
    over_each_way("many", async |way| {
        let ask = |way: Way| async move { way.open("apply").await.ok() };
        let asking: Vec<_> = (0..20).map(|_| tokio::spawn(ask(way.clone()))).collect();
        let mut taken = Vec::new();
        for asked in asking {
            taken.extend(asked.await.unwrap());
        }
        assert_eq!(taken.len(), 1);
        let fences = way.server.sql("SELECT DISTINCT fence FROM contactsd_fences WHERE state LIKE 'many%'");
        assert_eq!(fences, "1");
    });
}

#[test]
fn a_lease_outlasts_requests_and_says_so() {
    over_each_way("lasts", async |way| {
        let lease = way.open("apply").await.unwrap().lease();
        assert!(lease.outlasts(Duration::from_mins(2)));
        assert!(!lease.outlasts(crate::state::LEASE_TERM));
    });
}

#[test]
fn a_lease_that_ended_is_not_renewed() {
    over_each_way("ended", async |way| {
        let connector = connect::Connector::new(way.address().into()).unwrap();
        let client = connector.connect().await.unwrap();
        schema::ensure(&connector, &client).await.unwrap();
        let term = Duration::from_mins(1);
        let taken = lease::Lease::take(&connector, &client, &holder("apply"), &token(), term).await;
        let mut lease = taken.unwrap();
        lease.renew(&connector, &client, term).await.unwrap();
        way.server.sql("UPDATE contactsd_leases SET expires_at = now() WHERE state LIKE 'ended%'");
        let refused = lease.renew(&connector, &client, term).await.unwrap_err();
        assert!(matches!(refused, Error::LeaseLost { .. }), "{refused}");
    });
}

/// A lease that its holder knew nothing of, or had given back, kept everybody away until it ended.
#[tokio::test]
async fn a_lease_is_taken_and_given_back_although_the_answer_is_lost() {
    let Some(server) = server() else { return };
    for (name, words) in [("take", "INSERT INTO contactsd_leases"), ("give", "DELETE FROM contactsd_leases")] {
        for cut in [Cut::BeforeTheEnd, Cut::BeforeItsAnswer] {
            let cutter = Cutter::at(words, server.socket(), cut, 1);
            let way = Way { url: cutter.url(&format!("lost-{name}-{cut:?}")), server };
            let mut core = way.open("apply").await.unwrap();
            core.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
            core.close().await.unwrap();
            assert_eq!(cutter.left(), 0);
            let left = server.sql(&format!("SELECT count(*) FROM contactsd_leases WHERE state = '{}'", way.state()));
            assert_eq!(left, "0", "{name}, {cut:?}");
        }
    }
}
