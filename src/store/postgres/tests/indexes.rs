//! Which index a row is read by: of a new state beside others the server knows nothing when it chooses.

use super::tables::select;
use super::*;
use crate::state::Table;

#[tokio::test]
async fn rows_of_a_state_that_was_not_counted_are_read_by_the_index_that_is_for_them() {
    let Some(server) = Server::start() else { return };
    let connector = connect::Connector::new(Address::parse(&server.url("new"), None).unwrap().into()).unwrap();
    schema::ensure(&connector, &connector.connect().await.unwrap()).await.unwrap();
    server.sql(
        "INSERT INTO contactsd_bindings SELECT 'state-' || s, 'key-' || n, md5(s || '-' || n), repeat('x', 900) \
         FROM generate_series(1, 3) s, generate_series(1, 5000) n",
    );
    server.sql("ANALYZE");
    let plan = |table| {
        let query = select(table).replace("$1", "'new'").replace("$2", "'one'");
        server.sql(&format!("EXPLAIN {query}"))
    };
    let (by_key, by_id) = (plan(Table::Bindings), plan(Table::Owners));
    assert!(by_key.contains("contactsd_bindings_pkey") && by_key.contains("key = 'one'"), "{by_key}");
    assert!(by_id.contains("contactsd_bindings_by_id") && by_id.contains("Cond: (apollo_id = 'one'"), "{by_id}");
}
