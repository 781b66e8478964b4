//! Tests of the whole reader: files in, entries and diagnostics out.

mod across_files;
mod hostile;
mod indexed;
mod mistakes;
mod pages;
mod properties;
mod schema;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::model::{ContactKey, Field, Place};

/// A directory of contact files.
struct Dir(TempDir);

/// What a directory holds, with all entries; of a key that is declared twice, the first.
struct Read {
    files: usize,
    entries: BTreeMap<ContactKey, Entry>,
    diagnostics: Vec<Diagnostic>,
    digest: [u8; 32],
}

impl Read {
    fn is_valid(&self) -> bool {
        self.errors().next().is_none()
    }

    fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Error)
    }

    fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.of(Severity::Warning)
    }

    fn of(&self, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity)
    }
}

impl Dir {
    fn of(files: &[(&str, &str)]) -> Self {
        let dir = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            dir.write(name, text.as_bytes());
        }
        dir
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Read {
        let Loaded { files, diagnostics, digest, .. } = plain(self.path(), Options::plain().room).unwrap();
        let count = files.len();
        let mut entries = BTreeMap::new();
        for entry in files.into_iter().flat_map(|file| file.entries.expect("there is room for a few")) {
            entries.entry(entry.key().clone()).or_insert(entry);
        }
        Read { files: count, entries, diagnostics, digest }
    }

    /// Draws the diagnostics as plain text, paths below the directory only.
    fn report(&self) -> String {
        let mut text = String::new();
        for diagnostic in &self.load().diagnostics {
            let Diagnostic { code, summary, location, related, .. } = diagnostic;
            let code = code.expect("what is wrong with files has a code");
            let summary = summary.replace(&format!("{}/", self.path().display()), "");
            let place = location.as_ref().map_or("nowhere".to_owned(), |location| self.place(location));
            writeln!(text, "{code} {place}: {summary}").unwrap();
            if let Some(location) = location.as_ref().filter(|location| !location.text.is_empty()) {
                writeln!(text, "    {}", location.text).unwrap();
                writeln!(
                    text,
                    "    {}{}",
                    " ".repeat(location.column - 1 - location.skipped),
                    "^".repeat(location.width)
                )
                .unwrap();
            }
            for (label, location) in related {
                writeln!(text, "    {label}: {}", self.place(location)).unwrap();
            }
        }
        text
    }

    fn place(&self, location: &Location) -> String {
        let path = location.path.strip_prefix(self.path()).unwrap();
        format!("{}:{}:{}", path.display(), location.line, location.column)
    }
}

/// Loads without an index, keeping entries in so much room.
fn plain(dir: &Path, room: usize) -> Result<Loaded, Error> {
    load(dir, &Options { room, ..Options::plain() }).map(|(loaded, _)| loaded)
}

/// Loads one file and expects nothing wrong with it.
fn clean(text: &str) -> BTreeMap<ContactKey, Entry> {
    let dir = Dir::of(&[("a.yaml", text)]);
    assert_eq!(dir.report(), "", "in:\n{text}");
    dir.load().entries
}

fn codes(text: &str) -> Vec<&'static str> {
    let loaded = Dir::of(&[("a.yaml", text)]).load();
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code.unwrap().as_str()).collect()
}

fn key(text: &str) -> ContactKey {
    ContactKey::parse(text).unwrap()
}
