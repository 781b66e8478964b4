//! Writes a plan file: whole and durable under its name, or not at all.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tempfile::NamedTempFile;

use super::super::Planned;
use super::format::{End, FORMAT, Files, Header, Line};
use super::{Origins, is_errored};

/// Why a plan could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Something else than a file has that name, and is not replaced.
    #[error("{} is not a file", path.display())]
    NotAFile { path: PathBuf },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Saves a plan at `path`, replacing a file that is there; durable on return, readable by its owner alone.
///
/// The plan is written action by action beside its place and then renamed, so that no reader meets a part.
pub fn save_plan(path: &Path, planned: &Planned, origins: &Origins) -> Result<(), SaveError> {
    // A device or a pipe would be replaced by the rename.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        return Err(SaveError::NotAFile { path: path.to_owned() });
    }
    write(path, planned, origins).map_err(|source| SaveError::Write { path: path.to_owned(), source })
}

fn write(path: &Path, planned: &Planned, origins: &Origins) -> io::Result<()> {
    let directory = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Opened first, since a failure to make a file in it would name that file.
    let opened = File::open(directory)?;
    // 0600 from the start, which is how temporary files are made.
    let file = NamedTempFile::new_in(directory)?;
    write_plan(file.as_file(), planned, origins)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    opened.sync_all()
}

/// Writes a plan as [`save_plan`] saves it, to whoever reads it.
pub fn write_plan(to: impl Write, planned: &Planned, origins: &Origins) -> io::Result<()> {
    let mut lines = Lines { to: BufWriter::new(to), hasher: blake3::Hasher::new() };
    lines.write_plan(planned, origins)?;
    lines.to.flush()
}

/// Writes lines and hashes them as they go.
struct Lines<W: Write> {
    to: BufWriter<W>,
    hasher: blake3::Hasher,
}

impl<W: Write> Lines<W> {
    fn write_plan(&mut self, planned: &Planned, origins: &Origins) -> io::Result<()> {
        let plan = &planned.plan;
        self.line(&Line::Plan(Box::new(header(planned, origins))))?;
        for action in &plan.actions {
            self.line(&Line::Action(Cow::Borrowed(action)))?;
        }
        for (place, field) in &plan.dropped {
            self.line(&Line::Dropped { place: Cow::Borrowed(place), field: Cow::Borrowed(field) })?;
        }
        if !plan.housekeeping.is_empty() {
            self.line(&Line::Housekeeping(Cow::Borrowed(&plan.housekeeping)))?;
        }
        let blake3 = self.hasher.finalize().to_hex().to_string();
        self.line(&Line::End(End { actions: plan.actions.len(), blake3 }))
    }

    fn line(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.hasher.update(&bytes);
        self.to.write_all(&bytes)
    }
}

fn header(planned: &Planned, origins: &Origins) -> Header {
    let plan = &planned.plan;
    Header {
        format: FORMAT,
        contactsd: env!("CARGO_PKG_VERSION").to_owned(),
        digest: plan.digest(&origins.api, &origins.files),
        errored: is_errored(planned),
        origin: origins.api.clone(),
        lineage: Some(plan.lineage.clone()).filter(|lineage| !lineage.0.is_empty()),
        serial: plan.serial,
        files: Files {
            count: origins.file_count,
            digest: blake3::Hash::from_bytes(origins.files).to_hex().to_string(),
        },
        policy: origins.policy.clone(),
        brakes: plan.brakes.clone(),
        counts: plan.counts(),
        unchanged: plan.unchanged,
        forecast: planned.forecast.clone(),
        names: planned.names.clone(),
    }
}
