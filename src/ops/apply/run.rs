//! Carries out a plan: local actions first, then the rest in parallel, each to its own end.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use crate::journal::settle_wait;
use crate::model::{ApolloId, Batching, BulkCreate, ContactKey, Endpoint, Intent, Place};
use crate::plan::{
    Action, Batches, FEW_IMPORTS, Housekeeping, Operation, Order, Plan, first_request, goes_by_batch, hands_over,
    shared_names,
};
use crate::quota::time_left;
use crate::state::{self, CHANGES_PER_COMMIT, Change, Snapshot};

use super::batch;
use super::courier::Failure;
use super::crew::{Crew, Member};
use super::performer::{End, Job, Performer, Trouble, Turn};
use crate::ops::refresh::{Asked, asked};
use crate::ops::saved::{Remaining, progress};
use crate::ops::seen::{AskedFor, PackedSeen};
use crate::ops::{Desired, Ended, Event, Problem, ProblemKind, Report, Session, Step, chain};

/// How often a step that takes long is heard of.
const STILL_RUNNING: Duration = Duration::from_secs(10);

/// How often the run as a whole is heard of.
const TICK: Duration = Duration::from_secs(1);

/// Local actions under way at a time; they wait for the disk alone and share barriers.
const LOCAL_PARALLELISM: usize = 64;

/// Applies `plan`, which was made from `desired` and `snapshot` while this session held the state.
///
/// Never fails as a whole: what went wrong with an action is an [`Event::Problem`], and the report
/// counts it.
pub async fn apply(session: &Arc<Session>, plan: &Plan, desired: &Desired, snapshot: &Snapshot) -> Report {
    apply_as(session, plan.clone(), desired, snapshot, None).await
}

/// Applies what is left of a saved plan, marking its actions as they are done; any other plan for `None`.
///
/// As [`apply`] otherwise. The saved plan was begun in this session. Each action is forgotten when it is done.
pub async fn apply_as(
    session: &Arc<Session>,
    plan: Plan,
    desired: &Desired,
    snapshot: &Snapshot,
    saved: Option<&Remaining>,
) -> Report {
    session.tell(Event::Begun { actions: plan.actions.len() });
    session.courier().try_everything_again();
    desired.forget_entries();
    let seen = seen_before(session, &plan, snapshot).await;
    let job = Arc::new(Job {
        desired: desired.clone(),
        identity_key: snapshot.identity_key,
        open: snapshot.intents.clone(),
        shared_names: shared_names(&plan.actions),
        one_of_a_name: tokio::sync::Mutex::default(),
        overwritten: Mutex::default(),
        imported: Mutex::default(),
        known: known_contacts(snapshot),
        looks: Batches::of(&plan.actions, session.batching).looks(),
        saved: saved.map(|saved| saved.digest.clone()),
        seen,
    });
    let report = Report { remaining: saved.map_or(0, |saved| saved.left_out), ..Report::default() };
    let run = Run {
        session: Arc::clone(session),
        job,
        report: Arc::new(Mutex::new(report)),
        ahead: Arc::new(Mutex::new(plan.requests(session.batching.knowing(snapshot.bulk_create)))),
        span: Span::current(),
    };
    if saved.is_none()
        && let Err(error) = progress::forget(session.store()).await
    {
        session.stop().request(Ended::Fatal);
        session.tell(Event::Problem(ProblemKind::CannotWrite(chain(&error)).into()));
    }
    if let Err(error) = session.keep_names(desired).await
        && !session.store_has_failed()
    {
        session.tell(Event::Problem(ProblemKind::CannotWrite(chain(&error)).into()));
    }
    if let Err(problem) = run.keep_house(&plan.housekeeping).await {
        session.stop().request(Ended::Fatal);
        session.tell(Event::Problem(problem));
    }
    let count = plan.actions.len();
    tokio::select! {
        () = run.carry_out(plan.actions) => {}
        () = run.tick(count) => {}
    }
    let mut report = run.report.lock().unwrap_or_else(PoisonError::into_inner).clone();
    report.imports = std::mem::take(&mut *run.job.imported.lock().unwrap_or_else(PoisonError::into_inner));
    report.imports.sort_by(|one, other| one.action.key().cmp(other.action.key()));
    report.changed_imports = report.imports.iter().filter(|imported| !imported.changes().is_empty()).count();
    let outage = session.courier().outages.given_up();
    if let Some(Ended::Outage { unreachable, .. }) = outage {
        report.obstacle.get_or_insert(ProblemKind::NoAnswers { unreachable });
    }
    report.ended =
        session.stop().reason().or(outage).or_else(|| session.courier().ledgers.put_off()).unwrap_or_default();
    if let Err(error) = session.keep_account().await
        && !session.store_has_failed()
    {
        session.tell(Event::Problem(ProblemKind::CannotWrite(chain(&error)).into()));
    }
    session.courier().give_back().await;
    session.renew_index(desired, snapshot).await;
    report
}

