//! The Unix socket at which a process answers others of the same user.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::connections::{self, Allowance};
use super::{Error, Role, Routes, is_same_user, place};

/// Further ones wait in the system's queue; an answer takes as long as it takes.
const ALLOWANCE: Allowance = Allowance { connections: 16, makes_room: false, longest: Duration::MAX };

/// A socket that nobody is answered at yet.
#[derive(Debug)]
pub struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

/// Answers until it is closed or dropped; the socket is removed then.
#[derive(Debug)]
pub struct Service {
    task: JoinSet<()>,
    file: SocketFile,
}

/// A socket in the file system, removed when dropped unless another one stands there by then.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl Socket {
    /// Listens in the directory of `state` or, where that path is too long, in `runtime`.
    ///
    /// The caller holds the lock of the role, so a socket in the place is one that a dead process left; it
    /// is replaced. The socket is 0600. Must be called within a tokio runtime.
    pub fn bind(role: Role, state: &Path, runtime: &Path) -> Result<Self, Error> {
        let path = place::choose(role, state, runtime)?;
        clear(&path)?;
        let listener = UnixListener::bind(&path).map_err(|error| Error::io("listen at", &path, error))?;
        let file = identity(&path).map_err(|error| Error::io("look at", &path, error))?;
        let file = SocketFile { path, file };
        fs::set_permissions(&file.path, Permissions::from_mode(0o600))
            .map_err(|error| Error::io("make private", &file.path, error))?;
        Ok(Self { listener, file })
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// Begins to answer.
    pub fn answer(self, routes: Routes) -> Service {
        let answering = connections::answer(SameUser(self.listener), routes.for_processes(), ALLOWANCE);
        Service { task: JoinSet::from_iter([answering]), file: self.file }
    }
}

impl Service {
    /// Reports whether the socket still stands where it was made, so that it can be found.
    pub fn is_in_place(&self) -> bool {
        self.file.stands()
    }

    /// Ends, and lets go of everything that the functions that answer hold.
    pub async fn close(mut self) {
        self.task.shutdown().await;
    }
}

impl SocketFile {
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

/// Accepts connections of the same user, and hangs up on others.
struct SameUser(UnixListener);

impl Listener for SameUser {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.0).await;
            match stream.peer_cred() {
                Ok(peer) if is_same_user(peer.uid()) => return (stream, address),
                Ok(peer) => tracing::warn!(uid = peer.uid(), "another user asked about the state"),
                Err(error) => tracing::warn!(%error, "cannot tell who asks about the state"),
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
