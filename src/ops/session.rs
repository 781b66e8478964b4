//! One opened state with a way to Apollo: what every operation that writes works with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::apollo;
use crate::aside::aside;
use crate::model::{ApolloId, Batching, BulkCreate, Endpoint, Fields, IdentityKey, Intent, RunId, Timestamp};
use crate::quota::{Backoff, Outlook, Rules};
use crate::serve::{self, Role, Socket};
use crate::state::{self, Change, Drawn, Holder, Location, Snapshot};
use crate::store::{self, Store};

use super::account::Account;
use super::answering::Answerer;
use super::apply::courier::{Courier, Failure, Way};
use super::apply::ledgers::Ledgers;
use super::apply::line::Line;
use super::apply::outages::Outages;
use super::credential::{Access, CredentialSource, SessionError};
use super::desired::Open;
use super::knowledge::Knowledge;
use super::newest::{LastReading, Newest};
use super::refresh::{Asked, Sighting, refresh};
use super::seen::PackedSeen;
use super::under_way::UnderWay;
use super::{
    Clock, Desired, Event, LoadError, Problem, ProblemKind, Stop, Waiting, chain, knowledge, lock, shared_quota,
};

/// What a session is opened with.
#[derive(Clone)]
pub struct SessionOptions {
    pub state: Location,
    /// The API's origin, recorded in the state so that no other API is ever applied to it.
    pub origin: String,
    /// The contact directory that the state belongs to, where that is recorded.
    pub own_dir: Option<store::OwnDir>,
    /// The way to the API; `None` where nothing is going to be sent.
    pub client: Option<apollo::Options>,
    /// What this process says about itself; the session adds where it answers readers.
    pub holder: Holder,
    /// How long to wait for another process that writes the state.
    pub lock_timeout: Duration,
    /// Told when another process is waited for.
    pub waiting: Waiting,
    /// Where readers are answered when the state's path is too long for a socket; `None` answers none.
    pub runtime_directory: Option<PathBuf>,
    pub rules: Rules,
    /// The longest wait for a quota window, and for the end of an outage; `None` waits for as long as the window takes,
    /// and for an hour.
    pub max_wait: Option<Duration>,
    /// Number of requests at the same time, at most.
    pub parallelism: usize,
    /// How long after its last attempt a create in doubt is looked up.
    pub settle_after: Duration,
    /// The same of one that went out with others, which takes the server longer.
    pub settle_batches_after: Duration,
    /// Pauses between attempts of one request. An outage is probed after twice the first of them, then ever less often.
    pub backoff: Backoff,
    pub clock: Clock,
    /// Identity of a new state; drawn at random by the caller.
    pub drawn: Drawn,
    pub run: RunId,
    /// Seed of the jitter between attempts.
    pub seed: u64,
    /// Told everything that happens, from several threads.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
}

#[cfg(test)]
impl SessionOptions {
    /// Opens a state for tests: sends nothing, waits for nobody and for nothing, one request at a time.
    pub(crate) fn bare(state: Location, clock: Clock) -> Self {
        let super::Entropy { drawn, run, .. } = super::Entropy::from_bytes([7; 64]);
        Self {
            state,
            origin: "sandbox".to_owned(),
            own_dir: None,
            client: None,
            holder: Holder::bare("apply"),
            lock_timeout: Duration::ZERO,
            waiting: Waiting::default(),
            runtime_directory: None,
            rules: Rules::default(),
            max_wait: None,
            parallelism: 1,
            settle_after: Duration::ZERO,
            settle_batches_after: Duration::ZERO,
            backoff: Backoff { base: Duration::ZERO, cap: Duration::ZERO },
            clock,
            drawn,
            run,
            seed: 1,
            events: Arc::new(|_| ()),
        }
    }
}

/// The one writer of a state, with a client and the quota account.
pub struct Session {
    /// Answers readers. Stands before the store, which must not close under it.
    service: Option<serve::Service>,
    pub(super) under_way: UnderWay,
    pub(super) access: Access,
    pub(super) run: RunId,
    settle_after: Duration,
    settle_batches_after: Duration,
    pub(super) batching: Batching,
    pub(super) looks: bool,
    pub(super) parallelism: usize,
    store_failed: AtomicBool,
    /// Whether it was told that creates go out without a look.
    creates_blindly: AtomicBool,
    newest: LastReading,
    account: Knowledge,
}

