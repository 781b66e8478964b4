//! Tests of the whole reader: files in, entries and diagnostics out.

mod across_files;
mod hostile;
mod indexed;
mod mistakes;
mod named;
mod pages;
mod properties;
mod schema;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::model::{
    ContactKey, CustomField, CustomFieldId, Field, Listing, Names, PicklistOption, Place, Stage, Timestamp,
};

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
        let meaning = &Meaning::Known(Arc::new(names()));
        let (loaded, _) = load(self.path(), &Options { meaning, ..Options::plain() }).unwrap();
        let Loaded { files, diagnostics, digest, .. } = loaded;
        let count = files.len();
        let mut entries = BTreeMap::new();
        let kept = |file: &SourceFile| file.kept().clone().expect("there is room for a few");
        for entry in files.iter().flat_map(kept) {
            let entry = entry.unpack();
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

/// Returns the names that Apollo has here.
fn names() -> Names {
    let stage = |id: &str, name: &str| Stage { id: id.to_owned(), name: name.to_owned(), display_name: None };
    let cold = stage("6095a710bd01d100a506d4af", "Cold");
    let stages =
        vec![cold, stage("6095a710bd01d100a506d4b0", "Warm"), stage("6095a710bd01d100a506d4b1", "Approaching")];
    let field = |number: u32, label: &str, kind: &str, options: &[&str]| CustomField {
        id: CustomFieldId::parse(&format!("60c39ed82bd02f01154c47{number:02}")).unwrap(),
        label: label.to_owned(),
        modality: Some("contact".to_owned()),
        kind: Some(kind.to_owned()),
        options: Some(
            options
                .iter()
                .enumerate()
                .map(|(nth, label)| option(format!("5c{}{}", number - 1, nth + 1), label))
                .collect(),
        ),
        max_length: None,
        read_only: false,
    };
    let fields = vec![
        field(1, "Tier", "picklist", &["Gold", "Silver"]),
        field(2, "Interests", "multipicklist", &["Events", "Research"]),
        field(3, "Renewal date", "date", &[]),
        field(4, "Seats", "number", &[]),
        field(5, "Wants mail", "boolean", &[]),
        CustomField { max_length: Some(10), ..field(6, "Nickname", "string", &[]) },
        CustomField { modality: Some("account".to_owned()), ..field(7, "Region", "string", &[]) },
        field(8, "Twice", "string", &[]),
        field(9, "Twice", "string", &[]),
        CustomField { read_only: true, ..field(10, "Mapped", "string", &[]) },
    ];
    Names {
        stages: Some(Listing { read_at: Timestamp(1), items: stages }),
        fields: Some(Listing { read_at: Timestamp(1), items: fields }),
        lists: None,
    }
}

fn option(id: String, label: &str) -> PicklistOption {
    PicklistOption { id, label: label.to_owned() }
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
