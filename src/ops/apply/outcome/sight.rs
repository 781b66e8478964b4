//! What a look before a create shows, and what follows from it.
//!
//! A name alone never identifies a person here, and contacts that belong to other keys never count as namesakes.

use crate::apollo::Contact;
use crate::model::{
    ApolloId, ConflictCause, ContactKey, Entry, Field, Fields, Fingerprint, Identity, fold_email, mailbox,
};
use crate::source;

use super::person::has_same_name;
use crate::ops::account::By;

/// What a look before a create shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nobody whom Apollo could match.
    Nobody,
    /// The one contact with the entry's e-mail.
    SamePerson(ApolloId),
    /// More than one contact with the entry's e-mail.
    Several(Vec<ApolloId>),
    /// Contacts whom Apollo could match, or who could be the entry; only a person can tell.
    Namesakes(Vec<ApolloId>),
    /// The contact with the entry's e-mail, which belongs to another key.
    Owned(ApolloId, ContactKey),
    /// The credential may not search.
    MayNotSearch,
}

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// The create goes out; `looked`, whether somebody looked first.
    Send { looked: bool },
    /// The contact is the entry's, and takes the place of what was to be sent.
    Adopt(ApolloId),
    /// Only a person can tell; `ends_doubt`, whether an earlier create of the entry made nothing for certain.
    Conflict { id: ApolloId, cause: ConflictCause, ends_doubt: bool },
    /// Nobody may look, and Apollo would not recognize the entry.
    NeedsAPerson,
}

impl Sight {
    /// Decides what follows; `declares` tells what another key declares now.
    pub(crate) fn next(self, entry: &Entry, declares: impl FnOnce(&ContactKey) -> Option<Fingerprint>) -> Next {
        let conflict = |ids: Vec<ApolloId>, cause: fn(Vec<ApolloId>) -> ConflictCause| Next::Conflict {
            id: ids[0].clone(),
            cause: cause(ids),
            ends_doubt: false,
        };
        match self {
            Self::Nobody => Next::Send { looked: true },
            Self::MayNotSearch if entry.dedupe_can_match() => Next::Send { looked: false },
            Self::MayNotSearch => Next::NeedsAPerson,
            Self::SamePerson(id) => Next::Adopt(id),
            Self::Several(ids) => conflict(ids, |ids| ConflictCause::Several { ids }),
            Self::Namesakes(ids) => conflict(ids, |ids| ConflictCause::Namesakes { ids }),
            Self::Owned(id, other) => {
                let other_fingerprint = declares(&other);
                Next::Conflict { id, cause: ConflictCause::Collision { other, other_fingerprint }, ends_doubt: true }
            }
        }
    }
}

/// A contact, and the key that it belongs to.
pub(crate) type Owned = (Contact, ContactKey);

/// Whom a look is for.
pub(crate) struct Wanted<'f> {
    fields: &'f Fields,
    identity: Identity,
    run_dedupe: bool,
    /// The names as they are searched for.
    pub(crate) names: String,
    /// The names as they are compared.
    folded: [String; 2],
}

impl<'f> Wanted<'f> {
    pub(crate) fn of(fields: &'f Fields, run_dedupe: bool) -> Self {
        let folded = [Field::FirstName, Field::LastName].map(|name| fields.folded(&name));
        Self { fields, identity: Identity::of(fields), run_dedupe, names: names(fields), folded }
    }

    /// Returns what narrows a search for a common name: the company, or the domain of the e-mail.
    pub(crate) fn narrower(&self) -> &str {
        let company = self.fields.text(&Field::OrganizationName).map(str::trim).filter(|company| !company.is_empty());
        company.or_else(|| self.domain()).unwrap_or_default()
    }

    /// Returns the domain of the e-mail, where it stands for a company.
    fn domain(&self) -> Option<&str> {
        self.identity.domain().filter(|domain| !source::is_public_mail(domain))
    }

