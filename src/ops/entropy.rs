//! The one home of randomness.

use crate::model::{IdentityKey, Lineage, RunId};
use crate::state::Drawn;

/// What one process draws at random, once.
#[derive(Debug, Clone)]
pub struct Entropy {
    /// For a state that is new.
    pub drawn: Drawn,
    pub run: RunId,
    /// For jitter.
    pub seed: u64,
}

impl Entropy {
    /// Draws from the operating system.
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes)?;
        Ok(Self::from_bytes(bytes))
    }

    /// Cuts what is needed from given bytes, for tests.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        let hex = |part: std::ops::Range<usize>| {
            let part = bytes[part].iter().fold(0_u128, |number, &byte| number << 8 | u128::from(byte));
            format!("{part:x}")
        };
        let mut identity_key = [0; 32];
        identity_key.copy_from_slice(&bytes[..32]);
        let mut seed = [0; 8];
        seed.copy_from_slice(&bytes[56..]);
        Self {
            drawn: Drawn { lineage: Lineage(hex(32..48)), identity_key: IdentityKey(identity_key) },
            run: RunId(hex(48..56)),
            seed: u64::from_be_bytes(seed),
        }
    }
}
