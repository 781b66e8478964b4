//! All files of a directory, read on all cores and checked, one by one and against each other.
//!
//! Files that an index vouches for are not read. Entries leave memory as soon as they are checked, beyond a
//! budget of those that are kept; what stays is who is declared, and marks by which entries that could be at
//! odds find each other.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, RwLock};

use rayon::prelude::*;

use super::across::{self, Repeated};
use super::check::Take;
use super::code::Severity;
use super::diagnostic::{self, Diagnostic};
use super::loaded::{Loaded, SourceFile, digest};
use super::meaning::{Meaning, NamesSeen};
use super::merge::Whole;
use super::root::{Error, open_root};
use super::walk::{self, Walk};
use super::{read, read_text, stored};
use crate::beneath::{Bounds, Root};
use crate::index::{Contents, Damaged, FileRecord, Flags, Index, Mark, Tree, marks, marks_by, shared};
use crate::model::{
    ApolloId, ContactKey, Declares, Entry, NameKinds, Named, PackedEntry, Packer, Parts, Sheet, SheetWriter,
};

/// What the reader makes of files; an index of any other is of no use.
pub const LOADER: &str = concat!(env!("CARGO_PKG_VERSION"), "/6");

/// Most memory that entries are kept in, in bytes, about. Those beyond it are read again when they are wanted.
const KEPT_BYTES: usize = 40 << 20;

/// How often files that change while they are read are read again.
const ATTEMPTS: usize = 3;

/// How to load.
pub struct Options<'a> {
    /// What an earlier load found.
    pub index: Option<&'a Index>,
    /// Tells the file system's time; `None` where it cannot be told. Asked before anything is read.
    pub stamp: &'a (dyn Fn() -> Option<i64> + Sync),
    /// Whether all files are listed even where nothing changed.
    pub lists_all: bool,
    /// Whether nothing but mistakes is asked for: who is declared is counted, and listed nowhere.
    pub is_check: bool,
    /// Most memory that entries are kept in, in bytes, about.
    pub room: usize,
    /// Where the directory and the links in it may lead.
    pub bounds: &'a Bounds,
    /// Files that are left out because they are being written, by device and inode.
    pub being_written: &'a [(u64, u64)],
    /// What names are taken for.
    pub meaning: &'a Meaning,
}

static ANYWHERE_AND_NO_LINKS: Bounds = Bounds { root_within: None, follow_within: Vec::new() };

impl Options<'_> {
    /// Reads everything, and names as they are written.
    pub const fn plain() -> Self {
        let (bounds, meaning) = (&ANYWHERE_AND_NO_LINKS, &Meaning::AsWritten);
        let (index, room, being_written) = (None, KEPT_BYTES, &[]);
        Self { index, stamp: &|| None, lists_all: true, is_check: false, room, bounds, being_written, meaning }
    }
}

