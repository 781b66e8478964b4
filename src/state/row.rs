//! The rows of a state: which table a row is in, and what identifies it there.
//!
//! Never looks at values. As bytes, each table has a prefix, so that each can be read on its own.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{ApolloId, ContactKey, Endpoint, IntentId, NameKind};

/// Version of the format of rows that this program writes, and the newest it reads.
pub(crate) const FORMAT: u8 = 1;

/// Version of the format of a state, and the newest that is read: since the second one a copy stands beside the rows.
pub(crate) const STATE_FORMAT: u32 = 2;

/// A kind of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Table {
    /// What there is once for the whole state.
    Meta,
    Bindings,
    /// The reverse index of the bindings.
    Owners,
    Intents,
    Conflicts,
    Tombstones,
    Quota,
    Spent,
    /// What is known of everybody in the account, as a cache.
    Account,
}

impl Table {
    /// Returns what the keys of its rows begin with.
    pub(crate) fn prefix(self) -> [u8; 2] {
        match self {
            Self::Meta => *b"m/",
            Self::Bindings => *b"b/",
            Self::Owners => *b"a/",
            Self::Intents => *b"i/",
            Self::Conflicts => *b"c/",
            Self::Tombstones => *b"t/",
            Self::Quota => *b"q/",
            Self::Spent => *b"s/",
            Self::Account => *b"k/",
        }
    }

    /// Reports whether a key is of a row in it.
    pub(crate) fn has(self, key: &[u8]) -> bool {
        key.starts_with(&self.prefix())
    }
}

/// What identifies a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Row {
    /// What never changes: format, lineage, API origin, identity key.
    Facts,
    /// What every batch rewrites: commit counter, serial, totals.
    Counters,
    /// The keyed hash of the credential last used.
    Credential,
    /// The team whose contacts these are.
    Team,
    /// How far creating many contacts in one request is known to work.
    BulkCreate,
    /// The names of one kind that Apollo has told, and when, as a cache.
    Names(NameKind),
    /// Earlier versions wrote it once an apply had done everything; nothing depends on it any more.
    Established,
    /// The saved plan that was applied last.
    Plan,
    Binding(ContactKey),
    /// Which key a contact belongs to, by its id.
    Owner(String),
    Intent(IntentId),
    Conflict(ContactKey),
    Tombstone(ContactKey),
    Quota(Endpoint),
    /// An action of a saved plan that is done.
    Spent(ContactKey),
    /// A part of what is known of everybody in the account; the first tells how many there are.
    Account(u32),
}

/// Rows to write: a value, or `None` to remove.
pub(crate) type Writes = BTreeMap<Row, Option<Vec<u8>>>;

impl Row {
    pub(crate) fn owner(id: &ApolloId) -> Self {
        Self::Owner(id.as_str().to_owned())
    }

    /// Returns the row of the reverse index that an earlier version may have written: it kept ids in the case in which
    /// Apollo answered them.
    pub(crate) fn owner_in_capitals(id: &ApolloId) -> Option<Self> {
        let capitals = id.as_str().to_ascii_uppercase();
        (capitals != id.as_str()).then_some(Self::Owner(capitals))
    }

    /// Reads the key of a row; `None` for one that no version up to this one writes.
    pub(crate) fn parse(key: &[u8]) -> Option<Self> {
        let (table, rest) = key.split_first_chunk()?;
        let text = || std::str::from_utf8(rest).ok();
        let contact = || ContactKey::parse(text()?).ok();
        match table {
            b"m/" => match rest {
                b"facts" => Some(Self::Facts),
                b"counters" => Some(Self::Counters),
                b"credential" => Some(Self::Credential),
                b"team" => Some(Self::Team),
                b"bulk-create" => Some(Self::BulkCreate),
                b"names-stages" => Some(Self::Names(NameKind::Stages)),
                b"names-fields" => Some(Self::Names(NameKind::Fields)),
                b"names-lists" => Some(Self::Names(NameKind::Lists)),
                b"established" => Some(Self::Established),
                b"plan" => Some(Self::Plan),
                _ => None,
            },
            b"b/" => contact().map(Self::Binding),
            b"a/" => text().map(|id| Self::Owner(id.to_owned())),
            b"i/" => Some(Self::Intent(IntentId(u64::from_be_bytes(rest.try_into().ok()?)))),
            b"c/" => contact().map(Self::Conflict),
            b"t/" => contact().map(Self::Tombstone),
            b"s/" => contact().map(Self::Spent),
            b"k/" => Some(Self::Account(u32::from_be_bytes(rest.try_into().ok()?))),
            b"q/" => Endpoint::coded(text()?).map(Self::Quota),
            _ => None,
        }
    }

