//! The stand-in for Apollo: where it is, and why it cannot run.

use std::error::Error;
use std::path::Path;

use super::super::amounts::counted;
use super::super::escape::escape;
use crate::ops::chain;
use crate::shell_word::shell_word;
use crate::source::Diagnostic;

pub(crate) const REMARK: &str = "this is the sandbox; nothing leaves this machine.";

/// Says that what follows is not the real thing.
pub(crate) fn announced(data: &Path) -> String {
    format!("Sandbox: nothing leaves this machine; the contacts made here are kept in {}.\n", data.display())
}

pub(crate) fn cannot_run(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("The sandbox cannot run", chain(why))
}

pub(crate) fn cannot_use(why: &dyn Error) -> Diagnostic {
    Diagnostic::error("The sandbox cannot be used", chain(why))
}

pub(crate) fn not_ended(why: &dyn Error) -> Diagnostic {
    Diagnostic::warning("The sandbox was not closed properly", chain(why))
}

/// Says where the sandbox answers, and how to use it.
pub(crate) fn serves(base_url: &str, data: &Path, key_file: &Path) -> String {
    format!(
        "Sandbox: a stand-in for Apollo at {base_url}\nIts contacts are kept in {data}. It accepts the key in \
         {key}:\nAPOLLO_API_KEY_FILE={word} contactsd apply --api-url {base_url}\nPress Ctrl-C to end it.",
        data = data.display(),
        key = key_file.display(),
        word = shell_word(key_file.display()),
    )
}

pub(crate) fn nobody_with_id(table: &Path) -> Diagnostic {
    Diagnostic::error(
        format!("{} holds no contact with an id", table.display()),
        "Only an export of Apollo's contacts has their ids, in the column \"Apollo Contact Id\".",
    )
}

/// Says how many of a table's contacts are new to the sandbox.
pub(crate) fn filled(table: &Path, data: &Path, added: usize, all: usize) -> String {
    let (had, were) = (counted(all - added, "contact"), if all - added == 1 { "was" } else { "were" });
    let had = if added == all { String::new() } else { format!("; {had} {were} already there") };
    let (table, data) = (table.display().to_string(), data.display().to_string());
    let added = counted(added, "contact");
    format!("Sandbox: {added} of {} put into {}, as if Apollo had them{had}.", escape(&table), escape(&data))
}
