//! The reader's side of reading beside writing: the state as it is now, whoever has it open.
//!
//! Tries the lock and the writer's socket in turn. Never waits for a writer to be done.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::aside::aside;
use crate::model::{Named, Roster};
use crate::serve::{self, Role};
use crate::state::{self, Holder, Location, Snapshot, Wanted};
use crate::store::{self, Basis, Read, ReadShared};

use super::answering::{Answer, Beside, Question, SNAPSHOT};
use super::desired::{Declared, Open};
use super::lock::Tries;
use super::{Clock, Desired, LoadError, shared_quota};

/// What a reader needs of the state.
#[derive(Debug, Clone, Copy)]
pub enum Want<'a> {
    /// What a plan of this needs.
    Plan(&'a Desired),
    Everything,
    /// Everything, and what is known of the account, to compare this with it.
    Refresh(&'a Desired),
}

impl Want<'_> {
    /// Says what a snapshot has to show, whoever may differ.
    fn wanted(self) -> Result<Wanted, LoadError> {
        Ok(match self {
            Self::Everything => Wanted::everything(),
            Self::Refresh(desired) => desired.wanted_of_everyone()?,
            Self::Plan(desired) => desired.everyone()?.wanted(),
        })
    }
}

/// The state as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub snapshot: Snapshot,
    /// Who writes the state meanwhile; `None` when nobody does.
    pub beside: Option<Beside>,
    /// By what an index can be renewed; `None` while somebody writes.
    pub basis: Option<Basis>,
    /// Why the copy of the state was read in the place of its database; `None` when it was not.
    pub instead: Option<String>,
}

impl Reading {
    /// Reads a state that does not exist yet: whoever is declared is not bound.
    pub fn without_state(want: Want<'_>, origin: &str) -> Result<Self, LoadError> {
        let unbound = match want {
            Want::Everything => Vec::new(),
            Want::Plan(desired) | Want::Refresh(desired) => desired.keys()?,
        };
        Ok(Self { snapshot: Snapshot { unbound, ..Snapshot::empty(origin) }, beside: None, basis: None, instead: None })
    }

    /// Returns the keys that another process is at work on right now.
    pub fn under_way(&self) -> BTreeSet<crate::model::ContactKey> {
        self.beside.as_ref().map(|beside| beside.under_way.clone()).unwrap_or_default()
    }
}

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Store(#[from] state::Error),
    /// Everyone who is declared had to be known, and the files are no longer as they were.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The process that has the state open gave no answer in time.
    #[error("the process that has the state {state} open did not answer within {waited:?}")]
    Unanswered { state: Location, holder: Option<Box<Holder>>, waited: Duration, source: Box<serve::Error> },
    /// The process that has the state open cannot be asked, now or later.
    #[error("the process that has the state {state} open cannot be asked")]
    Unaskable { state: Location, holder: Option<Box<Holder>>, source: Box<serve::Error> },
}

/// Copies from a state what is wanted; `None` when there is no state yet. Waits up to `patience`.
pub async fn read(state: &Location, want: Want<'_>, patience: Duration) -> Result<Option<Reading>, ReadError> {
    let mut tries = Tries::start();
    let mut question = None;
    loop {
        let holder = match read_alone(state, want).await {
            Err(ReadError::Store(state::Error::Locked { holder, .. })) => holder,
            read => return read,
        };
        let question = match &question {
            Some(question) => question,
            None => question.insert(question_for(want)?),
        };
        let last = match ask(state.directory(), holder.as_deref(), question, &tries, patience).await {
            Ok(reading) => return Ok(Some(reading)),
            Err(error) if error.is_passing() => error,
            Err(error) => {
                return Err(ReadError::Unaskable { state: state.clone(), holder, source: Box::new(error) });
            }
        };
        if tries.left_of(patience).is_zero() {
            let (state, source) = (state.clone(), Box::new(last));
            return Err(ReadError::Unanswered { state, holder, waited: patience, source });
        }
        tries.pause(patience).await;
    }
}

