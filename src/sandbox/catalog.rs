//! What the team has by name: stages and custom fields, and what becomes of values that do not fit a field.
//!
//! Never stores or answers by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sent::{Body, Refusal, Sent, is_id};
use super::team::{DEFAULT_STAGE_ID, TEAM_ID};

/// The stages and custom fields of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Catalog {
    stages: Vec<Stage>,
    fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stage {
    id: String,
    name: String,
    category: Option<String>,
}

/// A custom field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Field {
    /// The bare id.
    id: String,
    name: String,
    modality: String,
    kind: String,
    options: Vec<(String, String)>,
    max_length: Option<usize>,
    read_only: bool,
}

/// Name and category of each stage of a new team, in order; their ids count up.
const STAGES: [(&str, Option<&str>); 5] = [
    ("Cold", None),
    ("Approaching", Some("in_progress")),
    ("Interested", Some("succeeded")),
    ("Not Interested", Some("failed")),
    ("Do Not Contact", Some("failed")),
];

/// Name, kind of records, type, options and limit of a custom field.
type Seed = (&'static str, &'static str, &'static str, &'static [&'static str], Option<usize>);

/// The custom fields that the team begins with.
const FIELDS: [Seed; 8] = [
    ("Tier", "contact", "picklist", &["Gold", "Silver", "Bronze"], None),
    ("Interests", "contact", "multipicklist", &["Events", "Newsletter", "Research"], None),
    ("Renewal date", "contact", "date", &[], None),
    ("Seats", "contact", "number", &[], None),
    ("Wants mail", "contact", "boolean", &[], None),
    ("Nickname", "contact", "string", &[], Some(120)),
    ("Notes", "contact", "textarea", &[], None),
    ("Region", "account", "string", &[], Some(120)),
];

impl Default for Catalog {
    fn default() -> Self {
        let stage = |(at, (name, category)): (usize, &(&str, Option<&str>))| {
            let id = if at == 0 { DEFAULT_STAGE_ID.to_owned() } else { numbered(0xc0, at) };
            Stage { id, name: (*name).to_owned(), category: category.map(str::to_owned) }
        };
        let field = |(at, field): (usize, &Seed)| {
            let (name, modality, kind, options, max_length) = *field;
            let options = options.iter().enumerate();
            Field {
                id: numbered(0xe0, at),
                name: name.to_owned(),
                modality: modality.to_owned(),
                kind: kind.to_owned(),
                options: options.map(|(nth, label)| (numbered(0xf00 + 16 * at, nth), (*label).to_owned())).collect(),
                max_length,
                read_only: false,
            }
        };
        Self {
            stages: STAGES.iter().enumerate().map(stage).collect(),
            fields: FIELDS.iter().enumerate().map(field).collect(),
        }
    }
}

impl Catalog {
    /// Reads stages that take the place of those there are: `{"stages": [{"name", "id", "category"}]}`.
    pub(super) fn with_stages(self, body: &Body) -> Result<Self, Refusal> {
        let rows = body.objects("stages")?.ok_or_else(|| Refusal::misconfigured("stages is missing"))?;
        let stage = |(at, row): (usize, &Body)| {
            let category = row.text("category")?;
            Ok(Stage { id: id_of(row, 0xc0, at)?, name: name_of(row)?, category })
        };
        Ok(Self { stages: rows.iter().enumerate().map(stage).collect::<Result<_, Refusal>>()?, ..self })
    }

    /// Reads custom fields that take the place of those there are:
    /// `{"fields": [{"name", "type", "id", "modality", "options", "max_length", "read_only"}]}`, and `option_rows` with `id`
    /// and `name` in the place of the labels in `options`.
    pub(super) fn with_fields(self, body: &Body) -> Result<Self, Refusal> {
        let rows = body.objects("fields")?.ok_or_else(|| Refusal::misconfigured("fields is missing"))?;
        let field = |(at, row): (usize, &Body)| {
            let first_option = 0xf00 + 16 * at;
            let options = if let Some(rows) = row.objects("option_rows")? {
                let option = |(nth, row): (usize, &Body)| Ok((id_of(row, first_option, nth)?, name_of(row)?));
                rows.iter().enumerate().map(option).collect::<Result<_, Refusal>>()?
            } else {
                let labels = row.texts("options")?.unwrap_or_default();
                labels.into_iter().enumerate().map(|(nth, label)| (numbered(first_option, nth), label)).collect()
            };
            let max_length = row.ordinal("max_length", usize::MAX)?;
            Ok(Field {
                id: id_of(row, 0xe0, at)?,
                name: name_of(row)?,
                modality: row.text("modality")?.unwrap_or_else(|| "contact".to_owned()),
                kind: row.text("type")?.unwrap_or_else(|| "string".to_owned()),
                options,
                max_length: (max_length != usize::MAX).then_some(max_length),
                read_only: row.flag("read_only")?,
            })
        };
        Ok(Self { fields: rows.iter().enumerate().map(field).collect::<Result<_, Refusal>>()?, ..self })
    }

    /// Returns the id of the stage of this name, which is made where there is none.
    pub(super) fn stage_named(&mut self, name: &str) -> String {
        if let Some(stage) = self.stages.iter().find(|stage| stage.name == name) {
            return stage.id.clone();
        }
        let id = numbered(0xa00, self.stages.len());
        self.stages.push(Stage { id: id.clone(), name: name.to_owned(), category: None });
        id
    }

    /// Returns the id of the custom field of this label, and how it keeps a value; a field is made where there is none.
    pub(super) fn value_named(&mut self, label: &str, value: &str) -> Option<(String, String)> {
        let known = self.fields.iter().find(|field| field.name == label && field.modality == "contact");
        let Some(field) = known else {
            let id = numbered(0xb00, self.fields.len());
            self.fields.push(Field {
                id: id.clone(),
                name: label.to_owned(),
                modality: "contact".to_owned(),
                kind: "textarea".to_owned(),
                options: Vec::new(),
                max_length: None,
                read_only: false,
            });
            return Some((id, value.to_owned()));
        };
        let option = |label: &str| field.options.iter().find(|(_, name)| name == label).map(|(id, _)| id.clone());
        let kept = if field.options.is_empty() { Some(value.to_owned()) } else { option(value) };
        kept.map(|kept| (field.id.clone(), kept))
    }

    /// Returns the answer that lists the stages.
    pub(super) fn stages(&self) -> Value {
        let stages = self.stages.iter().enumerate().map(|(at, Stage { id, name, category })| {
            json!({
                "id": id, "team_id": TEAM_ID, "name": name, "display_name": name, "display_order": at,
                "category": category, "ignore_trigger_override": false, "is_meeting_set": false,
            })
        });
        json!({ "contact_stages": stages.collect::<Vec<_>>() })
    }

    /// Returns the answer that lists the custom fields with their options and limits.
    pub(super) fn typed_custom_fields(&self) -> Value {
        let field = |field: &Field| {
            let option = |(id, name): &(String, String)| json!({ "id": id, "_id": id, "key": id, "name": name, "mapped_crm_values": null });
            let options: Vec<Value> = field.options.iter().map(option).collect();
            json!({
                "id": field.id, "modality": field.modality, "name": field.name, "type": field.kind,
                "picklist_options": field.options.iter().map(|(_, name)| name).collect::<Vec<_>>(),
                "picklist_values": options, "picklist_value_set_id": null, "mapped_crm_field": null,
                "is_readonly_mapped_crm_field": field.read_only, "text_field_max_length": field.max_length,
                "mirrored": false, "system_name": null, "is_local": true,
            })
        };
        json!({ "typed_custom_fields": self.fields.iter().map(field).collect::<Vec<_>>() })
    }

    /// Returns the answer of the newer call, which shows neither options nor limits; `query` as it was sent.
    pub(super) fn fields(&self, query: &str) -> Value {
        let field = |field: &Field| {
            let Field { id, name, modality, kind, .. } = field;
            json!({
                "id": format!("{modality}.{id}"), "field_name": name, "label": name, "modality": modality, "type": kind,
                "source": "custom", "editable": true, "group": null, "parent": null, "context": null, "example": null,
                "created_at": null,
            })
        };
        let system = json!({
            "id": "contact.first_name", "field_name": "first_name", "label": "First Name", "modality": "contact",
            "type": "string", "source": "system", "editable": true, "group": null, "parent": null, "context": null,
            "example": null, "created_at": null,
        });
        let asks_for = |source: &str| query.split('&').any(|pair| pair == format!("source={source}"));
        let is_any = !["system", "custom", "crm_synced"].into_iter().any(asks_for);
        let mut rows = Vec::new();
        if is_any || asks_for("system") {
            rows.push(system);
        }
        if is_any || asks_for("custom") {
            rows.extend(self.fields.iter().map(field));
        }
        json!({ "fields": rows })
    }

    /// Takes from what was sent what Apollo would drop without a word: values of other records' fields, of read-only
    /// ones, what is no option, and what goes beyond a limit. Ids of no field stay, as they always did here.
    pub(super) fn swallow(&self, sent: &mut Sent) {
        sent.custom_fields = std::mem::take(&mut sent.custom_fields)
            .into_iter()
            .filter_map(|(id, text)| match self.fields.iter().find(|field| field.id == id) {
                Some(field) => Some((id, field.kept(text)?)),
                None => Some((id, text)),
            })
            .collect::<BTreeMap<_, _>>();
    }
}

impl Field {
    fn kept(&self, text: String) -> Option<String> {
        if self.modality != "contact" || self.read_only {
            return None;
        }
        let is_option = |text: &str| self.options.iter().any(|(id, _)| id == text);
        match (&*self.kind, self.max_length) {
            _ if text.is_empty() => Some(text),
            ("picklist", _) => is_option(&text).then_some(text),
            ("multipicklist", _) => text.split(';').all(is_option).then_some(text),
            (_, Some(limit)) => Some(text.chars().take(limit).collect()),
            _ => Some(text),
        }
    }
}

/// Makes the id of something that nobody gave one.
fn numbered(first: usize, nth: usize) -> String {
    format!("65a1{:020x}", first + nth)
}

fn id_of(row: &Body, first: usize, nth: usize) -> Result<String, Refusal> {
    match row.text("id")? {
        Some(id) if !is_id(&id) => Err(Refusal::invalid_id(&id)),
        Some(id) => Ok(id),
        None => Ok(numbered(first, nth)),
    }
}

fn name_of(row: &Body) -> Result<String, Refusal> {
    row.text("name")?.ok_or_else(|| Refusal::misconfigured("name is missing"))
}
