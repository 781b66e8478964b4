//! Habits of a server that hold for every request while they are on: clocks, folding, and work that is not done.
//!
//! Says what is on and folds what is stored; where an answer follows a habit, `api.rs` and `gate.rs` see to it.

use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use super::choice::{self, UnknownChoice};
use super::sent::{Sent, Text};
use crate::model::Timestamp;

/// One habit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// The search index has `ue` for `ü` and `e` for `é`, so that the letters themselves find nothing.
    SearchTransliterates,
    /// A `+` in keywords is a blank, and what stands beside it must be a whole word.
    SearchSplitsAtPlus,
    /// Rows of a search lack `email` and `contact_emails`.
    SearchHidesEmails,
    /// Each page of a search begins with the last row of the page before, and so the last rows are on no page.
    SearchRepeatsRows,
    /// A page of a search without rows has `contacts: null` and no `pagination`.
    SearchBareWhenEmpty,
    /// The domain of an e-mail is kept in its ASCII form.
    StoresPunycode,
    /// Curly quotes and apostrophes are kept as straight ones.
    StoresStraightQuotes,
    /// `&`, `<`, `>`, `"` and `'` are kept as HTML entities.
    StoresEntities,
    /// Texts are kept in Unicode's composed form.
    StoresNfc,
    /// U+200B is dropped from texts.
    StoresNoZeroWidth,
    /// An update that clears is answered 200, and what it should clear stays.
    KeepsCleared,
    /// Custom texts are cut to 120 characters.
    CutsCustomText,
    /// An update is answered 200 and changes nothing.
    UpdatesNothing,
    /// Adding to lists is answered 200 with `success: false` and changes nothing.
    ListAddRefused,
    /// Adding to lists is answered as if it had been done.
    ListAddIgnored,
    /// A create is answered 200 with a contact that exists nowhere, and stores nothing.
    CreatesGhosts,
    /// Creates and updates are answered 200 with an `error` beside the contact.
    ErrorBesideContact,
    /// A custom text with `;` is answered as an array of its parts, as several picked values are.
    AnswersArrays,
    /// A create or an update that names an account is answered 403, with the code for a missing scope and the words of
    /// another call.
    ForbidsAccounts,
    /// What is created or changed is dated 3 seconds before the `date` header.
    CreatedAtBehind,
    /// Answers have no `date` header.
    NoDate,
    /// Everything is dated 30 seconds too early.
    ClockSlow,
    /// Everything is dated 30 seconds too late.
    ClockFast,
}

/// Brings a text into the form that is stored.
type Folding = fn(&str) -> String;

/// How far `created-at-behind` is behind.
const BEHIND: Duration = Duration::from_secs(3);
/// How wrong a wrong clock is.
const WRONG: Duration = Duration::from_secs(30);
/// Characters of a custom text that `cuts-custom-text` leaves.
const CUT_AT: usize = 120;

/// The quirks that are on; none by default.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Quirks(u32);

impl FromStr for Quirks {
    type Err = UnknownChoice;

    /// Reads `stores-nfc,no-date`; an empty text is no quirks.
    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        let mut quirks = Self::default();
        for given in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            quirks.0 |= bit(choice::read(given)?);
        }
        Ok(quirks)
    }
}

fn bit(quirk: Quirk) -> u32 {
    1 << quirk as u32
}

impl Quirks {
    pub(super) fn has(self, quirk: Quirk) -> bool {
        self.0 & bit(quirk) != 0
    }

    /// Returns what the server's clock says at `now`.
    pub(super) fn clock(self, now: Timestamp) -> Timestamp {
        match (self.has(Quirk::ClockSlow), self.has(Quirk::ClockFast)) {
            (true, false) => earlier(now, WRONG),
            (false, true) => now + WRONG,
            _ => now,
        }
    }

    /// Returns the date that what is written at `now` by the server's clock gets.
    pub(super) fn date(self, now: Timestamp) -> Timestamp {
        if self.has(Quirk::CreatedAtBehind) { earlier(now, BEHIND) } else { now }
    }

