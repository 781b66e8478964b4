//! The lines after the blocks: the counts, the cost, exceeded limits, and what to do next.

use std::fmt;
use std::time::Duration;

use super::super::amounts::{count, counted, wait};
use super::super::escape::escape;
use super::super::style::Paint;
use super::super::wrap::wrap;
use super::options::{Detail, Forecast, PlanOptions, is_performed};
use crate::model::{Endpoint, PackedEntry};
use crate::plan::{Brake, BrakeKind, Counts, Creates, OneEach, Operation, Plan, Reason};

/// Writes the end of a plan that has actions, without the last newline.
pub(super) fn write(f: &mut fmt::Formatter<'_>, plan: &Plan, options: &PlanOptions<'_>, paint: Paint) -> fmt::Result {
    write_summary(f, plan, paint)?;
    if let Some(text) = options.forecast.and_then(forecast_text) {
        write!(f, "\n{}", wrap(&text, options.width).join("\n"))?;
    }
    let notes = [options.forecast.and_then(one_each_text), look_note(plan, options.detail, options.forecast)];
    for note in notes.into_iter().flatten() {
        write!(f, "\n{}", wrap(&note, options.width).join("\n"))?;
    }
    if let Some(digest) = options.digest {
        write!(f, "\n{}", paint.grey(format_args!("Digest: {}", escape(&digest.0))))?;
    }
    for brake in &plan.brakes {
        // The label is colored after the text is wrapped with it.
        let text = wrap(&format!("Brake: {}", brake_text(brake)), options.width).join("\n");
        let text = text.strip_prefix("Brake:").expect("the text begins so, and the label holds no space");
        write!(f, "\n\n{}{text}", paint.bold_yellow("Brake:"))?;
    }
    let can_go_on = plan.brakes.is_empty() && plan.actions.iter().any(is_performed);
    if let Some(command) = options.next_step.filter(|_| can_go_on) {
        let hint =
            format!("Run \"{command}\" to perform these actions. It plans again, and asks before anything is sent.");
        write!(f, "\n\n{}\n\n{}", paint.grey("─".repeat(options.width)), wrap(&hint, options.width).join("\n"))?;
    }
    Ok(())
}

/// Writes the counts, and on a second line those that have no place among them.
pub(super) fn write_summary(f: &mut fmt::Formatter<'_>, plan: &Plan, paint: Paint) -> fmt::Result {
    let counts = plan.counts();
    write!(f, "{} {}", paint.bold("Plan:"), summary(&counts))?;
    match also(&counts) {
        Some(also) => write!(f, "\n{also}"),
        None => Ok(()),
    }
}

/// Writes that there is nothing to do, and no more than is known: nobody asked Apollo what it holds now.
pub(super) fn write_no_changes(f: &mut fmt::Formatter<'_>, plan: &Plan, paint: Paint) -> fmt::Result {
    let known = match plan.unchanged {
        0 if plan.scope.is_whole() => "The contact files declare no contacts.".to_owned(),
        many if plan.refreshed => {
            let for_targeted = if plan.scope.is_whole() { "" } else { "For the targeted contacts, " };
            format!("{for_targeted}Apollo holds what the files say ({}).", counted(many, "contact"))
        }
        _ if !plan.scope.is_whole() => {
            "For the targeted contacts, the files are as last applied. Apollo was not asked.".to_owned()
        }
        many => format!("The files are as last applied ({}). Apollo was not asked.", counted(many, "contact")),
    };
    write!(f, "{} {}", paint.bold_green("No changes."), paint.bold(known))
}

/// Counts as programs read them: never translated, no separators, always in this order.
pub(in crate::ui) fn summary(counts: &Counts) -> String {
    let Counts { import, add, change, forget, .. } = counts;
    let import = if *import > 0 { format!("{import} to import, ") } else { String::new() };
    let forget = if *forget > 0 { format!(", {forget} to forget") } else { String::new() };
    format!("{import}{add} to add, {change} to change, 0 to destroy{forget}.")
}

/// Counts what has no place in the summary line; `None` when there is nothing of it.
pub(in crate::ui) fn also(counts: &Counts) -> Option<String> {
    let others = named(&other_kinds(counts));
    (!others.is_empty()).then(|| format!("Also: {others}."))
}

/// Names everything that is not zero: `2 to add, 1 to forget`.
pub(super) fn kinds(counts: &Counts) -> String {
    let Counts { import, add, change, forget, .. } = *counts;
    let main = [(import, "to import"), (add, "to add"), (change, "to change"), (forget, "to forget")];
    named(&[&main[..], &other_kinds(counts)].concat())
}

