//! One opened state with a way to Apollo: what every operation that writes works with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::apollo;
use crate::link::{self, Listener};
use crate::model::{Endpoint, RunId, Timestamp};
use crate::quota::{Backoff, Outlook, Rules};
use crate::store::{self, Drawn, Holder, Snapshot, Store};

use super::answering::Answerer;
use super::credential::{CredentialSource, Proof, Way};
use super::desired::Declared;
use super::ledgers::Ledgers;
use super::newest::Newest;
use super::outages::Outages;
use super::under_way::UnderWay;
use super::{Clock, Desired, Event, LoadError, Problem, Stop, Waiting, lock, problem};

/// What a session is opened with.
#[derive(Clone)]
pub struct SessionOptions {
    /// The state directory.
    pub state: PathBuf,
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
    /// Requests under way at a time, at most.
    pub parallelism: usize,
    /// How long after its last attempt a create in doubt is looked up.
    pub settle_after: Duration,
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

/// The one writer of a state, with a client and the quota account.
pub struct Session {
    /// Answers readers. Stands before the store, which must not close under it.
    service: Option<link::Service>,
    pub(super) under_way: UnderWay,
    pub(super) store: Store,
    /// Who asks Apollo; `None` where nothing is going to be sent.
    pub(super) way: Mutex<Option<Arc<Way>>>,
    /// Where a credential comes from that takes the place of one that is refused.
    pub(super) credential_source: Option<CredentialSource>,
    /// Held while a new credential is proven.
    pub(super) renewing: tokio::sync::Mutex<()>,
    /// What a new credential has to prove; `None` until the first one has.
    pub(super) proof: Mutex<Option<Proof>>,
    pub(super) ledgers: Ledgers,
    pub(super) outages: Outages,
    pub(super) clock: Clock,
    pub(super) stop: Stop,
    pub(super) run: RunId,
    pub(super) settle_after: Duration,
    pub(super) parallelism: usize,
    pub(super) backoff: Backoff,
    slots: Semaphore,
    barred: Mutex<BTreeSet<Endpoint>>,
    store_failed: AtomicBool,
    /// Whether it was told that creates go out without a look.
    creates_blindly: AtomicBool,
    /// The last reading of what is new in the account.
    pub(super) newest: tokio::sync::Mutex<Option<Arc<Newest>>>,
    random: Mutex<fastrand::Rng>,
    events: Arc<dyn Fn(Event) + Send + Sync>,
}

/// Why a session cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Client(#[from] apollo::Error),
    /// Apollo says that the credential is of another team than the state's contacts are.
    #[error(
        "the credential belongs to Apollo team {given}, and this state holds the contacts of team {recorded}. Use a \
         credential of that team, or give this one a state of its own with --state"
    )]
    OtherTeam { recorded: String, given: String },
    /// The credential is new to the state, and nothing that Apollo shows says whose it is.
    #[error(
        "the credential is new to this state, and Apollo does not show that it belongs to the same team: {why}. \
         Nothing was sent and the state is unchanged. If it is of the same team, give it the scope {scope}, or apply \
         once with the credential that was used before and a scope for this call: the state then knows its team. If \
         it is of another team, give it a state of its own with --state",
        scope = Endpoint::Profile.scope()
    )]
    Unproven { why: String },
    /// Apollo refused the credential.
    #[error("{}: {}", .0.summary, .0.detail)]
    Refused(Box<Problem>),
    /// Apollo did not answer for as long as is waited for, which was told before.
    #[error("Apollo did not answer")]
    Out,
    #[error("stopped before anything was done")]
    Stopped,
}

