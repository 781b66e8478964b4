//! An API that finds nobody, says yes to every create and update and keeps nothing: what remains is the cost of contactsd.
//!
//! Answers as `docs/api-notes.md` says, quota headers included. Anything else is an error, and counted.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Requests that the told quota allows in each window: more than any run sends.
const LIMIT: u64 = 1_000_000_000;

/// The inputs that answers show in another form, or not at all.
const NOT_ECHOED: [&str; 8] = [
    "website_url",
    "label_names",
    "run_dedupe",
    "direct_phone",
    "corporate_phone",
    "mobile_phone",
    "home_phone",
    "other_phone",
];

/// What the server was asked for.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    creates: AtomicU64,
    updates: AtomicU64,
    others: AtomicU64,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Create,
    /// Many contacts in one request.
    CreateMany,
    /// The contact with this id.
    Update(String),
    Search,
    Lists,
    Profile,
    Other,
}

impl Counts {
    /// Returns how many contacts were created since the last time. Nothing else may have been asked for but what a
    /// create cannot carry.
    pub(crate) fn take_creates(&self) -> u64 {
        let others = self.others.swap(0, Ordering::SeqCst);
        assert_eq!(others, 0, "only creates and what follows on them are expected");
        self.creates.swap(0, Ordering::SeqCst)
    }
}

/// Starts the server on a thread of its own; it ends with the process. `updated` is called when an update has arrived.
pub(crate) fn start(updated: impl Fn() + Clone + Send + 'static) -> io::Result<(SocketAddr, Arc<Counts>)> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let counts = Arc::new(Counts::default());
    let ours = Arc::clone(&counts);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::spawn(move || runtime.block_on(serve(listener, ours, updated)));
    Ok((address, counts))
}

async fn serve(listener: std::net::TcpListener, counts: Arc<Counts>, updated: impl Fn() + Clone + Send + 'static) {
    let listener = TcpListener::from_std(listener).expect("the runtime has I/O");
    while let Ok((stream, _)) = listener.accept().await {
        let (counts, updated) = (Arc::clone(&counts), updated.clone());
        // A client that is killed breaks its connections; that ends them here as well.
        tokio::spawn(async move { answer_all(stream, &counts, updated).await.unwrap_or_default() });
    }
}

async fn answer_all(mut stream: TcpStream, counts: &Counts, updated: impl Fn()) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::new();
    loop {
        let Some((length, asked, body)) = request(&received) else {
            if stream.read_buf(&mut received).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let answer = match asked {
            Asked::Create => {
                let number = counts.creates.fetch_add(1, Ordering::SeqCst) + 1;
                answered(number, &contact(&new_id(number), &received[body]))
            }
            Asked::CreateMany => {
                let sent: Sent<'_> = serde_json::from_slice(&received[body]).expect("bodies are JSON");
                let before = counts.creates.fetch_add(sent.contacts.len() as u64, Ordering::SeqCst);
                let rows = (before + 1..).zip(sent.contacts);
                let rows: Vec<_> = rows.map(|(number, sent)| contact(&new_id(number), sent.get().as_bytes())).collect();
                let answer = json!({ "created_contacts": rows, "existing_contacts": [] });
                reply("200 OK", before + 1, &answer.to_string())
            }
            Asked::Update(id) => {
                updated();
                answered(counts.updates.fetch_add(1, Ordering::SeqCst) + 1, &contact(&id, &received[body]))
            }
            Asked::Search => reply("200 OK", 1, r#"{"contacts": [], "pagination": {"total_pages": 0}}"#),
            Asked::Lists => {
                let sent: Value = serde_json::from_slice(&received[body]).expect("bodies are JSON");
                reply("200 OK", 1, &json!({ "labels": sent["label_names"] }).to_string())
            }
            Asked::Profile => reply("200 OK", 1, r#"{"team_id": "5ca1ab1e0000000000000000"}"#),
            Asked::Other => {
                counts.others.fetch_add(1, Ordering::SeqCst);
                "HTTP/1.1 500 Only creates and updates are answered\r\ncontent-length: 0\r\n\r\n".to_owned()
            }
        };
        received.drain(..length);
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Finds the first whole request: its length, what it asks for, and where its body is.
fn request(received: &[u8]) -> Option<(usize, Asked, std::ops::Range<usize>)> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&received[..end]).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = end + length.unwrap_or(0);
    (received.len() >= whole).then(|| (whole, asked(head), end..whole))
}

fn asked(head: &str) -> Asked {
    let update = || head.strip_prefix("PATCH /api/v1/contacts/")?.split(' ').next();
    match update() {
        Some(id) => Asked::Update(id.to_owned()),
        None if head.starts_with("POST /api/v1/contacts ") => Asked::Create,
        None if head.starts_with("POST /api/v1/contacts/bulk_create ") => Asked::CreateMany,
        None if head.starts_with("POST /api/v1/contacts/search") => Asked::Search,
        None if head.starts_with("POST /api/v1/labels/") => Asked::Lists,
        None if head.starts_with("GET /api/v1/users/api_profile") => Asked::Profile,
        None => Asked::Other,
    }
}

/// A create of many.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    contacts: Vec<&'a RawValue>,
}

fn new_id(number: u64) -> String {
    format!("5ca1ab1e{number:016x}")
}

/// Shows the contact as it was sent.
fn contact(id: &str, body: &[u8]) -> Map<String, Value> {
    let sent: Map<String, Value> = serde_json::from_slice(body).expect("bodies are JSON");
    let phones: Vec<Value> = sent
        .iter()
        .filter(|(field, _)| field.ends_with("_phone"))
        .map(|(_, number)| json!({"raw_number": number, "type": "work"}))
        .collect();
    let mut contact = sent;
    contact.retain(|field, _| !NOT_ECHOED.contains(&field.as_str()));
    contact.insert("id".to_owned(), json!(id));
    contact.insert("created_at".to_owned(), json!(now().to_string()));
    contact.insert("phone_numbers".to_owned(), json!(phones));
    contact
}

fn answered(number: u64, contact: &Map<String, Value>) -> String {
    reply("200 OK", number, &json!({ "contact": contact }).to_string())
}

fn reply(status: &str, number: u64, body: &str) -> String {
    let left = LIMIT - number;
    let quota = ["minute", "hourly", "24-hour"].map(|window| {
        format!("x-rate-limit-{window}: {LIMIT}\r\nx-{window}-usage: {number}\r\nx-{window}-requests-left: {left}\r\n")
    });
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json; charset=utf-8\r\n{}x-request-id: {number}\r\n\
         content-length: {}\r\n\r\n{body}",
        quota.concat(),
        body.len()
    )
}

#[expect(clippy::disallowed_methods, reason = "the stand-in for Apollo has a clock of its own")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