fn other_kinds(counts: &Counts) -> [(usize, &'static str); 4] {
    let Counts { moved, release, settle, undecided, .. } = *counts;
    let needs = if undecided == 1 { "needs a decision" } else { "need a decision" };
    [(moved, "to move"), (release, "to release"), (settle, "to settle"), (undecided, needs)]
}

fn named(kinds: &[(usize, &str)]) -> String {
    let kinds = kinds.iter().filter(|(number, _)| *number > 0);
    kinds.map(|(number, what)| format!("{number} {what}")).collect::<Vec<_>>().join(", ")
}

/// Says what applying costs; nothing where it sends nothing.
pub(in crate::ui) fn forecast_text(forecast: &Forecast) -> Option<String> {
    let requests = forecast.requests.iter().filter(|(_, number)| *number > 0);
    let up_to = |endpoint: Endpoint| if forecast.up_to.contains(&endpoint) { "up to " } else { "" };
    let requests = requests.map(|(endpoint, number)| format!("{}{} {endpoint}", up_to(*endpoint), count(*number)));
    let requests: Vec<_> = requests.collect();
    if requests.is_empty() {
        return None;
    }
    let duration = forecast.duration.map(|time| match time {
        Duration::ZERO => "; no wait for quota".to_owned(),
        time if forecast.at_most => format!("; up to {} within the quota", wait(time)),
        time => format!("; about {} within the quota", wait(time)),
    });
    let note = forecast.note.as_deref().map(|note| format!(" ({})", escape(note)));
    Some(format!("Requests: {}{}{}.", requests.join(", "), duration.unwrap_or_default(), note.unwrap_or_default()))
}

/// Says what makes some contacts take a request each; nothing where none does.
pub(in crate::ui) fn one_each_text(forecast: &Forecast) -> Option<String> {
    let why = |(why, &number): (&OneEach, &usize)| {
        let (has, is) = if number == 1 { ("has", "is") } else { ("have", "are") };
        let what = match why {
            OneEach::TypedPhone => format!("{has} a phone number"),
            OneEach::WebsiteUrl => format!("{has} a website_url"),
            OneEach::ClearedStage => format!("{has} a stage to clear"),
            OneEach::NoEmail => format!("{has} no e-mail"),
            OneEach::NoDedupe => format!("{has} run_dedupe: false"),
            OneEach::AskedFor => format!("{is} created by --create"),
        };
        format!("{} {what}", count(number))
    };
    let whys: Vec<String> = forecast.one_each.iter().map(why).collect();
    (!whys.is_empty()).then(|| format!("Some contacts need a request of their own: {}.", whys.join(", ")))
}

/// Says what a create may touch; nothing where none of them could touch anybody.
///
/// Which contacts may be imported instead is said at each of them, except where each has a line only.
pub(in crate::ui) fn look_note(plan: &Plan, detail: Detail, forecast: Option<&Forecast>) -> Option<String> {
    let mut creates = plan.actions.iter().filter_map(|action| match &action.operation {
        Operation::Create { entry } if action.reason != Reason::AskedFor => Some(entry),
        _ => None,
    });
    let imports = detail == Detail::Concise && creates.clone().any(PackedEntry::is_matched_by_email);
    let searched = if imports {
        "Each new contact is searched for before it is created, and imported if Apollo has a contact with its e-mail."
    } else {
        "Each new contact is searched for before it is created."
    };
    let creation = forecast.map(|forecast| forecast.creates).unwrap_or_default();
    let note = match creation {
        Creates::OneByOne => {
            format!("{searched} If the key is not allowed to search, a contact that Apollo matches is overwritten.")
        }
        Creates::Together => format!(
            "{searched} If the key is not allowed to search: a request for many contacts does not change a contact that Apollo matches, but a request for one contact overwrites it."
        ),
        Creates::TogetherUnseen => {
            let imports = if imports { ", and is imported if it has the e-mail" } else { "" };
            format!(
                "New contacts that share a request are not searched for first (--look off): by Apollo's page, a contact \
                 that it matches stays as it is{imports}."
            )
        }
    };
    creates.any(PackedEntry::dedupe_can_match).then_some(note)
}

/// Says which limit the plan passes and what lifts it.
pub(in crate::ui) fn brake_text(brake: &Brake) -> String {
    let Brake { kind, count: number, limit } = brake;
    let allowed = format!("{} {}", count(*limit), if *limit == 1 { "is" } else { "are" });
    let would_be =
        |done: &str| format!("{} would be {done}, and at most {} allowed.", counted(*number, "contact"), allowed);
    match kind {
        BrakeKind::ForgetsAll if *number == 1 => {
            "the only managed contact would be forgotten. If this is intended, add --force.".to_owned()
        }
        BrakeKind::ForgetsAll => {
            format!("all {} managed contacts would be forgotten. If this is intended, add --force.", count(*number))
        }
        BrakeKind::ForgetsMany => format!("{} If this is intended, add --force.", would_be("forgotten")),
        BrakeKind::MaxCreates => format!("{} To allow it, raise --max-creates.", would_be("created")),
        BrakeKind::MaxUpdates => format!("{} To allow it, raise --max-updates.", would_be("updated")),
        BrakeKind::MaxForgets => format!("{} To allow it, raise --max-forgets.", would_be("forgotten")),
    }
}
