//! `contactsd plan`.

use super::args::{PlanArgs, planning_options};
use super::context::Context;
use super::view::{self, Shown, View};
use super::{Exit, reading, sandbox, saved};
use crate::ops::{self, Beside, Clock, Desired, Origins, Planned, Problem, Reading, Want};
use crate::plan::Policy;
use crate::store::Holder;
use crate::ui::amounts::counted;
use crate::ui::json::plan_records;
use crate::ui::{Forecast, Message};

pub(super) fn run(args: &PlanArgs, context: &mut Context) -> Exit {
    if let Err(exit) = view::begin(context, View::new(&args.view, Some(&args.page))) {
        return exit;
    }
    if let Some(file) = &args.out
        && let Err(exit) = saved::make_room(file, context)
    {
        return exit;
    }
    if let Some(file) = args.out.as_deref().filter(|file| saved::is_among_contact_files(file, context)) {
        let dir = context.locations.contacts.display();
        let detail = format!("What stands in {dir} is read as contacts. Save the plan beside it.");
        context.shell.error(format!("{} is in the directory of the contact files", file.display()), detail);
        return Exit::Failure;
    }
    match make(args, context) {
        Ok(made) => conclude(args, context, made).unwrap_or_else(|exit| exit),
        Err(exit) => {
            view::show_failed(context);
            exit
        }
    }
}

/// A plan and what it was made from.
struct Made {
    desired: Desired,
    policy: Policy,
    planned: Planned,
    reading: Reading,
}

fn make(args: &PlanArgs, context: &mut Context) -> Result<Made, Exit> {
    let desired = reading::load(context)?;
    if !context.view.is_page() {
        sandbox::announce(context);
    }
    let reading = reading::state(context, Want::Plan(&desired))?;
    let (policy, rules, now) =
        (args.brakes.policy(&args.decisions, &args.scope), args.quota.rules(), Clock::system().now());
    ops::check_scope(&policy.scope, &desired, &reading.snapshot).map_err(|problem| refuse(context, &problem))?;
    let planned = ops::plan_beside(&desired, &reading.snapshot, &reading.under_way(), &policy, &rules, now);
    let planned = planned.map_err(|error| reading::load_error(context, &error))?;
    ops::check_decisions(&planned.plan, &policy).map_err(|problem| refuse(context, &problem))?;
    Ok(Made { desired, policy, planned, reading })
}

/// Shows the plan, saves it where that was asked for, and says what it means to the caller.
fn conclude(args: &PlanArgs, context: &mut Context, made: Made) -> Result<Exit, Exit> {
    let Made { desired, policy, planned, reading } = made;
    let beside = reading.beside.as_ref().filter(|_| planned.left_out > 0);
    let under_way = beside.map(|beside| under_way(beside, planned.left_out));
    if context.view.is_page() {
        let (contacts, are) = being_applied(planned.left_out);
        let note = format!("{contacts} {are} being applied by another process right now, and left out here.");
        let digest = planned.digest.as_ref();
        let shown = Shown {
            planned: &planned,
            is_decided: false,
            next_step: None,
            apply: digest.map(|digest| context.command(&format!("apply --expect {digest}"))),
            everything: context.command("plan"),
            sandbox: context.sandbox,
            note: (planned.left_out > 0).then_some(&*note),
        };
        view::show(context, &shown);
    } else if let Some(under_way) = &under_way
        && planned.plan.is_empty()
    {
        context.shell.messages(planned.warnings().iter().map(Message::from));
        let text = format!("{under_way} Nothing else is to be changed.");
        context.shell.result_as(text, plan_records(&planned, context.view.mask()));
    } else {
        if let Some(under_way) = under_way {
            context.shell.status(format!("{under_way}\n"));
        }
        let hints = !context.environment.in_automation() && args.out.is_none();
        let next_step = hints.then(|| context.command(&format!("apply{}", planning_options(&policy))));
        show(context, &planned, next_step.as_deref());
    }
    ops::renew_index(&context.locations.state, &desired, &reading);
    if let Some(file) = &args.out {
        saved::save(context, file, &planned, &Origins::new(context.origin(), &desired, policy))?;
    }
    Ok(if planned.plan.counts().undecided > 0 {
        Exit::Failure
    } else if args.detailed_exitcode && (!planned.plan.is_empty() || planned.left_out > 0) {
        Exit::Difference
    } else {
        Exit::Success
    })
}

