//! Loading the contact files of one directory, again and again, with what the state's index knows of them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::beneath::Bounds;
use crate::index::Index;
use crate::model::Names;
use crate::source::{self, Diagnostic, LOADER, Loaded, Meaning};
use crate::state::Location;
use crate::store::{self, Store};

use super::{Desired, LoadError, Session};

/// What there is to say of valid files.
#[derive(Debug)]
pub struct Checked {
    pub warnings: Vec<Diagnostic>,
    pub contacts: usize,
    pub files: usize,
}

/// Loads a directory. An index beside the state spares reading what did not change, and changes no result.
#[derive(Debug, Clone)]
pub struct Loader {
    dir: PathBuf,
    /// The state that may have an index.
    state: Option<Location>,
    /// The state as this process has it open.
    store: Option<Store>,
    /// Most memory that entries are kept in, in bytes; `None` for what is usual.
    room: Option<usize>,
    /// What counts as the file system's time; `None` for what it says.
    stamp: Option<i64>,
    bounds: Bounds,
    /// Files that are left out, by device and inode.
    being_written: Vec<(u64, u64)>,
    /// What names are taken for; `None` for what the index or the state knows, where there is a state.
    names: Option<Arc<Names>>,
}

impl Loader {
    /// Loads `dir`, with the index of `state` where there is one.
    pub fn new(dir: &Path, state: &Location) -> Self {
        Self { state: Some(state.clone()), ..Self::plain(dir) }
    }

    /// Loads `dir`, with the index of the state that `session` has open.
    pub fn within(session: &Session, dir: &Path) -> Self {
        Self { store: Some(session.store().clone()), ..Self::new(dir, session.store().location()) }
    }

    /// Loads `dir` by reading all of it.
    pub fn plain(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            state: None,
            store: None,
            room: None,
            stamp: None,
            bounds: Bounds::default(),
            being_written: Vec::new(),
            names: None,
        }
    }

    /// Takes names for this.
    #[must_use]
    pub fn knowing(self, names: Arc<Names>) -> Self {
        Self { names: Some(names), ..self }
    }

    /// Says where the directory and the links in it may lead; unless said, the one anywhere and the others inside it.
    #[must_use]
    pub fn bounded(self, bounds: &Bounds) -> Self {
        Self { bounds: bounds.clone(), ..self }
    }

    /// Leaves out files that are being written; those of them that are there no more are as they are.
    #[must_use]
    pub fn leaving_out(self, files: &[PathBuf]) -> Self {
        let number = |path: &PathBuf| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        Self { being_written: files.iter().filter_map(number).collect(), ..self }
    }

    /// Keeps entries in so many bytes, and takes this for the file system's time.
    #[cfg(test)]
    pub(super) fn with(self, room: usize, stamp: Option<i64>) -> Self {
        Self { room: Some(room), stamp, ..self }
    }

    /// Reads and checks all contact files.
    ///
    /// Where names are not as they are known, what the state knows of them is looked up, which is seldom needed.
    pub fn load(&self) -> Result<Desired, LoadError> {
        let loaded = self.load_once();
        let Err(LoadError::Invalid { names, .. }) = &loaded else { return loaded };
        match self.kept().filter(|_| names.any() && self.names.is_none()) {
            Some(kept) => self.clone().knowing(Arc::new(kept)).load_once(),
            None => loaded,
        }
    }

    /// Reads and checks all contact files without listing who is declared, which takes less time.
    ///
    /// Names stand for themselves.
    pub fn check(&self) -> Result<Checked, LoadError> {
        let plain = source::Options::plain();
        let options =
            source::Options { bounds: &self.bounds, being_written: &self.being_written, is_check: true, ..plain };
        let (loaded, _) = source::load(&self.dir, &options).map_err(LoadError::Unreadable)?;
        let loaded = valid(loaded)?;
        Ok(Checked { contacts: loaded.entries(), files: loaded.count, warnings: loaded.diagnostics })
    }

    /// Returns the names that the state has kept; `None` where there is none to read.
    fn kept(&self) -> Option<Names> {
        // Whoever has it open knows them and says so.
        let state = self.state.as_ref().filter(|_| self.store.is_none())?;
        store::names(state).ok().flatten()
    }

    /// Returns all names that are known without asking Apollo.
    pub fn known_names(&self) -> Names {
        let index = self.state.as_ref().and_then(|state| store::open_index(state, LOADER));
        let indexed = index.as_ref().and_then(Index::names).map(|names| Names::clone(names)).unwrap_or_default();
        self.kept().map_or(indexed.clone(), |kept| indexed.updated_by(kept))
    }

    /// Tells what names are taken for; `is_trusted`, whether the state stands as the index noted it.
    fn meaning(&self, index: Option<&Index>, is_trusted: bool) -> Meaning {
        if let Some(names) = &self.names {
            return Meaning::Known(Arc::clone(names));
        }
        if self.state.is_none() {
            return Meaning::AsWritten;
        }
        let Some(indexed) = index.and_then(Index::names) else { return Meaning::Known(Arc::default()) };
        match (!is_trusted).then(|| self.kept()).flatten() {
            Some(kept) => Meaning::Known(Arc::new(Names::clone(indexed).updated_by(kept))),
            None => Meaning::Known(Arc::clone(indexed)),
        }
    }

    fn load_once(&self) -> Result<Desired, LoadError> {
        let index = self.state.as_ref().and_then(|state| store::open_index(state, LOADER)).map(Arc::new);
        let note = index.as_deref().and_then(|index| index.state());
        let is_trusted = match (&self.store, &self.state, note) {
            (Some(store), _, Some(note)) => store.knows(note),
            (None, Some(state), Some(note)) => store::stands(state, note),
            _ => false,
        };
        let all_applied = index.as_deref().zip(note).is_some_and(|(index, note)| note.applied == index.contacts());
        let stamp = || self.stamp.or_else(|| store::file_time(self.state.as_ref()?));
        let plain = source::Options::plain();
        let room = self.room.unwrap_or(plain.room);
        let lists_all = !(is_trusted && all_applied);
        let meaning = &self.meaning(index.as_deref(), is_trusted);
        let plain = source::Options { bounds: &self.bounds, being_written: &self.being_written, meaning, ..plain };
        let options = source::Options { index: index.as_deref(), stamp: &stamp, lists_all, room, ..plain };
        let (loaded, is_sound) = source::load(&self.dir, &options).map_err(LoadError::Unreadable)?;
        let loaded = valid(loaded)?;
        let index = index.filter(|_| is_sound);
        let is_trusted = is_trusted && index.is_some();
        if let Ok(desired) = Desired::new(self.dir.clone(), loaded, index, is_trusted) {
            return Ok(desired);
        }
        // The index turned out to be damaged: as if there was none.
        let options = source::Options { stamp: &stamp, room, ..plain };
        let (loaded, _) = source::load(&self.dir, &options).map_err(LoadError::Unreadable)?;
        let desired = Desired::new(self.dir.clone(), valid(loaded)?, None, false);
        Ok(desired.expect("without an index none is damaged"))
    }
}

fn valid(loaded: Loaded) -> Result<Loaded, LoadError> {
    if loaded.is_valid() {
        return Ok(loaded);
    }
    Err(LoadError::Invalid { diagnostics: loaded.diagnostics, files: loaded.count, names: loaded.faulty_names })
}

/// Reads and checks all contact files below `dir`.
pub fn load(dir: &Path) -> Result<Desired, LoadError> {
    Loader::plain(dir).load()
}
