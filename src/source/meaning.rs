//! What the names of stages and custom fields in contact files are taken for.

use std::sync::Arc;

use crate::model::{CustomFieldId, Misfit, NameKinds, Names, Unresolved};

/// How names are read.
#[derive(Debug, Default, Clone)]
pub enum Meaning {
    /// Each name stands for itself: entries of two texts are the same exactly when they are written the same. Such
    /// entries are compared and counted, and never sent.
    #[default]
    AsWritten,
    /// As Apollo has told; what is not known is a mistake.
    Known(Arc<Names>),
}

/// What became of the names in a text.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct NamesSeen {
    pub(super) used: NameKinds,
    /// The kinds of which a name, or a value by what is known of its field, is not good.
    pub(super) faulty: NameKinds,
}

/// Between the values of one field that are compared as they are written; no text of a file holds it.
const BETWEEN_VALUES: &str = "\0";

impl Meaning {
    /// Reports whether entries read in one way are the same as read in the other.
    pub(super) fn is_the_same(&self, other: Option<&Names>) -> bool {
        match (self, other) {
            (Self::Known(names), Some(other)) => names.mean_the_same(other),
            (Self::Known(names), None) => names.mean_the_same(&Names::default()),
            (Self::AsWritten, _) => false,
        }
    }

    pub(super) fn stage(&self, name: &str) -> Result<String, Unresolved> {
        match self {
            Self::AsWritten => Ok(standing_for(name)),
            Self::Known(names) => names.stage(name).map(|stage| stage.id.clone()),
        }
    }

    /// Finds a custom field by its label.
    pub(super) fn field(&self, label: &str) -> Result<FieldMeaning<'_>, Unresolved> {
        match self {
            Self::AsWritten => {
                let id = CustomFieldId::parse(&standing_for(label)).expect("24 digits are an id");
                Ok(FieldMeaning { id, known: None })
            }
            Self::Known(names) => {
                names.field(label).map(|field| FieldMeaning { id: field.id.clone(), known: Some(field) })
            }
        }
    }
}

/// A custom field that a label stands for.
pub(super) struct FieldMeaning<'m> {
    pub(super) id: CustomFieldId,
    known: Option<&'m crate::model::CustomField>,
}

impl FieldMeaning<'_> {
    pub(super) fn takes_several(&self) -> bool {
        self.known.is_none_or(crate::model::CustomField::takes_several)
    }

    pub(super) fn encode(&self, values: &[&str]) -> Result<String, Misfit> {
        self.known.map_or_else(|| Ok(values.join(BETWEEN_VALUES)), |field| field.encode(values))
    }
}

/// Returns digits that stand for a name and for no other.
fn standing_for(name: &str) -> String {
    blake3::hash(name.as_bytes()).to_hex()[..24].to_owned()
}
