//! Mistakes that no YAML has: why reading stops, and where the mistake was made, which the parser may notice much later.
//!
//! Pure. Words are made elsewhere.

use granit_parser::{ErrorKind, ScanError};

use super::code::Code;
use super::diagnostic::{Source, Span};
use super::rules;

/// Why reading stopped.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) span: Span,
    pub(super) message: String,
    /// What the parser could not tell.
    pub(super) slip: Slip,
}

/// A mistake that the parser noticed somewhere else than where it was made, or words for programmers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slip {
    /// The parser's own words have to do.
    Other,
    /// A backslash in double quotes before what is no escape.
    Escape,
    /// Quotes that nothing closes.
    OpenQuote,
    /// A bracket that was not closed where its list or map ends, and the line on which that showed, if it is another one.
    OpenBracket { bracket: char, line: Option<usize> },
}

/// Judges an error of the parser; `open` is where the list or map begins that was being read.
pub(super) fn fault(source: &Source, error: &ScanError, open: Option<Span>) -> Fault {
    let mark = error.marker();
    let here = Span { line: mark.line(), column: mark.col() + 1, width: 1 };
    if *error.kind() == ErrorKind::RecursionLimitExceeded {
        return too_deep(here);
    }
    let message = error.info();
    if let Some(span) = tab_near(source, here) {
        return Fault { code: Code::TabIndentation, span, message, slip: Slip::Other };
    }
    let (span, slip) = slip(source, error, here, open);
    Fault { code: Code::InvalidYaml, span, message, slip }
}

/// Finds where a mistake was made that the parser noticed `here`.
fn slip(source: &Source, error: &ScanError, here: Span, open: Option<Span>) -> (Span, Slip) {
    match error.kind() {
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => {
            let quote = error.marker().byte_offset().unwrap_or_default();
            let escape = bad_escape(&source.text[quote..]);
            let span = escape.map(|at| source.span(quote + at..quote + at + 1));
            (span.unwrap_or(here), Slip::Escape)
        }
        ErrorKind::UnclosedQuotedScalar => (here, Slip::OpenQuote),
        ErrorKind::UnclosedFlowCollection { open } => (here, Slip::OpenBracket { bracket: *open, line: None }),
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement
        | ErrorKind::InvalidFlowScalarIndent => {
            let open = open.filter(|open| open.line < here.line);
            let bracket = open.and_then(|span| Some((span, bracket(source, span)?)));
            bracket.map_or((here, Slip::Other), |(span, bracket)| {
                (Span { width: 1, ..span }, Slip::OpenBracket { bracket, line: Some(here.line) })
            })
        }
        _ => (here, Slip::Other),
    }
}

/// Returns the bracket that a list or map begins with, if it is written with any.
pub(super) fn bracket(source: &Source, Span { line, column, .. }: Span) -> Option<char> {
    source.line(line).chars().nth(column - 1).filter(|first| matches!(first, '{' | '['))
}

/// Finds the first backslash of a text in double quotes that begins no escape; the text begins with the quote.
fn bad_escape(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return None,
            '\\' => {}
            _ => continue,
        }
        let digits = match characters.next()?.1 {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            escape if "0abt\tnvfre \"/\\N_LP\n\r".contains(escape) => 0,
            _ => return Some(at),
        };
        let mut number = |skipped: usize, digits: usize| {
            let written: String = characters.by_ref().skip(skipped).take(digits).map(|(_, digit)| digit).collect();
            u32::from_str_radix(&written, 16).unwrap_or(u32::MAX)
        };
        let is_fine = match digits {
            0 => true,
            _ => match number(0, digits) {
                // The first of two that make one character.
                0xD800..=0xDBFF if digits == 4 => (0xDC00..=0xDFFF).contains(&number(2, 4)),
                number => char::from_u32(number).is_some(),
            },
        };
        if !is_fine {
            return Some(at);
        }
    }
    None
}

/// Reports whether a line, its indentation aside, begins as an item of a list or with a name.
pub(super) fn looks_like_an_entry(text: &str) -> bool {
    let name = text.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' ')).map(|(name, _)| name);
    let is_name = |name: &str| !name.is_empty() && !name.contains(char::is_whitespace);
    text.starts_with("- ") || text.starts_with("? ") || name.is_some_and(|name| is_name(name.trim_end()))
}

/// Refuses a list or map that is too deep.
pub(super) fn too_deep(span: Span) -> Fault {
    let message = format!("there are more than {} levels", rules::MAX_DEPTH);
    Fault { code: Code::NestedTooDeeply, span, message, slip: Slip::Other }
}

/// Finds the tab that a line is indented with: where the parser stopped, or on the next line with anything on it.
///
/// A parser that meets a tab behind a value takes the line for more of that value and blames its beginning.
fn tab_near(source: &Source, fault: Span) -> Option<Span> {
    let indentation = |line: usize| source.line(line).len() - source.line(line).trim_start_matches([' ', '\t']).len();
    let tab = |line: usize| source.line(line)[..indentation(line)].find('\t').map(|at| (line, at + 1));
    if tab(fault.line).is_some() {
        return Some(fault);
    }
    let mut following = (fault.line + 1..=source.lines()).skip_while(|line| source.line(*line).is_empty());
    let (line, column) = following.next().and_then(tab)?;
    Some(Span { line, column, width: 1 })
}
