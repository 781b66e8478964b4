//! The text below a plan that was saved: where the file is, and how to apply it.

use std::fmt::Write as _;
use std::path::Path;

use super::escape::escape;
use super::stream::Stream;
use super::style::Paint;

/// What a saved plan is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedAs {
    /// It can be applied, by this command.
    Applicable { command: String },
    /// It has nothing to do.
    Empty,
    /// Somebody has to decide first, so that it can only be shown.
    Undecided,
    /// It exceeds limits, so that it can only be shown.
    Braked,
}

/// Says where a plan was saved, without the last newline.
pub fn saved_text(file: &Path, saved_as: &SavedAs, stream: Stream) -> String {
    let paint = Paint { color: stream.color };
    let file = file.display().to_string();
    let mut text = format!("\n{}\n\nSaved the plan to: {}", paint.grey("─".repeat(stream.width)), escape(&file));
    let next = match saved_as {
        SavedAs::Applicable { command } => {
            format!(
                "\n\nTo perform exactly these actions, run the following command to apply:\n    {}",
                escape(command)
            )
        }
        SavedAs::Empty => String::new(),
        SavedAs::Undecided => "\nIt needs a decision first, so it can be shown but never applied.".to_owned(),
        SavedAs::Braked => "\nIt exceeds the limits named above, so it can be shown but never applied.".to_owned(),
    };
    text.write_str(&next).expect("writing to a string does not fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(saved_as: &SavedAs) -> String {
        saved_text(Path::new("team.plan"), saved_as, Stream { width: 10, ..Stream::default() })
    }

    #[test]
    fn a_saved_plan_says_where_it_is_and_how_to_apply_it() {
        let command = "contactsd apply team.plan --sandbox".to_owned();
        insta::assert_snapshot!(text(&SavedAs::Applicable { command }), @"

        ──────────

        Saved the plan to: team.plan

        To perform exactly these actions, run the following command to apply:
            contactsd apply team.plan --sandbox
        ");
    }

    #[test]
    fn a_plan_that_can_only_be_shown_says_so() {
        insta::assert_snapshot!(text(&SavedAs::Undecided), @"

        ──────────

        Saved the plan to: team.plan
        It needs a decision first, so it can be shown but never applied.
        ");
        insta::assert_snapshot!(text(&SavedAs::Braked), @"

        ──────────

        Saved the plan to: team.plan
        It exceeds the limits named above, so it can be shown but never applied.
        ");
        insta::assert_snapshot!(text(&SavedAs::Empty), @"

        ──────────

        Saved the plan to: team.plan
        ");
    }
}
