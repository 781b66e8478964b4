//! `contactsd schema`.

use clap::Args;

use super::Exit;
use super::context::Context;
use crate::ui::json::{SchemaName, schema};

#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// What the schema is of
    #[arg(value_name = "WHAT")]
    pub(super) of: SchemaName,
}

pub(super) fn run(args: &SchemaArgs, context: &mut Context) -> Exit {
    let schema = schema(args.of);
    context.shell.to_people(|shell| shell.result(format_args!("{schema:#}")));
    context.shell.documents([schema]);
    Exit::Success
}
