//! `contactsd state`.

use clap::{Args, Subcommand};

use super::args::{ApprovalArgs, LockArgs, parse_address};
use super::context::Context;
use super::rebuild::{self, RebuildArgs};
use super::run::{Perform, block_on, channel, may_approve, perform};
use super::transfer::{self, PushArgs};
use super::{Exit, connection, mending, reading, stand_in};
use crate::model::ContactKey;
use crate::ops::{self, Desired, Planned, Problem, Reading, Want};
use crate::plan::KeyPattern;
use crate::shell_word::command;
use crate::state::Snapshot;
use crate::ui::json::{ContactState, ManagedContact};
use crate::ui::{Mask, binding_text, words};

#[derive(Debug, Args)]
pub(super) struct StateArgs {
    #[command(subcommand)]
    pub(super) verb: StateVerb,
}

#[derive(Debug, Subcommand)]
pub(super) enum StateVerb {
    /// List the managed contacts
    List {
        /// List only those that Apollo had before: matched by their e-mail or by Apollo, or named by their id
        #[arg(long)]
        imported: bool,
    },
    /// Show what is known about one contact
    Show {
        /// Key of the contact, with or without "contact."
        #[arg(value_name = "KEY", value_parser = parse_address)]
        key: ContactKey,
    },
    /// Stop managing contacts; they stay in Apollo as they are
    Rm {
        /// Keys of the contacts, with or without "contact."; * stands for any characters and ? for one
        #[arg(value_name = "KEY", required = true)]
        keys: Vec<KeyPattern>,
        #[command(flatten)]
        approval: ApprovalArgs,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Change the key of a contact, or of many
    Mv {
        /// Key it has, with or without "contact."; with a * for any characters, all that match are moved
        #[arg(value_name = "FROM")]
        from: KeyPattern,
        /// Key it gets; a * stands for what the * of FROM stood for
        #[arg(value_name = "TO")]
        to: KeyPattern,
        #[command(flatten)]
        approval: ApprovalArgs,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Write the whole state to stdout, to save it or to push it elsewhere
    Pull {
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Replace the whole state with a pulled one; asks first
    Push(PushArgs),
    /// Compare the parts of the state and the contact files with each other; changes nothing
    Check {
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Save what is left of a damaged state; asks first
    Recover {
        #[command(flatten)]
        approval: ApprovalArgs,
        #[command(flatten)]
        lock: LockArgs,
    },
    /// Build a lost state again from the contact files and the account; asks first
    Rebuild(RebuildArgs),
    /// Remove damaged parts that were moved aside; asks first
    Clean {
        #[command(flatten)]
        approval: ApprovalArgs,
    },
}

pub(super) fn run(args: &StateArgs, context: &mut Context) -> Exit {
    match &args.verb {
        StateVerb::List { imported } => list(*imported, context),
        StateVerb::Show { key } => show(key, context),
        StateVerb::Rm { keys, approval, lock } => {
            change(context, "state rm", approval, lock, |snapshot| ops::plan_removal(snapshot, keys))
        }
        StateVerb::Mv { from, to, approval, lock } => {
            change(context, "state mv", approval, lock, |snapshot| ops::plan_rename(snapshot, from, to))
        }
        StateVerb::Pull { lock } => transfer::pull(lock, context),
        StateVerb::Push(args) => transfer::push(args, context),
        StateVerb::Check { lock } => mending::check(lock, context),
        StateVerb::Recover { approval, lock } => mending::recover(approval, lock, context),
        StateVerb::Rebuild(args) => rebuild::run(args, context),
        StateVerb::Clean { approval } => mending::clean(approval, context),
    }
}

fn list(imported: bool, context: &mut Context) -> Exit {
    stand_in::remark(context);
    let Ok(Reading { snapshot, .. }) = reading::state(context, Want::Everything) else { return Exit::Failure };
    let listed = || snapshot.bindings.iter().filter(|(_, binding)| !imported || binding.origin.is_imported());
    context.shell.to_people(|shell| listed().for_each(|(key, _)| shell.result(key.address())));
    context.shell.documents(listed().map(|(key, binding)| ManagedContact::new(key, binding)));
    Exit::Success
}

fn show(key: &ContactKey, context: &mut Context) -> Exit {
    stand_in::remark(context);
    let Ok(Reading { snapshot, .. }) = reading::state(context, Want::Everything) else { return Exit::Failure };
    let Some(binding) = snapshot.bindings.get(key) else {
        let (list, nearest) = (command("state list"), ops::nearest_key(key, snapshot.bindings.keys()));
        let state = &context.locations.state;
        return context.fail(&words::managed::not_in_state(key, nearest.as_ref(), state, &list));
    };
    context.shell.to_people(|shell| shell.result(binding_text(key, binding)));
    context.shell.documents([ContactState::new(key, binding, Mask::Off)]);
    Exit::Success
}

/// Plans a change of the state alone, has it approved and makes it.
fn change(
    context: &mut Context,
    operation: &str,
    approval: &ApprovalArgs,
    lock: &LockArgs,
    make: impl FnOnce(&Snapshot) -> Result<Planned, Box<Problem>>,
) -> Exit {
    if let Err(exit) = may_approve(approval, context) {
        return exit;
    }
    stand_in::announce(context);
    block_on(context, async |context: &mut Context| {
        let (tell, events) = channel();
        let connection = match connection::open_local(context, operation, lock.lock_timeout, tell).await {
            Ok(connection) => connection,
            Err(exit) => return exit,
        };
        let everything = Desired::default();
        let done = perform(context, Perform::approved_by(approval), &everything, connection, events, |_, snapshot| {
            make(snapshot)
        })
        .await;
        done.unwrap_or_else(|exit| exit)
    })
}
