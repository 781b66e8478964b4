//! The data on disk: a log of changes, one JSON object a line, synced before anything is answered.
//!
//! `log.jsonl` begins with a line that names the format. At start the log is read, written again without
//! what is outdated, and put in place by rename. A crash can leave the end of the file torn; nothing of it
//! was ever answered, so lines that cannot be read are dropped when no good line follows them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::Error;
use super::book::{Book, Change};
use crate::private_dir::PrivateDir;

const FORMAT: &str = r#"{"contactsd_sandbox":1}"#;
const NAME: &str = "log.jsonl";
/// The name while the log is being written again.
const NEW_NAME: &str = "log.jsonl.new";

/// Why an answer cannot be given: its change did not reach the disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the sandbox cannot write its data: {0}")]
pub(super) struct NotWritten(String);

/// The open log. Whoever waits for the disk writes the lines of all who came meanwhile.
#[derive(Clone)]
pub(super) struct Log(Arc<Open>);

struct Open {
    /// Whole lines that are not written yet, and the number of the last line there is.
    lines: Mutex<(Vec<u8>, u64)>,
    /// Number of the last line that is on disk.
    synced: AtomicU64,
    /// Once it has failed, what is on disk is unknown: nothing more may be written or answered.
    file: Mutex<Result<File, NotWritten>>,
}

const UNPOISONED: &str = "no holder of this lock panics";

impl Log {
    /// Reads the log in `data` into `book`, writes it again and opens it for appending.
    ///
    /// The directory must have one owner, this one.
    pub(super) fn open(data: &PrivateDir, book: &mut Book) -> Result<Self, Error> {
        read(data, book)?;
        Ok(Self::writing_to(compact(data, book)?))
    }

    fn writing_to(file: File) -> Self {
        Self(Arc::new(Open { lines: Mutex::default(), synced: AtomicU64::new(0), file: Mutex::new(Ok(file)) }))
    }

    /// Takes changes over; returns the number of the last line there is.
    ///
    /// Callers hold the book's lock, so that lines come in the order of the changes.
    pub(super) fn append(&self, changes: &[Change]) -> u64 {
        let (bytes, last) = &mut *self.0.lines.lock().expect(UNPOISONED);
        for change in changes {
            serde_json::to_writer(&mut *bytes, change).expect("a change has string keys alone");
            bytes.push(b'\n');
            *last += 1;
        }
        *last
    }

    /// Waits until line `last` and all before it survive power loss.
    pub(super) async fn synced(&self, last: u64) -> Result<(), NotWritten> {
        if self.0.synced.load(Ordering::SeqCst) >= last {
            return Ok(());
        }
        let log = self.clone();
        let written = tokio::task::spawn_blocking(move || log.0.write(last)).await;
        written.unwrap_or_else(|error| Err(NotWritten(error.to_string())))
    }

    /// Writes what was taken over, and nothing from then on. Blocks until then.
    pub(super) fn close(&self) {
        // Whoever waits for a line hears of a failure.
        self.0.write(u64::MAX).ok();
        *self.0.file.lock().expect(UNPOISONED) = Err(NotWritten("it has stopped".to_owned()));
    }
}
impl Open {
    /// Writes and syncs what is not written yet, unless somebody else has written line `last` meanwhile.
    fn write(&self, last: u64) -> Result<(), NotWritten> {
        let mut file = self.file.lock().expect(UNPOISONED);
        if self.synced.load(Ordering::SeqCst) >= last {
            return Ok(());
        }
        let open = file.as_mut().map_err(|failed| failed.clone())?;
        let (bytes, last) = {
            let (bytes, last) = &mut *self.lines.lock().expect(UNPOISONED);
            (std::mem::take(bytes), *last)
        };
        match open.write_all(&bytes).and_then(|()| open.sync_data()) {
            Ok(()) => self.synced.store(last, Ordering::SeqCst),
            Err(error) => {
                let failed = NotWritten(error.to_string());
                *file = Err(failed.clone());
                return Err(failed);
            }
        }
        Ok(())
    }
}

/// Reads the log in `data` into `book` and writes it again as `change` leaves it, where that has changed any.
///
/// The directory must have one owner, this one.
pub(super) fn rewrite(
    data: &PrivateDir,
    book: &mut Book,
    change: impl FnOnce(&mut Book) -> usize,
) -> Result<usize, Error> {
    read(data, book)?;
    let changed = change(book);
    if changed > 0 {
        compact(data, book)?;
    }
    Ok(changed)
}

fn read(data: &PrivateDir, book: &mut Book) -> Result<(), Error> {
    let path = data.path().join(NAME);
    let bytes = match data.read(NAME) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(Error::Read { path, source }),
    };
    let damaged = |line| Error::Damaged { path: path.clone(), line };
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n');
    // The file came into place whole, so that its first line cannot be torn.
    if lines.next().and_then(|line| line.strip_suffix(b"\n")) != Some(FORMAT.as_bytes()) {
        return Err(damaged(1));
    }
    let mut torn = None;
    for (at, line) in lines.enumerate() {
        let change = line.strip_suffix(b"\n").and_then(|line| serde_json::from_slice::<Change>(line).ok());
        match (change, torn) {
            (Some(change), None) => book.replay(&change),
            (Some(_), Some(torn)) => return Err(damaged(torn)),
            (None, _) => torn = torn.or(Some(at + 2)),
        }
    }
    Ok(())
}

/// Writes the book as a new log and puts it in the place of the old one.
fn compact(data: &PrivateDir, book: &Book) -> Result<File, Error> {
    let write = || -> io::Result<File> {
        let mut writer = BufWriter::new(data.write(NEW_NAME, b"")?);
        writeln!(writer, "{FORMAT}")?;
        for change in book.snapshot() {
            serde_json::to_writer(&mut writer, &change)?;
            writer.write_all(b"\n")?;
        }
        let file = writer.into_inner()?;
        file.sync_all()?;
        data.rename(NEW_NAME, NAME)?;
        data.sync()?;
        Ok(file)
    };
    write().map_err(|source| Error::Write { path: data.path().join(NEW_NAME), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_disk_that_is_full_fails_every_answer_from_then_on() {
        let log = Log::writing_to(File::options().write(true).open("/dev/full").unwrap());
        assert_eq!(log.synced(log.append(&[])).await, Ok(()));
        let last = log.append(&[Change { deleted: vec!["1".to_owned()], ..Change::default() }]);
        assert!(log.synced(last).await.is_err());
        assert!(log.synced(log.append(&[])).await.is_err());
        log.close();
    }

    #[tokio::test]
    async fn a_change_after_the_close_is_not_called_written() {
        let log = Log::writing_to(tempfile::tempfile().unwrap());
        log.close();
        let last = log.append(&[Change { deleted: vec!["1".to_owned()], ..Change::default() }]);
        assert!(log.synced(last).await.is_err());
    }
}
