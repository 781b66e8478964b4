//! How a mood looks: each has a form of its own beside its color.

use maud::{Markup, html};

use super::standing::Mood;

pub(super) fn class(mood: Mood) -> &'static str {
    match mood {
        Mood::Good => "good",
        Mood::Busy => "busy",
        Mood::Attention => "attention",
        Mood::Bad => "bad",
    }
}

/// Draws a mood: each has a form of its own, so that color is not all that tells them apart.
pub(super) fn sign(mood: Mood) -> Markup {
    let (form, mark) = match mood {
        Mood::Good => (CIRCLE, "m7.5 12.5 3 3 6-6.5"),
        Mood::Busy => (CIRCLE, "M12 6.5V12l3.5 2.5"),
        Mood::Attention => ("M12 2.5 23 21.5H1z", "M12 9.5v5m0 3v.1"),
        Mood::Bad => ("M8 2h8l6 6v8l-6 6H8l-6-6V8z", "m8.5 8.5 7 7m0-7-7 7"),
    };
    html! { svg .sign viewBox="0 0 24 24" aria-hidden="true" { path d=(form) {} path d=(mark) {} } }
}

const CIRCLE: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 1 0 0-20z";

/// Draws a mood for the tab of a browser.
pub(super) fn icon(mood: Mood) -> String {
    let (form, color) = match mood {
        Mood::Good => (CIRCLE, "2da44e"),
        Mood::Busy => (CIRCLE, "218bff"),
        Mood::Attention => ("M12 2.5 23 21.5H1z", "d4a72c"),
        Mood::Bad => ("M8 2h8l6 6v8l-6 6H8l-6-6V8z", "cf222e"),
    };
    format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath fill='%23{color}' \
         d='{form}'/%3E%3C/svg%3E"
    )
}
