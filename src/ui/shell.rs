//! Where all text goes: the one home of printing.
//!
//! One method per kind of text, so that call sites choose a meaning and not a stream. stdout holds
//! results and progress, stderr warnings, errors and hints. A closed or failing stdout is remembered
//! and told once, by [`Shell::finish`]: work that is under way must not end because nobody watches it.
//!
//! What is told has two forms: text for people, and records for programs (`json`). A shell prints the text,
//! or the records instead, or the text and beside it the records to a file; the call sites are the same.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufWriter, IsTerminal, Write};
use std::os::fd::AsFd;

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use indicatif::ProgressDrawTarget;
use serde::Serialize;

use super::json::{Guarded, Layout, Record, Records};
use super::mask::Mask;
use super::message::message_text;
use super::outlet::{Lines, Outlet};
use super::stream::{DEFAULT_WIDTH, Stream};
use super::style::{ColorEnvironment, ColorFlag, Paint, color_choice};
use super::{crowd, log};
use crate::model::Timestamp;
use crate::ops::watch::Telling;
use crate::source::{Diagnostic, Severity};

/// Narrowest text; a terminal may claim to have no columns at all.
const MIN_WIDTH: usize = 20;

/// Holds a plan's blocks together on their way out; a line a write would cost a system call each.
const BUFFER_BYTES: usize = 64 * 1024;

/// Puts the cursor at the top of a terminal and clears what is below it.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

/// How much is said.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    #[default]
    Normal,
    /// Results, warnings and errors only.
    Quiet,
}

/// Prints, each kind of text where it belongs.
#[derive(Debug)]
pub struct Shell {
    verbosity: Verbosity,
    stdout: Stream,
    stderr: Stream,
    output: Output,
    /// Whether a bar may be drawn where there is a terminal; not in a CI runner, which may have one.
    bars: bool,
    /// Whether everything goes to the log instead, for services.
    logs: bool,
    /// Whether stdout is for something that is no text, so that texts go to stderr.
    leaves_stdout: bool,
    /// The first failure to write to stdout; nothing is written there after it.
    failure: Option<io::Error>,
    records: Records,
    mask: Mask,
    /// Messages told so far, where somebody wants them again.
    kept: Option<Vec<Diagnostic>>,
    errors: usize,
    warnings: usize,
}

#[derive(Debug)]
enum Output {
    Process { stdout: Way<BufWriter<AutoStream<io::Stdout>>>, stderr: Way<AutoStream<io::Stderr>> },
    Memory { stdout: Vec<u8>, stderr: Vec<u8> },
}

/// How a stream of the process is written.
#[derive(Debug)]
enum Way<T> {
    /// At once, by whoever tells: who reads is waited for, and misses nothing.
    Direct(T),
    Queued(Lines),
}

impl<T: Write> Way<T> {
    fn stream(&mut self) -> &mut dyn Write {
        match self {
            Self::Direct(stream) => stream,
            Self::Queued(stream) => stream,
        }
    }

    fn outlet(&self) -> Option<&Outlet> {
        match self {
            Self::Direct(_) => None,
            Self::Queued(stream) => Some(stream.outlet()),
        }
    }
}

impl Shell {
    /// Prints to the streams of this process.
    pub fn of_process(flag: Option<ColorFlag>, environment: &ColorEnvironment, verbosity: Verbosity) -> Self {
        let describe = |is_terminal: bool, columns: Option<usize>| Stream {
            is_terminal,
            color: color_choice(flag, environment, is_terminal),
            width: columns.filter(|_| is_terminal).unwrap_or(DEFAULT_WIDTH).max(MIN_WIDTH),
        };
        let columns = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let stdout = describe(io::stdout().is_terminal(), columns);
        let stderr = describe(io::stderr().is_terminal(), columns);
        let choice = |color| if color { ColorChoice::Always } else { ColorChoice::Never };
        let output = Output::Process {
            stdout: Way::Direct(BufWriter::with_capacity(
                BUFFER_BYTES,
                AutoStream::new(io::stdout(), choice(stdout.color)),
            )),
            stderr: Way::Direct(AutoStream::new(io::stderr(), choice(stderr.color))),
        };
        Self::new(verbosity, stdout, stderr, output)
    }

