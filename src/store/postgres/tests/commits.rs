//! What a commit returned for is there, all of it or nothing.

use super::cut::{Cut, Cutter};
use super::*;
use crate::model::ApolloId;
use crate::state::Table;

fn id(digit: &str) -> String {
    digit.repeat(24)
}

fn owner(digit: &str) -> Row {
    Row::owner(&ApolloId::parse(&id(digit)).unwrap())
}

fn binding(name: &str, digit: &str) -> (Row, Option<Vec<u8>>) {
    (Row::Binding(key(name)), Some(with_format(&format!(r#"{{"apollo_id":"{}"}}"#, id(digit)))))
}

#[test]
fn rows_are_written_replaced_and_removed_together() {
    over_each_way("rows", async |way| {
        let mut core = way.open("apply").await.unwrap();
        let mut first = tombstones(&[("bob", Some("1"))]);
        first.extend([
            binding("ada", "0"),
            (owner("0"), Some(with_format("\"ada\""))),
            (Row::Facts, Some(with_format("{}"))),
        ]);
        core.commit(&first, "a").await.unwrap();
        for (row, value) in &first {
            assert_eq!(core.get(row).await.unwrap(), *value, "{row:?}");
        }
        // Two swap their contacts in one commit.
        let mut second = tombstones(&[("bob", None)]);
        second.extend([binding("ada", "1"), binding("bob", "0")]);
        core.commit(&second, "b").await.unwrap();
        assert_eq!(core.get(&owner("0")).await.unwrap(), Some(with_format("\"bob\"")));
        assert_eq!(core.get(&owner("1")).await.unwrap(), Some(with_format("\"ada\"")));
        assert_eq!(core.get(&Row::Tombstone(key("bob"))).await.unwrap(), None);
        let read = way.read().await;
        let page = read.page(Table::Bindings, "").await.unwrap();
        assert_eq!(page.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);
        assert!(read.page(Table::Bindings, "bob").await.unwrap().is_empty());
    });
}

#[test]
fn a_reader_sees_one_moment_and_waits_for_nobody() {
    over_each_way("moment", async |way| {
        let ada = Row::Tombstone(key("ada"));
        let mut core = way.open("apply").await.unwrap();
        core.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
        let read = way.read().await;
        let before = read.get(&ada).await.unwrap();
        core.commit(&tombstones(&[("ada", Some("2"))]), "b").await.unwrap();
        assert_eq!(read.get(&ada).await.unwrap(), before);
    });
}

#[tokio::test]
async fn a_database_that_restarts_costs_no_commit() {
    let Some(mut server) = Server::start() else { return };
    let address = Address::parse(&server.url("restart"), None).unwrap();
    let mut core = Core::open(address, &holder("apply"), token()).await.unwrap();
    core.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
    server.crash();
    server.resume();
    core.commit(&tombstones(&[("bob", Some("2"))]), "b").await.unwrap();
    for name in ["ada", "bob"] {
        assert!(core.get(&Row::Tombstone(key(name))).await.unwrap().is_some());
    }
    core.close().await.unwrap();
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_happens_once() {
    let Some(server) = server() else { return };
    for (cut, state) in [(Cut::BeforeTheEnd, "cut-before"), (Cut::BeforeItsAnswer, "cut-after")] {
        let cutter = Cutter::before(server.socket(), cut, 2);
        let address = Address::parse(&cutter.url(state), None).unwrap();
        let mut core = Core::open(address, &holder("apply"), token()).await.unwrap();
        for number in 1..=3 {
            let name = number.to_string();
            core.commit(&tombstones(&[(&name, Some("1"))]), &format!("{state}-{number}")).await.unwrap();
        }
        assert_eq!(cutter.left(), 0);
        let count = |table: &str| server.sql(&format!("SELECT count(*) FROM {table} WHERE state = '{state}'"));
        assert_eq!((count("contactsd_tombstones"), count("contactsd_commits")), ("3".to_owned(), "3".to_owned()));
    }
}

#[test]
fn what_is_in_the_way_of_another_transaction_is_tried_again() {
    over_each_way("in-the-way", async |way| {
        // A sequence goes on although its transaction is rolled back.
        let state = way.state();
        way.server.sql(&format!(
            "CREATE SEQUENCE \"{state}\"; \
             CREATE FUNCTION \"{state}\"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('\"{state}\"') <= 3 THEN RAISE 'restart transaction' USING ERRCODE = '40001'; END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER \"{state}\" BEFORE INSERT ON contactsd_commits FOR EACH ROW \
             WHEN (NEW.state = '{state}') EXECUTE FUNCTION \"{state}\"()"
        ));
        let mut core = way.open("apply").await.unwrap();
        core.commit(&tombstones(&[("ada", Some("1"))]), "a").await.unwrap();
        assert_eq!(core.get(&Row::Tombstone(key("ada"))).await.unwrap(), Some(with_format("1")));
        // Three were rolled back; the trigger does not let the database's answer be mistaken for a lost connection.
        assert_eq!(way.server.sql(&format!("SELECT last_value FROM \"{state}\"")), "4");
        way.server.sql(&format!("DROP TRIGGER \"{state}\" ON contactsd_commits"));
        core.close().await.unwrap();
    });
}
