//! How this invocation shows a plan: as text or as a page of Markdown, whole or not, with values or without.

use super::args::{PageArgs, PlanFormat, ViewArgs};
use crate::ui::{Detail, Mask, Stream};

/// Actions beyond which a plan is shortened in files and pipes too: logs are read by people, and cut when they are long.
const MANY: usize = 1000;

/// What was asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub(super) mask: Mask,
    pub(super) detail: Detail,
    pub(super) by_file: bool,
    full: bool,
    /// Most bytes of a page of Markdown; `None` for text.
    pub(super) page: Option<usize>,
}

impl View {
    pub(super) fn new(args: &ViewArgs, page: Option<&PageArgs>) -> Self {
        let page = page.filter(|page| page.format == PlanFormat::Markdown).map(|page| page.max_bytes);
        // Comments are mailed out and kept, so that values are shown there only when somebody says so.
        let masked = args.mask || (page.is_some() && !args.no_mask);
        Self {
            mask: if masked { Mask::On } else { Mask::Off },
            detail: if args.concise { Detail::Concise } else { Detail::Blocks },
            by_file: args.by_file,
            full: args.full,
            page,
        }
    }

    /// Reports whether stdout holds a page of Markdown and nothing else.
    pub(super) fn is_page(self) -> bool {
        self.page.is_some()
    }

    /// Reports whether only the first of so many things are shown there.
    pub(super) fn is_abridged(self, stdout: Stream, things: usize) -> bool {
        !self.full && (stdout.is_terminal || things > MANY)
    }
}