/// Why a load with an index came to nothing.
enum Failure {
    Source(Error),
    /// The index is not as it was written.
    Damaged,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

impl From<Damaged> for Failure {
    fn from(_: Damaged) -> Self {
        Self::Damaged
    }
}

/// Reads all contact files below `dir` and checks them, one by one and against each other.
///
/// Fails only when `dir` itself cannot be read, or its files change meanwhile; a file that cannot be read is a
/// diagnostic. An index changes nothing about the result; a damaged one counts as none, told by `false`.
pub fn load(dir: &Path, options: &Options<'_>) -> Result<(Loaded, bool), Error> {
    // Opened for each attempt: it may be a link that is turned over.
    attempt(options, || open_root(dir, options.bounds).map(Arc::new))
}

/// The same of a directory as it was opened before.
pub fn load_from(root: &Arc<Root>, options: &Options<'_>) -> Result<(Loaded, bool), Error> {
    attempt(options, || Ok(Arc::clone(root)))
}

fn attempt(options: &Options<'_>, root: impl Fn() -> Result<Arc<Root>, Error>) -> Result<(Loaded, bool), Error> {
    let mut index = options.index;
    let mut changed = None;
    let mut left = ATTEMPTS;
    while left > 0 {
        match Loading::new(root()?, options, index).load() {
            Ok(loaded) => return Ok((loaded, index.is_some())),
            Err(Failure::Damaged) if index.is_some() => index = None,
            Err(Failure::Damaged) => unreachable!("without an index none is damaged"),
            Err(Failure::Source(error @ Error::ChangedMeanwhile { .. })) => {
                changed = Some(error);
                left -= 1;
            }
            Err(Failure::Source(error)) => return Err(error),
        }
    }
    Err(changed.expect("there is at least one attempt"))
}

impl Loaded {
    /// Reads the entries of files again, each with the number it was given; the contents must be as they were.
    pub fn read_again(&self, files: &[(usize, &SourceFile)]) -> Result<Vec<(usize, Vec<PackedEntry>)>, Error> {
        let Some(root) = &self.root else { return Ok(Vec::new()) };
        let read = |&(number, file): &(usize, &SourceFile)| {
            let mut packer = Packer::default();
            read_unchanged(root, file, &self.meaning, &mut |whole| _ = packer.add(&whole.into_entry()))?;
            Ok((number, packer.finish()))
        };
        files.par_iter().map(read).collect()
    }
}

/// Reads a file again that was read before, and fails when it is another one now.
fn read_unchanged(
    root: &Root,
    file: &SourceFile,
    meaning: &Meaning,
    take: Take<'_>,
) -> Result<(Vec<Diagnostic>, NamesSeen), Error> {
    let path = root.named().join(&file.below);
    let read = read::below(root, &file.below);
    let digest = *blake3::hash(read.as_deref().unwrap_or_default()).as_bytes();
    match read {
        _ if digest != file.digest => Err(Error::ChangedMeanwhile { path }),
        Ok(bytes) => Ok(parse(&path, bytes, meaning, take)),
        Err(diagnostic) => Ok((vec![*diagnostic], NamesSeen::default())),
    }
}

/// What is kept of the entries of one file as they come.
struct Taking<'k> {
    count: usize,
    /// `None` where they are only counted.
    lines: Option<SheetWriter>,
    named: Vec<ApolloId>,
    marks: Vec<Mark>,
    /// Used again for each.
    parts: Parts,
    /// Empty as soon as there is no more room.
    entries: Option<Packer>,
    kept: &'k AtomicUsize,
    room: usize,
}

impl<'k> Taking<'k> {
    /// Begins on a file of so many bytes; entries of one that is too large are not kept to begin with.
    fn new(bytes: u64, kept: &'k AtomicUsize, options: &Options<'_>) -> Self {
        let room = options.room;
        // Without the names of fields, an entry takes about half of its text.
        let has_room =
            !options.is_check && (kept.load(Ordering::Relaxed) as u64).saturating_add(bytes / 2) <= room as u64;
        Self {
            count: 0,
            lines: (!options.is_check).then(SheetWriter::default),
            named: Vec::new(),
            marks: Vec::new(),
            parts: Parts::default(),
            entries: has_room.then(Packer::default),
            kept,
            room,
        }
    }

    fn take(&mut self, whole: Whole<'_>) {
        self.count += 1;
        self.named.extend(whole.apollo_id().cloned());
        self.marks.extend(marks_by(&mut self.parts, &whole));
        let Some(lines) = &mut self.lines else { return };
        let entry = whole.into_entry();
        lines.add(entry.key(), entry.fingerprint());
        let Some(entries) = &mut self.entries else { return };
        let weight = entries.add(&entry);
        if self.kept.fetch_add(weight, Ordering::Relaxed).saturating_add(weight) > self.room {
            self.entries = None;
        }
    }

    fn finish(mut self, file: &mut SourceFile, diagnostics: &[Diagnostic], names: NameKinds) {
        file.was_read = true;
        file.names = names;
        file.warnings = diagnostics.to_vec();
        file.count = self.count;
        file.sheet = self.lines.map(SheetWriter::finish).unwrap_or_default();
        file.named = self.named.iter().collect();
        self.marks.shrink_to_fit();
        file.marks = self.marks;
        file.entries = RwLock::new(self.entries.map(Packer::finish));
    }
}

/// One load under way.
struct Loading<'a> {
    root: Arc<Root>,
    options: &'a Options<'a>,
    index: Option<&'a Index>,
    tree: &'a Tree,
    /// Whether names mean something else than when the index was written.
    means_otherwise: bool,
    stamp: OnceLock<Option<i64>>,
    kept: AtomicUsize,
}

static NOTHING: std::sync::LazyLock<Tree> = std::sync::LazyLock::new(Tree::default);

