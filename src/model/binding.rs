//! What the state remembers of a key: its contact, a collision, or that it went.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ApolloId, ContactKey, Field, Fields, Fingerprint, IdentityHash, RunId, Timestamp};

/// One key bound to one contact, with what is known to stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    pub apollo_id: ApolloId,
    /// The declared fields that Apollo is known to hold; one that is declared and not here is pending.
    pub applied: Fields,
    /// The declared fields as Apollo last answered them; absent when no answer shows the field.
    pub observed: Fields,
    pub origin: Origin,
    pub bound_at: Timestamp,
    pub applied_at: Timestamp,
    pub run: RunId,
    /// What Apollo called the last request that wrote to the contact, for its support; `None` where nothing was written, or
    /// the answer did not say. It stands before the end, which [`Glance`] goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The file the entry stood in when last applied, as the user would name it.
    pub path: String,
    /// The entry's fingerprint when all of it stood applied; `None` while something is pending.
    pub fingerprint: Option<Fingerprint>,
    /// When Apollo said that the contact is gone; nothing is sent to it then.
    pub gone_at: Option<Timestamp>,
    /// The contact that Apollo answered with instead: the two were merged there. Nothing is sent until a person
    /// has decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<Merged>,
    /// The fields that were sent and that Apollo did not keep; warned about as long as they are declared.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dropped: BTreeSet<Field>,
    /// Lists that a create put the contact on or may have, as long as no list call has made sure; one that is no
    /// longer declared is taken off.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub possible_lists: BTreeSet<String>,
    /// Declared lists that somebody else had put the contact on before it was bound; we never take it off these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub found_lists: BTreeSet<String>,
}

impl Binding {
    /// Returns the declared fields as they were last known, those in doubt included: what tells who the contact is.
    pub fn last_known(&self) -> Fields {
        let mut fields = self.observed.clone();
        for (field, value) in self.applied.iter() {
            fields.set(field.clone(), value.clone());
        }
        fields
    }

    /// Reports whether all that an entry with this fingerprint declares stands there, with nothing left to say about it.
    pub fn stands_as(&self, declared: Option<Fingerprint>) -> bool {
        self.fingerprint.is_some() && self.fingerprint == declared && self.gone_at.is_none() && self.dropped.is_empty()
    }
}

/// What the JSON of a binding shows at its two ends, without being parsed. Most bindings of a state need no more.
#[derive(Debug, Clone, Copy)]
pub struct Glance<'a> {
    id: &'a str,
    fingerprint: &'a [u8; 32],
}

impl<'a> Glance<'a> {
    const ID_BYTES: usize = 24;

    /// Glances at a binding; `None` for one that must be read in full: only a binding with a fingerprint, and without
    /// anything that keeps it from standing as declared, ends like this.
    pub fn at(json: &'a [u8]) -> Option<Self> {
        let (id, after_id) = json.strip_prefix(b"{\"apollo_id\":\"")?.split_at_checked(Self::ID_BYTES)?;
        let (rest, fingerprint) = after_id.strip_suffix(b"\",\"gone_at\":null}")?.split_last_chunk()?;
        let is_whole = after_id.starts_with(b"\",") && rest.ends_with(b",\"fingerprint\":\"");
        std::str::from_utf8(id).ok().filter(|_| is_whole).map(|id| Self { id, fingerprint })
    }

    /// Tells what [`Binding::stands_as`] would of the whole.
    pub fn stands_as(&self, declared: Fingerprint) -> bool {
        *self.fingerprint == declared.digits()
    }

    pub fn apollo_id(&self) -> Option<ApolloId> {
        ApolloId::parse(self.id)
    }
}

/// What Apollo answered with in place of a contact that was merged into another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub survivor: ApolloId,
    /// The key that the survivor belonged to then.
    pub owner: Option<ContactKey>,
}

/// How a key came by its contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Our create call made it.
    Created,
    /// Our create call was answered with a contact that was there before.
    Matched(MatchedBy),
    /// The entry named it by `apollo_id`, or `import` did.
    Adopted,
    /// A look-up after a create of unknown outcome found it.
    Settled,
    /// The key came back and was bound to the contact it had.
    Restored,
}

impl Origin {
    /// Reports whether Apollo had the contact before anything of ours made it; of a restored one nobody remembers it.
    pub fn is_imported(&self) -> bool {
        matches!(self, Self::Matched(_) | Self::Adopted)
    }
}

