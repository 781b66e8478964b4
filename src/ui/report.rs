//! The question before an apply and the account after it.

use std::fmt::Write;

use super::amounts::{duration, wait};
use super::style::Paint;
use crate::ops::{Ended, Report};

/// The answer that approves; no other does.
pub const APPROVAL: &str = "yes";

/// Returns the question before anything is sent; the answer is expected on its last line.
pub fn approval_prompt(color: bool) -> String {
    let paint = Paint { color };
    format!(
        "\n{}\n  contactsd will perform the actions described above.\n  Only '{APPROVAL}' will be accepted to approve.\n\n  {} ",
        paint.bold("Do you want to perform these actions?"),
        paint.bold("Enter a value:")
    )
}

/// Says what an apply did, without the last newline: true counts, complete or not, and what to do next.
pub fn apply_summary(report: &Report, color: bool) -> String {
    let paint = Paint { color };
    let resources = resources(report);
    let mut text = if is_complete(report) {
        paint.bold_green(format_args!("Apply complete! {resources}")).to_string()
    } else {
        let line = format!("Apply incomplete. {resources} {}", shortfall(report));
        if report.failed > 0 || report.ended == Ended::Fatal {
            paint.bold_red(line).to_string()
        } else {
            paint.bold_yellow(line).to_string()
        }
    };
    if let Some(also) = also(report) {
        write!(text, "\n{also}").expect("writing to a string does not fail");
    }
    if !is_complete(report) {
        write!(text, "\n{}", next_step(report)).expect("writing to a string does not fail");
    }
    text
}

/// Says what one pass of a watch did, without the last newline, and what becomes of the rest.
pub fn pass_summary(report: &Report, color: bool) -> String {
    let line = apply_summary(&Report { ended: Ended::Complete, ..report.clone() }, color);
    let counts =
        if is_complete(report) { line.as_str() } else { line.rsplit_once('\n').map_or("", |(counts, _)| counts) };
    let rest = match &report.ended {
        Ended::Interrupted | Ended::Terminated | Ended::Complete if report.failed + report.remaining == 0 => None,
        Ended::Interrupted | Ended::Terminated => Some("The next service does the rest.".to_owned()),
        Ended::Yielded => Some("Stopped for a change: planning again.".to_owned()),
        Ended::Fatal => {
            Some("No further request could succeed. The service tries again, less often each time.".to_owned())
        }
        Ended::QuotaExhausted { endpoint, wait: time } => {
            Some(format!("The {endpoint} quota opens again in {}. The rest follows then.", wait(*time)))
        }
        Ended::Outage { .. } => Some("Apollo does not answer correctly. The rest is tried again.".to_owned()),
        Ended::Complete => {
            Some("What failed is tried again, less often each time, and at once when it is edited.".to_owned())
        }
    };
    rest.map_or_else(|| counts.to_owned(), |rest| format!("{counts}\n{rest}"))
}

/// Says what a watch did over all its passes, without the last newline.
pub fn watch_summary(passes: usize, total: &Report, color: bool) -> String {
    let paint = Paint { color };
    let passes = if passes == 1 { "1 pass".to_owned() } else { format!("{passes} passes") };
    let mut text = paint.bold(format_args!("Watch ended after {passes}. {}", resources(total))).to_string();
    if let Some(also) = also(total) {
        write!(text, "\n{also}").expect("writing to a string does not fail");
    }
    if total.failed > 0 {
        write!(text, "\nActions that failed: {}, including repeated attempts.", total.failed)
            .expect("writing to a string does not fail");
    }
    text
}

/// Reports whether everything that was to be done is done, whatever ended the run.
fn is_complete(report: &Report) -> bool {
    report.failed == 0 && report.remaining == 0 && report.ended != Ended::Fatal
}

/// Counts as programs read them: never translated, no separators, always in this order.
fn resources(report: &Report) -> String {
    let Report { imported, added, forgotten, .. } = report;
    let changed = report.updated();
    let imported = if *imported > 0 { format!("{imported} imported, ") } else { String::new() };
    let forgotten = if *forgotten > 0 { format!(", {forgotten} forgotten") } else { String::new() };
    format!("Resources: {imported}{added} added, {changed} changed, 0 destroyed{forgotten}.")
}

fn shortfall(report: &Report) -> String {
    format!("{} failed, {} remaining.", report.failed, report.remaining)
}

