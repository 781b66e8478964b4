//! What an answer proves about a contact.
//!
//! Pure. Only what was confirmed may be recorded as applied, so everything here errs towards "pending".

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::apollo::Contact;
use crate::model::{Entry, Field, Fields, Identity, MatchedBy, Timestamp, Value, fold_email, fold_text};

/// A field that Apollo holds otherwise than it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    pub field: Field,
    pub kind: DeviationKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviationKind {
    /// Apollo holds nothing where something was sent; its complaint, if it made one.
    Dropped(Option<String>),
    /// Apollo holds what stood there before, or something where it was to be cleared.
    Kept(Value),
    /// Apollo holds another form of it.
    Normalized(Value),
    /// Apollo holds the e-mail beside this one, which comes first there.
    SecondAddress(Value),
}

impl DeviationKind {
    /// Reports whether sending the value once more may yet make it stand.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        matches!(self, Self::Dropped(None) | Self::Kept(_))
    }
}

/// Returns the declared fields as the answer shows them; what it does not show is left out.
pub(crate) fn observed(declared: &Fields, contact: &Contact) -> Fields {
    let is_held = |email: &str| contact.emails.iter().any(|shown| fold_email(shown) == fold_email(email));
    let shown = |field: &Field, value: &Value| match (field, value) {
        // A second address stands as well as the first.
        (Field::Email, Value::Text(email)) if !email.is_empty() && is_held(email) => {
            let first = contact.readable.text(field).is_some_and(|shown| fold_email(shown) == fold_email(email));
            if first { contact.readable.get(field).cloned() } else { Some(value.clone()) }
        }
        (Field::LabelNames, Value::Lists(lists)) => {
            let names = contact.label_names.as_ref()?;
            let holds = |list: &&String| names.iter().any(|name| fold_text(name) == fold_text(list));
            Some(Value::Lists(lists.iter().filter(holds).cloned().collect()))
        }
        (field, Value::Text(number)) if field.is_phone() => {
            contact.shows_phone(number).then(|| Value::Text(number.clone()))
        }
        (field, _) => contact.readable.get(field).cloned(),
    };
    declared.iter().filter_map(|(field, value)| Some((field.clone(), shown(field, value)?))).collect()
}

/// Lists the fields of `sent` that the answer shows otherwise.
///
/// `before` is what Apollo was known to hold before; empty where that is not known.
pub(crate) fn deviations(sent: &Fields, before: &Fields, contact: &Contact) -> Vec<Deviation> {
    let shown = observed(sent, contact);
    let stands_still = |field: &Field, value: &Value| match before.get(field) {
        // A cleared or replaced number is still among those that the answer shows.
        Some(Value::Text(number)) if field.is_phone() => {
            let replaced = Value::Text(number.clone()) != *value && !shown.contains(field);
            (replaced && contact.shows_phone(number)).then(|| Value::Text(number.clone()))
        }
        Some(before) => {
            let held = shown.get(field).filter(|shown| *shown == before && *shown != value);
            // A text that was cut off, or kept in another form, is so again.
            held.filter(|held| !is_cut_off(value, held) && !is_other_form(field, value, held)).cloned()
        }
        None => None,
    };
    let complaint = |field: &Field| match field {
        Field::Custom(id) => {
            let of_field = contact.custom_field_errors.iter().find(|(at, _)| at == id.as_str());
            of_field.map(|(_, complaint)| complaint.clone())
        }
        _ => None,
    };
    let texts = sent.iter().filter(|(field, _)| **field != Field::LabelNames);
    texts
        .filter_map(|(field, value)| {
            let complaint = complaint(field);
            let kind = match shown.get(field) {
                _ if complaint.is_some() => DeviationKind::Dropped(complaint),
                Some(shown) if shown.is_empty() && !value.is_empty() => DeviationKind::Dropped(None),
                Some(shown) if value.is_empty() && !shown.is_empty() => DeviationKind::Kept(shown.clone()),
                Some(_) if *field == Field::Email && !value.is_empty() && is_second_address(value, contact) => {
                    DeviationKind::SecondAddress(contact.readable.get(field)?.clone())
                }
                _ if stands_still(field, value).is_some() => DeviationKind::Kept(stands_still(field, value)?),
                Some(shown) if shown != value => DeviationKind::Normalized(shown.clone()),
                // A custom field that the answer does not hold was ignored, as wrong ids are.
                None if is_missing(field, contact) && !value.is_empty() => DeviationKind::Dropped(None),
                _ => return None,
            };
            Some(Deviation { field: field.clone(), kind })
        })
        .collect()
}

