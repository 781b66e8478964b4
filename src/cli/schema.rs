//! `contactsd schema`.

use super::Exit;
use super::args::{SchemaArgs, SchemaOf};
use super::context::Context;
use crate::ui::json::{SchemaName, schema};

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
