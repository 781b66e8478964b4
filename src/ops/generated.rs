//! Contact files that contactsd made itself: how they are known again, which of them may be replaced, and putting them
//! into a directory.
//!
//! Never replaces a file that somebody has edited, nor one of another hand, unless that is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::format::{self, FormatError};
use crate::beneath::{Refused, Root};
use crate::model::{ContactKey, Names};
use crate::source::{Formatted, Written, contact_file};

/// What the first line begins with; the digest of the rest follows.
const HEAD: &str = "# Written by contactsd; a file that was edited is not replaced. ";

/// How many characters of the digest stand there.
const DIGEST_CHARS: usize = 16;

/// The files that are to be in a directory, by name.
pub(super) type Files = BTreeMap<PathBuf, Vec<Written>>;

/// What is to become of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placing {
    New,
    /// It is so already.
    Same,
    /// It was made by contactsd, and nobody has edited it.
    Replaced,
    /// Somebody has edited it, or it is of another hand.
    Edited,
    /// It declares contacts that it would not declare any more.
    Loses(BTreeSet<ContactKey>),
}

/// A file with what is to become of it.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Below the directory.
    pub name: PathBuf,
    pub contacts: usize,
    pub placing: Placing,
    before: Option<Vec<u8>>,
    text: String,
}

/// Compares files with those below `root`; `declared` are the keys of each that is there. Nothing is written.
///
/// Stages and custom fields stand by their `names` as far as these are known.
pub fn compare(
    root: &Root,
    files: &Files,
    names: &Names,
    declared: &BTreeMap<PathBuf, BTreeSet<ContactKey>>,
) -> Result<Vec<Placed>, FormatError> {
    let place = |(name, contacts): (&PathBuf, &Vec<Written>)| {
        let text = text(contacts, names);
        let before = read(root, name)?;
        let keys: BTreeSet<&ContactKey> = contacts.iter().map(|contact| &contact.key).collect();
        let lost = declared.get(name).into_iter().flatten().filter(|key| !keys.contains(key)).cloned();
        let lost: BTreeSet<ContactKey> = lost.collect();
        let placing = match &before {
            None => Placing::New,
            Some(before) if *before == text.as_bytes() => Placing::Same,
            Some(before) if !is_unedited(before) => Placing::Edited,
            Some(_) if !lost.is_empty() => Placing::Loses(lost),
            Some(_) => Placing::Replaced,
        };
        Ok(Placed { name: name.clone(), contacts: contacts.len(), placing, before, text })
    };
    files.iter().map(place).collect()
}

impl Placed {
    /// Reports whether the file stays as it is unless somebody insists.
    pub fn is_kept(&self) -> bool {
        matches!(self.placing, Placing::Edited | Placing::Loses(_))
    }

    /// Returns the file as it is and as it would be.
    pub fn difference(&self) -> (String, &str) {
        (String::from_utf8_lossy(self.before.as_deref().unwrap_or_default()).into_owned(), &self.text)
    }

    /// Puts the file in its place, whole or not at all; a file that changed since it was compared stays.
    pub fn write(&self, root: &Root) -> Result<(), FormatError> {
        match &self.before {
            None => format::create(root, &self.name, &self.text),
            Some(before) if *before == self.text.as_bytes() => Ok(()),
            Some(before) => {
                let formatted = Formatted { before: before.clone(), after: self.text.clone(), notes: Vec::new() };
                format::replace(root, &self.name, &formatted)
            }
        }
    }
}

/// Reports whether the file of this name below `root` was made by contactsd; unless `even_edited`, only if it is as it
/// was made.
pub(super) fn is_own(root: &Root, name: &Path, even_edited: bool) -> bool {
    let is_own = |bytes: Vec<u8>| is_unedited(&bytes) || (even_edited && bytes.starts_with(HEAD.as_bytes()));
    read(root, name).ok().flatten().is_some_and(is_own)
}

fn text(contacts: &[Written], names: &Names) -> String {
    let body = contact_file(contacts, names);
    format!("{HEAD}{}\n{body}", digest(body.as_bytes()))
}

fn is_unedited(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(HEAD.as_bytes()) else { return false };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let (told, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    told == digest(body).as_bytes()
}

fn digest(body: &[u8]) -> String {
    blake3::hash(body).to_hex()[..DIGEST_CHARS].to_owned()
}

/// Reads a file; `None` where there is none.
fn read(root: &Root, name: &Path) -> Result<Option<Vec<u8>>, FormatError> {
    let path = root.named().join(name);
    let failed = |source| FormatError::Write { path: path.clone(), source };
    match root.file(name) {
        Ok(mut file) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(failed)?;
            Ok(Some(bytes))
        }
        Err(Refused::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(Refused::Io(source)) => Err(failed(source)),
        Err(source) => Err(FormatError::Refused { path: path.clone(), source }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::beneath::Bounds;
    use crate::model::{Field, Value};
    use crate::source::Rest;

    fn files(titles: &[(&str, &str)]) -> Files {
        let contact = |(key, title): &(&str, &str)| Written {
            key: ContactKey::parse(key).unwrap(),
            fields: [(Field::FirstName, Value::from("A")), (Field::Title, Value::from(*title))].into_iter().collect(),
            apollo_id: None,
            rest: Rest::default(),
        };
        [(PathBuf::from("a.yaml"), titles.iter().map(contact).collect())].into()
    }

    #[test]
    fn a_file_is_replaced_as_long_as_nobody_has_edited_it_and_nobody_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let root = Root::open(directory.path(), &Bounds::default()).unwrap();
        let declared = BTreeMap::from([("a.yaml".into(), ["ada", "bo"].map(|k| ContactKey::parse(k).unwrap()).into())]);
        let placed =
            |titles: &[(&str, &str)]| compare(&root, &files(titles), &Names::default(), &declared).unwrap().remove(0);
        let first = placed(&[("ada", "CTO"), ("bo", "")]);
        assert_eq!((&first.placing, first.is_kept()), (&Placing::New, false));
        first.write(&root).unwrap();
        assert!(matches!(first.write(&root), Err(FormatError::Changed { .. })), "it was new");
        assert_eq!(placed(&[("ada", "CTO"), ("bo", "")]).placing, Placing::Same);
        let second = placed(&[("ada", "CEO"), ("bo", ""), ("cy", "")]);
        assert_eq!(second.placing, Placing::Replaced);
        second.write(&root).unwrap();
        assert!(is_own(&root, Path::new("a.yaml"), false));
        assert_eq!(placed(&[("ada", "CEO")]).placing, Placing::Loses([ContactKey::parse("bo").unwrap()].into()));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("CEO", "CFO")).unwrap();
        assert!(!is_own(&root, Path::new("a.yaml"), false));
        assert!(is_own(&root, Path::new("a.yaml"), true));
        let edited = placed(&[("ada", "CEO"), ("bo", "")]);
        assert_eq!((&edited.placing, edited.is_kept()), (&Placing::Edited, true));
        edited.write(&root).unwrap();
        assert!(is_own(&root, Path::new("a.yaml"), false), "who insists replaces it");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
