//! All sentences about errors, warnings and results, one file for each kind; the only place that knows the names of flags.
//!
//! Facts in, messages out. Never decides where a message is printed or how it looks.

pub(crate) mod account;
mod brakes;
mod by_hand;
mod changes;
mod command;
pub(crate) mod command_line;
pub(crate) mod contact_files;
mod convert;
pub(crate) mod converted;
mod dispute;
mod drift;
mod entry;
pub(crate) mod generated;
mod init;
pub(crate) mod managed;
pub(crate) mod output_file;
pub(crate) mod plan_file;
mod requests;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod service;
mod standing;
mod state;
mod steps;
pub(crate) mod system;
mod watch;

pub(crate) use brakes::{exceeded, lifting};
pub(crate) use command::planning_options;
pub(crate) use contact_files::{load, unreadable};
pub(crate) use convert::{Why, about, not_converted, note, noted, refused_row, skipped_row, table_error};
pub(crate) use drift::{drifted, refreshing};
pub(crate) use init::{forge_unknown, not_laid_out};
pub(crate) use plan_file::{plan_file, refusal};
pub(crate) use requests::{credential, doing, session};
pub(crate) use standing::{Verdict, verdict};
pub(crate) use state::{not_closed, read_from_copy, rebuilding, state, unanswered, unaskable};
pub(crate) use steps::{RENEWED, finished, started, still_running};
pub(crate) use watch::notice;

use crate::model::ContactKey;
use crate::ops::{Problem, ProblemKind as Kind};
use crate::source::Diagnostic;

/// Words a problem, with its place.
pub(crate) fn problem(problem: &Problem) -> Diagnostic {
    let Problem { kind, key, path, location } = problem;
    let message = kind_of(kind, key.as_ref());
    Diagnostic { key: key.clone(), path: path.clone(), location: location.clone(), ..message }
}

/// Words a problem in one line; `key` is the entry that it is about, if it is about one.
pub(crate) fn in_short(kind: &Kind, key: Option<&ContactKey>) -> String {
    watch::hindrance(kind).map_or_else(|| kind_of(kind, key).summary, |(what, why)| format!("{what}: {why}"))
}

