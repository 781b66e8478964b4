//! Texts, times and rows as they stand on the page: foreign text masked and harmless, and all of bounded length.

use std::time::Duration;

use maud::{Markup, PreEscaped, html};

use crate::model::Timestamp;
use crate::ui::amounts::{count, duration, wait};
use crate::ui::escape::escape;
use crate::ui::mask::without_addresses;
use crate::ui::time_text;

/// Most bytes that one foreign text takes on the page.
const MAX_BYTES: usize = 200;

/// Makes a text for everybody of one that came from files, from Apollo or from the system: no address in it, nothing
/// that acts on whoever copies it, and not too long.
pub(super) fn foreign(text: &str) -> String {
    let text = without_addresses(&escape(text.trim()));
    let mut room = MAX_BYTES;
    for (at, character) in text.char_indices() {
        let Some(left) = room.checked_sub(bytes(character)) else { return format!("{}…", &text[..at]) };
        room = left;
    }
    text
}

/// Counts the bytes of a character as HTML has it.
fn bytes(character: char) -> usize {
    match character {
        '&' => "&amp;".len(),
        '<' => "&lt;".len(),
        '>' => "&gt;".len(),
        '"' => "&quot;".len(),
        other => other.len_utf8(),
    }
}

/// Writes a time as how long ago it was or how long it is until then, and as what a clock shows.
pub(super) fn moment(at: Timestamp, now: Timestamp) -> Markup {
    let relative = match (at.since(now), now.since(at)) {
        (until, _) if !until.is_zero() => format!("in {}", wait(until)),
        (_, past) if past.as_secs() == 0 => "just now".to_owned(),
        (_, past) => format!("{} ago", duration(past)),
    };
    html! { (relative) " " (clock(at, now)) }
}

/// Writes a time that is waited for.
pub(super) fn due(at: Timestamp, now: Timestamp) -> Markup {
    if at > now {
        moment(at, now)
    } else {
        html! { "due since " (clock(at, now)) }
    }
}

/// Writes a time as what a clock shows in UTC, with the day unless it is today.
pub(super) fn clock(at: Timestamp, now: Timestamp) -> Markup {
    let (whole, today) = (time_text(Timestamp(at.0 / 1000 * 1000)), time_text(now));
    let shown = match whole.trim_end_matches('Z').split_once('T') {
        Some((day, clock)) if today.starts_with(day) => format!("{clock} UTC"),
        Some((day, clock)) => format!("{day} {clock} UTC"),
        None => whole.clone(),
    };
    html! { time datetime=(whole) { (shown) } }
}

/// Writes how long something took; most passes take less than a second.
pub(super) fn took(time: Duration) -> String {
    if time.as_secs() == 0 { format!("{} ms", time.as_millis()) } else { duration(time) }
}

/// Shows a command that a person copies, as a whole.
pub(super) fn to_copy(what: &str, command: &str) -> Markup {
    html! {
        p .what { (what) }
        pre tabindex="0" aria-label="Command" { code { (escape(command)) } }
    }
}

/// Renders the first of `items`: no more than `most`, and none after those that have filled `room` bytes. Returns how
/// many were left out as well.
pub(super) fn rows<T>(
    items: impl ExactSizeIterator<Item = T>,
    most: usize,
    room: usize,
    row: impl Fn(T) -> Markup,
) -> (Markup, usize) {
    let (mut text, mut left) = (String::new(), items.len());
    for item in items.take(most) {
        if text.len() >= room {
            break;
        }
        text += &row(item).into_string();
        left -= 1;
    }
    (PreEscaped(text), left)
}

/// Says how many were left out, and what lists them.
pub(super) fn more(left: usize) -> Markup {
    html! {
        @if left > 0 {
            p .note { "and " (count(left)) " more, which " code { "contactsd status --json" } " lists" }
        }
    }
}
