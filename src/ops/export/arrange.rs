//! Which contacts of an account go into which file, by which key; pure.
//!
//! Whoever is declared already stays where it is declared. Nobody is put beside an entry that would be one with them.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Entry, Field, Fields, Identity, KeyMaker, Value};
use crate::ops::split::Split;
use crate::source::{Unfit, Written};

/// The files that are to be in a directory, by name.
pub(super) type Files = BTreeMap<PathBuf, Vec<Written>>;

/// An entry that is there, with the contact that it is.
#[derive(Debug, Clone)]
pub(super) struct There {
    pub(super) entry: Entry,
    pub(super) id: Option<ApolloId>,
    /// The file, below the directory.
    pub(super) name: PathBuf,
    /// Whether contactsd made the file, and nobody has edited it.
    pub(super) is_own: bool,
}

/// Why a contact is in no file, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Omission {
    /// An entry of a file of another hand is this contact.
    Declared(ContactKey),
    /// An entry that is bound to no contact has this e-mail.
    SharesEmail { id: ApolloId, key: ContactKey },
    /// A file cannot hold a value of it.
    Unfit { key: ContactKey, unfit: Unfit },
    /// It has more numbers of a kind than one, or values of a custom field in a form that is not known.
    More { key: ContactKey, field: Field },
}

/// Contacts in files.
#[derive(Debug, Default)]
pub(super) struct Arranged {
    pub(super) files: Files,
    pub(super) omitted: Vec<Omission>,
}

