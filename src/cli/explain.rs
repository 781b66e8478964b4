//! `contactsd explain CODE`: the page of one error or warning, which this program carries.

use clap::Args;

use super::Exit;
use super::context::Context;
use crate::source::Code;
use crate::ui::json::Record;
use crate::ui::words::command_line::no_code;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// Code in brackets after a message, in upper or lower case
    #[arg(value_name = "CODE", value_parser = parse_code)]
    pub(super) code: Code,
}

pub(super) fn run(args: &ExplainArgs, context: &mut Context) -> Exit {
    let page = args.code.page().trim_end();
    if context.shell.stdout().is_terminal {
        context.shell.result_as(with_long_lines(page), [Record::output(page)]);
    } else {
        context.shell.result(page);
    }
    Exit::Success
}

/// Writes each paragraph on one line, for a terminal to be broken at its width; samples and lists stay as they are.
fn with_long_lines(page: &str) -> String {
    let mut is_sample = false;
    let blocks = page.split("\n\n").map(|block| {
        let was_sample = is_sample;
        is_sample ^= block.matches("```").count() % 2 == 1;
        let stays = was_sample || is_sample || block.contains("```") || block.starts_with(['#', '-', '|']);
        if stays { block.to_owned() } else { block.replace('\n', " ") }
    });
    blocks.collect::<Vec<_>>().join("\n\n")
}

fn parse_code(text: &str) -> Result<Code, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']').to_ascii_uppercase();
    let last = Code::ALL.last().expect("there are codes");
    Code::named(&with_three_digits(&bare)).ok_or_else(|| no_code(text, Code::ALL[0], last))
}

/// Writes the number of a code as codes have it, whatever zeros were typed before it.
fn with_three_digits(code: &str) -> String {
    let (letter, number) = code.split_at_checked(1).unwrap_or_default();
    number.parse().map_or_else(|_| code.to_owned(), |number: u32| format!("{letter}{number:03}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_before_the_number_of_a_code_may_be_left_out() {
        for text in ["E009", "e9", "[E09]", "E0009"] {
            assert_eq!(parse_code(text).map(Code::as_str), Ok("E009"), "{text}");
        }
        for text in ["", "9", "E", "E1000", "X009", "É9"] {
            assert!(parse_code(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paragraphs_become_lines_and_samples_stay() {
        let page = "# E1: x\n\none\ntwo\n\n```yaml\na: 1\n\nb: 2\n```\n\n- three\n- four";
        assert_eq!(with_long_lines(page), page.replace("one\ntwo", "one two"));
    }
}
