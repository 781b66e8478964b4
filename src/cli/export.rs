//! `contactsd export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::sync::mpsc::UnboundedReceiver;

use super::args::{LockArgs, RequestArgs};
use super::connection::{self, Connection};
use super::context::Context;
use super::reading::{drift_error, load_error, snapshot_error};
use super::run::{block_on, channel, channel_of_problems, driven, prove, release};
use super::stream::is_stream;
use super::{Exit, current, loading, signals, stand_in};
use crate::beneath::Root;
use crate::model::{NameKind, Names};
use crate::ops::{self, Desired, Event, Export, ExportError, FormatError, NamesError, Placing, Problem, Selection};
use crate::plan::KeyPattern;
use crate::settings::Locations;
use crate::shell_word::command;
use crate::source::{Diagnostic, Written};
use crate::ui::words::system::cannot_write;
use crate::ui::{unified_diff, words};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// Directory for the files, used like --dir [default: --dir]; - prints one file to stdout
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Print this entry to stdout with the values that Apollo has now for its declared fields, to copy changes into its file;
    /// * and ? as wildcards; may be repeated
    #[arg(long, value_name = "KEY", group = "selection", conflicts_with_all = ["out", "split", "diff", "force"], help_heading = "Which contacts")]
    pub(super) key: Vec<KeyPattern>,
    /// Only contacts on this list
    #[arg(long, value_name = "NAME", group = "selection", help_heading = "Which contacts")]
    pub(super) list: Option<String>,
    /// Only contacts in this stage, by its name or id
    #[arg(long, value_name = "NAME", group = "selection", help_heading = "Which contacts")]
    pub(super) stage: Option<String>,
    /// Only contacts that Apollo finds by these words
    #[arg(long, value_name = "WORDS", group = "selection", help_heading = "Which contacts")]
    pub(super) search: Option<String>,
    /// How to split contacts into files
    #[arg(long, value_name = "BY", default_value = "none")]
    pub(super) split: SplitBy,
    /// Show what would change in files, and write nothing
    #[arg(long)]
    pub(super) diff: bool,
    /// Replace files that were edited, and those that would lose entries
    #[arg(long)]
    pub(super) force: bool,
    #[command(flatten)]
    pub(super) lock: LockArgs,
    #[command(flatten)]
    pub(super) requests: RequestArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SplitBy {
    /// All in one file
    None,
    /// A file for each company
    Company,
    /// A file for each list
    List,
}

impl From<SplitBy> for ops::Split {
    fn from(split: SplitBy) -> Self {
        match split {
            SplitBy::None => Self::None,
            SplitBy::Company => Self::Company,
            SplitBy::List => Self::List,
        }
    }
}

impl ExportArgs {
    fn selection(&self) -> Selection {
        match (&self.list, &self.stage, &self.search) {
            (Some(list), _, _) => Selection::List(list.clone()),
            (_, Some(stage), _) => Selection::Stage(stage.clone()),
            (_, _, Some(search)) => Selection::Search(search.clone()),
            _ => Selection::Everybody,
        }
    }

    fn prints(&self) -> bool {
        self.out.as_deref().is_some_and(is_stream)
    }
}

pub(super) fn run(args: &ExportArgs, context: &mut Context) -> Exit {
    if !args.key.is_empty() {
        return block_on(context, async |context: &mut Context| {
            current::show(&args.key, &args.requests, context).await.unwrap_or_else(|exit| exit)
        });
    }
    if let Some(out) = args.out.as_ref().filter(|_| !args.prints()) {
        // What was seen is for whoever applies these files: the state at their default place, unless another one was named.
        let has_usual_state = context.locations.own_dir.as_ref().is_some_and(|own| !own.names_state);
        if has_usual_state && !context.sandbox {
            context.locations = Locations::new(out, None, false, &context.environment.directory);
        }
        context.locations.contacts.clone_from(out);
        // A person named it, so it may be anywhere.
        context.bounds.root_within = None;
    }
    if !args.prints() && !args.diff {
        let directory = context.locations.contacts.clone();
        if let Err(error) = Root::open_or_make(&directory, &context.bounds) {
            return context.fail(&words::account::no_directory(&error));
        }
    }
    block_on(context, async |context: &mut Context| export(args, context).await.unwrap_or_else(|exit| exit))
}

async fn export(args: &ExportArgs, context: &mut Context) -> Result<Exit, Exit> {
    // Whoever is declared stays where it is; a stream has nobody beside.
    let is_there = !args.prints() && context.locations.contacts.is_dir();
    let desired = if is_there { loading::load(context).await? } else { Desired::default() };
    if !args.prints() {
        stand_in::announce(context);
    }
    let (tell, events) = if args.prints() { channel_of_problems() } else { channel() };
    let connection = connection::open(context, "export", args.lock.lock_timeout, &args.requests, tell).await?;
    let outcome = with(args, context, &connection, &desired, events).await;
    release(context, connection, outcome).await
}

