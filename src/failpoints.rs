//! Named steps of the write path at which a test ends this process, as a kill at that instruction would; and writing
//! without the copy of the state, so that a benchmark can tell what the copy costs.
//!
//! Without the feature `failpoints` nothing here does anything. Never reads the environment: `main`
//! hands in what is asked for.

/// A step that a process can end at; declared in the order in which a create passes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The process has begun, and nothing was done.
    Started,
    /// A new state has its first rows and no head yet.
    StateBegun,
    /// A new state is whole; the mark of its making is not yet gone.
    StateMade,
    /// The state is open, and nothing was written to it in this run.
    StateOpened,
    /// Rows are drafted; sled knows nothing of them.
    BeforeBatch,
    /// The index is marked as behind; sled knows nothing of the rows.
    IndexMarked,
    /// The copy has the rows, and sled knows nothing of them.
    CopyAppended,
    /// sled has the rows, in memory at least.
    BeforeBarrier,
    /// The rows are on disk; `head` is behind.
    AfterBarrier,
    /// `head` is on disk, and no one was told.
    HeadWritten,
    /// A copy is whole beside the one that it is to replace.
    CopyWritten,
    /// The new copy is in its place.
    CopyReplaced,
    /// What was committed to the copy and not to sled is in sled, in memory at least.
    RolledForward,
    /// A damaged sled is out of the way, and the one that was built again not yet in its place.
    DamagedAside,
    /// The lease on a state in a database is taken; nothing was read of it.
    LeaseTaken,
    /// A database has the rows, in a transaction that has not ended.
    RowsSent,
    /// The transaction has ended, and no one was told.
    RowsCommitted,
    /// The intent is on disk, and nothing was sent.
    IntentWritten,
    /// An answer was read in full, and nothing of it is recorded.
    AnswerReceived,
    /// No usable answer came, and nothing of that is recorded.
    AnswerLost,
    /// The request was turned down; the intent stands.
    BeforeRefusalWritten,
    /// The binding is on disk; what is pending was not sent.
    BoundBeforePatch,
    /// The answer to a change is on disk, and no one was told.
    AnswerWritten,
    /// The key has its new name on disk; what else changed was not sent.
    RenameWritten,
    /// The contact is forgotten on disk.
    ForgetWritten,
    /// Fields were released on disk.
    ReleaseWritten,
    /// A doubt is about to be looked up.
    SettleBeforeSearch,
    /// The look-up has brought a contact to bind; nothing is recorded.
    SettleBeforeBind,
    /// The look-up has brought nothing; the body is about to be sent again.
    SettleBeforeSend,
    /// A doubt was ended on disk without a binding.
    SettleWritten,
    /// A new index is written and does not count yet.
    IndexWritten,
    /// Everything is done; the store is still open.
    BeforeClose,
    /// A pushed state is whole beside the one it is to replace.
    PushLoaded,
    /// A pushed state is to replace the one that is there.
    PushArrived,
    /// The rows of the replaced state are gone, those of the pushed one not yet in their place.
    PushReplaced,
}

impl Step {
    pub const ALL: [Self; 35] = [
        Self::Started,
        Self::StateBegun,
        Self::StateMade,
        Self::StateOpened,
        Self::BeforeBatch,
        Self::IndexMarked,
        Self::CopyAppended,
        Self::BeforeBarrier,
        Self::AfterBarrier,
        Self::HeadWritten,
        Self::CopyWritten,
        Self::CopyReplaced,
        Self::RolledForward,
        Self::DamagedAside,
        Self::LeaseTaken,
        Self::RowsSent,
        Self::RowsCommitted,
        Self::IntentWritten,
        Self::AnswerReceived,
        Self::AnswerLost,
        Self::BeforeRefusalWritten,
        Self::BoundBeforePatch,
        Self::AnswerWritten,
        Self::RenameWritten,
        Self::ForgetWritten,
        Self::ReleaseWritten,
        Self::SettleBeforeSearch,
        Self::SettleBeforeBind,
        Self::SettleBeforeSend,
        Self::SettleWritten,
        Self::IndexWritten,
        Self::BeforeClose,
        Self::PushLoaded,
        Self::PushArrived,
        Self::PushReplaced,
    ];

