//! Ctrl-C and SIGTERM: once to end in order, twice to end now. SIGHUP, for a service: to look again.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Exit;
use crate::ops::Ended;

/// Whether a run ends in order by them.
static TAKEN_OVER: AtomicBool = AtomicBool::new(false);

/// Reports whether a run ends in order by the signals, so that nobody else is to end it.
pub(super) fn are_taken_over() -> bool {
    TAKEN_OVER.load(Ordering::SeqCst)
}

/// The signals that end a run.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over from the system; they no longer end the process by themselves.
    pub(super) fn listen() -> std::io::Result<Self> {
        let signals = Self::beside()?;
        TAKEN_OVER.store(true, Ordering::SeqCst);
        Ok(signals)
    }

    /// The same beside whoever takes them over later.
    pub(super) fn beside() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Ended {
        tokio::select! {
            _ = self.interrupt.recv() => Ended::Interrupted,
            _ = self.terminate.recv() => Ended::Terminated,
        }
    }
}

/// SIGHUP: to look at everything again.
pub(super) struct Hangups(Signal);

impl Hangups {
    /// Takes the signal over from the system; it no longer ends the process.
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }

    /// Waits for the next one; several that came meanwhile are one.
    pub(super) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Returns the exit code of a run that a signal ended.
pub(super) fn exit(ended: &Ended) -> Option<Exit> {
    match ended {
        Ended::Interrupted => Some(Exit::Interrupted),
        Ended::Terminated => Some(Exit::Terminated),
        Ended::Complete | Ended::Fatal | Ended::Yielded | Ended::QuotaExhausted { .. } | Ended::Outage { .. } => None,
    }
}
