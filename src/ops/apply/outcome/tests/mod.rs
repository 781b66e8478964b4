//! Tables of what answers mean.

mod binding;
mod change;
mod confirm;
mod create;
mod lists;
mod person;
mod settled;
mod sight;

use std::path::Path;

use crate::apollo::Contact;
use crate::model::{ApolloId, ContactKey, Entry, Field, Fields, Intent, Place, RunId, Timestamp, Value};

fn fields(pairs: &[(Field, &str)]) -> Fields {
    pairs.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect()
}

fn id(number: u8) -> ApolloId {
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

/// A contact made at 10 s that shows these fields and e-mails.
fn answer(readable: &[(Field, &str)], emails: &[&str]) -> Contact {
    Contact {
        created_at: Some(Timestamp(10_000)),
        emails: emails.iter().map(|&email| email.to_owned()).collect(),
        readable: fields(readable),
        ..Contact::bare(id(10))
    }
}

fn entry(pairs: &[(Field, &str)]) -> Entry {
    let place = Place { path: Path::new("contacts.d/ada.yaml").into(), key: ContactKey::parse("ada").unwrap() };
    Entry { place, fields: fields(pairs), run_dedupe: true, apollo_id: None, moved_from: None, ignored: [].into() }
}

/// A create of these fields that was sent once.
fn sent(pairs: &[(Field, &str)]) -> Intent {
    Intent {
        fields: fields(pairs),
        run: RunId("run".to_owned()),
        first_sent_at: Timestamp(5_000),
        last_sent_at: Timestamp(5_000),
        path: "contacts.d/ada.yaml".to_owned(),
        ..Intent::bare(ContactKey::parse("ada").unwrap())
    }
}

const ADA: [(Field, &str); 3] =
    [(Field::FirstName, "Ada"), (Field::LastName, "Byron"), (Field::Email, "ada@example.com")];
const NAMES: [(Field, &str); 2] = [(Field::FirstName, "Ada"), (Field::LastName, "Byron")];
const EVE: [(Field, &str); 3] =
    [(Field::FirstName, "Eve"), (Field::LastName, "Moneypenny"), (Field::Email, "eve@example.com")];
