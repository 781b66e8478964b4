//! Ctrl-C and SIGTERM where the default of the system is wrong: in the first process of a container, and in a process that
//! must release a lease.
//!
//! The system sends the first process only signals that it listens for, so both are listened for here. A run that ends in
//! order takes them over (`signals`).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::Exit;
use super::context::Context;
use super::lease;
use super::signals::{self, Signals};
use crate::ui::words::system::deaf;

/// Listens for the signals from now on if no other code does.
pub(super) fn hear_signals_if_first(context: &mut Context) {
    if std::process::id() == 1 {
        hear_signals(context);
    }
}

/// Hears the signals from here on.
pub(super) fn hear_signals(context: &mut Context) {
    static IS_HEARING: AtomicBool = AtomicBool::new(false);
    if IS_HEARING.swap(true, Ordering::SeqCst) {
        return;
    }
    if let Err(error) = begin_to_hear() {
        context.shell.message(&deaf(&error));
    }
}

/// Returns once the system has been asked: a signal that comes before is lost.
fn begin_to_hear() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _within = runtime.enter();
        Signals::beside()?
    };
    thread::Builder::new().name("signals".to_owned()).spawn(move || runtime.block_on(hear(signals))).map(drop)
}

async fn hear(mut signals: Signals) {
    loop {
        let ended = signals.next().await;
        if !signals::are_taken_over() {
            lease::give_back().await;
            leave(signals::exit(&ended).unwrap_or(Exit::Failure));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "ends at once, as a signal ends every other process")]
fn leave(exit: Exit) {
    std::process::exit(i32::from(exit.code()));
}
