//! A directory, a sandbox and a service of them.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::apollo;
use crate::aside::under_way;
use crate::model::Timestamp;
use crate::ops::watch::{
    Board, Command, Phase, Place, PlaceOptions, Service, Settings, Status, Unable, WatchOptions, WatchSummary,
};
use crate::ops::{Clock, Ended, Event, SessionOptions, Stop};
use crate::plan::{Limit, Policy};
use crate::quota::Rules;
use crate::sandbox::{self, Server};
use crate::state::{self, Holder};
use crate::watcher::{self, Hand, Look, Watcher};

/// How far time goes between two looks at the service: at first, and when nothing comes of that for a while.
const STEP: Duration = Duration::from_millis(100);
const LONG_STEP: Duration = Duration::from_secs(1);

/// What a test waits for at most, in the time of the tests.
const LONGEST: Duration = Duration::from_hours(4);

pub(super) struct World {
    home: tempfile::TempDir,
    pub(super) server: Server,
    clock: Clock,
    /// What the service finds when it reads its credential.
    pub(super) key: Arc<Mutex<Result<String, String>>>,
    /// Everything that was told, as text.
    told: Arc<Mutex<Vec<String>>>,
    pub(super) policy: Policy,
    pub(super) dry_run: bool,
    /// Keeps time from moving by itself while this world lives.
    _hold: mpsc::Sender<()>,
}

/// A service that runs.
pub(super) struct Running {
    pub(super) board: Board,
    pub(super) stop: Stop,
    pub(super) commands: UnboundedSender<Command>,
    hand: Hand,
    clock: Clock,
    task: JoinHandle<(WatchSummary, Result<(), state::Error>)>,
}

