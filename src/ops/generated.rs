//! Contact files that contactsd writes itself: how it recognizes them, which ones it may replace, and writing them into a
//! directory.
//!
//! Never replaces a file that was edited or that contactsd did not write, unless that is asked for.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::format::{self, FormatError};
use crate::beneath::Root;
use crate::model::ContactKey;

/// What the first line begins with; the digest of the rest follows.
const HEAD: &str = "# Written by contactsd; a file that was edited is not replaced. ";

/// How many characters of the digest stand there.
const DIGEST_CHARS: usize = 16;

/// What a file is to hold below its first line, written as often as it is asked to.
pub(super) type Body = Box<dyn Fn(&mut dyn Write) -> io::Result<()>>;

/// A file that is to be in a directory.
pub(super) struct Wanted {
    /// Below the directory.
    pub(super) name: PathBuf,
    pub(super) contacts: usize,
    /// The keys that the file of this name declares and that this one would not.
    pub(super) lost: BTreeSet<ContactKey>,
    pub(super) body: Body,
}

/// What is to become of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placing {
    New,
    /// It is so already.
    Same,
    /// It was made by contactsd, and nobody has edited it.
    Replaced,
    /// Somebody has edited it, or it is of another hand.
    Edited {
        /// Whether contactsd made it.
        is_ours: bool,
    },
    /// It declares contacts that it would not declare any more.
    Loses(BTreeSet<ContactKey>),
}

/// A file with what is to become of it.
pub struct Placed {
    /// Below the directory.
    pub name: PathBuf,
    pub contacts: usize,
    pub placing: Placing,
    before: Option<blake3::Hash>,
    first_line: String,
    body: Body,
}

/// Compares a file with the one of its name below `root`, which may not be there yet. Nothing is written.
pub(super) fn compare(root: Option<&Root>, wanted: Wanted) -> Result<Placed, FormatError> {
    let Wanted { name, contacts, lost, body } = wanted;
    let failed = |source| FormatError::Write { path: name.clone(), source };
    let mut hasher = Hashing::default();
    body(&mut hasher).map_err(failed)?;
    let first_line = format!("{HEAD}{}\n", told(&hasher.0.finalize()));
    let before = root.map_or(Ok(None), |root| read(root, &name))?;
    let placing = match &before {
        None => Placing::New,
        Some(before) => {
            let mut hasher = Hashing::default();
            hasher.0.update(first_line.as_bytes());
            body(&mut hasher).map_err(failed)?;
            if before.whole == hasher.0.finalize() {
                Placing::Same
            } else if !before.is_unedited {
                Placing::Edited { is_ours: before.is_ours }
            } else if !lost.is_empty() {
                Placing::Loses(lost)
            } else {
                Placing::Replaced
            }
        }
    };
    Ok(Placed { name, contacts, placing, before: before.map(|before| before.whole), first_line, body })
}

impl Placed {
    /// Reports whether the file stays as it is unless somebody insists.
    pub fn is_kept(&self) -> bool {
        matches!(self.placing, Placing::Edited { .. } | Placing::Loses(_))
    }

    /// Returns the file as it is and as it would be.
    pub fn difference(&self, root: &Root) -> Result<(String, String), FormatError> {
        let mut before = Vec::new();
        if let Some(mut file) = format::open(root, &self.name)? {
            file.read_to_end(&mut before).map_err(|source| self.failed(root, source))?;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut after = Vec::new();
        self.whole(&mut after).map_err(|source| self.failed(root, source))?;
        Ok((text(&before), text(&after)))
    }

    /// Puts the file in its place, whole or not at all; a file that changed since it was compared stays.
    pub fn write(&self, root: &Root) -> Result<(), FormatError> {
        match self.before {
            None => format::create(root, &self.name, &|out| self.whole(out)),
            Some(_) if self.placing == Placing::Same => Ok(()),
            Some(before) => format::replace_by(root, &self.name, before, &|out| self.whole(out)),
        }
    }

    fn whole(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.first_line.as_bytes())?;
        (self.body)(out)
    }

    fn failed(&self, root: &Root, source: io::Error) -> FormatError {
        FormatError::Write { path: root.named().join(&self.name), source }
    }
}

/// Reports whether the file of this name below `root` was made by contactsd; unless `even_edited`, only if it is as it
/// was made.
pub(super) fn is_own(root: &Root, name: &Path, even_edited: bool) -> bool {
    read(root, name).ok().flatten().is_some_and(|file| file.is_unedited || (even_edited && file.is_ours))
}

/// A file that is there.
struct Before {
    whole: blake3::Hash,
    /// Whether contactsd made it, edited or not.
    is_ours: bool,
    is_unedited: bool,
}

/// Looks at a file; `None` where there is none.
fn read(root: &Root, name: &Path) -> Result<Option<Before>, FormatError> {
    let failed = |source| FormatError::Write { path: root.named().join(name), source };
    let Some(file) = format::open(root, name)? else { return Ok(None) };
    let mut file = BufReader::new(file);
    let mut first = Vec::new();
    let longest = (HEAD.len() + DIGEST_CHARS + 1) as u64;
    file.by_ref().take(longest).read_until(b'\n', &mut first).map_err(failed)?;
    let (mut whole, mut rest) = (blake3::Hasher::new(), Hashing::default());
    whole.update(&first);
    let mut both = Both(&mut whole, &mut rest.0);
    io::copy(&mut file, &mut both).map_err(failed)?;
    let digest = first.strip_prefix(HEAD.as_bytes());
    let says = format!("{}\n", told(&rest.0.finalize()));
    let is_unedited = digest == Some(says.as_bytes());
    Ok(Some(Before { whole: whole.finalize(), is_ours: digest.is_some(), is_unedited }))
}

/// Returns what the first line tells of the rest.
fn told(digest: &blake3::Hash) -> String {
    digest.to_hex()[..DIGEST_CHARS].to_owned()
}

/// Hashes what is written to it.
#[derive(Default)]
struct Hashing(blake3::Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes what is written to it twice.
struct Both<'h>(&'h mut blake3::Hasher, &'h mut blake3::Hasher);

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        self.1.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::beneath::Bounds;

    fn wanted(titles: &[(&str, &str)], declared: &[&str]) -> Wanted {
        let block = |(key, title): &(&str, &str)| format!("  {key}:\n    first_name: A\n    title: {title}\n");
        let text = format!("contacts:\n{}", titles.iter().map(block).collect::<Vec<_>>().join("\n"));
        let is_kept = |key: &&&str| titles.iter().any(|(kept, _)| *kept == **key);
        let lost = declared.iter().filter(|key| !is_kept(key)).map(|key| ContactKey::parse(key).unwrap()).collect();
        let body = Box::new(move |out: &mut dyn Write| out.write_all(text.as_bytes()));
        Wanted { name: "a.yaml".into(), contacts: titles.len(), lost, body }
    }

    #[test]
    fn a_file_is_replaced_as_long_as_nobody_has_edited_it_and_nobody_is_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        let root = Root::open(directory.path(), &Bounds::default()).unwrap();
        let placed = |titles: &[(&str, &str)]| compare(Some(&root), wanted(titles, &["ada", "bo"])).unwrap();
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
        assert_eq!((&edited.placing, edited.is_kept()), (&Placing::Edited { is_ours: true }, true));
        edited.write(&root).unwrap();
        assert!(is_own(&root, Path::new("a.yaml"), false), "who insists replaces it");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
