//! One page of search results, complete or an error: a row that is left out would look like "not found".

use super::Contact;
use super::error::Misread;
use super::json::Object;

/// Contacts asked for per page, the most the API gives.
///
/// Source: vendor page "Search for Contacts" (`docs/api-notes.md#search`).
pub const PER_PAGE: u32 = 100;

/// One page of contacts that match keywords, oldest first.
///
/// Keywords match names, titles, employers and e-mails loosely: the caller compares exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    pub contacts: Vec<Contact>,
    /// Counts from 1.
    pub page: u32,
    pub total_pages: u32,
    pub total_entries: u64,
}

impl SearchPage {
    pub fn is_last(&self) -> bool {
        self.page >= self.total_pages
    }

    /// Reads the answer to a request for page `asked`.
    pub(super) fn read(text: &str, asked: u32) -> Result<Self, Misread> {
        let answer = Misread::or_object(text)?;
        let Some(rows) = answer.array("contacts") else {
            return Err(Misread::refused(&answer).unwrap_or(Misread::Lacks("no contacts")));
        };
        let contacts = rows.into_iter().map(Contact::row).collect::<Result<Vec<_>, _>>()?;
        let pagination = answer.object("pagination").ok_or(Misread::Lacks("no pagination"))?;
        let number = |name| pagination.number(name).and_then(|number| u32::try_from(number).ok());
        let (total_pages, total_entries) =
            totals(&pagination, contacts.len()).ok_or(Misread::Lacks("no count of pages"))?;
        Ok(Self { contacts, page: number("page").unwrap_or(asked), total_pages, total_entries })
    }
}

/// Returns pages and entries, either computed from the other where one is missing.
fn totals(pagination: &Object, rows: usize) -> Option<(u32, u64)> {
    let pages = pagination.number("total_pages").and_then(|number| u32::try_from(number).ok());
    let entries = pagination.number("total_entries");
    match (pages, entries) {
        (Some(pages), Some(entries)) => Some((pages, entries)),
        (None, Some(entries)) => Some((u32::try_from(entries.div_ceil(PER_PAGE.into())).ok()?, entries)),
        (Some(pages), None) if pages <= 1 => Some((pages, u64::try_from(rows).ok()?)),
        (Some(pages), None) => Some((pages, u64::from(pages) * u64::from(PER_PAGE))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_with_its_numbers_as_numbers_or_texts() {
        let text = include_str!("../../tests/fixtures/apollo/search.json");
        let page = SearchPage::read(text, 9).unwrap();
        assert_eq!((page.page, page.total_pages, page.total_entries), (2, 3, 205));
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
    fn a_page_that_does_not_say_how_many_there_are_is_refused() {
        for text in [r#"{"contacts": []}"#, r#"{"contacts": [], "pagination": {"page": 1}}"#, r#"{"pagination": {}}"#] {
            assert!(matches!(SearchPage::read(text, 1), Err(Misread::Lacks(_))), "{text}");
        }
    }

    #[test]
    fn a_missing_total_is_computed_from_the_other() {
        let page = |pagination| {
            let text = format!(r#"{{"contacts": [], "pagination": {pagination}}}"#);
            let page = SearchPage::read(&text, 4).unwrap();
            (page.page, page.total_pages, page.total_entries)
        };
        assert_eq!(page(r#"{"total_entries": 101}"#), (4, 2, 101));
        assert_eq!(page(r#"{"page": 1, "total_pages": "1"}"#), (1, 1, 0));
        assert_eq!(page(r#"{"total_pages": 2, "total_entries": null}"#), (4, 2, 200));
    }
}
