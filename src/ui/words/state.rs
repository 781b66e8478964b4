//! The state: what cannot be written or read.

use crate::source::Diagnostic;

pub(super) fn cannot_record(why: &str, address: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Cannot record what happens to {address}"),
        format!(
            "{why}\nNothing is sent that cannot be recorded first, so the run ends here. What was answered and not \
             recorded is settled by the next apply."
        ),
    )
}

/// Words why the state cannot be read while this process writes it.
pub(super) fn cannot_answer(why: &str) -> Diagnostic {
    let detail = format!("{why}\nMeanwhile `plan` and `state` in other processes fail; nothing else does.");
    Diagnostic::warning("The state cannot be read while it is written", detail)
}
