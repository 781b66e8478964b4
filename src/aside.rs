//! Work that blocks, done where that holds up nobody: signals and the watchdog are heard meanwhile.

/// Does what takes its time on a thread that may block.
///
/// Whoever stops waiting leaves it behind: it comes to its end all the same.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    #[cfg(test)]
    let _counted = under_way::Counted::begin();
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// What this thread's tasks have others do aside: tests whose time is paused let none go by meanwhile.
#[cfg(test)]
pub(crate) mod under_way {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn count() -> usize {
        COUNT.get()
    }

    pub(super) struct Counted;

    impl Counted {
        pub(super) fn begin() -> Self {
            COUNT.set(COUNT.get() + 1);
            Self
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            COUNT.set(COUNT.get() - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn other_tasks_go_on_while_something_is_done_aside() {
        let (go_on, told) = mpsc::channel();
        // On the one thread of this test: it would hang if the work took that.
        let work = aside(move || told.recv().unwrap());
        tokio::join!(work, async { go_on.send(()).unwrap() });
    }
}