impl<'a> Loading<'a> {
    fn new(root: Arc<Root>, options: &'a Options<'a>, index: Option<&'a Index>) -> Self {
        let tree = index.map_or(&*NOTHING, Index::tree);
        let names = index.and_then(Index::names).map(|names| &**names);
        let means_otherwise = !options.meaning.is_the_same(names);
        Self { root, options, index, tree, means_otherwise, stamp: OnceLock::new(), kept: AtomicUsize::new(0) }
    }

    fn load(&self) -> Result<Loaded, Failure> {
        let ahead = || {
            self.stamp.get_or_init(self.options.stamp);
        };
        let mut walk = walk::walk(&self.root, self.tree, &ahead)?;
        let left_out = walk.leave_out(self.options.being_written);
        if left_out == 0
            && let Some(loaded) = self.unchanged(&walk)?
        {
            return Ok(loaded);
        }
        ahead();
        let order = walk.in_order(self.tree);
        let mut files: Vec<SourceFile> = order.into_iter().map(|place| self.file(&walk, place)).collect();
        // In pieces of one file where one may be a thousand times as large as the next.
        let pieces = if files.len() > MANY_FILES { 16 } else { 1 };
        let of_reading: Vec<(Vec<Diagnostic>, NameKinds)> =
            files.par_iter_mut().with_max_len(pieces).map(|file| self.read(file)).collect();
        let mut diagnostics = walk.diagnostics.clone();
        let mut faulty_names = NameKinds::default();
        for (found, faulty) in of_reading {
            diagnostics.extend(found);
            faulty_names = faulty_names.and(faulty);
        }
        let names = files.iter().fold(NameKinds::default(), |all, file| all.and(file.names));
        for file in files.iter().filter(|file| !file.was_read) {
            diagnostics.extend(self.known_warnings(file)?);
        }
        diagnostics.extend(self.check_between(&mut files)?);
        diagnostic::arrange(&mut diagnostics);
        let removed = self.removed(&files);
        let is_known = self.is_known(&walk)
            && files.len() == self.tree.files()
            && files.iter().all(|file| self.holds_what_it_held(file));
        let stamp = self.stamp.get().copied().flatten();
        let (digest, count) = (digest(&files), files.len());
        let read = files.iter().filter(|file| !self.is_vouched_for(file)).count();
        let effort = read + walk.listed() / LISTED_FOR_ONE_READ / self.entries_a_file();
        let root = Some(Arc::clone(&self.root));
        let meaning = self.options.meaning.clone();
        Ok(Loaded {
            root,
            files,
            count,
            diagnostics,
            digest,
            removed,
            is_known,
            effort,
            left_out,
            names,
            faulty_names,
            meaning,
            walk,
            stamp,
        })
    }

    /// Answers from the index alone where every directory and file is as it knows.
    fn unchanged(&self, walk: &Walk) -> Result<Option<Loaded>, Failure> {
        let Some(index) = self.index.filter(|_| !self.options.lists_all) else { return Ok(None) };
        let count = walk.directories.iter().map(|directory| directory.files.len()).sum::<usize>();
        if count != self.tree.files() || !self.is_known(walk) {
            return Ok(None);
        }
        let mut diagnostics = walk.diagnostics.clone();
        let mut names = NameKinds::default();
        for directory in &walk.directories {
            for file in &directory.files {
                let record = self.tree.file(file.record.expect("all are known"));
                if record.flags.has(Flags::WATCHED) || self.means_otherwise(&record) {
                    return Ok(None);
                }
                names = names.and(record.flags.names());
                if record.flags.has(Flags::WARNS) {
                    let path = self.root.named().join(&directory.below).join(file.name(self.tree));
                    let Contents { warnings, .. } = index.contents(&record)?;
                    diagnostics.extend(stored::from_bytes(&warnings, &path).ok_or(Damaged)?);
                }
            }
        }
        diagnostic::arrange(&mut diagnostics);
        let digest = index.digest();
        let (files, removed, stamp) = (Vec::new(), Vec::new(), None);
        let (root, walk) = (Some(Arc::clone(&self.root)), Walk::default());
        Ok(Some(Loaded {
            root,
            files,
            count,
            diagnostics,
            digest,
            removed,
            is_known: true,
            effort: 0,
            left_out: 0,
            names,
            faulty_names: NameKinds::default(),
            meaning: self.options.meaning.clone(),
            walk,
            stamp,
        }))
    }

