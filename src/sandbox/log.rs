//! The data on disk: a log of changes, one JSON object a line, synced before anything is answered.
//!
//! `log.jsonl` begins with a line that names the format. At start the log is read, written again without
//! what is outdated, and put in place by rename. A crash can leave the end of the file torn; nothing of it
//! was ever answered, so lines that cannot be read are dropped when no good line follows them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;

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

/// How far the log is on disk.
enum Synced {
    /// Every line up to the one with this number.
    UpTo(u64),
    Failed(NotWritten),
}

/// The open log; one thread writes it.
pub(super) struct Log {
    lines: Mutex<Option<mpsc::Sender<Lines>>>,
    /// Number of the last line handed to the writer.
    appended: AtomicU64,
    synced: watch::Receiver<Synced>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// Whole lines for the log, and the number of the last.
struct Lines {
    bytes: Vec<u8>,
    last: u64,
}

impl Log {
    /// Reads the log in `data` into `book`, writes it again and opens it for appending.
    ///
    /// The directory must have one owner, this one.
    pub(super) fn open(data: &PrivateDir, book: &mut Book) -> Result<Self, Error> {
        read(data, book)?;
        let file = compact(data, book)?;
        Self::writing_to(file).map_err(|source| Error::Write { path: data.path().join(NAME), source })
    }

    fn writing_to(file: File) -> io::Result<Self> {
        let (lines, receiver) = mpsc::channel();
        let (sender, synced) = watch::channel(Synced::UpTo(0));
        let writer = thread::Builder::new().name("sandbox-log".to_owned());
        let writer = writer.spawn(move || write(file, &receiver, &sender))?;
        Ok(Self {
            lines: Mutex::new(Some(lines)),
            appended: AtomicU64::new(0),
            synced,
            writer: Mutex::new(Some(writer)),
        })
    }

    /// Hands changes to the writer; returns the number of the last line there is.
    ///
    /// Callers hold the book's lock, so that lines come in the order of the changes.
    pub(super) fn append(&self, changes: &[Change]) -> u64 {
        if changes.is_empty() {
            return self.appended.load(Ordering::SeqCst);
        }
        let mut bytes = Vec::new();
        for change in changes {
            serde_json::to_writer(&mut bytes, change).expect("a change has string keys alone");
            bytes.push(b'\n');
        }
        let count = u64::try_from(changes.len()).expect("a length fits 64 bits");
        let last = self.appended.fetch_add(count, Ordering::SeqCst) + count;
        if let Some(lines) = &*self.lines.lock().expect("no holder of this lock panics") {
            // A writer that is gone has left its reason in `synced`, where every waiter reads it.
            lines.send(Lines { bytes, last }).ok();
        }
        last
    }

    /// Waits until line `last` and all before it survive power loss.
    pub(super) async fn synced(&self, last: u64) -> Result<(), NotWritten> {
        let reached = |synced: &Synced| match synced {
            Synced::UpTo(line) => *line >= last,
            Synced::Failed(_) => true,
        };
        match self.synced.clone().wait_for(reached).await.as_deref() {
            Ok(Synced::UpTo(_)) => Ok(()),
            Ok(Synced::Failed(error)) => Err(error.clone()),
            Err(_) => Err(NotWritten("it has stopped".to_owned())),
        }
    }

    /// Writes what was handed over and ends the writer. Blocks until then.
    pub(super) fn close(&self) {
        self.lines.lock().expect("no holder of this lock panics").take();
        if let Some(writer) = self.writer.lock().expect("no holder of this lock panics").take() {
            writer.join().expect("the writer reports its errors and does not panic");
        }
    }
}

/// Writes and syncs lines until the log is closed; what came in meanwhile shares one sync.
fn write(mut file: File, lines: &mpsc::Receiver<Lines>, synced: &watch::Sender<Synced>) {
    while let Ok(Lines { mut bytes, mut last }) = lines.recv() {
        while let Ok(more) = lines.try_recv() {
            bytes.extend(more.bytes);
            last = more.last;
        }
        match file.write_all(&bytes).and_then(|()| file.sync_data()) {
            Ok(()) => synced.send_replace(Synced::UpTo(last)),
            // What reached the disk is unknown from here on: nothing more may be written or answered.
            Err(error) => {
                synced.send_replace(Synced::Failed(NotWritten(error.to_string())));
                return;
            }
        };
    }
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
        let log = Log::writing_to(File::options().write(true).open("/dev/full").unwrap()).unwrap();
        assert_eq!(log.synced(log.append(&[])).await, Ok(()));
        let last = log.append(&[Change { deleted: vec!["1".to_owned()], ..Change::default() }]);
        assert!(log.synced(last).await.is_err());
        assert!(log.synced(log.append(&[])).await.is_err());
        log.close();
    }

    #[tokio::test]
    async fn a_change_after_the_close_is_not_called_written() {
        let log = Log::writing_to(tempfile::tempfile().unwrap()).unwrap();
        log.close();
        let last = log.append(&[Change { deleted: vec!["1".to_owned()], ..Change::default() }]);
        assert!(log.synced(last).await.is_err());
    }
}