    /// Renders the key; [`Row::parse`] reads it back.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.table().prefix()[..], &self.name()].concat()
    }

    pub(crate) fn table(&self) -> Table {
        match self {
            Self::Facts
            | Self::Counters
            | Self::Credential
            | Self::Team
            | Self::BulkCreate
            | Self::Names(_)
            | Self::Established
            | Self::Plan => Table::Meta,
            Self::Binding(_) => Table::Bindings,
            Self::Owner(_) => Table::Owners,
            Self::Intent(_) => Table::Intents,
            Self::Conflict(_) => Table::Conflicts,
            Self::Tombstone(_) => Table::Tombstones,
            Self::Quota(_) => Table::Quota,
            Self::Spent(_) => Table::Spent,
            Self::Account(_) => Table::Account,
        }
    }

    /// Returns what identifies the row in its table.
    fn name(&self) -> Cow<'_, [u8]> {
        let name = match self {
            Self::Facts => "facts",
            Self::Counters => "counters",
            Self::Credential => "credential",
            Self::Team => "team",
            Self::BulkCreate => "bulk-create",
            Self::Names(NameKind::Stages) => "names-stages",
            Self::Names(NameKind::Fields) => "names-fields",
            Self::Names(NameKind::Lists) => "names-lists",
            Self::Established => "established",
            Self::Plan => "plan",
            Self::Binding(key) | Self::Conflict(key) | Self::Tombstone(key) | Self::Spent(key) => key.as_str(),
            Self::Owner(id) => id,
            Self::Quota(endpoint) => endpoint.code(),
            // Big-endian, so that rows sort in the order the intents were written.
            Self::Account(number) => return Cow::Owned(number.to_be_bytes().to_vec()),
            Self::Intent(IntentId(number)) => return Cow::Owned(number.to_be_bytes().to_vec()),
        };
        Cow::Borrowed(name.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_back_from_its_key() {
        let key = || ContactKey::parse("ada@example.com").unwrap();
        let rows = [
            Row::Facts,
            Row::Counters,
            Row::Credential,
            Row::Team,
            Row::BulkCreate,
            Row::Established,
            Row::Plan,
            Row::Binding(key()),
            Row::owner(&ApolloId::parse(&"a".repeat(24)).unwrap()),
            Row::Intent(IntentId(258)),
            Row::Conflict(key()),
            Row::Tombstone(key()),
            Row::Spent(key()),
            Row::Account(258),
        ];
        let rows = rows.into_iter().chain(NameKind::ALL.map(Row::Names));
        for row in rows.chain(Endpoint::ALL.map(Row::Quota)) {
            assert_eq!(Row::parse(&row.to_bytes()), Some(row.clone()));
            assert!(row.table().has(&row.to_bytes()));
        }
    }

    #[test]
    fn a_key_of_no_table_is_not_guessed_at() {
        for strange in [&b""[..], b"b", b"x/jane", b"b/", b"b/\xff", b"i/123", b"q/merge_contacts", b"m/else"] {
            assert_eq!(Row::parse(strange), None, "{strange:?}");
        }
    }

    #[test]
    fn intents_sort_in_the_order_they_were_written() {
        assert!(Row::Intent(IntentId(255)).to_bytes() < Row::Intent(IntentId(256)).to_bytes());
    }
}
