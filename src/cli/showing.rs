//! Showing plans, and what became of them, as this invocation shows them.

use super::Exit;
use super::context::Context;
use super::view::View;
use crate::ops::{self, Drift, Planned, Report};
use crate::settings::Checkout;
use crate::shell_word::command;
use crate::ui::json::{drift_records, import_records, plan_records};
use crate::ui::words::system::{OneStdout, exclude_each_other};
use crate::ui::{
    DriftText, FailedPlan, Forecast, ImportsText, Markdown, MarkdownOptions, PlanOptions, PlanText, Subject,
    drift_note, words,
};

/// A plan and the words that belong to it.
pub(super) struct Shown<'a> {
    pub(super) planned: &'a Planned,
    /// Whether it is applied or refused next, whatever anybody says to it.
    pub(super) is_decided: bool,
    /// The command that is offered at the end of a text.
    pub(super) next_step: Option<&'a str>,
    /// The command that applies exactly this plan.
    pub(super) apply: Option<String>,
    /// The command that shows the whole plan.
    pub(super) everything: String,
    /// Whether the plan is for the sandbox.
    pub(super) sandbox: bool,
    /// What a page says first.
    pub(super) note: Option<&'a str>,
}

impl<'a> Shown<'a> {
    /// A plan that was made from the files and the state of this invocation.
    pub(super) fn of(planned: &'a Planned, context: &Context) -> Self {
        let (everything, sandbox) = (command("plan"), context.sandbox);
        Self { planned, is_decided: false, next_step: None, apply: None, everything, sandbox, note: None }
    }
}

/// Has plans shown like this from here on, and messages with or without values.
pub(super) fn begin(context: &mut Context, view: View) -> Result<(), Exit> {
    if view.is_page() && context.shell.speaks_json() {
        return Err(context.fail(&exclude_each_other(OneStdout::PageAndRecords)));
    }
    context.view = view;
    context.shell.mask(view.mask);
    if view.is_page() {
        context.shell.keep_messages();
    }
    Ok(())
}

/// Prints a plan as people review it, and what should be known beside it.
pub(super) fn show(context: &mut Context, shown: &Shown<'_>) {
    let Shown { planned, is_decided, next_step, apply, everything, sandbox, note } = shown;
    context.shell.messages(planned.warnings().iter().map(words::problem));
    let view = context.view;
    let stdout = context.shell.stdout();
    let forecast = forecast(&planned.forecast, *sandbox);
    let records = plan_records(planned, view.mask);
    if view.is_page() {
        let options = MarkdownOptions {
            forecast: Some(&forecast),
            digest: planned.digest.as_ref(),
            names: Some(&planned.names),
            apply: apply.as_deref(),
            note: *note,
            ..page_options(view, everything)
        };
        let directory = directory(context);
        let messages = context.shell.kept_messages();
        let options = MarkdownOptions { directory: &directory, ..options };
        let page = Markdown { subject: Subject::Plan(&planned.plan), messages: &messages, options };
        // What is copied elsewhere is never broken into lines.
        context.shell.to_people(|shell| shell.result(page));
        context.shell.records(records);
        return;
    }
    let text = PlanText {
        plan: &planned.plan,
        options: PlanOptions {
            color: stdout.color,
            width: stdout.width,
            mask: view.mask,
            detail: view.detail,
            by_file: view.by_file,
            abridged: view.is_abridged(stdout, planned.plan.actions.len()),
            next_step: *next_step,
            forecast: Some(&forecast),
            digest: planned.digest.as_ref(),
            names: Some(&planned.names),
        },
    };
    // What is done without asking is no result of its own, and a quiet shell tells results.
    if *is_decided && !planned.plan.is_empty() {
        context.shell.status_as(text, records);
    } else {
        context.shell.result_as(text, records);
    }
}

/// Shows what has changed in Apollo, above the plan that restores it; a page says it in the words that are returned.
pub(super) fn show_drift(context: &mut Context, drift: &Drift) -> Option<String> {
    context.shell.messages(drift.warnings().iter().map(words::problem));
    if drift.is_none() {
        return None;
    }
    let (view, stdout) = (context.view, context.shell.stdout());
    let records = drift_records(drift, view.mask);
    if view.is_page() {
        context.shell.records(records);
        return Some(drift_note(drift));
    }
    let cut = view.is_abridged(stdout, drift.contacts.len());
    let text = DriftText { drift, color: stdout.color, mask: view.mask, cut, rule: Some(stdout.width) };
    context.shell.result_as(text, records);
    None
}

