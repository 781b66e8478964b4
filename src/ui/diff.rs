//! Two texts as a unified diff, as `diff -u` and `git diff` show them.

use std::fmt::Write;

use similar::{ChangeTag, TextDiff};

use super::escape::escape;
use super::style::Paint;

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// Shows what makes `after` of `before`, without the last newline; nothing when they are equal.
///
/// What would act on a terminal is shown escaped, so a diff of a text that holds such signs cannot be applied.
pub fn unified_diff(name: &str, before: &str, after: &str, color: bool) -> String {
    let paint = Paint { color };
    let name = escape(name.trim_start_matches('/'));
    let diff = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        if out.is_empty() {
            for sign in ["--- a", "+++ b"] {
                writeln!(out, "{}", paint.bold(format_args!("{sign}/{name}"))).expect(INFALLIBLE);
            }
        }
        writeln!(out, "{}", paint.cyan(hunk.header())).expect(INFALLIBLE);
        for change in hunk.iter_changes() {
            let text = change.value().strip_suffix('\n').unwrap_or(change.value());
            let line = |sign: &str| escape(&format!("{sign}{text}")).into_owned();
            match change.tag() {
                ChangeTag::Equal => writeln!(out, "{}", line(" ")),
                ChangeTag::Delete => writeln!(out, "{}", paint.red(line("-"))),
                ChangeTag::Insert => writeln!(out, "{}", paint.green(line("+"))),
            }
            .expect(INFALLIBLE);
            if change.missing_newline() {
                writeln!(out, "\\ No newline at end of file").expect(INFALLIBLE);
            }
        }
    }
    out.truncate(out.trim_end_matches('\n').len());
    out
}

const INFALLIBLE: &str = "writing to a string does not fail";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stand_between_what_surrounds_them() {
        let before = "1\n2\n3\n4\n5\n6\u{202e}\n7\n8\n9";
        let after = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n";
        insta::assert_snapshot!(unified_diff("a.yaml", before, after, false), @r"
        --- a/a.yaml
        +++ b/a.yaml
        @@ -3,7 +3,7 @@
         3
         4
         5
        -6\u{202e}
        +six
         7
         8
        -9
        \ No newline at end of file
        +9
        ");
        assert_eq!(unified_diff("a.yaml", after, after, false), "");
        let colored = unified_diff("a.yaml", "a\n", "b\n", true).replace('\u{1b}', "␛");
        insta::assert_snapshot!(colored, @"
        ␛[1m--- a/a.yaml␛[0m
        ␛[1m+++ b/a.yaml␛[0m
        ␛[36m@@ -1 +1 @@␛[0m
        ␛[31m-a␛[0m
        ␛[32m+b␛[0m
        ");
    }

    #[test]
    fn no_line_becomes_a_command_of_a_ci_runner() {
        let diff = unified_diff("::a", "x\n::error::y\n", "z\n::error::y\n", false);
        assert!(!diff.lines().any(|line| line.trim_start().starts_with("::")), "{diff}");
    }
}
