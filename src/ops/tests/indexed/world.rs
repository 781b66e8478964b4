//! A directory, its state and its index, which steps change and which are planned with and without the index.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::super::super::{
    Clock, Desired, LoadError, Loader, Reading, Session, SessionOptions, Want, plan, read, renew_index,
};
use super::rows::{KEYS, binding, conflict, intent, key, tombstone};
use super::steps::{FILES, Step, TEXTS};
use crate::beneath::Bounds;
use crate::model::{ContactKey, IntentId, Timestamp};
use crate::plan::Policy;
use crate::quota::Rules;
use crate::state::{Change, Snapshot, Wanted};
use crate::store::{self, Broken, Moment};

pub(super) struct World {
    pub(super) home: tempfile::TempDir,
    /// What counts as the file system's time; far ahead, so that no file is taken for one just written.
    pub(super) stamp: Option<i64>,
    pub(super) room: usize,
    pub(super) runtime: tokio::runtime::Runtime,
}

impl World {
    pub(super) fn new(stamp: Option<i64>, room: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = Self { home: tempfile::tempdir().unwrap(), stamp, room, runtime };
        fs::create_dir(world.dir()).unwrap();
        world
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.home.path().join("contacts.d")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Lets links lead to where [`Step::LinkDirectory`] and [`Step::LinkFile`] have them end.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds { root_within: None, follow_within: vec![self.home.path().join("elsewhere")] }
    }

    pub(super) fn loader(&self) -> Loader {
        Loader::new(&self.dir(), &self.state().into()).with(self.room, self.stamp).bounded(&self.bounds())
    }

    pub(super) fn plain(&self) -> Loader {
        Loader::plain(&self.dir()).bounded(&self.bounds())
    }

    /// Edits once the file system's clock has moved on, where files are not taken for ones just written.
    pub(super) fn edit(&self, path: &Path, edit: impl Fn(&Path)) {
        let now = || {
            let path = self.home.path().join("clock");
            fs::write(&path, "").unwrap();
            let clock = fs::metadata(&path).unwrap();
            (clock.ctime(), clock.ctime_nsec())
        };
        let before = now();
        while self.stamp.is_some() && now() == before {}
        edit(path);
    }

    pub(super) fn step(&self, step: &Step) {
        let path = |file: usize| self.dir().join(FILES[file]);
        match step {
            Step::Write { file, text } => self.write(&path(*file), TEXTS[*text]),
            Step::Sneak { file, text } => {
                let path = path(*file);
                let Ok(before) = fs::metadata(&path) else { return };
                let times = fs::FileTimes::new().set_modified(before.modified().unwrap());
                self.edit(&path, |path| {
                    fs::write(path, padded(TEXTS[*text])).unwrap();
                    fs::File::options().write(true).open(path).unwrap().set_times(times).unwrap();
                });
            }
            Step::Remove { file } => self.edit(&path(*file), |path| drop(fs::remove_file(path))),
            Step::Rename { from, to } => {
                let (from, to) = (path(*from), path(*to));
                let Ok(text) = fs::read_to_string(&from) else { return };
                self.edit(&from, |from| drop(fs::remove_file(from)));
                self.write(&to, text.trim_end_matches(['#', '\n']));
            }
            Step::LinkDirectory => {
                let link = self.dir().join("link");
                if fs::remove_file(&link).is_err() {
                    self.edit(&link, |link| {
                        let _ = fs::remove_file(link);
                        symlink("../elsewhere", link).unwrap();
                    });
                    let elsewhere = self.home.path().join("elsewhere/g.yaml");
                    self.write(&elsewhere, "contacts: {joy: {email: joy@example.com}}");
                }
            }
            Step::LinkFile { file } => {
                let path = path(*file);
                self.write(&self.home.path().join("elsewhere/h.txt"), "contacts: {kit: {email: kit@example.com}}");
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let target = self.home.path().join("elsewhere/h.txt");
                self.edit(&path, |path| {
                    let _ = fs::remove_file(path);
                    symlink(&target, path).unwrap();
                });
            }
            Step::Plan => {
                if let Some((desired, Some(reading))) = self.check() {
                    renew_index(&self.state().into(), &desired, &reading);
                }
            }
            Step::Apply { every, renews } => self.apply(*every, *renews),
            Step::Broken { every, commit, moment, is_lost } => self.apply_broken(*every, *commit, *moment, *is_lost),
            Step::Row { row, key } => self.row(*row, *key, false),
            Step::Torn { row, key } => self.row(*row, *key, true),
            Step::MarkAlone => {
                if self.state().exists() {
                    fs::write(self.state().join("index.behind"), "another").unwrap();
                }
            }
            Step::Flip { at, by } => {
                let index = self.state().join("index");
                if let Ok(mut bytes) = fs::read(&index) {
                    let at = at.index(bytes.len());
                    bytes[at] ^= by;
                    fs::write(&index, bytes).unwrap();
                }
            }
            Step::Cut { at } => {
                let index = self.state().join("index");
                if let Ok(mut bytes) = fs::read(&index) {
                    bytes.truncate(at.index(bytes.len()));
                    fs::write(&index, bytes).unwrap();
                }
            }
            Step::Delete => drop(fs::remove_file(self.state().join("index"))),
        }
    }

