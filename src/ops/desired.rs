//! What valid contact files declare: all keys in short, and full entries for the keys that are asked for.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::index::{Contents, Damaged, Flags, Index, StateNote};
use crate::model::{ContactKey, Entry, Fingerprint, NameKinds, Named, Names, PackedEntry, Roster, Sheet};
use crate::source::{self, Diagnostic, Loaded, Meaning, SourceFile};
use crate::state::{Part, Wanted};

use super::{Problem, ProblemKind, chain};

/// The contents of a valid directory.
///
/// Not all entries are in memory: a million would take a gigabyte, and a plan looks at those that differ. Where an
/// index vouches for files and state, only those who may differ are known, until everyone is asked for.
///
/// Clones share what they look up.
#[derive(Debug, Default, Clone)]
pub struct Desired {
    pub warnings: Vec<Diagnostic>,
    /// Hash over all files; part of a plan's digest.
    pub digest: [u8; 32],
    contacts: usize,
    files: usize,
    /// Files that were left out because they are being written.
    left_out: usize,
    /// The kinds of names that the files use.
    names_used: NameKinds,
    /// What names are taken for.
    meaning: Meaning,
    dir: PathBuf,
    pub(super) index: Option<Arc<Index>>,
    /// Who may differ, where an index vouches for the rest.
    open: Option<Arc<Open>>,
    everyone: Arc<OnceLock<Declared>>,
}

/// Who may differ, where an index vouches for the rest.
#[derive(Debug)]
pub(super) struct Open {
    /// How the state stood when the index was written.
    pub(super) note: StateNote,
    pub(super) part: Part,
    pub(super) declared: Declared,
}

/// Who is declared, with the files that they stand in.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// Each sheet is that of the file with its number.
    pub(super) roster: Arc<Roster>,
    /// The contacts that entries name.
    pub(super) named: Arc<Named>,
    pub(super) loaded: Arc<Loaded>,
}

/// Why there is nothing to plan from.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the contact files cannot be read")]
    Unreadable(#[source] source::Error),
    /// At least one diagnostic is an error; warnings are among them.
    ///
    /// `names` are the kinds of names of which one, or a value by what is known of its field, is not good: Apollo may
    /// know better by now.
    #[error("the contact files hold mistakes")]
    Invalid { diagnostics: Vec<Diagnostic>, files: usize, names: NameKinds },
}

impl From<LoadError> for Box<Problem> {
    fn from(error: LoadError) -> Self {
        ProblemKind::FilesUnusable(chain(&error)).into()
    }
}

impl Desired {
    /// Takes over a valid load; `is_trusted`, whether the state stands as the index noted it.
    pub(super) fn new(
        dir: PathBuf,
        mut loaded: Loaded,
        index: Option<Arc<Index>>,
        is_trusted: bool,
    ) -> Result<Self, Damaged> {
        let warnings = std::mem::take(&mut loaded.diagnostics);
        let (digest, files, left_out) = (loaded.digest, loaded.count, loaded.left_out);
        let (names_used, meaning) = (loaded.names, loaded.meaning.clone());
        let read = Self { warnings, digest, files, left_out, names_used, meaning, dir, index, ..Self::default() };
        let mut desired = read;
        if let Some(index) = desired.index.clone().filter(|_| is_trusted) {
            let open = open(loaded, &index)?;
            desired.contacts = open.part.unchanged + open.part.looked_up(&open.declared.roster).count();
            desired.open = Some(Arc::new(open));
        } else {
            let everyone = Declared::everyone(loaded, desired.index.as_deref())?;
            desired.contacts = everyone.roster.len();
            desired.everyone = Arc::new(OnceLock::from(everyone));
        }
        Ok(desired)
    }

    /// Declares keys that have no files behind them.
    #[cfg(test)]
    pub(super) fn made_up(roster: Roster, named: Named) -> Self {
        let contacts = roster.len();
        let everyone = Declared { roster: Arc::new(roster), named: Arc::new(named), ..Declared::default() };
        Self { contacts, everyone: Arc::new(OnceLock::from(everyone)), ..Self::default() }
    }

    /// Returns how many contacts are declared.
    pub fn contacts(&self) -> usize {
        self.contacts
    }

    /// Returns the kinds of names that the files use.
    pub fn names_used(&self) -> NameKinds {
        self.names_used
    }

    /// Returns what the names in the files were taken for; `None` where they stand for themselves.
    pub fn names(&self) -> Option<&Arc<Names>> {
        match &self.meaning {
            Meaning::AsWritten => None,
            Meaning::Known(names) => Some(names),
        }
    }

    /// Reports whether the index, if there is one, holds what names were taken for, and since when.
    pub(super) fn names_are_indexed(&self) -> bool {
        let indexed = self.index.as_deref().and_then(Index::names);
        !self.names_used.any() || indexed == self.names()
    }

    /// Lists the keys of all declared contacts, in no order.
    pub fn keys(&self) -> Result<Vec<ContactKey>, LoadError> {
        Ok(self.everyone()?.roster.keys())
    }

