//! The copy while a state is open for writing: lines behind what stands there, and now and then all of it new.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::super::place::{COPY, fresh};
use super::line::{self, Chain, Puts};
use super::scan::Scanned;
use super::syncing::{SYNC_EVERY, Syncing};
use crate::failpoints::{Step, reached};
use crate::private_dir::PrivateDir;
use crate::state::{CopyWriter, Counters, Error, Facts, Header, Row, Writes, encode};

/// What a copy may hold beyond twice what is alive, in bytes, so that a small one is not written again all the time.
const SLACK_BYTES: u64 = 256 * 1024;

/// How much is written at a time, in bytes.
const PIECE_BYTES: usize = 1024 * 1024;

/// A copy that is open for writing.
#[derive(Debug)]
pub(in crate::store) struct CopyFile {
    state: PrivateDir,
    file: Arc<File>,
    /// How long it is.
    length: u64,
    chain: Chain,
    /// What was written of rows since it was opened or made, by which the size of those alive is judged.
    puts: Puts,
    /// How long it must be before it is written again, once there was no room for that.
    not_before: u64,
    line: Vec<u8>,
    syncing: Syncing,
}

/// A copy that was written to its end.
struct Whole {
    file: File,
    length: u64,
    chain: Chain,
    puts: Puts,
}