/// Why the state is not compared with the files.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Store(#[from] state::Error),
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Session {
    /// Opens the state for writing, and creates it when there is none; answers those who read it from then on.
    ///
    /// Waits for readers to leave, and for another writer as long as the options say.
    pub async fn open(options: SessionOptions) -> Result<Self, SessionError> {
        let way = options.client.map(Way::new).transpose()?.map(Arc::new);
        let SessionOptions { state, origin, own_dir, holder, drawn, .. } = options;
        let (location, progress) = (state.clone(), options.waiting.progress());
        let store_options = store::Options { location, origin, own_dir, holder: holder.clone(), progress };
        let opening = lock::open(options.lock_timeout, &options.waiting, || {
            let (store_options, drawn) = (store_options.clone(), drawn.clone());
            aside(move || Store::open(&store_options, drawn))
        });
        let store = opening.await?;
        // Runners that share a state go by one clock: what one of them has sent a minute ago was a minute ago for all.
        let clock = store.time_there().await?.map_or(options.clock, Clock::starting_at);
        let saved = store.quota().await?;
        let answerer = Answerer { store: store.clone(), holder, under_way: UnderWay::default() };
        let under_way = answerer.under_way.clone();
        // Who reads a database needs nobody to answer.
        let runtime = options.runtime_directory.filter(|_| matches!(state, Location::Directory(_)));
        let listening = runtime.map(|runtime| listen(state.directory(), &runtime, answerer)).transpose();
        let service = listening.unwrap_or_else(|error| {
            (options.events)(Event::Problem(ProblemKind::CannotAnswer(chain(&error)).into()));
            None
        });
        let batching = options.rules.batching;
        // The same for all states: it tells who shares before the team is known.
        let credential = way.as_ref().map(|way| way.options.credential.keyed_hash(&IdentityKey([0; 32])));
        let ledgers = Ledgers::new(&saved, options.rules, options.max_wait, clock);
        let line = Line {
            ledgers: ledgers.shared_by(&store, &credential.unwrap_or_default()),
            outages: Outages::new(options.backoff.base * 2, options.max_wait, clock),
            store: Some(store.clone()),
            clock,
            stop: Stop::default(),
            backoff: options.backoff,
            slots: Semaphore::new(options.parallelism),
            barred: Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            events: options.events,
        };
        let courier = Courier { line, store, way: Mutex::new(way) };
        Ok(Self {
            service,
            under_way,
            access: Access::new(courier),
            run: options.run,
            settle_after: options.settle_after,
            settle_batches_after: options.settle_batches_after,
            batching,
            looks: batching.looks,
            parallelism: options.parallelism,
            store_failed: AtomicBool::new(false),
            creates_blindly: AtomicBool::new(false),
            newest: LastReading::default(),
            account: Knowledge::default(),
        })
    }

    /// Lets the session stop by a wish that outlives it.
    #[must_use]
    pub fn stopping_by(mut self, stop: Stop) -> Self {
        self.access.courier.line.stop = stop;
        self
    }

    /// Puts requests off that would wait longer than this for quota, or at all in an outage, where a plan is made again
    /// anyway.
    #[must_use]
    pub fn putting_off_after(mut self, patience: Duration) -> Self {
        self.access.courier.line.ledgers.put_off_after(patience);
        self.access.courier.line.outages.put_off();
        self
    }

    /// Asks for another credential when Apollo refuses the one in use, and goes on with one of the same team.
    #[must_use]
    pub fn renewing_credential(self, source: CredentialSource) -> Self {
        Self { access: self.access.renewing_by(source), ..self }
    }

    /// Makes sure that the credential is of the team that the state's contacts belong to.
    pub async fn prove_credential(&self, snapshot: &Snapshot) -> Result<(), SessionError> {
        self.access.prove_for(snapshot).await
    }

    /// Tells what quota is left, by endpoint and window.
    pub fn quota(&self) -> BTreeMap<Endpoint, [Outlook; 3]> {
        self.courier().ledgers.outlook()
    }

    /// Tells what was done about the state before it was opened.
    pub fn remarks(&self) -> Vec<Problem> {
        self.store().remarks().iter().map(|remark| ProblemKind::StateMended(remark.clone()).into()).collect()
    }

    /// Reports whether the state takes no more writes until it is opened again.
    pub fn store_has_failed(&self) -> bool {
        self.store().has_failed() || self.store_failed.load(Ordering::Relaxed)
    }

    /// Copies from the state what a plan of `desired` needs.
    pub async fn snapshot(&self, desired: &Desired) -> Result<Snapshot, SnapshotError> {
        if let Some(Open { note, part, declared }) = desired.part()
            && let Some(snapshot) = self.store().snapshot_part(&declared.wanted(), part, note).await?
        {
            return Ok(snapshot);
        }
        let mut snapshot = self.store().snapshot(&desired.everyone()?.wanted()).await?;
        if let Some(team) = snapshot.team.clone().filter(|_| self.store().shares_quota()) {
            let shared = self.store().shared_quota(team).await?;
            shared_quota::show(&mut snapshot, &shared, self.now());
        }
        Ok(snapshot)
    }

    /// Tells the time as this session sees it.
    pub fn now(&self) -> Timestamp {
        self.courier().clock.now()
    }

    /// Returns the handle by which this session's work is asked to end.
    pub fn stop(&self) -> &Stop {
        &self.courier().stop
    }

    /// Tells which requests were put off, since their quota opens later than is waited for; `None` when none were.
    pub fn put_off(&self) -> Option<Problem> {
        self.courier().put_off()
    }

    /// Releases the state after what is under way.
    pub async fn close(self) -> Result<(), state::Error> {
        self.courier().give_back().await;
        if let Some(service) = self.service {
            service.close().await;
        }
        self.access.courier.store.close().await
    }

    pub(super) fn courier(&self) -> &Courier {
        &self.access.courier
    }

    pub(crate) fn store(&self) -> &Store {
        &self.courier().store
    }

    pub(super) fn tell(&self, event: Event) {
        self.courier().tell(event);
    }

    /// Reads what was made since `intent` was first sent; `due` is when such a reading could first be trusted.
    pub(super) async fn newest(&self, intent: &Intent, due: Timestamp) -> Result<Arc<Newest>, Failure> {
        self.newest.since(&self.access, intent, due).await
    }

    /// Returns everybody in the account; see [`Knowledge::whole`].
    pub(super) async fn account(&self, key: IdentityKey, searches: usize) -> Result<Option<Arc<Account>>, Failure> {
        self.account.whole(&self.access, key, searches).await
    }

    /// Takes over what was read of everybody just now.
    pub(super) async fn knows(&self, account: Account) {
        self.account.take_over(account, self.now()).await;
    }

    /// Looks at contacts by as few requests as that takes; whoever is not seen is left out.
    pub(super) async fn look_at(&self, key: IdentityKey, asked: &Asked) -> BTreeMap<ApolloId, PackedSeen> {
        let Ok(parts) = self.store().account().await else { return BTreeMap::new() };
        let Ok(refreshed) = refresh(&self.access, Account::load(key, parts), key, asked, false).await else {
            return BTreeMap::new();
        };
        if let Some(mut account) = refreshed.account
            && knowledge::save(self.store(), &mut account).await.is_ok()
        {
            self.knows(account).await;
        }
        let seen = |(id, sighting)| if let Sighting::Seen(seen) = sighting { Some((id, seen)) } else { None };
        refreshed.sightings.into_iter().filter_map(seen).collect()
    }

    /// Copies all of the state, with what is known of the account, to compare `desired` with it.
    pub async fn snapshot_to_refresh(&self, desired: &Desired) -> Result<Snapshot, SnapshotError> {
        Ok(self.store().snapshot(&desired.wanted_of_everyone()?).await?)
    }

    /// Notes a contact that was created with these fields.
    pub(super) fn made(&self, key: &IdentityKey, id: &ApolloId, fields: &Fields) {
        self.account.made(key, id, fields);
    }

    /// Keeps in the state what is known of the account.
    pub(super) async fn keep_account(&self) -> Result<(), state::Error> {
        self.account.keep(self.store()).await
    }

    /// Tells how far creating many contacts in one request is known to work, asking Apollo once for a state; `None`
    /// where the credential may not.
    pub(super) async fn may_create_many(&self) -> Result<Option<BulkCreate>, Failure> {
        if self.courier().is_barred(Endpoint::CreateContacts) {
            return Ok(None);
        }
        if let Some(known) = self.store().bulk_create().await.map_err(Failure::Store)? {
            return Ok(Some(known));
        }
        if !self.access.may_create_many().await? {
            // Nobody asks a second time in this run.
            self.courier().bar(&[Endpoint::CreateContacts]);
            return Ok(None);
        }
        let granted = vec![Change::PutBulkCreate(BulkCreate::Granted)];
        self.store().commit(granted).await.map_err(Failure::Store)?;
        Ok(Some(BulkCreate::Granted))
    }

    /// Notes that a request that creates many contacts was answered with what became of them.
    pub(super) async fn has_created_many(&self) -> Result<(), Failure> {
        let known = self.store().bulk_create().await.map_err(Failure::Store)?;
        if known != Some(BulkCreate::Proven) {
            let proven = vec![Change::PutBulkCreate(BulkCreate::Proven)];
            self.store().commit(proven).await.map_err(Failure::Store)?;
        }
        Ok(())
    }

    /// Returns how long after its last attempt a create in doubt is looked up.
    pub(super) fn settle_after(&self, intent: &Intent) -> Duration {
        if intent.endpoint == Endpoint::CreateContacts { self.settle_batches_after } else { self.settle_after }
    }

    /// Notes that the state takes no more writes; reports whether that is new.
    pub(super) fn is_first_store_failure(&self) -> bool {
        !self.store_failed.swap(true, Ordering::Relaxed)
    }

    /// Notes that a create goes out without a look; reports whether that is new.
    pub(super) fn is_first_blind_create(&self) -> bool {
        !self.creates_blindly.swap(true, Ordering::Relaxed)
    }
}

/// Begins to answer readers, and says in the state where.
fn listen(state: &Path, runtime: &Path, answerer: Answerer) -> Result<serve::Service, ListenError> {
    let socket = Socket::bind(Role::Writer, state, runtime)?;
    let answerer =
        Answerer { holder: Holder { socket: Some(socket.path().to_owned()), ..answerer.holder }, ..answerer };
    answerer.store.announce(&answerer.holder)?;
    Ok(socket.answer(answerer.routes()))
}

/// Why readers are not answered; the state is written all the same.
#[derive(Debug, thiserror::Error)]
enum ListenError {
    #[error(transparent)]
    Serve(#[from] serve::Error),
    #[error(transparent)]
    Store(#[from] state::Error),
}
