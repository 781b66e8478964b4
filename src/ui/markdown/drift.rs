//! What has changed in Apollo, as a comment: counts outside, the rest folded away.

use std::fmt;

use super::super::amounts::counted;
use super::super::mask::Mask;
use super::super::message::message_text;
use super::super::plan_text::{Layout, Marks, TITLE, as_applied, drift_summary, write_contact};
use super::super::stream::Stream;
use super::super::style::Paint;
use super::fold::Fold;
use super::lines::{Lines, Size};
use super::safe::{code, marker};
use super::{Room, measured};
use crate::ops::{Drift, Drifted};
use crate::source::Diagnostic;

/// A drift as Markdown; written by its `Display`, without a last newline.
#[derive(Debug, Clone, Copy)]
pub struct DriftPage<'a> {
    pub drift: &'a Drift,
    /// Warnings of the run.
    pub messages: &'a [Diagnostic],
    /// The contact directory, as seen from the root of its repository.
    pub directory: &'a str,
    pub mask: Mask,
    /// Most bytes of the page, the newline that printing adds included.
    pub max_bytes: usize,
    /// The command that shows everything.
    pub everything: &'a str,
}

struct Contact<'a>(&'a Drifted, Layout<'a>);

impl fmt::Display for Contact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_contact(f, self.0, self.1)
    }
}

impl DriftPage<'_> {
    fn draw(&self, lines: &mut Lines<'_, '_>) -> Result<usize, fmt::Error> {
        let Self { drift, messages, mask, .. } = *self;
        let layout = Layout {
            paint: Paint { color: false },
            mask,
            marks: Marks::FirstColumn,
            concise: false,
            cut: true,
            names: None,
        };
        for message in messages {
            lines.text(message_text(&mask.message(message), Stream::default()))?;
        }
        let mut shown = 0;
        for drifted in &drift.contacts {
            lines.text(Contact(drifted, layout))?;
            if lines.full {
                break;
            }
            shown += 1;
        }
        Ok(shown)
    }
}

impl fmt::Display for DriftPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = Room(self.max_bytes.saturating_sub(1));
        let title = format!("{}\n### contactsd drift: {}", marker(self.directory), code(self.directory));
        let status = if self.drift.is_none() {
            format!("No drift. {}", as_applied(self.drift))
        } else {
            format!("{TITLE}.\n\nDrift: {}", drift_summary(self.drift))
        };
        let paragraphs = [title, status].into_iter().filter_map(|text| room.take(text)).collect::<Vec<_>>();
        f.write_str(&paragraphs.join("\n\n"))?;
        if self.drift.is_none() && self.messages.is_empty() {
            return Ok(());
        }
        let (Size { backticks, .. }, _) = measured(|lines| self.draw(lines));
        let fold = Fold { summary: "Show drift".to_owned(), open: false, language: "diff", backticks };
        let all = self.drift.contacts.len();
        let left_out = |shown: usize| {
            let (missing, limit) = (counted(all - shown, "contact"), super::count(self.max_bytes));
            format!(
                "Cut to stay within {limit} bytes. Left out: {missing}. {} shows everything.",
                code(self.everything)
            )
        };
        let Some(room) = room.0.checked_sub(left_out(0).len() + 2) else { return Ok(()) };
        let mut shown = 0;
        let written = fold.write(f, room, |lines| {
            shown = self.draw(lines)?;
            Ok(())
        })?;
        let shown = if written.lines == 0 { 0 } else { shown };
        if shown < all { write!(f, "\n\n{}", left_out(shown)) } else { Ok(()) }
    }
}
