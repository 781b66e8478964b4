//! What is done about sled's files before sled opens them.
//!
//! sled takes what it cannot read for what was never written, and blanks it: one failed read is enough. So what it
//! is about to read is read once here, and a failed read ends the opening before sled has begun. What a kill or a
//! full disk left of files that sled makes again is cleared; `db` and `blobs/` are never changed here.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use rustix::fs::FileType;

use super::place::{LOG, SLED};
use crate::private_dir::PrivateDir;
use crate::state::Error;

/// sled's own settings, which it writes again when they are missing.
const SETTINGS: &str = "conf";
/// How the names of sled's snapshots of its log begin; what follows is the place in the log, 16 hexadecimal digits.
const SNAPSHOT: &str = "snap.";
const BLOBS: &str = "blobs";

/// Bytes at the end of sled's files that are not part of what their last four, a CRC-32, are of.
const SETTINGS_END: u64 = 4;
const SNAPSHOT_END: u64 = 12;

/// How long the segments are that sled's log is made of, in bytes.
const SEGMENT_BYTES: u64 = 512 * 1024;

/// The same, as a length in memory.
const SEGMENT_LENGTH: usize = 512 * 1024;
/// How long the head of a segment is: its CRC-32, its place in the log, and how far the log was on disk.
const SEGMENT_HEAD_BYTES: usize = 20;

/// How much is read at a time, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// How much of sled's log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All of it, as all rows are going to be read.
    All,
    /// What sled reads in order to open it: the head of each segment, and all that its snapshot does not tell of.
    Opening,
}

/// Makes sure that sled can read its files in a locked state directory.
///
/// A failed read is an error, and nothing has changed then but for leftovers that are gone.
pub(super) fn survey(state: &PrivateDir, extent: Extent) -> Result<(), Error> {
    let Some(sled) = state.sub(SLED)? else { return Ok(()) };
    let end = survey_snapshots(&sled)?;
    survey_settings(&sled)?;
    let log = sled.path().join(LOG);
    let read = sled.open_file(LOG).and_then(|file| match extent {
        Extent::All => read_through(file),
        Extent::Opening => read_from(&file, file.metadata()?.len(), end / SEGMENT_BYTES * SEGMENT_BYTES),
    });
    read.map_err(|error| Error::io("read", &log, error))?;
    if extent == Extent::All { survey_blobs(&sled) } else { Ok(()) }
}

/// Removes snapshots that are not whole; returns which place in the log the newest of the others tells of.
///
/// sled builds its snapshot again from the log, or from an older one and the rest of the log. Left alone, it would
/// take one that was being written for the newest, and stop at it.
fn survey_snapshots(sled: &PrivateDir) -> Result<u64, Error> {
    let mut newest = 0;
    for name in sled.names().map_err(|error| Error::io("read", sled.path(), error))? {
        // A name that is no text is none of sled's, and sled passes it over.
        let Some((name, place)) = name.to_str().and_then(|name| Some((name, name.strip_prefix(SNAPSHOT)?))) else {
            continue;
        };
        let place = u64::from_str_radix(place, 16).ok().filter(|_| place.len() == 16);
        match place {
            Some(place) if is_whole(sled, name, SNAPSHOT_END)? => newest = newest.max(place),
            _ => clear(sled, name)?,
        }
    }
    Ok(newest)
}

/// Removes settings that are not whole; every state has the same.
fn survey_settings(sled: &PrivateDir) -> Result<(), Error> {
    let has_some = sled.has(SETTINGS).map_err(|error| Error::io("look for", &sled.path().join(SETTINGS), error))?;
    if has_some && !is_whole(sled, SETTINGS, SETTINGS_END)? { clear(sled, SETTINGS) } else { Ok(()) }
}

fn survey_blobs(sled: &PrivateDir) -> Result<(), Error> {
    let Some(blobs) = sled.sub(BLOBS)? else { return Ok(()) };
    for (name, kind) in blobs.entries().map_err(|error| Error::io("read", blobs.path(), error))? {
        if kind == FileType::RegularFile {
            let read = blobs.open_file(&name).and_then(read_through);
            read.map_err(|error| Error::io("read", &blobs.path().join(&name), error))?;
        }
    }
    Ok(())
}

