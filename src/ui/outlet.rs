//! A stream of a service that a thread of its own writes, so that telling never blocks working.
//!
//! Holds so much and no more: what finds no room, or cannot be written, is dropped and counted.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Most that waits for a reader, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// Longest pause of a reader that the end of the process waits for.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Takes what is to be written. Clones lead to the same stream.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Rung when something is put in.
    filled: Condvar,
    /// Rung when something was written, or could not be.
    written: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Vec<u8>>,
    bytes: usize,
    is_writing: bool,
    /// Writes tried so far.
    writes: u64,
    /// Lines dropped so far, and how many of them were told.
    dropped: u64,
    told: u64,
    /// Why the last write failed.
    error: Option<io::Error>,
}

impl Queue {
    fn is_done(&self) -> bool {
        self.pieces.is_empty() && !self.is_writing
    }
}

impl Outlet {
    /// Begins to write to `file`, whatever it takes.
    pub(super) fn to(file: File) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writing = Arc::clone(&shared);
        thread::Builder::new().name("output".to_owned()).spawn(move || writing.write_to(&file)).map(drop)?;
        Ok(Self(shared))
    }

    /// Puts whole lines in, or drops and counts them; never waits for the stream.
    pub fn put(&self, text: &[u8]) {
        let mut queue = self.0.lock();
        if queue.bytes + text.len() > MOST_BYTES {
            queue.dropped += lines(text);
            return;
        }
        queue.bytes += text.len();
        queue.pieces.push_back(text.to_owned());
        drop(queue);
        self.0.filled.notify_one();
    }

    /// Returns how many lines were dropped so far.
    pub fn dropped(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Says why the last write failed, if it did.
    pub fn error(&self) -> Option<String> {
        self.0.lock().error.as_ref().map(ToString::to_string)
    }

    /// Takes the number of lines that were dropped and not told, once they can be told.
    pub(super) fn take_untold(&self) -> u64 {
        let mut queue = self.0.lock();
        if !queue.is_done() || queue.error.is_some() {
            return 0;
        }
        let untold = queue.dropped - queue.told;
        queue.told = queue.dropped;
        untold
    }

    /// Waits until all is written, unless the stream takes nothing for a while; fails as the last write did.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut queue = self.0.lock();
        while !queue.is_done() {
            let before = queue.writes;
            let is_same = |queue: &mut Queue| !queue.is_done() && queue.writes == before;
            let waited = self.0.written.wait_timeout_while(queue, LAST_WAIT, is_same);
            let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = after;
            if timeout.timed_out() {
                break;
            }
        }
        queue.error.as_ref().map_or(Ok(()), |error| Err(error.kind().into()))
    }
}

/// Gathers what is written into whole lines for an outlet, however long they are.
#[derive(Debug)]
pub(super) struct Lines {
    outlet: Outlet,
    begun: Vec<u8>,
}

impl Lines {
    pub(super) fn to(outlet: Outlet) -> Self {
        Self { outlet, begun: Vec::new() }
    }

    pub(super) fn outlet(&self) -> &Outlet {
        &self.outlet
    }
}

impl Write for Lines {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        if whole > 0 {
            self.begun.extend_from_slice(&text[..whole]);
            self.flush()?;
        }
        self.begun.extend_from_slice(&text[whole..]);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.begun.is_empty() {
            self.outlet.put(&self.begun);
            self.begun.clear();
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is put in, until the process ends.
    fn write_to(&self, file: &File) {
        // After a failure that came in the middle of a line.
        let mut is_mid_line = false;
        loop {
            let waited = self.filled.wait_while(self.lock(), |queue| queue.pieces.is_empty());
            let mut queue = waited.unwrap_or_else(PoisonError::into_inner);
            let piece = queue.pieces.pop_front().expect("it was waited for");
            queue.bytes -= piece.len();
            queue.is_writing = true;
            drop(queue);
            let written = if is_mid_line { write_all(file, b"\n").1 } else { Ok(()) };
            let written = written.and_then(|()| {
                let (bytes, written) = write_all(file, &piece);
                is_mid_line = written.is_err() && bytes > 0 && piece[bytes - 1] != b'\n';
                written
            });
            let mut queue = self.lock();
            queue.is_writing = false;
            queue.writes += 1;
            if written.is_err() {
                queue.dropped += lines(&piece);
            }
            queue.error = written.err();
            drop(queue);
            self.written.notify_all();
        }
    }
}

/// Writes a text; returns how much of it was written.
fn write_all(mut file: &File, text: &[u8]) -> (usize, io::Result<()>) {
    let mut bytes = 0;
    while bytes < text.len() {
        match file.write(&text[bytes..]) {
            Ok(0) => return (bytes, Err(io::ErrorKind::WriteZero.into())),
            Ok(more) => bytes += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (bytes, Err(error)),
        }
    }
    (bytes, Ok(()))
}

fn lines(text: &[u8]) -> u64 {
    let ends = text.split(|byte| *byte == b'\n').count() - 1;
    u64::try_from(ends).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, Read, pipe};
    use std::os::fd::OwnedFd;

    use super::*;

    fn piped() -> (PipeReader, Outlet) {
        let (reader, writer) = pipe().unwrap();
        (reader, Outlet::to(File::from(OwnedFd::from(writer))).unwrap())
    }

    #[test]
    fn what_is_put_in_comes_out_in_order() {
        let (mut reader, outlet) = piped();
        outlet.put(b"one\n");
        outlet.put(b"two\n");
        let mut text = [0; 8];
        reader.read_exact(&mut text).unwrap();
        assert_eq!(&text, b"one\ntwo\n");
        outlet.finish().unwrap();
        assert_eq!((outlet.dropped(), outlet.take_untold()), (0, 0));
    }

    #[test]
    fn a_line_goes_out_whole_however_it_is_written() {
        let (mut reader, outlet) = piped();
        let mut lines = Lines::to(outlet.clone());
        for _ in 0..5000 {
            lines.write_all(b"x").unwrap();
        }
        assert!(lines.outlet().0.lock().is_done(), "half a line could be dropped alone");
        lines.write_all(b"\nrest").unwrap();
        lines.flush().unwrap();
        let mut text = vec![0; 5005];
        reader.read_exact(&mut text).unwrap();
        outlet.finish().unwrap();
        assert!(text.ends_with(b"x\nrest"));
    }

    #[test]
    fn nobody_waits_for_a_reader_who_does_not_read_and_what_was_dropped_is_told_when_he_does() {
        let (mut reader, outlet) = piped();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..4096 {
            outlet.put(&line);
        }
        let dropped = outlet.dropped();
        assert!(dropped > 2048, "{dropped}");
        assert_eq!(outlet.take_untold(), 0, "nobody would hear it");
        let kept = usize::try_from(4096 - dropped).unwrap();
        let mut text = vec![0; kept * line.len()];
        reader.read_exact(&mut text).unwrap();
        outlet.finish().unwrap();
        assert_eq!((outlet.take_untold(), outlet.take_untold()), (dropped, 0));
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_says_why() {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let outlet = Outlet::to(full).unwrap();
        outlet.put(b"one\ntwo\n");
        assert_eq!(outlet.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(outlet.dropped(), 2);
        assert!(outlet.error().unwrap().contains("No space left"));
    }

    #[test]
    fn the_end_does_not_wait_for_a_reader_who_does_not_read() {
        let (_reader, outlet) = piped();
        outlet.put(&vec![b'x'; 512 * 1024]);
        outlet.finish().unwrap();
    }
}
