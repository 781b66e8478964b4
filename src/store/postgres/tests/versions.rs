//! Tables of another version than the program's: made into its own, or refused with what to do.

use super::*;

/// A step from version 1 to one that nobody has.
const NEXT: &str = "ALTER TABLE contactsd_facts ADD COLUMN IF NOT EXISTS note text";

/// A server of its own, as versions are of all states in one, with connections to a state there.
async fn connected(server: &Server) -> (connect::Connector, tokio_postgres::Client) {
    let address = Address::parse(&server.url("versions"), None).unwrap();
    let connector = connect::Connector::new(address.into()).unwrap();
    let client = connector.connect().await.unwrap();
    (connector, client)
}

fn version(server: &Server) -> String {
    server.sql("SELECT version FROM contactsd_schema")
}

#[tokio::test]
async fn tables_of_an_older_version_are_made_into_newer_ones_once_and_keep_their_rows() {
    let Some(server) = Server::start() else { return };
    let (connector, client) = connected(&server).await;
    schema::ensure(&connector, &client).await.unwrap();
    let holder = holder("apply");
    let open = || Core::open(Address::parse(&server.url("versions"), None).unwrap(), &holder, token());
    let mut older = open().await.unwrap();
    older.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
    let steps = [schema::STEPS[0], NEXT];
    let raise = || async {
        let (connector, client) = connected(&server).await;
        schema::ensure_by(&connector, &client, &steps).await.unwrap();
    };
    tokio::join!(raise(), raise(), raise(), raise());
    assert_eq!(version(&server), "2");
    server.sql("SELECT note FROM contactsd_facts");
    // A program of the version before that has the lease changes nothing any more, and none begins.
    let refused = older.commit(&tombstones(&[("ada", Some("2"))]), "b").await.unwrap_err();
    assert!(matches!(refused, Error::LeaseLost { .. }), "{refused}");
    let refused = open().await.err().unwrap();
    assert!(matches!(refused, Error::TooNew { found: 2, known: 1, .. }), "{refused}");
    let refused = Glance::begin(Address::parse(&server.url("versions"), None).unwrap()).await.err().unwrap();
    assert!(matches!(refused, Error::TooNew { .. }), "{refused}");
    // What it had committed is there, by whatever it is read.
    server.sql("UPDATE contactsd_schema SET version = 1");
    let mut next = open().await.unwrap();
    assert_eq!(next.get(&Row::Tombstone(key("ada"))).await.unwrap(), Some(with_format("1")));
    next.close().await.unwrap();
}

#[tokio::test]
async fn a_step_that_fails_leaves_the_tables_as_they_were() {
    let Some(server) = Server::start() else { return };
    let (connector, client) = connected(&server).await;
    schema::ensure(&connector, &client).await.unwrap();
    let steps = [schema::STEPS[0], "ALTER TABLE contactsd_facts ADD COLUMN note text; SELECT nothing_like_it()"];
    let refused = schema::ensure_by(&connector, &client, &steps).await.unwrap_err();
    assert!(refused.to_string().contains("nothing_like_it"), "{refused}");
    assert_eq!(version(&server), "1");
    Core::open(Address::parse(&server.url("versions"), None).unwrap(), &holder("apply"), token()).await.unwrap();
}
