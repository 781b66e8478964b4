//! What search sees: every write, once the lag has passed.
//!
//! Until then a new contact is missing and a changed one shows its old values. Never reads a clock.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::contact::Contact;
use super::matching::fold;
use super::quirks::{Quirk, Quirks, transliterated};
use super::sent::Text;
use crate::model::Timestamp;

/// A contact as search has it.
struct Row {
    contact: Contact,
    /// Everything that keywords are looked for in, folded.
    text: String,
}

/// What a search looks for: words that all must occur; without any it finds everybody.
pub(super) struct Keywords {
    /// Words that may be parts of others.
    parts: Vec<String>,
    /// Words that must be whole.
    whole: Vec<String>,
    /// Whether the index is one of letters without marks.
    is_transliterated: bool,
}

impl Keywords {
    pub(super) fn new(text: &str, quirks: Quirks) -> Self {
        let mut keywords =
            Self { parts: Vec::new(), whole: Vec::new(), is_transliterated: quirks.has(Quirk::SearchTransliterates) };
        for word in fold(text).split(' ').filter(|word| !word.is_empty()) {
            if quirks.has(Quirk::SearchSplitsAtPlus) && word.contains('+') {
                keywords.whole.extend(word.split('+').filter(|word| !word.is_empty()).map(str::to_owned));
            } else {
                keywords.parts.push(word.to_owned());
            }
        }
        keywords
    }

    fn find(&self, text: &str) -> bool {
        let text = if self.is_transliterated { Cow::Owned(transliterated(text)) } else { Cow::Borrowed(text) };
        self.parts.iter().all(|part| text.contains(part.as_str()))
            && self.whole.iter().all(|word| text.split(' ').any(|other| other == word))
    }
}

/// The contacts as search shows them.
pub(super) struct SearchView {
    lag: Duration,
    rows: BTreeMap<String, Row>,
    /// Writes that do not show yet, by when they will; the number keeps those of one moment in order. None hides.
    coming: BTreeMap<(Timestamp, u64), (String, Option<Contact>)>,
    written: u64,
}

impl SearchView {
    pub(super) fn new(lag: Duration) -> Self {
        Self { lag, rows: BTreeMap::new(), coming: BTreeMap::new(), written: 0 }
    }

    /// Shows a contact as it was written, or hides it, once the lag has passed.
    pub(super) fn write(&mut self, id: &str, contact: Option<&Contact>, written_at: Timestamp) {
        if self.lag.is_zero() {
            return self.take(id.to_owned(), contact.cloned());
        }
        self.written += 1;
        self.coming.insert((written_at + self.lag, self.written), (id.to_owned(), contact.cloned()));
        self.catch_up(written_at);
    }

    /// Shows a contact without waiting for the lag.
    pub(super) fn show_at_once(&mut self, contact: &Contact) {
        self.take(contact.id.clone(), Some(contact.clone()));
    }

    /// Returns the contacts that `keywords` find and that pass `filter`.
    pub(super) fn find(
        &mut self,
        keywords: &Keywords,
        now: Timestamp,
        filter: impl Fn(&Contact) -> bool,
    ) -> Vec<&Contact> {
        self.catch_up(now);
        let rows = self.rows.values().filter(|row| keywords.find(&row.text));
        rows.map(|row| &row.contact).filter(|contact| filter(contact)).collect()
    }

    fn catch_up(&mut self, now: Timestamp) {
        while let Some(next) = self.coming.first_entry().filter(|next| next.key().0 <= now) {
            let (id, contact) = next.remove();
            self.take(id, contact);
        }
    }

    fn take(&mut self, id: String, contact: Option<Contact>) {
        match contact {
            Some(contact) => self.rows.insert(id, Row { text: text(&contact), contact }),
            None => self.rows.remove(&id),
        };
    }
}

/// Joins what keywords search: name, title, employer and e-mails (vendor page of the search call).
fn text(contact: &Contact) -> String {
    let name = contact.name();
    let texts = [Some(name.as_str()), contact.text(Text::Title), contact.text(Text::OrganizationName)];
    fold(&texts.into_iter().flatten().chain(contact.emails()).collect::<Vec<_>>().join(" "))
}
