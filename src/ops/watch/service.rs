//! What a service holds: the state while it is open, its credential and its settings, and what passes leave for the next.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::absent::Absent;
use super::approval::Approval;
use super::board::{Board, Braked, Phase, StandingBy, Trouble};
use super::control::{ApproveAnswer, Command, Unable};
use super::failing::FailingEntries;
use super::place::Place;
use super::settings::Settings;
use crate::apollo::Credential;
use crate::beneath::Bounds;
use crate::model::{Digest, IdentityKey, Timestamp};
use crate::ops::{
    Cause, Ended, Entropy, Event, Notice, PassEvent, ProblemKind, Report, Session, SessionError, Stop, chain,
};
use crate::plan::Policy;
use crate::state;
use crate::watcher::{Look, Watcher};

/// A wait for quota that is longer ends the pass, which is made again when the window opens.
const QUOTA_PATIENCE: Duration = Duration::from_secs(5);

/// What a service keeps in step, and how.
pub struct WatchOptions {
    pub dir: PathBuf,
    /// Where the directory and the links in it may lead.
    pub bounds: Bounds,
    pub settings: Settings,
    pub dry_run: bool,
    /// Ends after one pass, which makes way for nothing.
    pub once: bool,
    pub watcher: Watcher,
    /// Reads the credential again; an error says why it cannot.
    pub credential: Arc<dyn Fn() -> Result<Credential, String> + Send + Sync>,
    /// The place of the service of this state; without one it cannot be paused.
    pub place: Option<Place>,
    pub commands: UnboundedReceiver<Command>,
    pub board: Board,
    pub stop: Stop,
}

/// What a service did while it ran.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct WatchSummary {
    pub passes: usize,
    /// The sum over all passes.
    pub total: Report,
    /// Whether the last pass left nothing undone.
    pub last_pass_was_complete: bool,
    /// Why it ended.
    pub ended: Ended,
}

/// What a pass made way for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MadeWay {
    /// A change, of which more may follow.
    Change,
    /// Changes that are over.
    Burst,
    Command,
}

impl MadeWay {
    /// Reports whether nothing else calls for the pass that is to follow.
    pub(super) fn calls_for_a_pass(self) -> bool {
        match self {
            Self::Change => false,
            Self::Burst | Self::Command => true,
        }
    }
}

/// What is known of the credential in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Unproven,
    /// The state is of this credential's team.
    Proven,
    /// Apollo does not take it, or it is another team's.
    Refused,
}

/// A person's wish to let a plan through, and where the answer goes.
pub(super) type Asked = (Digest, oneshot::Sender<Result<ApproveAnswer, Unable>>);

/// Keeps Apollo in step with the files until it is asked to stop.
pub struct Service {
    pub(super) dir: PathBuf,
    pub(super) bounds: Bounds,
    pub(super) settings: Settings,
    pub(super) dry_run: bool,
    pub(super) once: bool,
    pub(super) watcher: Watcher,
    credential: Arc<dyn Fn() -> Result<Credential, String> + Send + Sync>,
    /// The place of the service; without one it cannot be paused.
    pub(super) place: Option<Place>,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) board: Board,
    pub(super) stop: Stop,
    /// `None` while paused, and until the state could be opened.
    pub(super) session: Option<Arc<Session>>,
    pub(super) paused: Option<Timestamp>,
    /// The process that the service waits for.
    pub(super) standing_by: Option<StandingBy>,
    /// Commands that came during a pass.
    pub(super) queue: VecDeque<Command>,
    /// What the last pass made way for.
    pub(super) made_way: Option<MadeWay>,
    /// When Apollo was last asked for names.
    pub(super) names_asked_at: Option<Timestamp>,
    /// What has changed since the files were last read well.
    pub(super) missed: Option<Look>,
    /// When the next pass is worth making though nothing changed.
    pub(super) again_at: Option<Timestamp>,
    pub(super) resync_at: Timestamp,
    /// When it is looked next what has changed in Apollo, where that is asked for.
    pub(super) refresh_at: Timestamp,
    pub(super) absent: Absent,
    pub(super) failing: FailingEntries,
    pub(super) approval: Approval,
    pub(super) asked: Option<Asked>,
    pub(super) braked: Option<Braked>,
    /// What keeps the service as a whole from its work, as it was met last.
    pub(super) obstacle: Option<Trouble>,
    pub(super) standing: Standing,
    /// The credential before one that is not proven yet.
    pub(super) former: Option<Credential>,
    /// The hash of a new credential that was turned down.
    pub(super) turned_down: Option<String>,
    unreadable: Option<String>,
    pub(super) summary: WatchSummary,
}

impl Service {
    /// Opens the state, unless a person has paused the service of it.
    pub async fn begin(options: WatchOptions) -> Result<Self, SessionError> {
        let WatchOptions { dir, bounds, settings, dry_run, once, watcher, credential, place, commands, board, stop } =
            options;
        let paused = place.as_ref().and_then(Place::paused);
        let (now, seed) = (settings.session.clock.now(), settings.session.seed);
        board.note(|status| status.only_plans = dry_run);
        let mut service = Self {
            dir,
            bounds,
            settings,
            dry_run,
            once,
            watcher,
            credential,
            place,
            commands,
            board,
            stop,
            session: None,
            paused,
            standing_by: None,
            queue: VecDeque::new(),
            made_way: None,
            names_asked_at: None,
            missed: None,
            again_at: None,
            resync_at: now,
            refresh_at: now,
            absent: Absent::default(),
            failing: FailingEntries::new(seed),
            approval: Approval::default(),
            asked: None,
            braked: None,
            obstacle: None,
            standing: Standing::Unproven,
            former: None,
            turned_down: None,
            unreadable: None,
            summary: WatchSummary::default(),
        };
        if service.paused.is_none() {
            service.session = match service.open().await {
                Ok(session) => Some(Arc::new(session)),
                // It is waited for from the first pass on.
                Err(error) if service.stands_by_after(&error).is_some() => None,
                Err(error) => return Err(error),
            };
        }
        Ok(service)
    }

