//! What runners share of a quota: one at a time changes it, and nothing is lost on the way.

use super::super::pools::Pools;
use super::cut::{Cut, Cutter};
use super::*;

async fn pools(way: &Way) -> Pools {
    let connector = connect::Connector::new(way.address().into()).unwrap();
    schema::ensure(&connector, &connector.connect().await.unwrap()).await.unwrap();
    Pools::new(connector)
}

/// Takes one of so many; reports whether there was one.
fn take(most: u64) -> impl FnMut(&str, Timestamp, bool) -> (String, bool) {
    move |text, _, _| {
        let taken: u64 = text.parse().unwrap_or_default();
        ((taken + 1).min(most).to_string(), taken < most)
    }
}

#[test]
fn of_many_who_draw_at_once_all_get_their_own() {
    over_each_way("draw", async |way| {
        let team = way.state();
        let draw = |_| {
            let way = way.clone();
            async move {
                let (mut pools, team) = (pools(&way).await, way.state());
                let mut taken = 0;
                while pools.change(&team, "create", take(100)).await.unwrap() {
                    taken += 1;
                }
                taken
            }
        };
        let drawing: tokio::task::JoinSet<u64> = (0..20).map(draw).collect();
        assert_eq!(drawing.join_all().await.into_iter().sum::<u64>(), 100);
        // Another kind of request, and another team, have their own.
        let mut pools = pools(&way).await;
        assert!(pools.change(&team, "update", take(1)).await.unwrap());
        assert!(pools.change("another", &team, take(1)).await.unwrap());
    });
}

#[test]
fn the_time_is_that_of_the_database() {
    over_each_way("time", async |way| {
        let team = way.state();
        let now = pools(&way).await.change(&team, "create", |_, now, _| (String::new(), now)).await.unwrap();
        let there: u64 =
            way.server.sql("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").parse().unwrap();
        assert!(now.0 <= there && there - now.0 < 600_000, "{now:?} {there}");
    });
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_says_so_when_it_is_made_again() {
    let Some(server) = server() else { return };
    for (cut, made) in [(Cut::BeforeTheEnd, "1"), (Cut::BeforeItsAnswer, "2")] {
        let cutter = Cutter::before(server.socket(), cut, 1);
        let way = Way { url: cutter.url("cut-pools"), server };
        let mut pools = pools(&way).await;
        let team = format!("{cut:?}");
        let change = |text: &str, _, is_again: bool| {
            let count: u32 = text.parse().unwrap_or_default();
            ((count + 1).to_string(), is_again)
        };
        assert!(pools.change(&team, "create", change).await.unwrap(), "it may have been made before");
        assert_eq!(cutter.left(), 0);
        let value = server.sql(&format!("SELECT value FROM contactsd_pools WHERE team = '{team}'"));
        assert_eq!(value, made);
    }
}
