//! What the file system says of a file or directory, by which it is known not to have changed.

/// Clocks of different file systems, and of this machine, may differ by so much, in nanoseconds.
const MARGIN_NS: i64 = 2 * SECOND_NS;

const SECOND_NS: i64 = 1_000_000_000;

/// Device, inode, size and times of a file or directory. Any write to it changes its `changed`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub device: u64,
    pub inode: u64,
    /// In bytes.
    pub size: u64,
    /// When the content was last written, in nanoseconds since 1970; programs can set it at will.
    pub modified: i64,
    /// When anything about it last changed, in nanoseconds since 1970.
    pub changed: i64,
}

impl Identity {
    pub const BYTES: usize = 40;

    /// Reports whether a write after `stamp`, the file system's time before this was looked at, might leave it as
    /// it is: times advance in steps, so a file written just before may be written again in the same step.
    ///
    /// A file system that knows whole seconds alone may keep no time of change at all: there, anything might.
    pub fn is_racy(&self, stamp: Option<i64>) -> bool {
        let is_coarse = self.changed % SECOND_NS == 0;
        is_coarse || stamp.is_none_or(|stamp| self.modified.max(self.changed) >= stamp.saturating_sub(MARGIN_NS))
    }

    /// Renders it for a file.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let Self { device, inode, size, modified, changed } = self;
        let parts = [device, inode, size, modified.cast_unsigned(), changed.cast_unsigned()];
        let mut bytes = [0; Self::BYTES];
        for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let part =
            |nth: usize| u64::from_le_bytes(bytes[8 * nth..8 * nth + 8].try_into().expect("a part has eight bytes"));
        let time = |nth| part(nth).cast_signed();
        Self { device: part(0), inode: part(1), size: part(2), modified: time(3), changed: time(4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_read_back() {
        let identity = Identity { device: 1, inode: u64::MAX, size: 3, modified: -4, changed: 5 };
        assert_eq!(Identity::from_bytes(&identity.to_bytes()), identity);
    }

    #[test]
    fn a_file_written_shortly_before_it_was_looked_at_is_racy() {
        let at = |modified, changed| Identity { modified, changed, ..Identity::default() };
        let stamp = Some(10_000_000_000);
        assert!(!at(0, 7_999_999_999).is_racy(stamp));
        assert!(at(0, 8_000_000_001).is_racy(stamp) && at(99_000_000_000, 1).is_racy(stamp));
        assert!(at(0, 1).is_racy(None));
    }

    /// An image of a read-only file system that took the place of another had the same identities.
    #[test]
    fn a_time_of_change_in_whole_seconds_proves_nothing() {
        let at = |changed| Identity { modified: 1, changed, ..Identity::default() };
        let stamp = Some(1_800_000_000_000_000_000);
        for seconds in [0, 1, 1_700_000_000, -1] {
            assert!(at(seconds * SECOND_NS).is_racy(stamp), "{seconds}");
            assert!(!at(seconds * SECOND_NS + 1).is_racy(stamp), "{seconds}");
        }
    }
}
