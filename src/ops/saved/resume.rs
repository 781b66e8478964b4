//! Whether a saved plan may be applied, and what of it is left.
//!
//! The file says what was approved; the files and the state say what is so. Where they have parted, nothing
//! is done. Nothing is sent here.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Desired, Planned, Session, SnapshotError};
use super::format::{Mark, MarkedBy};
use super::mark::{self, MarkError};
use super::{SavedPlan, progress};
use crate::model::{ContactKey, Digest, Lineage, Serial};
use crate::plan::{self, Action, Brake, Plan, Reason};
use crate::quota::Rules;
use crate::state::{self, PlanProgress, Snapshot};

/// Why a saved plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It needs decisions.
    Errored { undecided: usize },
    /// It exceeds limits.
    Braked(Vec<Brake>),
    /// It is for another API.
    OtherApi { planned: String, given: String },
    /// The contact files are not those that it was made from.
    FilesChanged {
        planned: usize,
        found: usize,
        /// The plan's contacts that are declared otherwise now.
        contacts: Vec<ContactKey>,
    },
    /// Every action of it is done.
    Spent,
    /// It was made for, or applied to, another state; `found` is `None` when there is none.
    OtherState { planned: Lineage, found: Option<Lineage> },
    /// It was made when there was no state, and there is one now that manages contacts.
    NoLongerFirst { now: Serial },
    /// The state was changed since, by something else than this plan.
    Stale { planned: Serial, now: Serial },
    /// It was applied to this state before, which knows nothing of that: it was restored, or another apply came after.
    BegunBefore,
    /// It was not begun, the serial is that of the plan, and yet a plan made now is another one.
    OtherNow {
        /// The contacts for which the two differ.
        contacts: Vec<ContactKey>,
        /// Whether requests that others sent and that were never answered are a reason.
        in_doubt: bool,
    },
    /// What is left of it would be done otherwise now.
    Replaced(Vec<ContactKey>),
}

/// A saved plan that is being applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remaining {
    pub digest: Digest,
    /// How many of its actions are left out of this run, and so remain.
    pub left_out: usize,
}

/// What is left of a saved plan.
#[derive(Debug)]
pub struct Resumed {
    /// The actions left, as the state needs them now.
    pub planned: Planned,
    pub snapshot: Snapshot,
    /// How many actions were done before.
    pub done: usize,
    /// Keys of the saved plan that are left out, since they would be treated otherwise now.
    pub replaced: Vec<ContactKey>,
    /// Keys that need something which the saved plan does not speak of.
    pub further: Vec<ContactKey>,
}

/// Checks what can be said without the state: that the plan can be applied at all, to this API, from these files.
pub fn check_plan(saved: &SavedPlan, api: &str, desired: &Desired) -> Result<(), Refusal> {
    let plan = &saved.planned.plan;
    if saved.is_errored() {
        return Err(Refusal::Errored { undecided: plan.counts().undecided });
    }
    if !plan.brakes.is_empty() {
        return Err(Refusal::Braked(plan.brakes.clone()));
    }
    if saved.origins.api != api {
        return Err(Refusal::OtherApi { planned: saved.origins.api.clone(), given: api.to_owned() });
    }
    if saved.marks.iter().any(|mark| matches!(mark, Mark::Spent(_))) {
        return Err(Refusal::Spent);
    }
    if saved.origins.files != desired.digest {
        // Which contacts it concerns is a help; files that cannot be read any more have changed all the same.
        let differs = |action: &&Action| {
            let planned = action.entry().map(crate::model::PackedEntry::fingerprint);
            desired.fingerprint(action.key()).map_or(true, |declared| planned != declared)
        };
        let contacts = plan.actions.iter().filter(differs).map(|action| action.key().clone()).collect();
        return Err(Refusal::FilesChanged { planned: saved.origins.file_count, found: desired.files(), contacts });
    }
    Ok(())
}

impl SavedPlan {
    /// Returns the state that the plan belongs to; `None` for one that was made without and never begun.
    pub fn lineage(&self) -> Option<&Lineage> {
        let planned = Some(&self.planned.plan.lineage).filter(|lineage| !lineage.0.is_empty());
        planned.or_else(|| self.marks.last().map(Mark::lineage))
    }

    /// Reports whether the file says that it was begun.
    pub fn is_begun(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Notes in the state, then in the file, that the plan is applied; `Ok(Err(_))` when only the state could be told.
    ///
    /// Nothing may have been sent before.
    pub async fn begin(
        &mut self,
        session: &Session,
        snapshot: &Snapshot,
    ) -> Result<Result<(), MarkError>, state::Error> {
        progress::begin(session.store(), self.digest()).await?;
        if self.marks.iter().any(|mark| *mark.lineage() == snapshot.lineage) {
            return Ok(Ok(()));
        }
        let mark = Mark::Begun(marked_by(session, snapshot));
        Ok(mark::add(self, mark))
    }

    /// Notes in the file that every action is done.
    pub fn spend(&mut self, session: &Session, snapshot: &Snapshot) -> Result<(), MarkError> {
        mark::add(self, Mark::Spent(marked_by(session, snapshot)))
    }
}

impl Session {
    /// Notes in the state that the plan of this digest is applied, which no file holds. Nothing may have been sent before.
    pub async fn begin_plan(&self, digest: &Digest) -> Result<Remaining, state::Error> {
        progress::begin(self.store(), digest).await?;
        Ok(Remaining { digest: digest.clone(), left_out: 0 })
    }