fn clear(sled: &PrivateDir, name: &str) -> Result<(), Error> {
    tracing::info!("{} is not whole and is made again", sled.path().join(name).display());
    sled.remove(name).map(drop).map_err(|error| Error::io("clear", &sled.path().join(name), error))
}

fn is_whole(sled: &PrivateDir, name: &str, end: u64) -> Result<bool, Error> {
    let checked = sled.open_file(name).and_then(|file| is_as_written(file, end));
    checked.map_err(|error| Error::io("read", &sled.path().join(name), error))
}

/// Reads a file and compares it with its last four bytes, the CRC-32 of all but its last `end` bytes.
fn is_as_written(file: File, end: u64) -> io::Result<bool> {
    match file.metadata()?.len().checked_sub(end) {
        None | Some(0) => Ok(false),
        Some(length) => is_as_written_from(file, length),
    }
}

/// Compares the CRC-32 of the next `length` bytes with the last four bytes that follow.
fn is_as_written_from(mut file: File, length: u64) -> io::Result<bool> {
    let mut crc = flate2::Crc::new();
    each_piece(&mut (&mut file).take(length), |piece| crc.update(piece))?;
    let mut rest = Vec::new();
    file.read_to_end(&mut rest)?;
    Ok(rest.last_chunk().is_some_and(|written| u32::from_le_bytes(*written) == crc.sum()))
}

/// Reads a file to its end.
fn read_through(mut file: impl Read) -> io::Result<()> {
    each_piece(&mut file, |_| ())
}

fn each_piece(file: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(count) => take(&piece[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads the head of each segment of a log, and the whole of those that begin at `place` of the log or later.
fn read_from(log: &File, length: u64, place: u64) -> io::Result<()> {
    let mut segment = Vec::new();
    for at in (0..length).step_by(SEGMENT_LENGTH) {
        let mut head = [0; SEGMENT_HEAD_BYTES];
        // sled passes over a segment whose head is cut.
        if length - at < SEGMENT_HEAD_BYTES as u64 {
            break;
        }
        log.read_exact_at(&mut head, at)?;
        if segment_place(&head) >= place {
            let rest = usize::try_from(length - at).unwrap_or(SEGMENT_LENGTH);
            segment.resize(rest.min(SEGMENT_LENGTH), 0);
            log.read_exact_at(&mut segment, at)?;
        }
    }
    Ok(())
}

/// Tells which place in the log a segment begins at. Of a damaged head it may be any.
fn segment_place(head: &[u8; SEGMENT_HEAD_BYTES]) -> u64 {
    let place = head[4..].first_chunk().expect("the head is longer");
    u64::from_le_bytes(*place) ^ (u64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::guard::open_sled;
    use super::*;

    /// A file whose first page no process has: a read of it fails with EIO, like one of a bad block.
    fn unreadable() -> File {
        File::open("/proc/self/mem").unwrap()
    }

    #[test]
    fn a_failed_read_is_told_by_everything_that_reads() {
        let failed = |error: io::Error| assert_eq!(error.raw_os_error(), Some(5), "{error}");
        failed(read_through(unreadable()).unwrap_err());
        failed(is_as_written_from(unreadable(), 1).unwrap_err());
        failed(read_from(&unreadable(), SEGMENT_BYTES, 0).unwrap_err());
    }

    #[test]
    fn the_place_of_a_segment_is_read_as_sled_writes_it() {
        let directory = tempfile::tempdir().unwrap();
        let db = open_sled(directory.path()).unwrap();
        for number in 0..300_u32 {
            db.db.insert(number.to_be_bytes(), vec![7; 8 * 1024]).unwrap();
        }
        db.db.flush().unwrap();
        db.close().unwrap();
        let log = File::open(directory.path().join(SLED).join(LOG)).unwrap();
        let segments = log.metadata().unwrap().len().div_ceil(SEGMENT_BYTES);
        let place = |number: u64| {
            let mut head = [0; SEGMENT_HEAD_BYTES];
            log.read_exact_at(&mut head, number * SEGMENT_BYTES).unwrap();
            segment_place(&head)
        };
        let places: BTreeSet<u64> = (0..segments).map(place).collect();
        assert!(segments > 3 && places.len() as u64 == segments, "{places:?}");
        assert!(places.iter().all(|place| place % SEGMENT_BYTES == 0 && place / SEGMENT_BYTES < 1000), "{places:?}");
    }
}