    pub(super) fn write(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.edit(path, |path| fs::write(path, padded(text)).unwrap());
    }

    /// Plans with and without the index and compares everything that comes of it.
    pub(super) fn check(&self) -> Option<(Desired, Option<Reading>)> {
        let plain = self.plain().load();
        let indexed = self.loader().load();
        let (plain, indexed) = match (plain, indexed) {
            (Ok(plain), Ok(indexed)) => (plain, indexed),
            (
                Err(LoadError::Invalid { diagnostics: one, files: few, .. }),
                Err(LoadError::Invalid { diagnostics, files, .. }),
            ) => {
                assert_eq!((diagnostics, files), (one, few));
                return None;
            }
            (plain, indexed) => panic!("without an index {plain:?}\nwith one {indexed:?}"),
        };
        assert_eq!(
            (indexed.digest, indexed.contacts(), indexed.files()),
            (plain.digest, plain.contacts(), plain.files())
        );
        assert_eq!(indexed.warnings, plain.warnings);
        let whole = store::read(&self.state().into(), &wanted(&plain)).unwrap();
        let state = self.state().into();
        let reading = self.runtime.block_on(read(&state, Want::Plan(&indexed), Duration::ZERO)).unwrap();
        let planned = |desired: &Desired, snapshot: &Snapshot| {
            let planned = plan(desired, snapshot, &Policy::default(), &Rules::default(), Timestamp(7)).unwrap();
            format!("{:#?}\n{:?}", planned.plan, planned.digest)
        };
        let everything = whole.unwrap_or_else(|| {
            let is_declared = |key: &ContactKey| plain.entry(key).unwrap().is_some();
            let unbound = KEYS.iter().map(|name| key(name)).filter(is_declared).collect();
            Snapshot { unbound, ..Snapshot::empty("sandbox") }
        });
        let none = || Reading::without_state(Want::Plan(&indexed), "sandbox").unwrap().snapshot;
        let of = reading.clone().map_or_else(none, |reading| reading.snapshot);
        assert_eq!(planned(&indexed, &of), planned(&plain, &everything));
        assert_eq!(of.origin, "sandbox");
        Some((indexed, reading))
    }

    /// Does to the state what an apply would.
    pub(super) fn apply(&self, every: usize, renews: bool) {
        let Some((desired, _)) = self.check() else { return };
        let session = self.session();
        let snapshot = self.runtime.block_on(session.snapshot(&desired)).unwrap();
        let whole = self.plain().load().unwrap();
        let of_session = plan(&desired, &snapshot, &Policy::default(), &Rules::default(), Timestamp(7)).unwrap();
        let everything = self.runtime.block_on(session.store().snapshot(&wanted(&whole))).unwrap();
        let of_all = plan(&whole, &everything, &Policy::default(), &Rules::default(), Timestamp(7)).unwrap();
        assert_eq!(of_session.plan, of_all.plan);
        for change in changes(&whole, &everything, every) {
            self.runtime.block_on(session.store().commit(vec![change])).unwrap();
        }
        if renews {
            self.runtime.block_on(session.renew_index(&desired, &snapshot));
        }
        self.runtime.block_on(session.close()).unwrap();
    }

