//! What makes two entries the same person, in Apollo's eyes and in ours.

use super::fold::{fold_email_into, fold_text_into, mailbox, mailbox_parts};
use super::{Field, Fields, Texts};
use serde::{Deserialize, Serialize};

/// The parts of a contact that Apollo matches by, folded for comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The e-mail in lower case, plus tag kept: what "the same e-mail" means in an answer.
    pub email: Option<String>,
    /// First and last name; both are needed for a match by name.
    pub name: Option<(String, String)>,
    pub company: Option<String>,
}

/// A person's folded first name, last name and company.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonAtCompany {
    pub first_name: String,
    pub last_name: String,
    pub company: String,
}

/// The parts of one contact after the other, in memory that is used again; each is empty where it is absent.
#[derive(Debug, Default)]
pub struct Parts {
    email: String,
    first_name: String,
    last_name: String,
    company: String,
}

impl Parts {
    /// Takes the parts of the next contact.
    pub fn take(&mut self, texts: &impl Texts) {
        let text = |field| texts.text(&field).unwrap_or_default();
        fold_email_into(text(Field::Email), &mut self.email);
        fold_text_into(text(Field::FirstName), &mut self.first_name);
        fold_text_into(text(Field::LastName), &mut self.last_name);
        fold_text_into(text(Field::OrganizationName), &mut self.company);
    }

    /// Returns what stands on both sides of the `@` in the mailbox; `None` also for an e-mail without one.
    pub fn mailbox(&self) -> Option<(&str, &str)> {
        mailbox_parts(&self.email)
    }

    /// Returns first and last name, where there are both.
    pub fn name(&self) -> Option<(&str, &str)> {
        (!self.first_name.is_empty() && !self.last_name.is_empty()).then_some((&self.first_name, &self.last_name))
    }

    pub fn company(&self) -> Option<&str> {
        Some(&*self.company).filter(|company| !company.is_empty())
    }
}

impl Identity {
    pub fn of(fields: &impl Texts) -> Self {
        let mut parts = Parts::default();
        parts.take(fields);
        let name = parts.name().is_some();
        let Parts { email, first_name, last_name, company } = parts;
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self { email: some(email), name: name.then_some((first_name, last_name)), company: some(company) }
    }

    /// Returns the e-mail without its plus tag: Apollo is said to match such variants.
    pub fn mailbox(&self) -> Option<String> {
        self.email.as_deref().map(mailbox)
    }

    /// Returns the domain of the e-mail.
    pub fn domain(&self) -> Option<&str> {
        self.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain)
    }

    pub fn person_at_company(&self) -> Option<PersonAtCompany> {
        let (first_name, last_name) = self.name.clone()?;
        Some(PersonAtCompany { first_name, last_name, company: self.company.clone()? })
    }
}

/// The secret that identity hashes of one state are keyed with, so that they reveal nobody.
#[derive(Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityKey(pub [u8; 32]);

impl std::fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityKey(****)")
    }
}

/// Who a forgotten contact was, without saying it: keyed hashes of the folded identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityHash {
    pub mailbox: Option<String>,
    pub person_at_company: Option<String>,
    /// All names declared, where nothing stronger was; Apollo matches nobody by so little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<String>,
}

impl IdentityHash {
    pub fn of(fields: &Fields, key: &IdentityKey) -> Self {
        let identity = Identity::of(fields);
        let person = identity.person_at_company();
        let hash = |text: String| blake3::keyed_hash(&key.0, text.as_bytes()).to_hex()[..32].to_owned();
        let nothing_stronger = identity.email.is_none() && person.is_none();
        Self {
            mailbox: identity.mailbox().map(&hash),
            person_at_company: person.map(|p| hash(format!("{}\0{}\0{}", p.first_name, p.last_name, p.company))),
            names: names(fields).filter(|_| nothing_stronger).map(hash),
        }
    }

    /// Reports whether both are the same person: by e-mail where both have one, else by name at a company,
    /// else by the names alone where neither has more.
    pub fn same_person(&self, other: &Self) -> bool {
        match (&self.mailbox, &other.mailbox) {
            (Some(one), Some(two)) => one == two,
            _ if self.person_at_company.is_some() => self.person_at_company == other.person_at_company,
            _ => self.names.is_some() && self.names == other.names,
        }
    }
}

/// Joins the names that are declared, folded; `None` when there is neither a first nor a last one.
fn names(fields: &Fields) -> Option<String> {
    let (first, last) = (fields.folded(&Field::FirstName), fields.folded(&Field::LastName));
    let named = !first.is_empty() || !last.is_empty();
    named.then(|| [first, last, fields.folded(&Field::OrganizationName)].join("\0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(pairs: &[(Field, &str)]) -> IdentityHash {
        let fields: Fields =
            pairs.iter().map(|(field, text)| (field.clone(), super::super::Value::from(*text))).collect();
        IdentityHash::of(&fields, &IdentityKey([1; 32]))
    }

    /// An entry with a name alone that was deleted and put back was created a second time: nothing that
    /// its tombstone kept could tell that it was the same person.
    #[test]
    fn names_alone_tell_a_person_again_where_nothing_stronger_is_declared() {
        let name = [(Field::FirstName, "Ada"), (Field::LastName, "Byron")];
        let ada = hash(&name);
        assert!(ada.same_person(&hash(&[(Field::FirstName, " ADA"), (Field::LastName, "byron")])));
        assert!(!ada.same_person(&hash(&[(Field::FirstName, "Ada"), (Field::LastName, "Quill")])));
        let at_company = hash(&[name[0].clone(), name[1].clone(), (Field::OrganizationName, "Example")]);
        let with_email = hash(&[name[0].clone(), name[1].clone(), (Field::Email, "ada@example.com")]);
        assert!(!ada.same_person(&at_company) && !at_company.same_person(&ada));
        assert!(!ada.same_person(&with_email) && !with_email.same_person(&ada));
        assert!(!hash(&[(Field::Title, "CTO")]).same_person(&hash(&[(Field::Title, "CTO")])));
    }
}
