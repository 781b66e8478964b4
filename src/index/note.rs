//! How the state stood when an index was written.

use serde::{Deserialize, Serialize};

use super::identity::Identity;
use crate::model::{ContactKey, Lineage, Serial};

/// The head of a state, in full: what it says, and which file on disk says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadNote {
    pub lineage: Lineage,
    pub generation: u64,
    pub commit: u64,
    pub serial: Serial,
    /// How many keys are bound.
    pub bindings: u64,
    /// A head that was put back from a copy is another file, or one that changed later.
    #[serde(with = "as_bytes")]
    pub identity: Identity,
}

/// What the state held beside the bindings of files that stand applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateNote {
    pub head: HeadNote,
    /// The origin of the API whose contacts these are.
    pub origin: String,
    /// How many entries stand in files that stand applied in whole.
    pub applied: u64,
    /// Bound keys that no file declares.
    pub orphans: Vec<ContactKey>,
    /// Whether there were neither intents nor conflicts.
    pub is_quiet: bool,
}

mod as_bytes {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use super::Identity;

    pub(super) fn serialize<S: Serializer>(identity: &Identity, serializer: S) -> Result<S::Ok, S::Error> {
        identity.to_bytes().as_slice().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Identity, D::Error> {
        let bytes: Vec<u8> = Deserialize::deserialize(deserializer)?;
        let bytes = bytes.as_slice().try_into().map_err(D::Error::custom)?;
        Ok(Identity::from_bytes(bytes))
    }
}
