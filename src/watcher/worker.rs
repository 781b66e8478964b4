//! The thread that watches: by events while they can be had, by polling from then on.
//!
//! Blocks on the file system as it likes, which no async task could. A change is told only after the
//! watches are in place again, so that whoever looks then sees it, and what comes later is an event.

use std::any::Any;
use std::collections::BTreeSet;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::inbox::{Inbox, Post};
use super::look::Look;
use super::notice::{Cause, Notice};
use super::outbox::Outbox;
use super::place::Place;
use super::snapshot::Snapshot;
use super::tree::{Identity, Touch, Tree};
use super::watches::Watches;

/// Pause between two polls where nobody asked for another.
const DEFAULT_POLL: Duration = Duration::from_secs(2);

/// How often the tree is walked though nothing was heard: a mount raises no event, nor does a rename
/// far above the directory.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Time for a change of structure to go on before the watches are made again: one is rarely alone.
const GATHER: Duration = Duration::from_millis(50);

/// Watches one directory.
#[derive(Debug)]
pub(super) struct Worker {
    place: Place,
    /// Pause between two polls, when it comes to that.
    interval: Duration,
    is_poll_forced: bool,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    /// What stood at the directory's path when it was last looked at.
    root: Option<(PathBuf, Identity)>,
}

enum Eyes {
    Events(Watches),
    Polling(Snapshot),
}

impl Worker {
    pub(super) fn new(place: Place, poll: Option<Duration>, inbox: Arc<Inbox>, outbox: Arc<Outbox>) -> Self {
        let interval = poll.unwrap_or(DEFAULT_POLL);
        Self { place, interval, is_poll_forced: poll.is_some(), inbox, outbox, root: None }
    }

    /// Begins to watch, and leaves the rest to a thread.
    pub(super) fn start(mut self) -> io::Result<()> {
        let eyes = self.open();
        thread::Builder::new().name("watcher".to_owned()).spawn(move || self.carry_on(eyes)).map(drop)
    }

    /// Watches until the end; a mistake of ours that ends it is told, and the watching begun again.
    fn carry_on(mut self, eyes: Eyes) {
        let mut eyes = Some(eyes);
        loop {
            let round = AssertUnwindSafe(|| {
                let eyes = eyes.take().unwrap_or_else(|| {
                    let eyes = self.open();
                    // What happened while nobody watched.
                    self.outbox.tell(Look::Rescan);
                    eyes
                });
                self.run(eyes);
            });
            let Err(panic) = panic::catch_unwind(round) else { return };
            self.outbox.note(Notice::Broken { dir: self.place.dir.clone(), reason: words(&*panic) });
            self.outbox.tell(Look::Rescan);
            if self.inbox.gather(self.interval).is_over {
                return;
            }
        }
    }

    fn open(&mut self) -> Eyes {
        let eyes = if self.is_poll_forced {
            Eyes::Polling(Snapshot::take(&self.place))
        } else {
            match Watches::set(&self.place, &self.inbox) {
                Ok(watches) => Eyes::Events(watches),
                Err(cause) => Eyes::Polling(self.fall_back(cause)),
            }
        };
        let tree = eyes.tree();
        if tree.root.is_none() {
            self.outbox.note(Notice::Missing { dir: self.place.dir.clone() });
        }
        self.root.clone_from(&tree.root);
        eyes
    }

    fn run(&mut self, eyes: Eyes) {
        let snapshot = match eyes {
            Eyes::Polling(snapshot) => snapshot,
            Eyes::Events(watches) => {
                let Some(cause) = self.listen(watches) else { return };
                let snapshot = self.fall_back(cause);
                self.outbox.tell(Look::Rescan);
                snapshot
            }
        };
        self.poll(snapshot);
    }

    /// Listens until the end, or until events cannot be had any more.
    fn listen(&mut self, mut watches: Watches) -> Option<Cause> {
        let mut walked = Instant::now();
        loop {
            let mut post = self.inbox.wait(self.inbox.patience().unwrap_or(HEARTBEAT).min(HEARTBEAT));
            for path in self.inbox.give_up() {
                if watches.tree.is_contact_file(&path) {
                    self.outbox.note(Notice::StillOpen { path: path.clone() });
                }
                post.paths.insert(path);
            }
            #[cfg(test)]
            assert!(!post.is_broken, "a test breaks it down");
            let mut touch = weigh(&post, &watches.tree);
            if walked.elapsed() >= HEARTBEAT {
                walked = Instant::now();
                touch = touch.max(self.compare(&watches.tree));
            }
            match touch {
                _ if post.is_over => return None,
                Touch::Nothing => {}
                Touch::Content => self.outbox.tell(self.named(&post, &watches.tree)),
                Touch::Structure => {
                    self.tell(&post);
                    post = self.inbox.gather(GATHER);
                    watches.close();
                    match Watches::set(&self.place, &self.inbox) {
                        Ok(again) => watches = again,
                        Err(cause) => return Some(cause),
                    }
                    self.meet(&watches.tree);
                    self.tell(&post);
                }
            }
        }
    }

    /// Polls until the end.
    fn poll(&mut self, mut last: Snapshot) {
        let mut is_settling = false;
        while !self.inbox.gather(self.interval).is_over {
            let snapshot = Snapshot::take(&self.place);
            let is_changed = snapshot != last;
            // A file written twice within one tick of its clock has the same times and maybe the same
            // size; the second write would go unseen, so a change calls for a second look later.
            if is_changed || is_settling {
                self.meet(&snapshot.tree);
                self.outbox.tell(Look::Rescan);
            }
            is_settling = is_changed;
            last = snapshot;
        }
    }

    /// Says that it turns to polling, and what it saw then.
    pub(super) fn fall_back(&self, cause: Cause) -> Snapshot {
        self.outbox.note(Notice::Polling { dir: self.place.dir.clone(), interval: self.interval, cause });
        Snapshot::take(&self.place)
    }

    fn compare(&self, tree: &Tree) -> Touch {
        if self.place.walk() == *tree { Touch::Nothing } else { Touch::Structure }
    }

    fn tell(&self, post: &Post) {
        if post.is_lossy {
            self.outbox.note(Notice::Overflow { dir: self.place.dir.clone() });
        }
        self.outbox.tell(Look::Rescan);
    }

    /// Names the directories of the files that were touched, where they have one name each.
    fn named(&self, post: &Post, tree: &Tree) -> Look {
        let touched = post.paths.iter().filter(|path| tree.judge(path) != Touch::Nothing);
        let directories: Option<BTreeSet<PathBuf>> =
            touched.map(|path| tree.named_directory(path, &self.place.named)).collect();
        directories.map_or(Look::Rescan, Look::Changed)
    }

    /// Leaves a notice if the directory went, came or is another one.
    fn meet(&mut self, tree: &Tree) {
        if tree.root == self.root {
            return;
        }
        self.root.clone_from(&tree.root);
        let dir = self.place.dir.clone();
        self.outbox.note(if tree.root.is_some() { Notice::Remade { dir } } else { Notice::Missing { dir } });
    }
}

impl Eyes {
    fn tree(&self) -> &Tree {
        match self {
            Self::Events(watches) => &watches.tree,
            Self::Polling(snapshot) => &snapshot.tree,
        }
    }
}

fn weigh(post: &Post, tree: &Tree) -> Touch {
    if post.is_crowded || post.is_lossy {
        return Touch::Structure;
    }
    post.paths.iter().map(|path| tree.judge(path)).max().unwrap_or(Touch::Nothing)
}

/// Returns what a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned())).unwrap_or_else(|| "a panic".to_owned())
}
