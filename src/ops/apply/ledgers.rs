//! The quota ledgers in memory: when which request may be sent.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::apollo::{Meta, WindowHeaders};
use crate::aside::aside;
use crate::model::{Endpoint, Timestamp};
use crate::quota::{
    Admission, Ledger, News, Outlook, Permit, Pool, Reading, Rejection, Rules, Span, WindowLimit, pool_of,
};
use crate::state::{self, Change};
use crate::store::{SharedPools, Store};

use super::drawing::{Drawing, Next};
use crate::ops::{Clock, Ended, Stop};

/// Waits up to this long are not worth a word, and neither is a wait that ends so little later than was told.
const QUIET_WAIT: Duration = Duration::from_secs(2);

/// One ledger per endpoint action, shared by everything that sends.
#[derive(Debug)]
pub(crate) struct Ledgers {
    by_endpoint: Mutex<BTreeMap<Endpoint, Account>>,
    /// Rung whenever an answer came, since it may make room.
    answered: Notify,
    rules: Rules,
    /// The longest wait for a window; a longer one ends the run.
    max_wait: Option<Duration>,
    /// The longest wait for a window that holds up what waits; after a longer one it is put off.
    patience: Option<Duration>,
    clock: Clock,
    /// Where the quota is shared with other runners, and as which team.
    shared: Option<Shared>,
}

/// The quota that other runners draw from as well.
#[derive(Debug)]
struct Shared {
    pools: Pools,
    team: Mutex<String>,
}

/// The way to what runners share.
#[derive(Debug)]
enum Pools {
    /// By the state that is open for writing.
    Of(Store),
    /// Alone, for who writes no state.
    Alone(SharedPools),
}

impl Pools {
    async fn change<T: Send + 'static>(
        &self,
        team: String,
        endpoint: Endpoint,
        change: impl FnMut(&str, Timestamp, bool) -> (String, T) + Send + 'static,
    ) -> Result<T, state::Error> {
        match self {
            Self::Of(store) => store.change_pool(team, endpoint, change).await,
            Self::Alone(pools) => {
                let pools = pools.clone();
                aside(move || pools.change(&team, endpoint, change)).await
            }
        }
    }
}

/// The account of one kind of request.
#[derive(Debug, Default)]
struct Account {
    ledger: Ledger,
    /// Until when such requests are put off.
    put_off: Option<Timestamp>,
    /// Until when a wait was told.
    told: Option<Timestamp>,
    /// Whether an answer has asked for a pause since it was last saved.
    is_newly_paused: bool,
    /// What was drawn of the shared quota.
    drawing: Drawing,
}

impl Ledgers {
    /// Starts from what an earlier run saved.
    ///
    /// A ledger that cannot be read starts over: the first answer tells where it stands.
    pub(crate) fn new(
        saved: &BTreeMap<Endpoint, String>,
        rules: Rules,
        max_wait: Option<Duration>,
        clock: Clock,
    ) -> Self {
        let load = |(&endpoint, text): (&Endpoint, &String)| {
            let ledger = Ledger::load(text).inspect_err(|error| {
                tracing::warn!(%endpoint, %error, "the saved quota ledger cannot be read; starting over");
            });
            (endpoint, Account { ledger: ledger.unwrap_or_default(), ..Account::default() })
        };
        let by_endpoint = Mutex::new(saved.iter().map(load).collect());
        Self { by_endpoint, answered: Notify::new(), rules, max_wait, patience: None, clock, shared: None }
    }

    /// Draws from what runners share where a store is shared, until the team is known as what `credential` says.
    #[must_use]
    pub(crate) fn shared_by(self, store: &Store, credential: &str) -> Self {
        if store.shares_quota() { self.drawing(Pools::Of(store.clone()), credential) } else { self }
    }

    /// The same for who writes no state.
    #[must_use]
    pub(crate) fn drawing_from(self, pools: SharedPools, credential: &str) -> Self {
        self.drawing(Pools::Alone(pools), credential)
    }

    fn drawing(self, pools: Pools, credential: &str) -> Self {
        let team = Mutex::new(format!("credential {credential}"));
        Self { shared: Some(Shared { pools, team }), ..self }
    }

