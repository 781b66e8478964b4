//! From a path that may lead through links to the one without, by names alone.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;

/// Links followed on the way to one name; the same number ends a loop of links in Linux.
const MOST_LINKS: usize = 40;

/// Follows `path` from the directory `base`, a path without links, to its end; nothing is opened.
///
/// `passed` is told each link on the way, and where the way breaks off. A `base` without a name is the working directory.
pub fn follow(base: &Path, path: &Path, mut passed: impl FnMut(&Path)) -> io::Result<PathBuf> {
    follow_where(base, path, |link, _| {
        passed(link);
        true
    })
    .map(|end| end.expect("every link is followed"))
}

/// The same, as long as `may_pass` allows each link, told with its target; `None` where it does not.
///
/// Where the way breaks off, it is told a target without a name.
pub(super) fn follow_where(
    base: &Path,
    path: &Path,
    mut may_pass: impl FnMut(&Path, &Path) -> bool,
) -> io::Result<Option<PathBuf>> {
    let mut real = base.to_owned();
    let mut ahead = steps(path);
    let mut links = 0;
    while let Some(step) = ahead.pop() {
        let name = match step {
            Step::Root => {
                real = PathBuf::from("/");
                continue;
            }
            Step::Up => {
                ascend(&mut real);
                continue;
            }
            Step::Into(name) => real.join(name),
        };
        match link_or_else(&name) {
            Ok(Some(target)) if links < MOST_LINKS => {
                links += 1;
                if !may_pass(&name, &target) {
                    return Ok(None);
                }
                ahead.extend(steps(&target));
            }
            Ok(None) => real = name,
            broken => {
                may_pass(&name, Path::new(""));
                return Err(broken.err().unwrap_or_else(|| Errno::LOOP.into()));
            }
        }
    }
    Ok(Some(real))
}

/// Goes to the directory above; above the working directory there is one as well.
fn ascend(real: &mut PathBuf) {
    if real.file_name().is_some() {
        real.pop();
    } else if !real.has_root() {
        real.push("..");
    }
}

/// One step on a way.
enum Step {
    Root,
    Up,
    Into(PathBuf),
}

/// The steps of a path, the first one last, to be popped.
fn steps(path: &Path) -> Vec<Step> {
    let step = |component| match component {
        Component::RootDir => Some(Step::Root),
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Into(PathBuf::from(name))),
        Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(step).collect()
}

/// Reads a link; `None` for what is there and no link.
fn link_or_else(path: &Path) -> io::Result<Option<PathBuf>> {
    if FileType::from_raw_mode(rustix::fs::lstat(path)?.st_mode) != FileType::Symlink {
        return Ok(None);
    }
    match rustix::fs::readlink(path, Vec::new()) {
        Ok(target) => Ok(Some(PathBuf::from(OsString::from_vec(target.into_bytes())))),
        // Something else took its place since.
        Err(Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
