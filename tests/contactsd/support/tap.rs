//! A wire between the program and its server that notes what goes over it, and can hold it back.
//!
//! One request a connection: whatever the server does to a connection, the program sees done to its own. Searches and
//! the question for the profile pass unnoticed: how often the program looks is not what these tests are about.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;

use serde_json::Value;

/// A request as it went over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Method and path, `PATCH /api/v1/contacts/...`.
    pub(crate) call: String,
    /// The body; null when there was none.
    pub(crate) body: Value,
}

/// The wire; it lives as long as the process.
#[derive(Clone)]
pub(crate) struct Tap {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    /// Answers that went back to the program.
    answered: usize,
    /// Answers of the server that wait here.
    held: usize,
    /// After so many answers, further ones are held back.
    hold_after: Option<usize>,
    /// Answers given here, to requests whose body holds the text.
    canned: Vec<(String, Vec<u8>)>,
    /// Answers given here, to requests of a key whose call ends like this.
    of_key: Vec<(String, String, Vec<u8>)>,
}

impl Tap {
    /// Begins to pass connections on to `target`.
    pub(crate) fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { target, state: Mutex::default(), changed: Condvar::new() });
        let tap = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for connection in listener.incoming() {
                let shared = Arc::clone(&shared);
                // The program may be killed in the middle of a request; that ends its connection alone.
                thread::spawn(move || connection.and_then(|client| shared.pass(&client)).ok());
            }
        });
        tap
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes out what was sent since the last call.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.shared.locked().sent)
    }

    /// Lets so many more answers through and holds back the rest, after the server's work.
    pub(crate) fn hold_after(&self, answers: usize) {
        let mut state = self.shared.locked();
        state.hold_after = Some(state.answered + answers);
    }

    /// Waits until so many answers are held back.
    pub(crate) fn wait_until_held(&self, answers: usize) {
        drop(self.shared.changed.wait_while(self.shared.locked(), |state| state.held < answers).unwrap());
    }

    /// Waits until so many requests were sent since they were last taken out.
    pub(crate) fn wait_until_sent(&self, requests: usize) {
        drop(self.shared.changed.wait_while(self.shared.locked(), |state| state.sent.len() < requests).unwrap());
    }

    /// Lets everything through again; returns when nothing is held back any more.
    pub(crate) fn release(&self) {
        self.shared.locked().hold_after = None;
        self.shared.changed.notify_all();
        drop(self.shared.changed.wait_while(self.shared.locked(), |state| state.held > 0).unwrap());
    }

    /// Answers every write whose body holds `text` with this status and body, past the server.
    pub(crate) fn answer(&self, text: &str, status: u16, body: &Value) {
        self.answer_with(text, &format!("{status} Told\r\ncontent-type: application/json"), body.to_string());
    }

    /// Answers every request of this key whose call ends with `call` with this status and body, past the server.
    pub(crate) fn answer_key(&self, key: &str, call: &str, status: u16, body: &Value) {
        let answer = answer(&format!("{status} Told\r\ncontent-type: application/json"), body.to_string().as_bytes());
        self.shared.locked().of_key.insert(0, (format!("x-api-key: {key}\r\n"), call.to_owned(), answer));
    }

    /// Answers every request whose body holds `text` with this status line, headers and body, past the server.
    pub(crate) fn answer_with(&self, text: &str, head: &str, body: impl AsRef<[u8]>) {
        let answer = answer(head, body.as_ref());
        // The answer that was given last stands.
        self.shared.locked().canned.insert(0, (text.to_owned(), answer));
    }
}

/// Writes an answer with its length; `head` is the status line without the version, and headers.
fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    [head.as_bytes(), body].concat()
}

impl Shared {
    /// Passes one request and its answer.
    fn pass(&self, client: &TcpStream) -> io::Result<()> {
        let (head, body) = read_request(client)?;
        let call = head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned();
        let only_looks = call.ends_with("/contacts/search") || call.ends_with("/users/api_profile");
        let of_key = {
            let state = self.locked();
            let is_it = |(key, end, _): &&(String, String, Vec<u8>)| head.contains(key) && call.ends_with(end);
            state.of_key.iter().find(is_it).map(|(.., answer)| answer.clone())
        };
        let sent = Sent { call, body: serde_json::from_slice(&body).unwrap_or(Value::Null) };
        let canned = {
            let mut state = self.locked();
            if !only_looks {
                state.sent.push(sent);
            }
            let text = String::from_utf8_lossy(&body);
            let canned = state.canned.iter().find(|(needle, _)| !only_looks && text.contains(needle));
            of_key.or_else(|| canned.map(|(_, answer)| answer.clone()))
        };
        self.changed.notify_all();
        let answer = match canned {
            Some(answer) => answer,
            None => exchange(self.target, &head, &body)?,
        };
        if !only_looks {
            self.hold();
        }
        let mut client = client;
        client.write_all(&answer)
    }

    /// Counts an answer, and waits while it is not to go out.
    fn hold(&self) {
        let mut state = self.locked();
        let is_held = |state: &State| state.hold_after.is_some_and(|limit| state.answered >= limit);
        if is_held(&state) {
            state.held += 1;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |state| is_held(state)).unwrap();
            state.held -= 1;
            self.changed.notify_all();
        }
        state.answered += 1;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

/// Sends a request over a connection of its own and returns all that came back.
pub(super) fn exchange(target: SocketAddr, head: &str, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(target)?;
    server.write_all(format!("{}\r\nconnection: close\r\n\r\n", head.trim_end()).as_bytes())?;
    server.write_all(body)?;
    let mut answer = Vec::new();
    // A server that resets the connection has said all it had to say.
    server.read_to_end(&mut answer).ok();
    Ok(answer)
}

fn read_request(client: &TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(client);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok((head, body))
}
