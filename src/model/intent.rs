//! A request as the journal holds it, written before it is sent.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ApolloId, ContactKey, Endpoint, Fields, Identity, RunId, Texts, Timestamp};

/// Numbers intents in the order they were written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(pub u64);

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What we are about to do to one contact. While it stands, the outcome is not recorded.
///
/// One request may do it to many: their intents make up a batch, and each goes as its own result is recorded, so that
/// what is left of a batch is what is not known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub key: ContactKey,
    pub endpoint: Endpoint,
    /// The contact it is for; `None` for a create.
    pub apollo_id: Option<ApolloId>,
    /// The exact body sent, so that a later run can send the very same.
    pub body: String,
    /// The fields in `body`; of a list call, the lists it adds or removes.
    pub fields: Fields,
    /// Whether `body` lets Apollo match an existing contact.
    pub run_dedupe: bool,
    /// The batch that it went out in last, named by the first intent of it; `None` where it went alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<IntentId>,
    pub run: RunId,
    pub first_sent_at: Timestamp,
    pub last_sent_at: Timestamp,
    /// How many times it went out.
    pub attempts: u32,
    /// The file the entry stood in, for messages about entries that are gone since.
    pub path: String,
    /// Contacts like the entry that were there before the create was first sent: none of them is the one it made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub there_before: Vec<ApolloId>,
    /// Contacts that the answer to its batch showed and that could be no item's for certain: it may have made one of
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpaired: Vec<ApolloId>,
    /// Whether Apollo refused it. A refusal may hide that the contact was made, and Apollo would not match the entry:
    /// it is looked for before it is sent again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
    /// What Apollo called the last request for it that was answered, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Intent {
    /// Reports whether it is a create that may have made a contact: one that was refused is looked for by the next create.
    pub fn is_create_in_doubt(&self) -> bool {
        self.endpoint.creates() && !self.refused
    }

    /// Reports whether a create may have made the contact of an entry: it has its key, or had it before, or is the same
    /// person by all that identifies one.
    pub fn may_be_of(&self, key: &ContactKey, moved_from: Option<&ContactKey>, texts: &impl Texts) -> bool {
        self.key == *key || moved_from == Some(&self.key) || Identity::of(&self.fields) == Identity::of(texts)
    }
}

#[cfg(test)]
impl Intent {
    /// Makes the intent of a create that went out once and sends no field.
    pub(crate) fn bare(key: ContactKey) -> Self {
        Self {
            key,
            endpoint: Endpoint::CreateContact,
            apollo_id: None,
            body: "{}".to_owned(),
            fields: Fields::default(),
            run_dedupe: true,
            batch: None,
            run: RunId("run-1".to_owned()),
            first_sent_at: Timestamp(3),
            last_sent_at: Timestamp(4),
            attempts: 1,
            path: "contacts.d/people.yaml".to_owned(),
            there_before: Vec::new(),
            unpaired: Vec::new(),
            refused: false,
            request_id: None,
        }
    }
}
