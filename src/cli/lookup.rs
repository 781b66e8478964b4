//! `contactsd lookup`.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::run::block_on;
use super::{Exit, names, reading, stand_in};
use crate::model::{NameKind, Names};
use crate::ops;
use crate::ui::json::LookupDocument;
use crate::ui::{lookup_text, words};

#[derive(Debug, Args)]
pub(super) struct LookupArgs {
    /// What to list
    #[arg(value_name = "WHAT")]
    pub(super) what: What,
}

/// What Apollo lists by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    /// The stages that a contact can be in
    Stages,
    /// The custom fields of contacts, with their types and options
    Fields,
    /// The lists that contacts can be on
    Lists,
}

impl From<What> for NameKind {
    fn from(what: What) -> Self {
        match what {
            What::Stages => Self::Stages,
            What::Fields => Self::Fields,
            What::Lists => Self::Lists,
        }
    }
}

pub(super) fn run(args: &LookupArgs, context: &mut Context) -> Exit {
    let kind = args.what.into();
    stand_in::remark(context);
    block_on(context, async |context: &mut Context| lookup(kind, context).await.unwrap_or_else(|exit| exit))
}

async fn lookup(kind: NameKind, context: &mut Context) -> Result<Exit, Exit> {
    reading::own_state(context)?;
    let names = if names::may_ask(context)? {
        match names::ask(context, "lookup", &[kind]).await? {
            Ok(names) => names,
            Err(error) => {
                names::tell(context, &error);
                return Err(Exit::Failure);
            }
        }
    } else {
        kept(kind, context)?
    };
    context.shell.to_people(|shell| shell.result(lookup_text(&names, kind)));
    context.shell.documents([LookupDocument::new(&names, kind)]);
    Ok(Exit::Success)
}

/// Returns what the state knows, where Apollo cannot be asked.
fn kept(kind: NameKind, context: &mut Context) -> Result<Names, Exit> {
    let kept = ops::kept_names(&context.locations.state).map_err(|error| reading::state_error(context, &error))?;
    let kept = kept.unwrap_or_default();
    if let Some(read_at) = kept.read_at(kind) {
        context.shell.hint(words::account::listed_before(read_at));
        return Ok(kept);
    }
    Err(context.fail(&words::account::no_credential_to_list(kind)))
}
