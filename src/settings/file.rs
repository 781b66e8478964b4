//! `contactsd.toml`: settings that a repository shares, by the names of the long flags.
//!
//! Somebody else may have written it: what it may set is a list ([`allowed`]), it is read from the working directory and
//! from nowhere else, and no value of it stands in an error.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::allowed::{self, Takes};
use crate::beneath::{Bounds, Refused, Root, RootError};

/// The name of the file, looked for in the working directory.
const NAME: &str = "contactsd.toml";

/// More than any settings take.
const MOST_BYTES: u64 = 1024 * 1024;

/// The settings of a file, by the name of the long flag, as the flag would be typed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    values: BTreeMap<String, Setting>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    value: String,
    at: Spot,
}

/// A place in the file; both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    line: usize,
    column: usize,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, column } = self;
        write!(f, "{NAME}:{line}:{column}")
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{NAME} cannot be read")]
    Unreadable { source: io::Error },
    #[error("{NAME} leads out of the working directory or to a hidden file, and was not opened")]
    LeadsOut,
    #[error("{NAME} is not a regular file")]
    NotRegular,
    #[error("{NAME} is larger than 1 MiB")]
    TooLarge,
    #[error("{at}: {problem}")]
    Syntax { at: Spot, problem: String },
    #[error("{at}: a repository must not set `{name}`: {why}")]
    Forbidden { at: Spot, name: String, why: &'static str },
    #[error("{at}: a repository must not set `{name}` to this: {why}")]
    Value { at: Spot, name: String, why: &'static str },
    #[error("{at}: `{name}` takes a text, a number or true or false")]
    Type { at: Spot, name: String },
    #[error("{at}: there is no setting `{name}`{}", suggestion(nearest.as_deref()))]
    Unknown { at: Spot, name: String, nearest: Option<String> },
}

impl SettingsFile {
    /// Returns where the file of a working directory is, if it has one.
    pub fn path(directory: &Path) -> PathBuf {
        directory.join(NAME)
    }

    /// Reads the file in `directory`; empty when there is none.
    ///
    /// `known` are the long flags that exist.
    pub fn read(directory: &Path, known: &[String]) -> Result<Self, FileError> {
        Self::parse(&text(directory)?, known, directory)
    }

    fn parse(text: &str, known: &[String], directory: &Path) -> Result<Self, FileError> {
        let spot = |at: usize| {
            let before = &text[..at.min(text.len())];
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            Spot { line: before.matches('\n').count() + 1, column }
        };
        let table = DeTable::parse(text).map_err(|error| {
            let at = spot(error.span().map_or(0, |span| span.start));
            FileError::Syntax { at, problem: error.message().to_owned() }
        })?;
        let mut settings: Vec<_> = table.into_inner().into_iter().collect();
        // The first mistake in the file is the one that is told.
        settings.sort_by_key(|(name, _)| name.span().start);
        let mut values = BTreeMap::new();
        for (name, value) in settings {
            let (at, value_at) = (spot(name.span().start), spot(value.span().start));
            let name = name.into_inner().into_owned();
            let takes = check_name(&name, at, known)?;
            let value = match value.into_inner() {
                DeValue::String(text) => text.into_owned(),
                DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
                    .map_err(|_| FileError::Type { at: value_at, name: name.clone() })?
                    .to_string(),
                DeValue::Boolean(flag) => flag.to_string(),
                _ => return Err(FileError::Type { at: value_at, name }),
            };
            if let Some(why) = fault(takes, &value, directory) {
                return Err(FileError::Value { at: value_at, name, why });
            }
            values.insert(name, Setting { value, at });
        }
        Ok(Self { values })
    }

    /// Returns what the file sets `name` to, a long flag without its dashes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|setting| setting.value.as_str())
    }

    /// Returns where the file sets `name`.
    pub fn place(&self, name: &str) -> Option<Spot> {
        self.values.get(name).map(|setting| setting.at)
    }

    /// Lists the names that a file may set.
    pub fn names() -> impl Iterator<Item = &'static str> {
        allowed::names()
    }
}