    /// Brings what was sent into the form that is stored.
    pub(super) fn fold(self, sent: &mut Sent) {
        if self.has(Quirk::StoresPunycode)
            && let Some(email) = sent.texts.get_mut(&Text::Email)
        {
            *email = punycode(email);
        }
        if self.has(Quirk::CutsCustomText) {
            sent.custom_fields.values_mut().for_each(|text| *text = text.chars().take(CUT_AT).collect());
        }
        let foldings: [(Quirk, Folding); 4] = [
            (Quirk::StoresStraightQuotes, straight),
            (Quirk::StoresNoZeroWidth, |text| text.replace('\u{200b}', "")),
            (Quirk::StoresNfc, |text| text.nfc().collect()),
            (Quirk::StoresEntities, entities),
        ];
        for (_, fold) in foldings.into_iter().filter(|(quirk, _)| self.has(*quirk)) {
            sent.texts.values_mut().chain(sent.custom_fields.values_mut()).for_each(|text| *text = fold(text));
        }
    }

    /// Takes out of an update what it is to clear, where clearing is not done.
    pub(super) fn keep_cleared(self, sent: &mut Sent) {
        if self.has(Quirk::KeepsCleared) {
            sent.texts.retain(|_, text| !text.is_empty());
            sent.phones.retain(|_, text| !text.is_empty());
            sent.custom_fields.retain(|_, text| !text.is_empty());
        }
    }
}

fn earlier(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp(time.0.saturating_sub(u64::try_from(by.as_millis()).expect("half a minute fits 64 bits")))
}

fn punycode(email: &str) -> String {
    let Some((local, domain)) = email.rsplit_once('@') else { return email.to_owned() };
    url::Host::parse(domain).map_or_else(|_| email.to_owned(), |host| format!("{local}@{host}"))
}

fn straight(text: &str) -> String {
    text.replace(['\u{2018}', '\u{2019}', '\u{2bc}'], "'").replace(['\u{201c}', '\u{201d}'], "\"")
}

fn entities(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    escaped.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Writes letters as ASCII where there is a usual way: `ue` for `ü`, `ss` for `ß`, `e` for `é`.
pub(super) fn transliterated(text: &str) -> String {
    let german = text.replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    german.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quirks_are_read_by_their_names_and_each_is_its_own() {
        let names = choice::names::<Quirk>();
        let all: Quirks = names.join(", ").parse().unwrap();
        for name in names {
            let quirks: Quirks = name.parse().unwrap();
            assert_eq!((quirks.0.count_ones(), quirks.0 & all.0), (1, quirks.0), "{name}");
        }
        assert_eq!(all.0.count_ones() as usize, names.len());
        assert_eq!("".parse(), Ok(Quirks::default()));
        let unknown = "no-date,no-time".parse::<Quirks>().unwrap_err().to_string();
        assert!(unknown.starts_with("\"no-time\" cannot be chosen: write one of search-transliterates, "), "{unknown}");
    }

    #[track_caller]
    fn check(quirk: &str, sent: &str, stored: &str) {
        let mut body = Sent::read(sent.as_bytes()).unwrap();
        quirk.parse::<Quirks>().unwrap().fold(&mut body);
        assert_eq!(body, Sent::read(stored.as_bytes()).unwrap(), "{quirk}");
    }

    #[test]
    fn each_folding_changes_what_it_says() {
        check("stores-punycode", r#"{"email": "a@münchen.de"}"#, r#"{"email": "a@xn--mnchen-3ya.de"}"#);
        check("stores-straight-quotes", r#"{"last_name": "O’Neil"}"#, r#"{"last_name": "O'Neil"}"#);
        check("stores-entities", r#"{"title": "R&D <x>"}"#, r#"{"title": "R&amp;D &lt;x&gt;"}"#);
        check("stores-nfc", r#"{"first_name": "Rene\u0301"}"#, r#"{"first_name": "Ren\u00e9"}"#);
        check("stores-no-zero-width", r#"{"first_name": "A\u200bda"}"#, r#"{"first_name": "Ada"}"#);
        let custom = |text: &str| format!(r#"{{"typed_custom_fields": {{"60c39ed82bd02f01154c470a": "{text}"}}}}"#);
        check("cuts-custom-text", &custom(&"ü".repeat(121)), &custom(&"ü".repeat(120)));
        check("stores-entities", &custom("R&D"), &custom("R&amp;D"));
    }

    #[test]
    fn letters_are_transliterated_as_in_german_and_otherwise_lose_their_marks() {
        assert_eq!(transliterated("müller groß rené łódź"), "mueller gross rene łodz");
    }
}