    /// Returns the name used in `CONTACTSD_FAILPOINT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::StateBegun => "state-begun",
            Self::StateMade => "state-made",
            Self::StateOpened => "state-opened",
            Self::BeforeBatch => "before-batch",
            Self::IndexMarked => "index-marked",
            Self::CopyAppended => "copy-appended",
            Self::BeforeBarrier => "before-barrier",
            Self::AfterBarrier => "after-barrier",
            Self::HeadWritten => "head-written",
            Self::CopyWritten => "copy-written",
            Self::CopyReplaced => "copy-replaced",
            Self::RolledForward => "rolled-forward",
            Self::DamagedAside => "damaged-aside",
            Self::LeaseTaken => "lease-taken",
            Self::RowsSent => "rows-sent",
            Self::RowsCommitted => "rows-committed",
            Self::IntentWritten => "intent-written",
            Self::AnswerReceived => "answer-received",
            Self::AnswerLost => "answer-lost",
            Self::BeforeRefusalWritten => "before-refusal-written",
            Self::BoundBeforePatch => "bound-before-patch",
            Self::AnswerWritten => "answer-written",
            Self::RenameWritten => "rename-written",
            Self::ForgetWritten => "forget-written",
            Self::ReleaseWritten => "release-written",
            Self::SettleBeforeSearch => "settle-before-search",
            Self::SettleBeforeBind => "settle-before-bind",
            Self::SettleBeforeSend => "settle-before-send",
            Self::SettleWritten => "settle-written",
            Self::IndexWritten => "index-written",
            Self::BeforeClose => "before-close",
            Self::PushLoaded => "push-loaded",
            Self::PushArrived => "push-arrived",
            Self::PushReplaced => "push-replaced",
        }
    }
}

/// Ends the process by SIGKILL when this is the step, and the time, that was asked for.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn reached(_step: Step) {}

/// Reports whether the copy of the state is left as it is.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub(crate) fn leaves_copy() -> bool {
    false
}

#[cfg(feature = "failpoints")]
pub use armed::{VARIABLE, WITHOUT_COPY, install};
#[cfg(feature = "failpoints")]
pub(crate) use armed::{leaves_copy, reached};

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Step;

    /// The variable that names the step and how often it is passed first: `intent-written:3`; or [`WITHOUT_COPY`].
    pub const VARIABLE: &str = "CONTACTSD_FAILPOINT";

    /// Asks for a process that writes no copy of the state.
    pub const WITHOUT_COPY: &str = "without-copy";

    static ARMED: OnceLock<Armed> = OnceLock::new();
    static LEAVES_COPY: OnceLock<()> = OnceLock::new();

    struct Armed {
        step: Step,
        /// Passes left, this one included.
        left: AtomicU32,
    }

    /// Arms one step for this process; `spec` is `NAME:N`, the Nth time from 1, or [`WITHOUT_COPY`].
    pub fn install(spec: &str) -> Result<(), String> {
        if spec == WITHOUT_COPY {
            return LEAVES_COPY.set(()).map_err(|()| "the copy is left as it is already".to_owned());
        }
        let malformed = || format!("{spec:?} is no failpoint such as intent-written:3");
        let (name, number) = spec.split_once(':').ok_or_else(malformed)?;
        let step = Step::ALL.into_iter().find(|step| step.name() == name).ok_or_else(malformed)?;
        let left = number.parse().ok().filter(|number| *number > 0).ok_or_else(malformed)?;
        ARMED.set(Armed { step, left: AtomicU32::new(left) }).map_err(|_| "a failpoint is armed already".to_owned())
    }

    /// Reports whether the copy of the state is left as it is.
    pub(crate) fn leaves_copy() -> bool {
        LEAVES_COPY.get().is_some()
    }

    /// Ends the process by SIGKILL when this is the step, and the time, that was asked for.
    pub(crate) fn reached(step: Step) {
        let Some(armed) = ARMED.get().filter(|armed| armed.step == step) else { return };
        if armed.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            // No fall-back: a kill of our own process is always allowed, and does not return.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }
}
