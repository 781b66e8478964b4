//! The keys of sled's one tree: a prefix for the table, then what identifies the row.
//!
//! Never looks at values. Prefixes sort the tables apart, so that each can be read on its own.

use crate::model::{ApolloId, ContactKey, Endpoint, IntentId};

/// Row of the facts that never change: format, lineage, API origin, identity key.
pub(super) const FACTS: &[u8] = b"m/facts";
/// Row that every batch rewrites: commit counter, serial, totals.
pub(super) const COUNTERS: &[u8] = b"m/counters";
/// Row of the keyed hash of the credential last used.
pub(super) const CREDENTIAL: &[u8] = b"m/credential";
/// Row of the saved plan that was applied last.
pub(super) const PLAN: &[u8] = b"m/plan";
/// Row of the team whose contacts these are.
pub(super) const TEAM: &[u8] = b"m/team";
/// Row that earlier versions wrote once an apply had done everything; nothing depends on it any more.
pub(super) const ESTABLISHED: &[u8] = b"m/established";

pub(super) const BINDINGS: [u8; 2] = *b"b/";
const OWNERS: [u8; 2] = *b"a/";
pub(super) const INTENTS: [u8; 2] = *b"i/";
const CONFLICTS: [u8; 2] = *b"c/";
const TOMBSTONES: [u8; 2] = *b"t/";
const QUOTA: [u8; 2] = *b"q/";
pub(super) const SPENT: [u8; 2] = *b"s/";

/// Prefixes of all rows but bindings and the reverse index, of which there are as many as contacts.
pub(super) const BESIDE_BINDINGS: [[u8; 2]; 5] = [*b"m/", INTENTS, CONFLICTS, TOMBSTONES, QUOTA];

/// Prefixes of what keeps a state from being quiet.
pub(super) const UNQUIET: [[u8; 2]; 2] = [INTENTS, CONFLICTS];

/// Which table a row belongs to, with the part of its key that identifies it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    Facts,
    Counters,
    Credential,
    Team,
    Established,
    Plan,
    Binding(ContactKey),
    /// The reverse index: which key a contact belongs to. The id is read from the binding instead.
    Owner,
    Intent(IntentId),
    Conflict(ContactKey),
    Tombstone(ContactKey),
    Quota(Endpoint),
    /// An action of a saved plan that is done.
    Spent(ContactKey),
}

impl Row {
    /// Reads a key of the tree; `None` for one that no version up to this one writes.
    pub(super) fn parse(key: &[u8]) -> Option<Self> {
        match key {
            FACTS => return Some(Self::Facts),
            COUNTERS => return Some(Self::Counters),
            CREDENTIAL => return Some(Self::Credential),
            PLAN => return Some(Self::Plan),
            TEAM => return Some(Self::Team),
            ESTABLISHED => return Some(Self::Established),
            _ => {}
        }
        let (&table, rest) = key.split_first_chunk()?;
        let text = || std::str::from_utf8(rest).ok();
        let contact = || ContactKey::parse(text()?).ok();
        match table {
            BINDINGS => contact().map(Self::Binding),
            OWNERS => Some(Self::Owner),
            INTENTS => Some(Self::Intent(IntentId(u64::from_be_bytes(rest.try_into().ok()?)))),
            CONFLICTS => contact().map(Self::Conflict),
            TOMBSTONES => contact().map(Self::Tombstone),
            SPENT => contact().map(Self::Spent),
            QUOTA => endpoint_named(text()?).map(Self::Quota),
            _ => None,
        }
    }
}

pub(super) fn binding(key: &ContactKey) -> Vec<u8> {
    join(BINDINGS, key.as_str().as_bytes())
}

/// Returns the contact key of a binding's row, which may be none; `None` for any other row.
pub(super) fn bound(row: &[u8]) -> Option<&str> {
    std::str::from_utf8(row.strip_prefix(&BINDINGS)?).ok()
}

pub(super) fn owner(id: &ApolloId) -> Vec<u8> {
    join(OWNERS, id.as_str().as_bytes())
}

/// Returns the row of the reverse index that an earlier version may have written: it kept ids in the case in which
/// Apollo answered them.
pub(super) fn owner_in_capitals(id: &ApolloId) -> Option<Vec<u8>> {
    let capitals = id.as_str().to_ascii_uppercase();
    (capitals != id.as_str()).then(|| join(OWNERS, capitals.as_bytes()))
}

/// The number is big-endian, so that rows sort in the order the intents were written.
pub(super) fn intent(id: IntentId) -> Vec<u8> {
    join(INTENTS, &id.0.to_be_bytes())
}

pub(super) fn conflict(key: &ContactKey) -> Vec<u8> {
    join(CONFLICTS, key.as_str().as_bytes())
}

pub(super) fn tombstone(key: &ContactKey) -> Vec<u8> {
    join(TOMBSTONES, key.as_str().as_bytes())
}

pub(super) fn quota(endpoint: Endpoint) -> Vec<u8> {
    join(QUOTA, endpoint_name(endpoint).as_bytes())
}

pub(super) fn spent(key: &ContactKey) -> Vec<u8> {
    join(SPENT, key.as_str().as_bytes())
}

fn join(table: [u8; 2], rest: &[u8]) -> Vec<u8> {
    [&table, rest].concat()
}

/// Names an endpoint on disk. Its own list, since the names people see may change.
fn endpoint_name(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::CreateContact => "create_contact",
        Endpoint::UpdateContact => "update_contact",
        Endpoint::ViewContact => "view_contact",
        Endpoint::SearchContacts => "search_contacts",
        Endpoint::AddToLists => "add_to_lists",
        Endpoint::RemoveFromLists => "remove_from_lists",
        Endpoint::Profile => "profile",
    }
}

fn endpoint_named(name: &str) -> Option<Endpoint> {
    Endpoint::ALL.into_iter().find(|&endpoint| endpoint_name(endpoint) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_back_from_its_key() {
        let key = ContactKey::parse("ada@example.com").unwrap();
        assert_eq!(Row::parse(&binding(&key)), Some(Row::Binding(key.clone())));
        assert_eq!(Row::parse(&conflict(&key)), Some(Row::Conflict(key.clone())));
        assert_eq!(Row::parse(&spent(&key)), Some(Row::Spent(key.clone())));
        assert_eq!(Row::parse(&tombstone(&key)), Some(Row::Tombstone(key)));
        assert_eq!(Row::parse(&intent(IntentId(258))), Some(Row::Intent(IntentId(258))));
        let id = ApolloId::parse(&"a".repeat(24)).unwrap();
        assert_eq!(Row::parse(&owner(&id)), Some(Row::Owner));
        for endpoint in Endpoint::ALL {
            assert_eq!(Row::parse(&quota(endpoint)), Some(Row::Quota(endpoint)));
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
        assert!(intent(IntentId(255)) < intent(IntentId(256)));
    }
}
