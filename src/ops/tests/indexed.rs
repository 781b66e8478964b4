//! An index changes no result: any sequence of edits, writes, crashes and damage, planned with it and without.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::super::{
    Clock, Desired, Entropy, LoadError, Loader, ReadError, Reading, Session, SessionOptions, Waiting, Want, plan, read,
    renew_index,
};
use crate::beneath::Bounds;
use crate::model::{
    ApolloId, Binding, Conflict, ConflictCause, ContactKey, Endpoint, Entry, Fields, Fingerprint, IdentityHash,
    IdentityKey, Intent, IntentId, Origin, RunId, Timestamp, Tombstone,
};
use crate::ops::desired::Open;
use crate::plan::Policy;
use crate::quota::{Backoff, Rules};
use crate::source::LOADER;
use crate::state::{self, Change, Holder, Snapshot, Wanted};
use crate::store::{self, Broken, Moment};

/// Files that edits work on; the last is below a directory that a symlink may lead to.
const FILES: [&str; 5] = ["a.yaml", "b.yaml", "d/c.yaml", "d/e.yaml", "x/f.yaml"];

/// What files hold, each of the same length once padded.
const TEXTS: [&str; 12] = [
    "contacts: {ada: {email: ada@example.com}}",
    "contacts: {ada: {email: ada@example.com, title: CTO}, bob: {email: bob@example.com}}",
    "contacts: {bob: {email: bob@example.com, title: CEO}}",
    "contacts: {cyd: {email: cyd@example.com, moved_from: bob}}",
    "contacts: {dot: {email: ADA+x@example.com}}",
    "contacts: {eve: {first_name: Eve, last_name: Ross, email: eve@gmail.com}}",
    "contacts: {fay: {first_name: eve, last_name: ROSS, email: fay@gmail.com}}",
    "contacts: {gil: {email: gil@example.com, home_phone: unlisted}}",
    "contacts: {hal: {email: hal@example.com, apollo_id: 00000000000000000000000a}}",
    "contacts: {ida: {email: ida@example.com, apollo_id: 00000000000000000000000a}}",
    "contacts: {ada: {emial: ada@example.com}}",
    "",
];

const KEYS: [&str; 11] = ["ada", "bob", "cyd", "dot", "eve", "fay", "gil", "hal", "ida", "joy", "kit"];

#[derive(Debug, Clone)]
enum Step {
    Write {
        file: usize,
        text: usize,
    },
    /// Writes in place and puts size and time of writing back.
    Sneak {
        file: usize,
        text: usize,
    },
    Remove {
        file: usize,
    },
    Rename {
        from: usize,
        to: usize,
    },
    /// Makes or removes a symlink to a directory.
    LinkDirectory,
    /// Makes a symlink to a file.
    LinkFile {
        file: usize,
    },
    /// Plans, and renews the index as `plan` does.
    Plan,
    /// Binds what is declared and forgets what is gone, all or every other key; then renews the index, or crashes.
    Apply {
        every: usize,
        renews: bool,
    },
    /// Applies as above until a commit fails; then goes on in the same session as a service might.
    Broken {
        every: usize,
        /// Which commit fails, from 1.
        commit: u64,
        moment: Moment,
        /// Whether what was written, if anything, never reached the disk.
        is_lost: bool,
    },
    /// Writes a row in a session of its own, which knows no files, and may know of the index.
    Row {
        row: usize,
        key: usize,
    },
    /// Writes a row and dies before the head says so.
    Torn {
        row: usize,
        key: usize,
    },
    /// Dies after the mark is made.
    MarkAlone,
    Flip {
        at: prop::sample::Index,
        by: u8,
    },
    Cut {
        at: prop::sample::Index,
    },
    Delete,
}

fn any_step() -> impl Strategy<Value = Step> {
    let (file, text) = (0..FILES.len(), 0..TEXTS.len());
    let at = || any::<prop::sample::Index>();
    prop_oneof![
        6 => (file.clone(), text.clone()).prop_map(|(file, text)| Step::Write { file, text }),
        3 => (file.clone(), text).prop_map(|(file, text)| Step::Sneak { file, text }),
        2 => file.clone().prop_map(|file| Step::Remove { file }),
        2 => (file.clone(), file.clone()).prop_map(|(from, to)| Step::Rename { from, to }),
        1 => Just(Step::LinkDirectory),
        1 => file.prop_map(|file| Step::LinkFile { file }),
        5 => Just(Step::Plan),
        4 => (1..3_usize, any::<bool>()).prop_map(|(every, renews)| Step::Apply { every, renews }),
        3 => (1..3_usize, 1..4_u64, any_moment(), any::<bool>())
            .prop_map(|(every, commit, moment, is_lost)| Step::Broken { every, commit, moment, is_lost }),
        2 => (0..6_usize, 0..KEYS.len()).prop_map(|(row, key)| Step::Row { row, key }),
        2 => (0..6_usize, 0..KEYS.len()).prop_map(|(row, key)| Step::Torn { row, key }),
        1 => Just(Step::MarkAlone),
        1 => (at(), 1..=255_u8).prop_map(|(at, by)| Step::Flip { at, by }),
        1 => at().prop_map(|at| Step::Cut { at }),
        1 => Just(Step::Delete),
    ]
}