    /// Draws from what the runners of a team share from now on.
    pub(crate) async fn draw_as(&self, team: &str) -> Result<(), state::Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let team = pool_of(team);
        if *shared.team() != team {
            self.give_back().await?;
            *shared.team() = team;
        }
        Ok(())
    }

    /// Gives back what was drawn and not spent.
    pub(crate) async fn give_back(&self) -> Result<(), state::Error> {
        let drawn = |(&endpoint, account): (&Endpoint, &Account)| account.drawing.has_news().then_some(endpoint);
        let drawn: Vec<Endpoint> = self.locked().iter().filter_map(drawn).collect();
        for endpoint in drawn {
            self.tell(endpoint).await?;
        }
        Ok(())
    }

    /// Tells the other runners what they wait for: the limits, or that an answer has asked for a pause.
    pub(crate) async fn tell_urgent_news(&self, endpoint: Endpoint) -> Result<(), state::Error> {
        let has_news = self.locked().get(&endpoint).is_some_and(|account| account.drawing.has_urgent_news());
        if self.shared.is_some() && has_news { self.tell(endpoint).await } else { Ok(()) }
    }

    async fn tell(&self, endpoint: Endpoint) -> Result<(), state::Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        let news = self.locked().entry(endpoint).or_default().drawing.take_news();
        self.exchange(shared, endpoint, news, |_, _| ()).await
    }

    /// Tells what there is to tell, and draws a slice.
    async fn draw(&self, shared: &Shared, endpoint: Endpoint) -> Result<(), state::Error> {
        let _under_way = UnderWay { ledgers: self, endpoint };
        let news = self.locked().entry(endpoint).or_default().drawing.take_news();
        let (asked, rules) = (Instant::now(), self.rules);
        let drawn = self.exchange(shared, endpoint, news, move |pool, now| pool.draw(&rules, now)).await?;
        self.locked().entry(endpoint).or_default().drawing.take(drawn, asked);
        Ok(())
    }

    async fn exchange<T: Send + 'static>(
        &self,
        shared: &Shared,
        endpoint: Endpoint,
        news: News,
        mut act: impl FnMut(&mut Pool, Timestamp) -> T + Send + 'static,
    ) -> Result<T, state::Error> {
        let change = move |text: &str, now: Timestamp, is_again: bool| {
            // One that cannot be read starts over: the first answer tells where it stands.
            let mut pool = Pool::load(text).unwrap_or_default();
            if !is_again {
                pool.hear(&news, now);
            }
            let result = act(&mut pool, now);
            (pool.save(), (result, pool, now))
        };
        let team = shared.team().clone();
        let (result, pool, theirs) = shared.pools.change(team, endpoint, change).await?;
        self.change(endpoint, |account| account.ledger.mirror(&pool, theirs, self.clock.now()));
        Ok(result)
    }

    /// Puts requests off that would wait longer than this for a window, instead of holding what waits for them.
    pub(crate) fn put_off_after(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    /// Forgets what was put off, so that it is tried again.
    pub(crate) fn put_nothing_off(&self) {
        self.locked().values_mut().for_each(|account| account.put_off = None);
    }

    pub(crate) fn is_put_off(&self, endpoint: Endpoint) -> bool {
        self.locked().get(&endpoint).is_some_and(|account| account.put_off.is_some())
    }

    /// Says which requests were put off, those that may go out first; `None` when none were.
    pub(crate) fn put_off(&self) -> Option<Ended> {
        let accounts = self.locked();
        let delays = accounts.iter().filter_map(|(&endpoint, account)| Some((account.put_off?, endpoint)));
        let (until, endpoint) = delays.min_by_key(|(until, _)| *until)?;
        Some(Ended::QuotaExhausted { endpoint, wait: until.since(self.clock.now()) })
    }

    /// Returns leave to send one request as soon as the windows allow; `None` when the run stops first, or such
    /// requests are put off.
    ///
    /// `waiting` is told of a wait worth telling, once for all requests that wait for the same.
    pub(crate) async fn admit(
        &self,
        endpoint: Endpoint,
        stop: &Stop,
        waiting: impl Fn(Duration, Timestamp, Option<Span>),
    ) -> Result<Option<Permit>, state::Error> {
        loop {
            if stop.is_requested() || self.is_put_off(endpoint) {
                return Ok(None);
            }
            // Registered before looking, so that an answer between look and wait is not missed.
            let answered = self.answered.notified();
            let now = self.clock.now();
            let admission = match &self.shared {
                None => self.locked().entry(endpoint).or_default().ledger.admit(now, &self.rules),
                Some(shared) => {
                    let Some(admission) = self.next(endpoint) else {
                        self.draw(shared, endpoint).await?;
                        continue;
                    };
                    admission
                }
            };
            let wait = match admission {
                Admission::Go(permit) => return Ok(Some(permit)),
                Admission::Wait(wait, span) => {
                    let until = now + wait;
                    // What needs no request of this kind goes on: a contact that was looked for is still created.
                    if [self.max_wait, self.patience].into_iter().flatten().any(|longest| wait > longest) {
                        self.locked().entry(endpoint).or_default().put_off = Some(until);
                        return Ok(None);
                    }
                    if wait > QUIET_WAIT && self.is_news(endpoint, until) {
                        waiting(wait, until, span);
                    }
                    wait
                }
                Admission::WaitForAnswer => Duration::MAX,
            };
            tokio::select! {
                () = answered => {}
                () = tokio::time::sleep(wait.min(Span::Day.length())) => {}
                () = stop.requested() => {}
            }
        }
    }

    /// Takes a request from what was drawn; `None` when a slice is to be drawn first, by whoever asked.
    fn next(&self, endpoint: Endpoint) -> Option<Admission> {
        let mut accounts = self.locked();
        let Account { ledger, drawing, .. } = accounts.entry(endpoint).or_default();
        Some(match drawing.next(ledger.unanswered()) {
            Next::Go(slice) => Admission::Go(ledger.go(slice)),
            Next::Wait(wait, span) => Admission::Wait(wait, span),
            Next::WaitForAnswer => Admission::WaitForAnswer,
            Next::Draw => {
                drawing.is_under_way = true;
                return None;
            }
        })
    }

    /// Reports whether nobody was told that requests of this kind wait until then.
    fn is_news(&self, endpoint: Endpoint, until: Timestamp) -> bool {
        let mut accounts = self.locked();
        let told = &mut accounts.entry(endpoint).or_default().told;
        let is_news = told.is_none_or(|told| until > told + QUIET_WAIT);
        if is_news {
            *told = Some(until);
        }
        is_news
    }

    /// Returns how long until the last of so many requests of each kind may go out, if nobody else sends any.
    pub(crate) fn forecast(&self, requests: &BTreeMap<Endpoint, usize>) -> Duration {
        let (now, accounts) = (self.clock.now(), self.locked());
        let unknown = Account::default();
        let each = requests.iter().map(|(endpoint, &count)| {
            accounts.get(endpoint).unwrap_or(&unknown).ledger.forecast(count as u64, now, &self.rules)
        });
        each.max().unwrap_or_default()
    }

    /// Reports whether requests of any kind wait for a window now, as was told.
    pub(crate) fn is_waiting(&self) -> bool {
        let now = self.clock.now();
        self.locked().values().any(|account| account.told.is_some_and(|until| until > now))
    }

    /// Takes in an answer, and the pause that it asks for: a server that is overloaded is for requests of every
    /// entry, whatever becomes of this one.
    pub(crate) fn answered(&self, endpoint: Endpoint, permit: Permit, meta: &Meta) {
        let now = self.clock.now();
        match (meta.status, meta.asked_to_wait(now)) {
            (429, _) => drop(self.rejected(endpoint, permit, meta)),
            (500.., Some(wait)) => {
                self.change(endpoint, |account| {
                    account.answered(permit, &readings(meta), now);
                    account.ledger.pause(wait, now);
                    account.drawing.paused(wait, None);
                    account.is_newly_paused = true;
                });
            }
            _ => self.change(endpoint, |account| account.answered(permit, &readings(meta), now)),
        }
    }

    pub(crate) fn lost(&self, endpoint: Endpoint, permit: Permit) {
        let now = self.clock.now();
        self.change(endpoint, |account| account.ledger.lost(permit, now));
    }

    pub(crate) fn unsent(&self, endpoint: Endpoint, permit: Permit) {
        self.change(endpoint, |account| {
            account.drawing.unsent(permit.slice);
            account.ledger.unsent(permit);
        });
    }

    pub(crate) fn rejected(&self, endpoint: Endpoint, permit: Permit, meta: &Meta) -> Rejection {
        let now = self.clock.now();
        let wait = meta.asked_to_wait(now);
        self.change(endpoint, |account| {
            account.is_newly_paused = true;
            account.drawing.answered(permit.slice, &readings(meta));
            let rejection = account.ledger.rejected(permit, &readings(meta), wait, now, &self.rules);
            if let Rejection::WindowUsedUp(span, wait) = rejection {
                account.drawing.paused(wait, Some(span));
            }
            rejection
        })
    }

    /// Returns what is to be saved so that the next run knows of a pause; `None` when no answer asked for one.
    ///
    /// Otherwise a ledger is saved with the next request, which may be the next run's.
    pub(crate) fn pause_to_save(&self, endpoint: Endpoint) -> Option<Change> {
        if self.shared.is_some() {
            return None;
        }
        let is_new = self.locked().get(&endpoint).is_some_and(|account| account.is_newly_paused);
        is_new.then(|| Change::PutQuota { endpoint, ledger: self.save(endpoint) })
    }

    /// Returns what is to be saved with a request; `None` where it was drawn from what runners share.
    pub(crate) fn spend_to_save(&self, endpoint: Endpoint) -> Option<Change> {
        self.shared.is_none().then(|| Change::PutQuota { endpoint, ledger: self.save(endpoint) })
    }

    /// Returns the ledger of `endpoint` as it is to be saved.
    fn save(&self, endpoint: Endpoint) -> String {
        let mut accounts = self.locked();
        let account = accounts.entry(endpoint).or_default();
        account.is_newly_paused = false;
        account.ledger.save()
    }

    /// Tells what every account allows now.
    pub(crate) fn outlook(&self) -> BTreeMap<Endpoint, [Outlook; 3]> {
        let now = self.clock.now();
        self.locked().iter().map(|(&endpoint, account)| (endpoint, account.ledger.outlook(now, &self.rules))).collect()
    }

    /// Returns the requests left in the tightest window; `None` when no limit is known.
    pub(crate) fn left(&self, endpoint: Endpoint) -> Option<u64> {
        self.locked().get(&endpoint)?.ledger.left(&self.rules)
    }

    fn change<T>(&self, endpoint: Endpoint, change: impl FnOnce(&mut Account) -> T) -> T {
        let result = change(self.locked().entry(endpoint).or_default());
        self.answered.notify_waiters();
        result
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<Endpoint, Account>> {
        self.by_endpoint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn answered(&mut self, permit: Permit, readings: &[Reading; 3], now: Timestamp) {
        self.drawing.answered(permit.slice, readings);
        self.ledger.answered(permit, readings, now);
    }
}

impl Shared {
    fn team(&self) -> MutexGuard<'_, String> {
        self.team.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the others draw again, however drawing ended.
struct UnderWay<'a> {
    ledgers: &'a Ledgers,
    endpoint: Endpoint,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.ledgers.change(self.endpoint, |account| account.drawing.is_under_way = false);
    }
}

fn readings(meta: &Meta) -> [Reading; 3] {
    let reading = |window: &WindowHeaders| Reading {
        limit: match window.limit {
            Some(limit) => WindowLimit::Requests(limit),
            None if window.unlimited => WindowLimit::Unlimited,
            None => WindowLimit::Unknown,
        },
        usage: window.usage,
        left: window.requests_left,
    };
    [reading(&meta.quota.minute), reading(&meta.quota.hour), reading(&meta.quota.day)]
}