/// Says why there is no plan.
pub(super) fn refuse(context: &mut Context, problem: &Problem) -> Exit {
    context.shell.message(&Message::from(problem));
    Exit::Failure
}

/// Words what the plan leaves out because another process does it at this moment.
fn under_way(beside: &Beside, left_out: usize) -> String {
    let Holder { operation, pid, .. } = &beside.holder;
    let (contacts, are) = being_applied(left_out);
    format!("{contacts} {are} being applied by '{operation}' (process {pid}) right now.")
}

fn being_applied(left_out: usize) -> (String, &'static str) {
    (counted(left_out, "contact"), if left_out == 1 { "is" } else { "are" })
}

/// Prints a plan as people review it.
pub(super) fn show(context: &mut Context, planned: &Planned, next_step: Option<&str>) {
    show_as(context, planned, next_step, false);
}

/// Prints a plan that is applied next without asking; a quiet shell leaves it out.
pub(super) fn show_decided(context: &mut Context, planned: &Planned) {
    show_as(context, planned, None, true);
}

fn show_as(context: &mut Context, planned: &Planned, next_step: Option<&str>, is_decided: bool) {
    let (everything, sandbox) = (context.command("plan"), context.sandbox);
    view::show(context, &Shown { planned, is_decided, next_step, apply: None, everything, sandbox, note: None });
}

/// Says which limits are not known.
fn assumed(forecast: &ops::Forecast) -> String {
    let kinds: Vec<String> = forecast.assumed_for.iter().map(ToString::to_string).collect();
    match kinds.split_last() {
        Some((last, others)) if kinds.len() < forecast.requests.len() => {
            let kinds = if others.is_empty() { last.clone() } else { format!("{} and {last}", others.join(", ")) };
            format!("600 requests an hour are assumed for {kinds} until Apollo tells its limits")
        }
        _ => "600 requests an hour of each kind are assumed until Apollo tells its limits".to_owned(),
    }
}

pub(super) fn forecast(forecast: &ops::Forecast, sandbox: bool) -> Forecast {
    let requests = forecast.requests.iter().map(|(&endpoint, &count)| (endpoint, count)).collect();
    if sandbox && forecast.assumed {
        // What is assumed of Apollo says nothing about the stand-in.
        return Forecast { requests, duration: None, note: None };
    }
    Forecast { requests, duration: Some(forecast.duration), note: forecast.assumed.then(|| assumed(forecast)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Endpoint;

    #[test]
    fn only_kinds_whose_limits_are_unknown_are_named() {
        let all = [Endpoint::CreateContact, Endpoint::UpdateContact, Endpoint::SearchContacts];
        let said = |assumed_for: &[Endpoint]| {
            assumed(&ops::Forecast {
                requests: all.iter().map(|endpoint| (*endpoint, 1)).collect(),
                assumed: true,
                assumed_for: assumed_for.iter().copied().collect(),
                ..ops::Forecast::default()
            })
        };
        let each = "600 requests an hour of each kind are assumed until Apollo tells its limits";
        assert_eq!(said(&all), each);
        assert_eq!(said(&[]), each, "a plan that was saved before they were kept");
        assert_eq!(said(&all[1..2]), "600 requests an hour are assumed for update until Apollo tells its limits");
        assert!(said(&all[..2]).contains("for create and update until"), "{}", said(&all[..2]));
    }
}
