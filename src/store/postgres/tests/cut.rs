//! A way to the database that is cut where a test wants it: around the end of a transaction.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

/// Where the connection is cut, the next time that a transaction ends, or another statement is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    BeforeTheEnd,
    BeforeItsAnswer,
}

/// Listens beside the socket of a server and passes on what comes, but for the cuts.
pub(super) struct Cutter {
    directory: tempfile::TempDir,
    left: Arc<AtomicU32>,
}

const PORT: u16 = 7777;

impl Cutter {
    /// Cuts the first `times` transactions that end.
    pub(super) fn before(server: PathBuf, cut: Cut, times: u32) -> Self {
        Self::at("COMMIT\0", server, cut, times)
    }

    /// Cuts the first `times` statements with these words.
    pub(super) fn at(words: &'static str, server: PathBuf, cut: Cut, times: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(format!(".s.PGSQL.{PORT}"))).unwrap();
        let left = Arc::new(AtomicU32::new(times));
        let counted = Arc::clone(&left);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, left) = (client.unwrap(), Arc::clone(&counted));
                let Ok(server) = UnixStream::connect(&server) else { continue };
                thread::spawn(move || pass(client, server, words, cut, &left));
            }
        });
        Self { directory, left }
    }

    pub(super) fn url(&self, state: &str) -> String {
        let socket = self.directory.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}:{PORT}/postgres?state={state}")
    }

    pub(super) fn left(&self) -> u32 {
        self.left.load(Ordering::SeqCst)
    }
}

fn pass(mut client: UnixStream, mut server: UnixStream, words: &str, cut: Cut, left: &AtomicU32) {
    let (mut answers, mut asked) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let (silenced, is_silenced) = std::sync::mpsc::channel::<()>();
    let back = thread::spawn(move || {
        let mut bytes = [0; 8192];
        while let Ok(count @ 1..) = answers.read(&mut bytes) {
            if is_silenced.try_recv().is_ok() || asked.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        let _ = asked.shutdown(Shutdown::Both);
    });
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        let ends = bytes[..count].windows(words.len()).any(|found| found == words.as_bytes());
        let is_cut = ends && left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if is_cut && cut == Cut::BeforeTheEnd {
            break;
        }
        if is_cut {
            silenced.send(()).unwrap();
        }
        if server.write_all(&bytes[..count]).is_err() || is_cut {
            break;
        }
    }
    if cut == Cut::BeforeTheEnd {
        let _ = server.shutdown(Shutdown::Both);
    }
    let _ = client.shutdown(Shutdown::Read);
    back.join().unwrap();
}
