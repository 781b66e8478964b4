//! How to split contacts into files that contactsd makes, and what these are called. Pure.

use crate::model::fold_text;

/// How to split contacts into files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// All in one.
    None,
    /// A file for each company.
    Company,
    /// A file for each list, by the first list that a contact is on.
    List,
}

impl Split {
    /// Names the file of a contact of this company whose first list is this one; `one` is where all stand otherwise.
    pub(super) fn file(self, one: &str, company: Option<&str>, list: Option<&str>) -> String {
        let (text, none) = match self {
            Self::None => return format!("{one}.yaml"),
            Self::Company => (company, "no-company"),
            Self::List => (list, "no-list"),
        };
        let slug = text.map(slug).filter(|slug| !slug.is_empty());
        format!("{}.yaml", slug.as_deref().unwrap_or(none))
    }
}

/// Spells a name for a file: letters and digits, and hyphens between them.
pub(super) fn slug(text: &str) -> String {
    let folded = fold_text(text);
    let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let slug = words.join("-");
    slug.chars().take(MOST_NAME_CHARS).collect()
}

/// The longest name of a file, in characters; file systems take 255 bytes.
const MOST_NAME_CHARS: usize = 60;
