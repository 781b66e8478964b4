//! One contact as a file declares it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::{ApolloId, ContactKey, Field, Fields, Texts};

/// Where an entry stands. The line is looked up only when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The file as the user would name it: `--dir` joined with the path below it.
    ///
    /// A name that is no UTF-8 is saved with the strange bytes replaced: it is for people alone.
    #[serde(serialize_with = "as_text")]
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
    /// The fields that stay as they are when somebody changes them in Apollo.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ignored: BTreeSet<Field>,
}

/// Something that says who a contact is, and may be an [`Entry`].
pub trait Declares: Texts {
    fn key(&self) -> &ContactKey;

    fn apollo_id(&self) -> Option<&ApolloId>;

    fn moved_from(&self) -> Option<&ContactKey>;

    fn run_dedupe(&self) -> bool;

    /// Reports whether it may share what Apollo matches by with others that say the same: Apollo is told not to match it,
    /// or it says which contact it is.
    fn stands_apart(&self) -> bool {
        !self.run_dedupe() || self.apollo_id().is_some()
    }
}

impl Texts for Entry {
    fn text(&self, field: &Field) -> Option<&str> {
        self.fields.text(field)
    }
}

impl Declares for Entry {
    fn key(&self) -> &ContactKey {
        &self.place.key
    }

    fn apollo_id(&self) -> Option<&ApolloId> {
        self.apollo_id.as_ref()
    }

    fn moved_from(&self) -> Option<&ContactKey> {
        self.moved_from.as_ref()
    }

    fn run_dedupe(&self) -> bool {
        self.run_dedupe
    }
}

impl Entry {
    pub fn key(&self) -> &ContactKey {
        &self.place.key
    }

    /// Reports whether Apollo's deduplication could find this entry's contact again.
    ///
    /// It matches by e-mail, or by first and last name at one company (vendor page of the create
    /// call, match order).
    pub fn dedupe_can_match(&self) -> bool {
        dedupe_can_match(self.run_dedupe, &self.fields)
    }

    /// Reports whether a change of `field` in Apollo is left alone.
    pub fn ignores(&self, field: &Field) -> bool {
        self.ignored.contains(field)
    }

    /// Reports whether the e-mail is what Apollo matches this entry by.
    pub fn is_matched_by_email(&self) -> bool {
        is_matched_by_email(self.run_dedupe, &self.fields)
    }
}

pub(super) fn dedupe_can_match(run_dedupe: bool, fields: &impl Texts) -> bool {
    let says = |field: Field| fields.says(&field);
    let is_person_at_company = || [Field::FirstName, Field::LastName, Field::OrganizationName].into_iter().all(says);
    run_dedupe && (says(Field::Email) || is_person_at_company())
}

pub(super) fn is_matched_by_email(run_dedupe: bool, fields: &impl Texts) -> bool {
    run_dedupe && fields.says(&Field::Email)
}

fn as_text<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_file_name_of_any_bytes_can_be_saved() {
        let path = Path::new(OsStr::from_bytes(b"contacts.d/a\xff.yaml")).into();
        let place = Place { path, key: ContactKey::parse("ada").unwrap() };
        let saved = serde_json::to_string(&place).unwrap();
        assert_eq!(saved, "{\"path\":\"contacts.d/a\u{fffd}.yaml\",\"key\":\"ada\"}");
    }
}
