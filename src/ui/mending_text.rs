//! What `state check`, `state recover` and `state clean` found and do, as text and for programs.

use super::amounts::{count, counted};
use super::escape::escape;
use super::json::{
    Kept, LeftFacts, PointFacts, Record, StateCheckDocument, StateClean, StateFault, StatePart, StateRecovery,
    StepOutcome,
};
use crate::model::ContactKey;
use crate::ops::{BesideFault, StateCheck};
use crate::state::Location;
use crate::store::{Aside, Fault, Left, Point, Recovered, Recovery, Source};

/// How many keys are named before the rest is counted.
const KEYS_NAMED: usize = 20;

/// Says what is wrong with a state, or that nothing is.
pub fn check_text(state: &Location, check: &StateCheck, command: &dyn Fn(&str) -> String) -> String {
    let place = escape(&state.to_string()).into_owned();
    let checked = &check.checked;
    let holds = format!("{}, serial {}", contacts(checked.contacts), checked.serial);
    let aside = aside_text(&checked.set_aside, command);
    if check.is_whole() {
        return format!(
            "The state {place} is complete: {holds}. Database, copy, index and contact files agree.{aside}"
        );
    }
    let faults: Vec<String> = faults(check).iter().map(|fault| format!("  - {}\n", fault.message)).collect();
    let next: Vec<String> = next(check, &place, command);
    format!("The state {place} has problems ({holds}):\n\n{}\n{}{aside}", faults.concat(), next.join("\n"))
}

/// The same for programs.
pub fn check_document(check: &StateCheck) -> StateCheckDocument {
    let checked = &check.checked;
    StateCheckDocument {
        whole: check.is_whole(),
        serial: checked.serial.0,
        contacts: checked.contacts,
        faults: faults(check),
        set_aside: checked.set_aside.iter().map(kept).collect(),
    }
}

fn faults(check: &StateCheck) -> Vec<StateFault> {
    let of_state = check.checked.faults.iter().map(|fault| {
        let (part, message) = fault_text(fault);
        StateFault { part, message: escape(&message).into_owned() }
    });
    let beside = check.beside.iter().map(|fault| {
        let (part, message) = match fault {
            BesideFault::Files(why) => {
                (StatePart::Files, format!("The contact files cannot be compared with the state: {why}."))
            }
            BesideFault::IndexOfFiles => (StatePart::Index, "The index does not match the contact files.".to_owned()),
            BesideFault::IndexOfState => (StatePart::Index, "The index does not match the state.".to_owned()),
        };
        StateFault { part, message: escape(&message).into_owned() }
    });
    of_state.chain(beside).collect()
}

fn fault_text(fault: &Fault) -> (StatePart, String) {
    let commits = |number: &u64| counted(usize::try_from(*number).unwrap_or(usize::MAX), "commit");
    match fault {
        Fault::Head(why) => (StatePart::Head, format!("The head of the state cannot be read: {why}.")),
        Fault::Database(why) => (StatePart::Database, format!("The database cannot be used: {why}.")),
        Fault::Owner(key) => {
            (StatePart::Database, format!("The database cannot find {} by its contact.", key.address()))
        }
        Fault::StrayOwners(number) => {
            (StatePart::Database, format!("The database has {} without a key.", contacts(*number)))
        }
        Fault::CopyMissing => (StatePart::Copy, "There is no copy of the database.".to_owned()),
        Fault::Copy(why) => (StatePart::Copy, format!("The copy is damaged: {why}.")),
        Fault::CopyOfAnotherState => (StatePart::Copy, "The copy is of another state.".to_owned()),
        Fault::CopyBehind(number) => (StatePart::Copy, format!("The copy lacks the last {}.", commits(number))),
        Fault::DatabaseBehind(number) => {
            (StatePart::Database, format!("The database lacks the last {}, which its copy has.", commits(number)))
        }
        Fault::Differ { rows, example } => {
            let rows = counted(usize::try_from(*rows).unwrap_or(usize::MAX), "row");
            (StatePart::Copy, format!("The database and its copy differ in {rows}, {example} for example."))
        }
    }
}

