//! Who owns a data directory: the holder of a lock on `owner.json`, which says where it listens.
//!
//! The lock goes with its process, so an owner that died leaves nothing to clean up. Never touches the data.

use std::error::Error;
use std::fs::{File, TryLockError};
use std::io::{self, Seek, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::HOST;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use crate::private_dir::PrivateDir;

const NAME: &str = "owner.json";
/// Bytes of an owner's answer at most.
const MAX_BYTES: usize = 64 * 1024;
/// Path of the control surface under which an owner says who it is.
pub(super) const PATH: &str = "/sandbox/owner";

/// How often a directory is looked at that is locked and whose owner does not answer.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Who owns the data and where it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    pub(super) pid: u32,
    pub(super) address: SocketAddr,
    /// Random; tells this owner from whoever has its port next.
    pub(super) token: String,
}

/// Ownership of a data directory; given up when dropped.
pub(super) struct Claim {
    file: File,
    path: PathBuf,
}

impl Claim {
    /// Takes ownership of the directory `data`.
    ///
    /// # Errors
    ///
    /// [`super::Error::Owned`] when another owner answers; [`super::Error::OwnerSilent`] when the directory is locked and
    /// nobody answers for 5 seconds, long enough for one that is just starting or stopping.
    pub(super) async fn take(data: &PrivateDir) -> Result<Self, super::Error> {
        let path = data.path().join(NAME);
        let failed = |source| super::Error::Owner { path: path.clone(), source };
        let file = data.open_private(NAME).map_err(failed)?;
        for _ in 0..ATTEMPTS {
            match file.try_lock() {
                Ok(()) => {
                    // An earlier owner's address must not be taken for ours.
                    file.set_len(0).map_err(failed)?;
                    return Ok(Self { file, path });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => return Err(failed(source)),
            }
            if let Some(owner) = read(data).map_err(failed)?
                && answers(&owner).await
            {
                return Err(super::Error::Owned { path, pid: owner.pid, address: owner.address });
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(super::Error::OwnerSilent { path })
    }

    /// Writes where this owner listens.
    pub(super) fn announce(&mut self, owner: &Owner) -> Result<(), super::Error> {
        let text = serde_json::to_vec(owner).expect("an owner has string keys alone");
        let written = self.file.rewind().and_then(|()| self.file.write_all(&text));
        written.map_err(|source| super::Error::Owner { path: self.path.clone(), source })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // The address is wrong from now on. Should this fail, the next claim clears it, and whoever reads
        // it until then gets no answer there.
        self.file.set_len(0).ok();
    }
}

/// Reads who owns the data; `None` while an owner has not announced itself.
fn read(data: &PrivateDir) -> io::Result<Option<Owner>> {
    Ok(serde_json::from_slice(&data.read(NAME)?).ok())
}

/// Reports whether `owner` is the one that answers at its address.
async fn answers(owner: &Owner) -> bool {
    let asked = tokio::time::timeout(Duration::from_secs(1), ask(owner.address)).await;
    asked.ok().and_then(Result::ok).as_ref() == Some(owner)
}

async fn ask(address: SocketAddr) -> Result<Owner, Box<dyn Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut asking, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the question, which has its failures as well.
    tokio::spawn(connection);
    let request = Request::get(PATH).header(HOST, address.to_string()).body(Body::empty())?;
    let answer = Body::new(asking.send_request(request).await?.into_body());
    Ok(serde_json::from_slice(&to_bytes(answer, MAX_BYTES).await?)?)
}