/// Copies from a state in a database, as it is at one moment. What intents a live run has come to is not known yet.
async fn read_database(state: &Location, want: Want<'_>) -> Result<Option<Reading>, ReadError> {
    let (location, wanted) = (state.clone(), want.wanted()?);
    let read = aside(move || store::read_database(&location, &wanted)).await?;
    Ok(read.map(|ReadShared { mut snapshot, holder, quota }| {
        shared_quota::show(&mut snapshot, &quota, Clock::system().now());
        let under_way = snapshot.intents.values().map(|intent| intent.key.clone()).collect();
        Reading { beside: holder.map(|holder| Beside { holder, under_way }), snapshot, basis: None, instead: None }
    }))
}

/// Copies from a state that no process has open, as little as an index allows.
async fn read_alone(state: &Location, want: Want<'_>) -> Result<Option<Reading>, ReadError> {
    if let Location::Database { .. } = state {
        return read_database(state, want).await;
    }
    let alone = |Read { snapshot, basis, instead }| Reading { snapshot, beside: None, basis, instead };
    if let Want::Plan(desired) = want
        && let Some(open) = desired.part()
        && let Some((snapshot, basis)) = read_part(state, open).await?
    {
        return Ok(Some(alone(Read { snapshot, basis: Some(basis), instead: None })));
    }
    let (location, wanted) = (state.clone(), want.wanted()?);
    Ok(aside(move || store::read_noting(&location, &wanted)).await?.map(alone))
}

/// Copies what an index leaves open; `None` when it does not vouch for the rest any more.
async fn read_part(state: &Location, open: &Open) -> Result<Option<(Snapshot, Basis)>, state::Error> {
    let Open { note, part, declared } = open;
    if part.keys.is_empty() && note.is_quiet && store::stands(state, note) {
        // Nothing is to be looked up, and nothing was open; nor is the quota going to be used.
        let (lineage, serial) = (note.head.lineage.clone(), note.head.serial);
        let snapshot = Snapshot { lineage, serial, unchanged: part.unchanged, ..Snapshot::empty(&note.origin) };
        return Ok(Some((snapshot, Basis::of(note))));
    }
    let (state, wanted, part, note) = (state.clone(), declared.wanted(), part.clone(), note.clone());
    aside(move || store::read_part(&state, &wanted, &part, &note)).await
}

fn question_for(want: Want<'_>) -> Result<Question, LoadError> {
    let is_refresh = matches!(want, Want::Refresh(_));
    let (fingerprints, contacts) = match want {
        Want::Everything => (Roster::default(), Named::default()),
        Want::Refresh(desired) => (Roster::default(), Named::clone(&desired.everyone()?.named)),
        Want::Plan(desired) => {
            let Declared { roster, named, .. } = desired.everyone()?;
            (Roster::clone(roster), Named::clone(named))
        }
    };
    Ok(Question { fingerprints, contacts, account: is_refresh, packed: is_refresh })
}

