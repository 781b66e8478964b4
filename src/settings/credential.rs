//! The credential, from the environment or from a file that the environment names; never from a flag.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::Environment;
use super::database::password_file;

/// What Apollo knows us by.
#[derive(Debug, Clone)]
pub enum Credential {
    ApiKey(SecretString),
    AccessToken(SecretString),
}

#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    #[error("no credential is set")]
    Missing,
    #[error("{one} and {other} are both set")]
    Ambiguous { one: &'static str, other: &'static str },
    #[error("{variable} names {}, which cannot be read", path.display())]
    Unreadable { variable: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{variable} names {}, which is empty", path.display())]
    Empty { variable: &'static str, path: PathBuf },
    #[error("{variable} holds blanks and nothing else")]
    Blank { variable: &'static str },
    #[error("{variable} is set to what is not UTF-8 text")]
    NotText { variable: &'static str },
    #[error("{variable} names {}, which holds {lines} lines; the first alone may be the key", path.display())]
    Lines { variable: &'static str, path: PathBuf, lines: usize },
    #[error("{variable} is -, and a key is not read from stdin, where approval is asked for")]
    Stdin { variable: &'static str },
    #[error("{variable} holds {}, which no key has", of_what(*character))]
    Character { variable: &'static str, character: char },
}

/// Names a character that cannot be seen, without showing what stands around it.
fn of_what(character: char) -> String {
    match character {
        '\u{feff}' => "a byte order mark".to_owned(),
        '\n' | '\r' => "a line break".to_owned(),
        ' ' => "a blank".to_owned(),
        other => format!("the character U+{:04X}", u32::from(other)),
    }
}

const KEY: &str = "APOLLO_API_KEY";
const KEY_FILE: &str = "APOLLO_API_KEY_FILE";
const TOKEN: &str = "APOLLO_ACCESS_TOKEN";
const TOKEN_FILE: &str = "APOLLO_ACCESS_TOKEN_FILE";

/// Names the files that hold credentials, of Apollo or of a database.
pub fn credential_files(environment: &Environment) -> impl Iterator<Item = PathBuf> + '_ {
    let of_apollo = [KEY_FILE, TOKEN_FILE].into_iter().filter_map(|name| environment.get(name).map(PathBuf::from));
    of_apollo.chain(password_file(environment))
}

impl Credential {
    /// Reads the one credential that the environment gives, trimmed of white space.
    pub fn read(environment: &Environment) -> Result<Self, CredentialError> {
        const NAMES: [&str; 4] = [KEY, KEY_FILE, TOKEN, TOKEN_FILE];
        if let Some(variable) = NAMES.into_iter().find(|name| environment.is_not_text(name)) {
            return Err(CredentialError::NotText { variable });
        }
        let set: Vec<_> =
            NAMES.into_iter().filter_map(|name| environment.get(name).map(|value| (name, value))).collect();
        let (variable, value) = match set[..] {
            [] => return Err(CredentialError::Missing),
            [one] => one,
            [(one, _), (other, _), ..] => return Err(CredentialError::Ambiguous { one, other }),
        };
        let secret = match variable {
            KEY_FILE | TOKEN_FILE => read_file(variable, value)?,
            _ if value.trim().is_empty() => return Err(CredentialError::Blank { variable }),
            _ => SecretString::from(value.trim()),
        };
        if let Some(character) = secret.expose_secret().chars().find(|character| !character.is_ascii_graphic()) {
            return Err(CredentialError::Character { variable, character });
        }
        Ok(match variable {
            KEY | KEY_FILE => Self::ApiKey(secret),
            _ => Self::AccessToken(secret),
        })
    }
}

fn read_file(variable: &'static str, path: &str) -> Result<SecretString, CredentialError> {
    if path == "-" {
        return Err(CredentialError::Stdin { variable });
    }
    let path = PathBuf::from(path);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(CredentialError::Unreadable { variable, path, source }),
    };
    match text.trim().lines().count() {
        0 => Err(CredentialError::Empty { variable, path }),
        1 => Ok(SecretString::from(text.trim())),
        lines => Err(CredentialError::Lines { variable, path, lines }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_gives_the_credential_and_two_are_an_error() {
        let read = |variables: &[(&str, &str)]| Credential::read(&Environment::of(variables));
        assert!(matches!(read(&[]), Err(CredentialError::Missing)));
        assert!(matches!(read(&[(KEY, "")]), Err(CredentialError::Missing)));
        assert!(matches!(read(&[(TOKEN, " \n")]), Err(CredentialError::Blank { variable: TOKEN })), "a lost secret");
        assert!(matches!(
            read(&[(KEY, "a"), (TOKEN, "b")]),
            Err(CredentialError::Ambiguous { one: KEY, other: TOKEN })
        ));
        assert!(matches!(read(&[(KEY, " a\n")]), Ok(Credential::ApiKey(key)) if key.expose_secret() == "a"));
        assert!(matches!(read(&[(TOKEN, "a")]), Ok(Credential::AccessToken(_))));
    }

    #[test]
    fn a_file_gives_the_credential_without_its_newline() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let read = || Credential::read(&Environment::of(&[(KEY_FILE, path.to_str().unwrap())]));
        assert!(matches!(read(), Err(CredentialError::Unreadable { .. })));
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(read(), Err(CredentialError::Empty { .. })));
        std::fs::write(&path, "secret\n# my key\n").unwrap();
        let error = read().unwrap_err();
        assert!(matches!(error, CredentialError::Lines { lines: 2, .. }) && !error.to_string().contains("secret"));
        std::fs::write(&path, "\u{feff}secret\n").unwrap();
        let error = read().unwrap_err().to_string();
        assert!(error.contains("a byte order mark") && !error.contains("secret"), "{error}");
        std::fs::write(&path, "secret\n").unwrap();
        assert!(matches!(read(), Ok(Credential::ApiKey(key)) if key.expose_secret() == "secret"));
    }

    #[test]
    fn stdin_is_no_file_of_a_key() {
        let error = Credential::read(&Environment::of(&[(KEY_FILE, "-")])).unwrap_err();
        assert!(matches!(error, CredentialError::Stdin { variable: KEY_FILE }), "{error}");
    }

    #[test]
    fn a_credential_is_never_shown() {
        let credential = Credential::read(&Environment::of(&[(KEY, "hunter2")])).unwrap();
        assert!(!format!("{credential:?}").contains("hunter2"));
    }
}
