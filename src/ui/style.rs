//! The few colors of the output, and the decision whether there is any.
//!
//! Never reads the environment: `settings` does, and passes what it found.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// What the user typed: `--color always|auto|never`; `--no-color` is `Never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorFlag {
    Always,
    Auto,
    Never,
}

/// The variables that decide about color, as they are set; `None` is unset.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ColorEnvironment {
    pub no_color: Option<String>,
    /// `CONTACTSD_COLOR`: always, auto or never.
    pub contactsd_color: Option<String>,
    pub force_color: Option<String>,
    pub clicolor_force: Option<String>,
    pub clicolor: Option<String>,
    pub term: Option<String>,
}

/// Decides whether a stream gets color: flag, then `NO_COLOR`, then ours, then `FORCE_COLOR` and
/// `CLICOLOR_FORCE`, then whether it is a terminal that takes color: `CLICOLOR=0` and `TERM=dumb` say that it does not.
///
/// Empty variables count as unset, and so does a `CONTACTSD_COLOR` that is none of its words.
/// Source: no-color.org, and bixense.com/clicolors, where `CLICOLOR_FORCE=0` does not force.
pub(crate) fn color_choice(flag: Option<ColorFlag>, environment: &ColorEnvironment, is_terminal: bool) -> bool {
    let ColorEnvironment { no_color, contactsd_color, force_color, clicolor_force, clicolor, term } = environment;
    let takes_color = is_terminal && clicolor.as_deref() != Some("0") && term.as_deref() != Some("dumb");
    let forced = |variable: &Option<String>| variable.as_deref().is_some_and(|value| !value.is_empty() && value != "0");
    match flag {
        Some(ColorFlag::Always) => return true,
        Some(ColorFlag::Never) => return false,
        Some(ColorFlag::Auto) => return takes_color,
        None => {}
    }
    if no_color.as_deref().is_some_and(|value| !value.is_empty()) {
        return false;
    }
    match contactsd_color.as_deref() {
        Some("always") => true,
        Some("never") => false,
        Some("auto") => takes_color,
        _ => takes_color || forced(force_color) || forced(clicolor_force),
    }
}

const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const DARK_GREY: Style = AnsiColor::BrightBlack.on_default();

/// Colors text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    pub(super) color: bool,
}

/// A text in a style, for `write!`.
pub(super) struct Painted<T> {
    style: Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:#}", self.style, self.text, self.style)
    }
}

impl Paint {
    pub(super) fn green<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(GREEN, text)
    }

    pub(super) fn yellow<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(YELLOW, text)
    }

    pub(super) fn red<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(RED, text)
    }

    pub(super) fn cyan<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(CYAN, text)
    }

    pub(super) fn grey<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(DARK_GREY, text)
    }

    pub(super) fn bold<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(Style::new().bold(), text)
    }

    pub(super) fn bold_green<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(GREEN.bold(), text)
    }

    pub(super) fn bold_yellow<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(YELLOW.bold(), text)
    }

    pub(super) fn bold_red<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(RED.bold(), text)
    }

    /// Marks the part of a value that changed.
    pub(super) fn changed<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.with(Style::new().bold().underline(), text)
    }

    fn with<T: fmt::Display>(self, style: Style, text: T) -> Painted<T> {
        Painted { style: if self.color { style } else { Style::new() }, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_ask_for_color_beats_the_next() {
        let mut environment = ColorEnvironment { force_color: Some("1".to_owned()), ..ColorEnvironment::default() };
        assert!(color_choice(None, &environment, false), "forced without a terminal");
        environment.contactsd_color = Some("never".to_owned());
        assert!(!color_choice(None, &environment, true), "ours beats FORCE_COLOR");
        environment.contactsd_color = Some("always".to_owned());
        environment.no_color = Some("1".to_owned());
        assert!(!color_choice(None, &environment, true), "NO_COLOR beats ours");
        assert!(color_choice(Some(ColorFlag::Always), &environment, false), "the flag beats NO_COLOR");
        assert!(!color_choice(Some(ColorFlag::Never), &ColorEnvironment::default(), true));
        assert!(color_choice(Some(ColorFlag::Auto), &environment, true));
    }

    #[test]
    fn a_terminal_may_say_that_it_takes_no_color() {
        for (clicolor, term, color) in
            [(None, "dumb", false), (Some("0"), "xterm", false), (Some("1"), "xterm", true), (None, "xterm", true)]
        {
            let environment = ColorEnvironment {
                clicolor: clicolor.map(str::to_owned),
                term: Some(term.to_owned()),
                ..ColorEnvironment::default()
            };
            assert_eq!(color_choice(None, &environment, true), color, "{clicolor:?} {term}");
            assert_eq!(color_choice(Some(ColorFlag::Auto), &environment, true), color, "{clicolor:?} {term}");
            assert!(color_choice(Some(ColorFlag::Always), &environment, true), "the flag beats the terminal");
            let forced = ColorEnvironment { force_color: Some("1".to_owned()), ..environment };
            assert!(color_choice(None, &forced, true), "{clicolor:?} {term}");
        }
    }

    #[test]
    fn empty_and_unknown_values_decide_nothing() {
        let empty = ColorEnvironment {
            no_color: Some(String::new()),
            contactsd_color: Some("purple".to_owned()),
            force_color: Some(String::new()),
            clicolor_force: Some("0".to_owned()),
            clicolor: Some(String::new()),
            term: None,
        };
        assert!(color_choice(None, &empty, true));
        assert!(!color_choice(None, &empty, false));
    }
}