    /// Keeps everything, for tests; see [`Shell::captured`].
    pub fn in_memory(stdout: Stream, stderr: Stream, verbosity: Verbosity) -> Self {
        let output = Output::Memory { stdout: Vec::new(), stderr: Vec::new() };
        Self::new(verbosity, stdout, stderr, output)
    }

    fn new(verbosity: Verbosity, stdout: Stream, stderr: Stream, output: Output) -> Self {
        Self {
            verbosity,
            stdout,
            stderr,
            output,
            bars: true,
            logs: false,
            leaves_stdout: false,
            failure: None,
            records: Records::default(),
            mask: Mask::Off,
            kept: None,
            errors: 0,
            warnings: 0,
        }
    }

    /// Returns what an in-memory shell was told, stdout and stderr apart; `None` for a real one.
    pub fn captured(&self) -> Option<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match &self.output {
            Output::Process { .. } => None,
            Output::Memory { stdout, stderr } => Some((text(stdout), text(stderr))),
        }
    }

    pub fn stdout(&self) -> Stream {
        self.stdout
    }

    pub fn stderr(&self) -> Stream {
        self.stderr
    }

    /// Speaks in records instead of text from here on.
    pub fn speak_json(&mut self) {
        self.records.set_on_stdout();
        // Nothing is drawn or painted among records.
        self.stdout = Stream { is_terminal: false, color: false, ..self.stdout };
        self.stderr = Stream { is_terminal: false, color: false, ..self.stderr };
    }

    /// Writes the records to `file` as well from here on.
    pub fn record_into(&mut self, file: File) {
        self.records.set_file(file);
    }

    /// Says how this verb lays out what it tells programs.
    pub fn lay_out(&mut self, layout: Layout) {
        self.records.set_layout(layout);
    }

    /// Writes the time on each record from here on.
    pub fn tell_time(&mut self, clock: impl Fn() -> Timestamp + Send + 'static) {
        self.records.set_clock(clock);
    }

    /// Reports whether stdout speaks in records, so that no person is asked anything there.
    pub fn speaks_json(&self) -> bool {
        self.records.on_stdout()
    }

    /// Speaks in lines of the log instead of text from here on.
    pub fn speak_log(&mut self) {
        self.logs = true;
        // Nothing is drawn or painted in a log.
        self.stdout = Stream::default();
        self.stderr = Stream::default();
    }

    /// Leaves stdout to [`Shell::bytes`] from here on; texts go to stderr.
    pub fn leave_stdout(&mut self) {
        self.leaves_stdout = true;
        self.stdout = self.stderr;
    }

    /// Reports whether this shell speaks in lines of the log.
    pub fn speaks_log(&self) -> bool {
        self.logs
    }

    /// Waits for no reader from here on, for services; a terminal alone is written to as before.
    ///
    /// A service that waited for whoever reads its output would stop working with him. What finds no room is dropped
    /// and counted: see [`Shell::telling`].
    pub fn never_wait(&mut self) -> io::Result<()> {
        let Output::Process { stdout, stderr } = &mut self.output else { return Ok(()) };
        if !io::stdout().is_terminal() {
            *stdout = Way::Queued(Lines::to(outlet(&io::stdout())?));
        }
        if !io::stderr().is_terminal() {
            *stderr = Way::Queued(Lines::to(outlet(&io::stderr())?));
        }
        Ok(())
    }

    /// Returns where lines of the log go so that nobody waits for them; `None` where they are written at once.
    pub fn stderr_outlet(&self) -> Option<Outlet> {
        self.outlets().1.cloned()
    }

    /// Tells how telling goes: whether what was told could be written.
    pub fn telling(&self) -> Telling {
        let (stdout, stderr) = self.outlets();
        let outlets = [stdout, stderr];
        let dropped = outlets.iter().flatten().map(|outlet| outlet.dropped()).sum();
        Telling { dropped, error: outlets.iter().flatten().find_map(|outlet| outlet.error()) }
    }

    /// Says how many lines were dropped since that was said last, where somebody can hear it.
    pub fn tell_dropped(&mut self) {
        let (stdout, stderr) = self.outlets();
        let untold: u64 = [stdout, stderr].into_iter().flatten().map(Outlet::take_untold).sum();
        if untold > 0 {
            let lines =
                if untold == 1 { "1 line was dropped".to_owned() } else { format!("{untold} lines were dropped") };
            let detail =
                "They could not be written: no program read them in time, or the disk was full. The work continued.";
            self.warning(lines, detail);
        }
    }

    fn outlets(&self) -> (Option<&Outlet>, Option<&Outlet>) {
        match &self.output {
            Output::Process { stdout, stderr } => (stdout.outlet(), stderr.outlet()),
            Output::Memory { .. } => (None, None),
        }
    }

    /// Prints what the user asked for. Never left out. A newline is added.
    ///
    /// The text is written as it is formatted, so a plan of any size takes no memory here. Programs get it as
    /// it is; what has a structure of its own belongs into [`Shell::result_as`].
    pub fn result(&mut self, text: impl fmt::Display) {
        if self.records.are_wanted() {
            self.records([Record::output(plain(&text))]);
        }
        self.text(&text);
    }

    /// Prints what the user asked for: the text for people, the records for programs.
    ///
    /// Neither is made for nobody: records are asked for one by one, as they are written.
    pub fn result_as<'r>(&mut self, text: impl fmt::Display, records: impl IntoIterator<Item = Record<'r>>) {
        self.text(&self.stdout.folded(text));
        self.records(records);
    }

    /// Lets `say` say what people alone are told; programs get it in another form.
    pub fn to_people(&mut self, say: impl FnOnce(&mut Self)) {
        if !self.speaks_json() {
            let records = std::mem::take(&mut self.records);
            say(self);
            self.records = records;
        }
    }

    /// Gives programs alone what they asked for: documents, one a line, each written as it is made.
    pub fn documents<T: Serialize>(&mut self, documents: impl IntoIterator<Item = T>) {
        self.with_records(|records, stdout, _| records.write_documents(documents, stdout));
    }

    /// Prints how the work goes on, unless quiet. A newline is added.
    pub fn status(&mut self, text: impl fmt::Display) {
        if self.records.are_wanted() {
            self.records([Record::log(plain(&text))]);
        }
        self.status_as(text, []);
    }

    /// Prints how the work goes on, unless quiet: the text for people, the records for programs.
    pub fn status_as<'r>(&mut self, text: impl fmt::Display, records: impl IntoIterator<Item = Record<'r>>) {
        // Where messages are kept for a page, stdout holds the page and nothing else.
        if self.verbosity == Verbosity::Normal && self.kept.is_none() {
            self.text(&self.stdout.folded(text));
        }
        self.records(records);
    }

    /// Tells programs alone. Those records are left out that a quiet shell has no text for.
    pub fn records<'r>(&mut self, records: impl IntoIterator<Item = Record<'r>>) {
        let is_quiet = self.verbosity == Verbosity::Quiet;
        let told = records.into_iter().filter(|record| !is_quiet || record.stays_when_quiet());
        self.with_records(|records, stdout, stderr| records.write(told, stdout, stderr));
    }

    /// Prints a warning or an error in full, with its place and detail.
    pub fn message(&mut self, message: &Diagnostic) {
        self.tell(message, true);
    }

    /// Counts a warning or an error and gives it to programs; people are told about several in sum.
    pub(super) fn message_in_sum(&mut self, message: &Diagnostic) {
        self.tell(message, false);
    }

    fn tell(&mut self, message: &Diagnostic, is_shown: bool) {
        match message.severity {
            Severity::Error => self.errors += message.findings,
            Severity::Warning => self.warnings += message.findings,
        }
        if let Some(kept) = &mut self.kept {
            kept.push(message.clone());
        }
        let message = &*self.mask.message(message);
        if is_shown {
            self.show(message);
        }
        if self.records.are_wanted() {
            self.records([Record::diagnostic(message)]);
        }
    }

    /// Prints a message that sums up others, which programs have.
    pub(super) fn sum(&mut self, message: &Diagnostic) {
        let message = self.mask.message(message).into_owned();
        self.show(&message);
    }

    fn show(&mut self, message: &Diagnostic) {
        if self.logs {
            log::message(message);
        } else if !self.speaks_json() {
            let text = message_text(message, self.stderr);
            self.write_stderr(format_args!("{text}\n"));
        }
    }

    /// Leaves personal values out of messages from here on.
    pub fn mask(&mut self, mask: Mask) {
        self.mask = mask;
    }

    /// Keeps messages from here on, for [`Shell::kept_messages`].
    pub fn keep_messages(&mut self) {
        self.kept.get_or_insert_default();
    }

    /// Returns the messages that were told since they are kept, as they were given.
    pub fn kept_messages(&self) -> Vec<Diagnostic> {
        self.kept.clone().unwrap_or_default()
    }

    /// Returns how many errors and warnings were told.
    pub fn told(&self) -> (usize, usize) {
        (self.errors, self.warnings)
    }

    /// Prints several: errors last, where people look first, otherwise in the given order; of many the first ones, and
    /// counts of all.
    pub fn messages(&mut self, messages: impl IntoIterator<Item = Diagnostic>) {
        let mut messages: Vec<Diagnostic> = messages.into_iter().collect();
        messages.sort_by_key(|message| message.severity);
        let is_shown = crowd::shown(&messages);
        for (number, message) in messages.iter().enumerate() {
            self.tell(message, is_shown(number));
        }
        if let Some(sums) = crowd::sums(&messages).filter(|_| !self.speaks_json()) {
            self.write_stderr(format_args!("\n{}\n", self.stderr.folded(sums)));
        }
        // The first of the gravest: what comes last of many counts those that are not shown.
        let gravest = messages.last().map(|message| message.severity);
        let code = messages.iter().filter(|message| Some(message.severity) == gravest).find_map(|message| message.code);
        if let Some(code) = code.filter(|_| !self.logs && !self.speaks_json() && self.verbosity == Verbosity::Normal) {
            let hint = Paint { color: self.stderr.color }.cyan("Hint:").to_string();
            self.write_stderr(format_args!("\n{hint} contactsd explain {code} says more.\n"));
        }
    }

    /// Prints a warning that has nothing but its summary and detail.
    pub fn warning(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.message(&Diagnostic::warning(summary, detail));
    }

    /// Prints an error that has nothing but its summary and detail.
    pub fn error(&mut self, summary: impl Into<String>, detail: impl Into<String>) {
        self.message(&Diagnostic::error(summary, detail));
    }

    /// Prints what the user could do next, unless quiet. A newline is added.
    pub fn hint(&mut self, text: impl fmt::Display) {
        if self.verbosity == Verbosity::Normal && !self.speaks_json() {
            let paint = Paint { color: self.stderr.color };
            let hint = format!("{} {text}", paint.cyan("Hint:"));
            self.write_stderr(format_args!("{}\n", self.stderr.folded(hint)));
        }
        if self.records.are_wanted() {
            self.records([Record::log(format!("Hint: {text}"))]);
        }
    }

    /// Prints `prompt` and reads one line; `None` at the end of the input.
    pub fn ask(&mut self, prompt: impl fmt::Display, input: &mut impl BufRead) -> io::Result<Option<String>> {
        self.write_stdout(format_args!("{prompt}"));
        let mut line = String::new();
        let read = input.read_line(&mut line)?;
        // A blank line on a terminal, which echoed the answer's newline; elsewhere the end of the prompt.
        self.write_stdout(format_args!("\n"));
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Tells whether all of stdout was written; the error's kind is `BrokenPipe` when the reader left.
    pub fn finish(&mut self) -> io::Result<()> {
        self.tell_dropped();
        let queued = self.outlets().0.map_or(Ok(()), Outlet::finish);
        self.failure.take().map_or(queued, Err)
    }

    /// Waits until what was told on stderr is written, as far as anybody takes it.
    pub fn drain(&mut self) {
        // When that fails there is no place left to say so.
        let _ = self.outlets().1.map_or(Ok(()), Outlet::finish);
    }

    /// Has lines now and then stand for bars, whatever stdout is.
    pub fn without_bars(&mut self) {
        self.bars = false;
    }

    /// Reports whether progress may redraw its line.
    pub(super) fn has_bars(&self) -> bool {
        self.bars && self.stdout.is_terminal && !self.leaves_stdout
    }

    /// Reports whether stdout takes no more, so that going on to print is of no use.
    pub fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Clears a terminal for the next text in place of the last; elsewhere a blank line stands between the two.
    pub fn begin_again(&mut self) {
        if self.speaks_json() || self.logs {
            return;
        }
        match &mut self.output {
            // Past the stream that takes paint off: this is no paint.
            Output::Process { stdout, .. } if self.stdout.is_terminal => {
                let cleared = stdout.stream().flush().and_then(|()| io::stdout().write_all(CLEAR.as_bytes()));
                self.failure = self.failure.take().or(cleared.err());
            }
            Output::Process { .. } | Output::Memory { .. } => self.write_stdout(format_args!("\n")),
        }
    }

    /// Tells whether all records were written that a file was to hold.
    pub fn finish_file(&mut self) -> io::Result<()> {
        self.records.finish()
    }

    /// Where a progress bar is drawn: nowhere unless stdout is a terminal, and not when quiet.
    pub(super) fn draw_target(&self) -> ProgressDrawTarget {
        let is_drawn = self.has_bars() && self.verbosity == Verbosity::Normal;
        match self.output {
            Output::Process { .. } if is_drawn => ProgressDrawTarget::stdout(),
            Output::Process { .. } | Output::Memory { .. } => ProgressDrawTarget::hidden(),
        }
    }

    /// Prints a text for people on stdout.
    fn text(&mut self, text: &impl fmt::Display) {
        if !self.speaks_json() {
            self.write_stdout(format_args!("{text}\n"));
        }
    }

    /// Lets `write` write records, when anybody reads them. What goes wrong is remembered.
    fn with_records(&mut self, write: impl FnOnce(&mut Records, &mut Guarded<'_>, &mut dyn Write) -> io::Result<()>) {
        let Self { output, failure, records, .. } = self;
        if !records.are_wanted() {
            return;
        }
        let (stdout, stderr): (&mut dyn Write, &mut dyn Write) = match output {
            Output::Process { stdout, stderr } => (stdout.stream(), stderr.stream()),
            Output::Memory { stdout, stderr } => (stdout, stderr),
        };
        // Both places remember their own failures; of stderr there is no place left to say so.
        let _ = write(records, &mut Guarded { out: stdout, failure }, stderr);
    }

    /// Hands out stdout, and the file of records, for JSON that is written line by line as it is.
    ///
    /// A failure to write is also remembered for [`Shell::finish`].
    pub fn raw(&mut self) -> Raw<'_> {
        let out: Box<dyn Write + '_> = match &mut self.output {
            // What was printed before was flushed.
            Output::Process { .. } => Box::new(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())),
            Output::Memory { stdout, .. } => Box::new(stdout),
        };
        Raw { out, failure: &mut self.failure, file: self.records.file() }
    }

    /// Hands out stdout for what is no text and no record.
    ///
    /// A failure to write is also remembered for [`Shell::finish`].
    pub fn bytes(&mut self) -> Raw<'_> {
        Raw { file: None, ..self.raw() }
    }

    fn write_stdout(&mut self, text: fmt::Arguments<'_>) {
        if self.logs {
            return log::text(&text.to_string());
        }
        if self.leaves_stdout {
            return self.write_stderr(text);
        }
        if self.failure.is_some() {
            return;
        }
        let written = match &mut self.output {
            Output::Process { stdout, .. } => {
                let stdout = stdout.stream();
                stdout.write_fmt(text).and_then(|()| stdout.flush())
            }
            Output::Memory { stdout, .. } => stdout.write_fmt(text),
        };
        self.failure = written.err();
    }

    /// Writes to stderr. When that fails there is no place left to say so.
    fn write_stderr(&mut self, text: fmt::Arguments<'_>) {
        if self.logs {
            return log::text(&text.to_string());
        }
        let _ = match &mut self.output {
            Output::Process { stderr, .. } => stderr.stream().write_fmt(text),
            Output::Memory { stderr, .. } => stderr.write_fmt(text),
        };
    }
}

