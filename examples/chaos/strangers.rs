//! Contacts that other people made in the account: namesakes and shared mailboxes, none of them an entry's.
//!
//! They were all made long ago. A contact that somebody else makes with the same values, in the minutes around our own
//! create, cannot be told apart from ours.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::people::{Kind, Person};
use super::wire::{self, Door};

const LONG_AGO: &str = "2024-01-02T03:04:05.006Z";

/// Enough to fill a page of a search.
const CROWD: usize = 130;

/// Everybody in the account who is no entry's, as they were when they came.
#[derive(Default)]
pub(super) struct Strangers(BTreeMap<String, Value>);

impl Strangers {
    /// Adds people like `person`; `finds_everybody`, whether a search shows all of them.
    pub(super) fn like(&mut self, person: &Person, finds_everybody: bool, random: &mut Rng, door: &Door) {
        let Person { number, first_name, last_name, email, company, .. } = person;
        let namesake = json!({"first_name": first_name, "last_name": last_name, "title": "Painter"});
        let stranger = json!({"first_name": format!("Eve{number}"), "last_name": "Stone", "title": "Painter"});
        // Whom Apollo would match and no search shows, nobody can protect.
        let is_protected = finds_everybody || !person.is_matched();
        let with = |mut contact: Value, field: &str, value: Value| {
            contact[field] = value;
            contact
        };
        let is_own_mail = person.kind == Kind::OwnMail;
        let contact = match (random.u8(0..6), email) {
            (1, _) if is_protected => {
                let company = company.clone().unwrap_or_else(|| format!("Company {number}"));
                with(namesake, "organization_name", json!(company))
            }
            (2, _) if is_protected => with(namesake, "email", json!(format!("x{number}@example.com"))),
            (3, Some(email)) if is_own_mail => with(stranger, "email", json!(email)),
            (4, Some(email)) if is_own_mail => with(namesake, "email", json!(email)),
            // The mailbox itself, where the entry has a tag.
            (3, Some(email)) if email.contains("+x@") && is_protected => {
                with(stranger, "email", json!(email.replace("+x@", "@")))
            }
            (4, _) => with(namesake, "organization_name", json!("Elsewhere")),
            (5, _) => stranger,
            _ => namesake,
        };
        self.add(vec![contact], door);
    }

    /// Adds people who are like nobody.
    pub(super) fn crowd(&mut self, door: &Door) {
        let somebody = |number| json!({"first_name": format!("Zoe{number}"), "last_name": "Crowd"});
        self.add((0..CROWD).map(somebody).collect(), door);
    }

    fn add(&mut self, mut contacts: Vec<Value>, door: &Door) {
        for contact in &mut contacts {
            contact["created_at"] = json!(LONG_AGO);
        }
        let ids = wire::seed(door, &contacts).expect("the sandbox takes contacts");
        let all = wire::contacts(door).expect("the sandbox shows its contacts");
        let new = all.into_iter().filter(|contact| ids.iter().any(|id| contact["id"] == id.as_str()));
        self.0.extend(new.map(|contact| (contact["id"].as_str().unwrap_or_default().to_owned(), contact)));
    }

    pub(super) fn has(&self, contact: &Value) -> bool {
        contact["id"].as_str().is_some_and(|id| self.0.contains_key(id))
    }

    pub(super) fn has_id(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Lists what was done to them.
    pub(super) fn violations(&self, contacts: &[Value]) -> Vec<String> {
        let now = |id: &String| contacts.iter().find(|contact| contact["id"] == id.as_str());
        let changed = self.0.iter().filter(|(id, before)| now(id) != Some(before));
        changed.map(|(id, before)| format!("a stranger was written: {:?}, before {before}", now(id))).collect()
    }
}
