//! A server on this machine that plays a script of raw bytes, one reply per request.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the server does with one request.
pub(super) enum Reply {
    /// Sends these bytes and keeps the connection.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection in order.
    Close(Vec<u8>),
    /// Sends these bytes and resets the connection.
    Reset(Vec<u8>),
    /// Sends these bytes and then nothing, the connection open.
    Stall(Vec<u8>),
}

/// One request as it arrived.
#[derive(Debug)]
pub(super) struct Request {
    /// `POST /api/v1/contacts HTTP/1.1`
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

pub(super) struct Loopback {
    pub address: SocketAddr,
    arrived: mpsc::UnboundedReceiver<Request>,
}

impl Loopback {
    pub(super) async fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrival, arrived) = mpsc::unbounded_channel();
        let script: Vec<_> = script.into_iter().collect();
        tokio::spawn(serve(listener, script, arrival));
        Self { address, arrived }
    }

    /// Takes the requests that arrived so far; each is noted before its reply.
    pub(super) fn requests(&mut self) -> Vec<Request> {
        std::iter::from_fn(|| self.arrived.try_recv().ok()).collect()
    }
}

async fn serve(listener: TcpListener, script: Vec<Reply>, arrival: mpsc::UnboundedSender<Request>) {
    let mut script = script.into_iter();
    let mut stalled = Vec::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        while let Some(request) = receive(&mut stream).await {
            arrival.send(request).expect("the test holds the other end while requests arrive");
            // A client that has read enough closes first; then sending fails, which is its right.
            match script.next().expect("the script has a reply for each request") {
                Reply::Send(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                }
                Reply::Close(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    break;
                }
                Reply::Reset(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    stream.get_ref().set_zero_linger().unwrap();
                    break;
                }
                Reply::Stall(bytes) => {
                    let _ = stream.write_all(&bytes).await;
                    stalled.push(stream);
                    break;
                }
            }
        }
    }
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let line = read_line(stream).await.filter(|line| !line.is_empty())?;
    let mut headers = Vec::new();
    while let Some((name, value)) = read_line(stream).await?.split_once(": ") {
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let mut request = Request { line, headers, body: String::new() };
    let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    Some(line.trim_end().to_owned())
}
