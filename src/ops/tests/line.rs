//! A relay between client and sandbox that spoils the Nth exchange.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What becomes of the exchange that is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoil {
    /// The request never arrives.
    Before,
    /// The work is done and the answer lost.
    After,
    /// The work is done, and something in between answers 200 with a page.
    Page,
}

/// The relay; it ends with this handle.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    passed: Arc<AtomicU64>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// Relays to `target`; `spoiled` is the number of an exchange, from 1, and what becomes of it.
    pub(super) async fn to(target: SocketAddr, spoiled: Option<(u64, Spoil)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let passed = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, target, Arc::clone(&counter), spoiled));
            }
        });
        Self { address, passed, accepting }
    }

    /// Returns how many requests came.
    pub(super) fn requests(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Relays the exchanges of one connection; `None` when either side is done.
async fn relay(
    mut client: TcpStream,
    target: SocketAddr,
    passed: Arc<AtomicU64>,
    spoiled: Option<(u64, Spoil)>,
) -> Option<()> {
    let mut server = TcpStream::connect(target).await.ok()?;
    loop {
        let request = message(&mut client).await?;
        let number = passed.fetch_add(1, Ordering::SeqCst) + 1;
        let spoil = spoiled.filter(|(at, _)| *at == number).map(|(_, spoil)| spoil);
        if spoil == Some(Spoil::Before) {
            return None;
        }
        server.write_all(&request).await.ok()?;
        let answer = message(&mut server).await?;
        match spoil {
            Some(Spoil::Page) => {
                let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 13\r\n\r\n<html></html>";
                client.write_all(page).await.ok()?;
            }
            Some(_) => return None,
            None => client.write_all(&answer).await.ok()?,
        }
    }
}

/// Reads one request or answer whole; its length must be announced, as both sides here do.
async fn message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        bytes.push(stream.read_u8().await.ok()?);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok()).unwrap_or(0);
    bytes.resize(head + length, 0);
    stream.read_exact(&mut bytes[head..]).await.ok()?;
    Some(bytes)
}
