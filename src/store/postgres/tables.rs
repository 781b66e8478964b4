//! Which table a row of a state is in, and the SQL that reads and writes rows, many at once.
//!
//! The rules see rows as keys and values, whatever engine keeps them. The reverse index needs no rows here: it is an
//! index of the table of bindings.

use std::collections::BTreeMap;

/// Rows to write, by key: a value, or `None` to remove.
type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A table of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Table {
    Facts,
    Bindings,
    Intents,
    Conflicts,
    Tombstones,
    Spent,
    Quota,
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In a table, by its key there.
    Row(Table, String),
    /// In the reverse index, by the contact's id.
    Owner(String),
}

impl Table {
    pub(super) const ALL: [Self; 7] =
        [Self::Facts, Self::Bindings, Self::Intents, Self::Conflicts, Self::Tombstones, Self::Spent, Self::Quota];

    pub(super) fn prefix(self) -> &'static [u8] {
        match self {
            Self::Facts => b"m/",
            Self::Bindings => b"b/",
            Self::Intents => b"i/",
            Self::Conflicts => b"c/",
            Self::Tombstones => b"t/",
            Self::Spent => b"s/",
            Self::Quota => b"q/",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Facts => "contactsd_facts",
            Self::Bindings => "contactsd_bindings",
            Self::Intents => "contactsd_intents",
            Self::Conflicts => "contactsd_conflicts",
            Self::Tombstones => "contactsd_tombstones",
            Self::Spent => "contactsd_spent",
            Self::Quota => "contactsd_quota",
        }
    }

    /// Returns the SQL that reads rows by their keys: state, keys.
    pub(super) fn select(self) -> String {
        format!("SELECT key, value FROM {} WHERE state = $1 AND key = ANY($2)", self.name())
    }

    /// Returns the SQL that reads the rows behind a key, in their order: state, key, how many.
    pub(super) fn select_behind(self) -> String {
        format!("SELECT key, value FROM {} WHERE state = $1 AND key > $2 ORDER BY key LIMIT $3", self.name())
    }

    /// Returns the SQL that removes rows: state, keys.
    pub(super) fn delete(self) -> String {
        format!("DELETE FROM {} WHERE state = $1 AND key = ANY($2)", self.name())
    }

    /// Returns the SQL that writes rows which are not there: state, keys, values, and of bindings the ids.
    pub(super) fn insert(self) -> String {
        match self {
            Self::Bindings => "INSERT INTO contactsd_bindings (state, key, value, apollo_id) \
                SELECT $1, row.key, row.value, row.id FROM unnest($2::text[], $3::text[], $4::text[]) AS row (key, value, id)"
                .to_owned(),
            other => format!(
                "INSERT INTO {} (state, key, value) \
                 SELECT $1, row.key, row.value FROM unnest($2::text[], $3::text[]) AS row (key, value)",
                other.name()
            ),
        }
    }
}

/// The SQL that finds the owners of contacts: state, ids.
pub(super) const SELECT_OWNERS: &str =
    "SELECT apollo_id, key FROM contactsd_bindings WHERE state = $1 AND apollo_id = ANY($2)";

impl Place {
    /// Finds where a row is by its key; `None` for a key that no row has.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        if let Some(id) = key.strip_prefix(b"a/") {
            return Some(Self::Owner(std::str::from_utf8(id).ok()?.to_owned()));
        }
        let table = Table::ALL.into_iter().find(|table| key.starts_with(table.prefix()))?;
        let rest = &key[table.prefix().len()..];
        let text = match table {
            // Numbers of one length sort as they count.
            Table::Intents => format!("{:020}", u64::from_be_bytes(rest.try_into().ok()?)),
            _ => std::str::from_utf8(rest).ok()?.to_owned(),
        };
        Some(Self::Row(table, text))
    }

    /// Returns the key of the row.
    pub(super) fn key(&self) -> Option<Vec<u8>> {
        match self {
            Self::Owner(id) => Some([b"a/", id.as_bytes()].concat()),
            Self::Row(Table::Intents, text) => {
                Some([Table::Intents.prefix(), &text.parse::<u64>().ok()?.to_be_bytes()[..]].concat())
            }
            Self::Row(table, text) => Some([table.prefix(), text.as_bytes()].concat()),
        }
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

/// Sorts writes by table. Those of the reverse index follow from the bindings and are left out.
pub(super) fn by_table(writes: &Writes) -> Result<BTreeMap<Table, TableWrites>, &'static str> {
    let mut tables: BTreeMap<Table, TableWrites> = BTreeMap::new();
    for (key, value) in writes {
        let (table, text) = match Place::of(key).ok_or("a key is not as keys are")? {
            Place::Row(table, text) => (table, text),
            Place::Owner(_) => continue,
        };
        let writes = tables.entry(table).or_default();
        writes.keys.push(text.clone());
        if let Some(value) = value {
            // Values are JSON behind a byte for its format, which the tables have once for all rows.
            let json = value.get(1..).and_then(|json| std::str::from_utf8(json).ok()).ok_or("a value is no JSON")?;
            if table == Table::Bindings {
                let bound: Bound = serde_json::from_str(json).map_err(|_| "a binding names no contact")?;
                writes.ids.push(bound.apollo_id);
            }
            writes.put.push(text);
            writes.values.push(json.to_owned());
        }
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

    #[test]
    fn every_row_has_a_place_and_is_found_there() {
        let intent = [b"i/", &7u64.to_be_bytes()[..]].concat();
        for key in [&b"m/facts"[..], b"b/ada", b"a/66f0", &intent, b"c/ada", b"t/ada", b"s/ada", b"q/create_contact"] {
            let place = Place::of(key).unwrap();
            assert_eq!(place.key().unwrap(), key, "{place:?}");
        }
        assert_eq!(Place::of(b"x/ada"), None);
        assert_eq!(Place::of(&intent), Some(Place::Row(Table::Intents, "00000000000000000007".to_owned())));
    }
}
