//! What Apollo lists by name: stages, custom fields and lists.
//!
//! A row without an id or a name is left out, and so is what else cannot be read: the answers are of many forms.

use serde_json::value::RawValue;

use super::complaint;
use super::error::Misread;
use super::json::{self, Object};
use crate::model::{CustomField, CustomFieldId, List, PicklistOption, Stage};

/// Reads the answer that lists all stages, in its order.
pub(super) fn stages(text: &str) -> Result<Vec<Stage>, Misread> {
    let stage = |row: Object| {
        let (name, display_name) = (named(&row, &["name"]), named(&row, &["display_name"]));
        let id = id(&row)?;
        let name = name.or_else(|| display_name.clone())?;
        Some(Stage { id, display_name: display_name.filter(|shown| *shown != name), name })
    };
    rows(text, &["contact_stages", "stages"], "no stages", stage)
}

/// Reads the answer that lists custom fields, of either call.
pub(super) fn fields(text: &str) -> Result<Vec<CustomField>, Misread> {
    rows(text, &["typed_custom_fields", "fields"], "no fields", |row| field(&row))
}

/// Reads the answer that lists all lists.
pub(super) fn lists(text: &str) -> Result<Vec<List>, Misread> {
    let list = |row: Object| {
        let modality = row.text("modality").map(|modality| modality.to_lowercase());
        Some(List { id: id(&row)?, name: named(&row, &["name"])?, modality, count: row.number("cached_count") })
    };
    rows(text, &["labels", "lists"], "no lists", list)
}

