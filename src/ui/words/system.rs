//! Errors of the system: streams, signals, threads, files.

use std::error::Error;
use std::path::Path;

use super::super::amounts::counted;
use super::super::escape::escape;
use crate::ops::chain;
use crate::source::Diagnostic;

/// What the system is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    WorkerThreads,
    EventLoop,
    RandomNumbers,
    Signals,
    Stdin,
    Stdout,
    Records,
    Answer,
    /// A directory for the time of one run.
    Directory,
}

/// Says what the system did not give.
pub(crate) fn cannot(asked: Asked, why: &dyn Error) -> Diagnostic {
    let summary = match asked {
        Asked::WorkerThreads => "Cannot start worker threads",
        Asked::EventLoop => "Cannot start the event loop",
        Asked::RandomNumbers => "Cannot get random numbers from the system",
        Asked::Signals => "Cannot listen for signals",
        Asked::Stdin => "Cannot read stdin",
        Asked::Stdout => "Cannot write to stdout",
        Asked::Records => "Cannot write all records to the file of --json-into",
        Asked::Answer => "Cannot read the answer",
        Asked::Directory => "Cannot make a temporary directory",
    };
    Diagnostic::error(summary, chain(why))
}

pub(crate) fn cannot_write(path: &Path, why: &dyn Error) -> Diagnostic {
    Diagnostic::error(format!("{} cannot be written", path.display()), chain(why))
}

pub(crate) fn cannot_read(path: &Path, why: &dyn Error) -> Diagnostic {
    Diagnostic::error(format!("Cannot read {}", path.display()), chain(why))
}

pub(crate) fn cannot_open(path: &Path, why: &dyn Error) -> Diagnostic {
    Diagnostic::error(format!("{} cannot be opened", path.display()), chain(why))
}

pub(crate) fn cannot_make(path: &Path, why: &dyn Error) -> Diagnostic {
    Diagnostic::error(format!("{} cannot be created", path.display()), chain(why))
}

/// A link is in the place of a file to be written.
pub(crate) fn not_through_link(target: &Path) -> String {
    format!(
        "it is a symbolic link to {}, and a file is not written through a link; name that file itself, or remove the \
         link",
        target.display()
    )
}

/// The file of `--json-into`.
pub(crate) fn no_records_file(path: &Path, why: &dyn Error) -> Diagnostic {
    let detail = format!("{}. --json-into names the file to write records to.", chain(why));
    Diagnostic::error(format!("Cannot write to {}", path.display()), detail)
}

/// This process cannot listen for signals, and the system does not end it by them.
pub(crate) fn deaf(why: &dyn Error) -> Diagnostic {
    let detail = format!("{why}. Ctrl-C and SIGTERM may not end this command.");
    Diagnostic::warning("Cannot listen for signals", detail)
}

pub(crate) fn output_is_waited_for(why: &dyn Error) -> Diagnostic {
    let detail = format!("{why}. The service waits for the program that reads its output.");
    Diagnostic::warning("Cannot start a thread for the output", detail)
}

pub(crate) fn git_may_take_it(why: &dyn Error) -> Diagnostic {
    let detail = format!("{why}. Do not commit .contactsd: it holds what the contact files declare.");
    Diagnostic::warning("Cannot write .contactsd/.gitignore", detail)
}

/// `CONTACTSD_LOG` says nothing that is known.
pub(crate) fn unknown_log_level(asked: &str, why: &dyn Error) -> Diagnostic {
    let detail = format!("{why}. Use error, warn, info, debug or trace.");
    Diagnostic::warning(format!("CONTACTSD_LOG has an unknown value: {asked:?}"), detail)
}

pub(crate) fn unknown_variable(name: &str, nearest: Option<&str>) -> Diagnostic {
    let guess = nearest.map(|nearest| format!(" Did you mean {nearest}?")).unwrap_or_default();
    Diagnostic::warning(format!("The variable {name} is unknown"), format!("It is set and has no effect.{guess}"))
}

pub(crate) fn variable_not_text(name: &str) -> Diagnostic {
    Diagnostic::error(
        format!("The variable {name} is not UTF-8 text"),
        "It is set, and what it says cannot be understood. Set it again, or unset it.",
    )
}

/// Two options that ask for two things on one stdout.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OneStdout {
    PlanAndRecords,
    PlanAndPage,
    PageAndRecords,
    DriftAndDocument,
}

pub(crate) fn exclude_each_other(two: OneStdout) -> Diagnostic {
    let (options, next) = match two {
        OneStdout::PlanAndRecords => ("--out - and --json", "Name a file for the plan."),
        OneStdout::PlanAndPage => ("--out - and --format markdown", "Name a file for the plan."),
        OneStdout::PageAndRecords => {
            ("--format markdown and --json", "--json-into FILE writes the records beside the page.")
        }
        OneStdout::DriftAndDocument => ("--format and --json", "--json-into FILE writes the document beside the page."),
    };
    Diagnostic::error(format!("{options} cannot be used together"), format!("stdout can hold only one of them. {next}"))
}

/// `fmt -` formats stdin alone.
pub(crate) fn stdin_and_files() -> Diagnostic {
    Diagnostic::error(
        "- is stdin, and no other file can be named with it",
        "stdout then holds the formatted text and nothing else. Format the other files in a separate call.",
    )
}

/// The pages of `man`.
pub(crate) fn pages_written(directory: &Path, pages: usize) -> String {
    format!("Wrote {} to {}.", counted(pages, "page"), escape(&directory.to_string_lossy()))
}