/// How a match was recognized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchedBy {
    /// The answer's `dedupe_result` said so; the reason it gave, `email_match` for example.
    DedupeResult(Option<String>),
    /// The answer said `was_existing`.
    WasExisting,
    /// The answer's `created_at` is older than our first attempt.
    CreationTime,
    /// The answer to a create of many showed it among those that were there, which are left as they are.
    BulkCreate,
    /// A search before the create found the one contact with the entry's e-mail; nothing was sent to create it.
    LookUp,
    /// It was found when a lost state was built again; nothing was sent.
    Rebuilt(RebuiltBy),
}

/// By what an entry was told to be a contact when a lost state was built again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuiltBy {
    /// The entry names its id.
    Id,
    /// It is the only contact with the e-mail, which no other entry has.
    Email,
    /// It is the only contact of the name at the company, or of the name with a shared e-mail.
    Names,
    /// Of those of the name it is the only one of which nothing that it shows is declared otherwise.
    Fields,
}

/// A contact that stands between an entry and a create: it must not be bound to the key without a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    pub key: ContactKey,
    /// The entry as it was sent; another fingerprint ends the conflict.
    pub fingerprint: Fingerprint,
    /// The contact that Apollo answered with, or the first that a search found.
    pub apollo_id: ApolloId,
    pub cause: ConflictCause,
    pub at: Timestamp,
}

/// Why a contact was not bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictCause {
    /// The contact belongs to another key already; that key's entry as it was then.
    Collision { other: ContactKey, other_fingerprint: Option<Fingerprint> },
    /// The contact is somebody else: it shows other e-mails, or another name.
    Stranger,
    /// Apollo matched the create to the contact, which no search had shown before.
    UnseenMatch,
    /// A search found contacts of the same name that Apollo could match. Nothing was sent.
    Namesakes { ids: Vec<ApolloId> },
    /// A search found several contacts that could be the entry. Nothing was sent.
    Several { ids: Vec<ApolloId> },
}

/// The memory of a key that was forgotten: enough to know the person again, no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    pub apollo_id: ApolloId,
    pub identity: IdentityHash,
    pub at: Timestamp,
}

#[cfg(test)]
impl Binding {
    /// Makes a binding of a contact of which nothing is managed.
    pub(crate) fn bare(apollo_id: ApolloId) -> Self {
        Self {
            apollo_id,
            applied: Fields::default(),
            observed: Fields::default(),
            origin: Origin::Created,
            bound_at: Timestamp(1),
            applied_at: Timestamp(2),
            run: RunId("run-1".to_owned()),
            request_id: None,
            path: "contacts.d/people.yaml".to_owned(),
            fingerprint: None,
            gone_at: None,
            merged_into: None,
            dropped: BTreeSet::new(),
            possible_lists: BTreeSet::new(),
            found_lists: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Binding {
        let fields: Fields = [(Field::Title, "Engineer".into())].into_iter().collect();
        Binding {
            applied: fields.clone(),
            observed: fields,
            fingerprint: Some(fingerprint(1)),
            ..Binding::bare(ApolloId::parse("66f0c1aa99bb00112233ddee").unwrap())
        }
    }

    fn fingerprint(byte: u8) -> Fingerprint {
        Fingerprint::from_bytes([byte; 16])
    }

    #[test]
    fn a_glance_tells_no_more_than_the_whole_binding() {
        let text = format!("{{\",\"fingerprint\":\"{}\",\"gone_at\":null}}", fingerprint(1));
        let bindings = [
            (standing(), true),
            (Binding { path: text, ..standing() }, true),
            (Binding { request_id: Some("6f1c".to_owned()), ..standing() }, true),
            (Binding { fingerprint: Some(fingerprint(2)), ..standing() }, false),
            (Binding { fingerprint: None, ..standing() }, false),
            (Binding { gone_at: Some(Timestamp(3)), ..standing() }, false),
            (Binding { dropped: [Field::Title].into(), ..standing() }, false),
        ];
        for (binding, stands) in bindings {
            assert_eq!(binding.stands_as(Some(fingerprint(1))), stands);
            assert!(!binding.stands_as(None));
            let json = serde_json::to_vec(&binding).unwrap();
            let glance = Glance::at(&json);
            assert_eq!(glance.is_some_and(|glance| glance.stands_as(fingerprint(1))), stands);
            assert!(glance.is_none_or(|glance| glance.apollo_id().as_ref() == Some(&binding.apollo_id)));
            assert!((0..json.len()).all(|cut| Glance::at(&json[..cut]).is_none()));
        }
        // Whatever else there is to say makes a binding one that is read in full; it stands all the same.
        let found = Binding { found_lists: ["Leads".to_owned()].into(), ..standing() };
        assert!(found.stands_as(Some(fingerprint(1))) && Glance::at(&serde_json::to_vec(&found).unwrap()).is_none());
    }
}
