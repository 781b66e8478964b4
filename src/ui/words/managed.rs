//! Messages of the verbs that show or change a state: `state`, `show`, `why` and `forget`.

use std::path::Path;

use super::super::amounts::counted;
use super::by_hand::guess;
use crate::model::{ContactKey, Place};
use crate::source::Diagnostic;
use crate::state::Location;

pub(crate) const NOBODY: &str = "The state is empty. No contacts are managed.";
pub(crate) const NOTHING_LOST: &str = "No changes. Nothing in the state is lost.";
pub(crate) const NOTHING_TO_CLEAN: &str = "No changes. There are no damaged parts to remove.";
pub(crate) const NOBODY_TO_BIND: &str = "No changes. There is no entry to bind.";
pub(crate) const SAME_STATE: &str = "No changes. The state already holds exactly this.";
pub(crate) const WILL_BE_BUILT: &str = "The state will be built again.";
pub(crate) const WILL_BE_REPLACED: &str = "The state will be replaced.";
pub(crate) const WILL_BE_REMOVED: &str = "These will be removed.";
/// Above the part of a plan that is about one contact.
pub(crate) const NEXT_APPLY: &str = "What the next apply does:";
pub(crate) const REMOVED: &str = "Removed.";

pub(crate) fn now_manages(contacts: u64, serial: impl std::fmt::Display) -> String {
    let contacts = counted(usize::try_from(contacts).unwrap_or(usize::MAX), "contact");
    format!("The state now manages {contacts}, at serial {serial}.")
}

pub(crate) fn no_state(state: &Location) -> Diagnostic {
    Diagnostic::error(format!("There is no state {state}"), "Nothing has been applied from here yet.")
}

pub(crate) fn not_for_databases() -> Diagnostic {
    Diagnostic::error(
        "This command is only for a state in a directory",
        "A state in a database has no copy of its own: the database keeps it safe, and you restore it from backups \
         of the database. `state pull` writes a copy.",
    )
}

pub(crate) fn not_to_a_terminal(command: &dyn Fn(&str) -> String) -> Diagnostic {
    let detail = format!(
        "It holds everything that is known about your contacts. Write it to a file: `{} > kept.jsonl`. To see one \
         contact, run `{}`.",
        command("state pull"),
        command("state show KEY")
    );
    Diagnostic::error("The state is not printed to a terminal", detail)
}

/// A state was read that this user cannot change.
pub(crate) fn foreign(path: &Path, owner: u32, user: u32) -> Diagnostic {
    let detail = format!(
        "{} belongs to user {owner}, and contactsd runs as user {user}. Its copy was read, and nothing was written \
         to it. To change it, run contactsd as user {owner}.",
        path.display()
    );
    Diagnostic::warning("The state belongs to another user", detail)
}

pub(crate) fn not_in_state(key: &ContactKey, nearest: Option<&ContactKey>, state: &Location, list: &str) -> Diagnostic {
    let guess = guess(nearest);
    let detail =
        format!("The state {state} does not manage this contact.{guess} `{list}` lists those that it manages.");
    Diagnostic::error(format!("{} is not in the state", key.address()), detail)
}

pub(crate) fn nothing_known(key: &ContactKey, nearest: Option<&ContactKey>, list: &str) -> Diagnostic {
    let detail = format!(
        "The key is neither in the contact files nor in the state.{} `{list}` lists the managed contacts.",
        guess(nearest)
    );
    Diagnostic::error(format!("Nothing is known about {}", key.address()), detail)
}

pub(crate) fn nothing_to_do_for(is_declared: bool) -> &'static str {
    if is_declared {
        "The next apply does nothing for it: as far as is known, Apollo holds what is declared."
    } else {
        "The next apply does nothing for it."
    }
}

pub(crate) fn still_declared(place: &Place) -> Diagnostic {
    let detail = format!(
        "Its entry is in {}, and the next apply would create it again. Remove the entry first. If the law requires \
         it, remove it from the history of the repository too.",
        place.path.display()
    );
    Diagnostic::error(format!("{} is still declared", place.key.address()), detail)
}
