//! `contactsd.toml`: settings that a repository shares, by the names of the long flags.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the file, looked for in the working directory.
const NAME: &str = "contactsd.toml";

/// What a repository must not decide for whoever checks it out: where data goes and comes from, what
/// is let through unseen, and credentials.
const FORBIDDEN: [&str; 11] = [
    "api-url",
    "state",
    "listen",
    "listen-name",
    "json-into",
    "auto-approve",
    "force",
    "api-key",
    "api-key-file",
    "access-token",
    "access-token-file",
];

/// The settings of a file, by the name of the long flag, as the flag would be typed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    values: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("{} cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Syntax { path: PathBuf, line: usize, column: usize, problem: String },
    #[error("{}: a repository must not set {name}", path.display())]
    Forbidden { path: PathBuf, name: String },
    #[error("{}: {name} takes a text, a number or true or false", path.display())]
    Type { path: PathBuf, name: String },
    #[error("{}: there is no setting {name}{}", path.display(), suggestion(nearest.as_deref()))]
    Unknown { path: PathBuf, name: String, nearest: Option<String> },
}

impl SettingsFile {
    /// Reads the file in `directory`; empty when there is none.
    ///
    /// `known` are the long flags that exist.
    pub fn read(directory: &Path, known: &[String]) -> Result<Self, FileError> {
        // Shown as the user would name it: the file stands in the working directory.
        let path = PathBuf::from(NAME);
        match std::fs::read_to_string(directory.join(NAME)) {
            Ok(text) => Self::parse(&path, &text, known),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(FileError::Unreadable { path, source }),
        }
    }

    fn parse(path: &Path, text: &str, known: &[String]) -> Result<Self, FileError> {
        let path = path.to_owned();
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
            FileError::Syntax { path: path.clone(), line, column, problem: error.message().to_owned() }
        })?;
        let mut values = BTreeMap::new();
        for (name, value) in table {
            if FORBIDDEN.contains(&name.as_str()) {
                return Err(FileError::Forbidden { path, name });
            }
            if !known.contains(&name) {
                let nearest = known.iter().max_by(|one, other| {
                    strsim::jaro_winkler(one, &name).total_cmp(&strsim::jaro_winkler(other, &name))
                });
                let nearest = nearest.filter(|known| strsim::jaro_winkler(known, &name) > 0.8).cloned();
                return Err(FileError::Unknown { path, name, nearest });
            }
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                _ => return Err(FileError::Type { path, name }),
            };
            values.insert(name, value);
        }
        Ok(Self { values })
    }

    /// Returns what the file sets `name` to, a long flag without its dashes.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean {nearest}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SettingsFile, String> {
        let known = ["dir", "parallelism", "quiet"].map(str::to_owned);
        SettingsFile::parse(Path::new(NAME), text, &known).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_named_like_flags() {
        let file = parse("dir = 'people'\nparallelism = 3\nquiet = true\n").unwrap();
        assert_eq!(file.get("dir"), Some("people"));
        assert_eq!(file.get("parallelism"), Some("3"));
        assert_eq!(file.get("quiet"), Some("true"));
        assert_eq!(file.get("state"), None);
    }

    #[test]
    fn what_a_repository_must_not_decide_is_an_error() {
        for name in FORBIDDEN {
            let error = parse(&format!("{name} = 'x'")).unwrap_err();
            assert_eq!(error, format!("contactsd.toml: a repository must not set {name}"));
        }
    }

    #[test]
    fn mistakes_are_placed_and_near_misses_named() {
        assert_eq!(
            parse("paralelism = 3").unwrap_err(),
            "contactsd.toml: there is no setting paralelism; did you mean parallelism?"
        );
        assert_eq!(parse("dir = ['x']").unwrap_err(), "contactsd.toml: dir takes a text, a number or true or false");
        assert_eq!(
            parse("quiet = true\ndir = \n").unwrap_err(),
            "contactsd.toml:2:7: string values must be quoted, expected literal string"
        );
    }
}