/// Counts what has no place in the summary line; `None` when there is nothing of it.
fn also(report: &Report) -> Option<String> {
    let parts: Vec<String> = [(report.moved, "moved"), (report.released, "released"), (report.settled, "settled")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    (!parts.is_empty()).then(|| format!("Also: {}.", parts.join(", ")))
}

fn next_step(report: &Report) -> String {
    let cause = match &report.ended {
        Ended::Complete => String::new(),
        Ended::Interrupted => "Interrupted before the end. ".to_owned(),
        Ended::Terminated => "Told to stop before the end. ".to_owned(),
        Ended::Yielded => "Stopped for a new plan. ".to_owned(),
        Ended::Fatal => "Stopped early: no further request could succeed. ".to_owned(),
        Ended::QuotaExhausted { endpoint, wait: time } => {
            format!("The {endpoint} quota opens again in {}, longer than --max-wait allows. ", wait(*time))
        }
        Ended::Outage { unreachable: true, lasted, .. } => {
            format!("Apollo could not be reached for {}. ", duration(*lasted))
        }
        Ended::Outage { endpoint, lasted, .. } => {
            format!("Apollo failed at each {endpoint} request for {}. ", duration(*lasted))
        }
    };
    let resume = match report.failed {
        0 => "run the command again to do the rest",
        _ => "correct what the errors name, then run the command again",
    };
    format!("{cause}What is done is recorded: {resume}.")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Endpoint;

    /// Shows escape sequences as text.
    fn summary(report: &Report, color: bool) -> String {
        apply_summary(report, color).replace('\u{1b}', "␛")
    }

    #[test]
    fn a_watch_sums_up_all_its_passes() {
        let total = Report { added: 2, moved: 1, failed: 3, ..Report::default() };
        insta::assert_snapshot!(watch_summary(6, &total, false), @r"
        Watch ended after 6 passes. Resources: 2 added, 0 changed, 0 destroyed.
        Also: 1 moved.
        Actions that failed: 3, including repeated attempts.
        ");
    }

    #[test]
    fn a_complete_apply_shows_what_is_zero_only_where_people_expect_it() {
        insta::assert_snapshot!(summary(&Report { added: 1, ..Report::default() }, false), @"Apply complete! Resources: 1 added, 0 changed, 0 destroyed.");
        let everything = Report {
            imported: 2,
            added: 10_000,
            changed: 3,
            forgotten: 4,
            moved: 5,
            released: 6,
            settled: 7,
            ..Report::default()
        };
        insta::assert_snapshot!(summary(&everything, true), @r"
        ␛[1m␛[32mApply complete! Resources: 2 imported, 10000 added, 3 changed, 0 destroyed, 4 forgotten.␛[0m
        Also: 5 moved, 6 released, 7 settled.
        ");
    }

    #[test]
    fn an_import_that_wrote_fields_counts_as_a_change_too() {
        let report = Report { imported: 2, changed: 1, changed_imports: 1, ..Report::default() };
        insta::assert_snapshot!(summary(&report, false), @"Apply complete! Resources: 2 imported, 0 added, 2 changed, 0 destroyed.");
        assert_eq!(report.done(), 3, "an action is done once");
    }

    #[test]
    fn a_partial_apply_shows_true_counts_and_what_to_do() {
        let failed = Report { added: 7, failed: 2, ..Report::default() };
        insta::assert_snapshot!(summary(&failed, true), @r"
        ␛[1m␛[31mApply incomplete. Resources: 7 added, 0 changed, 0 destroyed. 2 failed, 0 remaining.␛[0m
        What is done is recorded: correct what the errors name, then run the command again.
        ");
        let fatal = Report { failed: 1, remaining: 9, ended: Ended::Fatal, ..Report::default() };
        insta::assert_snapshot!(summary(&fatal, false), @r"
        Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed. 1 failed, 9 remaining.
        Stopped early: no further request could succeed. What is done is recorded: correct what the errors name, then run the command again.
        ");
    }

    #[test]
    fn a_stopped_apply_shows_what_remains() {
        let interrupted = Report { added: 3, remaining: 97, ended: Ended::Interrupted, ..Report::default() };
        insta::assert_snapshot!(summary(&interrupted, true), @r"
        ␛[1m␛[33mApply incomplete. Resources: 3 added, 0 changed, 0 destroyed. 0 failed, 97 remaining.␛[0m
        Interrupted before the end. What is done is recorded: run the command again to do the rest.
        ");
        let wait = Duration::from_mins(42);
        let ended = Ended::QuotaExhausted { endpoint: Endpoint::CreateContact, wait };
        let exhausted = Report { added: 400, remaining: 600, ended, ..Report::default() };
        insta::assert_snapshot!(summary(&exhausted, false), @r"
        Apply incomplete. Resources: 400 added, 0 changed, 0 destroyed. 0 failed, 600 remaining.
        The create quota opens again in 42m, longer than --max-wait allows. What is done is recorded: run the command again to do the rest.
        ");
    }

    #[test]
    fn a_signal_after_the_last_action_leaves_nothing_to_do() {
        let late = Report { changed: 1, ended: Ended::Terminated, ..Report::default() };
        insta::assert_snapshot!(summary(&late, false), @"Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    }

    #[test]
    fn the_question_says_what_counts_as_an_approval() {
        insta::assert_snapshot!(approval_prompt(false).trim(), @r"
        Do you want to perform these actions?
          contactsd will perform the actions described above.
          Only 'yes' will be accepted to approve.

          Enter a value:
        ");
    }
}
