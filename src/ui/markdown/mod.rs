//! A plan as a comment on a pull request: counts outside, the rest folded away, never more than the page can hold.
//!
//! All text of files, state or Apollo is in code blocks, where it renders nothing and mentions no person. Never fails
//! because of missing room: what is left out is counted, and the counts and the marker come first.

mod drift;
mod fold;
mod lines;
mod safe;
#[cfg(test)]
mod tests;

use std::fmt;

pub use drift::DriftPage;
use fold::Fold;
use lines::{Lines, Size};
use safe::{backticks, code, marker, tame};

use super::amounts::{count, counted};
use super::mask::Mask;
use super::message::message_text;
use super::plan_text::{
    Detail, FailedPlan, Forecast, Layout, Marks, Piece, PieceText, PlanOptions, PlanText, also, brake_text,
    forecast_text, is_performed, look_note, one_each_text, pieces, summary,
};
use super::stream::Stream;
use super::style::Paint;
use crate::model::{Digest, Glossary};
use crate::plan::{Counts, Operation, Plan};
use crate::source::{Diagnostic, Severity};

/// Room that is kept for the last line of a list of addresses that is cut.
const MORE_BYTES: usize = 40;

/// A plan, or that there is none, as Markdown; written by its `Display`, without a last newline.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a> {
    pub subject: Subject<'a>,
    /// Warnings and errors of the run, in any order.
    pub messages: &'a [Diagnostic],
    pub options: MarkdownOptions<'a>,
}

#[derive(Debug, Clone, Copy)]
pub enum Subject<'a> {
    Plan(&'a Plan),
    Failed(&'a FailedPlan),
}

/// What the page depends on beside the plan.
#[derive(Debug, Clone, Copy)]
pub struct MarkdownOptions<'a> {
    /// The contact directory, as seen from the root of its repository; one comment belongs to one directory.
    pub directory: &'a str,
    pub mask: Mask,
    /// Most bytes of the page, the newline that printing adds included.
    pub max_bytes: usize,
    pub detail: Detail,
    pub by_file: bool,
    pub forecast: Option<&'a Forecast>,
    pub digest: Option<&'a Digest>,
    /// What ids in the plan stand for, where that is known.
    pub names: Option<&'a Glossary>,
    /// The command that applies exactly this plan, as this user would type it; `None` leaves it out.
    pub apply: Option<&'a str>,
    /// The command that shows everything, named where something is left out.
    pub plan: &'a str,
    /// A line that the reader should see first; words of ours alone.
    pub note: Option<&'a str>,
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = Room(self.options.max_bytes.saturating_sub(1));
        // What matters most takes its room first.
        let marker = room.take(marker(self.options.directory));
        let status = room.take(self.status());
        let title = room.take(format!("### contactsd plan: {}", code(self.options.directory)));
        let next = self.next().and_then(|text| room.take(text));
        let note = self.options.note.and_then(|note| room.take(note.to_owned()));
        let standing = self.standing().and_then(|text| room.take(text));

        let mut paragraphs = Vec::new();
        match (marker, title) {
            (Some(marker), Some(title)) => paragraphs.push(format!("{marker}\n{title}")),
            (marker, title) => paragraphs.extend(marker.or(title)),
        }
        paragraphs.extend([note, status, standing].into_iter().flatten());
        f.write_str(&paragraphs.join("\n\n"))?;
        self.write_folds(f, room.0)?;
        next.map_or(Ok(()), |next| write!(f, "\n\n{next}"))
    }
}

/// Bytes that are left of the page.
struct Room(usize);

impl Room {
    /// Takes the room for a paragraph and the empty line before it, if there is so much.
    fn take(&mut self, text: String) -> Option<String> {
        self.0 = self.0.checked_sub(text.len() + 2)?;
        Some(text)
    }
}

