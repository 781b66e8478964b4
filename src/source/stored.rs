//! Warnings about one file alone, as an index keeps them: without the path, which may be typed otherwise next time.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::code::Code;
use super::diagnostic::{Diagnostic, Location};
use crate::model::ContactKey;

#[derive(Serialize, Deserialize)]
struct Stored {
    code: Option<String>,
    summary: String,
    detail: String,
    key: Option<ContactKey>,
    place: Option<Spot>,
    related: Vec<(String, Spot)>,
    findings: usize,
}

#[derive(Serialize, Deserialize)]
struct Spot {
    line: usize,
    column: usize,
    width: usize,
    text: String,
    #[serde(default)]
    skipped: usize,
}

/// Renders the warnings about the file at `path`.
pub(super) fn to_bytes(warnings: &[Diagnostic]) -> Vec<u8> {
    let spot = |at: &Location| {
        let Location { path: _, line, column, width, text, skipped } = at.clone();
        Spot { line, column, width, text, skipped }
    };
    let stored = |warning: &Diagnostic| Stored {
        code: warning.code.map(|code| code.as_str().to_owned()),
        summary: warning.summary.clone(),
        detail: warning.detail.clone(),
        key: warning.key.clone(),
        place: warning.location.as_ref().map(spot),
        related: warning.related.iter().map(|(label, at)| (label.clone(), spot(at))).collect(),
        findings: warning.findings,
    };
    if warnings.is_empty() {
        return Vec::new();
    }
    serde_json::to_vec(&warnings.iter().map(stored).collect::<Vec<_>>()).expect("warnings are plain data")
}

/// Reads what [`to_bytes`] rendered, about the file at `path`; `None` for anything else.
pub(super) fn from_bytes(bytes: &[u8], path: &Path) -> Option<Vec<Diagnostic>> {
    if bytes.is_empty() {
        return Some(Vec::new());
    }
    let location = |Spot { line, column, width, text, skipped }: Spot| Location {
        path: path.to_owned(),
        line,
        column,
        width,
        text,
        skipped,
    };
    let warning = |stored: Stored| {
        let code = Code::named(&stored.code?)?;
        let mut warning = Diagnostic::new(code, stored.summary, stored.detail);
        warning.key = stored.key;
        warning.location = stored.place.map(location);
        warning.related = stored.related.into_iter().map(|(label, at)| (label, location(at))).collect();
        warning.findings = stored.findings;
        Some(warning)
    };
    let stored: Vec<Stored> = serde_json::from_slice(bytes).ok()?;
    stored.into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_read_back_for_the_path_as_it_is_typed_now() {
        let at = |path: &str, line| Location {
            path: path.into(),
            line,
            column: 3,
            width: 5,
            text: "  a: ~".to_owned(),
            skipped: 0,
        };
        let warning = |path: &str| {
            let found = Diagnostic::new(Code::BareNull, "A bare ~", "Quote it.").at(at(path, 2));
            found.relating("first here", at(path, 1)).about(ContactKey::parse("a").ok().as_ref())
        };
        let bytes = to_bytes(&[warning("d/a.yaml")]);
        assert_eq!(from_bytes(&bytes, Path::new("./d/a.yaml")), Some(vec![warning("./d/a.yaml")]));
        assert_eq!(from_bytes(b"[1]", Path::new("a")), None);
    }
}
