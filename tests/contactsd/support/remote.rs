//! An Apollo to run against: the sandbox in this process, behind a wire that is listened to.

use std::sync::Arc;

use contactsd::ops::Clock;
use contactsd::sandbox::{Action, DedupeReading, Options, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::KEY;
use super::tap::{Sent, Tap, exchange};

/// A sandbox with everything a test may want to know of it and do to it.
pub(crate) struct Remote {
    server: Server,
    pub(crate) tap: Tap,
    /// A key that it accepts.
    key: String,
    /// What the server runs on and in; they end with it.
    _runtime: Runtime,
    _data: TempDir,
}

impl Remote {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn reading(dedupe: DedupeReading) -> Self {
        Self::with(|options| options.dedupe = dedupe)
    }

    /// Starts one whose options `change` has changed.
    pub(crate) fn with(change: impl FnOnce(&mut Options)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let mut options = Options::new(data.path().join("data"), Arc::new(move || clock.now()));
        options.api_keys = vec![KEY.to_owned()];
        change(&mut options);
        let key = options.api_keys[0].clone();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(options)).unwrap();
        let tap = Tap::start(server.address());
        Self { server, tap, key, _runtime: runtime, _data: data }
    }

    /// Returns the address that the program is given.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/v1", self.tap.address())
    }

    pub(crate) fn contacts(&self) -> Vec<Value> {
        self.server.contacts()
    }

    /// Returns the one contact whose field is `value`.
    #[track_caller]
    pub(crate) fn contact(&self, field: &str, value: &str) -> Value {
        let mut found: Vec<Value> = self.contacts().into_iter().filter(|contact| contact[field] == value).collect();
        assert_eq!(found.len(), 1, "contacts with {field} {value}: {found:?}");
        found.remove(0)
    }

    /// Returns one field of every contact, the oldest contact first.
    pub(crate) fn column(&self, field: &str) -> Vec<String> {
        self.contacts().iter().map(|contact| contact[field].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) fn requests(&self, action: Action) -> u64 {
        self.server.requests().requests(action)
    }

    pub(crate) fn all_requests(&self) -> u64 {
        self.server.requests().total()
    }

    /// Takes out what went over the wire since the last call.
    pub(crate) fn take_sent(&self) -> Vec<Sent> {
        self.tap.take_sent()
    }

    /// Takes out what went over the wire, as method, path and the names in the body, ids shortened.
    pub(crate) fn take_calls(&self) -> Vec<String> {
        self.take_sent().iter().map(Sent::in_short).collect()
    }

    /// Sets the faults from here on, `lost-reply=1` for example; empty for none.
    pub(crate) fn set_faults(&self, faults: &str) {
        self.server.set_faults(faults.parse().unwrap());
    }

    /// Adds a contact that was there before; returns its id.
    pub(crate) fn seed(&self, mut contact: Value) -> String {
        contact["created_at"] = "2020-01-01T00:00:00Z".into();
        let answer = self.control("POST", "/sandbox/contacts", &contact.to_string());
        answer["contact"]["id"].as_str().expect("a seeded contact has an id").to_owned()
    }

    /// Changes a contact as a person does in the web application.
    pub(crate) fn edit(&self, id: &str, fields: &Value) {
        let answer = self.control("PATCH", &format!("/api/v1/contacts/{id}"), &fields.to_string());
        assert_eq!(answer["contact"]["id"], id, "{answer}");
    }

    /// Takes a contact off a list as a person does.
    pub(crate) fn take_off(&self, id: &str, list: &str) {
        self.change_list("remove_entity_ids_from_label_names", id, list);
    }

    /// Puts a contact on a list as a person does.
    pub(crate) fn put_on(&self, id: &str, list: &str) {
        self.change_list("add_entity_ids_to_label_names", id, list);
    }

    fn change_list(&self, call: &str, id: &str, list: &str) {
        let body = serde_json::json!({"entity_ids": [id], "label_names": [list], "modality": "contacts"});
        self.control("POST", &format!("/api/v1/labels/{call}"), &body.to_string());
    }

    /// Deletes a contact as a person does in the web application.
    pub(crate) fn delete(&self, id: &str) {
        let answer = self.control("DELETE", &format!("/sandbox/contacts/{id}"), "");
        assert_eq!(answer["deleted"], id);
    }

    /// Gives the team other stages, as people do in the web application.
    pub(crate) fn set_stages(&self, stages: &Value) {
        self.control("PUT", "/sandbox/stages", &serde_json::json!({ "stages": stages }).to_string());
    }

    /// Gives the team other custom fields.
    pub(crate) fn set_fields(&self, fields: &Value) {
        self.control("PUT", "/sandbox/fields", &serde_json::json!({ "fields": fields }).to_string());
    }

    fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let (key, length) = (&self.key, body.len());
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nx-api-key: {key}\r\ncontent-length: {length}");
        let answer = exchange(self.server.address(), &head, body.as_bytes()).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer has a body");
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{method} {path}: {answer}"))
    }
}

impl Sent {
    /// Writes method, path and the names in the body: `PATCH /contacts/[ID] title`.
    fn in_short(&self) -> String {
        let path = self.call.replace("/api/v1", "");
        let (start, last) = path.rsplit_once('/').unwrap_or_default();
        let path = if last.len() == 24 { format!("{start}/[ID]") } else { path };
        let names: Vec<&str> = self.body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        format!("{path} {}", names.join(",")).trim_end().to_owned()
    }
}
