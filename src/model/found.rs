//! Whom a look at the account found for an entry that is bound to nobody.

use super::{ApolloId, Fields};

/// Contacts that may belong to an entry and that no key owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The only one with its e-mail: the declared fields as Apollo shows them, and what it is called there.
    One { id: ApolloId, observed: Fields, name: String, company: String },
    /// Of several with its e-mail nobody is guessed.
    Several(Vec<ApolloId>),
    /// They have its name, and Apollo could match them; a name alone never binds.
    Namesakes(Vec<ApolloId>),
}
