//! The least that the same work can cost: looking at files, reading them, parsing them.
//!
//! Runs as a process of its own, like what it is compared with. Knows nothing of contactsd: no checks,
//! no places, nothing kept.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use serde::Deserialize;

/// What is done with each file below a directory, on all processors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Floor {
    /// Look at it.
    Walk,
    /// Read it and hash it with BLAKE3.
    Hash,
    /// Read it and have the parser of contactsd tell its events, which are dropped at once.
    Events,
    /// Read it and parse it into plain structs, dropped at once.
    Parse,
}

impl Floor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Walk => "parallel walk and stat",
            Self::Hash => "parallel walk, read, hash",
            Self::Events => "parallel walk, read, bare events",
            Self::Parse => "parallel walk, read, typed serde_yaml",
        }
    }
}

/// What a file holds, in the plainest form.
#[derive(Deserialize)]
struct Document {
    defaults: Option<Contact>,
    contacts: BTreeMap<String, Contact>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsed to measure parsing")]
struct Contact {
    first_name: Option<String>,
    last_name: Option<String>,
    organization_name: Option<String>,
    title: Option<String>,
    email: Option<String>,
    website_url: Option<String>,
    label_names: Option<Vec<String>>,
    present_raw_address: Option<String>,
    direct_phone: Option<String>,
    corporate_phone: Option<String>,
    mobile_phone: Option<String>,
    typed_custom_fields: Option<BTreeMap<String, String>>,
}

/// Directories and files that are one piece of work.
type Batch = Vec<PathBuf>;

/// How many files are handed on at once: many small ones cost little to hand on, and no processor waits for another.
const BATCH_FILES: usize = 16;

/// Does the work and returns how much was met: bytes, or contacts.
pub(crate) fn run(floor: Floor, directory: &Path) -> io::Result<u64> {
    let queue = Mutex::new(vec![vec![directory.to_owned()]]);
    let (busy, met) = (AtomicU64::new(0), AtomicU64::new(0));
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(|| work(floor, &queue, &busy, &met))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })?;
    Ok(met.into_inner())
}

/// Takes directories and files from the queue until all are done.
fn work(floor: Floor, queue: &Mutex<Vec<Batch>>, busy: &AtomicU64, met: &AtomicU64) -> io::Result<()> {
    loop {
        let next = {
            let mut queue = queue.lock().expect("no worker panics");
            let next = queue.pop();
            // Counted under the lock, so that an empty queue and nobody busy means the end.
            busy.fetch_add(u64::from(next.is_some()), Ordering::SeqCst);
            next
        };
        let Some(batch) = next else {
            if busy.load(Ordering::SeqCst) == 0 {
                return Ok(());
            }
            rest();
            continue;
        };
        let done = batch.iter().try_fold(0, |met, path| Ok::<_, io::Error>(met + visit(floor, path, queue)?));
        busy.fetch_sub(1, Ordering::SeqCst);
        met.fetch_add(done?, Ordering::Relaxed);
    }
}

/// Waits for work without taking processor time, which would count where one file keeps one worker busy.
#[expect(clippy::disallowed_methods, reason = "a worker waits for others")]
fn rest() {
    thread::sleep(Duration::from_micros(50));
}

/// Hands on what is in a directory; does the work on a file.
fn visit(floor: Floor, path: &Path, queue: &Mutex<Vec<Batch>>) -> io::Result<u64> {
    if !fs::symlink_metadata(path)?.is_dir() {
        return file(floor, path);
    }
    let entries: Batch = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    let batches = entries.chunks(BATCH_FILES).map(<[_]>::to_vec);
    queue.lock().expect("no worker panics").extend(batches);
    Ok(0)
}

fn file(floor: Floor, path: &Path) -> io::Result<u64> {
    match floor {
        Floor::Walk => Ok(1),
        Floor::Hash => {
            let bytes = fs::read(path)?;
            let hash = blake3::hash(&bytes);
            // Used, so that it is not left out.
            Ok(bytes.len() as u64 + u64::from(hash.as_bytes()[0] == 0))
        }
        Floor::Events => {
            let text = fs::read_to_string(path)?;
            let options = granit_parser::options! { emit_comments: false };
            let mut events = 0;
            for event in granit_parser::Parser::new_from_str_with_options(&text, options) {
                events += u64::from(event.map_err(io::Error::other)?.0.is_node());
            }
            Ok(events)
        }
        Floor::Parse => {
            let text = fs::read_to_string(path)?;
            let mut contacts = 0;
            for document in serde_yaml::Deserializer::from_str(&text) {
                let document = Document::deserialize(document).map_err(io::Error::other)?;
                contacts += document.contacts.len() as u64;
                drop(document.defaults);
            }
            Ok(contacts)
        }
    }
}