fn any_moment() -> impl Strategy<Value = Moment> {
    prop_oneof![Just(Moment::BeforeBatch), Just(Moment::AmidBatch), Just(Moment::AfterBarrier), Just(Moment::AfterHead),]
}

struct World {
    home: tempfile::TempDir,
    /// What counts as the file system's time; far ahead, so that no file is taken for one just written.
    stamp: Option<i64>,
    room: usize,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(stamp: Option<i64>, room: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let world = Self { home: tempfile::tempdir().unwrap(), stamp, room, runtime };
        fs::create_dir(world.dir()).unwrap();
        world
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("contacts.d")
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// Lets links lead to where [`Step::LinkDirectory`] and [`Step::LinkFile`] have them end.
    fn bounds(&self) -> Bounds {
        Bounds { root_within: None, follow_within: vec![self.home.path().join("elsewhere")] }
    }

    fn loader(&self) -> Loader {
        Loader::new(&self.dir(), &self.state().into()).with(self.room, self.stamp).bounded(&self.bounds())
    }

    fn plain(&self) -> Loader {
        Loader::plain(&self.dir()).bounded(&self.bounds())
    }

    /// Edits once the file system's clock has moved on, where files are not taken for ones just written.
    fn edit(&self, path: &Path, edit: impl Fn(&Path)) {
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

    fn step(&self, step: &Step) {
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

    fn write(&self, path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.edit(path, |path| fs::write(path, padded(text)).unwrap());
    }

    /// Plans with and without the index and compares everything that comes of it.
    fn check(&self) -> Option<(Desired, Option<Reading>)> {
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
    fn apply(&self, every: usize, renews: bool) {
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
    fn apply_broken(&self, every: usize, commit: u64, moment: Moment, is_lost: bool) {
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

    fn row(&self, row: usize, number: usize, is_torn: bool) {
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

    fn session(&self) -> Session {
        let entropy = Entropy::draw().unwrap();
        let options = SessionOptions {
            state: self.state().into(),
            origin: "sandbox".to_owned(),
            own_dir: None,
            client: None,
            holder: Holder {
                pid: 1,
                user_host: "ada@example.com".to_owned(),
                operation: "apply".to_owned(),
                since: Timestamp(0),
                version: String::new(),
                socket: None,
            },
            lock_timeout: Duration::ZERO,
            waiting: Waiting::default(),
            runtime_directory: None,
            rules: Rules::default(),
            max_wait: None,
            parallelism: 1,
            settle_after: Duration::ZERO,
            settle_batches_after: Duration::ZERO,
            backoff: Backoff { base: Duration::ZERO, cap: Duration::ZERO },
            clock: Clock::system(),
            drawn: entropy.drawn,
            run: entropy.run,
            seed: 1,
            events: Arc::new(|_| ()),
        };
        self.runtime.block_on(Session::open(options)).unwrap()
    }
}

/// Binds what is declared and forgets what is gone, every so many.
fn changes(whole: &Desired, state: &Snapshot, every: usize) -> Vec<Change> {
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
fn copy(from: &Path, to: &Path) {
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

fn wanted(desired: &Desired) -> Wanted {
    desired.everyone().unwrap().wanted()
}

fn padded(text: &str) -> String {
    format!("{text}\n{}\n", "#".repeat(200 - text.len()))
}

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}

/// Each key has a contact of its own; that of `hal` is the one that an entry names.
fn id(key: &ContactKey) -> ApolloId {
    let number =
        KEYS.iter().position(|name| *name == key.as_str()).map_or_else(|| key.as_str().len() + 40, |at| at + 3);
    ApolloId::parse(&format!("{number:024x}")).unwrap()
}

fn binding(key: &ContactKey, fingerprint: Option<Fingerprint>) -> Binding {
    Binding {
        apollo_id: id(key),
        applied: Fields::default(),
        observed: Fields::default(),
        origin: Origin::Created,
        bound_at: Timestamp(1),
        applied_at: Timestamp(2),
        run: RunId("run-1".to_owned()),
        request_id: None,
        path: "contacts.d/people.yaml".to_owned(),
        fingerprint,
        gone_at: None,
        dropped: BTreeSet::new(),
        possible_lists: BTreeSet::new(),
        merged_into: None,
        found_lists: BTreeSet::new(),
    }
}

fn tombstone(key: &ContactKey) -> Tombstone {
    let identity = IdentityHash::of(&Fields::default(), &IdentityKey([7; 32]));
    Tombstone { apollo_id: id(key), identity, at: Timestamp(3) }
}

fn intent(key: &ContactKey) -> Intent {
    Intent {
        key: key.clone(),
        endpoint: Endpoint::UpdateContact,
        apollo_id: Some(id(key)),
        body: "{}".to_owned(),
        fields: Fields::default(),
        run_dedupe: true,
        run: RunId("run-1".to_owned()),
        first_sent_at: Timestamp(3),
        last_sent_at: Timestamp(4),
        attempts: 1,
        path: "contacts.d/people.yaml".to_owned(),
        batch: None,
        there_before: Vec::new(),
        unpaired: Vec::new(),
        refused: false,
        request_id: None,
    }
}

fn conflict(key: &ContactKey) -> Conflict {
    let cause = ConflictCause::Collision { other: self::key("ada"), other_fingerprint: None };
    Conflict {
        key: key.clone(),
        fingerprint: Fingerprint::from_bytes([1; 16]),
        apollo_id: id(key),
        cause,
        at: Timestamp(5),
    }
}

const FAR_AHEAD: i64 = i64::MAX;

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_index_changes_no_result(steps in prop::collection::vec(any_step(), 1..25), keeps in any::<bool>()) {
        let world = World::new(Some(FAR_AHEAD), if keeps { 1 << 20 } else { 0 });
        for step in steps {
            world.step(&step);
            world.check();
        }
    }

    #[test]
    fn files_just_written_are_compared_by_content(steps in prop::collection::vec(any_step(), 1..25)) {
        let world = World::new(None, 0);
        for step in steps {
            world.step(&step);
            world.check();
        }
    }
}

/// Applies a directory of three files and plans once more.
fn settled() -> World {
    let world = World::new(Some(FAR_AHEAD), 0);
    for (file, text) in [(0, 0), (2, 2), (4, 7)] {
        world.step(&Step::Write { file, text });
    }
    world.step(&Step::Apply { every: 1, renews: true });
    world
}

#[test]
fn a_plan_of_what_stands_applied_opens_no_store() {
    let world = settled();
    let lock = fs::File::open(world.state().join("lock")).unwrap();
    lock.lock().unwrap();
    let desired = world.loader().load().unwrap();
    let reading =
        world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO)).unwrap().unwrap();
    assert_eq!((reading.snapshot.unchanged, reading.snapshot.bindings.len()), (3, 0));
    assert_eq!(desired.warnings.len(), 1);
}

/// A comment was added, and a file renamed: all of their entries were looked up.
#[test]
fn a_plan_of_edits_that_change_no_entry_opens_no_store() {
    let world = settled();
    let commented = world.dir().join(FILES[0]);
    let text = format!("{}\n# as agreed\n", fs::read_to_string(&commented).unwrap());
    world.edit(&commented, |path| fs::write(path, &text).unwrap());
    world.step(&Step::Rename { from: 2, to: 3 });
    let lock = fs::File::open(world.state().join("lock")).unwrap();
    lock.lock().unwrap();
    let desired = world.loader().load().unwrap();
    assert_eq!(desired.contacts(), 3);
    let reading =
        world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO)).unwrap().unwrap();
    assert_eq!((reading.snapshot.unchanged, reading.snapshot.unbound.len()), (3, 0));
    drop(lock);
    world.check();
}

/// The index was as good as ever, so nobody looked into the store.
#[test]
fn a_store_that_was_written_by_others_is_looked_into() {
    for damage in [&b""[..], b"not sled's"] {
        let world = settled();
        let log = world.state().join("sled/db");
        let mut bytes = damage.to_vec();
        bytes.resize(fs::read(&log).unwrap().len(), 0xa5);
        world.edit(&log, |log| fs::write(log, &bytes).unwrap());
        let desired = world.loader().load().unwrap();
        let reading = || world.runtime.block_on(read(&world.state().into(), Want::Plan(&desired), Duration::ZERO));
        let copied = reading().unwrap().unwrap();
        assert!(copied.instead.is_some() && copied.snapshot.unbound.is_empty(), "{copied:?}");
        fs::remove_file(world.state().join("copy.jsonl")).unwrap();
        let alone = reading();
        assert!(matches!(alone, Err(ReadError::Store(state::Error::Unreadable { .. }))), "{alone:?}");
    }
}

#[test]
fn what_changed_alone_is_looked_up() {
    let world = settled();
    world.step(&Step::Write { file: 0, text: 1 });
    let desired = world.loader().load();
    // ada stands in two files now: bob was in the other.
    assert!(matches!(desired, Err(LoadError::Invalid { .. })));
    world.step(&Step::Remove { file: 2 });
    let desired = world.loader().load().unwrap();
    let Open { part, declared, .. } = desired.part().unwrap();
    let keys: Vec<&str> = part.keys.iter().map(ContactKey::as_str).collect();
    assert_eq!((keys, part.unchanged, declared.roster.len()), (vec!["ada", "bob"], 1, 2));
    world.check();
}

#[test]
fn an_apply_of_one_contact_leaves_the_rest_of_the_index_as_good_as_it_was() {
    let world = settled();
    world.step(&Step::Sneak { file: 0, text: 4 });
    world.step(&Step::Apply { every: 1, renews: true });
    let index = store::open_index(&world.state().into(), LOADER).unwrap();
    assert_eq!((index.contacts(), index.state().unwrap().applied), (3, 3));
    let desired = world.loader().load().unwrap();
    let Open { part, note, .. } = desired.part().unwrap();
    assert!(part.keys.is_empty() && note.is_quiet);
}

#[test]
fn a_session_trusts_the_index_that_it_renewed_itself() {
    let world = settled();
    world.step(&Step::Sneak { file: 0, text: 4 });
    let session = world.session();
    let loader = || Loader::within(&session, &world.dir()).with(0, world.stamp);
    let desired = loader().load().unwrap();
    let keys = |desired: &Desired| desired.part().unwrap().part.keys.len();
    assert_eq!(keys(&desired), 2);
    let snapshot = world.runtime.block_on(session.snapshot(&desired)).unwrap();
    assert!(desired.part().is_some(), "nobody else was looked up");
    let dot = desired.entry(&key("dot")).unwrap().unwrap();
    let change = |key: &ContactKey, of: Fingerprint| Change::PutBinding {
        key: key.clone(),
        binding: Box::new(binding(key, Some(of))),
    };
    let commit = |change: Change| world.runtime.block_on(session.store().commit(vec![change])).unwrap();
    commit(change(&key("dot"), dot.fingerprint()));
    commit(Change::RemoveBinding { key: key("ada") });
    // Written to since, and nothing else is known to be: a part that looks at both keys is enough.
    assert_eq!(keys(&loader().load().unwrap()), 2);
    world.runtime.block_on(session.renew_index(&desired, &snapshot));
    let desired = loader().load().unwrap();
    assert_eq!(keys(&desired), 0);
    assert_eq!(world.runtime.block_on(session.snapshot(&desired)).unwrap().unchanged, 3);
    // What is written to an entry that no part looks at takes the whole state to compare.
    commit(change(&key("gil"), Fingerprint::from_bytes([1; 16])));
    let snapshot = world.runtime.block_on(session.snapshot(&desired)).unwrap();
    assert_eq!((snapshot.bindings.len(), desired.part().is_none()), (1, true));
    world.runtime.block_on(session.close()).unwrap();
    world.check();
}

#[test]
fn entries_without_room_are_read_again() {
    let world = settled();
    let desired = world.loader().load().unwrap();
    let entry: Entry = desired.entry(&key("ada")).unwrap().unwrap();
    assert_eq!(entry.key(), &key("ada"));
    world.write(&world.dir().join(FILES[0]), "contacts: {}");
    assert!(matches!(desired.entry(&key("ada")), Err(LoadError::Unreadable(_))));
}

/// A writer died after its mark; whatever it wrote, the state is read in full until an index is renewed.
#[test]
fn a_mark_is_taken_away_by_who_has_read_everything() {
    let world = settled();
    world.step(&Step::MarkAlone);
    assert!(world.loader().load().unwrap().part().is_none());
    world.step(&Step::Plan);
    assert!(!world.state().join("index.behind").exists());
    assert!(world.loader().load().unwrap().part().unwrap().part.keys.is_empty());
}

/// What a failed commit left in memory was taken for what is on disk: nobody was told any more that it is not.
#[test]
fn an_index_claims_nothing_of_a_commit_that_failed() {
    for moment in [Moment::BeforeBatch, Moment::AmidBatch, Moment::AfterBarrier, Moment::AfterHead] {
        for is_lost in [true, false] {
            let world = settled();
            world.step(&Step::Write { file: 1, text: 5 });
            world.step(&Step::Broken { every: 1, commit: 1, moment, is_lost });
            assert!(world.state().join("index.behind").exists() || moment == Moment::BeforeBatch, "{moment:?}");
            let (desired, _) = world.check().unwrap();
            assert_eq!(desired.contacts(), 4);
        }
    }
}
