//! What benchmarks print: figures to stdout, and how far they are to stderr.

/// Prints how far the measurement is.
#[expect(clippy::disallowed_macros, reason = "a benchmark prints")]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::disallowed_macros, reason = "a benchmark prints")]
pub(crate) fn print(text: &str) {
    println!("{text}");
}