fn kind_of(kind: &Kind, key: Option<&ContactKey>) -> Diagnostic {
    let address = &*key.map(ContactKey::address).unwrap_or_default();
    let key = key.map(ContactKey::as_str).unwrap_or_default();
    match kind {
        Kind::MayNot { endpoint, fault } => requests::may_not(*endpoint, fault),
        Kind::NamesUnread { endpoint, fault } => requests::names_unread(*endpoint, fault),
        Kind::Rejected(fault) => requests::rejected(fault, address),
        Kind::Failed { endpoint, fault } => requests::failed(*endpoint, fault, address),
        Kind::InDoubt { endpoint, fault } => requests::in_doubt(*endpoint, fault, address),
        Kind::FailsAgain { attempts, status, fault } => requests::fails_again(*attempts, *status, fault, address),
        Kind::Outage { endpoint, fault, unreachable, lasted, had_success } => {
            requests::outage(*endpoint, fault, *unreachable, *lasted, *had_success)
        }
        Kind::NoAnswers { unreachable } => Diagnostic::error(requests::no_answers(*unreachable), ""),
        Kind::CredentialRefused(fault) => requests::credential_refused(fault),
        Kind::NewCredentialUnusable(cause) => requests::new_credential_unusable(cause),
        Kind::NewCredentialTurnedDown(cause) => requests::new_credential_turned_down(cause),
        Kind::CredentialUnreadable { why, is_refused } => requests::credential_unreadable(why, *is_refused),

        Kind::TooManyHits => entry::too_many_hits(key, address),
        Kind::TooManyNew => entry::too_many_new(key, address),
        Kind::MayNotLook => entry::may_not_look(key, address),
        Kind::CreatesBlindly(first) => entry::creates_blindly(first),
        Kind::QuotaUnshared(why) => drift::quota_unshared(why),
        Kind::QuotaUsedUp { endpoint, wait } => drift::quota_used_up(*endpoint, *wait),
        Kind::NothingDeclaredMatches(pattern) => by_hand::nothing_declared_matches(pattern),
        Kind::CreatesOneByOne => entry::creates_one_by_one(),
        Kind::BatchesUnknown { why } => entry::batches_unknown(why),
        Kind::Merged { id, survivor, owner, is_named } => {
            entry::merged(id, survivor, owner.as_ref(), *is_named, key, address)
        }
        Kind::RestoredAsNew(id) => entry::restored_as_new(id, address),
        Kind::DoesNotExist { id, is_named, why } => entry::does_not_exist(id, *is_named, why, address),
        Kind::Undecided(waits) => dispute::undecided(waits, key, address),
        Kind::MeantSomebodyElse(id) => dispute::meant_somebody_else(id, key, address),
        Kind::Contradiction { bound, declared, owner } => {
            dispute::contradiction(bound, declared, owner.as_ref(), key, address)
        }
        Kind::IntentDropped { key, run, path } => entry::intent_dropped(key, run, path),
        Kind::IntentWithdrawn(run) => entry::intent_withdrawn(run, address),
        Kind::MayBeTwice { id, run } => entry::may_be_twice(id, run, address),
        Kind::LeftBehind { key, id } => entry::left_behind(key, id),
        Kind::TakenMeanwhile { id, owner } => entry::taken_meanwhile(id, owner, address),

        Kind::Complained(said) => changes::complained(said, address),
        Kind::ListsUnchanged { names, adds, said } => changes::lists_unchanged(names, *adds, said, address),
        Kind::Deviates { deviation, sent } => changes::deviates(deviation, sent.as_ref(), address),
        Kind::StillDropped(field) => changes::still_dropped(field, address),

        Kind::CannotRecord(why) => state::cannot_record(why, address),
        Kind::CannotWrite(why) => Diagnostic::error("Cannot write to the state", why),
        Kind::CannotAnswer(why) => state::cannot_answer(why),
        Kind::StateMended(remark) => state::mended(remark),
        Kind::NotClosed(why) => not_closed(why),

        Kind::Targeted => brakes::targeted(),
        Kind::Braked { brake, gone } => brakes::braked(brake, *gone),
        Kind::NoSuchKey { excludes, pattern, nearest } => brakes::no_such_key(*excludes, pattern, nearest.as_ref()),
        Kind::FilesUnusable(why) => Diagnostic::error("The contact files cannot be used", why),

        Kind::NotDeclared { key, nearest } => by_hand::not_declared(key, nearest.as_ref()),
        Kind::NamesAnother { key, named } => by_hand::names_another(key, named),
        Kind::BoundAlready { key, id } => by_hand::bound_already(key, id),
        Kind::BelongsToAnother { id, key, owner } => by_hand::belongs_to_another(id, key, owner),
        Kind::KeyTaken { key, id } => by_hand::key_taken(key, id),
        Kind::NotInState { key, nearest } => by_hand::not_in_state(key, nearest.as_ref()),
        Kind::NobodyThere { contacts } => drift::nobody_there(*contacts),
        Kind::NotSeen { id, why } => drift::not_seen(id, why),
        Kind::NothingMatches(pattern) => by_hand::nothing_matches(pattern),
        Kind::UnclearMove { from, to } => by_hand::unclear_move(from, to),
        Kind::NotGone(key) => by_hand::not_gone(key),
        Kind::NotToCreate(key) => by_hand::not_to_create(key),

        Kind::StateUnreadable(_)
        | Kind::StateLost(_)
        | Kind::WaitsForState(_)
        | Kind::StateNotOpened(_)
        | Kind::PlaceLost(_)
        | Kind::CredentialUnusable(_) => watch::hindered(kind),
        Kind::StateClosed => Diagnostic::error("the state takes no more writes", ""),
        Kind::NoCredential => Diagnostic::error("Apollo refused the credential", ""),
        Kind::CannotBeAsked(why) => watch::cannot_be_asked(why),
    }
}