pub(super) fn holder() -> Holder {
    Holder {
        pid: 1,
        user_host: "ada@example.com".to_owned(),
        operation: "watch".to_owned(),
        since: Timestamp(0),
        version: String::new(),
        socket: None,
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Makes a world whose sandbox `change` has changed. For tests whose time is paused.
    pub(super) async fn with(change: impl FnOnce(&mut sandbox::Options)) -> Self {
        let (hold, released) = mpsc::channel();
        tokio::task::spawn_blocking(move || released.recv());
        let home = tempfile::tempdir().unwrap();
        let clock = Clock::starting_at(Timestamp(1_700_000_000_000));
        let mut options = sandbox::Options::new(home.path().join("sandbox"), Arc::new(move || clock.now()));
        options.api_keys = vec!["key".to_owned()];
        change(&mut options);
        let server = Server::start(options).await.unwrap();
        let policy = Policy { max_creates: Some(Limit::Count(1000)), ..Policy::default() };
        let key = Arc::new(Mutex::new(Ok("key".to_owned())));
        fs::create_dir(home.path().join("contacts.d")).unwrap();
        Self { home, server, clock, key, told: Arc::default(), policy, dry_run: false, _hold: hold }
    }

    /// Writes a file of entries; `contacts` is what stands below `contacts:`, indented by two.
    pub(super) fn declare(&self, file: &str, contacts: &str) {
        fs::write(self.dir().join(file), format!("contacts:\n{contacts}")).unwrap();
    }

    /// Writes a file of the people with these numbers.
    pub(super) fn declare_people(&self, file: &str, numbers: std::ops::Range<usize>) {
        let person = |number| format!("  p{number}: {{email: p{number}@example.com}}\n");
        self.declare(file, &numbers.map(person).collect::<String>());
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.home.path().join("contacts.d")
    }

    pub(super) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    pub(super) fn contacts(&self) -> Vec<Value> {
        self.server.contacts()
    }

    /// Returns how often something that holds `text` was told.
    pub(super) fn told(&self, text: &str) -> usize {
        self.told.lock().unwrap().iter().filter(|told| told.contains(text)).count()
    }

    pub(super) async fn start(&self) -> Running {
        let (hand_over, hand) = Watcher::by_hand(&watcher::Options::new(self.dir()));
        let (commands, receiver) = unbounded_channel();
        let (board, stop) = (Board::new(self.dir(), self.clock.now()), Stop::default());
        let key = Arc::clone(&self.key);
        let service = Service::begin(WatchOptions {
            dir: self.dir(),
            bounds: crate::beneath::Bounds::default(),
            settings: self.settings(),
            dry_run: self.dry_run,
            once: false,
            watcher: hand_over,
            credential: Arc::new(move || key.lock().unwrap().clone().map(credential)),
            place: Some(Place::take(self.place()).unwrap()),
            commands: receiver,
            board: board.clone(),
            stop: stop.clone(),
        });
        let task = tokio::spawn(service.await.unwrap().run());
        Running { board, stop, commands, hand, clock: self.clock, task }
    }

    pub(super) fn settings(&self) -> Settings {
        let session = self.session();
        let (resync, forget_after) = (Duration::from_mins(5), Duration::from_mins(1));
        Settings { policy: self.policy.clone(), resync, refresh: None, forget_after, session }
    }

    pub(super) fn place(&self) -> PlaceOptions {
        let told = Arc::clone(&self.told);
        PlaceOptions {
            state: self.state().into(),
            runtime: self.home.path().join("runtime"),
            holder: holder(),
            prepare: Arc::new(|| ()),
            events: Arc::new(move |event| told.lock().unwrap().push(format!("{event:?}"))),
        }
    }

    fn session(&self) -> SessionOptions {
        let base_url = url::Url::parse(&format!("http://{}/api/v1", self.server.address())).unwrap();
        let told = Arc::clone(&self.told);
        let key = self.key.lock().unwrap().clone().unwrap();
        SessionOptions {
            client: Some(apollo::Options::new(base_url, credential(key))),
            holder: holder(),
            rules: Rules { batching: crate::model::Batching::ALONE, ..Rules::default() },
            // For single passes alone: no wait ends a service.
            max_wait: Some(Duration::from_secs(1)),
            events: Arc::new(move |event| {
                if !matches!(event, Event::Tick { .. }) {
                    told.lock().unwrap().push(format!("{event:?}"));
                }
            }),
            ..SessionOptions::bare(self.state().into(), self.clock)
        }
    }
}

fn credential(key: String) -> apollo::Credential {
    apollo::Credential::ApiKey(SecretString::from(key))
}

impl Running {
    /// Lets time go on until the service rests and `reached` holds of it; fails after hours of that.
    #[track_caller]
    pub(super) fn until(&self, reached: impl Fn(&Status) -> bool) -> impl Future<Output = Arc<Status>> {
        let board = self.board.clone();
        let caller = std::panic::Location::caller();
        async move {
            let mut changes = board.subscribe();
            let started = tokio::time::Instant::now();
            loop {
                // What was told or commanded is heard before time goes on.
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                let status = Arc::clone(&changes.borrow_and_update());
                if is_opening().await {
                    continue;
                }
                if status.phase == Phase::Passing {
                    changes.changed().await.unwrap();
                    continue;
                }
                if reached(&status) {
                    return status;
                }
                assert!(started.elapsed() < LONGEST, "never reached, {caller}: {status:#?}");
                let is_soon = started.elapsed() < 20 * STEP;
                tokio::time::advance(if is_soon { STEP } else { LONG_STEP }).await;
            }
        }
    }

    /// Lets time go on until one more pass is over.
    #[track_caller]
    pub(super) fn pass(&self) -> impl Future<Output = Arc<Status>> {
        let passes = self.board.read().passes;
        self.until(move |status| status.passes > passes)
    }

    /// Lets this much time go by, with whatever passes come in it.
    pub(super) async fn rest(&self, time: Duration) -> Arc<Status> {
        let end = tokio::time::Instant::now() + time;
        self.until(move |_| tokio::time::Instant::now() >= end).await
    }

    /// Lets this much time go by as [`Running::rest`] does, from one time that the service waits for to the next.
    pub(super) async fn leap(&self, time: Duration) -> Arc<Status> {
        let mut changes = self.board.subscribe();
        let end = tokio::time::Instant::now() + time;
        loop {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let status = Arc::clone(&changes.borrow_and_update());
            if is_opening().await {
                continue;
            }
            if status.phase == Phase::Passing {
                changes.changed().await.unwrap();
                continue;
            }
            let left = end - tokio::time::Instant::now();
            if left.is_zero() {
                return status;
            }
            let due = status.next_pass.map_or(left, |due| due.since(self.clock.now()) + Duration::from_millis(1));
            tokio::time::advance(due.clamp(Duration::from_millis(1), left.max(Duration::from_millis(1)))).await;
        }
    }

    /// Says that a file was written and not closed.
    pub(super) fn writes(&self, file: PathBuf) {
        self.hand.write(file);
    }

    /// Says that a file was closed after writing.
    pub(super) fn closes(&self, file: PathBuf) {
        self.hand.close(file);
    }

    /// Says that files changed, and waits until the pass over them is over.
    #[track_caller]
    pub(super) fn changed(&self) -> impl Future<Output = Arc<Status>> {
        self.hand.tell(Look::Rescan);
        self.pass()
    }

    /// Gives a command and waits for its answer.
    pub(super) async fn command<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Unable>>) -> Command,
    ) -> Result<T, Unable> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).unwrap();
        answer.await.unwrap()
    }

    /// Ends the service as SIGTERM does.
    pub(super) async fn end(self) -> WatchSummary {
        self.stop.request(Ended::Terminated);
        let (summary, closed) = self.task.await.unwrap();
        closed.unwrap();
        summary
    }
}

/// Reports whether the state is being opened, on a thread that no paused time waits for.
async fn is_opening() -> bool {
    if under_way::count() == 0 {
        return false;
    }
    tokio::task::spawn_blocking(std::thread::yield_now).await.unwrap();
    true
}