    /// Tells since when the service is paused.
    pub fn paused_since(&self) -> Option<Timestamp> {
        self.paused
    }

    /// Takes over new settings; those that the open state depends on by opening it again.
    pub(super) async fn reload(&mut self, new: Settings) {
        self.turned_down = None;
        let session = &mut self.settings.session;
        let facts = |of: &crate::ops::SessionOptions| {
            let times = of.client.as_ref().map(|client| (client.connect_timeout, client.request_timeout));
            (of.rules, of.max_wait, of.parallelism, of.settle_after, of.backoff, times)
        };
        let differs = facts(session) != facts(&new.session);
        session.rules = new.session.rules;
        session.max_wait = new.session.max_wait;
        session.parallelism = new.session.parallelism;
        session.settle_after = new.session.settle_after;
        session.settle_batches_after = new.session.settle_batches_after;
        session.backoff = new.session.backoff;
        if let (Some(client), Some(new)) = (&mut session.client, new.session.client) {
            client.connect_timeout = new.connect_timeout;
            client.request_timeout = new.request_timeout;
        }
        let Settings { policy, resync, refresh, forget_after, session: _ } = new;
        self.settings = Settings { policy, resync, refresh, forget_after, session: session.clone() };
        if differs {
            self.release().await;
        }
    }

    /// Reads the credential again; a new one is used from the next pass on. Tells whether there is a new one.
    pub(super) async fn renew_credential(&mut self) -> bool {
        let read = match (self.credential)() {
            Ok(read) => read,
            Err(why) => {
                if self.unreadable.as_ref() != Some(&why) {
                    self.unreadable = Some(why.clone());
                    self.tell(Event::Problem(ProblemKind::CredentialUnreadable { why, is_refused: false }.into()));
                }
                return false;
            }
        };
        self.unreadable = None;
        let Some(client) = &mut self.settings.session.client else { return false };
        let new = hash(&read);
        if new == hash(&client.credential) || self.turned_down.as_ref() == Some(&new) {
            return false;
        }
        let former = std::mem::replace(&mut client.credential, read);
        self.former.get_or_insert(former);
        self.standing = Standing::Unproven;
        self.release().await;
        self.say(Notice::CredentialChanged);
        true
    }

    /// Puts the credential back that was used before one that did not prove good.
    pub(super) async fn turn_down(&mut self, former: Credential, why: Cause) {
        if let Some(client) = &mut self.settings.session.client {
            self.turned_down = Some(hash(&client.credential));
            client.credential = former;
        }
        self.release().await;
        self.tell(Event::Problem(ProblemKind::NewCredentialTurnedDown(why).into()));
    }

    /// Opens the state.
    pub(super) async fn open(&self) -> Result<Session, SessionError> {
        self.open_within(self.settings.session.lock_timeout).await
    }

    /// Opens the state, if other writers leave it within this time.
    pub(super) async fn open_within(&self, lock_timeout: Duration) -> Result<Session, SessionError> {
        let mut options = crate::ops::SessionOptions { lock_timeout, ..self.settings.session.clone() };
        if self.summary.passes > 0
            && let Ok(entropy) = Entropy::draw()
        {
            // Should the state have gone meanwhile, the next one is another.
            options.drawn = entropy.drawn;
        }
        if !self.once {
            // No wait for quota ends a service, so none is too long.
            options.max_wait = None;
        }
        let session = Session::open(options).await?.stopping_by(self.stop.clone());
        session.remarks().into_iter().for_each(|remark| self.tell(Event::Problem(remark)));
        Ok(if self.once { session } else { session.putting_off_after(QUOTA_PATIENCE) })
    }

    /// Releases the state, after everything that was under way.
    pub(super) async fn release(&mut self) {
        let Some(session) = self.session.take() else { return };
        self.board.note(|status| status.phase = Phase::Passing);
        if let Err(error) = close(session).await {
            self.tell(Event::Problem(ProblemKind::NotClosed(chain(&error)).into()));
        }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.settings.policy
    }

    pub(super) fn now(&self) -> Timestamp {
        self.settings.session.clock.now()
    }

    pub(super) fn tell(&self, event: Event) {
        (self.settings.session.events)(event);
    }

    pub(super) fn say(&self, notice: Notice) {
        self.tell(Event::Pass(PassEvent::Notice(notice)));
    }
}

pub(super) async fn close(session: Arc<Session>) -> Result<(), state::Error> {
    Arc::into_inner(session).expect("every task of a pass has ended with it").close().await
}

/// Knows a credential again, in this process.
fn hash(credential: &Credential) -> String {
    credential.keyed_hash(&IdentityKey([0; 32]))
}
