//! Copying a whole state out, as lines of text.

use std::io::Write;
use std::path::Path;

use super::copy::{CopyWriter, Header};
use super::error::Error;
use super::open::Opened;
use super::rows::Counters;
use super::{borrowed, find, index_file, lock_existing, open, rows};

/// Writes a copy of the state at `path`, row by row; `None` when there is no state.
///
/// The copy is whole only when this returns without an error: its last line is written after all rows were
/// proven to be there. A state that a writer has open is [`Error::Locked`], and nothing is written.
pub fn pull(path: &Path, origin: &str, out: &mut dyn Write) -> Result<Option<u64>, Error> {
    if let Some(state) = find(path)?.filter(|state| !state.is_ours()) {
        return borrowed::read(&state, |copy| pull(copy, origin, out));
    }
    let Some((state, lock)) = lock_existing(path)? else { return Ok(None) };
    let unread = open::open_unproven(&state, lock)?;
    let facts = &unread.facts;
    if facts.origin != origin {
        let (recorded, given) = (facts.origin.clone(), origin.to_owned());
        return Err(Error::OtherOrigin { path: path.to_owned(), recorded, given });
    }
    let Counters { serial, last_intent, .. } = rows::read_counters(path, &unread.db)?;
    let header = Header::new(facts.lineage.clone(), serial, last_intent, facts.origin.clone(), facts.identity_key);
    let mut copy = CopyWriter::begin(path, out, &header)?;
    let Opened { db, lock, .. } =
        unread.read(&state, |db| rows::scan(path, db, |key, value| copy.row(&rows::parse(path, key)?, value)))?;
    db.close()?;
    index_file::vouch(&state);
    drop(lock);
    copy.end().map(Some)
}
