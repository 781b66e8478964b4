//! What a commit returned for is there, all of it or nothing.

use super::*;

#[tokio::test]
async fn rows_are_written_replaced_and_removed_together() {
    let Some(server) = server() else { return };
    let mut engine = open(server, "rows", "apply").await.unwrap();
    let ada = r#"{"apollo_id":"66f0","applied":{}}"#;
    let first = [("b/ada", Some(ada)), ("a/66f0", Some("\"ada\"")), ("m/facts", Some("{}")), ("t/bob", Some("1"))];
    engine.commit(&writes(&first), 1, "a").await.unwrap();
    let keys = |names: &[&str]| names.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>();
    let rows = engine.get(&keys(&["b/ada", "a/66f0", "m/facts", "t/bob", "t/cy"])).await.unwrap();
    assert_eq!(rows, writes(&first).into_iter().map(|(key, value)| (key, value.unwrap())).collect());
    // Two swap their contacts in one commit.
    let second =
        [("b/ada", Some(r#"{"apollo_id":"66f1"}"#)), ("b/bob", Some(r#"{"apollo_id":"66f0"}"#)), ("t/bob", None)];
    engine.commit(&writes(&second), 2, "b").await.unwrap();
    let rows = engine.get(&keys(&["a/66f0", "a/66f1", "t/bob"])).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[&b"a/66f0"[..]], crate::store::codec::with_format("\"bob\""));
    let reading = Reading::begin(address(server, "rows")).await.unwrap().unwrap();
    let mut seen = Vec::new();
    reading.scan::<Error>(b"b/", |key, _| Ok(seen.push(String::from_utf8(key).unwrap()))).await.unwrap();
    assert_eq!(seen, ["b/ada", "b/bob"]);
    assert_eq!(reading.written_since(1).await.unwrap(), Some(vec!["ada".to_owned(), "bob".to_owned()]));
    assert_eq!(reading.written_since(2).await.unwrap(), Some(vec![]));
}

#[tokio::test]
async fn a_reader_sees_one_moment_and_waits_for_nobody() {
    let Some(server) = server() else { return };
    let mut engine = open(server, "moment", "apply").await.unwrap();
    engine.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
    let reading = Reading::begin(address(server, "moment")).await.unwrap().unwrap();
    let before = reading.get(&[b"t/ada".to_vec()]).await.unwrap();
    engine.commit(&writes(&[("t/ada", Some("2"))]), 2, "b").await.unwrap();
    assert_eq!(reading.get(&[b"t/ada".to_vec()]).await.unwrap(), before);
}

#[tokio::test]
async fn a_database_that_restarts_costs_no_commit() {
    let Some(mut server) = Server::start() else { return };
    let mut engine = open(&server, "restart", "apply").await.unwrap();
    engine.commit(&writes(&[("t/ada", Some("1"))]), 1, "a").await.unwrap();
    server.crash();
    server.resume();
    engine.commit(&writes(&[("t/bob", Some("2"))]), 2, "b").await.unwrap();
    let rows = engine.get(&[b"t/ada".to_vec(), b"t/bob".to_vec()]).await.unwrap();
    assert_eq!(rows.len(), 2);
    engine.close().await.unwrap();
}
