//! Paths as programs beside us read them: below the working directory where they are.

use std::path::{Component, Path, PathBuf};

/// Returns `path` as seen from `directory`; an absolute path elsewhere stays as it is.
pub(super) fn relative(path: &Path, directory: &Path) -> PathBuf {
    let below = path.strip_prefix(directory).unwrap_or(path);
    below.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_is_named_from_there() {
        let seen = |path: &str| relative(Path::new(path), Path::new("/work/here")).display().to_string();
        assert_eq!(seen("/work/here/contacts.d/a.yaml"), "contacts.d/a.yaml");
        assert_eq!(seen("./contacts.d/./a.yaml"), "contacts.d/a.yaml");
        assert_eq!(seen("../there/a.yaml"), "../there/a.yaml");
        assert_eq!(seen("/work/hereafter/a.yaml"), "/work/hereafter/a.yaml");
    }
}