/// Says what to do about what is wrong.
fn next(check: &StateCheck, place: &str, command: &dyn Fn(&str) -> String) -> Vec<String> {
    let faults = &check.checked.faults;
    let has = |is: fn(&Fault) -> bool| faults.iter().any(is);
    let of_copy = |fault: &Fault| {
        matches!(fault, Fault::CopyMissing | Fault::Copy(_) | Fault::CopyOfAnotherState | Fault::CopyBehind(_))
    };
    let is_lost = has(|fault| matches!(fault, Fault::Head(_)))
        || (has(|fault| matches!(fault, Fault::Database(_))) && has(of_copy));
    let mut next = Vec::new();
    if is_lost {
        next.push(format!("`{}` shows what is left, and asks before it changes anything.", command("state recover")));
    } else if has(|fault| matches!(fault, Fault::Database(_) | Fault::DatabaseBehind(_))) {
        next.push(
            "The next command that writes the state, such as apply, brings the database back from its copy.".into(),
        );
    } else if has(of_copy) {
        next.push("The next command that writes the state, such as apply, writes the copy again.".to_owned());
    } else if !faults.is_empty() {
        next.push(format!(
            "Keep both (`{} > kept.jsonl`, and a copy of the directory), and report this: it is a mistake in contactsd.",
            command("state pull")
        ));
    }
    for fault in &check.beside {
        next.push(match fault {
            BesideFault::Files(_) => format!("`{}` says what is wrong with the contact files.", command("validate")),
            BesideFault::IndexOfFiles | BesideFault::IndexOfState => {
                format!("Remove {place}/index. Nothing is lost, and the next plan reads everything.")
            }
        });
    }
    next
}

fn aside_text(set_aside: &[Aside], command: &dyn Fn(&str) -> String) -> String {
    if set_aside.is_empty() {
        return String::new();
    }
    let (are, them) = if set_aside.len() == 1 { ("is", "it") } else { ("are", "them") };
    let things = counted(set_aside.len(), "earlier damaged part");
    format!("\n{things} {are} kept beside it; `{}` removes {them}.", command("state clean"))
}

/// Shows what is left of a state, and what will be made of it.
pub fn recovery_text(recovery: &Recovery) -> String {
    let was = recovery.was.as_ref().map_or_else(|| "unknown: its head cannot be read".to_owned(), point_text);
    let from = match recovery.from {
        Source::Database => "what is left in its database",
        Source::Copy => "its copy",
    };
    format!(
        "The state {} has lost something.\n\n  it had come to: {was}\n  its database:   {}\n  its copy:       {}\n\n\
         It will be built again from {from}. What is there now is kept beside it.\n{}\n{}\n",
        escape(&recovery.path().display().to_string()),
        escape(&left_text(&recovery.database)),
        escape(&left_text(&recovery.copy)),
        loss_text(recovery),
        keys_text(&recovery.keys)
    )
}

fn loss_text(recovery: &Recovery) -> String {
    let keeps = recovery.keeps();
    let Some(was) = recovery.was else {
        return "What was recorded last may be lost.".to_owned();
    };
    if keeps.commit >= was.commit && keeps.contacts >= was.contacts {
        return "Nothing that was recorded is lost.".to_owned();
    }
    let commits = if keeps.commit == 0 {
        "what the missing rows held".to_owned()
    } else if was.commit == keeps.commit + 1 {
        format!("what was recorded in commit {}", was.commit)
    } else {
        format!("what was recorded in commits {} to {}", keeps.commit + 1, was.commit)
    };
    let fewer = was.contacts.saturating_sub(keeps.contacts);
    let fewer = if fewer == 0 { String::new() } else { format!(", {} fewer than there were", contacts(fewer)) };
    format!(
        "Lost is {commits}{fewer}.\nThe next apply looks for the contacts that are missing before it creates any.\nThose \
         that it does not recognize by their e-mail wait for you."
    )
}

