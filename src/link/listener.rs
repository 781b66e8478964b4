//! The end that answers: whoever writes the state.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

use super::message::{self, Payload, Refusal, Request};
use super::wire::{self, Failure};
use super::{Error, Role, is_same_user, place};

/// How long one who asks may pause in a request, or in taking the reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many are answered at a time; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 16;

/// How long accepting rests after it failed, for example for want of descriptors.
const REST: Duration = Duration::from_millis(100);

/// A socket that nobody is answered at yet.
#[derive(Debug)]
pub struct Listener {
    socket: UnixListener,
    file: SocketFile,
}

/// Answers until it is closed or dropped; the socket is removed then.
#[derive(Debug)]
pub struct Service {
    task: JoinHandle<()>,
    file: SocketFile,
}

/// A socket in the file system, removed when dropped unless another one stands there by then.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Listener {
    /// Listens in the directory of `state` or, where that path is too long, in `runtime`.
    ///
    /// The caller holds the lock of the role, so a socket in the place is one that a dead process left; it
    /// is replaced. The socket is 0600. Must be called within a tokio runtime.
    pub fn bind(role: Role, state: &Path, runtime: &Path) -> Result<Self, Error> {
        let path = place::choose(role, state, runtime)?;
        clear(&path)?;
        let socket = UnixListener::bind(&path).map_err(|error| Error::io("listen at", &path, error))?;
        let file = SocketFile::at(path).map_err(|(path, error)| Error::io("look at", &path, error))?;
        fs::set_permissions(&file.path, Permissions::from_mode(0o600))
            .map_err(|error| Error::io("make private", &file.path, error))?;
        Ok(Self { socket, file })
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Answers each request with what `answer` makes of it; an `Err` says why it cannot.
    pub fn serve<A, F>(self, answer: A) -> Service
    where
        A: Fn(Request) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Payload, String>> + Send + 'static,
    {
        Service { task: tokio::spawn(accept(self.socket, answer)), file: self.file }
    }
}

impl Service {
    /// Reports whether the socket still stands where it was made, so that it can be found.
    pub fn is_in_place(&self) -> bool {
        self.file.stands()
    }

    /// Ends, and lets go of everything that `answer` holds.
    pub async fn close(mut self) {
        self.task.abort();
        // Ends by the abort alone: an answer that panics ends its own task.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SocketFile {
    fn at(path: PathBuf) -> Result<Self, (PathBuf, io::Error)> {
        match identity(&path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err((path, error)),
        }
    }

    fn stands(&self) -> bool {
        identity(&self.path).is_ok_and(|file| file == self.file)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let found = fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The directory may have been replaced, and another process may listen in the new one.
        if self.stands() {
            // One that stays is replaced by the next writer, and nobody answers at it meanwhile.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes the socket of a process that died.
fn clear(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("look at", path, error)),
        Ok(found) if found.file_type().is_socket() => {
            fs::remove_file(path).map_err(|error| Error::io("replace", path, error))
        }
        Ok(_) => Err(Error::InTheWay { path: path.to_owned() }),
    }
}

async fn accept<A, F>(socket: UnixListener, answer: A)
where
    A: Fn(Request) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Payload, String>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => drop(connections.spawn(converse(stream, answer.clone()))),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection of a reader");
                    tokio::time::sleep(REST).await;
                }
            },
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::warn!(%error, "a reader was not answered");
                }
            }
        }
    }
}

/// Hears one request and answers it.
async fn converse<A, F>(mut stream: UnixStream, answer: A)
where
    A: Fn(Request) -> F,
    F: Future<Output = Result<Payload, String>>,
{
    match stream.peer_cred() {
        Ok(peer) if is_same_user(peer.uid()) => {}
        Ok(peer) => return tracing::warn!(uid = peer.uid(), "another user asked about the state"),
        Err(error) => return tracing::warn!(%error, "cannot tell who asks about the state"),
    }
    let reply = match hear(&mut stream).await {
        Ok(Ok(request)) => answer(request).await.map_err(|why| Refusal::Failed { why }),
        Ok(Err(refusal)) => Err(refusal),
        Err(failure) => return tracing::debug!(?failure, "a reader left before it had asked"),
    };
    let reply = message::write_reply(reply.as_deref());
    if let Err(failure) = wire::send(&mut stream, &reply, PATIENCE).await {
        tracing::debug!(?failure, "a reader left before it was answered");
    }
}

async fn hear(stream: &mut UnixStream) -> Result<Result<Request, Refusal>, Failure> {
    match wire::receive(stream, wire::MAX_REQUEST_BYTES, PATIENCE).await {
        Ok(bytes) => Ok(message::read_request(&bytes)),
        Err(Failure::TooLong { bytes, limit }) => Ok(Err(Refusal::TooLong { bytes, limit })),
        Err(failure) => Err(failure),
    }
}