    /// Returns how many files there are.
    pub fn files(&self) -> usize {
        self.files
    }

    /// Reports whether files were left out: who is not declared here may be declared there.
    pub(super) fn is_partial(&self) -> bool {
        self.left_out > 0
    }

    /// Returns what the index leaves open; `None` where there is nothing that vouches for the rest.
    pub(super) fn part(&self) -> Option<&Open> {
        self.open.as_deref().filter(|_| self.everyone.get().is_none())
    }

    /// Reports whether there are files behind it.
    pub(super) fn was_loaded(&self) -> bool {
        self.open.is_some() || self.contacts > 0 || self.files > 0
    }

    /// Returns everyone who is declared, looked up if need be.
    pub(super) fn everyone(&self) -> Result<&Declared, LoadError> {
        if let Some(everyone) = self.everyone.get() {
            return Ok(everyone);
        }
        let everyone = self.find_everyone()?;
        Ok(self.everyone.get_or_init(|| everyone))
    }

    /// Says what a snapshot has to show by which everyone is compared with the account.
    pub(super) fn wanted_of_everyone(&self) -> Result<Wanted, LoadError> {
        let Declared { named, .. } = self.everyone()?;
        Ok(Wanted::new(Roster::default(), Arc::clone(named)).with_account(true).packed(true))
    }

    /// Returns those who are known without looking anyone up.
    pub(super) fn known(&self) -> &Declared {
        static NOBODY: OnceLock<Declared> = OnceLock::new();
        let open = || self.open.as_deref().map(|open| &open.declared);
        self.everyone.get().or_else(open).unwrap_or_else(|| NOBODY.get_or_init(Declared::default))
    }

    fn find_everyone(&self) -> Result<Declared, LoadError> {
        let Some(Open { declared: open, .. }) = self.open.as_deref() else { return Ok(Declared::default()) };
        let index = self.index.as_deref().expect("an index vouches");
        if (!open.loaded.files.is_empty() || self.files == 0)
            && let Ok(everyone) = open.complete(index)
        {
            return Ok(everyone);
        }
        // All files were as the index had them, or it is damaged since: they are read once more.
        for index in [Some(index), None] {
            let options = source::Options { index, meaning: &self.meaning, ..source::Options::plain() };
            let root = open.loaded.root.as_ref().expect("what was loaded was loaded from a directory");
            let (loaded, is_sound) = source::load_from(root, &options).map_err(LoadError::Unreadable)?;
            if loaded.digest != self.digest {
                return Err(LoadError::Unreadable(source::Error::ChangedMeanwhile { path: self.dir.clone() }));
            }
            if let Ok(everyone) = Declared::everyone(loaded, index.filter(|_| is_sound)) {
                return Ok(everyone);
            }
        }
        unreachable!("without an index none is damaged")
    }

    /// Forgets the entries that were kept, which a plan holds as well as far as it needs them.
    pub(super) fn forget_entries(&self) {
        self.known().loaded.forget_entries();
    }

    /// Returns the fingerprint of a key, whoever it is.
    pub(super) fn fingerprint(&self, key: &ContactKey) -> Result<Option<Fingerprint>, LoadError> {
        if let Some(known) = self.known().roster.fingerprint(key) {
            return Ok(Some(known));
        }
        Ok(self.everyone()?.roster.fingerprint(key))
    }

    /// Returns the entry of a key, from its file if need be; `None` when it is not declared.
    pub fn entry(&self, key: &ContactKey) -> Result<Option<Entry>, LoadError> {
        self.everyone()?;
        Ok(self.entries([key])?.remove(key))
    }

    /// Returns the entries of those `keys` that are declared; where an index vouches for some, of the others.
    pub(super) fn entries<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a ContactKey>,
    ) -> Result<BTreeMap<ContactKey, Entry>, LoadError> {
        Ok(self.entries_at_rest(keys)?.into_iter().map(|(key, entry)| (key, entry.unpack())).collect())
    }

    /// The same, at rest.
    ///
    /// Those that were not kept are read from their files again, which must be as they were.
    pub(super) fn entries_at_rest<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a ContactKey>,
    ) -> Result<BTreeMap<ContactKey, PackedEntry>, LoadError> {
        let Declared { roster, loaded, .. } = self.known();
        let mut wanted: BTreeMap<usize, BTreeMap<usize, &ContactKey>> = BTreeMap::new();
        for (key, found) in keys.into_iter().filter_map(|key| Some((key, roster.find(key.as_str())?))) {
            wanted.entry(found.sheet).or_default().insert(found.at, key);
        }
        let mut entries = BTreeMap::new();
        let mut absent: Vec<(usize, &SourceFile)> = Vec::new();
        for (&number, places) in &wanted {
            let file = &loaded.files[number];
            match &*file.kept() {
                Some(kept) => entries.extend(pick(&roster.sheets()[number], places, kept)),
                None => absent.push((number, file)),
            }
        }
        // A few at a time: of a large file, perhaps one entry is wanted.
        for some in absent.chunks(READ_AT_A_TIME) {
            for (number, read) in loaded.read_again(some).map_err(LoadError::Unreadable)? {
                entries.extend(pick(&roster.sheets()[number], &wanted[&number], &read));
            }
        }
        Ok(entries)
    }
}

