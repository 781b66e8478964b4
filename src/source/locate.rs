//! Where an entry and its fields stand, looked up in the file again.
//!
//! Entries carry no lines: of a million, only those that are shown need one. Each file is read once for all that is
//! looked up in it. A link that leads out of where it stands is not followed: between loading and showing, a file may
//! have been replaced by one.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::check;
use super::diagnostic::{Location, Source, Span};
use super::merge::Slot;
use super::outline::{Outline, Part};
use super::read;
use crate::beneath::{self, Root};
use crate::model::{ContactKey, Field, Place};

/// Returns where an entry's key or one of its fields stands now.
///
/// A field that comes from `defaults` or by a merge key is found where it is written; a field that is
/// not declared, at the key. `None` when the file cannot be read or no longer holds the key.
pub fn locate(place: &Place, field: Option<&Field>) -> Option<Location> {
    let part = field.map(|field| match field {
        Field::Custom(id) => Part::Custom(id.clone()),
        named => Part::Slot(named.api_name()),
    });
    let file = Contents::latest(&place.path)?;
    Some(file.source.location(file.outline.name(&place.key, part.as_ref())?))
}

/// Returns the lines at which entries stand now, by key, reading each file once.
///
/// A key that its file no longer holds is left out.
pub fn lines<'a>(places: impl IntoIterator<Item = &'a Place>) -> HashMap<ContactKey, usize> {
    let mut by_file: BTreeMap<&Arc<Path>, Vec<&ContactKey>> = BTreeMap::new();
    for place in places {
        by_file.entry(&place.path).or_default().push(&place.key);
    }
    let mut lines = HashMap::new();
    for (path, keys) in by_file {
        let Some(file) = open(path).and_then(|opened| Contents::read(path, opened)) else { continue };
        for key in keys {
            lines.extend(file.outline.name(key, None).map(|span| (key.clone(), span.line)));
        }
    }
    lines
}

/// One file with the places in it.
struct Contents {
    source: Source,
    outline: Outline,
}

/// What tells one state of a file from another: where it is kept, its size and its times.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

/// A file as it was when something was looked up in it.
struct Known {
    path: Arc<Path>,
    stamp: Stamp,
    contents: Arc<Contents>,
}

/// The file that something was looked up in last.
static LATEST: Mutex<Option<Known>> = Mutex::new(None);

/// Opens a file of which nothing but the path is known: what stands there may be another one by now.
fn open(path: &Path) -> Option<File> {
    beneath::regular_downward(path).ok()
}

impl Contents {
    /// Returns a file as it is now, without reading it again when it was the last one and has not changed.
    fn latest(path: &Arc<Path>) -> Option<Arc<Self>> {
        let file = open(path)?;
        let found = file.metadata().ok()?;
        let (modified, changed) = ((found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec()));
        let stamp = (found.dev(), found.ino(), found.size(), modified, changed);
        let mut latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*latest
            && (&known.path, &known.stamp) == (path, &stamp)
        {
            return Some(Arc::clone(&known.contents));
        }
        let contents = Arc::new(Self::read(path, file)?);
        *latest = Some(Known { path: Arc::clone(path), stamp, contents: Arc::clone(&contents) });
        Some(contents)
    }

    fn read(path: &Arc<Path>, file: File) -> Option<Self> {
        Self::parse(path, read::bytes(file, path).ok()?)
    }

    fn parse(path: &Arc<Path>, bytes: Vec<u8>) -> Option<Self> {
        let source = Source::new(Arc::clone(path), read::text(path, bytes).ok()?);
        let outline = check::outline(&source);
        Some(Self { source, outline })
    }
}

/// Finds many places in the files below a directory, reading each file once.
pub(super) struct Finder<'r> {
    root: &'r Root,
    files: HashMap<Arc<Path>, Option<Contents>>,
}

impl<'r> Finder<'r> {
    pub(super) fn new(root: &'r Root) -> Self {
        Self { root, files: HashMap::new() }
    }

    fn contents(&mut self, path: &Arc<Path>) -> Option<&Contents> {
        let root = self.root;
        let read = || {
            let below = path.strip_prefix(root.named()).ok()?;
            Contents::parse(path, read::below(root, below).ok()?)
        };
        self.files.entry(Arc::clone(path)).or_insert_with(read).as_ref()
    }

    /// Returns every place in `path` that declares `key`; the file as a whole when it has changed since.
    pub(super) fn keys(&mut self, path: &Arc<Path>, key: &ContactKey) -> Vec<Location> {
        let location = |file: &Contents, span: Span| file.source.location(span);
        let places = self.contents(path).map_or_else(Vec::new, |file| {
            file.outline.keys(key).into_iter().map(|span| location(file, span)).collect()
        });
        if places.is_empty() { vec![Location::of_file(path)] } else { places }
    }

    /// Returns the place of a field's value, or of the key where none is asked for or declared.
    pub(super) fn value(&mut self, place: &Place, name: Option<&str>) -> Location {
        let part = name.and_then(Slot::named).map(|slot| Part::Slot(slot.name()));
        let location = self.contents(&place.path).and_then(|file| {
            let span = file.outline.value(&place.key, part.as_ref())?;
            Some(file.source.location(span))
        });
        location.unwrap_or_else(|| Location::of_file(&place.path))
    }
}