    /// Lists by what somebody of the account could be the entry, its names considered.
    pub(crate) fn marks(&self) -> Vec<By<'_>> {
        let [first, last] = [&self.folded[0][..], &self.folded[1][..]];
        let company = self.identity.company.as_deref().map(|company| By::NameAtCompany(first, last, company));
        let domain = self.domain().map(|domain| By::NameAtDomain(first, last, domain));
        company.into_iter().chain(domain).collect()
    }

    /// Reports whether a look by name tells more than one by e-mail.
    pub(crate) fn looks_by_name(&self) -> bool {
        (self.run_dedupe || self.identity.email.is_none()) && !self.names.is_empty()
    }

    /// Reports whether a row without an e-mail could be the entry: its names do not speak against it.
    pub(crate) fn may_be(&self, contact: &Contact) -> bool {
        let agrees = |field: &Field| {
            let (wanted, shown) = (self.fields.folded(field), contact.readable.folded(field));
            wanted.is_empty() || shown.is_empty() || shown == wanted
        };
        self.run_dedupe || [Field::FirstName, Field::LastName].iter().all(agrees)
    }

    /// Reports whether a row without an e-mail is one that Apollo would match if its e-mail had the entry's domain.
    pub(crate) fn may_be_at_domain(&self, contact: &Contact) -> bool {
        self.domain().is_some() && has_same_name(self.fields, contact) && !self.is_namesake(contact)
    }

    /// Judges free contacts that a search for the e-mail found.
    pub(crate) fn by_email(&self, free: &[Contact]) -> Sight {
        let Some(email) = &self.identity.email else { return Sight::Nobody };
        let same: Vec<&Contact> = free.iter().filter(|contact| contact.has_email(email)).collect();
        if !self.run_dedupe {
            return namesakes(same.into_iter().filter(|contact| has_same_name(self.fields, contact)));
        }
        match same.as_slice() {
            [] => {
                let bare = mailbox(email);
                let in_mailbox =
                    |contact: &&Contact| contact.emails.iter().any(|shown| mailbox(&fold_email(shown)) == bare);
                namesakes(free.iter().filter(in_mailbox))
            }
            [one] => Sight::SamePerson(one.id.clone()),
            several => Sight::Several(several.iter().map(|contact| contact.id.clone()).collect()),
        }
    }

    /// Lists the contacts of other keys that have the very e-mail, by which Apollo would match the entry to them.
    pub(crate) fn taken<'o>(&self, owned: &'o [Owned]) -> impl Iterator<Item = &'o Owned> {
        let email = self.identity.email.as_ref().filter(|_| self.run_dedupe);
        owned.iter().filter(move |(contact, _)| email.is_some_and(|email| contact.has_email(email)))
    }

    /// Reports whether Apollo could match a contact by its name, or nothing but a name is there to tell it apart.
    ///
    /// Apollo judges a company by its name or by the e-mail's domain.
    pub(crate) fn is_namesake(&self, contact: &Contact) -> bool {
        let is_at = |domain: &str| {
            let end = format!("@{domain}");
            contact.emails.iter().any(|email| fold_email(email).ends_with(&end))
        };
        let Identity { company, .. } = &self.identity;
        let is_colleague = || {
            let shown = contact.readable.folded(&Field::OrganizationName);
            company.as_ref().is_some_and(|company| *company == shown) || self.domain().is_some_and(is_at)
        };
        let has_name_alone = company.is_none() && self.identity.domain().is_none();
        has_same_name(self.fields, contact) && (has_name_alone || is_colleague())
    }
}

/// Reports whether a row leaves out whether there is an e-mail, instead of showing none.
pub(crate) fn hides_email(contact: &Contact) -> bool {
    !contact.readable.contains(&Field::Email)
}

pub(crate) fn namesakes<'a>(contacts: impl Iterator<Item = &'a Contact>) -> Sight {
    let ids: Vec<ApolloId> = contacts.map(|contact| contact.id.clone()).collect();
    if ids.is_empty() { Sight::Nobody } else { Sight::Namesakes(ids) }
}

/// Returns what to search for to find the contact of `fields` again: the e-mail, and the names.
pub(crate) fn keywords(fields: &Fields) -> Vec<String> {
    let email = fields.text(&Field::Email).map(|email| email.trim().to_owned());
    email.into_iter().chain([names(fields)]).filter(|keywords| !keywords.is_empty()).collect()
}

fn names(fields: &Fields) -> String {
    let names = [Field::FirstName, Field::LastName];
    let names = names.iter().filter_map(|name| fields.text(name)).map(str::trim).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(" ")
}
