//! Files that were seen written and not closed: whoever writes one is not done with it.
//!
//! What is renamed or linked into place, or was there at the start, counts at once. Opens no file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind};
use notify::{Event, EventKind};
use tokio::time::Instant;

/// Longest time that a file is waited for: a program may keep one open for ever.
const LONGEST_WRITE: Duration = Duration::from_mins(1);

/// Files kept apart; with more, a file counts as it is.
const MOST_FILES: usize = 4096;

/// The files that are being written, as events tell.
#[derive(Debug, Default)]
pub(super) struct Written {
    open: BTreeMap<PathBuf, Open>,
}

#[derive(Debug)]
struct Open {
    since: Instant,
    /// Whether it was waited for in vain: it counts as it is until it is closed.
    is_given_up: bool,
}

impl Written {
    /// Takes in an event; reports whether it calls for a look now.
    pub(super) fn hear(&mut self, event: &Event, now: Instant) -> bool {
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) => !self.begin_all(&event.paths, now),
            // Whoever made it is about to write it. One with content was linked here, or its writing is told next.
            EventKind::Create(CreateKind::File) if event.paths.iter().all(|path| is_empty(path)) => {
                !self.begin_all(&event.paths, now)
            }
            EventKind::Create(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Access(AccessKind::Close(AccessMode::Write)) => {
                for path in &event.paths {
                    self.open.remove(path);
                }
                true
            }
            _ => true,
        }
    }

    /// Lists the files that are waited for.
    pub(super) fn list(&self, now: Instant) -> Vec<PathBuf> {
        let waits = |open: &Open| !open.is_given_up && now < open.since + LONGEST_WRITE;
        self.open.iter().filter(|(_, open)| waits(open)).map(|(path, _)| path.clone()).collect()
    }

    /// Tells when the next file was waited for long enough.
    pub(super) fn next(&self) -> Option<Instant> {
        self.open.values().filter(|open| !open.is_given_up).map(|open| open.since + LONGEST_WRITE).min()
    }

    /// Gives up those that were waited for long enough, and returns them.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<PathBuf> {
        let mut given_up = Vec::new();
        self.open.retain(|path, open| {
            let is_due = !open.is_given_up && open.since + LONGEST_WRITE <= now;
            if is_due {
                given_up.push(path.clone());
                open.is_given_up = true;
            }
            !is_due || fs::symlink_metadata(path).is_ok()
        });
        given_up
    }

    /// Notes files as being written; reports whether all of them are waited for.
    fn begin_all(&mut self, paths: &[PathBuf], now: Instant) -> bool {
        paths.iter().fold(!paths.is_empty(), |all, path| self.begin(path, now) && all)
    }

    fn begin(&mut self, path: &Path, now: Instant) -> bool {
        if let Some(open) = self.open.get(path) {
            return !open.is_given_up;
        }
        let has_room = self.open.len() < MOST_FILES;
        if has_room {
            self.open.insert(path.to_owned(), Open { since: now, is_given_up: false });
        }
        has_room
    }
}

fn is_empty(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

#[cfg(test)]
mod tests {
    use notify::event::{DataChange, RenameMode};

    use super::*;

    const WRITE: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
    const CLOSE: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));

    fn event(kind: EventKind) -> Event {
        Event::new(kind).add_path(PathBuf::from("a.yaml"))
    }

    #[test]
    fn a_file_is_waited_for_from_its_first_write_until_its_close() {
        let (mut written, now) = (Written::default(), Instant::now());
        assert!(!written.hear(&event(WRITE), now));
        assert!(!written.hear(&event(WRITE), now));
        assert_eq!(written.list(now), [PathBuf::from("a.yaml")]);
        assert!(written.hear(&event(CLOSE), now));
        assert!(written.list(now).is_empty() && written.next().is_none());
    }

    #[test]
    fn a_file_that_is_never_closed_counts_after_a_minute() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        fs::write(&path, "contacts:").unwrap();
        let (mut written, now) = (Written::default(), Instant::now());
        let write = Event::new(WRITE).add_path(path.clone());
        assert!(!written.hear(&write, now));
        let due = now + LONGEST_WRITE;
        assert_eq!(written.next(), Some(due));
        assert!(written.give_up(now).is_empty());
        assert_eq!(written.give_up(due), [path]);
        assert!(written.list(due).is_empty() && written.give_up(due).is_empty());
        assert!(written.hear(&write, due), "what is written to it from then on counts at once");
    }

    #[test]
    fn what_is_renamed_into_place_counts_at_once() {
        let (mut written, now) = (Written::default(), Instant::now());
        assert!(!written.hear(&event(WRITE), now));
        assert!(written.hear(&event(EventKind::Modify(ModifyKind::Name(RenameMode::To))), now));
        assert!(written.list(now).is_empty());
    }

    #[test]
    fn a_new_file_is_waited_for_unless_it_came_with_its_content() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let made = Event::new(EventKind::Create(CreateKind::File)).add_path(path.clone());
        let (mut written, now) = (Written::default(), Instant::now());
        fs::write(&path, "").unwrap();
        assert!(!written.hear(&made, now));
        fs::write(&path, "contacts:").unwrap();
        assert!(written.hear(&made, now));
        assert!(written.list(now).is_empty());
    }
}
