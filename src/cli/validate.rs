//! `contactsd validate`.

use crate::source::Diagnostic;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Exit;
use super::context::Context;
use super::stream::{self, STDIN_NAME};
use crate::beneath::Bounds;
use crate::ops::{self, Checked, LoadError};
use crate::settings::Checkout;
use crate::source::Severity;
use crate::ui::json::Validation;
use crate::ui::words::system::{Asked, cannot};
use crate::ui::{Shell, annotations, code_quality, sarif, words};

#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Format of the findings: text, annotations for GitHub, a Code Quality report for GitLab, or a SARIF log for code scanning
    #[arg(long, value_name = "FORM", default_value = "human")]
    pub(super) format: FindingsFormat,
    /// Check one file from stdin instead of the directory
    #[arg(value_name = "-", value_parser = stream::stdin())]
    pub(super) stdin: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FindingsFormat {
    Human,
    Github,
    Gitlab,
    Sarif,
    /// One JSON document, as with --json
    Json,
}

/// What the files hold and what is wrong with them.
struct Findings {
    /// Sorted by weight, errors last.
    messages: Vec<Diagnostic>,
    /// How many contacts there are; `None` where there are errors.
    contacts: Option<usize>,
    /// How many files there are; `None` where they could not be looked at.
    files: Option<usize>,
}

pub(super) fn run(args: &ValidateArgs, context: &mut Context) -> Exit {
    let findings = match &args.stdin {
        None => findings(&context.locations.contacts, &context.bounds),
        Some(_) => match of_stdin() {
            Ok(findings) => findings,
            Err(error) => return context.fail(&cannot(Asked::Stdin, &error)),
        },
    };
    let Findings { messages, contacts, files } = &findings;
    let checkout = Checkout::around(&context.locations.contacts, &context.environment);
    if args.format == FindingsFormat::Json {
        context.shell.speak_json();
    }
    context.shell.documents(std::iter::once_with(|| Validation::new(messages, *contacts, *files)));
    context.shell.to_people(|shell| match args.format {
        FindingsFormat::Human | FindingsFormat::Json => {
            shell.messages(messages.iter().cloned());
            success(&findings, shell);
        }
        FindingsFormat::Github => {
            let annotations = annotations(messages, &checkout);
            annotations.commands.iter().for_each(|command| shell.result(command));
            shell.messages(annotations.rest.into_iter().cloned());
            success(&findings, shell);
        }
        FindingsFormat::Gitlab => {
            let report = code_quality(messages, &checkout);
            shell.result(report.json);
            shell.messages(report.rest.into_iter().cloned());
        }
        FindingsFormat::Sarif => shell.result(sarif(messages, files.is_some(), &checkout)),
    });
    let failed = messages.iter().any(|message| message.severity == Severity::Error);
    if failed { Exit::Failure } else { Exit::Success }
}

/// Checks what stdin holds, as the one file of a directory.
fn of_stdin() -> io::Result<Findings> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("stdin.yaml");
    io::copy(&mut io::stdin().lock(), &mut File::create(&path)?)?;
    let mut findings = findings(directory.path(), &Bounds::default());
    let name = path.to_string_lossy().into_owned();
    for message in &mut findings.messages {
        let related = message.related.iter_mut().map(|(_, location)| &mut location.path);
        let paths = message.location.iter_mut().map(|location| &mut location.path).chain(related);
        paths.chain(&mut message.path).for_each(|path| *path = STDIN_NAME.into());
        for text in [&mut message.summary, &mut message.detail] {
            *text = text.replace(&name, STDIN_NAME);
        }
    }
    Ok(findings)
}

fn findings(directory: &Path, bounds: &Bounds) -> Findings {
    match ops::Loader::plain(directory).bounded(bounds).check() {
        Ok(Checked { warnings: mut messages, contacts, files }) => {
            if files == 0 {
                messages.push(words::contact_files::none_in(directory));
            }
            Findings { messages, contacts: Some(contacts), files: Some(files) }
        }
        Err(error) => {
            let files = match &error {
                LoadError::Invalid { files, .. } => Some(*files),
                LoadError::Unreadable(_) => None,
            };
            Findings { messages: words::load(&error), contacts: None, files }
        }
    }
}

/// Counts valid files; says nothing of others.
fn success(findings: &Findings, shell: &mut Shell) {
    if let (Some(contacts), Some(files)) = (findings.contacts, findings.files) {
        shell.result(words::contact_files::valid(contacts, files));
    }
}
