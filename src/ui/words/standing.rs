//! The status of a service, in words for its page.

use super::in_short;
use crate::model::Timestamp;
use crate::ops::watch::{LastLoad, Outcome, StandingBy, Status, Trouble};
use crate::ui::amounts::{count, counted};
use crate::ui::page::Standing;
use crate::ui::status_text::{counted_entries, outcome};

/// What is said of a standing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// A few words, without a time in them: they are read aloud when they change.
    pub(crate) headline: String,
    /// What that means.
    pub(crate) detail: String,
    pub(crate) since: Option<Timestamp>,
    /// What comes next, and when.
    pub(crate) next: Option<(&'static str, Timestamp)>,
    /// What a person can do, and the verb of the program that does it.
    pub(crate) remedy: Option<(&'static str, &'static str)>,
}

/// Words a standing of the service that `status` is about.
pub(crate) fn verdict(standing: &Standing<'_>, status: &Status) -> Verdict {
    let told = |headline: &str, detail: String| Verdict { headline: headline.to_owned(), detail, ..Verdict::default() };
    match standing {
        Standing::Overdue(since) => {
            let told =
                told("The service is stuck", "A pass was due and did not begin. Restart the service.".to_owned());
            Verdict { since: Some(*since), ..told }
        }
        Standing::Silent(since) => {
            let told = told("The service is stuck", "Its pass shows no progress. Restart the service.".to_owned());
            Verdict { since: Some(*since), ..told }
        }
        Standing::Ending => told("The service is ending", "What is under way is recorded first.".to_owned()),
        Standing::Paused(since) => {
            let told = told("Paused", "Nothing is read or changed until somebody resumes it.".to_owned());
            Verdict { since: Some(*since), remedy: Some(("To go on:", "resume")), ..told }
        }
        Standing::StandsBy(StandingBy { holder, since }) => {
            let detail =
                format!("{holder} has the state. This service takes over when that process releases it or ends.");
            Verdict { since: Some(*since), ..told("Standing by", detail) }
        }
        Standing::Troubled(trouble) => troubled(trouble),
        Standing::Refused(load) => refused(load),
        Standing::Held(_) if status.only_plans => {
            told("A plan exceeds limits", "This service plans and changes nothing.".to_owned())
        }
        Standing::Held(_) => {
            told("A plan waits for approval", "It exceeds limits. Nothing is changed until it is approved.".to_owned())
        }
        Standing::Stale(since, last) => {
            let detail = format!("The last pass {}.", outcome(*last));
            Verdict { since: Some(*since), ..told("No successful pass for too long", detail) }
        }
        Standing::Begins(None) => told("Starting", "No pass has ended yet.".to_owned()),
        Standing::Begins(Some(last)) => {
            told("Starting", format!("No pass was successful yet; the last one {}.", outcome(*last)))
        }
        Standing::Failing { all, for_person } => failing(*all, *for_person),
        Standing::WaitsForQuota { to_do, until } => {
            let are = if *to_do == 1 { "is" } else { "are" };
            let detail = format!("{} {are} sent as soon as Apollo allows it.", counted(*to_do, "action"));
            Verdict { next: until.map(|until| ("Goes on", until)), ..told("Waiting for quota", detail) }
        }
        Standing::OnlyPlans { to_do } => {
            let detail = format!("{} to do. This service plans and changes nothing.", counted(*to_do, "action"));
            Verdict { remedy: Some(("To see the plan:", "plan")), ..told("Only planning", detail) }
        }
        Standing::Works { to_do } => told("Working", format!("{} to do.", counted(*to_do, "action"))),
        Standing::InStep => told("In step", in_step(status)),
    }
}

fn in_step(status: &Status) -> String {
    let entries = counted_entries(status.declared);
    let declared = if status.last_pass.as_ref().is_some_and(|pass| pass.outcome == Outcome::OnlyPlanned) {
        format!("Nothing to do for {entries}.")
    } else {
        format!("Nothing to do: all that {entries} declare{} is applied.", if status.declared == 1 { "s" } else { "" })
    };
    match status.waiting.len() {
        0 => declared,
        1 => format!("{declared} 1 contact is no longer in the files and waits to be forgotten."),
        more => format!("{declared} {} contacts are no longer in the files and wait to be forgotten.", count(more)),
    }
}

fn troubled(trouble: &Trouble) -> Verdict {
    let Trouble { error, since, attempts, next_try } = trouble;
    let why = in_short(error, None);
    let detail = format!("{}. Tried {}.", why.trim().trim_end_matches('.'), counted(*attempts as usize, "time"));
    let headline = "Cannot work".to_owned();
    Verdict { headline, detail, since: Some(*since), next: Some(("Tries again", *next_try)), remedy: None }
}

fn refused(load: &LastLoad) -> Verdict {
    let remedy = Some(("To see what is wrong, and where:", "validate"));
    let detail = "Nothing is changed until that is fixed. What was applied before stays.".to_owned();
    let headline = match (&load.unreadable, load.errors.values().sum::<usize>()) {
        (Some(_), _) => "The files cannot be read".to_owned(),
        (None, 1) => "The files have a mistake".to_owned(),
        (None, _) => "The files have mistakes".to_owned(),
    };
    Verdict { headline, detail, remedy, ..Verdict::default() }
}

fn failing(all: usize, for_person: usize) -> Verdict {
    let headline = if all == 1 { "1 entry fails".to_owned() } else { format!("{} entries fail", count(all)) };
    let detail = match (all - for_person, for_person) {
        (_, 0) => "Tried again by itself. All other entries go on.".to_owned(),
        (0, 1) => "It waits for your decision. All other entries go on.".to_owned(),
        (0, _) => "They wait for your decision. All other entries go on.".to_owned(),
        (_, waits) => {
            let wait = if waits == 1 { "waits" } else { "wait" };
            format!(
                "{} {wait} for your decision; the rest is tried again by itself. All other entries go on.",
                count(waits)
            )
        }
    };
    Verdict { headline, detail, ..Verdict::default() }
}
