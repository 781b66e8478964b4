//! Which file systems keep quiet about changes.
//!
//! On these, changes made by another machine or by the host of a virtual machine raise no event.

use std::path::Path;

/// File system types by the magic number that `statfs` answers. Source: `statfs(2)` and `linux/magic.h`.
const SILENT: [(u32, &str); 9] = [
    (0x0000_6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0000_517b, "SMB"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
    (0x786f_4256, "a VirtualBox shared folder"),
];

/// Names the file system of a directory if changes to it may raise no event.
pub(super) fn silent(dir: &Path) -> Option<&'static str> {
    let statfs = rustix::fs::statfs(dir).ok()?;
    let magic = u32::try_from(statfs.f_type).ok()?;
    name_of(magic)
}

fn name_of(magic: u32) -> Option<&'static str> {
    SILENT.iter().find(|(silent, _)| *silent == magic).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_silent_and_local_ones_are_not() {
        assert_eq!(name_of(0x6969), Some("NFS"));
        assert_eq!(name_of(0xef53), None, "ext4");
        assert_eq!(name_of(0x0102_1994), None, "tmpfs");
    }
}
