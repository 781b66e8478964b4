//! A short stand-in for everything an entry declares.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Entry, Value};

/// Room for the canonical form of most entries.
const USUAL_BYTES: usize = 1024;

/// Hash of an entry's canonical form, 128 bits of BLAKE3.
///
/// Two entries have the same one exactly when they declare the same; the place does not count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 16]);

impl Entry {
    /// Returns the hash of everything the entry declares; its place does not count.
    pub fn fingerprint(&self) -> Fingerprint {
        // What is left alone is not sent.
        let Self { place, fields, run_dedupe, apollo_id, moved_from, ignored: _ } = self;
        // Put together first: the hash takes one long text in less time than many short ones.
        let mut canonical = Vec::with_capacity(USUAL_BYTES);
        feed(&mut canonical, place.key.as_str());
        canonical.push(u8::from(*run_dedupe));
        feed(&mut canonical, apollo_id.as_ref().map_or("", |id| id.as_str()));
        feed(&mut canonical, moved_from.as_ref().map_or("", |key| key.as_str()));
        for (field, value) in fields.iter() {
            match field {
                super::Field::Custom(id) => feed(&mut canonical, id.as_str()),
                named => feed(&mut canonical, named.api_name()),
            }
            match value {
                Value::Text(text) => {
                    canonical.push(b't');
                    feed(&mut canonical, text);
                }
                Value::Lists(lists) => {
                    canonical.push(b'l');
                    canonical.extend_from_slice(&(lists.len() as u64).to_be_bytes());
                    for list in lists {
                        feed(&mut canonical, list);
                    }
                }
            }
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(&canonical).as_bytes()[..16]);
        Fingerprint(bytes)
    }
}

impl Fingerprint {
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the digits that it is written in.
    pub fn digits(&self) -> [u8; 32] {
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        digits
    }

    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Feeds `text` with its length, so that no two sequences of texts feed the same bytes.
fn feed(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let malformed = || format!("{text:?} is no fingerprint");
        if text.len() != 32 || !text.is_ascii() {
            return Err(malformed());
        }
        let mut bytes = [0; 16];
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| malformed())?;
        }
        Ok(Self(bytes))
    }
}
