//! The versions that readers of our JSON go by.

/// The version of the records, `MAJOR.MINOR`: a new minor adds types and keys, a reader must refuse a major
/// that it does not know.
pub(super) const UI_VERSION: &str = "1.0";

/// The version of documents: plans and the answer of `validate`; counts as [`UI_VERSION`] does.
pub(super) const FORMAT_VERSION: &str = "1.0";

/// The version of this program.
pub(super) const PROGRAM_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that it was built from, in short; none where the build did not know it.
pub(super) const COMMIT: Option<&str> = option_env!("BUILT_COMMIT");

/// The kind of machine that it was built for, as Rust calls it.
pub(super) const TARGET: &str = env!("BUILT_TARGET");
