//! The values of rows: one byte for the format version, then JSON.
//!
//! Never knows what a value means. JSON keeps a state readable with common tools when all else fails.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::error::Error;
use super::location::Location;
use super::row::FORMAT;

/// Room for most values, so that writing one seldom needs more.
const USUAL_BYTES: usize = 2048;

/// Why bytes are not a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a value is empty")]
    Empty,
    #[error("a value has the newer format {0}")]
    TooNew(u8),
    #[error("a value does not parse")]
    Json(#[source] serde_json::Error),
}

impl Malformed {
    /// Says which state it is in.
    pub(crate) fn of(&self, state: &Location) -> Error {
        match self {
            Self::TooNew(found) => Error::TooNew { state: state.clone(), found: u32::from(*found) },
            Self::Empty | Self::Json(_) => Error::unreadable(state, self.to_string()),
        }
    }
}

pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(FORMAT);
    serde_json::to_writer(&mut bytes, value).expect("model values serialize, and a Vec takes every write");
    bytes
}

/// Reads the value of a row of the state at a place.
pub(crate) fn decode<T: DeserializeOwned>(state: &Location, bytes: &[u8]) -> Result<T, Error> {
    parse(bytes).map_err(|malformed| malformed.of(state))
}

pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    serde_json::from_slice(json(bytes)?).map_err(Malformed::Json)
}

/// Returns the JSON of a value as it is written.
pub(crate) fn raw(bytes: &[u8]) -> Result<&RawValue, Malformed> {
    serde_json::from_slice(json(bytes)?).map_err(Malformed::Json)
}

fn json(bytes: &[u8]) -> Result<&[u8], Malformed> {
    match bytes.split_first() {
        None => Err(Malformed::Empty),
        Some((&format, _)) if format > FORMAT => Err(Malformed::TooNew(format)),
        Some((_, json)) => Ok(json),
    }
}

/// Makes a value of JSON in this version's format.
pub(crate) fn with_format(json: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + json.len());
    bytes.push(FORMAT);
    bytes.extend_from_slice(json.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back() {
        assert_eq!(encode(&"ada"), b"\x01\"ada\"");
        assert_eq!(parse::<String>(b"\x01\"ada\"").unwrap(), "ada");
    }

    #[test]
    fn a_value_of_a_newer_format_is_not_parsed_as_an_old_one() {
        assert!(matches!(parse::<String>(b"\x02\"ada\""), Err(Malformed::TooNew(2))));
        assert!(matches!(parse::<String>(b""), Err(Malformed::Empty)));
        assert!(matches!(parse::<String>(b"\x01\"ada"), Err(Malformed::Json(_))));
    }
}
