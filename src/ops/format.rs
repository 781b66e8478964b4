//! Putting a formatted file in the place of the one that was read.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::source::Formatted;

/// Why a formatted file was not written.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    #[error("{} cannot be written", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} changed while it was formatted, and was left alone", path.display())]
    Changed { path: PathBuf },
}

/// Replaces the file at `path` by what it was formatted to: whole or not at all, with its mode.
///
/// Of a symbolic link, the file it leads to is replaced. A file that changed since it was read stays.
pub fn replace(path: &Path, formatted: &Formatted) -> Result<(), FormatError> {
    let failed = |source| FormatError::Write { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(failed)?;
    let directory = real.parent().unwrap_or(Path::new("/"));
    // The name is one that readers of the directory skip.
    let mut file = tempfile::Builder::new().prefix(".contactsd-fmt-").tempfile_in(directory).map_err(failed)?;
    file.write_all(formatted.after.as_bytes()).map_err(failed)?;
    let (metadata, own) = (real.metadata().map_err(failed)?, file.as_file().metadata().map_err(failed)?);
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        keep_owner(file.as_file(), &metadata);
    }
    file.as_file().set_permissions(metadata.permissions()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    if fs::read(&real).map_err(failed)? != formatted.before {
        return Err(FormatError::Changed { path: path.to_owned() });
    }
    file.persist(&real).map_err(|error| failed(error.error))?;
    fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
}

/// Gives a file the owner of the one it replaces, as far as we may; else it belongs to who formats, as after an edit.
fn keep_owner(file: &fs::File, metadata: &fs::Metadata) {
    let (user, group) =
        (rustix::process::Uid::from_raw(metadata.uid()), rustix::process::Gid::from_raw(metadata.gid()));
    let _ = rustix::fs::fchown(file, Some(user), Some(group));
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::source::format_file;

    const TEXT: &str = "contacts:\n    a:\n        title: x\n        last_name: A\n";

    fn file(directory: &Path) -> PathBuf {
        let path = directory.join("a.yaml");
        fs::write(&path, TEXT).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        path
    }

    #[test]
    fn the_file_behind_a_link_is_replaced_and_keeps_its_mode() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let link = directory.path().join("link.yaml");
        symlink("a.yaml", &link).unwrap();
        replace(&link, &format_file(&link).unwrap()).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "contacts:\n  a:\n    last_name: A\n    title: x\n");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "nothing else is left there");
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = file(directory.path());
        let formatted = format_file(&path).unwrap();
        fs::write(&path, "contacts: {}\n").unwrap();
        assert!(matches!(replace(&path, &formatted), Err(FormatError::Changed { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "contacts: {}\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
