//! `contactsd export --key`: entries as Apollo has them now, to be put into the files.

use tokio::sync::mpsc::UnboundedReceiver;

use super::args::RequestArgs;
use super::connection::{self, close_sandbox};
use super::context::Context;
use super::drift::proven_viewer;
use super::reading::drift_error;
use super::run::{channel_of_problems, driven};
use super::{Exit, loading, reading, signals, stand_in};
use crate::model::Names;
use crate::ops::{self, Current, Desired, Event, SessionOptions, Want};
use crate::plan::KeyPattern;
use crate::source::contact_file;
use crate::state::Snapshot;
use crate::ui::words;

pub(super) async fn show(keys: &[KeyPattern], requests: &RequestArgs, context: &mut Context) -> Result<Exit, Exit> {
    let desired = loading::load(context).await?;
    stand_in::remark(context);
    let mut snapshot = reading::read_of_api(context, Want::Refresh(&desired)).await?.snapshot;
    let (tell, mut events) = channel_of_problems();
    let (options, sandbox) = connection::prepare(context, "export", std::time::Duration::ZERO, requests, tell).await?;
    let found = look(keys, context, options, (&desired, &mut snapshot), &mut events).await;
    close_sandbox(context, sandbox).await;
    let current = found?;
    let names = desired.names().map_or_else(Names::default, |names| Names::clone(names));
    if !current.entries.is_empty() {
        context.shell.result(contact_file(&current.entries, &names).trim_end());
    }
    Ok(tell_rest(context, &current))
}

async fn look(
    keys: &[KeyPattern],
    context: &mut Context,
    options: SessionOptions,
    (desired, snapshot): (&Desired, &mut Snapshot),
    events: &mut UnboundedReceiver<Event>,
) -> Result<Current, Exit> {
    let viewer = proven_viewer(context, options, snapshot, events).await?;
    let looking = ops::current(&viewer, desired, snapshot, keys);
    let found = driven(context, viewer.stop(), events, looking).await;
    viewer.close().await;
    let ended = viewer.stop().reason().and_then(|ended| signals::exit(&ended));
    let current =
        found?.map_err(|error| ended.unwrap_or_else(|| drift_error(context, error, viewer.put_off().as_ref())))?;
    ended.map_or(Ok(current), Err)
}

/// Says which fields are missing in the entries, and which entries cannot be shown.
fn tell_rest(context: &mut Context, current: &Current) -> Exit {
    for (key, field) in &current.unshown {
        context.shell.hint(words::account::not_shown(key, field));
    }
    for (key, unfit) in &current.unfit {
        context.shell.message(&words::account::unfit(key, unfit));
    }
    for (key, missing) in &current.missing {
        context.shell.message(&words::account::missing(key, missing));
    }
    if current.missing.is_empty() { Exit::Success } else { Exit::Failure }
}
