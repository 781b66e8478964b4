//! Marks in a plan file: that it was begun, and that it is spent.
//!
//! The state knows better what is done. The marks speak when the state is lost, restored or another.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::format::Mark;
use super::read::read;
use super::{SavedError, SavedPlan};

/// Why a plan file could not be marked; the plan can be applied all the same.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// It is a pipe, for example, and was read once.
    #[error("it is not a regular file, so nothing can be noted in it")]
    NotRegular,
    #[error("cannot write to it")]
    Write(#[source] io::Error),
    #[error("it cannot be read any more")]
    Read(#[source] SavedError),
    #[error("another plan has taken its place")]
    Replaced,
}

/// Adds a mark to the file of a plan; durable on return.
pub(super) fn add(saved: &mut SavedPlan, mark: Mark) -> Result<(), MarkError> {
    if !saved.is_file {
        return Err(MarkError::NotRegular);
    }
    let file = open(&saved.path)?;
    let (there, bytes) = read(&saved.path, &file).map_err(MarkError::Read)?;
    if there.digest() != saved.digest() {
        return Err(MarkError::Replaced);
    }
    write(&file, bytes, &mark).map_err(MarkError::Write)?;
    saved.marks.push(mark);
    Ok(())
}

/// Opens the file of a plan, and never waits: a pipe has given all that it had, and reading on would not end.
fn open(path: &Path) -> Result<File, MarkError> {
    let is_regular = |metadata: Metadata| if metadata.is_file() { Ok(()) } else { Err(MarkError::NotRegular) };
    is_regular(fs::metadata(path).map_err(MarkError::Write)?)?;
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open(path);
    let file = file.map_err(MarkError::Write)?;
    is_regular(file.metadata().map_err(MarkError::Write)?)?;
    Ok(file)
}

fn write(file: &File, at: u64, mark: &Mark) -> io::Result<()> {
    let mut line = serde_json::to_vec(mark)?;
    line.push(b'\n');
    // What is left of a mark that was cut.
    file.set_len(at)?;
    file.write_all_at(&line, at)?;
    file.sync_all()
}
