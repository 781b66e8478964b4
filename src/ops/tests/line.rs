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
    /// The work is done, and something in between answers with this status and a page.
    PageAfter(u16),
    /// The request never arrives, and something in between answers with this status and a page.
    PageBefore(u16),
    /// The work is done, and the server refuses it with this status all the same, as the API words refusals.
    RefusedAfter(u16),
    /// Somebody makes this contact just before the request arrives.
    Meanwhile(&'static str),
}

/// Which exchange is spoiled, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoiled {
    /// From 1, among all exchanges or among creates.
    pub(super) number: u64,
    pub(super) spoil: Spoil,
    pub(super) among_creates: bool,
}

/// The relay; it ends with this handle.
pub(super) struct Line {
    pub(super) address: SocketAddr,
    passed: Arc<Passed>,
    accepting: JoinHandle<()>,
}

impl Line {
    /// Relays to `target`; one exchange may be spoiled.
    pub(super) async fn to(target: SocketAddr, spoiled: Option<Spoiled>) -> Self {
        Self::listen(TcpListener::bind(("127.0.0.1", 0)).await.unwrap(), target, spoiled)
    }

    /// Relays to `target` from an address that was another line's before.
    pub(super) async fn at(address: SocketAddr, target: SocketAddr) -> Self {
        Self::listen(TcpListener::bind(address).await.unwrap(), target, None)
    }

    fn listen(listener: TcpListener, target: SocketAddr, spoiled: Option<Spoiled>) -> Self {
        let address = listener.local_addr().unwrap();
        let passed = Arc::new(Passed::default());
        let counter = Arc::clone(&passed);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(relay(client, target, Arc::clone(&counter), spoiled));
            }
        });
        Self { address, passed, accepting }
    }

    /// Ends listening, so that connections are refused.
    pub(super) async fn close(&mut self) {
        self.accepting.abort();
        let _ = (&mut self.accepting).await;
    }

    /// Returns how many requests came.
    pub(super) fn requests(&self) -> u64 {
        self.passed.all.load(Ordering::SeqCst)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Relays the exchanges of one connection; `None` when either side is done.
async fn relay(mut client: TcpStream, target: SocketAddr, passed: Arc<Passed>, spoiled: Option<Spoiled>) -> Option<()> {
    let mut server = TcpStream::connect(target).await.ok()?;
    loop {
        let request = message(&mut client).await?;
        let is_create = ["", "/bulk_create"]
            .iter()
            .any(|call| request.starts_with(format!("POST /api/v1/contacts{call} HTTP").as_bytes()));
        let number = passed.all.fetch_add(1, Ordering::SeqCst) + 1;
        let of_creates = is_create.then(|| passed.creates.fetch_add(1, Ordering::SeqCst) + 1);
        let is_it = |spoiled: &Spoiled| {
            if spoiled.among_creates { of_creates == Some(spoiled.number) } else { number == spoiled.number }
        };
        let spoil = spoiled.filter(is_it).map(|spoiled| spoiled.spoil);
        match spoil {
            Some(Spoil::Before) => return None,
            Some(Spoil::PageBefore(status)) => {
                client.write_all(&answer_with(status, "text/html", PAGE)).await.ok()?;
                continue;
            }
            Some(Spoil::Meanwhile(contact)) => {
                let length = contact.len();
                let made = format!(
                    "POST /sandbox/contacts HTTP/1.1\r\nhost: {target}\r\nx-api-key: sandbox\r\n\
                     content-type: application/json\r\ncontent-length: {length}\r\n\r\n{contact}"
                );
                server.write_all(made.as_bytes()).await.ok()?;
                message(&mut server).await?;
            }
            _ => {}
        }
        server.write_all(&request).await.ok()?;
        let answer = message(&mut server).await?;
        match spoil {
            Some(Spoil::Page) => client.write_all(&answer_with(200, "text/html", PAGE)).await.ok()?,
            Some(Spoil::PageAfter(status)) => client.write_all(&answer_with(status, "text/html", PAGE)).await.ok()?,
            Some(Spoil::RefusedAfter(status)) => {
                client.write_all(&answer_with(status, "application/json", r#"{"error": "no"}"#)).await.ok()?;
            }
            Some(Spoil::Before | Spoil::PageBefore(_) | Spoil::After) => return None,
            Some(Spoil::Meanwhile(_)) | None => client.write_all(&answer).await.ok()?,
        }
    }
}

const PAGE: &str = "<html></html>";

fn answer_with(status: u16, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Answer\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

/// How many exchanges came by.
#[derive(Default)]
struct Passed {
    all: AtomicU64,
    creates: AtomicU64,
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
