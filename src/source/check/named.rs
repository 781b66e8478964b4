//! What is declared by a name of Apollo's: stages, and custom fields by their labels.

use std::borrow::Cow;

use super::super::flatten::Member;
use super::super::merge::Declared;
use super::super::outline::Part;
use super::super::tape::{Node, Value};
use super::super::words;
use super::Checker;
use super::fields::{Placed, blamed};
use crate::model::{Misfit, NameKinds};

const STAGES: NameKinds = NameKinds { stages: true, fields: false };
const FIELDS: NameKinds = NameKinds { stages: false, fields: true };

impl<'s> Checker<'s> {
    /// Reads the name of a stage; returns the id that it stands for. An empty one clears.
    pub(super) fn stage(&mut self, member: &Member<'_, 's>) -> Declared<Cow<'s, str>> {
        let value = self.text(member);
        let Declared::Is(name) = &value else { return value };
        if name.is_empty() {
            return value;
        }
        self.names.used = self.names.used.and(STAGES);
        match self.meaning.stage(name) {
            Ok(id) => Declared::Is(id.into()),
            Err(unresolved) => {
                self.names.faulty = self.names.faulty.and(STAGES);
                self.report(member.value.span(), || words::unknown_stage(name, &unresolved));
                Declared::Absent
            }
        }
    }

    /// Reads a map from labels to values; returns the values as Apollo takes them, by id.
    pub(super) fn labelled(&mut self, member: &Member<'_, 's>) -> Declared<Vec<Placed<'s>>> {
        if member.value.is_null() {
            self.warn_if_cut(member.value, member.name_node);
            return Declared::Null;
        }
        let Some(pairs) = self.map(member, "`custom_fields`", "a map from labels of fields to values") else {
            return Declared::Absent;
        };
        let mut values = Vec::new();
        for field in self.flatten(pairs, true).members {
            self.names.used = self.names.used.and(FIELDS);
            let meaning = self.meaning;
            match meaning.field(field.name) {
                Ok(found) => {
                    self.note(|| Part::Custom(found.id.clone()), &field);
                    let value = self.value_of(&field, &found);
                    values.push((found.id, value, field.name_node.span()));
                }
                Err(unresolved) => {
                    self.names.faulty = self.names.faulty.and(FIELDS);
                    self.report(field.name_node.span(), || words::unknown_label(field.name, &unresolved));
                }
            }
        }
        Declared::Is(values)
    }

    fn value_of(
        &mut self,
        field: &Member<'_, 's>,
        found: &super::super::meaning::FieldMeaning<'_>,
    ) -> Declared<Cow<'s, str>> {
        let texts = match field.value.value() {
            Value::List(items) if found.takes_several() => {
                let texts: Option<Vec<Cow<'_, str>>> = items.map(|item| self.item(item)).collect();
                let Some(texts) = texts else { return Declared::Absent };
                texts
            }
            _ => match self.text(field) {
                Declared::Is(text) => {
                    self.warn_of_blanks(field.value);
                    vec![text]
                }
                other => return other,
            },
        };
        let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        match found.encode(&texts) {
            Ok(value) => Declared::Is(value.into()),
            Err(misfit) => {
                self.names.faulty = self.names.faulty.and(FIELDS);
                let span = wrong_item(field, &misfit).map_or_else(|| blamed(field), Node::span);
                self.report(span, || words::unfit_value(field.name, &texts.join(", "), &misfit));
                Declared::Absent
            }
        }
    }

    /// Reads one of several values.
    fn item<'t>(&mut self, item: Node<'_, 't>) -> Option<Cow<'t, str>> {
        let diagnostic = match item.value() {
            Value::Scalar(scalar) if scalar.is_null() => words::null_list_item(&scalar.text),
            Value::Scalar(scalar) => {
                self.warn_if_cut(item, item);
                self.warn_of_blanks(item);
                return Some(scalar.text.clone());
            }
            Value::List(_) | Value::Map(_) => words::wrong_type("an item of a custom field", "text", item),
        };
        self.tell(item.span(), diagnostic);
        None
    }
}

/// Finds the one of several values that is no option.
fn wrong_item<'a, 't>(field: &Member<'a, 't>, misfit: &Misfit) -> Option<Node<'a, 't>> {
    let (Value::List(mut items), Misfit::NoOption { option, .. }) = (field.value.value(), misfit) else { return None };
    items.find(|item| item.scalar().is_some_and(|scalar| scalar.text == option.as_str()))
}
