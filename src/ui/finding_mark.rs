//! Names for findings, by which code scanning knows one again in a later run.

use std::collections::BTreeMap;

use crate::model::ContactKey;
use crate::settings::Checkout;
use crate::source::Diagnostic;

/// The names given so far: equal findings are counted, so that each has a name of its own.
#[derive(Debug, Default)]
pub(super) struct FindingMarks {
    seen: BTreeMap<String, usize>,
}

impl FindingMarks {
    /// Names a finding so that it stays the same when lines above it come and go.
    pub(super) fn of(&mut self, message: &Diagnostic, checkout: &Checkout) -> String {
        let location = message.location.as_ref();
        let path = location.map(|location| &location.path).or(message.path.as_ref());
        let path = path.map(|path| checkout.name(path)).unwrap_or_default();
        let mut hasher = blake3::Hasher::new();
        for part in [
            message.code.map_or("", |code| code.as_str()).as_bytes(),
            path.as_os_str().as_encoded_bytes(),
            message.key.as_ref().map(ContactKey::address).unwrap_or_default().as_bytes(),
            location.map_or("", |location| location.text.trim()).as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_be_bytes()).update(part);
        }
        let hash = hasher.finalize().to_hex()[..16].to_owned();
        let count = self.seen.entry(hash.clone()).or_default();
        *count += 1;
        format!("{hash}:{count}")
    }
}