impl Markdown<'_> {
    /// Says in a line what the plan comes to; outside of any fold, and as programs read it.
    fn status(&self) -> String {
        match self.subject {
            Subject::Failed(_) => format!("**Planning failed.** {}", FailedPlan::NOTHING),
            Subject::Plan(plan) if plan.is_empty() => PlanText { plan, options: PlanOptions::default() }.to_string(),
            Subject::Plan(plan) => format!("Plan: {}", summary(&plan.counts())),
        }
    }

    /// Says what else stands outside of the fold: other counts, cost, and what stands in the way.
    fn standing(&self) -> Option<String> {
        let paragraphs: Vec<String> = match self.subject {
            Subject::Failed(failed) => failed.found().into_iter().collect(),
            Subject::Plan(plan) => {
                let forecast = self.options.forecast.and_then(forecast_text).filter(|_| !plan.is_empty());
                let brakes = plan.brakes.iter().map(|brake| format!("**Brake:** {}", brake_text(brake)));
                let one_each = self.options.forecast.and_then(one_each_text).filter(|_| !plan.is_empty());
                let look = look_note(plan, self.options.detail, self.options.forecast);
                let cost = [also(&plan.counts()), forecast, one_each, look].into_iter().flatten();
                cost.chain(brakes).collect()
            }
        };
        (!paragraphs.is_empty()).then(|| paragraphs.join("\n\n"))
    }

    /// Names the plan, and the command that applies exactly this one.
    fn next(&self) -> Option<String> {
        let Subject::Plan(plan) = self.subject else { return None };
        let digest = self.options.digest.filter(|_| !plan.is_empty())?;
        let can_go_on = plan.brakes.is_empty() && plan.actions.iter().any(is_performed);
        let Some(apply) = self.options.apply.filter(|_| can_go_on) else {
            return Some(format!("Digest: {}", code(&digest.0)));
        };
        let command = super::escape(apply).into_owned();
        let command = tame(&command);
        let fence = "`".repeat(3.max(backticks(&command) + 1));
        let text = "This applies exactly this plan, or nothing if the files or the state have changed since:";
        Some(format!("Digest: {}\n\n{text}\n\n{fence}sh\n{command}\n{fence}", code(&digest.0)))
    }

    fn write_folds(&self, f: &mut fmt::Formatter<'_>, room: usize) -> fmt::Result {
        let plan = match self.subject {
            Subject::Plan(plan) if !plan.is_empty() => Some(plan),
            Subject::Plan(_) | Subject::Failed(_) => None,
        };
        let messages = self.messages_fold();
        let messages_bytes = if self.messages.is_empty() { 0 } else { messages.1 };
        let whole = plan.map(|plan| self.plan_fold(plan, false));
        if messages_bytes + whole.as_ref().map_or(0, |(fold, size)| fold.bytes(size.bytes)) <= room {
            self.write_messages(f, &messages.0, room)?;
            if let (Some(plan), Some((fold, _))) = (plan, whole) {
                fold.write(f, room, |lines| self.draw_plan(lines, plan, false).map(drop))?;
            }
            return Ok(());
        }
        self.write_cut(f, room, &messages.0, plan)
    }

    /// Writes what there is room for: who is created and forgotten before what is done to them.
    fn write_cut(&self, f: &mut fmt::Formatter<'_>, room: usize, messages: &Fold, plan: Option<&Plan>) -> fmt::Result {
        let cut = plan.map(|plan| (plan, self.plan_fold(plan, true)));
        let lines = cut.as_ref().map_or(0, |(_, (_, size))| size.lines);
        let actions = plan.map_or(0, |plan| plan.actions.len());
        let everything = LeftOut { lines, actions, messages: self.messages.len() };
        // Written at the end, when it is known what is left out; never longer than this.
        let Some(mut room) = room.checked_sub(self.left_out(everything, everything).len() + 2) else { return Ok(()) };
        let share = if plan.is_some() { room / 3 } else { room };
        let (size, messages_shown) = self.write_messages(f, messages, share)?;
        if size.lines > 0 {
            room -= messages.bytes(size.bytes);
        }
        let mut left_out = LeftOut { messages: self.messages.len() - messages_shown, ..everything };
        if let Some((plan, (fold, _))) = cut {
            let (list, bytes) = Self::addresses_fold(plan);
            let written = Self::write_addresses(f, &list, plan, bytes.min(room / 2))?;
            if written.lines > 0 {
                room -= list.bytes(written.bytes);
            }
            let mut shown = 0;
            let written = fold.write(f, room, |lines| {
                shown = self.draw_plan(lines, plan, true)?;
                Ok(())
            })?;
            left_out.lines = lines - written.lines;
            left_out.actions = actions - if written.lines == 0 { 0 } else { shown };
        }
        write!(f, "\n\n{}", self.left_out(left_out, everything))
    }

    fn left_out(&self, left_out: LeftOut, of: LeftOut) -> String {
        let mut parts = Vec::new();
        if left_out.lines > 0 {
            let (lines, all) = (count(left_out.lines), counted(of.lines, "line"));
            let (actions, of) = (count(left_out.actions), counted(of.actions, "action"));
            parts.push(format!("{lines} of {all}, with all or the end of {actions} of {of}"));
        }
        if left_out.messages > 0 {
            parts.push(format!("{} of {}", count(left_out.messages), counted(of.messages, "message")));
        }
        if parts.is_empty() {
            parts.push("the ends of long values".to_owned());
        }
        let limit = count(self.options.max_bytes);
        let plan = code(self.options.plan);
        format!("Cut to stay within {limit} bytes. Left out: {}. {plan} shows everything.", parts.join("; "))
    }

    /// Returns the fold of all messages, and its bytes when it holds them whole.
    fn messages_fold(&self) -> (Fold, usize) {
        let of = |severity| self.messages.iter().filter(move |message| message.severity == severity);
        let number = |severity| of(severity).map(|message| message.findings).sum::<usize>();
        let (errors, warnings) = (number(Severity::Error), number(Severity::Warning));
        let named = [(errors, "error"), (warnings, "warning")].into_iter().filter(|(number, _)| *number > 0);
        let named: Vec<_> = named.map(|(number, noun)| counted(number, noun)).collect();
        let (size, _) = measured(|lines| self.draw_messages(lines));
        let fold = Fold { summary: named.join(", "), open: errors > 0, language: "text", backticks: size.backticks };
        let bytes = fold.bytes(size.bytes);
        (fold, bytes)
    }

    /// Lists errors before warnings: the end may be cut.
    fn sorted_messages(&self) -> impl Iterator<Item = &Diagnostic> {
        let of = |severity| self.messages.iter().filter(move |message| message.severity == severity);
        of(Severity::Error).chain(of(Severity::Warning))
    }

    /// Writes messages while there is room, and says how many are there whole.
    fn write_messages(
        &self,
        f: &mut fmt::Formatter<'_>,
        fold: &Fold,
        room: usize,
    ) -> Result<(Size, usize), fmt::Error> {
        if self.messages.is_empty() {
            return Ok((Size::default(), 0));
        }
        let mut shown = 0;
        let written = fold.write(f, room, |lines| {
            shown = self.draw_messages(lines)?;
            Ok(())
        })?;
        Ok((written, if written.lines == 0 { 0 } else { shown }))
    }

    fn draw_messages(&self, lines: &mut Lines<'_, '_>) -> Result<usize, fmt::Error> {
        let mut shown = 0;
        for message in self.sorted_messages() {
            // An empty line stands before each.
            lines.text(message_text(&self.options.mask.message(message), Stream::default()))?;
            if lines.full {
                break;
            }
            shown += 1;
        }
        Ok(shown)
    }

    fn layout(&self, cut: bool) -> Layout<'_> {
        let MarkdownOptions { mask, detail, names, .. } = self.options;
        let concise = detail == Detail::Concise;
        Layout { paint: Paint { color: false }, mask, marks: Marks::FirstColumn, concise, cut, names }
    }

    /// Returns the fold of the plan, and what it holds when nothing is left out but the ends of long values.
    fn plan_fold(&self, plan: &Plan, cut: bool) -> (Fold, Size) {
        let (size, _) = measured(|lines| self.draw_plan(lines, plan, cut));
        let fold = Fold { summary: "Show plan".to_owned(), open: false, language: "diff", backticks: size.backticks };
        (fold, size)
    }

    /// Writes the plan while there is room, and says how many actions are there whole.
    fn draw_plan(&self, lines: &mut Lines<'_, '_>, plan: &Plan, cut: bool) -> Result<usize, fmt::Error> {
        let layout = self.layout(cut);
        let mut shown = 0;
        for piece in pieces(plan, self.options.by_file) {
            lines.text(PieceText { piece, layout })?;
            if lines.full {
                break;
            }
            shown += usize::from(matches!(piece, Piece::Action(_)));
        }
        Ok(shown)
    }

    /// Returns the fold of the addresses that come and go, and its bytes when it holds them all.
    fn addresses_fold(plan: &Plan) -> (Fold, usize) {
        let Counts { add, forget, .. } = plan.counts();
        let named = [(add, "create"), (forget, "forget")].into_iter().filter(|(number, _)| *number > 0);
        let named: Vec<_> = named.map(|(number, noun)| counted(number, noun)).collect();
        let fold =
            Fold { summary: format!("{} by address", named.join(", ")), open: false, language: "diff", backticks: 0 };
        let (size, ()) = measured(|lines| addresses(plan).try_for_each(|line| lines.text(line)));
        let bytes = if size.lines == 0 { 0 } else { fold.bytes(size.bytes) + MORE_BYTES };
        (fold, bytes)
    }

    fn write_addresses(f: &mut fmt::Formatter<'_>, fold: &Fold, plan: &Plan, room: usize) -> Result<Size, fmt::Error> {
        let all = addresses(plan).count();
        fold.write(f, room.saturating_sub(MORE_BYTES), |lines| {
            for (shown, line) in addresses(plan).enumerate() {
                lines.text(line)?;
                if lines.full {
                    return lines.last(format_args!("... and {} more", count(all - shown)), MORE_BYTES);
                }
            }
            Ok(())
        })
    }
}

/// Measures what `draw` would write, and returns what it says.
fn measured<T>(draw: impl FnOnce(&mut Lines<'_, '_>) -> Result<T, fmt::Error>) -> (Size, T) {
    let mut lines = Lines::measuring();
    let said = draw(&mut lines).expect("measuring does not fail");
    (lines.written, said)
}

/// What a page that is cut does not show.
#[derive(Debug, Clone, Copy)]
struct LeftOut {
    lines: usize,
    actions: usize,
    messages: usize,
}

/// Lists who is forgotten and who is created; forgets are fewer, and nobody should miss them.
fn addresses(plan: &Plan) -> impl Iterator<Item = String> + '_ {
    let of = |wanted: fn(&Operation) -> bool, mark| {
        let actions = plan.actions.iter().filter(move |action| wanted(&action.operation));
        actions.map(move |action| format!("{mark} {}", action.key().address()))
    };
    let forgets = of(|operation| matches!(operation, Operation::Forget { .. }), '-');
    forgets.chain(of(|operation| matches!(operation, Operation::Create { .. }), '+'))
}
