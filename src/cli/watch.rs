//! `contactsd watch`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::MissedTickBehavior;

use super::args::{LockArgs, RequestArgs};
use super::connection::{self, close_sandbox, holder, patiently, session_error, tune};
use super::context::Context;
use super::listening::{self, ListenArgs};
use super::observer::Observer;
use super::reading::{own_state, state_error};
use super::run::block_on;
use super::signals::{self, Hangups, Signals};
use super::supervisor::Supervisor;
use super::{Exit, stand_in};
use crate::failpoints::{Step, reached};
use crate::ops::watch::{Board, Command, Place, PlaceOptions, Settings};
use crate::ops::{self, Event, PassEvent, Service, SessionOptions, Stop, WatchOptions, WatchSummary};
use crate::plan::{Limit, Policy, Scope};
use crate::serve::Routes;
use crate::settings::{Environment, is_at_home, keep_from_git, parse_duration, parse_interval};
use crate::shell_word::command;
use crate::state;
use crate::store;
use crate::ui::json::{drift_records, pass_record, plan_records, report_record, watch_record};
use crate::ui::words::service::Begins;
use crate::ui::words::system::{Asked, cannot};
use crate::ui::{
    Mask, PlanOptions, PlanText, Progress, apply_summary, drift_note, message_text, pass_summary, plan_summary,
    watch_summary, words,
};
use crate::watcher::{self, Watcher};

#[derive(Debug, Args)]
pub(super) struct WatchArgs {
    /// Make one pass and exit
    #[arg(long)]
    pub(super) once: bool,
    /// Plan, but apply nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Check everything again after this time, even if no change was noticed
    #[arg(long, value_name = "DUR", default_value = "5m", value_parser = parse_interval)]
    pub(super) resync: Duration,
    /// Read what has changed in Apollo at the start and then at this interval, and restore what the files say
    #[arg(long, value_name = "DUR", value_parser = parse_interval)]
    pub(super) refresh: Option<Duration>,
    /// Look for changes at this interval instead of using events of the system
    #[arg(long, value_name = "DUR", value_parser = parse_interval)]
    pub(super) poll: Option<Duration>,
    /// Forget a contact only if it is still missing in the files after this time
    #[arg(long, value_name = "DUR", default_value = "60s", value_parser = parse_duration)]
    pub(super) forget_after: Duration,
    /// Allow forgetting most or all managed contacts in one pass
    #[arg(long)]
    pub(super) force: bool,
    /// Stop a pass that would create more contacts than this number or N%
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(super) max_creates: Limit,
    /// Stop a pass that would update more contacts than this number or N%
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(super) max_updates: Limit,
    /// Stop a pass that would forget more contacts than this number or N%
    #[arg(long, value_name = "N")]
    pub(super) max_forgets: Option<Limit>,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
    #[command(flatten)]
    pub(super) listening: ListenArgs,
}

impl WatchArgs {
    pub(super) fn policy(&self) -> Policy {
        Policy {
            force: self.force,
            max_creates: Some(self.max_creates),
            max_updates: Some(self.max_updates),
            max_forgets: self.max_forgets,
            recreate: BTreeSet::new(),
            create: BTreeSet::new(),
            scope: Scope::default(),
        }
    }
}

/// How often it is looked at whether what is told is written.
const TELLING_LOOK: Duration = Duration::from_secs(1);

/// Reads the command line again, with the settings file as it is then; an error says what is wrong with it.
type Again<'a> = &'a dyn Fn(&Environment) -> Result<WatchArgs, String>;

pub(super) fn run(args: &WatchArgs, again: Again<'_>, context: &mut Context) -> Exit {
    block_on(context, async |context: &mut Context| {
        Box::pin(watch(args, again, context)).await.unwrap_or_else(|exit| exit)
    })
}