/// Lists imported contacts and what was written to them; prints nothing if there are none.
pub(super) fn show_imports(context: &mut Context, report: &Report) {
    if report.imports.is_empty() {
        return;
    }
    let view = context.view;
    let stdout = context.shell.stdout();
    let text = ImportsText {
        imports: &report.imports,
        color: stdout.color,
        mask: view.mask,
        // No value of a contact stands in a log.
        values: !context.shell.speaks_log(),
        detail: view.detail,
        abridged: view.is_abridged(stdout, report.imports.len()),
    };
    context.shell.result_as(text, import_records(report, view.mask));
}

/// Says that there is no plan; the errors were told before.
pub(super) fn show_failed(context: &mut Context) {
    let view = context.view;
    let (errors, warnings) = context.shell.told();
    let (files, contacts) = (context.found.files, context.found.contacts);
    let failed = FailedPlan { files, contacts, errors, warnings, color: context.shell.stdout().color };
    if view.is_page() {
        let directory = directory(context);
        let everything = command("plan");
        let options = MarkdownOptions { directory: &directory, ..page_options(view, &everything) };
        let messages = context.shell.kept_messages();
        let page = Markdown { subject: Subject::Failed(&failed), messages: &messages, options };
        context.shell.to_people(|shell| shell.result(page));
    } else {
        let gap = if context.shell.stdout().is_terminal { "\n" } else { "" };
        context.shell.result_as(format_args!("{gap}{failed}"), []);
    }
}

/// Names the contact directory as every run for it does: its comment is found by that name.
pub(super) fn directory(context: &Context) -> String {
    let contacts = &context.locations.contacts;
    let name = Checkout::around(contacts, &context.environment).name(contacts);
    if name.as_os_str().is_empty() { ".".to_owned() } else { name.display().to_string() }
}

fn page_options(view: View, everything: &str) -> MarkdownOptions<'_> {
    MarkdownOptions {
        directory: "",
        mask: view.mask,
        max_bytes: view.page.unwrap_or(usize::MAX),
        detail: view.detail,
        by_file: view.by_file,
        forecast: None,
        digest: None,
        names: None,
        apply: None,
        plan: everything,
        note: None,
    }
}

/// Says which limits are not known.
fn assumed(forecast: &ops::Forecast) -> String {
    let kinds: Vec<String> = forecast.assumed_for.iter().map(ToString::to_string).collect();
    match kinds.split_last() {
        Some((last, others)) if kinds.len() < forecast.requests.len() => {
            let kinds = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
            format!("600 requests an hour are assumed for {kinds} until Apollo tells its limits")
        }
        _ => "600 requests an hour of each kind are assumed until Apollo tells its limits".to_owned(),
    }
}

fn forecast(forecast: &ops::Forecast, sandbox: bool) -> Forecast {
    let requests = forecast.requests.iter().map(|(&endpoint, &count)| (endpoint, count)).collect();
    // What is assumed of Apollo says nothing about the stand-in.
    let says_nothing = sandbox && forecast.assumed;
    Forecast {
        requests,
        up_to: forecast.up_to.clone(),
        at_most: forecast.at_most,
        duration: (!says_nothing).then_some(forecast.duration),
        note: (forecast.assumed && !sandbox).then(|| assumed(forecast)),
        creates: forecast.creates,
        one_each: forecast.one_each.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;

    #[test]
    fn only_kinds_whose_limits_are_unknown_are_named() {
        let all = [Endpoint::CreateContact, Endpoint::UpdateContact, Endpoint::SearchContacts];
        let said = |assumed_for: &[Endpoint]| {
            assumed(&ops::Forecast {
                requests: all.iter().map(|endpoint| (*endpoint, 1)).collect(),
                assumed: true,
                assumed_for: assumed_for.iter().copied().collect(),
                ..ops::Forecast::default()
            })
        };
        let each = "600 requests an hour of each kind are assumed until Apollo tells its limits";
        assert_eq!(said(&all), each);
        assert_eq!(said(&[]), each, "a plan that was saved before they were kept");
        assert_eq!(said(&all[1..2]), "600 requests an hour are assumed for update until Apollo tells its limits");
        assert!(said(&all[..2]).contains("for create and update until"), "{}", said(&all[..2]));
    }
}
