//! Which table a row of a state is in, and the SQL that reads and writes rows, many at once.
//!
//! The reverse index needs no rows here: it is an index of the table of bindings.

use std::collections::BTreeMap;

use crate::model::IntentId;
use crate::state::{Row, Table, Writes};

/// The tables that have rows.
pub(super) const TABLES: [Table; 8] = [
    Table::Meta,
    Table::Bindings,
    Table::Intents,
    Table::Conflicts,
    Table::Tombstones,
    Table::Spent,
    Table::Quota,
    Table::Account,
];

fn name(table: Table) -> &'static str {
    match table {
        Table::Meta => "contactsd_facts",
        Table::Bindings | Table::Owners => "contactsd_bindings",
        Table::Intents => "contactsd_intents",
        Table::Conflicts => "contactsd_conflicts",
        Table::Tombstones => "contactsd_tombstones",
        Table::Spent => "contactsd_spent",
        Table::Quota => "contactsd_quota",
        Table::Account => "contactsd_account",
    }
}

/// Returns the SQL that reads a row by its key, or the owner of a contact: state, key.
pub(super) fn select(table: Table) -> String {
    match table {
        // The expression keeps PostgreSQL from the index of keys, where it would read all rows of the state.
        Table::Owners => "SELECT key FROM contactsd_bindings WHERE state || '' = $1 AND apollo_id = $2".to_owned(),
        table => format!("SELECT value FROM {} WHERE state = $1 AND key = $2", name(table)),
    }
}

/// Returns the SQL that reads the rows behind a key, in their order: state, key, how many.
pub(super) fn select_behind(table: Table) -> String {
    format!("SELECT key, value FROM {} WHERE state = $1 AND key > $2 ORDER BY key LIMIT $3", name(table))
}

/// Returns the SQL that removes rows: state, keys.
///
/// Each key is looked for by itself: for a list of keys PostgreSQL may read all rows of the state instead.
pub(super) fn delete(table: Table) -> String {
    format!("DELETE FROM {} WHERE (state, key) IN (SELECT $1, unnest($2::text[]))", name(table))
}

/// Returns the SQL that removes all rows of a state.
pub(super) fn clear(table: Table) -> String {
    format!("DELETE FROM {} WHERE state = $1", name(table))
}

/// Returns the SQL that gives a state all rows of another name: state, name.
pub(super) fn rename(table: Table) -> String {
    format!("UPDATE {} SET state = $1 WHERE state = $2", name(table))
}

/// Returns the SQL that writes rows which are not there: state, keys, values, and of bindings the ids.
pub(super) fn insert(table: Table) -> String {
    match table {
        Table::Bindings => {
            "INSERT INTO contactsd_bindings (state, key, value, apollo_id) SELECT $1, row.key, row.value, \
                            row.id FROM unnest($2::text[], $3::text[], $4::text[]) AS row (key, value, id)"
                .to_owned()
        }
        table => format!(
            "INSERT INTO {} (state, key, value) \
             SELECT $1, row.key, row.value FROM unnest($2::text[], $3::text[]) AS row (key, value)",
            name(table)
        ),
    }
}

/// Returns the key of a row in its table.
pub(super) fn key(row: &Row) -> String {
    match row {
        // Numbers of one length sort as they count.
        Row::Intent(IntentId(number)) => format!("{number:020}"),
        Row::Account(part) => format!("{part:010}"),
        row => String::from_utf8_lossy(&row.to_bytes()[row.table().prefix().len()..]).into_owned(),
    }
}

/// Finds the row that has a key in a table.
pub(super) fn row(table: Table, key: &str) -> Option<Row> {
    match table {
        Table::Intents => key.parse().ok().map(|number| Row::Intent(IntentId(number))),
        Table::Account => key.parse().ok().map(Row::Account),
        table => Row::parse(&[&table.prefix()[..], key.as_bytes()].concat()),
    }
}

/// What a transaction writes to one table.
#[derive(Debug, Default)]
pub(super) struct TableWrites {
    /// Keys of rows that are written or removed.
    pub(super) keys: Vec<String>,
    /// Keys of rows that are there afterwards, with their values.
    pub(super) put: Vec<String>,
    pub(super) values: Vec<String>,
    /// The contacts of bindings.
    pub(super) ids: Vec<String>,
}

/// Sorts writes by table; those of the reverse index follow from the bindings.
pub(super) fn by_table(writes: &Writes) -> Result<BTreeMap<Table, TableWrites>, &'static str> {
    let mut tables: BTreeMap<Table, TableWrites> = BTreeMap::new();
    for (row, value) in writes.iter().filter(|(row, _)| row.table() != Table::Owners) {
        let writes = tables.entry(row.table()).or_default();
        let key = key(row);
        writes.keys.push(key.clone());
        let Some(value) = value else { continue };
        // Values are JSON behind a byte for its format, which the facts have for all rows.
        let json = value.get(1..).and_then(|json| std::str::from_utf8(json).ok()).ok_or("a value is no JSON")?;
        if row.table() == Table::Bindings {
            let bound: Bound = serde_json::from_str(json).map_err(|_| "a binding names no contact")?;
            writes.ids.push(bound.apollo_id);
        }
        writes.put.push(key);
        writes.values.push(json.to_owned());
    }
    Ok(tables)
}

/// The part of a binding that the table has a column for.
#[derive(serde::Deserialize)]
struct Bound {
    apollo_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContactKey, Endpoint};

    #[test]
    fn every_row_is_found_by_its_key() {
        let ada = || ContactKey::parse("ada@example.com").unwrap();
        let of_people = [Row::Binding(ada()), Row::Conflict(ada()), Row::Tombstone(ada()), Row::Spent(ada())];
        let of_all = [Row::Facts, Row::Counters, Row::Team, Row::Plan, Row::Intent(IntentId(7)), Row::Account(7)];
        let quota = Endpoint::ALL.map(Row::Quota);
        for one in of_people.into_iter().chain(of_all).chain(quota) {
            assert_eq!(row(one.table(), &key(&one)), Some(one.clone()));
            assert!(TABLES.contains(&one.table()));
        }
        assert_eq!(key(&Row::Intent(IntentId(7))), "00000000000000000007");
    }
}
