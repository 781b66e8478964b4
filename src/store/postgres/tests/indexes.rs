//! Which index a row is read by: of a new state beside others the server knows nothing when it chooses.

use super::tables::{delete, select};
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
    let plan = |query: String, second: &str| {
        server.sql(&format!("EXPLAIN {}", query.replace("$1", "'new'").replace("$2", second)))
    };
    let by_key = plan(select(Table::Bindings), "'one'");
    let by_id = plan(select(Table::Owners), "'one'");
    let removal = plan(delete(Table::Bindings), "'{one,two}'");
    assert!(by_key.contains("contactsd_bindings_pkey") && by_key.contains("AND (key = 'one'"), "{by_key}");
    assert!(by_id.contains("contactsd_bindings_by_id") && by_id.contains("Cond: (apollo_id = 'one'"), "{by_id}");
    assert!(removal.contains("contactsd_bindings_pkey") && removal.contains("AND (key = "), "{removal}");
}