    /// Applies until a commit fails, renews the index as an apply does at its end, and makes one more pass.
    pub(super) fn apply_broken(&self, every: usize, commit: u64, moment: Moment, is_lost: bool) {
        let Some((desired, _)) = self.check() else { return };
        let session = self.session();
        let snapshot = self.runtime.block_on(session.snapshot(&desired)).unwrap();
        let whole = self.plain().load().unwrap();
        let everything = self.runtime.block_on(session.store().snapshot(&wanted(&whole))).unwrap();
        let broken = Arc::new(Broken::default());
        broken.at(commit, moment);
        session.store().break_at(Arc::clone(&broken));
        let (sled, kept) = (self.state().join("sled"), self.home.path().join("kept"));
        for change in changes(&whole, &everything, every) {
            copy(&sled, &kept);
            if self.runtime.block_on(session.store().commit(vec![change])).is_err() {
                break;
            }
        }
        self.runtime.block_on(session.renew_index(&desired, &snapshot));
        let again =
            Loader::within(&session, &self.dir()).with(self.room, self.stamp).bounded(&self.bounds()).load().unwrap();
        let planned = |desired: &Desired, snapshot: &Snapshot| {
            plan(desired, snapshot, &Policy::default(), &Rules::default(), Timestamp(7)).unwrap().plan
        };
        let of = self.runtime.block_on(session.snapshot(&again));
        match (of, self.runtime.block_on(session.store().snapshot(&wanted(&whole)))) {
            (Ok(of), Ok(everything)) => {
                assert_eq!(planned(&again, &of), planned(&whole, &everything));
                self.runtime.block_on(session.renew_index_if_behind(&again, &of));
            }
            (Err(_), Err(_)) => {}
            (of, everything) => panic!("with an index {of:?}\nwithout one {everything:?}"),
        }
        let has_struck = broken.has_struck();
        // Closing passes a last barrier, at which nothing is left to be lost.
        assert_eq!(self.runtime.block_on(session.close()).is_err(), broken.has_struck());
        // sled's log as the disk has it; with its head on disk, nothing of a commit is lost.
        if has_struck && (moment == Moment::AmidBatch || is_lost && moment != Moment::AfterHead) {
            copy(&kept, &sled);
        }
        // Whoever reads everything vouches for sled's log.
        self.check();
    }

    pub(super) fn row(&self, row: usize, number: usize, is_torn: bool) {
        let key = key(KEYS[number]);
        let change = match row {
            0 => Change::PutBinding { key: key.clone(), binding: Box::new(binding(&key, None)) },
            1 => Change::RemoveBinding { key },
            2 => Change::PutIntent { id: IntentId(number as u64), intent: Box::new(intent(&key)) },
            3 => Change::DropIntent { id: IntentId(number as u64) },
            4 => Change::PutConflict(conflict(&key)),
            _ => Change::DropConflict { key },
        };
        let session = self.session();
        if is_torn {
            let broken = Arc::new(Broken::default());
            broken.at(1, Moment::AfterBarrier);
            session.store().break_at(broken);
        }
        let committed = self.runtime.block_on(session.store().commit(vec![change]));
        assert_eq!(committed.is_err(), is_torn);
        // A store that failed says so again here.
        let _ = self.runtime.block_on(session.close());
    }

    pub(super) fn session(&self) -> Session {
        let options = SessionOptions::bare(self.state().into(), Clock::system());
        self.runtime.block_on(Session::open(options)).unwrap()
    }
}

/// Binds what is declared and forgets what is gone, every so many.
pub(super) fn changes(whole: &Desired, state: &Snapshot, every: usize) -> Vec<Change> {
    let keys: Vec<&ContactKey> = state.bindings.keys().chain(&state.unbound).collect();
    let changes = keys.into_iter().step_by(every).flat_map(|key| match whole.entry(key).unwrap() {
        Some(entry) => vec![
            Change::PutBinding { key: key.clone(), binding: Box::new(binding(key, Some(entry.fingerprint()))) },
            Change::DropTombstone { key: key.clone() },
        ],
        None => vec![Change::Forget { key: key.clone(), tombstone: tombstone(key) }],
    });
    changes.collect()
}

/// Replaces a directory by a copy of another.
pub(super) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub(super) fn wanted(desired: &Desired) -> Wanted {
    desired.everyone().unwrap().wanted()
}

pub(super) fn padded(text: &str) -> String {
    format!("{text}\n{}\n", "#".repeat(200 - text.len()))
}
