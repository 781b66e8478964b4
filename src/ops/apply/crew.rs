//! Actions that work side by side, whose requests go out as one.
//!
//! Each member does what it would do alone. Where it would send a request that others of the crew can share, it hands
//! it in and waits. Once no member is left that could hand one in, one request goes out for all that can share it, and
//! each member continues with its own part of the answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::apollo::{Answer, Contact, ListChange};
use crate::model::{Intent, IntentId};
use crate::state::Change;

use super::courier::Failure;

/// How long before a look gets too old those go out that are there, whoever else is still at work.
const MARGIN: Duration = Duration::from_secs(15);

/// A request of one member, for one contact.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) id: IntentId,
    pub(super) intent: Intent,
    /// Goes into the write of the intent.
    pub(super) with: Vec<Change>,
    /// It is not sent after it.
    pub(super) fresh_until: Option<Instant>,
}

/// What a member gets back: its intent as it was sent, and its part of the answer.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) intent: Intent,
    pub(super) outcome: Result<Answer<Reply>, Failure>,
}

/// What an answer says of one contact.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    Contact(Box<Contact>),
    Lists(ListChange),
    /// Nothing: what became of it is unknown, and sending it again does no harm.
    Unshown,
}

impl Reply {
    /// Returns the contact that a create was answered with.
    ///
    /// # Panics
    ///
    /// If it is of another call: whoever a create does not show is in doubt.
    pub(super) fn into_contact(self) -> Contact {
        match self {
            Self::Contact(contact) => *contact,
            other => panic!("a create is answered with a contact, not with {other:?}"),
        }
    }
}

/// A part, and where its outcome goes.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) part: Part,
    reply: oneshot::Sender<Returned>,
}

impl Waiting {
    pub(super) fn end(self, outcome: Result<Answer<Reply>, Failure>) {
        // A member that is gone was stopped together with its crew.
        let _ = self.reply.send(Returned { intent: self.part.intent, outcome });
    }
}

/// The actions that share requests.
#[derive(Debug, Default)]
pub(super) struct Crew {
    gate: Mutex<Gate>,
    /// Rung whenever a member hands in a request or is done.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Gate {
    /// Members that are not done.
    members: usize,
    waiting: Vec<Waiting>,
}

/// One place in a crew; free when it is dropped.
#[derive(Debug)]
pub(super) struct Member(Arc<Crew>);

impl Member {
    pub(super) fn crew(&self) -> &Crew {
        &self.0
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.0.gate().members -= 1;
        self.0.changed.notify_one();
    }
}

impl Crew {
    /// Takes in a member; all are taken in before the first begins.
    pub(super) fn join(crew: &Arc<Self>) -> Member {
        crew.gate().members += 1;
        Member(Arc::clone(crew))
    }

    /// Hands in a request, and returns what came of it.
    pub(super) async fn send(&self, part: Part) -> Returned {
        let (reply, outcome) = oneshot::channel();
        self.gate().waiting.push(Waiting { part, reply });
        self.changed.notify_one();
        outcome.await.expect("a crew sends whatever is handed in")
    }

    /// Waits until nobody is left who could hand in a request, or what waits may not wait longer; returns what is
    /// there, in the order of the members' intents. Nothing once all are done.
    pub(super) async fn gather(&self) -> Vec<Waiting> {
        loop {
            let changed = self.changed.notified();
            let due = {
                let mut gate = self.gate();
                let due = gate.waiting.iter().filter_map(|waiting| waiting.part.fresh_until).min();
                let due = due.map(|until| until.checked_sub(MARGIN).unwrap_or(until));
                if gate.waiting.len() == gate.members || due.is_some_and(|due| due <= Instant::now()) {
                    let mut waiting = std::mem::take(&mut gate.waiting);
                    drop(gate);
                    waiting.sort_by(|one, other| one.part.intent.key.cmp(&other.part.intent.key));
                    return waiting;
                }
                due
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(due) => {}
            }
        }
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