async fn watch(args: &WatchArgs, again: Again<'_>, context: &mut Context) -> Result<Exit, Exit> {
    own_state(context)?;
    refuse_while_paused(args, context)?;
    let watcher = watcher(args, context)?;
    stand_in::announce(context);
    let observer = Observer::new(context);
    let (tell, events) = observer.channel();
    let lock_timeout = args.lock.lock_timeout;
    let (session, sandbox) = connection::prepare(context, "watch", lock_timeout, &args.requests, tell).await?;
    let ended = Box::pin(serve(args, again, context, watcher, session, &observer, events)).await;
    if !matches!(ended, Err(Exit::Interrupted | Exit::Terminated)) {
        close_sandbox(context, sandbox).await;
    }
    ended
}

/// A single pass is work of the service too, and a person should see why it was not made.
fn refuse_while_paused(args: &WatchArgs, context: &mut Context) -> Result<(), Exit> {
    if !args.once {
        return Ok(());
    }
    match store::paused(&context.locations.state) {
        Ok(None) => Ok(()),
        Ok(Some(since)) => Err(context.fail(&words::service::is_paused(since, &command("resume")))),
        Err(error) => Err(state_error(context, &error)),
    }
}

fn watcher(args: &WatchArgs, context: &mut Context) -> Result<Watcher, Exit> {
    let mut options = watcher::Options::new(context.locations.contacts.clone());
    options.poll = args.poll;
    options.bounds = context.bounds.clone();
    options.ignore = vec![context.locations.state.directory().to_owned()];
    Watcher::new(options).map_err(|error| context.fail(&words::service::cannot_watch(&error)))
}

async fn serve(
    args: &WatchArgs,
    again: Again<'_>,
    context: &mut Context,
    watcher: Watcher,
    session: SessionOptions,
    observer: &Arc<Observer>,
    mut events: UnboundedReceiver<Event>,
) -> Result<Exit, Exit> {
    let (dir, bounds) = (context.locations.contacts.clone(), context.bounds.clone());
    let board = Board::new(dir.clone(), session.clock.now());
    let (sender, commands) = unbounded_channel();
    let stop = Stop::default();
    let mut place = if args.once { None } else { Some(take_place(context, &session)?) };
    let settings = settings(args, session.clone());
    let credential = connection::credential_source(context);
    let pages = Routes::pages(listening::answers(context, &board, observer));
    let server = listening::listen(&args.listening, context, pages.clone()).await?;
    if let Some(place) = &mut place {
        place.answer(pages, board.clone(), sender.clone());
    }
    let (once, dry_run) = (args.once, args.dry_run);
    // Nothing is under way that it could break off, and systemd takes an end by SIGHUP for one in order.
    let hangups = Hangups::listen().map_err(|error| cannot_listen(context, &error))?;
    let options = WatchOptions {
        dir,
        bounds,
        settings,
        dry_run,
        once,
        watcher,
        credential,
        place,
        commands,
        board: board.clone(),
        stop: stop.clone(),
    };
    let begun = patiently(context, &session.waiting, Service::begin(options)).await;
    let service = begun.map_err(|error| session_error(context, &error))?;
    reached(Step::StateOpened);
    // Only now: until here nothing is under way that a signal must not end at once.
    let signals = Signals::listen().map_err(|error| cannot_listen(context, &error))?;
    begin(args, context, &service);
    let driver =
        Driver { signals, hangups, stop, board, reload: sender, session, supervisor: Supervisor::find(), args, again };
    let result = Box::pin(driver.drive(context, service, &mut events)).await;
    drop(server);
    let (summary, closed) = result?;
    reached(Step::BeforeClose);
    closed.map_err(|error| context.fail(&words::not_closed(&ops::chain(&error))))?;
    Ok(conclude(context, args, &summary))
}

fn settings(args: &WatchArgs, session: SessionOptions) -> Settings {
    let WatchArgs { resync, refresh, forget_after, .. } = *args;
    Settings { policy: args.policy(), resync, refresh, forget_after, session }
}

