//! Disks that lose or change what they were given: sled's files, or the copy beside them, between two runs.
//!
//! Never both at once: what neither holds is lost, and not for contactsd to bring back (`docs/reliability.md`).

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use contactsd::store;
use fastrand::Rng;

/// Damages one part of a state; returns what was done, `None` where there is nothing yet, or what was damaged before or
/// cut off by a kill was not put right yet.
pub(super) fn strike(state: &Path, random: &mut Rng) -> Option<&'static str> {
    if is_damaged(state)? {
        return None;
    }
    let struck = match random.u8(0..9) {
        0 => fs::remove_dir_all(state.join("sled")).map(|()| "sled removed"),
        1 => fs::remove_file(state.join("sled/db")).map(|()| "log removed"),
        2 => cut(&state.join("sled/db"), random).map(|()| "log cut"),
        3 | 4 => flip(&state.join("sled/db"), random).map(|()| "log flipped"),
        5 => zero(&state.join("sled/db"), random).map(|()| "log zeroed"),
        6 => other_file(state, random).map(|()| "other file of sled"),
        7 => cut(&state.join("copy.jsonl"), random).map(|()| "copy cut"),
        _ => flip(&state.join("copy.jsonl"), random).map(|()| "copy flipped"),
    };
    struck.ok()
}

/// Reports whether a part of a state is damaged and not mended yet; `None` where there is no state.
pub(super) fn is_damaged(state: &Path) -> Option<bool> {
    let checked = store::check(&state.into()).expect("a state survives every kill")?;
    Some(!checked.faults.is_empty())
}

fn cut(path: &Path, random: &mut Rng) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    file.set_len(random.u64(0..length.max(1)))
}

fn flip(path: &Path, random: &mut Rng) -> io::Result<()> {
    let mut bytes = fs::read(path)?;
    if bytes.is_empty() {
        return Ok(());
    }
    for _ in 0..1 << random.u32(0..7) {
        let at = random.usize(0..bytes.len());
        bytes[at] ^= 1 << random.u32(0..8);
    }
    fs::write(path, bytes)
}

fn zero(path: &Path, random: &mut Rng) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    let pages = file.metadata()?.len().div_ceil(4096).max(1);
    let first = random.u64(0..pages);
    let zeros = [0; 4096];
    (first..pages).take(random.usize(1..64)).try_for_each(|page| file.write_all_at(&zeros, page * 4096))
}

/// Removes or spoils a file that sled has beside its log.
fn other_file(state: &Path, random: &mut Rng) -> io::Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(state.join("sled"))?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|path| path.is_file() && !path.ends_with("db"));
    files.sort();
    let Some(path) = random.choice(files) else { return Ok(()) };
    if random.bool() { fs::remove_file(path) } else { flip(&path, random) }
}