fn keys_text(keys: &[ContactKey]) -> String {
    if keys.is_empty() {
        return "It will manage no contact.".to_owned();
    }
    let named: Vec<&str> = keys.iter().take(KEYS_NAMED).map(ContactKey::as_str).collect();
    let more = keys.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(", and {} more", count(more)) };
    format!("It will manage {}: {}{more}.", counted(keys.len(), "contact"), escape(&named.join(", ")))
}

fn left_text(left: &Left) -> String {
    match left {
        Left::Upto(point, None) => point_text(point),
        Left::Upto(point, Some(damage)) => format!("{}; damaged after that ({damage})", point_text(point)),
        Left::Some { contacts: number } => format!("damaged; {} can be read", contacts(*number)),
        Left::Nothing(why) => format!("cannot be used: {why}"),
    }
}

fn point_text(Point { commit, serial, contacts: number }: &Point) -> String {
    format!("commit {commit}, serial {serial}, {}", contacts(*number))
}

/// Says what was made of a state.
pub fn recovered_text(recovered: &Recovered) -> String {
    let Point { serial, contacts: number, .. } = recovered.now;
    let kept: Vec<String> =
        recovered.aside.iter().map(|path| format!("\n  {}", escape(&path.display().to_string()))).collect();
    let kept = if kept.is_empty() { String::new() } else { format!(" The earlier files are kept:{}", kept.concat()) };
    format!("The state now manages {}, at serial {serial}.{kept}", contacts(number))
}

/// The same as [`recovery_text`] for programs.
pub fn recovery_record(message: &str, recovery: &Recovery) -> Record<'static> {
    let left = |left: &Left| match left {
        Left::Upto(point, damage) => {
            LeftFacts { at: Some(point_facts(point)), contacts: point.contacts, fault: damage.clone() }
        }
        Left::Some { contacts } => LeftFacts { at: None, contacts: *contacts, fault: Some("damaged".to_owned()) },
        Left::Nothing(why) => LeftFacts { at: None, contacts: 0, fault: Some(why.clone()) },
    };
    Record::state_recovery(
        message,
        StateRecovery {
            outcome: StepOutcome::Planned,
            was: recovery.was.as_ref().map(point_facts),
            database: Some(left(&recovery.database)),
            copy: Some(left(&recovery.copy)),
            keys: recovery.keys.iter().map(|key| key.as_str().to_owned()).collect(),
            now: None,
        },
    )
}

/// The same as [`recovered_text`] for programs; `None` when there was nothing to do.
pub fn recovered_record(message: &str, recovered: Option<&Recovered>) -> Record<'static> {
    let outcome = if recovered.is_some() { StepOutcome::Done } else { StepOutcome::Unchanged };
    let now = recovered.map(|recovered| point_facts(&recovered.now));
    Record::state_recovery(message, StateRecovery { outcome, now, ..StateRecovery::default() })
}

fn point_facts(Point { commit, serial, contacts }: &Point) -> PointFacts {
    PointFacts { commit: *commit, serial: serial.0, contacts: *contacts }
}

/// Lists what is kept beside a state and will be removed.
pub fn clean_text(state: &Location, things: &[Aside]) -> String {
    let lines: Vec<String> =
        things.iter().map(|aside| format!("  {} ({} bytes)\n", escape(&aside.name), amount(aside.bytes))).collect();
    format!("These damaged parts of {} will be removed:\n\n{}", escape(&state.to_string()), lines.concat())
}

/// The same for programs.
pub fn clean_record(message: &str, outcome: StepOutcome, things: &[Aside]) -> Record<'static> {
    Record::state_clean(message, StateClean { outcome, set_aside: things.iter().map(kept).collect() })
}

fn kept(aside: &Aside) -> Kept {
    Kept { name: aside.name.clone(), bytes: aside.bytes }
}

fn contacts(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX), "contact")
}

fn amount(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}
