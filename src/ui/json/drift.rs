//! What has changed in Apollo, as one document, and one contact of it.

use schemars::JsonSchema;
use serde::Serialize;

use super::change::{Resource, Source};
use super::diagnostic::Diagnostic;
use super::values::Values;
use super::versions::{FORMAT_VERSION, PROGRAM_VERSION};
use crate::ops::{Drift, DriftChange, Drifted};
use crate::source;
use crate::ui::{Mask, time_text, words};

/// What `drift --json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DriftDocument<'a> {
    /// `MAJOR.MINOR`; a new minor adds keys, a reader must refuse a major that it does not know.
    format_version: &'static str,
    /// The program that wrote it.
    contactsd_version: &'static str,
    /// How many contacts were compared with Apollo.
    compared: usize,
    /// How many of them have changed there.
    changed: usize,
    /// How many of them are not there any more.
    gone: usize,
    /// How many fields have changed that the entries say to leave alone.
    ignored: usize,
    /// How many contacts were not seen, so that it is not known how they stand; `diagnostics` say why.
    unknown: usize,
    /// Those that have changed, sorted by key.
    contacts: Vec<DriftedContact<'a>>,
    diagnostics: Vec<Diagnostic>,
}

/// What became of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// Fields hold something else.
    Changed,
    /// It was deleted.
    Gone,
    /// It was merged into another contact.
    Merged,
}

/// One contact that has changed in Apollo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DriftedContact<'a> {
    pub resource: Resource,
    /// Its id in Apollo.
    pub id: &'a str,
    pub kind: DriftKind,
    /// When it was changed last, by Apollo's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_changed_at: Option<String>,
    /// The contact that it is part of now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survivor_id: Option<&'a str>,
    /// The names of the fields that have changed.
    pub changed: Vec<String>,
    /// What the files declare of these fields.
    pub declared: Values<'a>,
    /// What was applied last.
    pub applied: Values<'a>,
    /// What Apollo holds now; of lists, those that are ours.
    pub now: Values<'a>,
    pub source: Source,
}

impl<'a> DriftedContact<'a> {
    pub(super) fn new(drifted: &'a Drifted, mask: Mask) -> Self {
        let Drifted { place, id, since, change, entry: _ } = drifted;
        let (kind, survivor, fields) = match change {
            DriftChange::Fields(fields) => (DriftKind::Changed, None, &fields[..]),
            DriftChange::Gone => (DriftKind::Gone, None, &[][..]),
            DriftChange::Merged(survivor) => (DriftKind::Merged, Some(survivor.as_str()), &[][..]),
        };
        let line = source::locate(place, None).map(|location| location.line);
        Self {
            resource: Resource::of(&place.key),
            id: id.as_str(),
            kind,
            last_changed_at: since.map(time_text),
            survivor_id: survivor,
            changed: fields.iter().map(|drifted| drifted.field.to_string()).collect(),
            declared: Values::new(
                None,
                fields.iter().map(|drifted| (drifted.field.clone(), drifted.declared.clone())),
                mask,
            ),
            applied: Values::new(
                None,
                fields.iter().map(|drifted| (drifted.field.clone(), drifted.applied.clone())),
                mask,
            ),
            now: Values::new(None, fields.iter().map(|drifted| (drifted.field.clone(), drifted.now.clone())), mask),
            source: Source { filename: place.path.to_string_lossy().into_owned(), line },
        }
    }
}

impl<'a> DriftDocument<'a> {
    pub fn new(drift: &'a Drift, mask: Mask) -> Self {
        let (changed, gone) = drift.counts();
        let warnings: Vec<source::Diagnostic> = drift.warnings().iter().map(words::problem).collect();
        Self {
            format_version: FORMAT_VERSION,
            contactsd_version: PROGRAM_VERSION,
            compared: drift.compared,
            changed,
            gone,
            ignored: drift.ignored,
            unknown: drift.unknown.len(),
            contacts: drift.contacts.iter().map(|drifted| DriftedContact::new(drifted, mask)).collect(),
            diagnostics: warnings.iter().map(|warning| Diagnostic::from(mask.message(warning).as_ref())).collect(),
        }
    }
}
