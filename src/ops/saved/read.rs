//! Reads a plan file, and tells one that is damaged, cut or of another kind from a whole one.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::super::Planned;
use super::format::{AnyFirstLine, End, FORMAT, Header, Line};
use super::{Origins, SavedPlan};
use crate::model::{Field, Lineage, Place};
use crate::plan::{Action, Housekeeping, Plan};

/// What every plan file begins with, whatever its format.
const BEGIN: &[u8] = br#"{"plan":{"format":"#;

/// Why a file is not read as a plan.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    /// It is another kind of file.
    #[error("{} is not a plan file", path.display())]
    NotAPlan { path: PathBuf },
    /// A later version wrote it.
    #[error(
        "{} has format {found} (written by contactsd {by}); this contactsd reads plan files up to format {FORMAT}",
        path.display()
    )]
    TooNew { path: PathBuf, found: u32, by: String },
    /// It ends before its end.
    #[error("{} is cut: its last line is missing", path.display())]
    Cut { path: PathBuf },
    /// It was changed after it was written.
    #[error("{} is damaged: {why}", path.display())]
    Damaged { path: PathBuf, why: Damage },
}

/// What is wrong with a plan file that was changed.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    #[error("a second plan begins in it")]
    SecondPlan,
    #[error("its checksum differs")]
    Checksum,
    #[error("the digest of the contact files is none")]
    DigestOfFiles,
    #[error("its digest is not that of its actions")]
    DigestOfActions,
    #[error("its line {line} cannot be read: {source}")]
    Line { line: usize, source: serde_json::Error },
}

/// Reports whether a file begins as a plan does, whole or not.
pub fn is_plan(path: &Path) -> bool {
    let mut begin = [0; BEGIN.len()];
    // A pipe would be waited for.
    path.is_file() && File::open(path).and_then(|mut file| file.read_exact(&mut begin)).is_ok() && begin == BEGIN
}

/// Reads the plan saved at `path`; nothing of one that is not whole.
pub fn read_plan(path: &Path) -> Result<SavedPlan, SavedError> {
    let failed = |source| SavedError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    Ok(read(path, &file)?.0)
}

/// Reads a plan that comes from elsewhere than a file; messages call it `name`.
pub fn read_plan_from(name: &str, from: impl io::Read) -> Result<SavedPlan, SavedError> {
    let (saved, _) = read(Path::new(name), from)?;
    Ok(SavedPlan { is_file: false, ..saved })
}

/// Reads a plan and its marks; also returns how many bytes those are.
///
/// A mark that was cut as it was written lies behind them. It means nothing: marks are on disk before
/// anything is sent.
pub(super) fn read(path: &Path, file: impl io::Read) -> Result<(SavedPlan, u64), SavedError> {
    let mut lines = Lines { path, from: BufReader::new(file), hasher: blake3::Hasher::new(), number: 0, bytes: 0 };
    let mut saved = read_whole(&mut lines)?;
    loop {
        let whole = lines.bytes;
        match lines.next() {
            Ok(line) => saved.marks.push(lines.parse(&line)?),
            Err(SavedError::Cut { .. }) => return Ok((saved, whole)),
            Err(error) => return Err(error),
        }
    }
}

fn read_whole<R: BufRead>(lines: &mut Lines<'_, R>) -> Result<SavedPlan, SavedError> {
    let header = lines.header()?;
    let mut body = Body::default();
    let end = loop {
        let before = lines.hasher.clone();
        let line = lines.next()?;
        match lines.parse(&line)? {
            Line::Action(action) => body.actions.push(action.into_owned()),
            Line::Dropped { place, field } => body.dropped.push((place.into_owned(), field.into_owned())),
            Line::Housekeeping(housekeeping) => body.housekeeping = housekeeping.into_owned(),
            Line::End(end) => break (before.finalize(), end),
            Line::Plan(_) => return Err(lines.damaged(Damage::SecondPlan)),
        }
    };
    let (found, End { actions, blake3 }) = end;
    if found.to_hex().as_str() != blake3 || actions != body.actions.len() {
        return Err(lines.damaged(Damage::Checksum));
    }
    let files = blake3::Hash::from_hex(&header.files.digest).map_err(|_| lines.damaged(Damage::DigestOfFiles))?;
    let saved = body.saved(lines.path, header, *files.as_bytes());
    if saved.planned.plan.digest(&saved.origins.api, &saved.origins.files) != *saved.digest() {
        return Err(lines.damaged(Damage::DigestOfActions));
    }
    Ok(saved)
}