async fn with(
    args: &ExportArgs,
    context: &mut Context,
    connection: &Connection,
    desired: &Desired,
    mut events: UnboundedReceiver<Event>,
) -> Result<Exit, Exit> {
    let session = &connection.session;
    let snapshot = session.snapshot_to_refresh(desired).await.map_err(|error| snapshot_error(context, &error))?;
    prove(context, connection, &snapshot, &mut events).await?;
    let names = names(context, connection, &mut events).await?;
    let directory = context.locations.contacts.clone();
    let root = if args.prints() || !directory.is_dir() { None } else { Some(context.open_root(&directory)?) };
    let selection = args.selection();
    let into = root.as_ref().map(|root| ops::ExportInto { root, even_edited: args.force || args.diff });
    let work = session.export(desired, into, &snapshot, &names, &selection, args.split.into());
    let found = driven(context, session.stop(), &mut events, work).await?;
    let ended = session.stop().reason().and_then(|ended| signals::exit(&ended));
    let export = found.map_err(|error| ended.unwrap_or_else(|| failed(context, error, session.put_off().as_ref())))?;
    if args.prints() {
        let contacts: Vec<Written> = export.files.values().flatten().cloned().collect();
        context.shell.result(crate::source::contact_file(&contacts, &names).trim_end());
        tell_omitted(context, &export);
        return Ok(Exit::Success);
    }
    put(args, context, root.as_ref(), &export, &names)
}

/// Asks for the names of stages, custom fields and lists; whatever cannot be read stands by its id, and is said.
async fn names(
    context: &mut Context,
    connection: &Connection,
    events: &mut UnboundedReceiver<Event>,
) -> Result<Names, Exit> {
    let session = &connection.session;
    let mut names = Names::default();
    for kind in NameKind::ALL {
        match driven(context, session.stop(), events, session.learn_names(&[kind])).await? {
            Ok(learned) => names = names.updated_by(learned),
            Err(NamesError::Unread(problem)) => context.shell.message(&words::problem(&problem)),
            Err(error) => {
                super::names::tell(context, &error);
                return Err(session.stop().reason().and_then(|ended| signals::exit(&ended)).unwrap_or(Exit::Failure));
            }
        }
    }
    Ok(names)
}

/// Compares the files with those that are there, and writes those that may be written.
fn put(
    args: &ExportArgs,
    context: &mut Context,
    root: Option<&Root>,
    export: &Export,
    names: &Names,
) -> Result<Exit, Exit> {
    let Some(root) = root else {
        // Nothing is there to compare with, and nothing is to be written.
        say(context, export, 0);
        return Ok(Exit::Success);
    };
    let incomparable =
        |context: &mut Context, error: &FormatError| context.fail(&words::generated::incomparable(error));
    let placed = export.compared(root, names).map_err(|error| incomparable(context, &error))?;
    tell_omitted(context, export);
    let (mut exit, mut written) = (Exit::Success, 0);
    for file in &placed {
        let path = root.named().join(&file.name);
        if file.is_kept() && !args.force && !args.diff {
            exit = context.fail(&words::generated::kept(&path, &file.placing));
            continue;
        }
        if args.diff {
            let (before, after) = file.difference(root).map_err(|error| incomparable(context, &error))?;
            let color = context.shell.stdout().color;
            context.shell.result(unified_diff(&path.to_string_lossy(), &before, &after, color));
            continue;
        }
        if file.placing != Placing::Same
            && let Err(error) = file.write(root)
        {
            exit = context.fail(&cannot_write(&path, &error));
            continue;
        }
        written += file.contacts;
        context.shell.result(words::generated::placed(&path, file));
    }
    if !args.diff {
        say(context, export, written);
        let is_usual = args.out.is_none();
        if exit == Exit::Success && !context.environment.in_automation() && written > 0 && is_usual {
            let next = command("plan");
            context.shell.status(words::run::how_to_plan(&next));
        }
    }
    Ok(exit)
}

fn say(context: &mut Context, export: &Export, written: usize) {
    context.shell.result(words::account::exported(written, export.selected));
    context.shell.messages(words::account::some_missed(export.missed));
}

/// How many of one kind are told one by one.
const MOST_TOLD: usize = 20;

fn tell_omitted(context: &mut Context, export: &Export) {
    let told = export.omitted.iter().filter_map(|one| words::account::omitted(one, &command));
    let told: Vec<Diagnostic> = told.collect();
    let rest = told.len().saturating_sub(MOST_TOLD);
    let declared = export.omitted.len() - told.len();
    told.iter().take(MOST_TOLD).for_each(|one| context.shell.message(one));
    if rest > 0 {
        context.shell.message(&words::account::more_like_these(rest));
    }
    if declared > 0 {
        context.shell.hint(words::account::left_where_declared(declared));
    }
}

/// Says why there is nothing to export.
fn failed(context: &mut Context, error: ExportError, put_off: Option<&Problem>) -> Exit {
    match error {
        ExportError::Load(error) => load_error(context, &error),
        ExportError::Looking(error) => drift_error(context, error, put_off),
        other => context.fail(&words::account::not_exported(&other)),
    }
}
