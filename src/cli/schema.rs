//! `contactsd schema`.

use clap::{Args, ValueEnum};

use super::Exit;
use super::context::Context;
use crate::ui::json::{SchemaName, schema};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What the schema is of
    #[arg(value_name = "WHAT")]
    pub(super) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SchemaOf {
    /// One document of a contact file, for editors that complete and check
    Contacts,
    /// One line of plan, apply, import, watch and sandbox with --json
    Events,
    /// A plan as one document
    Plan,
    /// What validate --json prints
    Validate,
    /// One line of state list --json
    StateList,
    /// What state show --json prints
    StateShow,
    /// One line of what state pull prints
    StatePull,
    /// What status --json prints, and /status of watch --listen
    Status,
    /// What version --json prints
    Version,
}

pub(super) fn run(args: &SchemaArgs, context: &mut Context) -> Exit {
    let schema = schema(match args.of {
        SchemaOf::Contacts => SchemaName::Contacts,
        SchemaOf::Events => SchemaName::Events,
        SchemaOf::Plan => SchemaName::Plan,
        SchemaOf::Validate => SchemaName::Validate,
        SchemaOf::StateList => SchemaName::StateList,
        SchemaOf::StateShow => SchemaName::StateShow,
        SchemaOf::StatePull => SchemaName::StatePull,
        SchemaOf::Status => SchemaName::Status,
        SchemaOf::Version => SchemaName::Version,
    });
    context.shell.to_people(|shell| shell.result(format_args!("{schema:#}")));
    context.shell.documents([schema]);
    Exit::Success
}
