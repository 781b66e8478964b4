//! The sandbox driven over loopback HTTP, as a client meets it.

mod access;
mod bulk;
mod bulk_changes;
mod contacts;
mod data;
mod dedupe;
mod faults;
mod limits;
mod lists;
mod quirks;
mod search;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Options, Server};
use crate::model::Timestamp;

/// What the sandboxes here accept unless a test says otherwise.
const KEY: &str = "some-key";

/// 2025-06-15T15:06:40.123Z
const START_MS: u64 = 1_750_000_000_123;

/// A sandbox with a clock that stands still until it is advanced.
struct World {
    server: Server,
    client: reqwest::Client,
    clock: Arc<AtomicU64>,
    data: TempDir,
}

/// An answer, wholly read.
#[derive(Debug)]
struct Reply {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn contact(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()["contact"].clone()
    }

    fn id(&self) -> String {
        self.contact()["id"].as_str().unwrap().to_owned()
    }
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(AtomicU64::new(START_MS));
        let data = TempDir::new().unwrap();
        let mut options = options(&data, &clock);
        change(&mut options);
        Self { server: Server::start(options).await.unwrap(), client: client(), clock, data }
    }

    /// Stops the sandbox and starts another one on the same data.
    async fn restarted(self) -> Self {
        self.restarted_with(|_| {}).await
    }

    async fn restarted_with(self, change: impl FnOnce(&mut Options)) -> Self {
        let Self { server, client, clock, data } = self;
        server.stop().await.unwrap();
        let mut options = options(&data, &clock);
        change(&mut options);
        Self { server: Server::start(options).await.unwrap(), client, clock, data }
    }

    /// Asks the control surface for something that it does.
    async fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let url = format!("http://{}{path}", self.server.address());
        let reply = self
            .client
            .request(method.parse().unwrap(), url)
            .header("x-api-key", KEY)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status().as_u16(), 200, "{method} {path}");
        serde_json::from_str(&reply.text().await.unwrap()).unwrap()
    }

    fn advance(&self, by: Duration) {
        self.clock.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Sends a request with a credential; an error is a connection that ended early.
    async fn try_send(&self, method: &str, path: &str, body: &Value) -> Result<Reply, reqwest::Error> {
        let url = format!("http://{}{path}", self.server.address());
        let request = self.client.request(method.parse().unwrap(), url).header("x-api-key", KEY);
        let request = match body {
            Value::Null => request,
            body => request.body(body.to_string()).header("content-type", "application/json"),
        };
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Reply {
        self.try_send(method, path, &body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, Value::Null).await
    }

    async fn create(&self, body: Value) -> Reply {
        self.send("POST", "/api/v1/contacts", body).await
    }

    async fn bulk_create(&self, body: Value) -> Reply {
        self.send("POST", "/api/v1/contacts/bulk_create", body).await
    }

    async fn bulk_update(&self, body: Value) -> Reply {
        self.send("POST", "/api/v1/contacts/bulk_update", body).await
    }

    async fn patch(&self, id: &str, body: Value) -> Reply {
        self.send("PATCH", &format!("/api/v1/contacts/{id}"), body).await
    }

    async fn view(&self, id: &str) -> Reply {
        self.get(&format!("/api/v1/contacts/{id}")).await
    }

    async fn search(&self, body: Value) -> Reply {
        self.send("POST", "/api/v1/contacts/search", body).await
    }

    /// Deletes a contact as a person in the web application would.
    async fn delete_by_hand(&self, id: &str) {
        let reply = self.send("DELETE", &format!("/sandbox/contacts/{id}"), Value::Null).await;
        assert_eq!(reply.status, 200);
    }

    async fn labels(&self) -> Vec<Value> {
        self.get("/api/v1/labels").await.json().as_array().unwrap().clone()
    }
}

fn options(data: &TempDir, clock: &Arc<AtomicU64>) -> Options {
    let clock = Arc::clone(clock);
    let mut options = Options::new(data.path().join("data"), Arc::new(move || Timestamp(clock.load(Ordering::SeqCst))));
    options.api_keys = vec![KEY.to_owned()];
    options
}

fn client() -> reqwest::Client {
    // Plain HTTP needs no cryptography, but the client is not built without; a second install fails, rightly.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

/// Ada, who is in most tests.
fn ada() -> Value {
    json!({
        "first_name": "Ada",
        "last_name": "Quill",
        "email": "ada.quill@example.com",
        "organization_name": "Example Corp",
        "title": "Engineer",
    })
}

/// Ada with other fields set, and deduplication on.
fn ada_again(changes: &Value) -> Value {
    let mut body = ada();
    body["run_dedupe"] = json!(true);
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

/// The names of the lists in an answer, sorted.
fn list_names(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let labels = body["labels"].as_array().unwrap().iter();
    let mut names: Vec<_> = labels.map(|label| label["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}