    /// Reports whether what was found looks exactly as the index has it.
    fn is_known(&self, walk: &Walk) -> bool {
        let is_known = |file: &walk::File| {
            let record = file.record.map(|record| self.tree.file(record));
            record.zip(file.identity).is_some_and(|(record, identity)| record.stands(&identity))
        };
        walk.diagnostics.iter().all(|found| found.severity == Severity::Warning)
            && walk.directories.len() == self.tree.directories().len()
            && walk.directories.iter().all(|directory| {
                let path = directory.below.as_os_str().as_encoded_bytes();
                let record = self.tree.directory(path);
                let same = |record: &crate::index::DirectoryRecord| {
                    record.identity == directory.identity && !record.flags.has(Flags::RACY)
                };
                record.is_some_and(same) && directory.files.iter().all(is_known)
            })
    }

    /// Returns about how many entries a file holds, one at least: what reading one takes grows with them.
    fn entries_a_file(&self) -> usize {
        let entries = self.index.map_or(0, Index::contacts);
        usize::try_from(entries).unwrap_or(usize::MAX).checked_div(self.tree.files()).unwrap_or_default().max(1)
    }

    fn is_vouched_for(&self, file: &SourceFile) -> bool {
        let record = file.record.map(|record| self.tree.file(record));
        !file.was_read && record.zip(file.identity).is_some_and(|(record, identity)| record.stands(&identity))
    }

    /// Reports whether a file uses names that mean something else now.
    fn means_otherwise(&self, record: &FileRecord) -> bool {
        self.means_otherwise && record.flags.names().any()
    }

    fn holds_what_it_held(&self, file: &SourceFile) -> bool {
        !file.means_otherwise && file.record.is_some_and(|record| self.tree.file(record).digest == file.digest)
    }

    fn file(&self, walk: &Walk, place: (usize, usize)) -> SourceFile {
        let directory = &walk.directories[place.0];
        let found = &directory.files[place.1];
        let record = found.record.map(|record| self.tree.file(record));
        SourceFile {
            below: directory.below.join(found.name(self.tree)),
            digest: [0; 32],
            record: found.record,
            was_read: false,
            count: 0,
            sheet: Sheet::default(),
            named: Named::NONE,
            entries: RwLock::default(),
            names: record.as_ref().map(|record| record.flags.names()).unwrap_or_default(),
            means_otherwise: record.is_some_and(|record| self.means_otherwise(&record)),
            identity: found.identity,
            marks: Vec::new(),
            warnings: Vec::new(),
            is_watched: false,
            place,
        }
    }

    /// Reads one file unless the index vouches for it; returns what is wrong with it where it was read, and with which
    /// kinds of names.
    fn read(&self, file: &mut SourceFile) -> (Vec<Diagnostic>, NameKinds) {
        let nothing = (Vec::new(), NameKinds::default());
        let record = file.record.map(|record| self.tree.file(record));
        let vouched = record.filter(|record| !record.flags.has(Flags::WATCHED) && !file.means_otherwise);
        if let Some((record, identity)) = vouched.zip(file.identity)
            && record.stands(&identity)
        {
            file.digest = record.digest;
            return nothing;
        }
        let path = self.root.named().join(&file.below);
        match read::below(&self.root, &file.below) {
            Ok(bytes) => {
                file.digest = *blake3::hash(&bytes).as_bytes();
                if vouched.is_some_and(|record| record.digest == file.digest) {
                    return nothing;
                }
                let mut taking = Taking::new(bytes.len() as u64, &self.kept, self.options);
                let (diagnostics, names) = parse(&path, bytes, self.options.meaning, &mut |whole| taking.take(whole));
                taking.finish(file, &diagnostics, names.used);
                (diagnostics, names.faulty)
            }
            Err(diagnostic) => {
                file.digest = *blake3::hash(b"").as_bytes();
                file.was_read = true;
                file.entries = RwLock::new(Some(Vec::new()));
                (vec![*diagnostic], NameKinds::default())
            }
        }
    }

    fn known_warnings(&self, file: &SourceFile) -> Result<Vec<Diagnostic>, Failure> {
        let Some((index, record)) = self.index.zip(file.record) else { return Ok(Vec::new()) };
        let record = self.tree.file(record);
        if !record.flags.has(Flags::WARNS) {
            return Ok(Vec::new());
        }
        let Contents { warnings, .. } = index.contents(&record)?;
        Ok(stored::from_bytes(&warnings, &self.root.named().join(&file.below)).ok_or(Damaged)?)
    }

