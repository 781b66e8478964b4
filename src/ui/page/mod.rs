//! How a service is doing, as a page: what a person wants to know at a glance, and the command that helps.
//!
//! A function of the board's facts. Whole without its script, which only puts a newer part in the place of an older one.
//! Shows nothing personal, as `/status` does: each foreign text passes through [`text::foreign`], and `maud` escapes
//! each for HTML. Loads nothing from anywhere.

mod entries;
mod look;
mod passes;
mod policy;
mod quota;
mod sections;
mod standing;
#[cfg(test)]
mod tests;
mod text;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::entries::{failing, waiting};
use self::look::{class, icon, sign};
use self::passes::passes;
use self::policy::{SCRIPT, STYLE};
use self::quota::quota;
use self::sections::{files, held, service, tiles};
use self::standing::Mood;
use self::text::{clock, due, foreign, moment, to_copy};
use super::words::{self, Verdict};
use crate::model::Timestamp;
use crate::ops::Health;
use crate::ops::watch::Status;

pub use policy::page_policy;
pub(crate) use standing::Standing;

/// What the page tells, and to whom.
#[derive(Clone, Copy)]
pub struct PageFacts<'a> {
    pub status: &'a Status,
    pub health: Health,
    pub now: Timestamp,
    /// The program with a verb, as somebody on the service's machine would type it.
    pub command: &'a dyn Fn(&str) -> String,
}

/// Makes the whole document.
pub fn page(facts: &PageFacts<'_>) -> String {
    let Parts { head, body } = Parts::of(facts);
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                (head)
                noscript { meta http-equiv="refresh" content="30"; }
                style { (PreEscaped(STYLE)) }
            }
            body {
                p #lost role="alert" hidden { "Not connected to the service. This page shows the last known status." }
                (body)
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    document.into_string()
}

/// Makes what of the document changes.
pub fn page_part(facts: &PageFacts<'_>) -> String {
    let Parts { head, body } = Parts::of(facts);
    html! { (head) (body) }.into_string()
}

struct Parts {
    head: Markup,
    body: Markup,
}

impl Parts {
    fn of(facts: &PageFacts<'_>) -> Self {
        let PageFacts { status, health, now, command } = *facts;
        let standing = Standing::of(status, health, now);
        let (mood, verdict) = (standing.mood(), words::verdict(&standing, status));
        let dir = foreign(&status.dir.to_string_lossy());
        let head = html! {
            title { (verdict.headline) " · " (dir) }
            link #icon rel="icon" href=(icon(mood));
        };
        let body = html! {
            div #page {
                header {
                    p .name { "contactsd" }
                    p .dir { (dir) }
                }
                main {
                    (summary(mood, &verdict, now, command))
                    (held(status, now, command))
                    (files(status, command))
                    (tiles(status, now))
                    (failing(status, now))
                    (waiting(status, now))
                    (passes(status, now))
                    (quota(status, now))
                    (service(status, now))
                }
                footer {
                    p { "As of " (clock(now, now)) ". This page changes nothing." }
                    nav aria-label="For programs" {
                        a href="status" { "status" } " "
                        a href="metrics" { "metrics" } " "
                        a href="healthz" { "healthz" } " "
                        a href="readyz" { "readyz" }
                    }
                }
            }
        };
        Self { head, body }
    }
}

/// Says at a glance whether all is well, and what to do if not.
fn summary(mood: Mood, verdict: &Verdict, now: Timestamp, command: &dyn Fn(&str) -> String) -> Markup {
    let Verdict { headline, detail, since, next, remedy } = verdict;
    html! {
        section .summary.(class(mood)) aria-labelledby="verdict" {
            (sign(mood))
            div {
                // Read aloud when it changes; what changes by itself stands outside.
                div role="status" { h1 #verdict { (headline) } }
                p { (foreign(detail)) }
                @if since.is_some() || next.is_some() {
                    p .times {
                        @if let Some(since) = since { span { "Since: " (moment(*since, now)) } " " }
                        @if let Some((what, when)) = next { span { (what) ": " (due(*when, now)) } }
                    }
                }
                @if let Some((what, verb)) = remedy { (to_copy(what, &command(verb))) }
            }
        }
    }
}
