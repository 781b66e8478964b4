//! `contactsd sandbox`, and the sandbox behind `--sandbox`.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::Exit;
use super::args::parse_count;
use super::context::Context;
use super::run::block_on;
use super::signals::Signals;
use super::stand_in::{failed, options};
use super::stream;
use crate::ops::Clock;
use crate::ops::convert::{open_stream, open_table};
use crate::sandbox::{self, Action, DedupeReading, DeletedAnswer, Faults, Quirks, Quota, Server, Witness};
use crate::settings::{parse_duration, resolved};
use crate::source::convert::{OptedOut, Person, TableError, TableOptions, Taken};
use crate::ui::json::Record;
use crate::ui::words;

#[derive(Debug, Args)]
pub(super) struct SandboxArgs {
    /// Loopback address to listen at; port 0 lets the system choose
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(super) listen: SocketAddr,
    /// Directory of its data [default: .contactsd/NAME/sandbox/data, NAME being the name of --dir]
    #[arg(long, value_name = "PATH", value_parser = stream::directory())]
    pub(super) data: Option<PathBuf>,
    /// Add the contacts of an Apollo export (CSV) to its data with their ids, as if Apollo had them, and end; - is stdin
    #[arg(long, value_name = "FILE")]
    pub(super) fill_from: Option<PathBuf>,
    /// Limits to enforce, 200/m,400/h,2000/d for example [default: none]
    #[arg(long, value_name = "LIMITS")]
    pub(super) quota: Option<Quota>,
    /// What a create with `run_dedupe` does to a contact that it matches
    #[arg(long, value_name = "READING", default_value = "overwrite")]
    pub(super) dedupe: DedupeReading,
    /// Faults with their probabilities: lost-reply=0.1,html-502=0.05
    #[arg(long, value_name = "FAULTS")]
    pub(super) fault: Option<Faults>,
    /// Habits of an unusual server, for all requests: stores-nfc,no-date
    #[arg(long, value_name = "QUIRKS")]
    pub(super) quirk: Option<Quirks>,
    /// How long a change takes to show in searches
    #[arg(long, value_name = "DUR", default_value = "0s", value_parser = parse_duration)]
    pub(super) search_lag: Duration,
    /// How a create shows that it matched: all, dedupe-result, was-existing or created-at
    #[arg(long, value_name = "WITNESS", default_value = "all", hide = true)]
    pub(super) witness: Witness,
    /// Answer for a deleted contact: 422-ids, 422, 422-unknown, 404, 410 or person-deleted
    #[arg(long, value_name = "ANSWER", default_value = "422-ids", hide = true)]
    pub(super) deleted_answer: DeletedAnswer,
    /// Calls that the key may not use, as the actions of faults: bulk-create,search [default: none]
    #[arg(long, value_name = "ACTIONS", value_delimiter = ',', hide = true)]
    pub(super) missing_scope: Vec<Action>,
    /// Seed of the faults
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = parse_count::<u64>)]
    pub(super) seed: u64,
}

pub(super) fn run(args: SandboxArgs, context: &mut Context) -> Exit {
    block_on(context, async move |context: &mut Context| serve(args, context).await)
}

async fn serve(args: SandboxArgs, context: &mut Context) -> Exit {
    let named = args.data.map(|named| resolved(&named, &context.environment.directory));
    let data = named.unwrap_or_else(|| context.locations.sandbox_data.clone());
    context.keep_from_git(&data);
    let mut options = options(data.clone(), Clock::system());
    options.listen = args.listen;
    options.dedupe = args.dedupe;
    options.witness = args.witness;
    options.deleted_answer = args.deleted_answer;
    options.quota = args.quota.unwrap_or_default();
    options.faults = args.fault.unwrap_or_default();
    options.quirks = args.quirk.unwrap_or_default();
    options.search_lag = args.search_lag;
    options.seed = args.seed;
    options.missing_scopes = args.missing_scope.into_iter().collect();
    if let Some(file) = &args.fill_from {
        options.listen.set_port(0);
        return fill(file, options, context).await;
    }
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return failed(context, &error),
    };
    let server = match Server::start(options).await {
        Ok(server) => server,
        Err(error) => return failed(context, &error),
    };
    let base_url = server.base_url();
    let key_file = sandbox::key_file(&data);
    // A command to copy is never broken into lines.
    context.shell.to_people(|shell| shell.result(words::sandbox::serves(&base_url, &data, &key_file)));
    context.shell.records([Record::sandbox(&base_url, &data, &key_file)]);
    signals.next().await;
    match server.stop().await {
        Ok(()) => Exit::Success,
        Err(error) => failed(context, &error),
    }
}

/// Gives the sandbox the contacts of a table.
async fn fill(file: &Path, options: sandbox::Options, context: &mut Context) -> Exit {
    // Whoever types at it may still leave by Ctrl-C.
    let read = contacts_of(file);
    let file = if stream::is_stream(file) { Path::new(stream::STDIN_NAME) } else { file };
    let contacts = match read {
        Ok(contacts) => contacts,
        Err(error) => return context.fail(&words::table_error(file, &error)),
    };
    let _signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return failed(context, &error),
    };
    if contacts.is_empty() {
        return context.fail(&words::sandbox::nobody_with_id(file));
    }
    let data = options.data.clone();
    let server = match Server::start(options).await {
        Ok(server) => server,
        Err(error) => return failed(context, &error),
    };
    let added = server.fill(&contacts).await;
    let stopped = server.stop().await;
    match added.and_then(|added| stopped.map(|()| added)) {
        Ok(added) => {
            context.shell.result(words::sandbox::filled(file, &data, added, contacts.len()));
            Exit::Success
        }
        Err(error) => failed(context, &error),
    }
}

/// Reads the contacts of a table that have ids, as the sandbox takes them.
fn contacts_of(file: &Path) -> Result<Vec<Value>, TableError> {
    let options = TableOptions { opted_out: OptedOut::Keep, ..TableOptions::default() };
    let mut table = if stream::is_stream(file) {
        open_stream(&mut io::stdin().lock(), &options)?
    } else {
        open_table(File::open(file).map_err(TableError::Read)?, &options)?
    };
    let mut contacts = Vec::new();
    while let Some(row) = table.next_row().map_err(TableError::Read)? {
        let Taken::Person(person) = row.taken else { continue };
        let Person { fields, by_name, apollo_id, notes: _ } = *person;
        let Some(id) = apollo_id else { continue };
        let mut contact = json!({ "id": id.as_str(), "custom_fields": by_name.custom });
        for (field, value) in fields.iter() {
            contact[field.api_name()] = json!(value);
        }
        if let Some(stage) = by_name.stage {
            contact["contact_stage"] = json!(stage);
        }
        contacts.push(contact);
    }
    Ok(contacts)
}
