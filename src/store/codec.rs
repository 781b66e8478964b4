//! The values of sled's tree: one byte for the format version, then JSON.
//!
//! Never knows what a value means. JSON keeps a state readable with common tools when all else fails.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version of the format of state directories that this program writes, and the newest it reads.
pub(super) const FORMAT: u8 = 1;

/// Room for most values, so that writing one seldom needs more.
const USUAL_BYTES: usize = 2048;

/// Why bytes are not a value.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("a value is empty")]
    Empty,
    #[error("a value has the newer format {0}")]
    TooNew(u8),
    #[error("a value does not parse")]
    Json(#[source] serde_json::Error),
}

pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(FORMAT);
    serde_json::to_writer(&mut bytes, value).expect("model values serialize, and a Vec takes every write");
    bytes
}

pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    let (&format, json) = bytes.split_first().ok_or(Malformed::Empty)?;
    if format > FORMAT {
        return Err(Malformed::TooNew(format));
    }
    serde_json::from_slice(json).map_err(Malformed::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back() {
        assert_eq!(encode(&"ada"), b"\x01\"ada\"");
        assert_eq!(decode::<String>(b"\x01\"ada\"").unwrap(), "ada");
    }

    #[test]
    fn a_value_of_a_newer_format_is_not_parsed_as_an_old_one() {
        assert!(matches!(decode::<String>(b"\x02\"ada\""), Err(Malformed::TooNew(2))));
        assert!(matches!(decode::<String>(b""), Err(Malformed::Empty)));
        assert!(matches!(decode::<String>(b"\x01\"ada"), Err(Malformed::Json(_))));
    }
}
