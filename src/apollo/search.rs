//! One page of search results, complete or an error: a row that is left out would look like "not found".

use super::Contact;
use super::error::Misread;
use super::json;

/// Contacts asked for per page, the most the API gives.
///
/// Source: vendor page "Search for Contacts" (`docs/api-notes.md#search`).
pub const PER_PAGE: u32 = 100;

/// In which order a search gives its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By creation: a contact that is made while we page comes last and shifts no other.
    OldestFirst,
    /// By creation: a contact that is made while we page shifts the others to later pages. Rows repeat, and none is
    /// missed.
    NewestFirst,
    /// By last change: a contact that is changed while we page goes to the end, and the one after it may be missed.
    LongestUnchangedFirst,
    /// By last change: a contact that is changed while we page goes to the front. Rows repeat, and none is missed that
    /// nobody changed meanwhile.
    LastChangedFirst,
}

/// One page of contacts that match keywords, or of all.
///
/// Keywords match names, titles, employers and e-mails loosely: the caller compares exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    pub contacts: Vec<Contact>,
    /// The page that was asked for; counts from 1.
    pub page: u32,
    /// Pages in all, where the answer tells.
    pub total_pages: Option<u32>,
    /// Contacts on all pages, where the answer tells.
    pub total_entries: Option<u64>,
}

impl SearchPage {
    /// Reports whether no further page follows.
    ///
    /// Where the answer does not tell how many there are, a page that is not full is the last. An empty page ends
    /// any count: nothing would follow it for ever.
    pub fn is_last(&self) -> bool {
        let is_full = self.contacts.len() >= PER_PAGE as usize;
        self.contacts.is_empty() || self.total_pages.map_or(!is_full, |pages| self.page >= pages)
    }

    /// Reads the answer to a request for page `asked`.
    pub(super) fn read(text: &str, asked: u32) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        if let Some(refused) = Misread::refused(&answer) {
            return Err(refused);
        }
        let rows = match answer.raw("contacts") {
            None => return Err(Misread::Lacks("no contacts")),
            Some(raw) if json::is_null(raw) => Vec::new(),
            Some(raw) => json::array(raw).ok_or(Misread::Lacks("no contacts"))?,
        };
        let contacts = rows.into_iter().map(Contact::row).collect::<Result<Vec<_>, _>>()?;
        let pagination = answer.object("pagination");
        let total_entries = pagination.as_ref().and_then(|pagination| pagination.number("total_entries"));
        let told_pages = pagination.as_ref().and_then(|pagination| pagination.number("total_pages"));
        Ok(Self { contacts, page: asked, total_pages: total_pages(told_pages, total_entries), total_entries })
    }
}

/// Returns how many pages there are, told or computed from the number of contacts: the larger where both are told.
fn total_pages(told: Option<u64>, entries: Option<u64>) -> Option<u32> {
    let by_entries = entries.map(|entries| entries.div_ceil(PER_PAGE.into()));
    u32::try_from(told.max(by_entries)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_numbers_as_numbers_or_texts() {
        let text = include_str!("../../tests/fixtures/apollo/search.json");
        let page = SearchPage::read(text, 2).unwrap();
        assert_eq!((page.page, page.total_pages, page.is_last()), (2, Some(3), false));
        assert_eq!(page.total_entries, Some(205));
        let ids: Vec<_> = page.contacts.iter().map(|contact| contact.id.as_str()).collect();
        assert_eq!(ids, ["66e34b81740c50074e3d1b01", "66e34b81740c50074e3d1b02"]);
        assert_eq!(page.contacts[0].emails, ["ada.field@example.com", "ada@example.org"]);
        assert_eq!(page.contacts[0].label_names, None);
        assert_eq!(page.contacts[1].label_names, Some(vec![]));
    }

    #[test]
    fn a_row_without_id_fails_the_page_instead_of_looking_like_nobody() {
        let text =
            r#"{"contacts": [{"id": null, "email": "ada.field@example.com"}], "pagination": {"total_pages": 1}}"#;
        assert!(matches!(SearchPage::read(text, 1), Err(Misread::Lacks("a contact without an id"))));
    }

    #[test]
    fn no_contacts_are_an_empty_page_and_another_answer_is_none() {
        for text in [r#"{"contacts": []}"#, r#"{"contacts": null}"#, r#"{"contacts": [], "pagination": null}"#] {
            let page = SearchPage::read(text, 1).unwrap();
            assert!(page.contacts.is_empty() && page.is_last(), "{text}");
        }
        for text in ["{}", r#"{"contacts": "none"}"#, r#"{"pagination": {"total_pages": 0}}"#] {
            assert!(matches!(SearchPage::read(text, 1), Err(Misread::Lacks(_))), "{text}");
        }
        let refused = r#"{"contacts": [], "error": "search is down"}"#;
        assert!(matches!(SearchPage::read(refused, 1), Err(Misread::Refused(_))));
    }

    #[test]
    fn the_last_page_is_known_by_what_the_answer_tells() {
        let row = r#"{"id": "66e34b81740c50074e3d1b01"}"#;
        let is_last = |rows: usize, pagination: &str| {
            let text = format!(r#"{{"contacts": [{}], "pagination": {pagination}}}"#, vec![row; rows].join(","));
            SearchPage::read(&text, 2).unwrap().is_last()
        };
        assert!(is_last(1, r#"{"total_pages": "2"}"#));
        assert!(!is_last(1, r#"{"total_pages": 3}"#), "rows that repeat or are left out end nothing");
        assert!(!is_last(100, r#"{"total_entries": 201}"#));
        assert!(is_last(100, r#"{"total_entries": 200}"#));
        assert!(!is_last(100, r#"{"total_pages": 1, "total_entries": 250}"#), "the larger number counts");
        assert!(is_last(99, "{}") && !is_last(100, "null"), "a full page may have a next one");
    }
}
