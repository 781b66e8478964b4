//! The parts of the page about single entries: those that fail and those that are no longer in the files. The first of many
//! are listed.

use maud::{Markup, html};

use super::text::{due, foreign, moment, more, rows};
use crate::model::Timestamp;
use crate::ops::watch::{Failing, Status, Waiting};
use crate::ui::amounts::counted;
use crate::ui::words;

/// Most entries of one kind that are listed, and how many bytes their rows may fill.
const LISTED: usize = 20;
const ROOM: usize = 4500;

pub(super) fn failing(status: &Status, now: Timestamp) -> Markup {
    if status.failing.is_empty() {
        return Markup::default();
    }
    let (rows, left) = rows(status.failing.iter(), LISTED, ROOM, |failing| failing_row(failing, now));
    html! {
        section aria-labelledby="failing" {
            h2 #failing { "Failing" }
            table {
                thead { tr { th scope="col" { "Entry" } th scope="col" { "Failed" } th scope="col" { "Next try" } } }
                tbody { (rows) }
            }
            (more(left))
            p .note { code { "contactsd why KEY" } " tells more about one entry." }
        }
    }
}

fn failing_row(failing: &Failing, now: Timestamp) -> Markup {
    let Failing { key, error, attempts, since, next_try } = failing;
    html! {
        tr {
            th scope="row" {
                span .key { (foreign(&key.address())) } " "
                span .why {
                    (foreign(&words::in_short(error, Some(key))))
                    @if let Some(status) = error.status() { " (HTTP\u{a0}" (status) ")" }
                }
            }
            td { (counted(*attempts as usize, "time")) ", first " (moment(*since, now)) }
            td {
                @match next_try {
                    Some(next_try) => (due(*next_try, now)),
                    None => strong { "waits for you" },
                }
            }
        }
    }
}

pub(super) fn waiting(status: &Status, now: Timestamp) -> Markup {
    if status.waiting.is_empty() {
        return Markup::default();
    }
    let (rows, left) = rows(status.waiting.iter(), LISTED, ROOM / 2, |waiting| waiting_row(waiting, now));
    html! {
        section aria-labelledby="waiting" {
            h2 #waiting { "No longer in the files" }
            table {
                thead { tr { th scope="col" { "Entry" } th scope="col" { "Gone" } th scope="col" { "Forgotten" } } }
                tbody { (rows) }
            }
            (more(left))
            p .note { "An entry that comes back before that time stays. Nothing is deleted in Apollo." }
        }
    }
}

fn waiting_row(waiting: &Waiting, now: Timestamp) -> Markup {
    let Waiting { key, gone_since, forget_at } = waiting;
    html! {
        tr {
            th scope="row" { span .key { (foreign(&key.address())) } }
            td { (moment(*gone_since, now)) }
            td {
                @match forget_at {
                    Some(at) => (due(*at, now)),
                    None => "not while there is no contact file at all",
                }
            }
        }
    }
}
