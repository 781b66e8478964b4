//! What an entry declares against what its contact is known to hold.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Binding, Endpoint, Field, Fields, Intent, Value};

use super::{Change, Setting};

/// The fields we wrote to one contact, as far as they are known to stand.
///
/// An update or list call without a recorded answer leaves its fields in doubt: they may hold the
/// old value or the sent one, so they are compared with neither.
#[derive(Debug, Clone)]
pub struct Known<'a> {
    applied: &'a Fields,
    doubtful: BTreeSet<Field>,
    /// Lists that may or may not hold the contact.
    doubtful_lists: BTreeSet<String>,
    /// Lists that hold the contact and are not ours.
    found_lists: BTreeSet<String>,
    /// Whether a request was not answered.
    in_doubt: bool,
}

impl<'a> Known<'a> {
    /// Reads a binding in the light of the contact's unanswered requests.
    pub fn of<'i>(binding: &'a Binding, unanswered: impl IntoIterator<Item = &'i Intent>) -> Self {
        let mut known = Self::new(&binding.applied, unanswered);
        known.doubtful_lists.extend(binding.possible_lists.iter().cloned());
        known.found_lists.clone_from(&binding.found_lists);
        known
    }

    /// Reads `applied` in the light of the contact's unanswered requests.
    pub fn new<'i>(applied: &'a Fields, unanswered: impl IntoIterator<Item = &'i Intent>) -> Self {
        let mut doubtful = BTreeSet::new();
        let mut doubtful_lists = BTreeSet::new();
        for intent in unanswered {
            match intent.endpoint {
                Endpoint::UpdateContact | Endpoint::UpdateContacts | Endpoint::UpdateStages => {
                    doubtful.extend(intent.fields.iter().map(|(field, _)| field.clone()));
                }
                Endpoint::AddToLists | Endpoint::RemoveFromLists => {
                    doubtful_lists.extend(intent.fields.lists().map(str::to_owned));
                }
                Endpoint::CreateContact
                | Endpoint::CreateContacts
                | Endpoint::ViewContact
                | Endpoint::SearchContacts
                | Endpoint::ShowStages
                | Endpoint::ShowCustomFields
                | Endpoint::ShowFields
                | Endpoint::ShowLists
                | Endpoint::Profile => {}
            }
        }
        let in_doubt = !doubtful.is_empty() || !doubtful_lists.is_empty();
        Self { applied, doubtful, doubtful_lists, found_lists: BTreeSet::new(), in_doubt }
    }

    /// Reports whether some field's value is unknown because a request was not answered.
    pub fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Lists what must change so that the contact holds what is declared, sorted by field.
    pub fn changes_to(&self, declared: &Fields) -> Vec<Change> {
        let mut changes = BTreeMap::new();
        for (field, after) in declared.iter() {
            if let Difference::Send { before } = self.difference(field, after) {
                changes
                    .insert(field.clone(), Change { field: field.clone(), before, after: Setting::Set(after.clone()) });
            }
        }
        for (field, before) in self.applied.iter().filter(|(field, _)| !declared.contains(field)) {
            let change = Change { field: field.clone(), before: Some(before.clone()), after: Setting::Released };
            changes.insert(field.clone(), change);
        }
        changes.into_values().collect()
    }

    fn difference(&self, field: &Field, after: &Value) -> Difference {
        let before = self.applied.get(field);
        match after {
            Value::Lists(declared) => self.list_difference(before, declared),
            Value::Text(_) if self.doubtful.contains(field) => Difference::Send { before: None },
            Value::Text(_) if before == Some(after) => Difference::None,
            Value::Text(_) => Difference::Send { before: before.cloned() },
        }
    }

    /// Compares lists, starting from what holds the contact for sure.
    ///
    /// A doubtful list counts as absent when it is declared and as present when it is not, so that
    /// the call that makes sure is always among the changes.
    fn list_difference(&self, before: Option<&Value>, declared: &BTreeSet<String>) -> Difference {
        let applied = match before {
            Some(Value::Lists(lists)) => lists.clone(),
            _ => BTreeSet::new(),
        };
        let mut start: BTreeSet<String> = applied.difference(&self.doubtful_lists).cloned().collect();
        start.extend(self.doubtful_lists.difference(declared).cloned());
        start.extend(self.found_lists.intersection(declared).cloned());
        if start == *declared { Difference::None } else { Difference::Send { before: Some(Value::Lists(start)) } }
    }
}

/// How one declared field stands against what is known of it.
enum Difference {
    None,
    /// It must be sent; `before` is what the contact is known to hold.
    Send {
        before: Option<Value>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ContactKey, RunId, Timestamp};

    fn fields(pairs: &[(Field, &str)]) -> Fields {
        pairs.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect()
    }

    fn lists(names: &[&str]) -> Fields {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        [(Field::LabelNames, Value::Lists(names))].into_iter().collect()
    }

    fn unanswered(endpoint: Endpoint, fields: Fields) -> Intent {
        Intent {
            endpoint,
            body: String::new(),
            fields,
            run: RunId("run".into()),
            first_sent_at: Timestamp(0),
            last_sent_at: Timestamp(0),
            path: "contacts.d/ada.yaml".into(),
            ..Intent::bare(ContactKey::parse("ada").unwrap())
        }
    }

    #[test]
    fn a_field_is_set_cleared_and_released() {
        let applied = fields(&[(Field::Title, "CTO"), (Field::Email, "a@example.com"), (Field::HomePhone, "1")]);
        let declared = fields(&[(Field::Title, "CEO"), (Field::Email, ""), (Field::LastName, "Byron")]);
        let changes = Known::new(&applied, []).changes_to(&declared);
        let shown: Vec<_> = changes.iter().map(|c| (c.field.to_string(), c.sends())).collect();
        let expected = [("last_name", true), ("title", true), ("email", true), ("home_phone", false)];
        assert_eq!(shown, expected.map(|(name, sends)| (name.to_owned(), sends)));
    }

    #[test]
    fn an_update_without_an_answer_is_sent_again_even_when_the_file_was_reverted() {
        let applied = fields(&[(Field::Title, "CTO")]);
        let lost = unanswered(Endpoint::UpdateContact, fields(&[(Field::Title, "CEO")]));
        let changes = Known::new(&applied, [&lost]).changes_to(&applied);
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].before, None);
    }

    #[test]
    fn a_list_that_may_have_been_added_is_removed_when_it_is_not_declared() {
        let applied = lists(&["Customers"]);
        let lost = unanswered(Endpoint::AddToLists, lists(&["Leads"]));
        let changes = Known::new(&applied, [&lost]).changes_to(&applied);
        let before = ["Customers", "Leads"].map(str::to_owned).into_iter().collect();
        assert_eq!(changes[0].before, Some(Value::Lists(before)));
    }

    #[test]
    fn a_list_that_may_have_been_added_is_added_again_when_it_is_declared() {
        let applied = lists(&["Customers"]);
        let lost = unanswered(Endpoint::AddToLists, lists(&["Leads"]));
        let changes = Known::new(&applied, [&lost]).changes_to(&lists(&["Customers", "Leads"]));
        assert_eq!(changes[0].before, Some(Value::Lists(["Customers".to_owned()].into_iter().collect())));
    }

    #[test]
    fn declaring_no_list_on_a_contact_in_none_of_ours_changes_nothing() {
        assert!(Known::new(&Fields::default(), []).changes_to(&lists(&[])).is_empty());
    }
}
