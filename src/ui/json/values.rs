//! The fields of a contact as JSON: by the API's names, texts and lists, as files declare them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::{ApolloId, Field, Glossary, TEXT_FIELDS, Value};
use crate::ui::Mask;

/// Fields with their values, in the order of plans; `None` is a value that is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values<'a> {
    id: Option<&'a ApolloId>,
    fields: BTreeMap<Field, Option<Value>>,
    mask: Mask,
}

impl<'a> Values<'a> {
    pub(super) fn new(id: Option<&'a ApolloId>, fields: impl IntoIterator<Item = (Field, Value)>, mask: Mask) -> Self {
        Self { id, fields: fields.into_iter().map(|(field, value)| (field, Some(value))).collect(), mask }
    }

    /// Lists the ids that stand in it for a custom field, an option or a stage, each with its name as far as that is known;
    /// masked, those of fields alone.
    pub(super) fn named(&self, names: &Glossary) -> impl Iterator<Item = (String, String)> {
        let of_field = |(field, value): (&Field, &Option<Value>)| {
            let label =
                if let Field::Custom(id) = field { names.field(id).map(|label| (id.as_str(), label)) } else { None };
            let may_tell = matches!(field, Field::Custom(_) | Field::ContactStageId) && !self.mask.is_on();
            let text = match value {
                Some(Value::Text(text)) if may_tell => text.as_str(),
                _ => "",
            };
            let pairs = label.into_iter().chain(names.in_value(text));
            pairs.map(|(id, name)| (id.to_owned(), name.to_owned())).collect::<Vec<_>>()
        };
        self.fields.iter().flat_map(of_field)
    }

    pub(super) fn set(&mut self, field: &Field, value: Option<&Value>) {
        self.fields.insert(field.clone(), value.cloned());
    }
}

/// One value, masked where that is asked for; every value in JSON passes through here.
struct Shown<'a>(Option<&'a Value>, Mask);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value, mask) = self;
        match value.map(|value| mask.value(value)).as_deref() {
            None => serializer.serialize_none(),
            Some(Value::Text(text)) => serializer.serialize_str(text),
            Some(Value::Lists(lists)) => serializer.collect_seq(lists),
        }
    }
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(id) = self.id {
            map.serialize_entry("id", id)?;
        }
        let mut custom = BTreeMap::new();
        for (field, value) in &self.fields {
            let shown = Shown(value.as_ref(), self.mask);
            match field {
                Field::Custom(id) => drop(custom.insert(id.as_str(), shown)),
                named => map.serialize_entry(named.api_name(), &shown)?,
            }
        }
        if !custom.is_empty() {
            map.serialize_entry("typed_custom_fields", &custom)?;
        }
        map.end()
    }
}

impl JsonSchema for Values<'_> {
    fn schema_name() -> Cow<'static, str> {
        "Values".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": ["string", "null"] });
        let mut properties: serde_json::Map<_, _> =
            TEXT_FIELDS.iter().map(|field| (field.api_name().to_owned(), text.clone().to_value())).collect();
        properties.insert("id".to_owned(), json_schema!({ "type": "string" }).to_value());
        let lists = json_schema!({ "type": ["array", "null"], "items": { "type": "string" } });
        properties.insert("label_names".to_owned(), lists.to_value());
        let custom = json_schema!({ "type": "object", "additionalProperties": text });
        properties.insert("typed_custom_fields".to_owned(), custom.to_value());
        json_schema!({
            "description": "The fields of a contact by the API's names. A field that is absent is not managed; one \
                            that is null is not known.",
            "type": "object",
            "properties": properties,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomFieldId, Fields};

    fn json(mask: Mask) -> String {
        let custom = Field::Custom(CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap());
        let lists = Value::Lists(["B", "A"].map(str::to_owned).into_iter().collect());
        let fields: Fields =
            [(Field::Email, "ada@example.com".into()), (Field::LabelNames, lists), (custom, "7".into())]
                .into_iter()
                .collect();
        let id = ApolloId::parse("00000000000000000000000a").unwrap();
        let mut values = Values::new(Some(&id), fields, mask);
        values.set(&Field::Title, None);
        serde_json::to_string(&values).unwrap()
    }

    #[test]
    fn values_stand_as_files_declare_them() {
        insta::assert_snapshot!(json(Mask::Off), @r#"{"id":"00000000000000000000000a","title":null,"email":"ada@example.com","label_names":["A","B"],"typed_custom_fields":{"60c39ed82bd02f01154c470a":"7"}}"#);
    }

    #[test]
    fn a_mask_hides_values_and_nothing_else() {
        insta::assert_snapshot!(json(Mask::On), @r#"{"id":"00000000000000000000000a","title":null,"email":"(masked)","label_names":["(masked)"],"typed_custom_fields":{"60c39ed82bd02f01154c470a":"(masked)"}}"#);
    }
}
