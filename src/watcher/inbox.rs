//! Events on their way from notify to the watching thread.
//!
//! Keeps the paths that were touched, not the events, and only so many: its size does not follow the
//! size of a burst. Judges nothing but what kind of event cannot be a change.

use std::collections::HashSet;
use std::mem;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind};
use tokio::time::Instant;

use super::written::Written;

/// Paths kept apart; with more, all that is said is that anything may have been touched.
const MOST_PATHS: usize = 4096;

/// What arrived since it was last taken.
#[derive(Debug, Default)]
#[cfg_attr(test, expect(clippy::struct_excessive_bools, reason = "each says something of its own"))]
pub(super) struct Post {
    /// Paths that something happened to.
    pub(super) paths: HashSet<PathBuf>,
    /// More was touched than `paths` says.
    pub(super) is_crowded: bool,
    /// The system dropped events.
    pub(super) is_lossy: bool,
    /// Nobody listens any more.
    pub(super) is_over: bool,
    /// A test wants to see what a mistake of ours leads to.
    #[cfg(test)]
    pub(super) is_broken: bool,
}

impl Post {
    fn is_empty(&self) -> bool {
        #[cfg(test)]
        if self.is_broken {
            return false;
        }
        self.paths.is_empty() && !self.is_crowded && !self.is_lossy && !self.is_over
    }
}

/// From notify's thread, and from whoever ends the watching, to the watching thread.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    post: Mutex<Post>,
    bell: Condvar,
    written: Mutex<Written>,
}

impl Inbox {
    /// Takes in what notify has to say.
    pub(super) fn receive(&self, event: notify::Result<Event>) {
        match event {
            Ok(event) if event.need_rescan() => self.put(|post| post.is_lossy = true),
            Ok(event) if says_nothing(event.kind) || !self.written().hear(&event, Instant::now()) => {}
            Ok(event) => self.put(|post| add(post, event.paths)),
            // The queue could not be read: what was in it is unknown.
            Err(_) => self.put(|post| post.is_lossy = true),
        }
    }

    /// Notes that anything may have been touched.
    pub(super) fn crowd(&self) {
        self.put(|post| post.is_crowded = true);
    }

    /// Ends the watching.
    pub(super) fn end(&self) {
        self.put(|post| post.is_over = true);
    }

    /// Makes the watching thread panic.
    #[cfg(test)]
    pub(super) fn break_down(&self) {
        self.put(|post| post.is_broken = true);
    }

    /// Lists the files that are being written.
    pub(super) fn being_written(&self) -> Vec<PathBuf> {
        self.written().list(Instant::now())
    }

    /// Returns how long from now on the next file is waited for.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.written().next().map(|next| next.saturating_duration_since(Instant::now()))
    }

    /// Gives up the files that were waited for long enough, and returns them.
    pub(super) fn give_up(&self) -> Vec<PathBuf> {
        self.written().give_up(Instant::now())
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().expect("nothing panics while it holds what is being written")
    }

    /// Waits for post, at most so long, and takes it.
    pub(super) fn wait(&self, longest: Duration) -> Post {
        self.wait_while(longest, |post| post.is_empty())
    }

    /// Waits so long whatever arrives, unless the watching ends, and takes what arrived.
    pub(super) fn gather(&self, duration: Duration) -> Post {
        self.wait_while(duration, |post| !post.is_over)
    }

    fn wait_while(&self, longest: Duration, condition: impl Fn(&mut Post) -> bool) -> Post {
        let waited = self.bell.wait_timeout_while(self.lock(), longest, condition);
        let (mut post, _) = waited.expect(UNPOISONED);
        let is_over = post.is_over;
        mem::replace(&mut *post, Post { is_over, ..Post::default() })
    }

    fn put(&self, change: impl FnOnce(&mut Post)) {
        change(&mut self.lock());
        self.bell.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Post> {
        self.post.lock().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "nothing panics while it holds the post";

/// Reports whether an event is no change: contact files are opened and read by every look itself.
fn says_nothing(kind: EventKind) -> bool {
    // A file closed after writing counts, because writes through a memory map raise nothing else.
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

fn add(post: &mut Post, paths: Vec<PathBuf>) {
    if post.is_crowded {
        return;
    }
    post.paths.extend(paths);
    if post.paths.len() > MOST_PATHS {
        post.paths.clear();
        post.is_crowded = true;
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{Flag, ModifyKind};

    use super::*;

    fn event(kind: EventKind, path: &str) -> Event {
        Event::new(kind).add_path(PathBuf::from(path))
    }

    fn taken(inbox: &Inbox) -> Post {
        inbox.wait(Duration::ZERO)
    }

    #[test]
    fn opening_and_reading_say_nothing() {
        let inbox = Inbox::default();
        for kind in [AccessKind::Any, AccessKind::Read, AccessKind::Open(AccessMode::Any)] {
            inbox.receive(Ok(event(EventKind::Access(kind), "a.yaml")));
        }
        inbox.receive(Ok(event(EventKind::Access(AccessKind::Close(AccessMode::Read)), "a.yaml")));
        assert!(taken(&inbox).is_empty());
    }

    #[test]
    fn a_path_touched_often_is_kept_once() {
        let inbox = Inbox::default();
        inbox.receive(Ok(event(EventKind::Modify(ModifyKind::Any), "a.yaml")));
        inbox.receive(Ok(event(EventKind::Access(AccessKind::Close(AccessMode::Write)), "a.yaml")));
        assert_eq!(taken(&inbox).paths, HashSet::from([PathBuf::from("a.yaml")]));
        assert!(taken(&inbox).is_empty());
    }

    #[test]
    fn a_great_burst_is_kept_as_anything_may_have_been_touched() {
        let inbox = Inbox::default();
        for number in 0..=MOST_PATHS {
            inbox.receive(Ok(event(EventKind::Modify(ModifyKind::Any), &number.to_string())));
        }
        inbox.receive(Ok(event(EventKind::Modify(ModifyKind::Any), "another")));
        let post = taken(&inbox);
        assert!(post.is_crowded && !post.is_lossy && post.paths.is_empty());
    }

    #[test]
    fn an_overflow_and_a_failed_read_mean_that_events_were_lost() {
        for event in [Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), Err(notify::Error::generic("read"))] {
            let inbox = Inbox::default();
            inbox.receive(event);
            assert!(taken(&inbox).is_lossy);
        }
    }

    #[test]
    fn the_end_is_told_however_often_one_asks() {
        let inbox = Inbox::default();
        inbox.end();
        assert!(inbox.gather(Duration::MAX).is_over);
        assert!(inbox.wait(Duration::MAX).is_over);
    }
}
