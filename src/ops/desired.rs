//! What the files declare, valid and with fingerprints.

use std::collections::BTreeMap;
use std::path::Path;

use crate::model::{ContactKey, Entry, Fingerprint};
use crate::source::{self, Diagnostic};

/// The contents of a valid directory.
#[derive(Debug, Default)]
pub struct Desired {
    pub entries: BTreeMap<ContactKey, Entry>,
    pub fingerprints: BTreeMap<ContactKey, Fingerprint>,
    pub warnings: Vec<Diagnostic>,
    /// Hash over all files; part of a plan's digest.
    pub digest: [u8; 32],
    pub files: usize,
}

/// Why there is nothing to plan from.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the contact files cannot be read")]
    Unreadable(#[source] source::Error),
    /// At least one diagnostic is an error; warnings are among them.
    #[error("the contact files hold mistakes")]
    Invalid { diagnostics: Vec<Diagnostic>, files: usize },
}

/// Reads and checks all contact files below `dir`.
pub fn load(dir: &Path) -> Result<Desired, LoadError> {
    let loaded = source::load(dir).map_err(LoadError::Unreadable)?;
    let valid = loaded.is_valid();
    let source::Loaded { entries, diagnostics, files, digest } = loaded;
    if !valid {
        return Err(LoadError::Invalid { diagnostics, files });
    }
    let fingerprints = entries.iter().map(|(key, entry)| (key.clone(), entry.fingerprint())).collect();
    Ok(Desired { entries, fingerprints, warnings: diagnostics, digest, files })
}
