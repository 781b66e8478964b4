//! The part of the page about the last passes: a bar for each, the taller the longer it took, and the same in words.

use std::fmt::Write as _;
use std::time::Duration;

use maud::{Markup, html};

use crate::model::Timestamp;
use crate::ops::watch::{Outcome, Pass, Status};
use crate::ui::amounts::count;
use crate::ui::status_text::outcome;

use super::text::{moment, took};

/// How many bars there is room for.
const ROOM: usize = 60;

/// From one bar to the next, how wide one is, and how low and high one can be.
const PITCH: usize = 10;
const WIDTH: usize = 7;
const LOWEST: u32 = 4;
const HIGHEST: u32 = 36;
/// Where bars stand, and how far above a bar its mark is.
const GROUND: u32 = 48;
const MARK: u32 = 3;

/// What a pass was, as the picture tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Idle,
    Worked,
    /// It did not do what it should, or not for all entries.
    Bad,
}

pub(super) fn passes(status: &Status, now: Timestamp) -> Markup {
    let shown: Vec<&Pass> = status.recent.iter().rev().take(ROOM).collect();
    let Some(oldest) = shown.last() else { return Markup::default() };
    let longest = shown.iter().map(|pass| pass.ended.since(pass.began)).max().unwrap_or_default();
    let scale = milliseconds(longest);
    let bars = [Kind::Idle, Kind::Worked, Kind::Bad].map(|kind| {
        let mut path = String::new();
        for (back, pass) in shown.iter().enumerate().filter(|(_, pass)| Kind::of(pass) == kind) {
            let left = (ROOM - 1 - back) * PITCH + 1;
            bar(&mut path, left, height(milliseconds(pass.ended.since(pass.began)), scale), kind);
        }
        (kind, path)
    });
    html! {
        section aria-labelledby="passes" {
            h2 #passes { "Last passes" }
            figure {
                svg .passes viewBox={ "0 0 " (ROOM * PITCH) " " (GROUND + 1) } role="img" aria-labelledby="passes"
                    aria-describedby="passes-text" {
                    path .ground d={ "M0 " (GROUND) ".5H" (ROOM * PITCH) } {}
                    @for (kind, path) in &bars { @if !path.is_empty() { path .(kind.class()) d=(path) {} } }
                }
                figcaption #passes-text {
                    p { (summary(&shown)) " The longest took " (took(longest)) "; the oldest ended " (moment(oldest.ended, now)) "." }
                    (legend())
                }
            }
        }
    }
}

impl Kind {
    fn of(pass: &Pass) -> Self {
        match pass.outcome {
            Outcome::Refused | Outcome::Braked | Outcome::Troubled => Self::Bad,
            _ if pass.failed > 0 => Self::Bad,
            _ if pass.done > 0 => Self::Worked,
            _ => Self::Idle,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Worked => "worked",
            Self::Bad => "stopped",
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Passes take milliseconds or hours, so that each doubling is a step of the same height.
fn height(milliseconds: u64, longest: u64) -> u32 {
    let steps = |time: u64| (time.saturating_add(1)).ilog2();
    LOWEST + (HIGHEST - LOWEST) * steps(milliseconds) / steps(longest).max(1)
}

/// Draws a bar that stands on the ground, with a mark above where color must not be all that tells it apart.
fn bar(path: &mut String, left: usize, height: u32, kind: Kind) {
    let _ = write!(path, "M{left} {}h{WIDTH}v{height}h-{WIDTH}z", GROUND - height);
    if kind == Kind::Bad {
        let _ = write!(path, "m0-{MARK}h{WIDTH}l-{}.5-6z", WIDTH / 2);
    }
}

/// Says how the passes ended, the most frequent first.
fn summary(shown: &[&Pass]) -> String {
    let mut counts: Vec<(usize, &str)> = Vec::new();
    for pass in shown {
        let how = outcome(pass.outcome);
        match counts.iter_mut().find(|(_, known)| *known == how) {
            Some((number, _)) => *number += 1,
            None => counts.push((1, how)),
        }
    }
    counts.sort_by_key(|&(number, _)| std::cmp::Reverse(number));
    let counts: Vec<String> = counts.iter().map(|(number, how)| format!("{} {how}", count(*number))).collect();
    let failed = match shown.iter().filter(|pass| pass.failed > 0).count() {
        0 => String::new(),
        1 => " In 1 of them entries failed.".to_owned(),
        some => format!(" In {} of them entries failed.", count(some)),
    };
    if let [only] = shown {
        return format!("The only pass so far {}.", outcome(only.outcome));
    }
    format!("The last {} passes: {}.{failed}", shown.len(), counts.join(", "))
}

fn legend() -> Markup {
    let sample = |kind: Kind| {
        let mut path = String::new();
        bar(&mut path, 1, 12, kind);
        html! { svg .sample viewBox="0 24 9 24" aria-hidden="true" { path .(kind.class()) d=(path) {} } }
    };
    html! {
        p .legend aria-hidden="true" {
            span { (sample(Kind::Idle)) "nothing to do" } " "
            span { (sample(Kind::Worked)) "worked" } " "
            span { (sample(Kind::Bad)) "stopped, or entries failed" }
        }
    }
}
