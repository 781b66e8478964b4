//! Marks in a plan file: that it was begun, and that it is spent.
//!
//! The state knows better what is done. The marks speak when the state is lost, restored or another.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;

use super::format::Mark;
use super::read::read;
use super::{SavedError, SavedPlan};

/// Why a plan file could not be marked; the plan can be applied all the same.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    #[error("cannot write to it")]
    Write(#[source] io::Error),
    #[error("it cannot be read any more")]
    Read(#[source] SavedError),
    #[error("another plan has taken its place")]
    Replaced,
}

/// Adds a mark to the file of a plan; durable on return.
pub(super) fn add(saved: &mut SavedPlan, mark: Mark) -> Result<(), MarkError> {
    let file = OpenOptions::new().read(true).write(true).open(&saved.path).map_err(MarkError::Write)?;
    let (there, bytes) = read(&saved.path, &file).map_err(MarkError::Read)?;
    if there.digest() != saved.digest() {
        return Err(MarkError::Replaced);
    }
    write(&file, bytes, &mark).map_err(MarkError::Write)?;
    saved.marks.push(mark);
    Ok(())
}

fn write(file: &File, at: u64, mark: &Mark) -> io::Result<()> {
    let mut line = serde_json::to_vec(mark)?;
    line.push(b'\n');
    // What is left of a mark that was cut.
    file.set_len(at)?;
    file.write_all_at(&line, at)?;
    file.sync_all()
}
