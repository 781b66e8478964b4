//! Messages of the running service: what it notices, and why it cannot work.

use super::requests::cause;
use crate::ops::{Notice, ProblemKind as Kind};
use crate::shell_word::repeated;
use crate::source::Diagnostic;
use crate::watcher;

/// Says what keeps the service as a whole from its work, and why; `None` for any other problem.
pub(super) fn hindrance(kind: &Kind) -> Option<(&'static str, String)> {
    Some(match kind {
        Kind::StateUnreadable(why) => ("The state cannot be read", why.clone()),
        Kind::StateLost(why) => ("The state takes no more writes", why.clone()),
        Kind::WaitsForState(why) => ("Waiting for the state", why.clone()),
        Kind::StateNotOpened(why) => ("The state cannot be opened", cause(why)),
        Kind::PlaceLost(why) => ("The service cannot lock its place again", why.clone()),
        Kind::CredentialUnusable(why) => ("The credential cannot be used", cause(why)),
        _ => return None,
    })
}

pub(super) fn hindered(kind: &Kind) -> Diagnostic {
    let (summary, why) = hindrance(kind).unwrap_or_default();
    Diagnostic::error(
        summary,
        format!("{why}\nNothing is changed until this works. The service tries again, less often each time."),
    )
}

pub(super) fn cannot_be_asked(why: &str) -> Diagnostic {
    Diagnostic::warning(
        "Other commands cannot reach the service",
        format!("{why}\npause, resume, approve and status do not find it. The service tries again."),
    )
}

/// Words what a service notices or does beside its passes.
pub(crate) fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Watcher(notice) => watching(notice),
        Notice::MadeWay => "Something changed: the rest of this plan is not sent.".to_owned(),
        Notice::Approved { digest } => format!("Approved: the plan {digest} is applied although it exceeds limits."),
        Notice::NoFiles { dir } => format!(
            "{} holds no contact file at all, so no contact is forgotten. If it should be empty, keep one file with \
             `contacts: {{}}`.",
            dir.display()
        ),
        Notice::PlaceRetaken => {
            "The directory of the state was removed or replaced. The service has locked its place again.".to_owned()
        }
        Notice::StandsBy { holder } => {
            format!(
                "Standing by: {holder} has the state. This service takes over when that process releases it or ends."
            )
        }
        Notice::TakesOver => "The state is free: this service takes over.".to_owned(),
        Notice::CanBeAsked => "Other commands can reach the service again.".to_owned(),
        Notice::CredentialChanged => {
            "The credential has changed; the new one is used from now on if it belongs to the same team.".to_owned()
        }
        Notice::Paused => {
            format!("Paused: the state is released. To continue, run `contactsd resume{}`.", repeated())
        }
        Notice::Resumed => "Resumed.".to_owned(),
    }
}

fn watching(notice: &watcher::Notice) -> String {
    use watcher::Notice;
    match notice {
        Notice::Polling { dir, interval, cause } => {
            let (dir, why) = (dir.display(), no_events(cause));
            format!("Looking at {dir} every {interval:?} instead of waiting for events: {why}")
        }
        Notice::Missing { dir } => format!("{} is missing; waiting for it to appear.", dir.display()),
        Notice::Remade { dir } => format!("{} came back or was replaced; watching what is there now.", dir.display()),
        Notice::StillOpen { path } => {
            format!("{} is still being written after a minute; it is read as it is now.", path.display())
        }
        Notice::Broken { dir, reason } => format!(
            "Watching {} failed because of a mistake in contactsd ({reason}). Everything is read and watched again. \
             Please report it.",
            dir.display()
        ),
        Notice::Overflow { dir } => format!(
            "The system dropped events for {}; everything is read again. To make that rarer, raise \
             fs.inotify.max_queued_events with sysctl.",
            dir.display()
        ),
    }
}

fn no_events(cause: &watcher::Cause) -> String {
    use watcher::Cause;
    match cause {
        Cause::WatchLimit => "the limit on watched directories is reached. Raise fs.inotify.max_user_watches with \
                              sysctl, then restart."
            .to_owned(),
        Cause::InstanceLimit => "the limit on inotify instances or open files is reached. Raise \
                                 fs.inotify.max_user_instances with sysctl, or the limit on open files, then restart."
            .to_owned(),
        Cause::Silent { dir, file_system } => {
            format!("{} is on {file_system}, which does not report changes made elsewhere.", dir.display())
        }
        Cause::Refused { reason } => format!("the system refused ({reason})."),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_reached_limit_names_the_setting_to_raise() {
        let (dir, interval) = (PathBuf::from("contacts.d"), Duration::from_secs(2));
        let polling = watcher::Notice::Polling { dir, interval, cause: watcher::Cause::WatchLimit };
        insta::assert_snapshot!(notice(&Notice::Watcher(polling)), @"Looking at contacts.d every 2s instead of waiting for events: the limit on watched directories is reached. Raise fs.inotify.max_user_watches with sysctl, then restart.");
    }
}