fn take_place(context: &mut Context, session: &SessionOptions) -> Result<Place, Exit> {
    let state = session.state.clone();
    let prepare = {
        let state = state.clone();
        move || {
            if is_at_home(state.directory())
                && let Err(error) = keep_from_git()
            {
                tracing::warn!("cannot write .contactsd/.gitignore: {error}");
            }
        }
    };
    let options = PlaceOptions {
        state,
        runtime: context.environment.runtime_directory(),
        holder: holder(context, "watch", session.clock.now()),
        prepare: Arc::new(prepare),
        events: Arc::clone(&session.events),
    };
    Place::take(options).map_err(|error| state_error(context, &error))
}

fn cannot_listen(context: &mut Context, error: &std::io::Error) -> Exit {
    context.fail(&cannot(Asked::Signals, error))
}

fn begin(args: &WatchArgs, context: &mut Context, service: &Service) {
    let how = match service.paused_since() {
        Some(since) => Begins::Paused(since),
        None if args.once => Begins::OnePass,
        None => Begins::Watching,
    };
    context.shell.status(words::service::begins(how, &context.locations.contacts, &command("resume")));
}

/// Everything that acts on a running service from outside.
struct Driver<'a> {
    signals: Signals,
    hangups: Hangups,
    stop: Stop,
    board: Board,
    reload: UnboundedSender<Command>,
    session: SessionOptions,
    supervisor: Supervisor,
    args: &'a WatchArgs,
    again: Again<'a>,
}

impl Driver<'_> {
    /// Runs the service to its end, showing its events; a second signal leaves at once, as `Err`.
    async fn drive(
        self,
        context: &mut Context,
        service: Service,
        events: &mut UnboundedReceiver<Event>,
    ) -> Result<(WatchSummary, Result<(), state::Error>), Exit> {
        let Self { mut signals, mut hangups, stop, board, reload, session, mut supervisor, args, again } = self;
        let mut view = View::new(context, args);
        let work = service.run();
        tokio::pin!(work);
        if !args.once {
            supervisor.ready();
        }
        let mut looks = tokio::time::interval(TELLING_LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut asked = false;
        let ended = loop {
            tokio::select! {
                ended = &mut work => break ended,
                Some(event) = events.recv() => {
                    if let Some(status) = view.show(&event) {
                        supervisor.status(&status);
                    }
                }
                ended = signals.next() => {
                    if asked {
                        return Err(signals::exit(&ended).unwrap_or(Exit::Failure));
                    }
                    asked = true;
                    supervisor.stopping();
                    stop.request(ended);
                    view.show(&Event::Stopping);
                }
                () = hangups.next() => {
                    supervisor.reloading();
                    // The service hears of it as long as it runs; what a single pass began is not changed.
                    if let Some(settings) = view.reread(again, &session).filter(|_| !args.once) {
                        let _ = reload.send(Command::Reload(Box::new(settings)));
                    }
                    supervisor.ready();
                }
                _ = looks.tick() => {
                    view.context.shell.tell_dropped();
                    board.note_telling(view.context.shell.telling());
                }
                () = supervisor.keep_alive() => {}
            }
        };
        while let Ok(event) = events.try_recv() {
            view.show(&event);
        }
        Ok(ended)
    }
}

fn conclude(context: &mut Context, args: &WatchArgs, summary: &WatchSummary) -> Exit {
    let color = context.shell.stdout().color;
    if !args.once {
        let text = watch_summary(summary.passes, &summary.total, color);
        context.shell.result_as(text, [watch_record(summary)]);
    }
    if args.once && !summary.last_pass_was_complete { Exit::Failure } else { Exit::Success }
}

/// Shows the events of passes, each with a progress of its own.
struct View<'a> {
    context: &'a mut Context,
    progress: Progress,
    dry_run: bool,
    /// Whether no further pass does the rest.
    is_single: bool,
    /// Whether a pass has got as far as a plan; later ones without changes are quiet.
    has_planned: bool,
    /// What was last said about files that cannot be used, so that it is said once.
    last_refusal: Option<String>,
}

