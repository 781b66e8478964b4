//! What is asked and answered, and in which version.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::index::{Named, Roster};
use crate::model::Digest;

/// Version of the messages; a process answers no other.
pub(super) const VERSION: u32 = 1;

/// What a process may ask the one that writes the state (a snapshot), or the service that keeps it in step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Request {
    /// What a plan needs of the state, at one serial.
    ///
    /// Sends what the files declare, so that the answer's size follows what differs from it.
    Snapshot {
        /// The fingerprint of every declared entry; none asks for every binding.
        fingerprints: Roster,
        /// The contacts whose owners are asked for.
        contacts: Named,
    },
    /// How the service is doing.
    Status,
    /// To make no further pass and release the state, until told to resume.
    Pause,
    Resume,
    /// To apply the plan of this digest although it exceeds limits.
    Approve {
        digest: Digest,
    },
}

/// Why a process does not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    #[error("the other process speaks version {spoken} of this protocol, and was asked in version {asked}")]
    OtherVersion { spoken: u32, asked: u32 },
    #[error("the other process does not know the request `{request}`; it may be an older contactsd")]
    UnknownKind { request: String },
    #[error("the other process takes requests of up to {limit} bytes, and this one has {bytes}")]
    TooLong { bytes: u64, limit: u64 },
    #[error("the other process does not understand the request: {why}")]
    Malformed { why: String },
    /// It understood, and could not do it.
    #[error("the other process cannot answer: {why}")]
    Failed { why: String },
}

/// An answer as it goes over the wire; what is in it is between those who ask and answer.
pub type Payload = Box<RawValue>;

/// Makes an answer of a value.
pub fn payload<T: Serialize>(value: &T) -> Payload {
    serde_json::value::to_raw_value(value).expect("answers are plain data with text for keys")
}

#[derive(Serialize)]
struct Question<'a> {
    version: u32,
    request: &'a Request,
}

#[derive(Deserialize)]
struct HeardQuestion<'a> {
    version: u32,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct HeardRequest {
    kind: String,
}

#[derive(Deserialize)]
struct HeardSnapshot {
    fingerprints: Roster,
    contacts: Named,
}

#[derive(Deserialize)]
struct HeardApprove {
    digest: Digest,
}

#[derive(Default, Serialize)]
struct Reply<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a Refusal>,
}

#[derive(Deserialize)]
struct HeardReply<'a> {
    #[serde(borrow)]
    answer: Option<&'a RawValue>,
    refusal: Option<Refusal>,
}

pub(super) fn write_request(request: &Request) -> Vec<u8> {
    serde_json::to_vec(&Question { version: VERSION, request }).expect("requests are plain data")
}

/// Reads a request; what is not one becomes the refusal to send.
pub(super) fn read_request(bytes: &[u8]) -> Result<Request, Refusal> {
    let malformed = |error: serde_json::Error| Refusal::Malformed { why: error.to_string() };
    let question: HeardQuestion<'_> = serde_json::from_slice(bytes).map_err(malformed)?;
    if question.version != VERSION {
        return Err(Refusal::OtherVersion { spoken: VERSION, asked: question.version });
    }
    let request = question.request.ok_or_else(|| Refusal::Malformed { why: "it holds no request".to_owned() })?.get();
    let HeardRequest { kind } = serde_json::from_str(request).map_err(malformed)?;
    // By hand, since a derived reader does not tell an unknown kind from a known one it cannot read.
    match kind.as_str() {
        "snapshot" => {
            let HeardSnapshot { fingerprints, contacts } = serde_json::from_str(request).map_err(malformed)?;
            Ok(Request::Snapshot { fingerprints, contacts })
        }
        "status" => Ok(Request::Status),
        "pause" => Ok(Request::Pause),
        "resume" => Ok(Request::Resume),
        "approve" => {
            let HeardApprove { digest } = serde_json::from_str(request).map_err(malformed)?;
            Ok(Request::Approve { digest })
        }
        _ => Err(Refusal::UnknownKind { request: kind }),
    }
}

pub(super) fn write_reply(reply: Result<&RawValue, &Refusal>) -> Vec<u8> {
    let reply = Reply { version: VERSION, answer: reply.ok(), refusal: reply.err() };
    serde_json::to_vec(&reply).expect("replies are plain data")
}

/// Reads a reply: its answer as JSON, or the refusal.
pub(super) fn read_reply(bytes: &[u8]) -> Result<Result<&str, Refusal>, serde_json::Error> {
    let reply: HeardReply<'_> = serde_json::from_slice(bytes)?;
    match (reply.answer, reply.refusal) {
        (Some(answer), None) => Ok(Ok(answer.get())),
        (_, Some(refusal)) => Ok(Err(refusal)),
        (None, None) => Err(serde::de::Error::missing_field("answer")),
    }
}
