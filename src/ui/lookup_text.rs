//! What Apollo lists by name, as a table for people.

use unicode_width::UnicodeWidthStr;

use super::amounts::counted;
use super::escape::escape;
use crate::model::{CustomField, List, NameKind, Names};

/// Writes the names of one kind, those of contacts alone, with their ids.
pub fn lookup_text(names: &Names, kind: NameKind) -> String {
    let rows: Vec<Vec<String>> = match kind {
        NameKind::Stages => {
            let stages = names.stages.iter().flat_map(|listing| &listing.items);
            stages.map(|stage| vec![stage.id.clone(), stage.name.clone()]).collect()
        }
        NameKind::Fields => {
            let mut fields = fields(names);
            fields.sort_by_key(|field| field.label.to_lowercase());
            fields.into_iter().map(field_row).collect()
        }
        NameKind::Lists => {
            let mut lists = lists(names);
            lists.sort_by_key(|list| list.name.to_lowercase());
            let count =
                |list: &List| list.count.map(|count| counted(usize::try_from(count).unwrap_or(usize::MAX), "record"));
            lists
                .into_iter()
                .map(|list| vec![list.id.clone(), list.name.clone(), count(list).unwrap_or_default()])
                .collect()
        }
    };
    if rows.is_empty() {
        return format!("Apollo lists no {}.", kind.name());
    }
    table(&rows)
}

/// Returns the custom fields that contacts have.
pub(super) fn fields(names: &Names) -> Vec<&CustomField> {
    let all = names.fields.iter().flat_map(|listing| &listing.items);
    all.filter(|field| field.is_of_contacts()).collect()
}

/// Returns the lists that contacts can be on.
pub(super) fn lists(names: &Names) -> Vec<&List> {
    let all = names.lists.iter().flat_map(|listing| &listing.items);
    all.filter(|list| list.is_of_contacts()).collect()
}

fn field_row(field: &CustomField) -> Vec<String> {
    let mut about = Vec::new();
    if let Some(length) = field.max_length {
        about.push(format!("up to {}", counted(length, "character")));
    }
    if field.read_only {
        about.push("read-only".to_owned());
    }
    if let Some(options) = &field.options {
        about.push(options.iter().map(|option| option.label.clone()).collect::<Vec<_>>().join(", "));
    }
    vec![field.id.as_str().to_owned(), field.label.clone(), field.kind.clone().unwrap_or_default(), about.join("; ")]
}

/// Writes rows with their columns below each other.
fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape(cell).to_string()).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - cell.width())));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CustomFieldId, Listing, PicklistOption, Stage, Timestamp};

    #[test]
    fn names_stand_below_each_other_with_their_ids() {
        let id = |digit: &str| CustomFieldId::parse(&digit.repeat(24)).unwrap();
        let field = |digit, label: &str, kind: &str| CustomField {
            id: id(digit),
            label: label.to_owned(),
            modality: Some("contact".to_owned()),
            kind: Some(kind.to_owned()),
            options: None,
            max_length: None,
            read_only: false,
        };
        let options = vec![PicklistOption { id: "5c1".to_owned(), label: "Gold\u{202e}".to_owned() }];
        let fields = vec![
            CustomField { options: Some(options), ..field("a", "Tier", "picklist") },
            CustomField { max_length: Some(120), ..field("b", "Nickname", "string") },
            CustomField { modality: Some("account".to_owned()), ..field("c", "Region", "string") },
        ];
        let stages = vec![Stage { id: "1".to_owned(), name: "Cold".to_owned(), display_name: None }];
        let names = Names {
            stages: Some(Listing { read_at: Timestamp(1), items: stages }),
            fields: Some(Listing { read_at: Timestamp(1), items: fields }),
            lists: None,
        };
        insta::assert_snapshot!(lookup_text(&names, NameKind::Fields), @r"
        bbbbbbbbbbbbbbbbbbbbbbbb  Nickname  string    up to 120 characters
        aaaaaaaaaaaaaaaaaaaaaaaa  Tier      picklist  Gold\u{202e}
        ");
        assert_eq!(lookup_text(&names, NameKind::Stages), "1  Cold");
        assert_eq!(lookup_text(&names, NameKind::Lists), "Apollo lists no lists.");
    }
}
