//! Whether a program reads the output and whether it has color, known before the command line is understood.
//!
//! A mistake on the command line is reported as JSON too, if `--json` is anywhere on it.

use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::args::ColorWhen;
use super::spared::Spared;
use super::stream::is_stream;
use super::{Exit, output_file};
use crate::settings::Environment;
use crate::ui::words::system::no_records_file;
use crate::ui::{ColorEnvironment, ColorFlag, Shell, Verbosity};

/// Where records are wanted, and how texts look.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// On stdout, in place of text.
    pub(super) json: bool,
    /// In this file.
    pub(super) into: Option<PathBuf>,
    /// Whether color was asked for or ruled out.
    pub(super) color: Option<ColorFlag>,
}

impl Wanted {
    /// Looks at the words as they were typed, and at the environment.
    pub(super) fn of(arguments: &[OsString], environment: &Environment) -> Self {
        let json = environment.get("CONTACTSD_JSON").is_some_and(|value| !is_off(value));
        let into = environment.get("CONTACTSD_JSON_INTO").map(PathBuf::from);
        let mut wanted = Self { json, into, color: None };
        let mut words = arguments.iter().skip(1).take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            if word == "--json" {
                wanted.json = true;
            } else if word == "--json-into" {
                wanted.into = words.next().map(PathBuf::from);
            } else if word == "--no-color" {
                wanted.color = Some(ColorFlag::Never);
            } else if word == "--color" {
                wanted.color = words.next().and_then(|when| color(when.to_str()?));
            } else if let Some(when) = word.to_str().and_then(|word| word.strip_prefix("--color=")) {
                wanted.color = color(when);
            } else if let Some(path) = word.to_str().and_then(|word| word.strip_prefix("--json-into=")) {
                wanted.into = Some(PathBuf::from(path));
            }
        }
        // What cannot be written to is told when the line is understood.
        wanted.into = wanted.into.filter(|into| !is_stream(into));
        wanted
    }

    /// Makes the shell that speaks as wanted; says why when the file cannot be written or must not be emptied.
    pub(super) fn shell(
        &self,
        colors: &ColorEnvironment,
        spared: &Spared,
        verbosity: Verbosity,
    ) -> Result<Shell, Exit> {
        let mut shell = Shell::of_process(self.color, colors, verbosity);
        if self.json {
            shell.speak_json();
        }
        if let Some(why) = self.into.as_deref().and_then(|path| spared.refuses("--json-into", path)) {
            shell.message(&why);
            return Err(Exit::Failure);
        }
        match self.into.as_deref().map(|path| (path, create(&spared.here().join(path)))) {
            None => {}
            Some((_, Ok(file))) => shell.record_into(file),
            Some((path, Err(error))) => {
                shell.message(&no_records_file(path, &error));
                return Err(Exit::Failure);
            }
        }
        Ok(shell)
    }
}

fn color(when: &str) -> Option<ColorFlag> {
    match ColorWhen::from_str(when, true).ok()? {
        ColorWhen::Always => Some(ColorFlag::Always),
        ColorWhen::Never => Some(ColorFlag::Never),
        ColorWhen::Auto => Some(ColorFlag::Auto),
    }
}

/// Reports whether the value of a switch turns it off.
pub(super) fn is_off(value: &str) -> bool {
    ["0", "f", "false", "n", "no", "off"].contains(&value.to_lowercase().as_str())
}

/// Empties or makes a file for this user alone; what is no plain file, such as a pipe, stays as it is.
fn create(path: &Path) -> io::Result<File> {
    let file = output_file::create(path, 0o600)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(line: &str) -> Wanted {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Wanted::of(&words, &Environment::default())
    }

    #[test]
    fn json_is_recognized_on_a_line_that_is_not_understood() {
        assert!(wanted("contactsd aply --json").json);
        assert!(wanted("contactsd --json plan --nonsense").json);
        assert!(!wanted("contactsd plan -- --json").json);
        assert!(!wanted("contactsd plan").json);
        assert_eq!(wanted("contactsd --json-into=a plan --json-into b").into, Some("b".into()));
        assert!(!wanted("contactsd plan --json-into --json").json, "the name of a file");
        assert_eq!(wanted("contactsd aply --color never").color, Some(ColorFlag::Never));
        assert_eq!(wanted("contactsd --no-color --help").color, Some(ColorFlag::Never));
        assert_eq!(wanted("contactsd --help --color=always").color, Some(ColorFlag::Always));
        assert_eq!(wanted("contactsd --color sometimes").color, None);
    }
}
