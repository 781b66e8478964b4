//! How deep brackets may nest in a text, judged without parsing it.
//!
//! The parser under the fast reader takes time in the square of the depth of `[` and `{`; the careful
//! reader stops at a limit. So a text that may be very deep goes to the careful reader first.

/// Depth that costs the fast reader's parser no noticeable time.
const MAX_HARMLESS_DEPTH: usize = 10_000;

/// Reports whether brackets might nest deep enough to matter; never misses a text in which they do.
///
/// A closing bracket counts only against an opening one before it on its line with no quote and no
/// comment sign between: any other could be text. Files of many brackets that stay open over lines are
/// suspected as well, which costs them time and nothing else.
pub(super) fn may_be_steep(text: &str) -> bool {
    let mut depth = 0;
    text.lines().any(|line| {
        let (deepest, left_open) = brackets(line);
        let deepest = depth + deepest;
        depth += left_open;
        deepest > MAX_HARMLESS_DEPTH
    })
}

/// Returns how many brackets of a line are open at its deepest place, and how many at its end.
fn brackets(line: &str) -> (usize, usize) {
    let (mut deepest, mut open, mut may_be_text) = (0, 0_usize, false);
    for byte in line.bytes() {
        match byte {
            b'[' | b'{' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b']' | b'}' if !may_be_text => open = open.saturating_sub(1),
            b'#' | b'"' | b'\'' => may_be_text = true,
            _ => {}
        }
    }
    (deepest, open)
}

/// Returns the deepest that brackets nest when all of them are taken for YAML's.
pub(super) fn apparent_depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_that_hides_behind_comments_and_quotes_is_suspected() {
        for layer in ["[", "[ #]\n", "[ '\n] ', ", "{a: ", "[ \"]\", "] {
            assert!(may_be_steep(&layer.repeat(10_001)), "{layer:?}");
        }
    }

    #[test]
    fn depth_on_one_line_that_closes_it_is_suspected() {
        assert!(may_be_steep(&["[".repeat(10_001), "]".repeat(10_001)].concat()));
        assert!(!may_be_steep(&"[[]]".repeat(10_001)));
    }

    #[test]
    fn many_lists_that_close_on_their_line_are_not() {
        for line in ["  label_names: [a, b] # ok\n", "  a: {b: [c]}\n", "  title: x ]\n"] {
            assert!(!may_be_steep(&line.repeat(100_000)), "{line:?}");
        }
    }
}
