//! The block of one action: `+ contact "KEY" {` and what stands in it.

use std::borrow::Cow;
use std::fmt;

use super::super::escape::escape;
use super::attribute::{Attribute, Body};
use super::layout::{Layout, Mark};
use super::symbol::Symbol;
use crate::model::{ApolloId, CustomFieldId, Entry, Field, Fields, PackedEntry, Value};
use crate::plan::{Action, Change, Operation, Reason, Setting};

/// What tells people who a contact is.
const IDENTIFYING: [Field; 4] = [Field::FirstName, Field::LastName, Field::OrganizationName, Field::Email];

const CUSTOM_FIELDS: &str = "typed_custom_fields";

/// Writes the block of `action`.
pub(super) fn write(f: &mut fmt::Formatter<'_>, action: &Action, layout: Layout<'_>) -> fmt::Result {
    Symbol::of(action).write(f, layout)?;
    writeln!(f, " contact \"{}\" {{", action.key())?;
    match &action.operation {
        Operation::Create { entry } => {
            let entry = entry.unpack();
            let mut attributes = layout.declared(entry.fields.iter(), Mark::Add);
            attributes.extend((!entry.run_dedupe).then(|| inline(Mark::Add, "run_dedupe", "false".into())));
            attributes.push(inline(Mark::Add, "id", layout.paint.grey("(known after apply)").to_string().into()));
            layout.write_all(f, 2, &attributes)?;
        }
        Operation::Adopt { id, entry, evidence: Some(evidence) } => {
            let entry = entry.unpack();
            let Changed { mut attributes, hidden } = layout.changes(action.reason, &entry, &evidence.changes);
            attributes.insert(0, id_attribute(id));
            layout.write_all(f, 2, &attributes)?;
            layout.write_hidden(f, 2, hidden, "attribute")?;
        }
        Operation::Adopt { id, entry, .. } | Operation::Restore { id, entry } => {
            let entry = entry.unpack();
            let mut attributes = vec![id_attribute(id)];
            attributes.extend(layout.declared(entry.fields.iter(), Mark::Same));
            layout.write_all(f, 2, &attributes)?;
            layout.write_comment(f, 2, format_args!("fields that differ in Apollo will be updated to these values"))?;
        }
        Operation::Update { id, entry, changes }
        | Operation::Move { id, entry, changes, .. }
        | Operation::Release { id, entry, changes } => {
            let entry = entry.unpack();
            let Changed { mut attributes, hidden } = layout.changes(action.reason, &entry, changes);
            attributes.insert(0, id_attribute(id));
            layout.write_all(f, 2, &attributes)?;
            write_released(f, changes, layout)?;
            layout.write_hidden(f, 2, hidden, "attribute")?;
        }
        Operation::Forget { id } => layout.write_all(f, 2, &[id_attribute(id)])?,
        Operation::Settle { intent, entry, .. } => {
            let entry = entry.as_ref().map(PackedEntry::unpack);
            let changes = entry.as_ref().map(|entry| since_sent(&intent.fields, entry)).unwrap_or_default();
            let is_as_sent = |field: &Field| !changes.iter().any(|change| change.field == *field);
            let same = identifying(&intent.fields).filter(|(field, _)| is_as_sent(field));
            let mut attributes = layout.declared(same, Mark::Same);
            if let Some(entry) = &entry {
                attributes.extend(layout.changes(action.reason, entry, &changes).attributes);
            }
            layout.write_all(f, 2, &attributes)?;
            if !changes.is_empty() {
                layout.write_comment(f, 2, format_args!("from what was sent to what is declared now"))?;
            }
        }
        Operation::Conflict { entry, .. } | Operation::Contradiction { entry, .. } => {
            let entry = entry.unpack();
            layout.write_all(f, 2, &layout.declared(identifying(&entry.fields), Mark::Same))?;
        }
    }
    writeln!(f, "    }}")
}

/// Names the fields that are no longer managed.
pub(super) fn write_released(f: &mut fmt::Formatter<'_>, changes: &[Change], layout: Layout<'_>) -> fmt::Result {
    let mut released = changes.iter().filter(|change| !change.sends());
    released.try_for_each(|change| layout.write_comment(f, 2, format_args!("{} no longer managed", change.field)))
}

/// Lists what an entry declares otherwise than its create was sent, which is what settling brings about.
pub(super) fn since_sent(sent: &Fields, entry: &Entry) -> Vec<Change> {
    let differs = |(field, value): &(&Field, &Value)| sent.get(field) != Some(*value);
    let change = |(field, value): (&Field, &Value)| Change {
        field: field.clone(),
        before: sent.get(field).cloned(),
        after: Setting::Set(value.clone()),
    };
    entry.fields.iter().filter(differs).map(change).collect()
}

/// Lists what tells people who a contact is.
pub(super) fn identifying(fields: &Fields) -> impl Iterator<Item = (&Field, &Value)> {
    fields.iter().filter(|(field, _)| IDENTIFYING.contains(field))
}

pub(super) fn id_attribute(id: &ApolloId) -> Attribute<'_> {
    Attribute { mark: Mark::Same, name: "id".into(), body: Body::Quoted(id.as_str()), remark: None }
}

