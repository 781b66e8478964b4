//! Who a contact is, judged by the fields that it shows.

use crate::apollo::Contact;
use crate::model::{Entry, Field, Fields, Identity, MatchedBy, Texts, Timestamp, Value, fold_text};

use super::confirm::{self, CUT_FROM, Deviation, DeviationKind};

/// Returns how the answer to a create shows that the contact was there before; `None` when it was made.
///
/// `earliest` is the earliest creation time of a contact that our request made, by the server's clock.
pub(crate) fn matched(contact: &Contact, earliest: Timestamp) -> Option<MatchedBy> {
    if let Some(dedupe) = contact.dedupe.as_ref().filter(|dedupe| dedupe.found_existing) {
        return Some(MatchedBy::DedupeResult(dedupe.match_reason.clone()));
    }
    if contact.was_existing == Some(true) {
        return Some(MatchedBy::WasExisting);
    }
    is_older(contact, earliest).then_some(MatchedBy::CreationTime)
}

/// Reports whether the answer to a create shows other values than were sent, as one that Apollo matched would.
///
/// The time of creation cannot tell a contact that somebody made seconds before from ours, and the server's
/// word may be missing. A new contact shows other values too, where Apollo normalizes them.
pub(crate) fn may_be_matched(entry: &Entry, contact: &Contact) -> bool {
    entry.dedupe_can_match() && shows_other_values(&entry.fields, contact)
}

/// Reports whether a contact shows other values than were sent, beside those that Apollo says it did not accept.
pub(crate) fn shows_other_values(sent: &Fields, contact: &Contact) -> bool {
    let unexplained = |deviation: &Deviation| !matches!(deviation.kind, DeviationKind::Dropped(Some(_)));
    confirm::deviations(sent, &Fields::default(), contact).iter().any(unexplained)
}

/// Reports whether a matched contact is somebody else than was declared.
///
/// It is when it shows e-mails and none is the declared one, or when none is declared and it shows another name.
pub(crate) fn is_stranger(declared: &Fields, contact: &Contact) -> bool {
    match Identity::of(declared).email {
        Some(email) => !contact.emails.is_empty() && !contact.has_email(&email),
        None => [Field::FirstName, Field::LastName].iter().any(|field| {
            let declared = declared.text(field).map(fold_text).filter(|name| !name.is_empty());
            let shown = contact.readable.text(field).map(fold_text);
            declared.is_some_and(|declared| shown.is_some_and(|shown| shown != declared))
        }),
    }
}

/// Reports whether a contact was there before a request that made one no earlier than `earliest`, by the server's clock.
///
/// One that does not tell its age is taken for such a contact: nothing proves that the request made it.
pub(crate) fn is_older(contact: &Contact, earliest: Timestamp) -> bool {
    contact.created_at.is_none_or(|created| created < earliest)
}

/// Reports whether an entry no longer declares the person that a create was sent for, as a look-up tells people apart.
pub(crate) fn is_withdrawn(sent: &Fields, declared: &Fields) -> bool {
    if let Some(email) = Identity::of(sent).email {
        return Identity::of(declared).email != Some(email);
    }
    [Field::FirstName, Field::LastName, Field::OrganizationName].iter().any(|field| {
        let sent = sent.folded(field);
        !sent.is_empty() && declared.folded(field) != sent
    })
}

/// Reports whether a contact that a create in doubt leads to, and did not make, is somebody else than is declared now.
///
/// Whom only what was sent describes, and not the entry any more, is not taken on trust where it shows little.
pub(crate) fn is_somebody_else_now(sent: &Fields, declared: &Fields, contact: &Contact) -> bool {
    is_stranger(declared, contact) || (is_withdrawn(sent, declared) && !is_person(declared, contact))
}

/// Reports whether a contact found by a search is exactly who `wanted` describes.
///
/// By e-mail where one is wanted; else by first and last name, and by company where one is wanted.
pub(crate) fn is_person(wanted: &Fields, contact: &Contact) -> bool {
    if let Some(email) = Identity::of(wanted).email {
        return contact.has_email(&email);
    }
    let names = [Field::FirstName, Field::LastName, Field::OrganizationName];
    let is_wanted = |field: &Field| !wanted.folded(field).is_empty();
    let agrees = |field: &Field| wanted.folded(field) == contact.readable.folded(field);
    names[..2].iter().any(is_wanted) && names.iter().filter(|field| is_wanted(field)).all(agrees)
}

/// Reports whether a contact is who a create of `sent` is for, as far as that can be told.
///
/// Many may share a mailbox that is never matched: there the name counts as well.
pub(crate) fn is_like(sent: &Fields, run_dedupe: bool, contact: &Contact) -> bool {
    is_person(sent, contact) && (run_dedupe || has_same_name(sent, contact))
}

/// Reports whether both names are the same; one that is not declared must not be shown either.
pub(crate) fn has_same_name(wanted: &Fields, contact: &Contact) -> bool {
    let is_same = |field: &Field| wanted.folded(field) == contact.readable.folded(field);
    [Field::FirstName, Field::LastName].iter().all(is_same)
}

/// Reports whether a contact could be the one that a create of `sent` made: every sent field that it shows agrees, and it shows
/// nothing that tells people apart and was not sent.
///
/// What is empty is not shown. Something that tells people apart must be shown, or nothing has been said.
pub(crate) fn agrees(sent: &Fields, contact: &Contact) -> bool {
    if shows_unsent(sent, contact) {
        return false;
    }
    let mut tells = false;
    for (field, value) in sent.iter() {
        let Value::Text(text) = value else { continue };
        if text.trim().is_empty() || field.is_phone() || *field == Field::WebsiteUrl {
            continue;
        }
        let agrees = if *field == Field::Email {
            if contact.emails.is_empty() {
                continue;
            }
            contact.has_email(text)
        } else {
            let Some(shown) = contact.readable.text(field).filter(|shown| !shown.trim().is_empty()) else { continue };
            is_same_text(text, shown)
        };
        if !agrees {
            return false;
        }
        tells |= matches!(field, Field::Email | Field::FirstName | Field::LastName);
    }
    tells
}

/// Reports whether a contact shows an e-mail or a name that was not sent, or, where no e-mail tells who it is, a company or a
/// title: somebody else has written them.
fn shows_unsent(sent: &Fields, contact: &Contact) -> bool {
    let shows = |field: &Field| contact.readable.says(field) && !sent.says(field);
    let has_email = sent.says(&Field::Email) && !contact.emails.is_empty();
    let is_unsent = |fields: &[Field]| fields.iter().any(shows);
    (!sent.says(&Field::Email) && !contact.emails.is_empty())
        || is_unsent(&[Field::FirstName, Field::LastName])
        || (!has_email && is_unsent(&[Field::OrganizationName, Field::Title]))
}

/// Reports whether a contact, seen in full, has the e-mail that was sent, if one was.
pub(crate) fn has_sent_email(sent: &Fields, contact: &Contact) -> bool {
    sent.text(&Field::Email).filter(|email| !email.trim().is_empty()).is_none_or(|email| contact.has_email(email))
}

fn is_same_text(sent: &str, shown: &str) -> bool {
    let (sent, shown) = (fold_text(sent), fold_text(shown));
    sent == shown || (shown.chars().count() >= CUT_FROM && sent.starts_with(&shown))
}