/// Reads rows that stand in one of some members, or are the whole answer.
fn rows<T>(
    text: &str,
    members: &[&str],
    lacks: &'static str,
    read: impl Fn(Object<'_>) -> Option<T>,
) -> Result<Vec<T>, Misread> {
    let Some(answer) = Misread::or_json(text)? else {
        let rows = json::array_document(text).ok_or(Misread::Lacks(lacks))?;
        return Ok(rows.into_iter().filter_map(Object::of).filter_map(read).collect());
    };
    let rows = members.iter().find_map(|member| answer.objects(member));
    match (rows, complaint::of(&answer)) {
        (_, Some(complaint)) => Err(Misread::Refused(complaint)),
        (Some(rows), None) => Ok(rows.into_iter().filter_map(read).collect()),
        (None, None) => Err(Misread::Lacks(lacks)),
    }
}

fn field(row: &Object<'_>) -> Option<CustomField> {
    // The call that lists all fields may show Apollo's own, whatever was asked for.
    if row.text("source").is_some_and(|source| source.eq_ignore_ascii_case("system")) {
        return None;
    }
    let written = id(row)?;
    // Writes take the bare id and ignore one with the kind of records in front.
    let (prefix, bare) = written.rsplit_once('.').map_or((None, &*written), |(prefix, bare)| (Some(prefix), bare));
    let modality = row.text("modality").or_else(|| prefix.map(str::to_owned));
    let meta = row.object("meta");
    let number = |name| row.number(name).or_else(|| meta.as_ref()?.number(name));
    let max_length = ["text_field_max_length", "max_length"].into_iter().find_map(number);
    Some(CustomField {
        id: CustomFieldId::parse(bare)?,
        label: named(row, &["label", "name", "field_name"])?,
        modality: modality.map(|modality| modality.to_lowercase()),
        kind: row.text("type").map(|kind| kind.to_lowercase()),
        options: options(row).or_else(|| options(meta.as_ref()?)),
        max_length: max_length.and_then(|length| usize::try_from(length).ok()).filter(|length| *length > 0),
        read_only: row.raw("is_readonly_mapped_crm_field").and_then(json::boolean) == Some(true),
    })
}

/// Returns the options of a picklist as far as they have ids; `None` where there are none.
fn options(row: &Object<'_>) -> Option<Vec<PicklistOption>> {
    let option = |row: Object| Some(PicklistOption { id: id(&row)?, label: named(&row, &["name", "label", "value"])? });
    let shown = |member| {
        let options: Vec<PicklistOption> = row.objects(member)?.into_iter().filter_map(option).collect();
        Some(options).filter(|options| !options.is_empty())
    };
    ["picklist_values", "picklist_options", "options"].into_iter().find_map(shown)
}

fn id(row: &Object<'_>) -> Option<String> {
    let text = |name: &&str| row.raw(name).and_then(json::text).filter(|id| !id.trim().is_empty());
    ["id", "_id", "key"].iter().find_map(text)
}

fn named(row: &Object<'_>, members: &[&str]) -> Option<String> {
    let text = |raw: &RawValue| json::text(raw).filter(|name| !name.trim().is_empty());
    members.iter().find_map(|member| row.raw(member).and_then(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "60c39ed82bd02f01154c470a";

    #[test]
    fn stages_are_read_in_their_order_by_the_name_that_they_have() {
        let text = r#"{"contact_stages": [{"id": "b", "name": "cold", "display_name": "Cold"}, {"name": "Odd"}, {"id": "a"},
            {"_id": "c", "display_name": "Warm"}]}"#;
        let read = stages(text).unwrap();
        let shown: Vec<_> =
            read.iter().map(|stage| (&*stage.id, &*stage.name, stage.display_name.as_deref())).collect();
        assert_eq!(shown, [("b", "cold", Some("Cold")), ("c", "Warm", None)]);
        assert_eq!(stages(r#"[{"id": "a", "name": "Cold"}]"#).unwrap().len(), 1);
        assert!(matches!(stages(r#"{"contact_stages": "none"}"#), Err(Misread::Lacks(_))));
        assert!(matches!(stages(r#"{"error": "no"}"#), Err(Misread::Refused(_))));
        assert!(stages("<html>").is_err());
    }

    #[test]
    fn custom_fields_of_either_call_are_the_same() {
        let old = format!(
            r#"{{"typed_custom_fields": [{{"id": "{ID}", "modality": "contact", "name": "Tier", "type": "picklist",
                "picklist_options": ["Gold"], "picklist_values": [{{"_id": "5c1", "name": "Gold"}}, {{"name": "Odd"}}],
                "text_field_max_length": null, "is_readonly_mapped_crm_field": false}}]}}"#
        );
        let new = format!(
            r#"{{"fields": [{{"id": "contact.{ID}", "label": "Tier", "field_name": "x", "modality": "contact", "type": "picklist",
                "source": "custom", "meta": {{"picklist_values": [{{"id": "5c1", "name": "Gold"}}]}}}},
                {{"id": "contact.first_name", "label": "First Name", "source": "system"}}]}}"#
        );
        assert_eq!(fields(&old).unwrap(), fields(&new).unwrap());
        let [tier] = &fields(&old).unwrap()[..] else { panic!("there is one") };
        assert_eq!((tier.id.as_str(), tier.encode(&["Gold"]).as_deref()), (ID, Ok("5c1")));
        let bare = format!(
            r#"{{"fields": [{{"id": "account.{ID}", "label": "Tier", "type": "string", "meta": {{"max_length": "40"}}}}]}}"#
        );
        let [bare] = &fields(&bare).unwrap()[..] else { panic!("there is one") };
        assert_eq!(
            (bare.modality.as_deref(), bare.max_length, bare.is_of_contacts()),
            (Some("account"), Some(40), false)
        );
    }

    #[test]
    fn lists_are_read_with_an_envelope_and_without() {
        let row = r#"{"id": "1", "_id": "1", "key": "1", "name": "harbor", "modality": "contacts", "cached_count": 7}"#;
        let bare = lists(&format!("[{row}, 5]")).unwrap();
        assert_eq!(lists(&format!(r#"{{"labels": [{row}]}}"#)).unwrap(), bare);
        assert_eq!((&*bare[0].name, bare[0].count, bare[0].is_of_contacts()), ("harbor", Some(7), true));
    }
}
