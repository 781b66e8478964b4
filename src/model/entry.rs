//! One contact as a file declares it.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ApolloId, ContactKey, Field, Fields, Fingerprint, Identity};

/// Where an entry stands. The line is looked up only when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user would name it: `--dir` joined with the path below it.
    pub path: Arc<Path>,
    pub key: ContactKey,
}

/// A contact as declared, defaults already merged in; valid by construction in `source`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub place: Place,
    /// The declared fields. A field that is absent is not managed; an empty one is cleared.
    pub fields: Fields,
    /// Whether Apollo may match this entry to a contact it has. Default true.
    pub run_dedupe: bool,
    /// The contact that this entry is, decided by the user.
    pub apollo_id: Option<ApolloId>,
    /// The key this entry had before.
    pub moved_from: Option<ContactKey>,
}

impl Entry {
    pub fn key(&self) -> &ContactKey {
        &self.place.key
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// Reports whether Apollo's deduplication could find this entry's contact again.
    ///
    /// It matches by e-mail, or by first and last name at one company (vendor page of the create
    /// call, match order).
    pub fn dedupe_can_match(&self) -> bool {
        let identity = Identity::of(&self.fields);
        self.run_dedupe && (identity.email.is_some() || identity.person_at_company().is_some())
    }

    /// Returns the name people would call the contact by, for messages; empty when it has none.
    pub fn person_name(&self) -> String {
        let parts = [Field::FirstName, Field::LastName];
        parts
            .iter()
            .filter_map(|field| self.fields.text(field))
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}
