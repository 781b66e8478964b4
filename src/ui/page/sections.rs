//! The parts of the page about the service as a whole: what is held, the files, figures, and the process.

use maud::{Markup, html};

use super::standing::to_do;
use super::text::{due, foreign, moment, to_copy, took};
use crate::model::Timestamp;
use crate::ops::watch::{Braked, LastLoad, Phase, Status};
use crate::source::Code;
use crate::ui::amounts::{count, counted, duration};
use crate::ui::plan_text::counts_summary;
use crate::ui::status_text::{outcome, telling_line};
use crate::ui::words;

/// Codes of mistakes that are listed.
const LISTED: usize = 6;

/// Shows the plan that exceeds limits, with what lets it through.
pub(super) fn held(status: &Status, now: Timestamp, command: &dyn Fn(&str) -> String) -> Markup {
    let Some(Braked { digest, reasons, counts, since }) = &status.braked else { return Markup::default() };
    html! {
        section .held aria-labelledby="held" {
            h2 #held { "Held plan" }
            p { strong { (counts_summary(counts)) } " Since: " (moment(*since, now)) }
            ul { @for reason in reasons { li { (foreign(&words::in_short(reason, None))) } } }
            (to_copy("To look at it:", &command("plan")))
            @if status.only_plans {
                p { (words::service::ONLY_PLANS) }
            } @else {
                (to_copy("To apply exactly this plan once:", &command(&format!("approve {}", digest.0))))
            }
        }
    }
}

/// Tells what is wrong with the files, in numbers.
pub(super) fn files(status: &Status, command: &dyn Fn(&str) -> String) -> Markup {
    let Some(LastLoad { unreadable, errors, warnings, .. }) = &status.last_load else { return Markup::default() };
    if unreadable.is_none() && errors.is_empty() && warnings.is_empty() {
        return Markup::default();
    }
    let first = errors.keys().chain(warnings.keys()).find(|code| page_of(code).is_some());
    html! {
        section aria-labelledby="files" {
            h2 #files { "Files" }
            @if let Some(why) = unreadable { p { (foreign(why)) } }
            @for (what, found) in [("mistake", errors), ("warning", warnings)] {
                @if !found.is_empty() {
                    h3 { (counted(found.values().sum(), what)) }
                    ul .codes {
                        @for (code, number) in found.iter().take(LISTED) {
                            li { b { (code) } " " (title(code)) @if *number > 1 { " (" (count(*number)) ")" } }
                        }
                        @if found.len() > LISTED { li { "and " (counted(found.len() - LISTED, "other kind")) } }
                    }
                }
            }
            @if let Some(code) = first {
                (to_copy("To see each mistake with its place:", &command("validate")))
                (to_copy("To get one explained:", &format!("contactsd explain {code}")))
            }
        }
    }
}

/// Returns the title of a code that has a page of its own.
fn page_of(code: &str) -> Option<&'static str> {
    Code::ALL.iter().find(|known| known.as_str() == code).map(|known| known.title())
}

fn title(code: &str) -> String {
    // Titles name fields and flags between backticks.
    page_of(code).unwrap_or_default().replace('`', "")
}

/// Shows the figures that are looked for first.
pub(super) fn tiles(status: &Status, now: Timestamp) -> Markup {
    let next = match (status.phase, status.next_pass) {
        (Phase::Passing, _) => html! { "under way" },
        (Phase::Resting | Phase::StandingBy, Some(next)) => due(next, now),
        _ => html! { "none" },
    };
    html! {
        section aria-labelledby="figures" {
            h2 .unseen #figures { "Figures" }
            dl .tiles {
                div { dt { "Declared" } dd { (count(status.declared)) } }
                div { dt { "To do" } dd { (count(to_do(status))) } }
                div { dt { "Failing" } dd { (count(status.failing.len())) } }
                div { dt { "Next pass" } dd .time { (next) } }
            }
        }
    }
}

/// Tells of the process and its state.
pub(super) fn service(status: &Status, now: Timestamp) -> Markup {
    let (resync, passes) = (duration(status.resync), usize::try_from(status.passes).unwrap_or(usize::MAX));
    html! {
        section aria-labelledby="service" {
            h2 #service { "Service" }
            dl .facts {
                @if let Some(pass) = &status.last_pass {
                    div {
                        dt { "Last pass" }
                        dd {
                            (outcome(pass.outcome)) ", took " (took(pass.ended.since(pass.began))) "; "
                            (moment(pass.ended, now))
                            @if pass.done + pass.failed + pass.remaining > 0 {
                                ": " (count(pass.done)) " done, " (count(pass.failed)) " failed, "
                                (count(pass.remaining)) " remaining"
                            }
                        }
                    }
                }
                @if let Some(good) = status.last_good_pass { div { dt { "Last successful pass" } dd { (moment(good, now)) } } }
                @if let Some(load) = &status.last_load {
                    div { dt { "Files" } dd { (wrong(load)) "; read " (moment(load.at, now)) } }
                }
                div {
                    dt { "Passes" }
                    dd { (count(passes)) "; one every " (resync) ", and whenever something changes" }
                }
                div {
                    dt { "State" }
                    dd {
                        (holder(status))
                        @if let Some(serial) = status.serial { "; serial " (serial.0) }
                    }
                }
                div { dt { "Running since" } dd { (moment(status.started_at, now)) } }
                div { dt { "Version" } dd { "contactsd " (foreign(&status.version)) } }
                @if let Some(lost) = telling_line(&status.telling) { div { dt { "Output" } dd { (foreign(&lost)) } } }
            }
        }
    }
}

/// Says in how far the files are in order.
fn wrong(load: &LastLoad) -> String {
    let LastLoad { at: _, unreadable, errors, warnings } = load;
    let all = |found: &std::collections::BTreeMap<String, usize>| found.values().sum::<usize>();
    match (unreadable, all(errors), all(warnings)) {
        (Some(_), ..) => "unreadable".to_owned(),
        (None, 0, 0) => "no mistakes".to_owned(),
        (None, 0, warnings) => format!("valid, with {}", counted(warnings, "warning")),
        (None, errors, 0) => counted(errors, "mistake"),
        (None, errors, warnings) => format!("{}, {}", counted(errors, "mistake"), counted(warnings, "warning")),
    }
}

/// Says who has the state.
fn holder(status: &Status) -> String {
    match (status.paused_since, &status.standing_by, status.phase) {
        (Some(_), ..) => "released".to_owned(),
        (None, Some(standing_by), _) => format!("held by {}", foreign(&standing_by.holder)),
        (None, None, Phase::Opening) => "not open yet".to_owned(),
        (None, None, _) if status.serial.is_none() => "not open yet".to_owned(),
        (None, None, _) => "held by this service".to_owned(),
    }
}