/// Has a thread write to one of the process's streams.
fn outlet(stream: &impl AsFd) -> io::Result<Outlet> {
    Outlet::to(File::from(stream.as_fd().try_clone_to_owned()?))
}

/// Takes the paint off a text.
fn plain(text: &impl fmt::Display) -> String {
    strip_str(&text.to_string()).to_string()
}

/// Stdout for bytes as they are; whoever writes flushes at the end.
pub struct Raw<'a> {
    out: Box<dyn Write + 'a>,
    failure: &'a mut Option<io::Error>,
    file: Option<Guarded<'a>>,
}

impl Raw<'_> {
    fn noting(&mut self, write: impl Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            write(file)?;
        }
        write(&mut *self.out).inspect_err(|error| {
            self.failure.get_or_insert_with(|| error.kind().into());
        })
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.noting(|out| out.write_all(bytes)).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.noting(|out| out.flush())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Code;

    fn shell(verbosity: Verbosity) -> Shell {
        Shell::in_memory(Stream::default(), Stream::default(), verbosity)
    }

    fn say_everything(shell: &mut Shell) -> (String, String) {
        shell.result("result");
        shell.status("status");
        shell.hint("hint");
        shell.warning("warning", "");
        shell.error("error", "");
        shell.captured().unwrap()
    }

    #[test]
    fn each_kind_of_text_has_its_stream() {
        let (stdout, stderr) = say_everything(&mut shell(Verbosity::Normal));
        assert_eq!(stdout, "result\nstatus\n");
        assert_eq!(stderr, "Hint: hint\n\nWarning: warning\n\nError: error\n");
    }

    #[test]
    fn a_quiet_shell_keeps_results_warnings_and_errors() {
        let (stdout, stderr) = say_everything(&mut shell(Verbosity::Quiet));
        assert_eq!(stdout, "result\n");
        assert_eq!(stderr, "\nWarning: warning\n\nError: error\n");
    }

    #[test]
    fn errors_come_after_warnings() {
        let mut shell = shell(Verbosity::Normal);
        let [one, two] = ["one", "two"].map(|summary| Diagnostic::error(summary, ""));
        shell.messages([one, Diagnostic::warning("three", ""), two]);
        assert_eq!(shell.captured().unwrap().1, "\nWarning: three\n\nError: one\n\nError: two\n");
    }

    #[test]
    fn the_first_of_the_gravest_is_the_one_to_be_explained() {
        let mut shell = shell(Verbosity::Normal);
        let of = |code, severity| Diagnostic { code: Some(code), severity, ..Diagnostic::error("", "") };
        let [unknown, more] = [Code::UnknownField, Code::FurtherErrors].map(|code| of(code, Severity::Error));
        shell.messages([of(Code::BareNull, Severity::Warning), unknown, more]);
        let told = shell.captured().unwrap().1;
        assert!(told.ends_with("\nHint: contactsd explain E011 says more.\n"), "{told}");
    }

    #[test]
    fn an_answer_is_read_to_the_end_of_its_line_only() {
        let mut shell = shell(Verbosity::Normal);
        let mut input = io::Cursor::new("yes\r\nnext\n");
        assert_eq!(shell.ask("Enter a value: ", &mut input).unwrap(), Some("yes".to_owned()));
        assert_eq!(shell.ask("", &mut input).unwrap(), Some("next".to_owned()));
        assert_eq!(shell.ask("", &mut input).unwrap(), None);
    }

    #[test]
    fn a_failed_write_is_told_at_the_end_and_stops_stdout_alone() {
        let mut shell = shell(Verbosity::Normal);
        shell.failure = Some(io::ErrorKind::BrokenPipe.into());
        let (stdout, stderr) = say_everything(&mut shell);
        assert_eq!(stdout, "");
        assert!(stderr.contains("error"));
        assert_eq!(shell.finish().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
