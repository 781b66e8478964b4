//! The listening side: connections that can be cut in the middle of an answer.
//!
//! Knows bytes and sockets; what is said over them is not its business.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Number of body bytes that stands for "all of them".
const WHOLE: usize = usize::MAX;

/// The handler's grip on its connection.
///
/// Requests on one HTTP/1 connection come one after the other, so a cut always hits the answer at hand.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// Bytes of the answer's body that still go out.
    allowed: Arc<AtomicUsize>,
}

impl Line {
    /// Lets no byte of the coming answer out: the client sees the connection end without a status.
    pub(super) fn cut(&self) {
        self.allowed.store(0, Ordering::SeqCst);
    }

    /// Reports whether no byte goes out any more.
    pub(super) fn is_cut(&self) -> bool {
        self.allowed.load(Ordering::SeqCst) == 0
    }

    /// Lets the head of the coming answer out, with `bytes` of its body.
    pub(super) fn cut_after(&self, bytes: usize) {
        self.allowed.store(bytes, Ordering::SeqCst);
    }
}

/// Accepts connections that a [`Line`] can cut.
pub(super) struct Port(pub(super) TcpListener);

impl Port {
    pub(super) async fn accept(&mut self) -> (Wire, Line) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Answers are single small writes: waiting to fill a packet would only slow tests down. A
        // socket that refuses the option works all the same.
        stream.set_nodelay(true).ok();
        let line = Line { allowed: Arc::new(AtomicUsize::new(WHOLE)) };
        (Wire { stream, line: line.clone() }, line)
    }
}

/// One connection.
pub(super) struct Wire {
    stream: TcpStream,
    line: Line,
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    /// Not vectored, so that an answer's head and the beginning of its body come in one buffer.
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let sendable = match self.line.allowed.load(Ordering::SeqCst) {
            WHOLE => buf,
            0 => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            bytes => {
                let head = buf.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
                &buf[..buf.len().min(head + bytes)]
            }
        };
        let written = Pin::new(&mut self.stream).poll_write(cx, sendable);
        if sendable.len() < buf.len() && written.is_ready() {
            self.line.cut();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