/// Reads the text of the file in `directory`; nothing when there is none.
fn text(directory: &Path) -> Result<String, FileError> {
    let unreadable = |source| FileError::Unreadable { source };
    let root = match Root::open(directory, &Bounds::default()) {
        Ok(root) => root,
        // The working directory itself is gone.
        Err(RootError::Open { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(RootError::Open { source, .. }) => return Err(unreadable(source)),
        Err(RootError::Outside { .. }) => unreachable!("it is bound to nothing"),
    };
    let file = match root.file(Path::new(NAME)) {
        Ok(file) => file,
        Err(Refused::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(Refused::Io(error)) => return Err(unreadable(error)),
        Err(Refused::Outside(_) | Refused::Hidden(_)) => return Err(FileError::LeadsOut),
        Err(Refused::NotRegular) => return Err(FileError::NotRegular),
    };
    let mut text = String::new();
    file.take(MOST_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > MOST_BYTES { Err(FileError::TooLarge) } else { Ok(text) }
}

/// Says which values a setting takes, if it is one that may be set.
fn check_name(name: &str, at: Spot, known: &[String]) -> Result<Takes, FileError> {
    if let Some(takes) = allowed::takes(name).filter(|_| known.iter().any(|known| known == name)) {
        return Ok(takes);
    }
    let why = allowed::reason(name);
    let name = name.to_owned();
    if let Some(why) = why.or_else(|| known.contains(&name).then_some("it is not known to be harmless")) {
        return Err(FileError::Forbidden { at, name, why });
    }
    let nearest = allowed::names()
        .max_by(|one, other| strsim::jaro_winkler(one, &name).total_cmp(&strsim::jaro_winkler(other, &name)));
    let nearest = nearest.filter(|nearest| strsim::jaro_winkler(nearest, &name) > 0.8).map(str::to_owned);
    Err(FileError::Unknown { at, name, nearest })
}

/// Says what is wrong with a value, as far as it is for us to say.
fn fault(takes: Takes, value: &str, directory: &Path) -> Option<&'static str> {
    match takes {
        Takes::Any => None,
        Takes::True => (value != "true").then_some("only true is harmless"),
        Takes::DirectoryInside => {
            let dir = Path::new(value);
            if value.is_empty() {
                return Some("it names no directory");
            }
            if dir.is_absolute() {
                return Some("it is an absolute path, and the directory has to be inside the working directory");
            }
            if dir.components().any(|part| part == Component::ParentDir) {
                return Some("it holds .., and the directory has to be inside the working directory");
            }
            // Looked at once more by whoever reads the directory: a link may be turned over meanwhile.
            let bounds = Bounds { root_within: Some(directory.to_owned()), follow_within: Vec::new() };
            let leads_out = matches!(Root::open(&directory.join(dir), &bounds), Err(RootError::Outside { .. }));
            leads_out.then_some("it is a link, or lies below one, that leads out of the working directory")
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const KNOWN: [&str; 9] = ["dir", "parallelism", "quiet", "mask", "no-mask", "force", "expect", "out", "brand-new"];

    fn known() -> Vec<String> {
        KNOWN.map(str::to_owned).to_vec()
    }

    fn parse(text: &str) -> Result<SettingsFile, String> {
        SettingsFile::parse(text, &known(), Path::new("")).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_named_like_flags() {
        let file = parse("dir = 'people'\nparallelism = 1_0\nquiet = true\n").unwrap();
        assert_eq!(file.get("dir"), Some("people"));
        assert_eq!(file.get("parallelism"), Some("10"));
        assert_eq!(file.get("quiet"), Some("true"));
        assert_eq!(file.get("state"), None);
        assert_eq!(file.place("quiet").unwrap().to_string(), "contactsd.toml:3:1");
    }

    #[test]
    fn what_is_not_on_the_list_is_an_error_that_says_why() {
        assert_eq!(
            parse("quiet = true\n  expect = 'x'").unwrap_err(),
            "contactsd.toml:2:3: a repository must not set `expect`: it decides what is applied without asking you"
        );
        assert_eq!(
            parse("brand-new = 1").unwrap_err(),
            "contactsd.toml:1:1: a repository must not set `brand-new`: it is not known to be harmless"
        );
        assert_eq!(
            parse("api-key = 1").unwrap_err(),
            "contactsd.toml:1:1: a repository must not set `api-key`: credentials come from the environment alone"
        );
        assert!(parse("no-mask = false").unwrap_err().contains("it shows personal values"));
        // Of several mistakes the first, whatever the names.
        assert!(parse("out = 'x'\nforce = true\n").unwrap_err().contains("must not set `out`"));
        assert!(parse("[force]\nx = 1\n").unwrap_err().contains("must not set `force`"));
    }

    #[test]
    fn a_mask_can_only_be_put_on() {
        assert_eq!(parse("mask = true").unwrap().get("mask"), Some("true"));
        for off in ["false", "'false'", "0", "'no'"] {
            let error = parse(&format!("mask = {off}")).unwrap_err();
            assert_eq!(error, "contactsd.toml:1:8: a repository must not set `mask` to this: only true is harmless");
        }
    }

    #[test]
    fn the_directory_stays_inside_the_working_directory() {
        let world = tempfile::tempdir().unwrap();
        let here = world.path().join("here");
        fs::create_dir_all(here.join("people/team")).unwrap();
        fs::create_dir(world.path().join("secret")).unwrap();
        symlink("../secret", here.join("out")).unwrap();
        symlink("people", here.join("in")).unwrap();
        let dir = |value: &str| SettingsFile::parse(&format!("dir = '{value}'"), &known(), &here).map(drop);
        for inside in ["people", "people/team", "./people/", "in/team", "missing", "."] {
            assert!(dir(inside).is_ok(), "{inside}");
        }
        let absolute = here.join("people").display().to_string();
        for outside in ["", "..", "../secret", "people/../../secret", "/", "out", "out/x/..", "./out", &absolute] {
            assert!(matches!(dir(outside), Err(FileError::Value { .. })), "{outside}");
        }
    }

    #[test]
    fn mistakes_are_placed_and_near_misses_named() {
        assert_eq!(
            parse("paralelism = 3").unwrap_err(),
            "contactsd.toml:1:1: there is no setting `paralelism`; did you mean parallelism?"
        );
        assert_eq!(
            parse("dir = ['x']").unwrap_err(),
            "contactsd.toml:1:7: `dir` takes a text, a number or true or false"
        );
        assert_eq!(
            parse("quiet = true\ndir = \n").unwrap_err(),
            "contactsd.toml:2:7: string values must be quoted, expected literal string"
        );
    }

    #[test]
    fn it_is_read_from_the_working_directory_and_from_nowhere_else() {
        let world = tempfile::tempdir().unwrap();
        let here = world.path().join("here");
        fs::create_dir_all(here.join("..data")).unwrap();
        let read = || SettingsFile::read(&here, &known());
        let file = here.join(NAME);
        assert_eq!(read().unwrap(), SettingsFile::default());
        fs::write(here.join("..data").join(NAME), "quiet = true\n").unwrap();
        symlink(Path::new("..data").join(NAME), &file).unwrap();
        assert_eq!(read().unwrap().get("quiet"), Some("true"));
        fs::write(world.path().join("secret"), "hunter2 = [\n").unwrap();
        fs::write(here.join(".env"), "hunter2 = [\n").unwrap();
        for target in ["../secret", "/proc/self/environ", ".env"] {
            fs::remove_file(&file).unwrap();
            symlink(target, &file).unwrap();
            assert!(matches!(read(), Err(FileError::LeadsOut)), "{target}");
        }
        fs::remove_file(&file).unwrap();
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(read(), Err(FileError::NotRegular)));
    }
}
