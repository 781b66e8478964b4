//! The sandbox's control surface, by the plainest HTTP there is.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// Requests and faults since the sandbox started.
#[derive(Debug, Default, Clone)]
pub(super) struct Counts {
    pub(super) requests: BTreeMap<String, u64>,
    pub(super) faults: BTreeMap<String, u64>,
}

pub(super) fn contacts(address: SocketAddr) -> io::Result<Vec<Value>> {
    let answer = call(address, "GET", "/sandbox/contacts", "")?;
    Ok(answer["contacts"].as_array().cloned().unwrap_or_default())
}

pub(super) fn set_faults(address: SocketAddr, faults: &str) -> io::Result<()> {
    call(address, "PUT", "/sandbox/faults", faults).map(drop)
}

pub(super) fn counts(address: SocketAddr) -> io::Result<Counts> {
    let answer = call(address, "GET", "/sandbox/requests", "")?;
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

fn call(address: SocketAddr, method: &str, path: &str, body: &str) -> io::Result<Value> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
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