    /// Reports what is wrong between entries, at least one of which stands in a file that was read.
    ///
    /// Those that were not read are at odds with none of their own, or they would be watched.
    fn check_between(&self, files: &mut [SourceFile]) -> Result<Vec<Diagnostic>, Failure> {
        let mut all: Vec<Mark> = files.iter().flat_map(|file| file.marks.iter().copied()).collect();
        all.par_sort_unstable();
        let mut elsewhere = Vec::new();
        if let Some(index) = self.index {
            let mut asked = all.clone();
            asked.dedup_by_key(|mark| mark.plain());
            let mut by_record = vec![None; self.tree.files()];
            for (number, file) in files.iter().enumerate().filter(|(_, file)| !file.was_read) {
                by_record[file.record.expect("what was not read has a record") as usize] = Some(number);
            }
            if by_record.iter().any(Option::is_some) {
                let sharing = index.sharing(&asked)?.into_iter();
                elsewhere.extend(sharing.filter_map(|(mark, record)| Some((mark, by_record[record as usize]?))));
            }
        }
        if !elsewhere.is_empty() {
            all.extend(elsewhere.iter().map(|(mark, _)| *mark));
            all.sort_unstable();
        }
        let shared = shared(all);
        if shared.is_empty() {
            return Ok(Vec::new());
        }
        let is_shared = |mark: &Mark| shared.binary_search(&mark.plain()).is_ok();
        for (_, number) in elsewhere.iter().filter(|(mark, _)| is_shared(mark)) {
            let file = &mut files[*number];
            if !file.was_read {
                let bytes = file.identity.map_or(0, |identity| identity.size);
                let mut taking = Taking::new(bytes, &self.kept, self.options);
                let mut take = |whole: Whole<'_>| taking.take(whole);
                let (diagnostics, names) = read_unchanged(&self.root, file, self.options.meaning, &mut take)?;
                taking.finish(file, &diagnostics, names.used);
            }
        }
        let mut entries = BTreeMap::new();
        let mut repeated = Repeated::new();
        for file in files.iter_mut().filter(|file| file.marks.iter().any(is_shared)) {
            file.is_watched = true;
            let is_asked = |entry: &Entry| marks(entry).any(|mark| is_shared(&mark));
            if let Some(kept) = &*file.kept() {
                for entry in kept.iter().map(PackedEntry::unpack).filter(is_asked) {
                    add(&mut entries, entry, &mut repeated);
                }
            } else {
                let mut take = |whole: Whole<'_>| {
                    if marks(&whole).any(|mark| is_shared(&mark)) {
                        add(&mut entries, whole.into_entry(), &mut repeated);
                    }
                };
                read_unchanged(&self.root, file, self.options.meaning, &mut take)?;
            }
        }
        Ok(across::check(&entries, &repeated, &self.root))
    }

    /// Lists the files that the index knows and that are no longer there.
    fn removed(&self, files: &[SourceFile]) -> Vec<u32> {
        let mut gone = vec![true; self.tree.files()];
        files.iter().filter_map(|file| file.record).for_each(|record| gone[record as usize] = false);
        (0..).zip(gone).filter_map(|(number, gone)| gone.then_some(number)).collect()
    }
}

/// How many names are listed in about the time that a file of one entry is read in.
const LISTED_FOR_ONE_READ: usize = 16;

/// From this many files on, threads take several at a time.
const MANY_FILES: usize = 10_000;

/// Takes the bytes of one file apart into entries, and says what is wrong.
fn parse(path: &Path, bytes: Vec<u8>, meaning: &Meaning, take: Take<'_>) -> (Vec<Diagnostic>, NamesSeen) {
    match read::text(path, bytes) {
        Ok(text) => read_text(path, text, meaning, take),
        Err(diagnostic) => (vec![*diagnostic], NamesSeen::default()),
    }
}

fn add(entries: &mut BTreeMap<ContactKey, Entry>, entry: Entry, repeated: &mut Repeated) {
    match entries.entry(entry.key().clone()) {
        btree_map::Entry::Vacant(place) => {
            place.insert(entry);
        }
        btree_map::Entry::Occupied(first) => {
            let paths = [Arc::clone(&first.get().place.path), entry.place.path];
            repeated.entry(entry.place.key).or_default().extend(paths);
        }
    }
}
