//! The sandbox's control surface, by the plainest HTTP there is.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

use serde_json::{Value, json};

/// Where a sandbox is, and the file that holds its key.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) address: SocketAddr,
    pub(super) key: PathBuf,
}

/// Requests and faults since the sandbox started.
#[derive(Debug, Default, Clone)]
pub(super) struct Counts {
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<String, u64>,
}

pub(super) fn contacts(door: &Door) -> io::Result<Vec<Value>> {
    let answer = call(door, "GET", "/sandbox/contacts", "")?;
    Ok(answer["contacts"].as_array().cloned().unwrap_or_default())
}

/// Adds contacts that were there before; returns their ids.
pub(super) fn seed(door: &Door, contacts: &[Value]) -> io::Result<Vec<String>> {
    let answer = call(door, "POST", "/sandbox/contacts", &json!({ "contacts": contacts }).to_string())?;
    let ids = answer["contacts"].as_array().into_iter().flatten().filter_map(|contact| contact["id"].as_str());
    Ok(ids.map(str::to_owned).collect())
}

pub(super) fn set_faults(door: &Door, faults: &str) -> io::Result<()> {
    call(door, "PUT", "/sandbox/faults", faults).map(drop)
}

pub(super) fn counts(door: &Door) -> io::Result<Counts> {
    let answer = call(door, "GET", "/sandbox/requests", "")?;
    let number = |value: &Value| match value {
        Value::Object(by_status) => by_status.values().filter_map(Value::as_u64).sum(),
        other => other.as_u64().unwrap_or_default(),
    };
    let read = |name: &str| {
        let members = answer[name].as_object().into_iter().flatten();
        members.map(|(name, value)| (name.clone(), number(value))).collect()
    };
    Ok(Counts { requests: read("requests"), faults: read("faults") })
}

fn call(Door { address, key }: &Door, method: &str, path: &str, body: &str) -> io::Result<Value> {
    let key = fs::read_to_string(key)?;
    let key = key.trim_end();
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nx-api-key: {key}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let malformed = || io::Error::other(format!("{method} {path} was answered with {answer:?}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(malformed)?;
    if !head.starts_with("HTTP/1.1 200") {
        return Err(malformed());
    }
    serde_json::from_str(body).map_err(io::Error::other)
}
