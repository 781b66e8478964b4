//! Whom a look at the account found for an entry that is bound to nobody.

use super::{ApolloId, Fields};

/// Contacts with the e-mail of an entry, whom no key owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The only one: the declared fields as Apollo shows them, and what it is called there.
    One { id: ApolloId, observed: Fields, name: String, company: String },
    /// Of several nobody is guessed.
    Several(Vec<ApolloId>),
}
