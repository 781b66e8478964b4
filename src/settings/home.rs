//! `.contactsd`, below which the states and sandboxes of the working directory are kept out of version control.
//!
//! A state holds what the contact files declare and belongs to one machine; `git add -A` must not take it along.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::private_dir::HOME;

const IGNORE: &str = ".gitignore";

/// Makes the directory if there is none, and puts into it what has git pass it over; what is there already stays.
///
/// Does nothing in one that is a link or belongs to somebody else: whoever opens a state there refuses it.
pub fn keep_from_git() -> io::Result<()> {
    Ok(keep(Path::new(HOME))?)
}

fn keep(home: &Path) -> Result<(), Errno> {
    match rustix::fs::mkdir(home, Mode::RWXU) {
        Err(error) if error != Errno::EXIST => return Err(error),
        _ => {}
    }
    let Some(directory) = own(home)? else { return Ok(()) };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&directory, IGNORE, flags, Mode::from_raw_mode(0o644)) {
        Ok(file) => {
            File::from(file).write_all(b"*\n").map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
        }
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Opens the directory where it is one of ours.
fn own(home: &Path) -> Result<Option<OwnedFd>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = match rustix::fs::openat(CWD, home, flags, Mode::empty()) {
        Err(Errno::NOTDIR | Errno::LOOP) => return Ok(None),
        opened => opened?,
    };
    let is_ours = rustix::fs::fstat(&directory)?.st_uid == rustix::process::geteuid().as_raw();
    Ok(is_ours.then_some(directory))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn git_passes_it_over_whether_it_was_there_or_not() {
        let world = tempfile::tempdir().unwrap();
        let (home, ignore) = (world.path().join(HOME), world.path().join(HOME).join(IGNORE));
        keep(&home).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
        fs::remove_file(&ignore).unwrap();
        keep(&home).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
        fs::write(&ignore, "state/\n").unwrap();
        keep(&home).unwrap();
        assert_eq!(fs::read_to_string(&ignore).unwrap(), "state/\n", "a person's own stays");
    }

    #[test]
    fn nothing_is_written_through_a_link() {
        let world = tempfile::tempdir().unwrap();
        let elsewhere = world.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let home = world.path().join(HOME);
        symlink(&elsewhere, &home).unwrap();
        keep(&home).unwrap();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
        fs::remove_file(&home).unwrap();
        fs::create_dir(&home).unwrap();
        symlink(elsewhere.join("new"), home.join(IGNORE)).unwrap();
        keep(&home).unwrap();
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }
}
