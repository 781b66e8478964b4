//! What a command printed and how it ended, with everything that differs between two runs named.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::rc::Rc;

/// The ids met so far in one world, so that an id has one name in all its outcomes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Names(Rc<RefCell<Vec<String>>>);

/// The end of one command; its `Display` is what snapshots hold.
pub(crate) struct Outcome {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` after a signal that the program did not handle.
    pub(crate) code: Option<i32>,
    names: Names,
    world: String,
}

impl Outcome {
    pub(super) fn new(stdout: String, stderr: String, code: Option<i32>, names: Names, world: &Path) -> Self {
        Self { stdout, stderr, code, names, world: world.display().to_string() }
    }

    /// Returns the last line but those that begin with `Also:`; for an apply, its counts.
    #[track_caller]
    pub(crate) fn summary(&self) -> &str {
        let line = self.stdout.lines().find(|line| line.starts_with("Apply ") || line.starts_with("No changes."));
        line.unwrap_or_else(|| panic!("no summary in:\n{self}"))
    }

    /// Checks that the command ended well with nothing to do.
    #[track_caller]
    pub(crate) fn is_clean(&self) {
        assert!(self.code == Some(0) && self.stdout.contains("No changes."), "{self}");
    }

    /// Returns the line of stdout that begins so, for commands that print much.
    #[track_caller]
    pub(crate) fn line(&self, start: &str) -> &str {
        let line = self.stdout.lines().find(|line| line.trim_start().starts_with(start));
        line.unwrap_or_else(|| panic!("no line begins with {start:?} in:\n{self}"))
    }

    /// Returns what a change log is made of: stdout from its first action or event on.
    pub(crate) fn after_plan(&self) -> String {
        let after = self.stdout.split_once("\nDigest: ").map_or(self.stdout.as_str(), |(_, rest)| rest);
        let events = after.split_once('\n').map_or(after, |(_, rest)| rest);
        self.normalized(&format!("{events}{}", self.tail()))
    }

    /// Returns stderr as snapshots hold it.
    pub(crate) fn errors(&self) -> String {
        self.normalized(&self.stderr)
    }

    fn tail(&self) -> String {
        let stderr = if self.stderr.is_empty() { String::new() } else { format!("[stderr]{}", self.stderr) };
        let end = self.code.map_or_else(|| "signal".to_owned(), |code| code.to_string());
        format!("{stderr}[exit {end}]")
    }

    fn normalized(&self, text: &str) -> String {
        let text = text.replace(&self.world, "[WORLD]");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let text = text.replace(&format!("ada@{host} "), "ada@[HOST] ");
        let text = number_after(&text, "127.0.0.1:", "[PORT]");
        let text = number_after(&text, "process ", "[PID]");
        let text = number_after(&text, "after ", "0");
        let text = number_after(&text, "opens again in ", "[N]");
        named_words(&text, &mut self.names.0.borrow_mut())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.normalized(&format!("{}{}", self.stdout, self.tail())))
    }
}

/// Replaces the digits that follow `mark`.
fn number_after(text: &str, mark: &str, with: &str) -> String {
    let mut parts = text.split(mark);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = if rest.len() < part.len() { with } else { "" };
        out.extend([mark, number, rest]);
    }
    out
}

/// Replaces ids, digests and times, which are words of a length and an alphabet of their own.
fn named_words(text: &str, ids: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let is_part = |c: char| c.is_ascii_alphanumeric();
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        if let Some(length) = time_length(rest) {
            out.push_str("[TIME]");
            rest = &rest[length..];
            continue;
        }
        match word.len() {
            24 if is_hex(word) => {
                let known = ids.iter().position(|id| id == word);
                let number = known.unwrap_or_else(|| {
                    ids.push(word.to_owned());
                    ids.len() - 1
                });
                out.extend(["[ID", &(number + 1).to_string(), "]"]);
            }
            32 if is_hex(word) => out.push_str("[DIGEST]"),
            _ => out.push_str(word),
        }
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Returns how many bytes of `text` are a time such as `2026-11-23T13:42:21.921Z`.
fn time_length(text: &str) -> Option<usize> {
    let shape = "0000-00-00T00:00:00";
    let fits = text.len() > shape.len()
        && shape.bytes().zip(text.bytes()).all(|(wanted, found)| match wanted {
            b'0' => found.is_ascii_digit(),
            other => other == found,
        });
    let end = text.find('Z').filter(|end| (shape.len()..shape.len() + 11).contains(end));
    end.filter(|_| fits).map(|end| end + 1)
}

#[test]
fn what_differs_between_runs_is_named() {
    let id = "6b0442bd0000000000000001";
    let text = format!("[id={id}] after 12s at http://127.0.0.1:4711/x, 2026-11-23T13:42:21.921Z {id}");
    let named = named_words(&number_after(&text, "127.0.0.1:", "[PORT]"), &mut Vec::new());
    assert_eq!(named, "[id=[ID1]] after 12s at http://127.0.0.1:[PORT]/x, [TIME] [ID1]");
}
