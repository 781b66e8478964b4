//! The first of many findings in one file, and at how many places there are more.
//!
//! A file in which everything is wrong, as one of another program is, costs and prints no more than its beginning.

use std::collections::HashSet;

use super::code::{Code, Severity};
use super::diagnostic::{Diagnostic, Location, Span};

/// Most errors, and most warnings, that are kept of one file, or of what is wrong between files.
pub(super) const KEPT: usize = 100;

/// The findings of one file.
#[derive(Debug, Default)]
pub(super) struct Tally {
    kept: Vec<Diagnostic>,
    errors: Counted,
    warnings: Counted,
    /// Where something was found, kept or not: aliases lead to one place many times.
    places: HashSet<(Severity, usize, usize)>,
}

/// The findings of one severity.
#[derive(Debug, Default)]
struct Counted {
    kept: usize,
    /// How many of the places are not shown, and the first of them.
    further: usize,
    first_further: Option<Span>,
}

impl Tally {
    pub(super) fn has_room_for(&self, severity: Severity) -> bool {
        let counted = match severity {
            Severity::Error => &self.errors,
            Severity::Warning => &self.warnings,
        };
        // Warnings beside so many errors help nobody.
        self.errors.kept < KEPT && counted.kept < KEPT
    }

    fn counted(&mut self, severity: Severity) -> &mut Counted {
        match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        }
    }

    /// Keeps a finding, unless it is kept already.
    pub(super) fn keep(&mut self, span: Span, diagnostic: Diagnostic) {
        let is_new_place = self.places.insert((diagnostic.severity, span.line, span.column));
        let same = |kept: &Diagnostic| {
            let place = kept.location.as_ref().map(|location| (location.line, location.column));
            let other = diagnostic.location.as_ref().map(|location| (location.line, location.column));
            (place, kept.code, &kept.summary) == (other, diagnostic.code, &diagnostic.summary)
        };
        if is_new_place || !self.kept.iter().any(same) {
            self.counted(diagnostic.severity).kept += 1;
            self.kept.push(diagnostic);
        }
    }

    /// Notes that something is wrong at a place that is not shown.
    pub(super) fn count(&mut self, severity: Severity, span: Span) {
        if self.places.insert((severity, span.line, span.column)) {
            let counted = self.counted(severity);
            counted.further += 1;
            counted.first_further.get_or_insert(span);
        }
    }

    /// Returns what was kept, and how much more there is as the last of it.
    pub(super) fn finish(self, locate: impl Fn(Span) -> Location) -> Vec<Diagnostic> {
        let mut diagnostics = self.kept;
        for (severity, counted) in [(Severity::Error, self.errors), (Severity::Warning, self.warnings)] {
            if let Some(first) = counted.first_further {
                diagnostics.push(further(severity, counted.further, "in this file", locate(first)));
            }
        }
        diagnostics
    }
}

/// Says how many findings are not shown, `first` being the place of the first of them.
pub(super) fn further(severity: Severity, count: usize, of: &str, first: Location) -> Diagnostic {
    let more = match (severity, count) {
        (Severity::Error, 1) => "1 more mistake".to_owned(),
        (Severity::Error, count) => format!("{count} more mistakes"),
        (Severity::Warning, 1) => "1 more warning".to_owned(),
        (Severity::Warning, count) => format!("{count} more warnings"),
    };
    let (code, next) = match severity {
        Severity::Error => (
            Code::FurtherErrors,
            "Correct these, or what they have in common, and run the command again. If the file was not made for \
             contactsd, take it out of the directory.",
        ),
        Severity::Warning => (Code::FurtherWarnings, "A warning keeps no file from being applied."),
    };
    let detail = format!("Only the first {KEPT} are shown; the rest begins here. {next}");
    Diagnostic { findings: count, ..Diagnostic::new(code, format!("{more} {of}"), detail).at(first) }
}
