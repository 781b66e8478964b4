//! Which row of an answer belongs to which contact, when one request was for many.
//!
//! Never by position, which no source promises: by e-mail, then by names and company if these leave only one choice.

use std::collections::BTreeMap;

use crate::apollo::{Contact, Row};
use crate::model::{Field, Fields, Identity, fold_email};

/// Whose the rows of an answer are.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Pairing {
    /// The row of each item, where one was found.
    pub(crate) rows: Vec<Option<Row>>,
    /// Rows that nobody could be found for.
    pub(crate) left: Vec<Row>,
}

/// Pairs rows with the items of the request, by what was sent of each.
pub(crate) fn pair(items: &[&Fields], rows: Vec<Row>) -> Pairing {
    let mut pairing = Pairing { rows: items.iter().map(|_| None).collect(), left: rows };
    pairing.take(items, |fields| Identity::of(fields).email.into_iter().collect(), emails);
    pairing.take(items, person, |contact| person(&contact.readable));
    pairing
}

impl Pairing {
    /// Pairs rows and items that have a mark in common which no other row and no other item has.
    fn take(
        &mut self,
        items: &[&Fields],
        mark_of_item: impl Fn(&Fields) -> Vec<String>,
        marks_of_row: impl Fn(&Contact) -> Vec<String>,
    ) {
        let mut wanted: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for (place, fields) in items.iter().enumerate().filter(|(place, _)| self.rows[*place].is_none()) {
            for mark in mark_of_item(fields) {
                // Of two items with one mark, neither is paired by it.
                wanted.entry(mark).and_modify(|one| *one = None).or_insert(Some(place));
            }
        }
        let mut rows_of: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        for row in std::mem::take(&mut self.left) {
            let mut places = marks_of_row(&row.contact).into_iter().filter_map(|mark| *wanted.get(&mark)?);
            match places.next() {
                Some(place) if places.all(|other| other == place) => rows_of.entry(place).or_default().push(row),
                _ => self.left.push(row),
            }
        }
        for (place, mut rows) in rows_of {
            if rows.len() == 1 {
                self.rows[place] = rows.pop();
            } else {
                self.left.extend(rows);
            }
        }
    }

    /// Reports whether rows are left that could be those of items without one.
    pub(crate) fn is_open(&self) -> bool {
        !self.left.is_empty() && self.rows.iter().any(Option::is_none)
    }

    /// Pairs what is left with the help of what views have shown of the rows.
    pub(crate) fn pair_viewed(&mut self, items: &[&Fields], viewed: &BTreeMap<crate::model::ApolloId, Contact>) {
        self.take(
            items,
            |fields| Identity::of(fields).email.into_iter().collect(),
            |contact| viewed.get(&contact.id).map(emails).unwrap_or_default(),
        );
    }
}

fn emails(contact: &Contact) -> Vec<String> {
    contact.emails.iter().map(|email| fold_email(email)).collect()
}

/// Returns the folded names and company, if there are names.
fn person(fields: &Fields) -> Vec<String> {
    let [first, last, company] =
        [Field::FirstName, Field::LastName, Field::OrganizationName].map(|field| fields.folded(&field));
    if first.is_empty() && last.is_empty() { Vec::new() } else { vec![[first, last, company].join("\0")] }
}