/// Writes the copy of a state that is being made; durable when it returns. Returns what `rows` does.
pub(in crate::store) fn make(
    state: &PrivateDir,
    facts: &Facts,
    before: &Counters,
    rows: impl FnOnce(&mut CopyWriter<'_>) -> Result<Counters, Error>,
) -> Result<Counters, Error> {
    let (_, counters) = write_whole(state, facts, before, rows)?;
    put_in_place(state)?;
    Ok(counters)
}

impl CopyFile {
    /// Opens a copy that was read through, to go on after its last whole line.
    pub(in crate::store) fn open(state: &PrivateDir, scanned: &Scanned) -> Result<Self, Error> {
        let failed = |error| Error::io("open", &state.path().join(COPY), error);
        let file = state.open_private(COPY).map_err(failed)?;
        let length = scanned.end.offset;
        if file.metadata().map_err(failed)?.len() != length {
            file.set_len(length).map_err(failed)?;
        }
        let puts = Puts { rows: scanned.rows, bytes: scanned.rows_end };
        Self::start(state, file, length, scanned.end.chain.clone(), puts)
    }

    /// Writes a whole copy, in the place of the one that is there.
    ///
    /// Durable when it returns. `rows` writes the rows, and returns the counters after their commit; `before` has those
    /// of them that are known before.
    pub(in crate::store) fn write(
        state: &PrivateDir,
        facts: &Facts,
        before: &Counters,
        rows: impl FnOnce(&mut CopyWriter<'_>) -> Result<Counters, Error>,
    ) -> Result<Self, Error> {
        let (Whole { file, length, chain, puts }, _) = write_whole(state, facts, before, rows)?;
        put_in_place(state)?;
        Self::start(state, file, length, chain, puts)
    }

    fn start(state: &PrivateDir, file: File, length: u64, chain: Chain, puts: Puts) -> Result<Self, Error> {
        let syncing = Syncing::start(SYNC_EVERY).map_err(|error| Error::io("sync", &state.path().join(COPY), error))?;
        let (state, file) = (state.clone(), Arc::new(file));
        Ok(Self { state, file, length, chain, puts, not_before: 0, line: Vec::new(), syncing })
    }

    /// Writes the line of a batch, which holds the counters after it. Nothing more may be written once it has failed.
    pub(in crate::store) fn append(&mut self, batch: &Writes) -> io::Result<()> {
        let counters = batch.get(&Row::Counters).and_then(Option::as_ref).expect("each batch writes the counters");
        self.line.clear();
        let puts = line::render(&mut self.line, counters.get(1..).unwrap_or_default(), batch, &mut self.chain);
        self.file.write_all_at(&self.line, self.length)?;
        self.length += self.line.len() as u64;
        self.puts = Puts { rows: self.puts.rows + puts.rows, bytes: self.puts.bytes + puts.bytes };
        self.syncing.note(&self.file)
    }

    /// Reports whether it holds more than so many times what is alive of it.
    pub(in crate::store) fn is_beyond(&self, times: u64, counters: &Counters) -> bool {
        // The reverse index has a row for each binding, and is not in a copy.
        let alive = counters.totals.rows - counters.totals.bindings;
        let alive = alive.saturating_mul(self.puts.bytes) / self.puts.rows.max(1);
        self.length > (times.saturating_mul(alive) + SLACK_BYTES).max(self.not_before)
    }

    /// Writes all of it new, as [`CopyFile::write`] does; durable when it returns.
    ///
    /// Reports whether it did: where there is no room for the new one, the old one goes on.
    pub(in crate::store) fn renew(
        &mut self,
        facts: &Facts,
        before: &Counters,
        rows: impl FnOnce(&mut CopyWriter<'_>) -> Result<Counters, Error>,
    ) -> Result<bool, Error> {
        match write_whole(&self.state, facts, before, rows) {
            Ok((Whole { file, length, chain, puts }, _)) => {
                put_in_place(&self.state)?;
                self.syncing.forget();
                (self.file, self.length, self.chain, self.puts) = (Arc::new(file), length, chain, puts);
                self.not_before = 0;
                Ok(true)
            }
            Err(Error::Io { source, .. }) => {
                tracing::info!("the copy of the state is not written again: {source}");
                let _ = self.state.remove(fresh(COPY));
                self.not_before = self.length + self.length / 4;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Syncs what was written.
    pub(in crate::store) fn sync(&self) -> io::Result<()> {
        self.syncing.now()
    }
}

/// Writes a copy beside the one that is there; durable but for its name.
fn write_whole(
    state: &PrivateDir,
    facts: &Facts,
    before: &Counters,
    rows: impl FnOnce(&mut CopyWriter<'_>) -> Result<Counters, Error>,
) -> Result<(Whole, Counters), Error> {
    let path = state.path().join(fresh(COPY));
    let failed = |error| Error::io("write", &path, error);
    state.remove(fresh(COPY)).map_err(failed)?;
    let file = state.create_new(&fresh(COPY)).map_err(failed)?;
    let mut out = Counting { out: BufWriter::with_capacity(PIECE_BYTES, &file), length: 0 };
    let location = state.path().into();
    let written = || {
        let mut copy = CopyWriter::begin(&location, &mut out, &Header::of(facts, before))?;
        let counters = rows(&mut copy)?;
        Ok((copy.end()?, counters))
    };
    let ((rows, checksum), counters) = written().map_err(|error| match error {
        Error::Output { source } => Error::Io { step: "write", path: path.clone(), source },
        other => other,
    })?;
    let puts = Puts { rows, bytes: out.length };
    let (mut line, mut chain) = (Vec::new(), Chain::after_rows(checksum));
    line::render(&mut line, &encode(&counters)[1..], &Writes::new(), &mut chain);
    out.write_all(&line).and_then(|()| out.flush()).map_err(failed)?;
    let length = out.length;
    drop(out);
    file.sync_all().map_err(failed)?;
    Ok((Whole { file, length, chain, puts }, counters))
}

fn put_in_place(state: &PrivateDir) -> Result<(), Error> {
    reached(Step::CopyWritten);
    let replaced = state.rename(&fresh(COPY), COPY).and_then(|()| state.sync());
    replaced.map_err(|error| Error::io("replace", &state.path().join(COPY), error))?;
    reached(Step::CopyReplaced);
    Ok(())
}

/// Counts what goes through.
struct Counting<W> {
    out: W,
    length: u64,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