/// What stands between the first line and the last.
#[derive(Default)]
struct Body {
    actions: Vec<Action>,
    dropped: Vec<(Place, Field)>,
    housekeeping: Housekeeping,
}

impl Body {
    fn saved(self, path: &Path, header: Header, files: [u8; 32]) -> SavedPlan {
        let plan = Plan {
            lineage: header.lineage.unwrap_or(Lineage(String::new())),
            serial: header.serial,
            actions: self.actions,
            scope: header.policy.scope.clone(),
            unchanged: header.unchanged,
            refreshed: false,
            brakes: header.brakes,
            dropped: self.dropped,
            housekeeping: self.housekeeping,
        };
        let origins = Origins { api: header.origin, files, file_count: header.files.count, policy: header.policy };
        let planned =
            Planned { plan, digest: Some(header.digest), forecast: header.forecast, left_out: 0, names: header.names };
        SavedPlan { path: path.to_owned(), is_file: true, planned, origins, marks: Vec::new() }
    }
}

/// The lines of a file, hashed as they are read.
struct Lines<'a, R> {
    path: &'a Path,
    from: R,
    hasher: blake3::Hasher,
    number: usize,
    /// How many were read.
    bytes: u64,
}

impl<R: BufRead> Lines<'_, R> {
    /// Reads the first line, of which every format has the same beginning.
    fn header(&mut self) -> Result<Header, SavedError> {
        let path = self.path;
        let begin = self.from.fill_buf().map_err(|source| SavedError::Read { path: path.to_owned(), source })?;
        if !begin.is_empty() && !begin.starts_with(BEGIN) {
            return Err(self.not_a_plan());
        }
        let line = self.next()?;
        let AnyFirstLine { plan: any } = serde_json::from_slice(&line).map_err(|_| self.not_a_plan())?;
        if any.format > FORMAT {
            return Err(SavedError::TooNew { path: self.path.to_owned(), found: any.format, by: any.contactsd });
        }
        match serde_json::from_slice(&line) {
            Ok(Line::Plan(header)) => Ok(*header),
            Ok(_) => Err(self.not_a_plan()),
            Err(source) => Err(self.damaged(Damage::Line { line: 1, source })),
        }
    }

    fn parse<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T, SavedError> {
        serde_json::from_slice(line).map_err(|source| self.damaged(Damage::Line { line: self.number, source }))
    }

    /// Reads a line with its end; one without is where the file was cut.
    fn next(&mut self) -> Result<Vec<u8>, SavedError> {
        let mut line = Vec::new();
        self.from.read_until(b'\n', &mut line).map_err(|source| self.unreadable(source))?;
        if line.last() != Some(&b'\n') {
            return Err(SavedError::Cut { path: self.path.to_owned() });
        }
        self.number += 1;
        self.bytes += line.len() as u64;
        self.hasher.update(&line);
        Ok(line)
    }

    fn damaged(&self, why: Damage) -> SavedError {
        SavedError::Damaged { path: self.path.to_owned(), why }
    }

    fn unreadable(&self, source: io::Error) -> SavedError {
        SavedError::Read { path: self.path.to_owned(), source }
    }

    fn not_a_plan(&self) -> SavedError {
        SavedError::NotAPlan { path: self.path.to_owned() }
    }
}
