//! Many messages at once: the first in full, and how many there are of each kind and in each file.
//!
//! Somebody who moved a directory or renamed a field has made one mistake a thousand times. Programs get all of them.

use std::collections::BTreeMap;
use std::fmt;

use super::amounts::{count, counted};
use super::message::shown_path;
use crate::source::{Code, Diagnostic, Severity};

/// Messages that are shown in full at a time.
const SHOWN: usize = 20;

/// Files that are named with how many messages they have.
const NAMED_FILES: usize = 10;

/// Says which of `messages` are shown, which are sorted by weight: all of a few, else the first, errors before warnings.
pub(super) fn shown(messages: &[Diagnostic]) -> impl Fn(usize) -> bool + use<> {
    let warnings = messages.iter().filter(|message| message.severity == Severity::Warning).count();
    let shown_errors = (messages.len() - warnings).min(SHOWN);
    let shown_warnings = warnings.min(SHOWN - shown_errors);
    move |number| if number < warnings { number < shown_warnings } else { number - warnings < shown_errors }
}

/// Counts all of `messages`; `None` where each of them is shown.
pub(super) fn sums(messages: &[Diagnostic]) -> Option<Sums<'_>> {
    (messages.len() > SHOWN).then_some(Sums(messages))
}

/// The counts as text, without the last newline.
pub(super) struct Sums<'a>(&'a [Diagnostic]);

impl fmt::Display for Sums<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |severity| self.0.iter().filter(move |message| message.severity == severity);
        let number = |severity| of(severity).map(|message| message.findings).sum::<usize>();
        let kinds = [(number(Severity::Error), "error"), (number(Severity::Warning), "warning")];
        let kinds = kinds.into_iter().filter(|(number, _)| *number > 0);
        let kinds: Vec<String> = kinds.map(|(number, what)| counted(number, what)).collect();
        write!(f, "Found {}; the first {SHOWN} are shown.", kinds.join(" and "))?;
        let codes = tally(self.0.iter().filter_map(|message| Some((message.code?, message.findings))));
        if !codes.is_empty() {
            let rows = codes.iter().map(|(code, number)| (*number, format!("{code}  {}", code.title())));
            write_rows(f, "By code", rows)?;
        }
        let path = |message: &Diagnostic| {
            let path = message.location.as_ref().map(|location| &location.path).or(message.path.as_ref());
            path.map(|path| (shown_path(path), message.findings))
        };
        let mut files = tally(self.0.iter().filter_map(path));
        let further = files.split_off(files.len().min(NAMED_FILES));
        if !files.is_empty() {
            let rest = further.iter().map(|(_, number)| number).sum::<usize>();
            let rest = (!further.is_empty()).then(|| (rest, format!("in {}", counted(further.len(), "more file"))));
            write_rows(f, "By file", files.into_iter().map(|(path, number)| (number, path)).chain(rest))?;
        }
        if self.0.iter().all(|message| message.code.is_some()) {
            let is_further = |message: &Diagnostic| message.code.is_some_and(Code::is_of_others);
            let is_all = !self.0.iter().any(is_further);
            let all = if is_all { "all of them" } else { "the first 100 of each file" };
            write!(f, "\n\nTo see {all}, run: contactsd validate --json")?;
        }
        Ok(())
    }
}

/// Counts how often each name is told, the most frequent first.
fn tally<T: Ord>(names: impl Iterator<Item = (T, usize)>) -> Vec<(T, usize)> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    names.for_each(|(name, number)| *counts.entry(name).or_default() += number);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    counts
}

fn write_rows(f: &mut fmt::Formatter<'_>, title: &str, rows: impl Iterator<Item = (usize, String)>) -> fmt::Result {
    let rows: Vec<(String, String)> = rows.map(|(number, name)| (count(number), name)).collect();
    let width = rows.iter().map(|(number, _)| number.len()).max().unwrap_or_default();
    write!(f, "\n\n{title}:")?;
    rows.iter().try_for_each(|(number, name)| write!(f, "\n  {number:>width$}  {}", name.trim_end()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn message(severity: Severity, code: Code, file: usize) -> Diagnostic {
        let message = match severity {
            Severity::Error => Diagnostic::error("", ""),
            Severity::Warning => Diagnostic::warning("", ""),
        };
        let path = Some(PathBuf::from(format!("contacts.d/{file:02}.yaml")));
        Diagnostic { code: Some(code), path, ..message }
    }

    #[test]
    fn a_few_are_shown_and_not_counted() {
        let few = vec![message(Severity::Error, Code::UnknownField, 0); SHOWN];
        assert!((0..SHOWN).all(shown(&few)) && sums(&few).is_none());
    }

    #[test]
    fn of_many_the_first_errors_are_shown() {
        let warnings = vec![message(Severity::Warning, Code::BareNull, 0); 1000];
        let errors = vec![message(Severity::Error, Code::UnknownField, 1); 15];
        let messages = [warnings, errors].concat();
        let is_shown = shown(&messages);
        let shown: Vec<usize> = (0..messages.len()).filter(|number| is_shown(*number)).collect();
        assert_eq!(shown, (0..5).chain(1000..1015).collect::<Vec<_>>());
    }

    #[test]
    fn those_that_are_not_listed_are_counted_too() {
        let mut messages = vec![message(Severity::Error, Code::UnknownField, 0); 100];
        messages.push(Diagnostic { findings: 500, ..message(Severity::Error, Code::FurtherErrors, 0) });
        messages.extend(vec![message(Severity::Warning, Code::BareNull, 0); 7]);
        insta::assert_snapshot!(sums(&messages).unwrap(), @"
        Found 600 errors and 7 warnings; the first 20 are shown.

        By code:
          500  E099  There are more mistakes than are shown
          100  E011  A contact has an unknown field
            7  W101  A bare Null is read as no value

        By file:
          607  contacts.d/00.yaml

        To see the first 100 of each file, run: contactsd validate --json
        ");
    }

    #[test]
    fn all_are_counted_by_code_and_by_file() {
        let mut messages = vec![message(Severity::Warning, Code::BareNull, 12); 3];
        messages.extend((0..1500).map(|number| message(Severity::Error, Code::UnknownField, number % 13)));
        messages.push(message(Severity::Error, Code::InvalidEmail, 12));
        insta::assert_snapshot!(sums(&messages).unwrap(), @"
        Found 1,501 errors and 3 warnings; the first 20 are shown.

        By code:
          1,500  E011  A contact has an unknown field
              3  W101  A bare Null is read as no value
              1  E015  An e-mail address is malformed

        By file:
          119  contacts.d/12.yaml
          116  contacts.d/00.yaml
          116  contacts.d/01.yaml
          116  contacts.d/02.yaml
          116  contacts.d/03.yaml
          116  contacts.d/04.yaml
          115  contacts.d/05.yaml
          115  contacts.d/06.yaml
          115  contacts.d/07.yaml
          115  contacts.d/08.yaml
          345  in 3 more files

        To see all of them, run: contactsd validate --json
        ");
    }
}