/// Arranges contacts; `one` is the file for those that nothing puts into another one.
pub(super) fn arrange(mut contacts: Vec<(Contact, Vec<String>)>, there: &[There], split: Split, one: &str) -> Arranged {
    // The same people get the same keys, whatever order they came in.
    contacts.sort_by(|(one, _), (other, _)| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
    let by_id: HashMap<&ApolloId, &There> =
        there.iter().filter_map(|there| Some((there.id.as_ref()?, there))).collect();
    let unbound = there.iter().filter(|there| there.id.is_none());
    let by_mailbox: HashMap<String, &There> =
        unbound.filter_map(|there| Some((Identity::of(&there.entry.fields).mailbox()?, there))).collect();
    let mut maker = KeyMaker::sparing(there.iter().map(|there| there.entry.key().clone()));
    let mut arranged = Arranged::default();
    for (contact, lists) in contacts {
        let (fields, more) = fields_of(&contact, &lists);
        let (key, name) = match by_id.get(&contact.id) {
            Some(there) if there.is_own => (there.entry.key().clone(), there.name.clone()),
            Some(there) => {
                arranged.omitted.push(Omission::Declared(there.entry.key().clone()));
                continue;
            }
            None => {
                let beside = Identity::of(&fields).mailbox().and_then(|mailbox| by_mailbox.get(&mailbox));
                if let Some(there) = beside {
                    let key = there.entry.key().clone();
                    arranged.omitted.push(Omission::SharesEmail { id: contact.id, key });
                    continue;
                }
                let company = fields.text(&Field::OrganizationName);
                let name = split.file(one, company, lists.iter().min().map(String::as_str));
                (maker.make(&fields, contact.id.as_str()), name.into())
            }
        };
        let mut written = Written { fields, apollo_id: Some(contact.id), ..Written::of(key.clone()) };
        let unfit = written.fit().into_iter().map(|unfit| Omission::Unfit { key: key.clone(), unfit });
        arranged.omitted.extend(unfit);
        arranged.omitted.extend(more.into_iter().map(|field| Omission::More { key: key.clone(), field }));
        arranged.files.entry(name).or_default().push(written);
    }
    for contacts in arranged.files.values_mut() {
        contacts.sort_by(|one, other| one.key.cmp(&other.key));
    }
    arranged
}

/// Returns what a file says of a contact, and the fields of which it has more than a file can say.
///
/// The account that it belongs to is left out: Apollo sets it by the company.
pub(super) fn fields_of(contact: &Contact, lists: &[String]) -> (Fields, Vec<Field>) {
    let is_said = |(field, value): &(&Field, &Value)| !value.is_empty() && **field != Field::AccountId;
    let said = contact.readable.iter().filter(is_said);
    let mut fields: Fields = said.map(|(field, value)| (field.clone(), value.clone())).collect();
    let mut more: Vec<Field> = contact.in_other_form.iter().cloned().collect();
    for phone in &contact.phones {
        let number =
            if phone.raw.trim().is_empty() { phone.sanitized.as_deref().unwrap_or_default() } else { &phone.raw };
        let kind = phone.field();
        if fields.contains(&kind) {
            more.push(kind);
        } else {
            fields.set(kind, number);
        }
    }
    if !lists.is_empty() {
        fields.set(Field::LabelNames, Value::Lists(lists.iter().cloned().collect()));
    }
    more.dedup();
    (fields, more)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::model::{Place, Timestamp};

    fn id(number: u64) -> ApolloId {
        ApolloId::parse(&format!("{number:024x}")).unwrap()
    }

    fn contact(number: u64, fields: &[(Field, &str)]) -> (Contact, Vec<String>) {
        let readable = fields.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect();
        let contact = Contact { created_at: Some(Timestamp(number)), readable, ..Contact::bare(id(number)) };
        (contact, Vec::new())
    }

    fn there(key: &str, fields: &[(Field, &str)], id: Option<ApolloId>, is_own: bool) -> There {
        let place = Place { path: Arc::from(Path::new("contacts.d/a.yaml")), key: ContactKey::parse(key).unwrap() };
        let fields = fields.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect();
        let ignored = [].into();
        let entry = Entry { place, fields, run_dedupe: true, apollo_id: id.clone(), moved_from: None, ignored };
        There { entry, id, name: "a.yaml".into(), is_own }
    }

    fn lines(arranged: &Arranged) -> Vec<String> {
        let line = |(name, contacts): (&PathBuf, &Vec<Written>)| {
            let keys: Vec<&str> = contacts.iter().map(|contact| contact.key.as_str()).collect();
            format!("{}: {}", name.display(), keys.join(" "))
        };
        arranged.files.iter().map(line).collect()
    }

    #[test]
    fn who_is_declared_keeps_key_and_file_and_nobody_stands_beside_the_same_person() {
        let mail = |text| [(Field::Email, text)];
        let emails = [(4, "ada@x.example"), (3, "Cy@x.example"), (2, "bo@x.example"), (1, "ada@x.example")];
        let contacts = || emails.map(|(number, email)| contact(number, &mail(email))).to_vec();
        let entries = [
            there("ours", &[], Some(id(1)), true),
            there("theirs", &[], Some(id(2)), false),
            there("cy", &mail("cy+news@x.example"), None, false),
        ];
        let arranged = arrange(contacts(), &entries, Split::None, "apollo");
        assert_eq!(lines(&arranged), ["a.yaml: ours", "apollo.yaml: ada@x.example"]);
        let key = |key| ContactKey::parse(key).unwrap();
        assert_eq!(
            arranged.omitted,
            [Omission::Declared(key("theirs")), Omission::SharesEmail { id: id(3), key: key("cy") }]
        );
        let twins = arrange(contacts(), &[], Split::None, "apollo");
        assert_eq!(lines(&twins), ["apollo.yaml: ada@x.example ada@x.example-000004 bo@x.example cy@x.example"]);
    }

    #[test]
    fn contacts_are_spread_by_company_or_by_list() {
        let company = |text| [(Field::FirstName, "A"), (Field::OrganizationName, text)];
        let mut contacts: Vec<_> =
            [(1, "Ünion & Söhne, Ltd."), (2, ""), (3, "../etc")].map(|(n, text)| contact(n, &company(text))).into();
        contacts[1].1 = vec!["Zoo".to_owned(), "Leads 2026".to_owned()];
        let by = |split| lines(&arrange(contacts.clone(), &[], split, "apollo"));
        assert_eq!(
            by(Split::Company),
            ["etc.yaml: a_etc", "no-company.yaml: a", "ünion-söhne-ltd.yaml: a_union-sohne-ltd"]
        );
        assert_eq!(by(Split::List), ["leads-2026.yaml: a", "no-list.yaml: a_etc a_union-sohne-ltd"]);
    }

    #[test]
    fn a_second_number_of_a_kind_and_what_a_file_cannot_hold_are_named() {
        let (mut ada, lists) = contact(1, &[(Field::FirstName, "Ada"), (Field::Email, "ada at x"), (Field::Title, "")]);
        let phone = |raw: &str, kind: &str| crate::apollo::Phone {
            raw: raw.to_owned(),
            sanitized: Some("+12025550100".to_owned()),
            kind: Some(kind.to_owned()),
        };
        ada.phones =
            vec![phone("(202) 555-0100", "mobile"), phone("", "work_direct"), phone("1", "mobile"), phone("2", "fax")];
        let arranged = arrange(vec![(ada, lists)], &[], Split::None, "apollo");
        let key = ContactKey::parse("ada-at-x").unwrap();
        let why = "\"ada at x\" is not an e-mail address".to_owned();
        assert_eq!(
            arranged.omitted,
            [
                Omission::Unfit { key: key.clone(), unfit: Unfit { field: Field::Email, why } },
                Omission::More { key, field: Field::MobilePhone }
            ]
        );
        let said: Vec<String> =
            arranged.files[Path::new("apollo.yaml")][0].fields.iter().map(|(field, _)| field.to_string()).collect();
        assert_eq!(said, ["first_name", "direct_phone", "mobile_phone", "other_phone"]);
    }
}
