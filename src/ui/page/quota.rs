//! The part of the page about what Apollo still allows: a bar for each window that has a limit.

use maud::{Markup, html};

use super::text::{moment, more, rows};
use crate::model::{Endpoint, Timestamp};
use crate::ops::watch::Status;
use crate::quota::{Outlook, Span};
use crate::ui::amounts::count;

/// How many bytes the rows may fill.
const ROOM: usize = 6000;

pub(super) fn quota(status: &Status, now: Timestamp) -> Markup {
    let limited = |windows: &[Outlook; 3]| windows.iter().any(|outlook| outlook.limit.is_some());
    let known: Vec<_> = status.quota.iter().filter(|(_, windows)| limited(windows)).collect();
    if known.is_empty() {
        return Markup::default();
    }
    let (rows, left) =
        rows(known.into_iter(), Endpoint::ALL.len(), ROOM, |(endpoint, windows)| row(*endpoint, windows, now));
    html! {
        section aria-labelledby="quota" {
            h2 #quota { "Requests left" }
            table .quota {
                thead {
                    tr {
                        th scope="col" { "Kind" }
                        @for span in Span::ALL { th scope="col" { "This " (span.name()) } }
                    }
                }
                tbody { (rows) }
            }
            (more(left))
        }
    }
}

fn row(endpoint: Endpoint, windows: &[Outlook; 3], now: Timestamp) -> Markup {
    html! {
        tr {
            th scope="row" { (endpoint.name()) }
            @for outlook in windows { td { (window(endpoint, outlook, now)) } }
        }
    }
}

fn window(endpoint: Endpoint, outlook: &Outlook, now: Timestamp) -> Markup {
    let Outlook { window, limit, left, resets_at } = outlook;
    let (Some(limit), Some(left)) = (*limit, *left) else { return html! { span .none { "no limit known" } } };
    let number = |number: u64| count(usize::try_from(number).unwrap_or(usize::MAX));
    let name = format!("{} this {}", endpoint.name(), window.name());
    html! {
        // Low is a tenth; what is above a quarter is plenty.
        meter max=(limit) low=(limit / 10) high=(limit / 4) optimum=(limit) value=(left) aria-label=(name) {}
        span { @if left == 0 { strong { "used up: " } } (number(left)) " of " (number(limit)) } " "
        @if let Some(at) = resets_at { span .resets { "all again " (moment(*at, now)) } }
    }
}
