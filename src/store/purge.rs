//! A state without one person: what is there is copied without them and takes the place of itself.
//!
//! sled and the copy keep what they held before in older parts of their files, so that nothing short of making both
//! again takes a person out of them.

use std::io::BufReader;

use super::push::{Held, Incoming};
use super::reading;
use crate::model::ContactKey;
use crate::state::{CopyWriter, Error, Header, Purge, Row};

impl Held {
    /// Loads the state that is held without a person, as [`Held::load`] loads a copy; `None` when there is no state.
    pub fn load_without(self, key: &ContactKey) -> Result<Option<Incoming>, Error> {
        let location = self.location().clone();
        let mut purge = Purge::of(key);
        if !reading::rows(&location, |_, row, value| purge.note(&location, row, value))? {
            return Ok(None);
        }
        let mut text = Vec::new();
        let mut header: Option<Header> = None;
        let mut rows: Vec<(Row, Vec<u8>)> = Vec::new();
        reading::rows(&location, |of, row, value| {
            header.get_or_insert_with(|| of.clone());
            rows.extend(purge.kept(&location, row, value)?.map(|kept| (row.clone(), kept)));
            Ok(())
        })?;
        // A plan that knows the person is stale from here on.
        let mut header = header.expect("every state has rows");
        header.serial.0 += 1;
        let mut copy = CopyWriter::begin(&location, &mut text, &header)?;
        rows.sort_by_cached_key(|(row, _)| row.to_bytes());
        for (row, value) in &rows {
            copy.row(row, value)?;
        }
        copy.end()?;
        self.load(&mut BufReader::new(&*text), false).map(Some)
    }
}