impl Declared {
    /// Says what a snapshot for these has to show.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted::new(Arc::clone(&self.roster), Arc::clone(&self.named))
    }

    /// Puts together who is declared; what was not read is looked up in the index.
    fn everyone(mut loaded: Loaded, index: Option<&Index>) -> Result<Self, Damaged> {
        if let Some(index) = index {
            loaded.complete(index)?;
        }
        let named = Arc::new(Named::join(loaded.files.iter().map(|file| &file.named)));
        let sheets = loaded.files.iter().map(|file| file.sheet.clone()).collect();
        Ok(Self { roster: Arc::new(Roster::of(sheets)), named, loaded: Arc::new(loaded) })
    }

    /// Adds those whom the index vouches for.
    fn complete(&self, index: &Index) -> Result<Self, Damaged> {
        let contents = |file: &SourceFile| match file.record {
            Some(record) if !file.was_read => {
                let Contents { sheet, named, .. } = index.contents(&index.tree().file(record))?;
                Ok((sheet, named))
            }
            _ => Ok((file.sheet.clone(), file.named.clone())),
        };
        let all = self.loaded.files.iter().map(contents).collect::<Result<Vec<_>, Damaged>>()?;
        let (sheets, named): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let named = Arc::new(Named::join(&named));
        Ok(Self { roster: Arc::new(Roster::of(sheets)), named, loaded: Arc::clone(&self.loaded) })
    }
}

/// Sorts out what an index leaves open: entries that differ from it or of files that did not stand applied, the keys
/// that those files had, and keys that no file had.
fn open(loaded: Loaded, index: &Index) -> Result<Open, Damaged> {
    let note = index.state().expect("an index is trusted for its note").clone();
    let mut keys = note.orphans.clone();
    let mut bound = note.orphans.clone();
    let mut unchanged = 0;
    let mut stood: HashMap<ContactKey, Fingerprint> = HashMap::new();
    let mut had = |number: u32| -> Result<(Sheet, Named), Damaged> {
        let record = index.tree().file(number);
        let Contents { sheet, named, .. } = index.contents(&record)?;
        for (_, key, fingerprint) in sheet.lines() {
            let key = ContactKey::parse(key).map_err(|_| Damaged)?;
            if record.flags.has(Flags::APPLIED) {
                bound.push(key.clone());
                stood.insert(key.clone(), fingerprint);
            }
            keys.push(key);
        }
        Ok((sheet, named))
    };
    let mut sheets = Vec::new();
    let mut named = Vec::new();
    for file in &loaded.files {
        let record = file.record.map(|number| (number, index.tree().file(number)));
        let (open, ids) = match record {
            Some((_, record))
                if record.digest == file.digest && record.flags.has(Flags::APPLIED) && !file.means_otherwise =>
            {
                unchanged += record.entries as usize;
                (Sheet::default(), Named::default())
            }
            Some((number, _)) => {
                let had = had(number)?;
                if file.was_read { (file.sheet.clone(), file.named.clone()) } else { had }
            }
            None => (file.sheet.clone(), file.named.clone()),
        };
        sheets.push(open);
        named.push(ids);
    }
    for &number in &loaded.removed {
        had(number)?;
    }
    if loaded.files.is_empty() && loaded.is_known {
        // Not listed, since all stood applied.
        unchanged = usize::try_from(index.contacts()).map_err(|_| Damaged)?;
    }
    let roster = Roster::of(sheets);
    // Who stood applied and is declared as ever stands, wherever the file changed.
    let is_declared = |key: &ContactKey, fingerprint: &Fingerprint| roster.fingerprint(key) == Some(*fingerprint);
    stood.retain(|key, fingerprint| is_declared(key, fingerprint));
    unchanged += stood.len();
    keys.extend((0..roster.len()).map(|number| roster.key(number)));
    keys.retain(|key| !stood.contains_key(key));
    keys.sort_unstable();
    keys.dedup();
    bound.sort_unstable();
    let named = Arc::new(Named::join(&named));
    let declared = Declared { roster: Arc::new(roster), named, loaded: Arc::new(loaded) };
    Ok(Open { note, part: Part { keys, bound, unchanged }, declared })
}

/// How many files are read again before their entries are sifted.
const READ_AT_A_TIME: usize = 64;

/// Picks the entries of one file by their places in its sheet.
fn pick<'e>(
    sheet: &'e Sheet,
    places: &'e BTreeMap<usize, &'e ContactKey>,
    entries: &'e [PackedEntry],
) -> impl Iterator<Item = (ContactKey, PackedEntry)> {
    let lines = sheet.lines().zip(entries);
    lines.filter_map(|((at, ..), entry)| Some(((*places.get(&at)?).clone(), entry.clone())))
}