/// Lists the fields of `sent` that an answer leaves unconfirmed, so that sending them once more may yet make them stand.
///
/// An answer that complains of something confirms only what it shows.
pub(crate) fn unconfirmed(sent: &Fields, deviations: &[Deviation], contact: &Contact) -> BTreeSet<Field> {
    let found = deviations.iter().filter(|deviation| deviation.kind.is_unconfirmed());
    let mut fields: BTreeSet<Field> = found.map(|deviation| deviation.field.clone()).collect();
    if contact.complaint.is_some() {
        let shown = observed(sent, contact);
        let unshown = sent.iter().filter(|(field, _)| **field != Field::LabelNames && !shown.contains(field));
        fields.extend(unshown.map(|(field, _)| field.clone()));
    }
    fields
}

/// Reports whether a custom field is not in the answer at all; one in a form that no one text stands for is.
fn is_missing(field: &Field, contact: &Contact) -> bool {
    matches!(field, Field::Custom(_)) && !contact.in_other_form.contains(field)
}

/// Reports whether the contact has the e-mail, and another one before it.
pub(crate) fn is_second_address(email: &Value, contact: &Contact) -> bool {
    let (Value::Text(email), Some(first)) = (email, contact.readable.text(&Field::Email)) else { return false };
    let is = |shown: &str| fold_email(shown) == fold_email(email);
    !first.trim().is_empty() && !is(first) && contact.emails.iter().any(|shown| is(shown))
}

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
    deviations(sent, &Fields::default(), contact).iter().any(unexplained)
}

