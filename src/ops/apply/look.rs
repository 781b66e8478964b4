//! Looks whether Apollo has somebody like an entry before a create is sent for it.
//!
//! Only looks: what it finds is for the caller to bind, or for a person to decide. A name never stands for a person
//! here, and contacts that other keys own are nobody's namesakes. Finding nobody proves nothing, since searches lag
//! and do not match all that Apollo's own deduplication does.

use std::collections::{BTreeMap, BTreeSet};

use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Endpoint, Field, Fields, Identity, fold_email, fold_text, mailbox};
use crate::source;

use super::courier::{Failure, Look, Reply};
use super::performer::{Performer, Trouble};
use crate::ops::problem;

/// The most pages of search results looked through for one person; a page holds 100.
const MAX_PAGES: u32 = 5;

/// The most rows without an e-mail that are viewed to learn theirs.
const MAX_VIEWS: usize = 5;

/// What a look before a create shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sight {
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

/// What a search for one person brought.
pub(super) struct Found {
    pub(super) contacts: Vec<Contact>,
    /// Whether there were more results than are looked through, so that none found proves nothing.
    pub(super) cut: bool,
}

impl Performer<'_> {
    /// Looks for whom Apollo would match to a create of `fields`, or who could be its contact already.
    pub(super) async fn look_before(&self, fields: &Fields, run_dedupe: bool) -> Result<Sight, Trouble> {
        match self.sight(fields, run_dedupe).await {
            Ok(sight) => sight,
            Err(failure) if self.may_not_search(&failure) => Ok(Sight::MayNotSearch),
            Err(failure) => Err(self.trouble(Endpoint::SearchContacts, failure)),
        }
    }

    /// Reports whether a search failed because the credential may not search at all.
    pub(super) fn may_not_search(&self, failure: &Failure) -> bool {
        let only_searches = || !self.session.courier().is_barred(Endpoint::CreateContact);
        match failure {
            Failure::Refused(_) | Failure::Barred => {
                self.session.courier().is_barred(Endpoint::SearchContacts) && only_searches()
            }
            _ => false,
        }
    }

    async fn sight(&self, fields: &Fields, run_dedupe: bool) -> Result<Result<Sight, Trouble>, Failure> {
        let wanted = Wanted::of(fields, run_dedupe);
        if let Some(email) = fields.text(&Field::Email).map(str::trim).filter(|email| !email.is_empty()) {
            let mut found = self.search(email).await?;
            let bare = mailbox(email);
            if run_dedupe && bare != email {
                // Apollo is said to match the mailbox without its tag as well.
                let more = self.search(&bare).await?;
                found.cut |= more.cut;
                found.contacts.extend(more.contacts);
            }
            if found.cut {
                return Ok(Err(Trouble::failed(problem::too_many_hits(self.place))));
            }
            let unseen = self.learn_emails(|contact| wanted.may_be(contact), &mut found.contacts).await?;
            let (free, owned) = match self.part_by_owner(found.contacts).await {
                Ok(parts) => parts,
                Err(trouble) => return Ok(Err(trouble)),
            };
            match wanted.by_email(&free) {
                Sight::Nobody => {}
                sight => return Ok(Ok(sight)),
            }
            // Found by the e-mail, and nobody knows whether it is theirs.
            match namesakes(free.iter().filter(|contact| unseen.contains(&contact.id))) {
                Sight::Nobody => {}
                sight => return Ok(Ok(sight)),
            }
            for (contact, owner) in wanted.taken(&owned) {
                if self.is_up_to_date(contact, owner).await {
                    return Ok(Ok(Sight::Owned(contact.id.clone(), owner.clone())));
                }
            }
        }
        if !wanted.looks_by_name() {
            return Ok(Ok(Sight::Nobody));
        }
        let mut found = self.search(&wanted.names).await?;
        if found.cut && !wanted.narrower.is_empty() {
            // Where the name is common, only those at the same company matter.
            found = self.search(&format!("{} {}", wanted.names, wanted.narrower)).await?;
        }
        if found.cut {
            return Ok(Err(Trouble::failed(problem::too_many_hits(self.place))));
        }
        let unseen = self.learn_emails(|contact| wanted.may_be_at_domain(contact), &mut found.contacts).await?;
        let free = match self.part_by_owner(found.contacts).await {
            Ok((free, _)) => free,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let is_namesake =
            |contact: &&Contact| wanted.is_namesake(contact) || (unseen.contains(&contact.id) && hides_email(contact));
        Ok(Ok(namesakes(free.iter().filter(is_namesake))))
    }

    /// Lists everybody who is like the entry, so that none of them is taken for what a create is about to make.
    pub(super) async fn everybody_like(&self, fields: &Fields) -> Result<Vec<ApolloId>, Trouble> {
        let mut ids = Vec::new();
        for keywords in keywords(fields) {
            match self.search(&keywords).await {
                Ok(found) => ids.extend(found.contacts.into_iter().map(|contact| contact.id)),
                Err(failure) if self.may_not_search(&failure) => return Ok(Vec::new()),
                Err(failure) => return Err(self.trouble(Endpoint::SearchContacts, failure)),
            }
        }
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// Reads what a search for `keywords` brings, each contact once.
    pub(super) async fn search(&self, keywords: &str) -> Result<Found, Failure> {
        let mut contacts: BTreeMap<ApolloId, Contact> = BTreeMap::new();
        let mut page = 1;
        loop {
            let look = Look::Search { keywords: keywords.to_owned(), page };
            let (Reply::Page(found), _) = self.session.look(&look).await? else {
                unreachable!("a search is answered with a page")
            };
            let was_last = found.is_last();
            contacts.extend(found.contacts.into_iter().map(|contact| (contact.id.clone(), contact)));
            if was_last || page == MAX_PAGES {
                return Ok(Found { contacts: contacts.into_values().collect(), cut: !was_last });
            }
            page += 1;
        }
    }

    /// Views rows that show no e-mail and for which it counts, since a search may leave e-mails out.
    ///
    /// Returns those whose e-mail nobody knows still: there were too many, or the view failed.
    async fn learn_emails(
        &self,
        counts: impl Fn(&Contact) -> bool,
        contacts: &mut [Contact],
    ) -> Result<BTreeSet<ApolloId>, Failure> {
        let mut unseen = BTreeSet::new();
        let unknown = contacts.iter_mut().filter(|contact| contact.emails.is_empty() && counts(contact));
        for (number, contact) in unknown.enumerate() {
            if number >= MAX_VIEWS {
                unseen.insert(contact.id.clone());
                continue;
            }
            match self.session.look(&Look::View(contact.id.clone())).await {
                Ok((Reply::Contact(seen), _)) if seen.id == contact.id => *contact = *seen,
                Ok(_) | Err(Failure::Refused(_) | Failure::Barred) => drop(unseen.insert(contact.id.clone())),
                Err(failure) => return Err(failure),
            }
        }
        Ok(unseen)
    }

    /// Parts contacts that are free from those that other keys own; those of the entry's own key count as free.
    #[expect(clippy::type_complexity, reason = "the two halves of one list")]
    async fn part_by_owner(
        &self,
        contacts: Vec<Contact>,
    ) -> Result<(Vec<Contact>, Vec<(Contact, ContactKey)>), Trouble> {
        let (mut free, mut taken) = (Vec::new(), Vec::new());
        for contact in contacts.into_iter().filter(|contact| !contact.person_deleted) {
            match self.owner(&contact.id).await?.filter(|owner| *owner != self.place.key) {
                Some(owner) => taken.push((contact, owner)),
                None => free.push(contact),
            }
        }
        Ok((free, taken))
    }

    /// Reports whether a row shows the e-mail that another key's contact was given last; a search may lag.
    async fn is_up_to_date(&self, row: &Contact, key: &ContactKey) -> bool {
        let binding = self.session.store().binding(key).await.ok().flatten();
        binding.is_some_and(|binding| {
            let given = binding.applied.text(&Field::Email).filter(|email| !email.is_empty());
            given.is_none_or(|given| row.emails.iter().any(|shown| fold_email(shown) == fold_email(given)))
        })
    }
}

/// Whom a look is for, folded once.
struct Wanted {
    identity: Identity,
    first_name: String,
    last_name: String,
    run_dedupe: bool,
    /// The names as they are searched for.
    names: String,
    /// What narrows a search for a common name: the company, or the domain of the e-mail.
    narrower: String,
}

impl Wanted {
    fn of(fields: &Fields, run_dedupe: bool) -> Self {
        let folded = |field: Field| fields.text(&field).map(fold_text).unwrap_or_default();
        let identity = Identity::of(fields);
        let company = fields.text(&Field::OrganizationName).map(str::trim).filter(|company| !company.is_empty());
        let domain = || identity.domain().filter(|domain| !source::is_public_mail(domain));
        Self {
            narrower: company.or_else(domain).unwrap_or_default().to_owned(),
            first_name: folded(Field::FirstName),
            last_name: folded(Field::LastName),
            run_dedupe,
            names: names(fields),
            identity,
        }
    }

    /// Reports whether a look by name tells more than one by e-mail.
    fn looks_by_name(&self) -> bool {
        (self.run_dedupe || self.identity.email.is_none()) && !self.names.is_empty()
    }

    /// Reports whether a row without an e-mail could be the entry: its names do not speak against it.
    fn may_be(&self, contact: &Contact) -> bool {
        let agrees = |field, wanted: &str| {
            let shown = contact.readable.text(&field).map(fold_text).unwrap_or_default();
            wanted.is_empty() || shown.is_empty() || shown == wanted
        };
        self.run_dedupe || (agrees(Field::FirstName, &self.first_name) && agrees(Field::LastName, &self.last_name))
    }

    /// Reports whether a row without an e-mail is one that Apollo would match if its e-mail had the entry's domain.
    fn may_be_at_domain(&self, contact: &Contact) -> bool {
        let domain = self.identity.domain().filter(|domain| !source::is_public_mail(domain));
        domain.is_some() && self.has_same_name(contact) && !self.is_namesake(contact)
    }

    /// Judges free contacts that a search for the e-mail found.
    fn by_email(&self, free: &[Contact]) -> Sight {
        let Some(email) = &self.identity.email else { return Sight::Nobody };
        let with_email = |contact: &&Contact| contact.emails.iter().any(|shown| fold_email(shown) == *email);
        let same: Vec<&Contact> = free.iter().filter(with_email).collect();
        if !self.run_dedupe {
            let by_name_too = same.into_iter().filter(|contact| self.has_same_name(contact));
            return namesakes(by_name_too);
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
    fn taken<'a>(&self, owned: &'a [(Contact, ContactKey)]) -> impl Iterator<Item = &'a (Contact, ContactKey)> {
        let email = self.identity.email.as_ref().filter(|_| self.run_dedupe);
        owned.iter().filter(move |(contact, _)| {
            email.is_some_and(|email| contact.emails.iter().any(|shown| fold_email(shown) == *email))
        })
    }

    /// Reports whether Apollo could match a contact by its name, or nothing but a name is there to tell it apart.
    ///
    /// Apollo judges a company by its name or by the e-mail's domain.
    fn is_namesake(&self, contact: &Contact) -> bool {
        if !self.has_same_name(contact) {
            return false;
        }
        let company = contact.readable.text(&Field::OrganizationName).map(fold_text).unwrap_or_default();
        match (&self.identity.company, self.identity.domain()) {
            (None, None) => true,
            (wanted, domain) => {
                let at_domain = |domain: &str| {
                    let mut domains = contact.emails.iter().map(|email| fold_email(email));
                    !source::is_public_mail(domain) && domains.any(|email| email.ends_with(&format!("@{domain}")))
                };
                wanted.as_ref().is_some_and(|wanted| *wanted == company) || domain.is_some_and(at_domain)
            }
        }
    }

    /// Reports whether both names are the same; one that is not declared must not be shown either.
    fn has_same_name(&self, contact: &Contact) -> bool {
        let shown = |field| contact.readable.text(&field).map(fold_text).unwrap_or_default();
        shown(Field::FirstName) == self.first_name && shown(Field::LastName) == self.last_name
    }
}

/// Reports whether a row leaves out whether there is an e-mail, instead of showing none.
fn hides_email(contact: &Contact) -> bool {
    !contact.readable.contains(&Field::Email)
}

fn namesakes<'a>(contacts: impl Iterator<Item = &'a Contact>) -> Sight {
    let ids: Vec<ApolloId> = contacts.map(|contact| contact.id.clone()).collect();
    if ids.is_empty() { Sight::Nobody } else { Sight::Namesakes(ids) }
}

/// Returns what to search for to find the contact of `fields` again: the e-mail, and the names.
pub(super) fn keywords(fields: &Fields) -> Vec<String> {
    let email = fields.text(&Field::Email).map(|email| email.trim().to_owned());
    email.into_iter().chain([names(fields)]).filter(|keywords| !keywords.is_empty()).collect()
}

fn names(fields: &Fields) -> String {
    let names = [Field::FirstName, Field::LastName];
    let names = names.iter().filter_map(|name| fields.text(name)).map(str::trim).filter(|name| !name.is_empty());
    names.collect::<Vec<_>>().join(" ")
}
