//! sled panics on damaged files; here a panic becomes a value, without a message on stderr.
//!
//! The one place that touches the panic hook: once, by a hook that passes on every panic except
//! those of a thread inside [`catch`], and those of sled's own threads while some thread is.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

/// sled names its threads `sled-io-N`.
const SLED_THREAD: &str = "sled-io-";

static HOOK: Once = Once::new();
static CATCHING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes an error with its first line.
///
/// What `work` changed must not be used after a panic, except to be dropped.
pub(super) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    HOOK.call_once(install_hook);
    let _quiet = Quiet::begin();
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied())
            .unwrap_or("no message");
        // The rest may hold whole pages, and so people's data.
        text.lines().next().unwrap_or_default().chars().take(120).collect()
    })
}

fn install_hook() {
    let passed_on = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let of_sled = thread.name().is_some_and(|name| name.starts_with(SLED_THREAD));
        let ours = QUIET.with(Cell::get) || (of_sled && CATCHING.load(Ordering::Relaxed) > 0);
        if !ours {
            passed_on(info);
        }
    }));
}

struct Quiet {
    outer: bool,
}

impl Quiet {
    fn begin() -> Self {
        CATCHING.fetch_add(1, Ordering::Relaxed);
        Self { outer: QUIET.replace(true) }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(self.outer);
        CATCHING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_its_first_line() {
        assert_eq!(catch(|| 7), Ok(7));
        assert_eq!(catch(|| panic!("at {}\nJane Doe", 3)), Err::<(), _>("at 3".to_owned()));
    }

    #[test]
    fn panics_outside_are_loud_again() {
        let _ = catch(|| panic!("quiet"));
        assert!(!QUIET.with(Cell::get));
    }
}
