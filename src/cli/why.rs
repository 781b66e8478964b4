//! `contactsd why`.

use std::fmt::Write as _;

use clap::Args;

use super::args::{ViewArgs, parse_address};
use super::context::Context;
use super::showing;
use super::view::View;
use super::{Exit, loading, reading, stand_in};
use crate::model::ContactKey;
use crate::ops::watch::{self, AskError, Request, Status};
use crate::ops::{self, Clock, Want, Why};
use crate::plan::{Plan, Policy};
use crate::quota::Rules;
use crate::shell_word::command;
use crate::source;
use crate::ui::json::WhyDocument;
use crate::ui::words::service::unasked_hint;
use crate::ui::{PlanOptions, PlanText, why_text, words};

#[derive(Debug, Args)]
pub(super) struct WhyArgs {
    /// Key of the contact, with or without "contact."
    #[arg(value_name = "KEY", value_parser = parse_address)]
    pub(super) key: ContactKey,
    #[command(flatten)]
    pub(super) view: ViewArgs,
}

pub(super) fn run(args: &WhyArgs, context: &mut Context) -> Exit {
    if let Err(exit) = showing::begin(context, View::new(&args.view, None)) {
        return exit;
    }
    stand_in::remark(context);
    explain(&args.key, context).unwrap_or_else(|exit| exit)
}

fn explain(key: &ContactKey, context: &mut Context) -> Result<Exit, Exit> {
    let desired = loading::load_alone(context)?;
    let to_plan = reading::state_of_api(context, Want::Plan(&desired))?;
    let everything = reading::state(context, Want::Everything)?;
    let (under_way, now) = (to_plan.under_way(), Clock::system().now());
    // As if nobody was at work: what is under way is told beside it.
    let planned = ops::plan(&desired, &to_plan.snapshot, &Policy::default(), &Rules::default(), now);
    let planned = planned.map_err(|error| reading::load_error(context, &error))?;
    let why = Why::new(key, &desired, &everything.snapshot, under_way.contains(key), &planned);
    let mut why = why.map_err(|error| reading::load_error(context, &error))?;
    if why.is_unknown() {
        let declared = desired.keys().map_err(|error| reading::load_error(context, &error))?;
        let nearest = ops::nearest_key(key, declared.iter().chain(everything.snapshot.bindings.keys()));
        let list = command("state list");
        return Err(context.fail(&words::managed::nothing_known(key, nearest.as_ref(), &list)));
    }
    why.failing = failing(key, context)?;
    let location = why.place.as_ref().and_then(|place| source::locate(place, None));
    let mask = context.view.mask;
    let mut text = why_text(&why, location.as_ref());
    if why.actions.is_empty() {
        text += words::managed::nothing_to_do_for(why.place.is_some());
    } else {
        let plan = Plan { actions: why.actions.clone(), brakes: Vec::new(), ..planned.plan.clone() };
        let stdout = context.shell.stdout();
        let names = Some(&planned.names);
        let options = PlanOptions { color: stdout.color, width: stdout.width, mask, names, ..PlanOptions::default() };
        let _ = write!(text, "\n{}\n\n{}", words::managed::NEXT_APPLY, PlanText { plan: &plan, options });
    }
    context.shell.to_people(|shell| shell.result(text.trim_end()));
    context.shell.documents([WhyDocument::new(&why, location.as_ref(), &planned.names, mask)]);
    Ok(Exit::Success)
}

/// Asks the service that runs here, if one does, how the contact fails.
fn failing(key: &ContactKey, context: &mut Context) -> Result<Option<watch::Failing>, Exit> {
    let (state, timeout) = (context.locations.state.clone(), context.answer_timeout);
    let asked = reading::alone(context)?.block_on(watch::ask::<Status>(&state, &Request::Status, timeout));
    match asked {
        Ok(status) => Ok(status.failing.iter().find(|failing| failing.key == *key).cloned()),
        Err(AskError::NoService) => Ok(None),
        Err(error) => {
            context.shell.hint(unasked_hint(&error));
            Ok(None)
        }
    }
}
