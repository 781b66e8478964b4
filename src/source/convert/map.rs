//! Columns that a person says the meaning of: `Work mail=email`.

use std::str::FromStr;

use super::super::merge::Slot;
use super::layouts::Use;
use crate::model::{Field, TEXT_FIELDS};

/// One column and what it is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// The name of the column.
    pub(super) column: String,
    /// `None` leaves the column out.
    pub(super) of: Option<Use>,
}

/// How a custom field is named.
const CUSTOM: &str = "custom_fields.";

/// What a full name is called; there is no field of that name.
const NAME: &str = "name";

/// What stands between names of lists in a cell whose layout nobody knows.
const BETWEEN_LISTS: &[char] = &[',', ';'];

impl FromStr for Map {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A name of a column may hold the sign; none of a field does, but the label of a custom one.
        let split = match text.find(&format!("={CUSTOM}")) {
            Some(at) => Some((&text[..at], &text[at + 1..])),
            None => text.rsplit_once('='),
        };
        let (column, field) = split.ok_or("write the column, = and the field: \"Work mail=email\"")?;
        if column.trim().is_empty() {
            return Err("a column is missing before the =".to_owned());
        }
        let of = if field.is_empty() { None } else { Some(read(field)?) };
        Ok(Self { column: column.to_owned(), of })
    }
}

fn read(field: &str) -> Result<Use, String> {
    if let Some(label) = field.strip_prefix(CUSTOM) {
        let label = Some(label).filter(|label| !label.trim().is_empty());
        let label = label.ok_or("the label of the custom field is missing: custom_fields.Renewal date")?;
        return Ok(Use::Custom(label.to_owned()));
    }
    match Slot::named(field) {
        _ if field == NAME => Ok(Use::Name),
        Some(Slot::Text(Field::PresentRawAddress)) => Ok(Use::Address(0)),
        // Ids of stages are fields like others.
        Some(Slot::Text(field)) => Ok(Use::Text(field)),
        Some(Slot::Lists) => Ok(Use::Lists(BETWEEN_LISTS)),
        Some(Slot::Stage) => Ok(Use::Stage),
        Some(Slot::ApolloId) => Ok(Use::ApolloId),
        Some(Slot::Custom | Slot::Labelled | Slot::RunDedupe | Slot::MovedFrom | Slot::Ignore) | None => {
            let texts = TEXT_FIELDS.iter().map(Field::api_name);
            let others = [NAME, "label_names", "contact_stage", "apollo_id", "custom_fields.LABEL"];
            let known: Vec<&str> = texts.chain(others).collect();
            Err(format!("a column can be one of {}", known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_mapped_by_name_whatever_is_in_it() {
        let map = |text: &str| text.parse::<Map>();
        let of = |column: &str, of| Ok(Map { column: column.to_owned(), of });
        assert_eq!(map("Work mail=email"), of("Work mail", Some(Use::Text(Field::Email))));
        assert_eq!(map("a=b=email"), of("a=b", Some(Use::Text(Field::Email))));
        assert_eq!(map("Stage="), of("Stage", None));
        assert_eq!(map("X=custom_fields.a = b"), of("X", Some(Use::Custom("a = b".to_owned()))));
        assert_eq!(map("Who=name"), of("Who", Some(Use::Name)));
        for bad in ["email", "=email", "X=mail", "X=custom_fields.", "X=run_dedupe", "X=typed_custom_fields"] {
            assert!(map(bad).is_err(), "{bad}");
        }
    }
}
