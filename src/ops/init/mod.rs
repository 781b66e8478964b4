//! Laying out what a repository of contact files begins with: a directory with a first entry, a line for git, and the
//! files of a pipeline.
//!
//! Never replaces a file: one that is there stays as it is, but for a line that is added to `.gitignore`.

mod texts;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::format::{self, FormatError};
use crate::beneath::{Bounds, MakeError, Root, RootError};
use crate::settings::Forge;
use crate::source;

/// What is laid out, and where.
#[derive(Debug, Clone, Copy)]
pub struct Init<'a> {
    /// The directory that contactsd works in, below which it keeps states.
    pub here: &'a Path,
    pub contacts: &'a Path,
    /// Where the contact directory may be.
    pub bounds: &'a Bounds,
    pub pipeline: Option<Pipeline<'a>>,
}

/// A pipeline of a repository.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline<'a> {
    pub forge: Forge,
    /// The top level of the repository, where its forge looks for pipelines.
    pub top: &'a Path,
}

/// A file or directory, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Laid {
    pub part: Part,
    pub path: PathBuf,
    pub outcome: LaidOutcome,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The contact directory itself.
    Directory,
    Schema,
    Entry,
    /// What git passes over.
    Ignored,
    Pipeline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaidOutcome {
    Made,
    /// A line was added at its end.
    Extended,
    /// It is what would be made.
    Unchanged,
    /// It is something else.
    Kept,
    /// It holds contact files, so that no first entry is needed.
    InUse,
}

/// Why something is not laid out; what was told before stands.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    #[error(transparent)]
    Directory(#[from] MakeError),
    #[error(transparent)]
    Open(#[from] RootError),
    #[error(transparent)]
    Files(#[from] source::Error),
    #[error(transparent)]
    File(#[from] FormatError),
    /// Pipelines look at the files of their own repository alone.
    #[error("{} is not in the repository {}", contacts.display(), top.display())]
    NotInRepository { contacts: PathBuf, top: PathBuf },
    /// A pipeline would take signs of the name for something else.
    #[error("the name {} has signs other than letters, digits and . _ - /", contacts.display())]
    NameIsNotPlain { contacts: PathBuf },
}

/// Reports whether something stands where a file of the forge's pipeline would be.
pub fn has_pipeline(pipeline: Pipeline<'_>) -> bool {
    texts::pipeline(pipeline.forge).any(|(path, _)| pipeline.top.join(path).symlink_metadata().is_ok())
}

/// Creates what is missing, and reports each file in turn.
pub fn init(init: Init<'_>, mut tell: impl FnMut(Laid)) -> Result<(), InitError> {
    let contacts = Root::open_or_make(init.contacts, init.bounds)?;
    // Before anything is written: a pipeline that cannot be is no reason to stop half-way.
    let pipeline = init.pipeline.map(|pipeline| pipeline_files(pipeline, &contacts)).transpose()?;
    first_entry(&contacts, &mut tell)?;
    tell(ignored(init.here)?);
    for (root, below, text) in pipeline.into_iter().flatten() {
        tell(put(Part::Pipeline, &root, &below, &text)?);
    }
    Ok(())
}

/// Makes a file with one entry, and the schema that it names, where there is no contact file.
fn first_entry(contacts: &Root, tell: &mut impl FnMut(Laid)) -> Result<(), InitError> {
    if !source::contact_files(contacts)?.files.is_empty() {
        tell(Laid { part: Part::Directory, path: contacts.named().to_owned(), outcome: LaidOutcome::InUse });
        return Ok(());
    }
    let schema = format!("{:#}\n", source::schema());
    tell(put(Part::Schema, contacts, Path::new(texts::SCHEMA), &schema)?);
    tell(put(Part::Entry, contacts, Path::new(texts::ENTRY), texts::FIRST_ENTRY)?);
    Ok(())
}

/// Has git pass over the states that are kept in the directory `here`.
fn ignored(here: &Path) -> Result<Laid, InitError> {
    let root = Root::open(here, &Bounds::default())?;
    let name = Path::new(".gitignore");
    let path = root.named().join(name);
    let laid = |path, outcome| Laid { part: Part::Ignored, path, outcome };
    let bytes = match format::read(&root, name) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return put(Part::Ignored, &root, name, texts::IGNORED),
        // Git reads no link either.
        Err(FormatError::Refused { .. }) => return Ok(laid(path, LaidOutcome::Kept)),
        Err(error) => return Err(error.into()),
    };
    if String::from_utf8_lossy(&bytes).lines().any(texts::ignores) {
        return Ok(laid(path, LaidOutcome::Unchanged));
    }
    let failed = |source| FormatError::Write { path: path.clone(), source };
    let text = if bytes.is_empty() || bytes.ends_with(b"\n") { "" } else { "\n" }.to_owned() + texts::IGNORED;
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let directory = root.directory(Path::new("")).map_err(failed)?;
    let opened = rustix::fs::openat(&directory, name, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let mut file = File::from(opened);
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(laid(path, LaidOutcome::Extended))
}

/// Lists the files of a pipeline, each below the top level of the repository that the contact files are in.
fn pipeline_files(pipeline: Pipeline<'_>, contacts: &Root) -> Result<Vec<(Root, PathBuf, String)>, InitError> {
    let open = || Root::open(pipeline.top, &Bounds::default());
    let top = open()?;
    let below = contacts.real().strip_prefix(top.real()).map_err(|_| InitError::NotInRepository {
        contacts: contacts.named().to_owned(),
        top: top.real().to_owned(),
    })?;
    let plain = below.to_str().filter(|name| texts::is_plain(name));
    let below = plain.ok_or_else(|| InitError::NameIsNotPlain { contacts: below.to_owned() })?;
    let files = texts::pipeline(pipeline.forge);
    files
        .map(|(path, text)| Ok((open()?, PathBuf::from(path), texts::of_directory(pipeline.forge, text, below))))
        .collect()
}

/// Puts a file in its place where nothing is there, with the directories that lead to it.
fn put(part: Part, root: &Root, below: &Path, text: &str) -> Result<Laid, InitError> {
    let path = root.named().join(below);
    let outcome = match format::read(root, below) {
        Ok(Some(before)) if before == text.as_bytes() => LaidOutcome::Unchanged,
        Ok(None) => {
            let directory = below.parent().unwrap_or(Path::new(""));
            root.make(directory).map_err(|source| FormatError::Write { path: path.clone(), source })?;
            format::create(root, below, &|file| file.write_all(text.as_bytes()))?;
            LaidOutcome::Made
        }
        // A link that leads elsewhere, or no file at all.
        Ok(Some(_)) | Err(FormatError::Refused { .. }) => LaidOutcome::Kept,
        Err(error) => return Err(error.into()),
    };
    Ok(Laid { part, path, outcome })
}
