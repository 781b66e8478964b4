//! What is known of a plan that could not be made. Such a plan has no digest and can never be applied.

use std::fmt;

use super::super::amounts::counted;
use super::super::style::Paint;

/// What was found out before planning failed; the errors themselves are messages of their own.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FailedPlan {
    /// Contact files that were read.
    pub files: Option<usize>,
    /// Contacts that they declare; `None` when not all files are valid.
    pub contacts: Option<usize>,
    pub errors: usize,
    pub warnings: usize,
    pub color: bool,
}

impl FailedPlan {
    /// Returns the words behind the title.
    pub(in crate::ui) const NOTHING: &str = "There is no plan, and nothing can be applied.";

    /// Says how far it got; nothing when not even the files could be read.
    pub(in crate::ui) fn found(&self) -> Option<String> {
        let files = counted(self.files?, "file");
        let wrong = match self.warnings {
            0 => counted(self.errors, "error"),
            warnings => format!("{} and {}", counted(self.errors, "error"), counted(warnings, "warning")),
        };
        Some(match self.contacts {
            Some(contacts) => format!("Read: {} in {files}, all valid.", counted(contacts, "contact")),
            None => format!("Read: {files}, with {wrong}."),
        })
    }
}

impl fmt::Display for FailedPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paint = Paint { color: self.color };
        write!(f, "{} {}", paint.bold_red("Planning failed."), Self::NOTHING)?;
        self.found().map_or(Ok(()), |found| write!(f, "\n{found}"))
    }
}
