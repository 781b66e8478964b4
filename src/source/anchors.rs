//! Whether a text may define an anchor twice, which the fast reader's parser gets wrong.
//!
//! `serde_yaml` numbers anchors by how many names it knows, so that after a second definition of a name
//! the next anchor gets a number that is taken, and aliases lead to the wrong value.

use std::collections::HashSet;

/// Reports whether one anchor's name might be defined twice; never misses a text in which one is.
///
/// An `&` in text or a comment counts as well, which costs a text time and nothing else.
pub(super) fn may_be_redefined(text: &str) -> bool {
    let mut known = HashSet::new();
    let names = text.match_indices('&').map(|(at, _)| {
        let rest = &text[at + 1..];
        rest.split(|c: char| c.is_whitespace() || ",[]{}".contains(c)).next().unwrap_or_default()
    });
    names.filter(|name| !name.is_empty()).any(|name| !known.insert(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_defined_twice_is_suspected_and_others_are_not() {
        assert!(may_be_redefined("a: &x 1\nb: &x 2\n"));
        assert!(may_be_redefined("a: [&x 1,&x {b: c}]\n---\n"));
        assert!(!may_be_redefined("a: &x 1\nb: &y 2\nc: *x\nd: R&D and H & M & Co\n"));
    }
}