/// Why the state is not compared with the files.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(transparent)]
    Store(#[from] store::Error),
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
        let store_options = store::Options { path: state.clone(), origin, own_dir, holder: holder.clone() };
        let opening = lock::open(options.lock_timeout, &options.waiting, || {
            let (store_options, drawn) = (store_options.clone(), drawn.clone());
            lock::aside(move || {
                let store = Store::open(store_options, drawn)?;
                let saved = store.quota()?;
                Ok((store, saved))
            })
        });
        let (store, saved) = opening.await?;
        let answerer = Answerer { store: store.clone(), holder, under_way: UnderWay::default() };
        let under_way = answerer.under_way.clone();
        let listening = options.runtime_directory.map(|runtime| listen(&state, &runtime, answerer)).transpose();
        let service = listening.unwrap_or_else(|error| {
            (options.events)(Event::Problem(problem::cannot_answer(&error)));
            None
        });
        Ok(Self {
            service,
            under_way,
            ledgers: Ledgers::new(&saved, options.rules, options.max_wait, options.clock),
            outages: Outages::new(options.backoff.base * 2, options.max_wait, options.clock),
            store,
            way: Mutex::new(way),
            credential_source: None,
            renewing: tokio::sync::Mutex::default(),
            proof: Mutex::default(),
            clock: options.clock,
            stop: Stop::default(),
            run: options.run,
            settle_after: options.settle_after,
            parallelism: options.parallelism,
            backoff: options.backoff,
            slots: Semaphore::new(options.parallelism),
            barred: Mutex::default(),
            store_failed: AtomicBool::new(false),
            creates_blindly: AtomicBool::new(false),
            newest: tokio::sync::Mutex::default(),
            random: Mutex::new(fastrand::Rng::with_seed(options.seed)),
            events: options.events,
        })
    }

    /// Lets the session stop by a wish that outlives it.
    #[must_use]
    pub fn stopping_by(self, stop: Stop) -> Self {
        Self { stop, ..self }
    }

    /// Puts requests off that would wait longer than this for quota, or at all in an outage, where a plan is made again
    /// anyway.
    #[must_use]
    pub fn putting_off_after(mut self, patience: Duration) -> Self {
        self.ledgers.put_off_after(patience);
        self.outages.put_off();
        self
    }

    /// Asks for another credential when Apollo refuses the one in use, and goes on with one of the same team.
    #[must_use]
    pub fn renewing_credential(self, source: CredentialSource) -> Self {
        Self { credential_source: Some(source), ..self }
    }

    /// Tells what quota is left, by endpoint and window.
    pub fn quota(&self) -> BTreeMap<Endpoint, [Outlook; 3]> {
        self.ledgers.outlook()
    }

    /// Reports whether the state takes no more writes until it is opened again.
    pub fn store_has_failed(&self) -> bool {
        self.store.has_failed() || self.store_failed.load(Ordering::Relaxed)
    }

    /// Copies from the state what a plan of `desired` needs.
    pub fn snapshot(&self, desired: &Desired) -> Result<Snapshot, SnapshotError> {
        if let Some((part, Declared { roster, named, .. })) = desired.part()
            && let Some(snapshot) = self.store.snapshot_part(&store::Wanted::new(roster, named), part)?
        {
            return Ok(snapshot);
        }
        let Declared { roster, named, .. } = desired.everyone()?;
        Ok(self.store.snapshot(&store::Wanted::new(roster, named))?)
    }

    /// Tells the time as this session sees it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the handle by which this session's work is asked to end.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Releases the state after what is under way.
    pub async fn close(self) -> Result<(), store::Error> {
        if let Some(service) = self.service {
            service.close().await;
        }
        self.store.close().await
    }

    pub(super) fn tell(&self, event: Event) {
        (self.events)(event);
    }

    /// Waits for one of the places for requests under way.
    pub(super) async fn slot(&self) -> SemaphorePermit<'_> {
        self.slots.acquire().await.expect("the semaphore is never closed")
    }

    /// Notes that requests of these kinds cannot succeed for now; reports whether that is new for any.
    pub(super) fn bar(&self, endpoints: &[Endpoint]) -> bool {
        let mut barred = self.barred.lock().unwrap_or_else(PoisonError::into_inner);
        let before = barred.len();
        barred.extend(endpoints);
        barred.len() > before
    }

    /// Notes that the state takes no more writes; reports whether that is new.
    pub(super) fn is_first_store_failure(&self) -> bool {
        !self.store_failed.swap(true, Ordering::Relaxed)
    }

    /// Notes that a create goes out without a look; reports whether that is new.
    pub(super) fn is_first_blind_create(&self) -> bool {
        !self.creates_blindly.swap(true, Ordering::Relaxed)
    }

    /// Lets all kinds of requests be tried again, whatever kept them from going out.
    pub(super) fn try_everything_again(&self) {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.ledgers.put_nothing_off();
        self.outages.try_everything_again();
    }

    pub(super) fn is_barred(&self, endpoint: Endpoint) -> bool {
        self.barred.lock().unwrap_or_else(PoisonError::into_inner).contains(&endpoint)
    }

    /// Draws a number from 0.0 to 1.0.
    pub(super) fn random(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }
}

/// Begins to answer readers, and says in the state where.
fn listen(state: &Path, runtime: &Path, answerer: Answerer) -> Result<link::Service, ListenError> {
    let listener = Listener::bind(link::Role::Writer, state, runtime)?;
    let socket = Some(listener.path().to_owned());
    let answerer = Answerer { holder: Holder { socket, ..answerer.holder }, ..answerer };
    answerer.store.announce(&answerer.holder)?;
    Ok(listener.serve(move |request| answerer.clone().answer(request)))
}

/// Why readers are not answered; the state is written all the same.
#[derive(Debug, thiserror::Error)]
enum ListenError {
    #[error(transparent)]
    Link(#[from] link::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}
