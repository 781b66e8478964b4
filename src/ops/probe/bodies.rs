//! What a probe sends: fictional people whose names and addresses nobody else has, and bodies as nothing else sends
//! them.

use serde_json::{Value, json};

/// What makes the people of one run its own.
#[derive(Debug, Clone)]
pub(super) struct Mark(pub(super) String);

impl Mark {
    pub(super) fn email(&self, letter: &str) -> String {
        format!("contactsd-probe-{}-{letter}@example.com", self.0)
    }

    pub(super) fn last_name(&self, letter: &str) -> String {
        format!("Contactsd-Probe-{}-{}", self.0, letter.to_uppercase())
    }

    pub(super) fn list(&self, number: usize) -> String {
        format!("contactsd probe {} {number}", self.0)
    }

    /// Writes a person: whose address, whose name, and which title.
    pub(super) fn person(&self, email: &str, name: &str, title: &str) -> Value {
        json!({
            "first_name": "Throwaway",
            "last_name": self.last_name(name),
            "organization_name": format!("Contactsd Probe {}{name}", self.0),
            "email": self.email(email),
            "title": title,
        })
    }
}

/// Writes a create of many; `lists` are those that the call is to put all of them on.
pub(super) fn batch(items: &[Value], lists: &[String]) -> String {
    let mut body = json!({ "contacts": items, "run_dedupe": true });
    if !lists.is_empty() {
        body["append_label_names"] = json!(lists);
    }
    body.to_string()
}

pub(super) fn changes(items: &[(&str, &str)]) -> String {
    let items: Vec<Value> = items.iter().map(|(id, title)| json!({ "id": id, "title": title })).collect();
    json!({ "contact_attributes": items }).to_string()
}
