//! By what deduplication recognizes a contact, and the index that finds it.
//!
//! The order is the vendor's (page of the create call): e-mail, primary and additional, then first and
//! last name at one company, which the e-mail's domain or the company's name tells. Never writes contacts.

use std::collections::{BTreeSet, HashMap};

use unicode_normalization::UnicodeNormalization;

use super::contact::Contact;
use super::sent::Text;

/// Mail providers whose domain tells nothing about a company.
const PUBLIC_DOMAINS: [&str; 12] = [
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "yahoo.com",
    "icloud.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "proton.me",
    "web.de",
];

/// One thing two contacts can have in common that makes them the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum MatchKey {
    /// An e-mail, folded, without its plus tag.
    Mailbox(String),
    AtDomain {
        first_name: String,
        last_name: String,
        domain: String,
    },
    AtCompany {
        first_name: String,
        last_name: String,
        company: String,
    },
}

impl MatchKey {
    /// Returns what a contact is recognized by, the strongest first.
    pub(super) fn of(contact: &Contact) -> Vec<Self> {
        let mut keys: Vec<_> = contact.emails().map(|email| Self::Mailbox(mailbox(email))).collect();
        let folded = |field| contact.text(field).map(fold).filter(|text| !text.is_empty());
        let names = folded(Text::FirstName).zip(folded(Text::LastName));
        if let Some((first_name, last_name)) = names {
            if let Some(domain) = contact.text(Text::Email).map(domain).filter(|domain| !is_public(domain)) {
                keys.push(Self::AtDomain { first_name: first_name.clone(), last_name: last_name.clone(), domain });
            }
            if let Some(company) = folded(Text::OrganizationName) {
                keys.push(Self::AtCompany { first_name, last_name, company });
            }
        }
        keys
    }

    /// Returns the reason as answers name it; only the first is known, from the vendor's example.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Mailbox(_) => "email_match",
            Self::AtDomain { .. } | Self::AtCompany { .. } => "name_and_company_match",
        }
    }
}

/// Finds contacts by what they are recognized by.
#[derive(Default)]
pub(super) struct Index(HashMap<MatchKey, BTreeSet<String>>);

impl Index {
    pub(super) fn insert(&mut self, contact: &Contact) {
        for key in MatchKey::of(contact) {
            self.0.entry(key).or_default().insert(contact.id.clone());
        }
    }

    pub(super) fn remove(&mut self, contact: &Contact) {
        for key in MatchKey::of(contact) {
            if let Some(ids) = self.0.get_mut(&key) {
                ids.remove(&contact.id);
                if ids.is_empty() {
                    self.0.remove(&key);
                }
            }
        }
    }

    /// Returns the oldest contact that `draft` would duplicate, and by what: the first key that hits wins.
    pub(super) fn find(&self, draft: &Contact) -> Option<(String, MatchKey)> {
        MatchKey::of(draft).into_iter().find_map(|key| Some((self.0.get(&key)?.first()?.clone(), key)))
    }
}

/// Folds text for comparison: NFC, lower case, single spaces.
pub(super) fn fold(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Reports whether `email` is at a public provider.
pub(super) fn is_free(email: &str) -> bool {
    is_public(&domain(email))
}

fn is_public(domain: &str) -> bool {
    PUBLIC_DOMAINS.contains(&domain)
}

fn mailbox(email: &str) -> String {
    let email = fold(email);
    match email.rsplit_once('@') {
        Some((local, domain)) => match local.split_once('+') {
            Some((base, _)) if !base.is_empty() => format!("{base}@{domain}"),
            _ => email,
        },
        None => email,
    }
}

fn domain(email: &str) -> String {
    fold(email.rsplit_once('@').map_or("", |(_, domain)| domain))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;

    fn contact(id: &str, name: [&str; 2], email: &str, company: &str) -> Contact {
        let mut contact = Contact::new(id.to_owned(), Timestamp(0));
        let fields = [Text::FirstName, Text::LastName, Text::Email, Text::OrganizationName];
        let texts = fields.into_iter().zip([name[0], name[1], email, company]).filter(|(_, text)| !text.is_empty());
        contact.texts.extend(texts.map(|(field, text)| (field, text.to_owned())));
        contact
    }

    #[track_caller]
    fn check(stored: &Contact, draft: &Contact, reason: Option<&str>) {
        let mut index = Index::default();
        index.insert(stored);
        assert_eq!(index.find(draft).map(|(_, key)| key.reason()), reason);
        index.remove(stored);
        assert!(index.0.is_empty());
    }

    const ADA: [&str; 2] = ["Ada", "Quill"];

    #[test]
    fn case_and_plus_tag_do_not_make_another_email() {
        let stored = contact("1", ["", ""], "Ada+Old@Example.com", "");
        check(&stored, &contact("2", ["", ""], "ada+new@example.com", ""), Some("email_match"));
        check(&stored, &contact("2", ["", ""], "ada.new@example.com", ""), None);
    }

    #[test]
    fn a_name_matches_at_one_company_whichever_way_the_company_is_known() {
        let by_name = Some("name_and_company_match");
        let stored = contact("1", ADA, "ada@example.com", "Example  Corp");
        check(&stored, &contact("2", ["ADA", "quill"], "", "example corp"), by_name);
        check(&stored, &contact("2", ADA, "other@example.com", ""), by_name);
        check(&stored, &contact("2", ADA, "ada@example.org", "Other"), None);
        check(&stored, &contact("2", ["Ada", ""], "", "Example Corp"), None);
    }

    #[test]
    fn a_public_mail_provider_is_no_company() {
        check(&contact("1", ADA, "ada@gmail.com", ""), &contact("2", ADA, "quill@gmail.com", ""), None);
    }

    #[test]
    fn an_additional_email_matches_like_the_primary() {
        let mut stored = contact("1", ["", ""], "ada@example.com", "");
        stored.additional_emails.push("quill@example.org".to_owned());
        check(&stored, &contact("2", ["", ""], "quill@example.org", ""), Some("email_match"));
    }
}