/// Asks the process that has the state open, wherever it may listen.
async fn ask(
    path: &Path,
    holder: Option<&Holder>,
    question: &Question,
    tries: &Tries,
    patience: Duration,
) -> Result<Reading, serve::Error> {
    let mut last = serve::Error::Nobody { path: path.to_owned() };
    for socket in serve::candidates(Role::Writer, path, holder.and_then(|holder| holder.socket.as_deref())) {
        match serve::ask(&socket, SNAPSHOT, question, tries.left_of(patience)).await {
            Ok(Answer { snapshot, writer }) => {
                // A writer of another version may not know of bindings at rest.
                let snapshot = if question.packed { snapshot.pack() } else { snapshot };
                return Ok(Reading { snapshot, beside: Some(writer), basis: None, instead: None });
            }
            Err(nobody @ serve::Error::Nobody { .. }) => last = nobody,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{
        ApolloId, Binding, ContactKey, Endpoint, Field, Fields, Fingerprint, IdentityKey, Intent, IntentId, Lineage,
        Timestamp,
    };
    use crate::ops::answering::Answerer;
    use crate::ops::under_way::UnderWay;
    use crate::serve::Socket;
    use crate::state::{Change, Drawn};
    use crate::store::{Options, Store};

    struct World {
        directory: tempfile::TempDir,
    }

    impl World {
        fn new() -> Self {
            Self { directory: tempfile::tempdir().unwrap() }
        }

        fn state(&self) -> PathBuf {
            self.directory.path().join("state")
        }

        fn open(&self) -> Answerer {
            let holder = Holder {
                pid: 4242,
                user_host: "ada@build.example.com".to_owned(),
                operation: "apply".to_owned(),
                since: Timestamp(0),
                version: "0.1.0".to_owned(),
                socket: None,
            };
            let drawn = Drawn { lineage: Lineage("first".to_owned()), identity_key: IdentityKey([7; 32]) };
            let options = Options {
                location: self.state().into(),
                origin: "sandbox".to_owned(),
                own_dir: None,
                holder: holder.clone(),
                progress: store::Progress::default(),
            };
            Answerer { store: Store::open(&options, drawn).unwrap(), holder, under_way: UnderWay::default() }
        }

        fn serve(&self, answerer: &Answerer) -> serve::Service {
            let socket = Socket::bind(Role::Writer, &self.state(), self.directory.path()).unwrap();
            socket.answer(answerer.clone().routes())
        }

        async fn read(&self, want: Want<'_>) -> Reading {
            read(&self.state().into(), want, Duration::from_mins(10)).await.unwrap().unwrap()
        }
    }

    fn key(number: u8) -> ContactKey {
        ContactKey::parse(&format!("k{number}")).unwrap()
    }

    fn id(number: u8) -> ApolloId {
        ApolloId::parse(&format!("{number:024x}")).unwrap()
    }

    fn fields() -> Fields {
        [(Field::Email, "ada@example.com".into())].into_iter().collect()
    }

    fn fingerprint(byte: u8) -> Fingerprint {
        Fingerprint::from_bytes([byte; 16])
    }

    fn binding(number: u8, applied: Option<u8>, gone: bool) -> Change {
        let binding = Binding {
            applied: fields(),
            fingerprint: applied.map(fingerprint),
            gone_at: gone.then_some(Timestamp(3)),
            ..Binding::bare(id(number))
        };
        Change::PutBinding { key: key(number), binding: Box::new(binding) }
    }

    fn intent(number: u8) -> Change {
        let intent = Intent { fields: fields(), ..Intent::bare(key(number)) };
        Change::PutIntent { id: IntentId(u64::from(number)), intent: Box::new(intent) }
    }

    /// Declares keys with made-up fingerprints; an entry may name a contact.
    fn desired(declared: &BTreeMap<u8, (u8, Option<u8>)>) -> Desired {
        let named: Vec<ApolloId> = declared.values().filter_map(|(_, named)| named.map(id)).collect();
        let roster = declared.iter().map(|(&number, &(byte, _))| (key(number), fingerprint(byte))).collect();
        Desired::made_up(roster, named.iter().collect())
    }

    fn any_rows() -> impl Strategy<Value = Vec<Change>> {
        let quota = Just(Change::PutQuota { endpoint: Endpoint::CreateContact, ledger: "ledger".to_owned() });
        let binding = (0..6_u8, prop::option::of(0..3_u8), any::<bool>());
        prop::collection::vec(
            prop_oneof![
                4 => binding.prop_map(|(number, applied, gone)| super::tests::binding(number, applied, gone)),
                2 => (0..9_u8).prop_map(intent),
                1 => quota,
            ],
            0..12,
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn asking_the_writer_tells_what_the_state_would(
            rows in any_rows(),
            declared in prop::collection::btree_map(0..6_u8, (0..3_u8, prop::option::of(0..8_u8)), 0..6),
        ) {
            let world = World::new();
            let desired = desired(&declared);
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let answerer = world.open();
                for change in rows {
                    answerer.store.commit(vec![change]).await.unwrap();
                }
                let service = world.serve(&answerer);
                let asked = [world.read(Want::Plan(&desired)).await, world.read(Want::Everything).await];
                service.close().await;
                answerer.store.close().await.unwrap();
                let alone = [world.read(Want::Plan(&desired)).await, world.read(Want::Everything).await];
                for (asked, alone) in asked.into_iter().zip(alone) {
                    assert_eq!(asked.snapshot, alone.snapshot);
                    assert_eq!(asked.beside.unwrap().holder.operation, "apply");
                    assert_eq!(alone.beside, None);
                }
            });
        }
    }

    #[tokio::test]
    async fn what_is_read_to_refresh_by_holds_every_binding_at_rest_whoever_tells_it() {
        let world = World::new();
        let desired = desired(&[(1, (1, None)), (2, (7, None)), (4, (1, Some(4)))].into());
        let answerer = world.open();
        let part = Change::PutAccount { part: 0, text: Some("{}".to_owned()) };
        let bound = [binding(1, Some(1), false), binding(2, Some(2), false), binding(3, None, true)];
        answerer.store.commit(bound.into_iter().chain([part]).collect()).await.unwrap();
        let everything = answerer.store.snapshot(&Wanted::everything()).await.unwrap();
        let service = world.serve(&answerer);
        let asked = world.read(Want::Refresh(&desired)).await.snapshot;
        service.close().await;
        let session = answerer.store.snapshot(&desired.wanted_of_everyone().unwrap()).await.unwrap();
        answerer.store.close().await.unwrap();
        let alone = world.read(Want::Refresh(&desired)).await.snapshot;
        for snapshot in [asked, session, alone] {
            let packed = snapshot.packed.iter().map(|(key, binding)| (key.clone(), binding.unpack())).collect();
            assert_eq!((&everything.bindings, &snapshot.bindings), (&packed, &BTreeMap::new()));
            assert_eq!(snapshot.account.len(), 1);
            assert!(snapshot.is_bound(&key(3)) && !snapshot.is_bound(&key(4)));
            assert_eq!(snapshot.contacts().collect::<Vec<_>>(), [id(1), id(2), id(3)]);
            // As a writer tells it that knows of no bindings at rest.
            assert_eq!(Snapshot { bindings: packed, packed: BTreeMap::new(), ..snapshot.clone() }.pack(), snapshot);
        }
    }

    #[tokio::test]
    async fn a_writer_tells_what_it_is_at_work_on() {
        let world = World::new();
        let answerer = world.open();
        answerer.store.commit(vec![intent(1), intent(2)]).await.unwrap();
        let _service = world.serve(&answerer);
        let mark = answerer.under_way.mark([&key(1)].into_iter());
        let reading = world.read(Want::Everything).await;
        assert_eq!(reading.under_way(), [key(1)].into());
        assert_eq!(reading.snapshot.intents.len(), 2);
        drop(mark);
        assert_eq!(world.read(Want::Everything).await.under_way(), BTreeSet::new());
    }

    #[tokio::test]
    async fn a_reader_waits_for_another_reader() {
        let world = World::new();
        world.open().store.close().await.unwrap();
        let lock = File::open(world.state().join("lock")).unwrap();
        lock.lock().unwrap();
        let (reading, ()) = tokio::join!(biased; world.read(Want::Everything), async { drop(lock) });
        assert_eq!(reading.beside, None);
    }

    #[tokio::test]
    async fn a_writer_that_does_not_answer_is_named() {
        let world = World::new();
        let _writer = world.open();
        let error = read(&world.state().into(), Want::Everything, Duration::ZERO).await.unwrap_err();
        let ReadError::Unanswered { holder: Some(holder), .. } = error else { panic!("{error:?}") };
        assert_eq!((holder.pid, holder.operation.as_str()), (4242, "apply"));
    }

    #[tokio::test]
    async fn a_writer_of_another_version_is_not_asked_again() {
        let world = World::new();
        let _writer = world.open();
        let socket = Socket::bind(Role::Writer, &world.state(), world.directory.path()).unwrap();
        let _service = socket.answer(serve::Routes::default());
        let read = read(&world.state().into(), Want::Everything, Duration::from_mins(10)).await;
        assert!(matches!(read, Err(ReadError::Unaskable { .. })), "{read:?}");
    }
}