impl<'a> View<'a> {
    fn new(context: &'a mut Context, args: &WatchArgs) -> Self {
        let (dry_run, is_single) = (args.dry_run, args.once);
        Self { context, progress: Progress::default(), dry_run, is_single, has_planned: false, last_refusal: None }
    }

    /// Reads flags, environment and settings file again; what cannot be used is said, and changes nothing.
    fn reread(&mut self, again: Again<'_>, session: &SessionOptions) -> Option<Settings> {
        let args = match again(&self.context.environment) {
            Ok(args) => args,
            Err(why) => {
                self.context.shell.message(&words::service::settings_unreadable(&why));
                return None;
            }
        };
        let mut session = session.clone();
        tune(&mut session, self.context.sandbox, &args.requests);
        self.context.shell.status(words::service::RELOADING);
        Some(settings(&args, session))
    }

    /// Shows an event; returns what a supervisor may show of it.
    fn show(&mut self, event: &Event) -> Option<String> {
        let Event::Pass(pass) = event else {
            self.progress.event(&mut self.context.shell, event);
            return None;
        };
        if !matches!(pass, PassEvent::Refused(_)) {
            self.context.shell.records(pass_record(pass));
        }
        match pass {
            PassEvent::Refused(error) => {
                let messages = words::load(error);
                let plain = crate::ui::Stream::default();
                let text: String = messages.iter().map(|message| message_text(message, plain)).collect();
                if self.last_refusal.as_ref() != Some(&text) {
                    self.context.shell.messages(messages);
                    self.context.shell.status_as(words::service::WAITS_FOR_FILES, pass_record(pass));
                    self.last_refusal = Some(text);
                }
                return Some(words::service::FILES_REFUSED.to_owned());
            }
            PassEvent::Drifted(drift) => {
                self.context.shell.status_as(drift_note(drift), drift_records(drift, Mask::Off));
                return None;
            }
            PassEvent::Planned(planned) => {
                self.last_refusal = None;
                let color = self.context.shell.stdout().color;
                let plan = &planned.plan;
                if !plan.is_empty() || !self.has_planned {
                    self.context.shell.records(plan_records(planned, Mask::Off));
                }
                if self.dry_run && !self.context.shell.speaks_log() {
                    let options = PlanOptions { color, digest: planned.digest.as_ref(), ..PlanOptions::default() };
                    self.context.shell.result_as(PlanText { plan, options }, []);
                } else if !plan.is_empty() {
                    self.context.shell.result_as(plan_summary(plan, color), []);
                } else if !self.has_planned && planned.left_out == 0 {
                    let options = PlanOptions { color, ..PlanOptions::default() };
                    self.context.shell.status_as(PlanText { plan, options }, []);
                }
                self.has_planned = true;
                return plan.is_empty().then(|| words::service::NOTHING_TO_DO.to_owned());
            }
            PassEvent::Absent { contacts, forget_after } => {
                self.context.shell.status_as(words::service::absent(*contacts, *forget_after), []);
            }
            PassEvent::Braked { problems, digest } => {
                self.context.shell.messages(problems.iter().map(words::problem));
                if self.dry_run {
                    return Some(words::service::EXCEEDS_LIMITS.to_owned());
                }
                if !self.is_single {
                    let approve = command(&format!("approve {digest}"));
                    self.context.shell.status(words::service::how_to_approve(&approve));
                }
                return Some(words::service::waits_for_approval(digest));
            }
            PassEvent::Applied(report) => {
                std::mem::take(&mut self.progress).finish(&mut self.context.shell);
                let color = self.context.shell.stdout().color;
                super::showing::show_imports(self.context, report);
                let summary = if self.is_single { apply_summary(report, color) } else { pass_summary(report, color) };
                self.context.shell.result_as(summary, [report_record(report)]);
                return Some(pass_summary(report, false).lines().next().unwrap_or_default().to_owned());
            }
            PassEvent::Ended(_) => {}
            PassEvent::Notice(notice) => self.context.shell.status(words::notice(notice)),
        }
        None
    }
}
