//! What a commit returned for is there, all of it or nothing.

use super::cut::{Cut, Cutter};
use super::*;
use crate::store::codec::with_format;

fn keys(names: &[&str]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.as_bytes().to_vec()).collect()
}

#[test]
fn rows_are_written_replaced_and_removed_together() {
    over_each_way("rows", async |way| {
        let mut engine = way.open("apply").await.unwrap();
        let ada = r#"{"apollo_id":"66f0","applied":{}}"#;
        let first = [("b/ada", Some(ada)), ("a/66f0", Some("\"ada\"")), ("m/facts", Some("{}")), ("t/bob", Some("1"))];
        engine.commit(&writes(&first), 1, "a").await.unwrap();
        let rows = engine.get(&keys(&["b/ada", "a/66f0", "m/facts", "t/bob", "t/cy"])).await.unwrap();
        assert_eq!(rows, writes(&first).into_iter().map(|(key, value)| (key, value.unwrap())).collect());
        // Two swap their contacts in one commit.
        let swapped = [r#"{"apollo_id":"66f1"}"#, r#"{"apollo_id":"66f0"}"#];
        let second = [("b/ada", Some(swapped[0])), ("b/bob", Some(swapped[1])), ("t/bob", None)];
        engine.commit(&writes(&second), 2, "b").await.unwrap();
        let rows = engine.get(&keys(&["a/66f0", "a/66f1", "t/bob"])).await.unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[&b"a/66f0"[..]], with_format("\"bob\""));
        let reading = way.read().await;
        let mut seen = Vec::new();
        reading.scan::<Error>(b"b/", |key, _| Ok(seen.push(String::from_utf8(key).unwrap()))).await.unwrap();
        assert_eq!(seen, ["b/ada", "b/bob"]);
        assert_eq!(reading.written_since(1).await.unwrap(), Some(vec!["ada".to_owned(), "bob".to_owned()]));
        assert_eq!(reading.written_since(2).await.unwrap(), Some(vec![]));
    });
}

#[test]
fn a_reader_sees_one_moment_and_waits_for_nobody() {
    over_each_way("moment", async |way| {
        let mut engine = way.open("apply").await.unwrap();
        engine.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
        let reading = way.read().await;
        let before = reading.get(&keys(&["t/ada"])).await.unwrap();
        engine.commit(&writes(&[("t/ada", Some("2"))]), 2, "b").await.unwrap();
        assert_eq!(reading.get(&keys(&["t/ada"])).await.unwrap(), before);
    });
}

#[tokio::test]
async fn a_database_that_restarts_costs_no_commit() {
    let Some(mut server) = Server::start() else { return };
    let address = |server: &Server| Address::parse(&server.url("restart"), None).unwrap();
    let mut engine = Engine::open(address(&server), &holder("apply"), token()).await.unwrap();
    engine.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
    server.crash();
    server.resume();
    engine.commit(&writes(&[("t/bob", Some("2"))]), 2, "b").await.unwrap();
    assert_eq!(engine.get(&keys(&["t/ada", "t/bob"])).await.unwrap().len(), 2);
    engine.close().await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_happens_once() {
    let Some(server) = server() else { return };
    for (cut, state) in [(Cut::BeforeTheEnd, "cut-before"), (Cut::BeforeItsAnswer, "cut-after")] {
        let cutter = Cutter::before(server.socket(), cut, 2);
        let address = Address::parse(&cutter.url(state), None).unwrap();
        let mut engine = Engine::open(address, &holder("apply"), token()).await.unwrap();
        let cuts = cutter.left();
        for number in 1..=3 {
            let row = format!("t/{number}");
            engine.commit(&writes(&[(&row, Some("1"))]), number, &format!("{state}-{number}")).await.unwrap();
        }
        assert_eq!(cutter.left(), 0, "{cuts} were to come");
        let count = |table: &str| server.sql(&format!("SELECT count(*) FROM {table} WHERE state = '{state}'"));
        assert_eq!((count("contactsd_tombstones"), count("contactsd_commits")), ("3".to_owned(), "3".to_owned()));
    }
}
