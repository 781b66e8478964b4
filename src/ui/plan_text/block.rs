//! The block of one action: `+ contact "KEY" {` and what stands in it.

use std::fmt;

use super::super::escape::quoted;
use super::attribute::{Attribute, Body, Layout, Mark};
use super::header::Symbol;
use crate::model::{ApolloId, CustomFieldId, Entry, Field, Fields, Value};
use crate::plan::{Action, Change, Operation, Reason, Setting};

/// What tells people who a contact is.
const IDENTIFYING: [Field; 4] = [Field::FirstName, Field::LastName, Field::OrganizationName, Field::Email];

const CUSTOM_FIELDS: &str = "typed_custom_fields";

/// Writes the block of `action`.
pub(super) fn write(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout) -> fmt::Result {
    writeln!(f, "{} contact \"{}\" {{", Symbol::of(action).painted(layout.paint), action.key())?;
    match &action.operation {
        Operation::Create { entry } => {
            let mut attributes = layout.declared(&entry.fields, Mark::Add);
            attributes.extend((!entry.run_dedupe).then(|| inline(Mark::Add, "run_dedupe", "false".to_owned())));
            attributes.push(inline(Mark::Add, "id", layout.paint.grey("(known after apply)").to_string()));
            layout.write_all(f, 2, &attributes)?;
        }
        Operation::Adopt { id, entry } | Operation::Restore { id, entry } => {
            let mut attributes = vec![id_attribute(id)];
            attributes.extend(layout.declared(&entry.fields, Mark::Same));
            layout.write_all(f, 2, &attributes)?;
            layout.write_comment(f, 2, "fields that differ in Apollo will be updated to these values")?;
        }
        Operation::Update { id, entry, changes }
        | Operation::Move { id, entry, changes, .. }
        | Operation::Release { id, entry, changes } => write_changes(f, layout, action.reason, id, entry, changes)?,
        Operation::Forget { id } => layout.write_all(f, 2, &[id_attribute(id)])?,
        Operation::Settle { intent, .. } => {
            layout.write_all(f, 2, &layout.declared(&identifying(&intent.fields), Mark::Same))?;
        }
        Operation::Conflict { entry, .. } | Operation::Contradiction { entry, .. } => {
            layout.write_all(f, 2, &layout.declared(&identifying(&entry.fields), Mark::Same))?;
        }
    }
    writeln!(f, "    }}")
}

fn identifying(fields: &Fields) -> Fields {
    let pairs = fields.iter().filter(|(field, _)| IDENTIFYING.contains(field));
    pairs.map(|(field, value)| (field.clone(), value.clone())).collect()
}

fn id_attribute(id: &ApolloId) -> Attribute {
    inline(Mark::Same, "id", quoted(id.as_str()))
}

fn inline(mark: Mark, name: &str, text: String) -> Attribute {
    Attribute { mark, name: name.to_owned(), body: Body::Inline(text), remark: None }
}

fn write_changes(
    f: &mut fmt::Formatter<'_>,
    layout: Layout,
    reason: Reason,
    id: &ApolloId,
    entry: &Entry,
    changes: &[Change],
) -> fmt::Result {
    let mut attributes = vec![id_attribute(id)];
    let mut custom = Vec::new();
    for change in changes {
        let Setting::Set(after) = &change.after else { continue };
        match &change.field {
            Field::Custom(field_id) => custom.push(layout.changed(custom_name(field_id), change, after, reason)),
            named => attributes.push(layout.changed(named.to_string(), change, after, reason)),
        }
    }
    let is_custom = |field: &Field| matches!(field, Field::Custom(_));
    let is_changed = |field: &Field| changes.iter().any(|change| change.field == *field);
    let unchanged: Vec<&Field> = entry.fields.iter().map(|(field, _)| field).filter(|f| !is_changed(f)).collect();
    let unchanged_custom = unchanged.iter().filter(|field| is_custom(field)).count();
    let mut hidden = unchanged.len() - unchanged_custom;
    if custom.is_empty() {
        hidden += usize::from(unchanged_custom > 0);
    } else {
        attributes.push(custom_fields(custom, unchanged_custom));
    }
    layout.write_all(f, 2, &attributes)?;
    for change in changes.iter().filter(|change| !change.sends()) {
        layout.write_comment(f, 2, &format!("{} no longer managed", change.field))?;
    }
    layout.write_hidden(f, 2, hidden, "attribute")
}

/// Puts custom fields under one name; they are all new only when nothing else stands there.
fn custom_fields(entries: Vec<Attribute>, hidden: usize) -> Attribute {
    let all_are = |mark| hidden == 0 && entries.iter().all(|entry| entry.mark == mark);
    let mark = [Mark::Add, Mark::Same].into_iter().find(|&mark| all_are(mark)).unwrap_or(Mark::Change);
    Attribute { mark, name: CUSTOM_FIELDS.to_owned(), body: Body::Map { entries, hidden }, remark: None }
}

fn custom_name(id: &CustomFieldId) -> String {
    format!("\"{}\"", id.as_str())
}

impl Layout {
    /// Lists fields as an entry declares them.
    fn declared(self, fields: &Fields, mark: Mark) -> Vec<Attribute> {
        let mut attributes = Vec::new();
        let mut custom = Vec::new();
        for (field, value) in fields.iter() {
            let body = self.value(value, mark);
            match field {
                Field::Custom(id) => custom.push(Attribute { mark, name: custom_name(id), body, remark: None }),
                named => attributes.push(Attribute { mark, name: named.to_string(), body, remark: None }),
            }
        }
        if !custom.is_empty() {
            attributes.push(custom_fields(custom, 0));
        }
        attributes
    }

    /// Shows a field that is sent, and says why when it may hold the value already.
    fn changed(self, name: String, change: &Change, after: &Value, reason: Reason) -> Attribute {
        let remark = match (&change.before, reason) {
            (None, Reason::StillPending) => Some("not confirmed yet"),
            (None, Reason::UpdateInDoubt) => Some("outcome of an earlier update is unknown"),
            _ => None,
        };
        let (mark, body) = match &change.before {
            Some(before) if !before.is_empty() && after.is_empty() => (Mark::Remove, self.difference(before, after)),
            Some(before) if !before.is_empty() => (Mark::Change, self.difference(before, after)),
            Some(_) | None => (Mark::Add, self.value(after, Mark::Add)),
        };
        Attribute { mark, name, body, remark }
    }
}
