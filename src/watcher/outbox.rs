//! What the watching thread has to tell, until it is taken.
//!
//! Holds one look and each notice once, however much happens before anyone asks.

use std::mem;
use std::sync::{Mutex, MutexGuard};

use tokio::sync::Notify;

use super::look::Look;
use super::notice::Notice;

/// From the watching thread to whoever awaits a change.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    news: Mutex<News>,
    bell: Notify,
}

#[derive(Debug, Default)]
struct News {
    look: Option<Look>,
    notices: Vec<Notice>,
}

impl Outbox {
    /// Calls for a look. A rescan is never watered down to a change.
    pub(super) fn tell(&self, look: Look) {
        let mut news = self.lock();
        match &mut news.look {
            Some(known) => known.merge(look),
            None => news.look = Some(look),
        }
        drop(news);
        self.bell.notify_one();
    }

    /// Leaves a notice, once until it is taken.
    pub(super) fn note(&self, notice: Notice) {
        let mut news = self.lock();
        if !news.notices.contains(&notice) {
            news.notices.push(notice);
        }
    }

    /// Resolves when a look was called for since this last resolved. Cancel-safe.
    pub(super) async fn told(&self) {
        self.bell.notified().await;
    }

    pub(super) fn take_look(&self) -> Option<Look> {
        self.lock().look.take()
    }

    pub(super) fn take_notices(&self) -> Vec<Notice> {
        mem::take(&mut self.lock().notices)
    }

    fn lock(&self) -> MutexGuard<'_, News> {
        self.news.lock().expect("nothing panics while it holds the news")
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn lost_events_stay_lost_until_taken() {
        let outbox = Outbox::default();
        outbox.tell(Look::Rescan);
        outbox.tell(Look::Changed(["contacts.d".into()].into()));
        assert_eq!(outbox.take_look(), Some(Look::Rescan));
        assert_eq!(outbox.take_look(), None);
    }

    #[test]
    fn directories_add_up_until_taken() {
        let outbox = Outbox::default();
        for directory in ["contacts.d/b", "contacts.d/a", "contacts.d/b"] {
            outbox.tell(Look::Changed([directory.into()].into()));
        }
        let directories = ["contacts.d/a", "contacts.d/b"].map(PathBuf::from).into();
        assert_eq!(outbox.take_look(), Some(Look::Changed(directories)));
    }

    #[test]
    fn a_notice_is_kept_once() {
        let outbox = Outbox::default();
        let notice = Notice::Overflow { dir: PathBuf::from("contacts.d") };
        outbox.note(notice.clone());
        outbox.note(notice.clone());
        assert_eq!(outbox.take_notices(), [notice]);
        assert_eq!(outbox.take_notices(), []);
    }
}
