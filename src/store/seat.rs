//! The place of the one service that keeps a state in step, held while the service runs, paused or not.
//!
//! Apart from the state's own lock, which a paused service gives up to other writers. Decides nothing:
//! whether a pause is wanted is up to the caller.

use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

use super::guard::pause;
use super::lock::{Anchor, Lock};
use super::place::{self, PAUSED, SEAT};
use crate::model::Timestamp;
use crate::private_dir::PrivateDir;
use crate::state::{Error, Holder, Location};

/// How often, a millisecond apart, a lock that is taken is asked for again.
const LOCK_ATTEMPTS: u32 = 50;

/// The place of the service of one state. Given up when dropped.
#[derive(Debug)]
pub struct Seat {
    state: PrivateDir,
    anchor: Anchor,
    _lock: Lock,
}

/// Whether a service keeps a state in step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seating {
    /// None ever did, or the directory was removed.
    Unknown,
    /// None does now.
    Free,
    /// One does; it says who it is, if anything.
    Taken(Option<Box<Holder>>),
}

/// The mark of a pause.
#[derive(Debug, Serialize, Deserialize)]
struct Pause {
    since: Timestamp,
}

impl Seat {
    /// Takes the place; an error names the service that has it. Makes the state's directory when there is none.
    pub fn take(location: &Location, holder: &Holder) -> Result<Self, Error> {
        place::directory(location.directory())?;
        let state = PrivateDir::make(location.directory())?;
        let path = state.path().join(SEAT);
        let mut attempts = 1..=LOCK_ATTEMPTS;
        let lock = loop {
            let file = state.open_private(SEAT).map_err(|error| Error::io("open", &path, error))?;
            if let Some(lock) = Lock::take(file).map_err(|error| Error::io("lock", &path, error))? {
                break lock;
            }
            // Whoever looks at the seat holds it for a moment.
            if attempts.next().is_none() {
                let holder = announced(&state).map(Box::new);
                return Err(Error::Locked { state: location.clone(), holder });
            }
            pause();
        };
        let anchor = lock.anchor(path.clone()).map_err(|error| Error::io("look at", &path, error))?;
        let seat = Self { state, anchor, _lock: lock };
        seat.announce(holder)?;
        Ok(seat)
    }

    /// Reports whether the place is where it was taken: nobody removed or replaced the directory.
    pub fn is_in_place(&self) -> bool {
        self.anchor.holds()
    }

    /// Says again who has the place, for example once it listens somewhere.
    pub fn announce(&self, holder: &Holder) -> Result<(), Error> {
        let written = || {
            let text = serde_json::to_vec_pretty(holder)?;
            // In place, since the lock is on the file itself; who reads it half written knows no better place to ask.
            self.state.write(SEAT, &text).map(drop)
        };
        written().map_err(|error| Error::io("say who the service is in", &self.state.path().join(SEAT), error))
    }

    /// Marks the service as paused; durable when it returns. An earlier mark stands.
    pub fn pause(&self, since: Timestamp) -> Result<Timestamp, Error> {
        if let Some(since) = marked(&self.state)? {
            return Ok(since);
        }
        let text = serde_json::to_vec(&Pause { since }).expect("a pause is plain data");
        place::replace_durably(&self.state, PAUSED, &text)
            .map_err(|error| Error::io("write", &self.state.path().join(PAUSED), error))?;
        Ok(since)
    }

    /// Takes the mark away; durable when it returns. Tells whether there was one.
    pub fn resume(&self) -> Result<bool, Error> {
        let removed = self.state.remove(PAUSED).and_then(|was_there| {
            if was_there {
                self.state.sync()?;
            }
            Ok(was_there)
        });
        removed.map_err(|error| Error::io("remove", &self.state.path().join(PAUSED), error))
    }
}

/// Tells since when the service of a state is paused; `None` when it is not.
pub fn paused(location: &Location) -> Result<Option<Timestamp>, Error> {
    match place::directory(location.directory())? {
        Some(state) => marked(&state),
        None => Ok(None),
    }
}

fn marked(state: &PrivateDir) -> Result<Option<Timestamp>, Error> {
    let path = state.path().join(PAUSED);
    match state.read(PAUSED) {
        Ok(text) => {
            let read: Result<Pause, _> = serde_json::from_slice(&text);
            let pause = read.map_err(|error| Error::io("understand", &path, io::Error::other(error)))?;
            Ok(Some(pause.since))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", &path, error)),
    }
}

/// Refuses where a service has the place, paused or not.
pub(super) fn refuse_service(state: &PrivateDir) -> Result<(), Error> {
    match look(state)? {
        Seating::Taken(holder) => Err(Error::Serviced { state: state.path().into(), holder }),
        Seating::Unknown | Seating::Free => Ok(()),
    }
}

/// Tells whether a service has the place of a state, paused or not.
pub fn seating(location: &Location) -> Result<Seating, Error> {
    match place::directory(location.directory())?.as_ref().map_or(Ok(Seating::Unknown), look) {
        // It is another user's.
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::PermissionDenied => Ok(Seating::Unknown),
        looked => looked,
    }
}

fn look(state: &PrivateDir) -> Result<Seating, Error> {
    let path = state.path().join(SEAT);
    let file = match state.open_file(SEAT) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Seating::Unknown),
        opened => opened.map_err(|error| Error::io("open", &path, error))?,
    };
    let lock = Lock::take(file).map_err(|error| Error::io("lock", &path, error))?;
    Ok(if lock.is_some() { Seating::Free } else { Seating::Taken(announced(state).map(Box::new)) })
}

/// Returns what the service of a state said about itself last, which may be over.
pub fn seated(location: &Location) -> Result<Option<Holder>, Error> {
    Ok(place::directory(location.directory())?.as_ref().and_then(announced))
}

fn announced(state: &PrivateDir) -> Option<Holder> {
    serde_json::from_slice(&state.read(SEAT).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::open::{self, Stands};
    use super::super::tests::support;
    use super::*;

    #[test]
    fn one_service_at_a_time_has_the_place() {
        let directory = tempfile::tempdir().unwrap();
        let state = Location::from(directory.path().join("state"));
        let holder = support::holder();
        let seat = Seat::take(&state, &holder).unwrap();
        let Err(Error::Locked { holder: Some(named), .. }) = Seat::take(&state, &holder) else { panic!("taken twice") };
        assert_eq!(*named, holder);
        drop(seat);
        Seat::take(&state, &holder).unwrap();
    }

    #[test]
    fn a_pause_outlives_the_service_and_keeps_its_time() {
        let directory = tempfile::tempdir().unwrap();
        let state = Location::from(directory.path().join("state"));
        assert_eq!(paused(&state).unwrap(), None);
        let seat = Seat::take(&state, &support::holder()).unwrap();
        assert_eq!(seat.pause(Timestamp(7)).unwrap(), Timestamp(7));
        assert_eq!(seat.pause(Timestamp(8)).unwrap(), Timestamp(7));
        drop(seat);
        assert_eq!(paused(&state).unwrap(), Some(Timestamp(7)));
        let seat = Seat::take(&state, &support::holder()).unwrap();
        assert_eq!((seat.resume().unwrap(), seat.resume().unwrap()), (true, false));
        assert_eq!(paused(&state).unwrap(), None);
    }

    #[test]
    fn a_directory_with_a_service_and_no_state_is_a_first_run() {
        let directory = tempfile::tempdir().unwrap();
        let seat = Seat::take(&directory.path().into(), &support::holder()).unwrap();
        seat.pause(Timestamp(7)).unwrap();
        assert_eq!(open::look(&seat.state).unwrap(), Stands::Nothing);
    }
}