/// One application of a plan.
#[derive(Clone)]
struct Run {
    session: Arc<Session>,
    job: Arc<Job>,
    report: Arc<Mutex<Report>>,
    /// Requests that actions may still need which have not ended.
    ahead: Arc<Mutex<BTreeMap<Endpoint, usize>>>,
    /// What the log says the run is part of; the spans of its contacts are in it.
    span: Span,
}

impl Run {
    /// Sets records right that lost their meaning.
    async fn keep_house(&self, housekeeping: &Housekeeping) -> Result<(), Problem> {
        let failed = |error| Problem::from(ProblemKind::CannotWrite(chain(&error)));
        let drop_conflict = |key: &ContactKey| Change::DropConflict { key: key.clone() };
        let mut changes: Vec<Change> = housekeeping.conflicts.iter().map(drop_conflict).collect();
        for &id in &housekeeping.intents {
            changes.push(Change::DropIntent { id });
            changes.extend(self.stands_again(&self.job.open[&id].key).await.map_err(failed)?);
        }
        for key in &housekeeping.standing {
            changes.extend(self.stands_again(key).await.map_err(failed)?);
        }
        for chunk in changes.chunks(CHANGES_PER_COMMIT) {
            self.session.store().commit(chunk.to_vec()).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Notes that a contact stands as declared: the plan found nothing to do for it, whatever became of a write that
    /// left it in doubt, and whatever its entry says of itself beside its fields.
    async fn stands_again(&self, key: &ContactKey) -> Result<Option<Change>, state::Error> {
        let Some(fingerprint) = self.job.fingerprint(key) else { return Ok(None) };
        let standing = self.session.store().binding(key).await?.filter(|binding| binding.gone_at.is_none());
        Ok(standing.map(|mut binding| {
            binding.fingerprint = Some(fingerprint);
            Change::PutBinding { key: key.clone(), binding: Box::new(binding) }
        }))
    }

    /// Local actions come first, so that contacts they give up are free for the others.
    ///
    /// Each endpoint action has a queue of its own, so that one whose quota is used up holds up no other.
    async fn carry_out(&self, actions: Vec<Action>) {
        let hands_over = hands_over(&actions);
        let (local, sending): (Vec<_>, Vec<_>) =
            actions.into_iter().partition(|action| first_request(&action.operation).is_none());
        self.work_off_local(local).await;
        let (first, sending): (Vec<_>, Vec<_>) = if hands_over {
            // Until they are done, Apollo would match a create to the contact that gives its identity up.
            sending.into_iter().partition(|action| first_request(&action.operation) == Some(Endpoint::UpdateContact))
        } else {
            (Vec::new(), sending)
        };
        let order = Batches::of(&first, self.session.batching).order;
        self.work_off(Self::queues(order, &mut Waiting::of(first))).await;
        self.carry_out_sending(sending).await;
        self.doubt_overwritten().await;
    }

    /// Carries out what sends requests; new contacts go out together where the credential may do that.
    async fn carry_out_sending(&self, actions: Vec<Action>) {
        let together = self.session.batching.size > 1 && actions.iter().any(goes_by_batch);
        let known = if together { self.may_create_many().await } else { None };
        let mut batches = Batches::of(&actions, self.session.batching.knowing(known));
        if known.is_none() {
            batches.create_alone();
        }
        let (mut order, mut waiting) = (batches.order, Waiting::of(actions));
        if known == Some(BulkCreate::Granted) && !order.creates.is_empty() {
            // What becomes of the first batch of a state is seen before others follow.
            let first = vec![waiting.together(order.creates.remove(0))];
            self.work_off([(Endpoint::CreateContacts, first)].into()).await;
        }
        let queues = Self::queues(order, &mut waiting);
        drop(waiting);
        self.work_off(queues).await;
    }

    /// Asks whether many contacts may be created in one request; tells once where they may not.
    async fn may_create_many(&self) -> Option<BulkCreate> {
        match self.session.may_create_many().await {
            Ok(Some(known)) => Some(known),
            Ok(None) => {
                self.session.tell(Event::Problem(ProblemKind::CreatesOneByOne.into()));
                None
            }
            Err(Failure::Store(error)) => {
                self.session.stop().request(Ended::Fatal);
                self.session.tell(Event::Problem(ProblemKind::CannotWrite(chain(&error)).into()));
                None
            }
            Err(Failure::Refused(error)) => {
                self.session.tell(Event::Problem(ProblemKind::BatchesUnknown { why: chain(&error) }.into()));
                None
            }
            // Whatever it is, each create meets it as well and tells of it.
            Err(_) => None,
        }
    }

    /// Lines up what is sent, by the kind of the first request; what is alone in its place goes alone.
    fn queues(order: Order, waiting: &mut Waiting) -> BTreeMap<Endpoint, Vec<Work>> {
        let mut queues: BTreeMap<Endpoint, Vec<Work>> = BTreeMap::new();
        for number in order.alone {
            let action = waiting.take(number);
            let endpoint = first_request(&action.operation).expect("what sends nothing is done before");
            queues.entry(endpoint).or_default().push(Work::Alone(Box::new(action)));
        }
        for (endpoint, batches) in [
            (Endpoint::SearchContacts, order.settles),
            (Endpoint::CreateContacts, order.creates),
            (Endpoint::UpdateContacts, order.updates),
        ] {
            queues.entry(endpoint).or_default().extend(batches.into_iter().map(|batch| waiting.together(batch)));
        }
        queues
    }

    /// Doubts once more what creates of other keys may have overwritten, now that nothing is under way.
    async fn doubt_overwritten(&self) {
        let overwritten = std::mem::take(&mut *self.job.overwritten.lock().unwrap_or_else(PoisonError::into_inner));
        for (key, fields) in overwritten {
            let place = Place { path: Path::new("").into(), key };
            let performer = Performer {
                session: &self.session,
                job: &self.job,
                place: &place,
                turn: Mutex::default(),
                crew: None,
                is_apart: false,
            };
            if let Err(Trouble { problem: Some(problem), .. }) = performer.doubt(&place.key, &fields).await {
                self.session.tell(Event::Problem(*problem));
            }
        }
    }

    /// Tells once a second how far the run is, as long as it is polled.
    async fn tick(&self, actions: usize) {
        let started = Instant::now();
        let mut active = Duration::ZERO;
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            let (mut done, mut failed) = (0, 0);
            self.count(|report| (done, failed) = (report.done(), report.failed));
            let ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let left = time_left(self.session.courier().ledgers.forecast(&ahead), active, done + failed, actions);
            if !self.session.courier().ledgers.is_waiting() {
                active += TICK;
            }
            self.session.courier().tell_quota_left();
            let (elapsed, now) = (started.elapsed(), self.session.now());
            self.session.tell(Event::Tick { elapsed, done, failed, now, left });
        }
    }

    /// Carries out actions that only wait for the disk, many at a time, and reports them in order.
    async fn work_off_local(&self, queue: Vec<Action>) {
        let mut under_way = VecDeque::new();
        let mut queue = queue.into_iter();
        loop {
            while under_way.len() < LOCAL_PARALLELISM && !self.session.stop().is_requested() {
                let Some(action) = queue.next() else { break };
                under_way.push_back(tokio::spawn(self.clone().carry(action, None, None)));
            }
            let Some(oldest) = under_way.pop_front() else { break };
            self.conclude(oldest.await.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        let left = queue.len();
        self.count(|report| report.remaining += left);
    }

    /// Works off actions by the kind of their first request, each kind as long as such requests go out.
    async fn work_off(&self, queues: BTreeMap<Endpoint, Vec<Work>>) {
        let mut queues: BTreeMap<_, _> =
            queues.into_iter().map(|(endpoint, work)| (endpoint, self.queue(endpoint, work))).collect();
        let is_over = |endpoint| {
            self.session.stop().is_requested()
                || self.session.courier().ledgers.is_put_off(endpoint)
                || self.session.courier().outages.is_given_up(endpoint)
        };
        let turn_over = Arc::new(Notify::new());
        let mut under_way = JoinSet::new();
        loop {
            for (&endpoint, queue) in &mut queues {
                while queue.under_way < queue.at_a_time && !is_over(endpoint) {
                    let Ok(permit) = Arc::clone(&queue.turns).try_acquire_owned() else { break };
                    let Some(work) = queue.work.next() else { break };
                    let turn = Turn { permit: Some(permit), over: Arc::clone(&turn_over) };
                    let run = self.clone();
                    match work {
                        Work::Alone(action) => {
                            under_way.spawn(async move {
                                run.carry_alone(*action, turn).await;
                                endpoint
                            });
                        }
                        Work::Together(actions) => {
                            under_way.spawn(async move {
                                run.carry_together(actions, turn).await;
                                endpoint
                            });
                        }
                    }
                    queue.under_way += 1;
                }
            }
            tokio::select! {
                done = under_way.join_next() => {
                    let Some(done) = done else { break };
                    let endpoint = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                    queues.get_mut(&endpoint).expect("what is under way came from a queue").under_way -= 1;
                }
                () = turn_over.notified() => {}
            }
        }
        let left: usize = queues.into_values().flat_map(|queue| queue.work).map(|work| work.len()).sum();
        self.count(|report| report.remaining += left);
    }

    /// Lines up actions that begin with the same kind of request.
    fn queue(&self, endpoint: Endpoint, work: Vec<Work>) -> Queue {
        let parallelism = self.session.parallelism;
        let (turns, at_a_time) = match endpoint {
            // Settling waits for its time without using a place.
            Endpoint::SearchContacts => (Semaphore::MAX_PERMITS, usize::MAX),
            // One request at a time keeps its actions one by one.
            _ => (parallelism, parallelism * 2 - 1),
        };
        Queue { work: work.into_iter(), turns: Arc::new(Semaphore::new(turns)), under_way: 0, at_a_time }
    }

    async fn carry_alone(self, action: Action, turn: Turn) {
        let requests = action.requests();
        let outcome = self.clone().carry(action, Some(turn), None).await;
        self.conclude(outcome);
        self.no_longer_ahead(requests);
    }

    /// Carries out actions side by side.
    async fn carry_together(self, actions: Vec<Action>, turn: Turn) {
        let requests: Vec<Endpoint> = {
            let all_in_one = Batching { size: actions.len().max(2), first: actions.len(), ..self.session.batching };
            let requests = Batches::of(&actions, all_in_one).requests();
            requests.into_iter().flat_map(|(endpoint, count)| std::iter::repeat_n(endpoint, count)).collect()
        };
        let creates = actions.iter().any(goes_by_batch);
        // As if each waited for itself: one of a name at a time, and one probe while such requests fail.
        let shares_name = |action: &Action| action.entry().is_some_and(|entry| self.job.shares_name(entry));
        let job = Arc::clone(&self.job);
        let _alone =
            if creates && actions.iter().any(shares_name) { Some(job.one_of_a_name.lock().await) } else { None };
        let session = Arc::clone(&self.session);
        let _turn = if creates { session.courier().turn(Endpoint::CreateContacts).await.ok() } else { None };
        self.let_all_show(&actions).await;
        let crew = Arc::new(Crew::default());
        let members: Vec<_> = actions.into_iter().map(|action| (Crew::join(&crew), action)).collect();
        let mut at_work = JoinSet::new();
        for (member, action) in members {
            let run = self.clone();
            at_work.spawn(async move {
                let outcome = run.clone().carry(action, None, Some(member)).await;
                run.conclude(outcome);
            });
        }
        batch::lead(&self.session, &crew, || drop(turn)).await;
        while let Some(done) = at_work.join_next().await {
            done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        }
        self.no_longer_ahead(requests);
    }

    /// Carries out one action, telling how it goes on.
    async fn carry(self, action: Action, turn: Option<Turn>, member: Option<Member>) -> Outcome {
        let span = tracing::info_span!(
            parent: &self.span,
            "contact",
            key = %action.key(),
            apollo_id = action.operation.known_id().map(field::display),
            request_id = field::Empty,
        );
        self.carry_within(action, turn, member).instrument(span).await
    }

    async fn carry_within(self, action: Action, turn: Option<Turn>, member: Option<Member>) -> Outcome {
        let _mark = self.session.under_way.mark(action.keys());
        let (key, step, id) = (action.key().clone(), step(&action.operation), action.operation.known_id());
        let started = Instant::now();
        if !matches!(action.operation, Operation::Conflict { .. } | Operation::Contradiction { .. }) {
            self.session.tell(Event::Started { key: key.clone(), step, id: id.clone() });
        }
        let (session, turn) = (&*self.session, Mutex::new(turn));
        let crew = member.as_ref().map(Member::crew);
        let performer = Performer { session, job: &self.job, place: &action.place, turn, crew, is_apart: false };
        let work = performer.perform(&action);
        tokio::pin!(work);
        let mut ticks = tokio::time::interval_at(started + STILL_RUNNING, STILL_RUNNING);
        let result = loop {
            tokio::select! {
                result = &mut work => break result,
                _ = ticks.tick() => {
                    let (key, id) = (key.clone(), id.clone());
                    self.session.tell(Event::StillRunning { key, step, id, elapsed: started.elapsed() });
                }
            }
        };
        if let (None, Ok(End::Done(_, Some(found)) | End::BoundOnly { id: found, .. })) = (&id, &result) {
            Span::current().record("apollo_id", field::display(found));
        }
        Outcome { key, step, result, elapsed: started.elapsed(), span: Span::current() }
    }

    /// Counts how an action ended, and reports it.
    fn conclude(&self, outcome: Outcome) {
        let Outcome { key, step: planned, result, elapsed, span } = outcome;
        let _within = span.entered();
        let end = match result {
            Ok(end) => end,
            Err(trouble) => {
                if let Some(problem) = trouble.problem {
                    // One that names no entry would have met any other in its place.
                    let kind = problem.kind.clone();
                    self.count(|report| match problem.key {
                        Some(_) => report.failures.push((key.clone(), kind)),
                        None => report.obstacle = Some(kind),
                    });
                    self.session.tell(Event::Problem(*problem));
                }
                trouble.end
            }
        };
        match end {
            End::Done(step, id) => {
                self.count(|report| *counter(report, step) += 1);
                self.session.tell(Event::Finished { key, step, id, elapsed });
            }
            End::BoundOnly { step, id, told } => {
                self.count(|report| {
                    *counter(report, step) += 1;
                    *(if told { &mut report.failed } else { &mut report.remaining }) += 1;
                });
                self.session.tell(Event::Finished { key, step, id: Some(id), elapsed });
            }
            End::Failed => {
                self.count(|report| report.failed += 1);
                self.session.tell(Event::Failed { key, step: planned, elapsed });
            }
            // A stale look is made again where it was made, so it ends nothing but a run that ends.
            End::NotBegun | End::Stale => self.count(|report| report.remaining += 1),
        }
    }

    /// Waits as long as contacts that a batch in doubt has made still appear, so that none of it is sent again too early.
    async fn let_all_show(&self, actions: &[Action]) {
        let in_doubt = actions.iter().filter_map(|action| match &action.operation {
            Operation::Settle { intent, .. } => Some(&**intent),
            _ => None,
        });
        let in_doubt: Vec<&Intent> = in_doubt.collect();
        let Some(last) = in_doubt.iter().max_by_key(|intent| intent.last_sent_at) else { return };
        let patience = self.session.settle_after(last);
        self.session.courier().pause(settle_wait(last, patience, self.session.now())).await;
        let mut due = last.last_sent_at + patience;
        let mut shown = 0;
        // Whatever keeps it from being read, each of them meets and tells.
        while let Ok(newest) = self.session.newest(last, due).await {
            let now_shown = newest.count(&in_doubt);
            if now_shown == shown || now_shown == in_doubt.len() || self.session.stop().is_requested() {
                return;
            }
            shown = now_shown;
            self.session.courier().pause(patience).await;
            due = self.session.now();
        }
    }

    /// Notes that these requests have been made, or were not needed.
    fn no_longer_ahead(&self, requests: Vec<Endpoint>) {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        for endpoint in requests {
            ahead.entry(endpoint).and_modify(|ahead| *ahead = ahead.saturating_sub(1));
        }
    }

    fn count(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What begins at one time.
enum Work {
    Alone(Box<Action>),
    /// Actions that share requests.
    Together(Vec<Action>),
}

/// Actions that have not begun, by their numbers.
struct Waiting(Vec<Option<Action>>);

impl Waiting {
    fn of(actions: Vec<Action>) -> Self {
        Self(actions.into_iter().map(Some).collect())
    }

    fn take(&mut self, number: usize) -> Action {
        self.0[number].take().expect("each action begins once")
    }

    fn together(&mut self, numbers: Vec<usize>) -> Work {
        Work::Together(numbers.into_iter().map(|number| self.take(number)).collect())
    }
}

impl Work {
    /// Counts its actions.
    fn len(&self) -> usize {
        match self {
            Self::Alone(_) => 1,
            Self::Together(actions) => actions.len(),
        }
    }
}

/// Actions that begin with the same kind of request.
struct Queue {
    work: std::vec::IntoIter<Work>,
    /// As many as requests may be under way: an answered one lets the next action begin while its answer is on its
    /// way to the disk, so that more results share a barrier.
    turns: Arc<Semaphore>,
    under_way: usize,
    /// Most actions under way, those included whose answers are being recorded.
    at_a_time: usize,
}

/// How one action went.
struct Outcome {
    key: ContactKey,
    /// What it was planned to be.
    step: Step,
    result: Result<End, Trouble>,
    elapsed: Duration,
    /// What the log says it is part of.
    span: Span,
}

/// Looks at the contacts that entries of a plan name, where pages show them by fewer requests than a view of each.
///
/// Whom it does not show is viewed when its turn comes, and whatever keeps it from looking is met there and told.
async fn seen_before(session: &Session, plan: &Plan, snapshot: &Snapshot) -> BTreeMap<ApolloId, PackedSeen> {
    let named = plan.actions.iter().filter_map(|action| match &action.operation {
        Operation::Adopt { id, entry, .. } => Some((id.clone(), AskedFor::of_entry(&entry.unpack()))),
        _ => None,
    });
    let asked: Asked = asked(named);
    if asked.len() < FEW_IMPORTS {
        return BTreeMap::new();
    }
    session.look_at(snapshot.identity_key, &asked).await
}

/// Lists contacts that are older than this run and that its local actions may have freed: those of keys that
/// change or went, and those of forgotten keys.
fn known_contacts(snapshot: &Snapshot) -> BTreeSet<ApolloId> {
    let forgotten = snapshot.tombstones.values().map(|tombstone| tombstone.apollo_id.clone());
    forgotten.chain(snapshot.bindings.values().map(|binding| binding.apollo_id.clone())).collect()
}

fn counter(report: &mut Report, step: Step) -> &mut usize {
    match step {
        Step::Create => &mut report.added,
        Step::Import | Step::Restore => &mut report.imported,
        Step::Update => &mut report.changed,
        Step::Move => &mut report.moved,
        Step::Release => &mut report.released,
        Step::Forget => &mut report.forgotten,
        Step::Settle => &mut report.settled,
    }
}

fn step(operation: &Operation) -> Step {
    match operation {
        Operation::Create { .. } => Step::Create,
        Operation::Adopt { .. } => Step::Import,
        Operation::Restore { .. } => Step::Restore,
        Operation::Move { .. } => Step::Move,
        Operation::Release { .. } => Step::Release,
        Operation::Forget { .. } => Step::Forget,
        Operation::Settle { .. } => Step::Settle,
        Operation::Update { .. } | Operation::Conflict { .. } | Operation::Contradiction { .. } => Step::Update,
    }
}