fn inline<'a>(mark: Mark, name: &'static str, text: Cow<'a, str>) -> Attribute<'a> {
    Attribute { mark, name: name.into(), body: Body::Inline(text), remark: None }
}

/// The fields of an entry that change, and how many attributes stay.
pub(super) struct Changed<'a> {
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) hidden: usize,
}

/// Puts custom fields under one name; they are all new only when nothing else stands there.
fn custom_fields(entries: Vec<Attribute<'_>>, hidden: usize) -> Attribute<'_> {
    let all_are = |mark| hidden == 0 && entries.iter().all(|entry| entry.mark == mark);
    let mark = [Mark::Add, Mark::Same].into_iter().find(|&mark| all_are(mark)).unwrap_or(Mark::Change);
    Attribute { mark, name: CUSTOM_FIELDS.into(), body: Body::Map { entries, hidden }, remark: None }
}

fn custom_name(id: &CustomFieldId) -> Cow<'static, str> {
    format!("\"{}\"", id.as_str()).into()
}

impl Layout<'_> {
    /// Lists fields as an entry declares them.
    pub(super) fn declared<'a>(
        self,
        fields: impl Iterator<Item = (&'a Field, &'a Value)>,
        mark: Mark,
    ) -> Vec<Attribute<'a>> {
        let mut attributes = Vec::new();
        let mut custom = Vec::new();
        for (field, value) in fields {
            let (body, remark) = (self.value(value, mark), self.meaning(field, None, value).map(Cow::Owned));
            match field {
                Field::Custom(id) => custom.push(Attribute { mark, name: custom_name(id), body, remark }),
                named => attributes.push(Attribute { mark, name: named.api_name().into(), body, remark }),
            }
        }
        if !custom.is_empty() {
            attributes.push(custom_fields(custom, 0));
        }
        attributes
    }

    /// Lists the fields that are sent.
    pub(super) fn changes<'a>(self, reason: Reason, entry: &'a Entry, changes: &'a [Change]) -> Changed<'a> {
        let mut attributes = Vec::new();
        let mut custom = Vec::new();
        for change in changes {
            let Setting::Set(after) = &change.after else { continue };
            match &change.field {
                Field::Custom(field_id) => custom.push(self.changed(custom_name(field_id), change, after, reason)),
                named => attributes.push(self.changed(named.api_name().into(), change, after, reason)),
            }
        }
        let is_changed = |field: &Field| changes.iter().any(|change| change.field == *field);
        let unchanged = entry.fields.iter().map(|(field, _)| field).filter(|field| !is_changed(field));
        let (unchanged_custom, mut hidden) = unchanged.fold((0, 0), |(custom, named), field| match field {
            Field::Custom(_) => (custom + 1, named),
            _ => (custom, named + 1),
        });
        if custom.is_empty() {
            hidden += usize::from(unchanged_custom > 0);
        } else {
            attributes.push(custom_fields(custom, unchanged_custom));
        }
        Changed { attributes, hidden }
    }

    /// Says what the ids of a field stand for, where that is known; masked, no more than which field it is.
    fn meaning(self, field: &Field, before: Option<&Value>, after: &Value) -> Option<String> {
        let names = self.names?;
        let name = |value: &Value| match value {
            Value::Text(text) if !self.mask.is_on() => names.value(text),
            _ => None,
        };
        let values = match (before.and_then(name), name(after)) {
            (Some(before), Some(after)) => Some(format!("{before} -> {after}")),
            (Some(before), None) if after.is_empty() => Some(before),
            (_, after) => after,
        };
        let label = match field {
            Field::Custom(id) => names.field(id),
            Field::ContactStageId => None,
            _ => return None,
        };
        let meaning = match (label, values) {
            (Some(label), Some(values)) => format!("{label}: {values}"),
            (Some(label), None) => label.to_owned(),
            (None, values) => values?,
        };
        Some(escape(&meaning).into_owned())
    }

    /// Shows a field that is sent, and says why when it may hold the value already.
    fn changed<'a>(
        self,
        name: Cow<'static, str>,
        change: &'a Change,
        after: &'a Value,
        reason: Reason,
    ) -> Attribute<'a> {
        let remark = match (&change.before, reason) {
            (None, Reason::StillPending) => Some("not confirmed yet"),
            (None, Reason::UpdateInDoubt) => Some("outcome of an earlier update is unknown"),
            _ => None,
        };
        let remark = match (self.meaning(&change.field, change.before.as_ref(), after), remark) {
            (Some(meaning), Some(remark)) => Some(format!("{meaning}; {remark}").into()),
            (Some(meaning), None) => Some(meaning.into()),
            (None, remark) => remark.map(Cow::Borrowed),
        };
        let (mark, body) = match &change.before {
            Some(before) if !before.is_empty() && after.is_empty() => (Mark::Remove, self.difference(before, after)),
            Some(before) if !before.is_empty() => (Mark::Change, self.difference(before, after)),
            Some(_) | None => (Mark::Add, self.value(after, Mark::Add)),
        };
        Attribute { mark, name, body, remark }
    }
}
