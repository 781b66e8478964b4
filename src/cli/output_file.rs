//! Output files that a person named. Never writes through a link in their place.
//!
//! A checkout may contain a link with the name of an output file, which leads to any other file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::ui::words::system::not_through_link;

/// Empties or makes a file; what is no plain file, such as a pipe or a terminal, is written to as it is.
///
/// `mode` is that of a new file. Directories above it may be links.
pub(super) fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(mode);
    if !is_own_stream(path) {
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path).map_err(|error| if !is_own_stream(path) && path.is_symlink() { link(path) } else { error })
}

/// Reports whether a path is that of an open file of this process, which the system shows as a link.
fn is_own_stream(path: &Path) -> bool {
    let parts: Vec<&str> = path.components().filter_map(|part| part.as_os_str().to_str()).collect();
    matches!(parts[..], ["/", "dev", "stdout" | "stderr"] | ["/", "dev", "fd", _] | ["/", "proc", _, "fd", _])
}

fn link(path: &Path) -> io::Error {
    io::Error::other(not_through_link(&path.read_link().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_emptied_and_a_link_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        fs::write(&file, "mine").unwrap();
        for to in ["file", "nowhere", "/dev/null"] {
            symlink(to, &link).unwrap();
            assert!(create(&link, 0o600).unwrap_err().to_string().contains("symbolic link"), "{to}");
            fs::remove_file(&link).unwrap();
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        assert!(!directory.path().join("nowhere").exists());
        create(&file, 0o600).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "");
        create(Path::new("/dev/null"), 0o600).unwrap();
    }

    #[test]
    fn open_files_of_the_process_are_told_by_their_paths() {
        for own in ["/dev/stdout", "/dev/stderr", "/dev/fd/7", "/proc/self/fd/1", "/proc/thread-self/fd/3"] {
            assert!(is_own_stream(Path::new(own)), "{own}");
        }
        for other in ["dev/stdout", "/dev/shm/x", "/dev/fd/../shm/x", "/work/dev/stdout", "/proc/self/environ"] {
            assert!(!is_own_stream(Path::new(other)), "{other}");
        }
    }
}