    /// Reports whether the plan of this digest is the one that was applied last.
    pub async fn has_begun(&self, digest: &Digest) -> Result<bool, state::Error> {
        let begun = self.store().plan_progress().await?.plan;
        Ok(begun.is_some_and(|begun| begun.digest == *digest))
    }
}

fn marked_by(session: &Session, snapshot: &Snapshot) -> MarkedBy {
    MarkedBy { lineage: snapshot.lineage.clone(), run: session.run.clone(), at: session.now() }
}

/// Finds what is left of a plan that [`check_plan`] let pass, in the state that `session` holds.
pub async fn resume_plan(
    session: &Session,
    saved: &SavedPlan,
    desired: &Desired,
    rules: &Rules,
) -> Result<Result<Resumed, Refusal>, SnapshotError> {
    let snapshot = session.snapshot(desired).await?;
    let standing = match admit(saved, &snapshot, &session.store().plan_progress().await?) {
        Ok(standing) => standing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // The state decides what is left: intents of a run that died, and half-done actions, are in it.
    let now = super::super::plan(desired, &snapshot, &saved.origins.policy, rules, session.now())?;
    let spent = match standing {
        Standing::Begun { spent } => spent,
        // A request without an answer moves no serial, and a state that was put back may come to the same one with
        // other contents: only what is planned tells that what was approved is what will be done.
        Standing::AsPlanned if now.digest.as_ref() != Some(saved.digest()) => {
            return Ok(Err(other_now(&saved.planned.plan.actions, &now.plan.actions)));
        }
        Standing::AsPlanned => BTreeSet::new(),
    };
    let plan::Remainder { actions, done, replaced, further } =
        plan::remainder(&saved.planned.plan.actions, &spent, &now.plan.actions);
    let has_actions = !saved.planned.plan.is_empty();
    if has_actions && actions.is_empty() {
        return Ok(Err(if replaced.is_empty() { Refusal::Spent } else { Refusal::Replaced(replaced) }));
    }
    // The limits were looked at when the plan was made; what is left of it is less.
    let plan = Plan { actions, brakes: Vec::new(), ..now.plan };
    let planned = Planned { plan, digest: Some(saved.digest().clone()), ..now };
    Ok(Ok(Resumed { planned, snapshot, done, replaced, further }))
}

/// How a plan and a state stand to each other that it may be applied to.
enum Standing {
    /// The plan was never begun on it.
    AsPlanned,
    /// The plan was begun on it, and the actions of the keys `spent` are done. Any other apply would have ended that
    /// before it sent anything, so all that is in doubt was in the plan or is the plan's own doing.
    Begun { spent: BTreeSet<ContactKey> },
}

/// Says what a plan made now differs in from one that was saved.
fn other_now(saved: &[Action], now: &[Action]) -> Refusal {
    // How their directory is spelled makes no difference.
    let by_key = |actions| -> BTreeMap<&ContactKey, Action> {
        <[Action]>::iter(actions).map(|action| (action.key(), action.without_paths())).collect()
    };
    let (saved, now) = (by_key(saved), by_key(now));
    let keys: BTreeSet<&ContactKey> = saved.keys().chain(now.keys()).copied().collect();
    let differ: Vec<&ContactKey> = keys.into_iter().filter(|key| saved.get(key) != now.get(key)).collect();
    let waits = |action: &Action| matches!(action.reason, Reason::CreateUnanswered | Reason::UpdateInDoubt);
    let in_doubt = differ.iter().any(|key| now.get(*key).is_some_and(waits));
    Refusal::OtherNow { contacts: differ.into_iter().cloned().collect(), in_doubt }
}

/// Decides whether the state is as the plan knew it, but for what the plan itself did.
fn admit(saved: &SavedPlan, snapshot: &Snapshot, progress: &PlanProgress) -> Result<Standing, Refusal> {
    let planned = &saved.planned.plan;
    let begun = saved.marks.last();
    let (lineage, now) = (&snapshot.lineage, snapshot.serial);
    let of_another = |planned: &Lineage| !planned.0.is_empty() && planned != lineage;
    if let Some(other) =
        [Some(&planned.lineage), begun.map(Mark::lineage)].into_iter().flatten().find(|planned| of_another(planned))
    {
        return Err(Refusal::OtherState { planned: other.clone(), found: Some(lineage.clone()) });
    }
    if let Some(row) = progress.plan.as_ref().filter(|row| row.digest == *saved.digest()) {
        if row.serial != now {
            return Err(Refusal::Stale { planned: row.serial, now });
        }
        let of_this = progress.spent.iter().filter(|(_, plan)| **plan == row.digest);
        return Ok(Standing::Begun { spent: of_this.map(|(key, _)| key.clone()).collect() });
    }
    if planned.serial != now {
        return Err(if planned.lineage.0.is_empty() {
            Refusal::NoLongerFirst { now }
        } else {
            Refusal::Stale { planned: planned.serial, now }
        });
    }
    // Actions may have been done that moved no serial; or the state was put back to before the first of them.
    if begun.is_some() {
        return Err(Refusal::BegunBefore);
    }
    Ok(Standing::AsPlanned)
}