/// Reports whether a matched contact is somebody else than was declared.
///
/// It is when it shows e-mails and none is the declared one, or when none is declared and it shows another name.
pub(crate) fn is_stranger(declared: &Fields, contact: &Contact) -> bool {
    match Identity::of(declared).email {
        Some(email) => !contact.emails.is_empty() && !contact.emails.iter().any(|shown| fold_email(shown) == email),
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
        let sent = sent.text(field).map(fold_text).filter(|name| !name.is_empty());
        sent.is_some_and(|sent| declared.text(field).map(fold_text) != Some(sent))
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
    let identity = Identity::of(wanted);
    if let Some(email) = identity.email {
        return contact.emails.iter().any(|shown| fold_email(shown) == email);
    }
    let names = [Field::FirstName, Field::LastName, Field::OrganizationName];
    let mut wanted_names = names.iter().filter_map(|field| {
        let name = wanted.text(field).map(fold_text).filter(|name| !name.is_empty())?;
        Some((field, name))
    });
    let has_name = names[..2].iter().any(|field| wanted.text(field).is_some_and(|name| !name.trim().is_empty()));
    has_name && wanted_names.all(|(field, name)| contact.readable.text(field).map(fold_text) == Some(name))
}

/// Reports whether a contact is who a create of `sent` is for, as far as that can be told.
///
/// Many may share a mailbox that is never matched: there the name counts as well.
pub(crate) fn is_like(sent: &Fields, run_dedupe: bool, contact: &Contact) -> bool {
    let same_name = |field: &Field| {
        let shown = contact.readable.text(field).map(fold_text).unwrap_or_default();
        sent.text(field).map(fold_text).unwrap_or_default() == shown
    };
    is_person(sent, contact) && (run_dedupe || [Field::FirstName, Field::LastName].iter().all(same_name))
}

/// Reports whether a contact could be the one that a create of `sent` made: every sent field that it shows agrees.
///
/// What is empty is not shown. Something that tells people apart must be shown, or nothing has been said.
pub(crate) fn agrees(sent: &Fields, contact: &Contact) -> bool {
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
            contact.emails.iter().any(|shown| fold_email(shown) == fold_email(text))
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

/// Reports whether Apollo keeps the beginning of a text.
fn is_cut_off(sent: &Value, held: &Value) -> bool {
    let (Value::Text(sent), Value::Text(held)) = (sent, held) else { return false };
    held.chars().count() >= CUT_FROM && sent.starts_with(held.as_str())
}

/// Reports whether two texts are one in two forms, that differ in more than the case of letters.
fn is_other_form(field: &Field, sent: &Value, held: &Value) -> bool {
    let (Value::Text(sent), Value::Text(held)) = (sent, held) else { return false };
    let fold = if *field == Field::Email { fold_email } else { fold_text };
    fold(sent) == fold(held) && sent.to_lowercase() != held.to_lowercase()
}

/// Length from which a text may have been cut off by Apollo, in characters.
///
/// Source: text fields are said to keep 120 characters (`docs/api-notes.md#custom-fields`).
const CUT_FROM: usize = 100;

fn is_same_text(sent: &str, shown: &str) -> bool {
    let (sent, shown) = (fold_text(sent), fold_text(shown));
    sent == shown || (shown.chars().count() >= CUT_FROM && sent.starts_with(&shown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApolloId, CustomFieldId};

    fn fields(pairs: &[(Field, &str)]) -> Fields {
        pairs.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect()
    }

    fn answer(readable: &[(Field, &str)], emails: &[&str]) -> Contact {
        Contact {
            id: ApolloId::parse("00000000000000000000000a").unwrap(),
            created_at: Some(Timestamp(10_000)),
            emails: emails.iter().map(|&email| email.to_owned()).collect(),
            readable: fields(readable),
            phones: Vec::new(),
            label_names: None,
            custom_field_errors: Vec::new(),
            dedupe: None,
            was_existing: None,
            label_ids: None,
            person_deleted: false,
            complaint: None,
            in_other_form: BTreeSet::new(),
        }
    }

    #[test]
    fn somebody_with_other_emails_is_a_stranger_and_somebody_without_is_not() {
        let ada = fields(&[(Field::Email, "Ada@example.com")]);
        assert!(is_stranger(&ada, &answer(&[], &["eve@example.com"])));
        assert!(!is_stranger(&ada, &answer(&[], &["old@example.com", "ada@EXAMPLE.com"])));
        assert!(!is_stranger(&ada, &answer(&[], &[])));
    }

    #[test]
    fn without_a_declared_email_the_name_decides() {
        let ada = fields(&[(Field::FirstName, "Ada"), (Field::LastName, "Byron")]);
        assert!(!is_stranger(&ada, &answer(&[(Field::FirstName, "ADA"), (Field::LastName, "byron")], &[])));
        assert!(is_stranger(&ada, &answer(&[(Field::FirstName, "Ada"), (Field::LastName, "Ross")], &[])));
    }

    #[test]
    fn who_was_sent_is_withdrawn_when_a_look_up_for_it_would_no_longer_find_the_entry() {
        let mail = |mail: &str| fields(&[(Field::Email, mail), (Field::FirstName, "Bob")]);
        let stone = fields(&[(Field::FirstName, "Bob"), (Field::LastName, "Stone")]);
        assert!(!is_withdrawn(&mail("Bob@example.com"), &mail("bob@EXAMPLE.com")));
        assert!(is_withdrawn(&mail("bob+x@example.com"), &mail("bob@example.com")));
        assert!(is_withdrawn(&mail("bob@example.com"), &stone), "what was searched for is not declared");
        let company = |name: &str| {
            fields(&[(Field::FirstName, "BOB"), (Field::LastName, "stone"), (Field::OrganizationName, name)])
        };
        assert!(!is_withdrawn(&stone, &company("Example")), "more is declared of the same person");
        assert!(is_withdrawn(&company("Example"), &company("Other")));
        assert!(is_withdrawn(&company("Example"), &stone));
    }

    #[test]
    fn a_contact_found_by_what_is_withdrawn_is_only_who_the_entry_names_too() {
        let rob = fields(&[(Field::FirstName, "Rob"), (Field::LastName, "Other")]);
        let bob = fields(&[(Field::FirstName, "Bob"), (Field::LastName, "Stone"), (Field::Email, "bob@example.com")]);
        let shown = [(Field::FirstName, "Rob"), (Field::LastName, "Other")];
        assert!(is_somebody_else_now(&rob, &bob, &answer(&shown, &[])), "no e-mail shown says nothing here");
        assert!(is_somebody_else_now(&rob, &rob, &answer(&[(Field::FirstName, "Bob")], &[])));
        assert!(!is_somebody_else_now(&rob, &rob, &answer(&shown, &["rob@other.example"])));
        assert!(!is_somebody_else_now(&rob, &bob, &answer(&shown, &["rob@other.example", "BOB@example.com"])));
    }

    #[test]
    fn a_contact_older_than_the_attempt_was_matched() {
        let contact = answer(&[], &[]);
        assert_eq!(matched(&contact, Timestamp(10_000)), None);
        assert_eq!(matched(&contact, Timestamp(10_001)), Some(MatchedBy::CreationTime));
        assert!(matched(&Contact { created_at: None, ..contact }, Timestamp(0)).is_some());
    }

    #[test]
    fn a_dropped_value_is_told_from_one_in_another_form() {
        let custom = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
        let sent = fields(&[
            (Field::Title, "CTO"),
            (Field::Email, "ada@example"),
            (Field::OrganizationName, "acme"),
            (Field::WebsiteUrl, "https://example.com"),
            (custom.clone(), "7"),
        ]);
        let shown = [(Field::Title, "CTO"), (Field::Email, ""), (Field::OrganizationName, "Acme Inc")];
        let found = deviations(&sent, &Fields::default(), &answer(&shown, &[]));
        let expected = [
            (Field::OrganizationName, DeviationKind::Normalized("Acme Inc".into())),
            (Field::Email, DeviationKind::Dropped(None)),
            (custom, DeviationKind::Dropped(None)),
        ];
        assert_eq!(found, expected.map(|(field, kind)| Deviation { field, kind }));
    }

    #[test]
    fn what_the_answer_does_not_show_is_not_observed() {
        let declared = fields(&[(Field::WebsiteUrl, "https://example.com"), (Field::HomePhone, "555-0100")]);
        assert!(observed(&declared, &answer(&[], &[])).is_empty());
    }

    #[test]
    fn a_search_hit_counts_only_when_it_is_exactly_the_person() {
        let by_mail = fields(&[(Field::Email, "ada@example.com"), (Field::FirstName, "Ada")]);
        assert!(is_person(&by_mail, &answer(&[], &["ADA@example.com"])));
        assert!(!is_person(&by_mail, &answer(&[(Field::FirstName, "Ada")], &["ada.b@example.com"])));
        let by_name = fields(&[(Field::FirstName, "Ada"), (Field::OrganizationName, "Engines")]);
        let engines = [(Field::FirstName, "Ada"), (Field::OrganizationName, "engines")];
        assert!(is_person(&by_name, &answer(&engines, &[])));
        assert!(!is_person(&by_name, &answer(&engines[..1], &[])));
        assert!(!is_person(&fields(&[(Field::Title, "CTO")]), &answer(&[(Field::Title, "CTO")], &[])));
    }
}
