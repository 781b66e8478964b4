//! Where records go: to stdout, to a file, or to both.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::harmless::write_json;
use super::record::{Level, Record};
use crate::model::Timestamp;
use crate::ui::time_text;

/// How the machine's output of a verb is laid out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Records, of which the first tells the version.
    #[default]
    Stream,
    /// Nothing but the verb's own documents, one a line; an error takes their place.
    Document,
}

/// What is known about the records of one invocation.
#[derive(Default)]
pub(in crate::ui) struct Records {
    layout: Layout,
    begun: bool,
    clock: Option<Box<dyn Fn() -> Timestamp + Send>>,
    file: Option<BufWriter<File>>,
    /// The first failure to write to the file; nothing is written there after it.
    failure: Option<io::Error>,
    on_stdout: bool,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { layout, begun, file, failure, on_stdout, clock: _ } = self;
        let mut shown = f.debug_struct("Records");
        shown.field("layout", layout).field("begun", begun).field("on_stdout", on_stdout);
        shown.field("file", &file.is_some()).field("failure", failure).finish_non_exhaustive()
    }
}

/// Writes on, whatever happens; the first failure is remembered, and nothing is written after it.
pub(in crate::ui) struct Guarded<'a> {
    pub(in crate::ui) out: &'a mut dyn Write,
    pub(in crate::ui) failure: &'a mut Option<io::Error>,
}

impl Write for Guarded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.is_some() {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                *self.failure = Some(error);
                Ok(bytes.len())
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failure.is_none() {
            *self.failure = self.out.flush().err();
        }
        Ok(())
    }
}

/// Writes the same to two places.
struct Tee<'a> {
    one: Option<&'a mut dyn Write>,
    other: Option<Guarded<'a>>,
}

impl Write for Tee<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(one) = &mut self.one {
            one.write_all(bytes)?;
        }
        if let Some(other) = &mut self.other {
            other.write_all(bytes)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.one.as_mut().map_or(Ok(()), Write::flush)?;
        self.other.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Records {
    pub(in crate::ui) fn on_stdout(&self) -> bool {
        self.on_stdout
    }

    /// Reports whether anybody reads records.
    pub(in crate::ui) fn are_wanted(&self) -> bool {
        self.on_stdout || self.file.is_some()
    }

    pub(in crate::ui) fn set_on_stdout(&mut self) {
        self.on_stdout = true;
    }

    pub(in crate::ui) fn set_file(&mut self, file: File) {
        self.file = Some(BufWriter::new(file));
    }

    pub(in crate::ui) fn set_layout(&mut self, layout: Layout) {
        self.layout = layout;
    }

    pub(in crate::ui) fn set_clock(&mut self, clock: impl Fn() -> Timestamp + Send + 'static) {
        self.clock = Some(Box::new(clock));
    }

    /// Writes records, each as it comes, wherever they are wanted.
    pub(in crate::ui) fn write<'r>(
        &mut self,
        records: impl IntoIterator<Item = Record<'r>>,
        stdout: &mut Guarded<'_>,
        stderr: &mut dyn Write,
    ) -> io::Result<()> {
        for record in records {
            let is_result = self.layout == Layout::Stream || record.level == Level::Error;
            let now = self.clock.as_ref().map(|clock| time_text(clock()));
            let begins = self.layout == Layout::Stream && !std::mem::replace(&mut self.begun, true);
            for record in begins.then(Record::version).into_iter().chain([record]) {
                let record = Record { timestamp: now.clone(), ..record };
                if is_result {
                    write_line(&mut self.tee(stdout), &record)?;
                } else if self.on_stdout {
                    write_line(stderr, &record)?;
                }
            }
        }
        self.tee(stdout).flush()
    }

    /// Writes documents, each as it is made, wherever they are wanted.
    pub(in crate::ui) fn write_documents<T: Serialize>(
        &mut self,
        documents: impl IntoIterator<Item = T>,
        stdout: &mut Guarded<'_>,
    ) -> io::Result<()> {
        let mut tee = self.tee(stdout);
        for document in documents {
            write_line(&mut tee, &document)?;
        }
        tee.flush()
    }

    /// Tells how writing to the file went.
    pub(in crate::ui) fn finish(&mut self) -> io::Result<()> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Returns the file, for what is written there as it is.
    pub(in crate::ui) fn file(&mut self) -> Option<Guarded<'_>> {
        let Self { file, failure, .. } = self;
        file.as_mut().map(|file| Guarded { out: file, failure })
    }

    fn tee<'a>(&'a mut self, stdout: &'a mut Guarded<'_>) -> Tee<'a> {
        let Self { on_stdout, file, failure, .. } = self;
        Tee {
            one: on_stdout.then_some(stdout as &mut dyn Write),
            other: file.as_mut().map(|file| Guarded { out: file, failure }),
        }
    }
}

fn write_line(mut out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    write_json(&mut out, value)?;
    out.write_all(b"\n")
}
