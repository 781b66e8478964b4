//! The lists of a team, by their ids.

use std::collections::BTreeMap;

use super::complaint;
use super::error::Misread;
use super::json::{self, Object};

/// Reads the answer that lists all lists: a bare array, or one in an envelope. A row without id or name is left out.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, String>, Misread> {
    let rows: Vec<Object<'_>> = if let Some(rows) = json::array_document(text) {
        rows.into_iter().filter_map(Object::of).collect()
    } else {
        let answer = Misread::or_object(text)?;
        if let Some(complaint) = complaint::of(&answer) {
            return Err(Misread::Refused(complaint));
        }
        answer.objects("labels").ok_or(Misread::Lacks("no lists"))?
    };
    let named =
        |row: &Object<'_>| Some((row.text("id").or_else(|| row.text("_id"))?.to_lowercase(), row.text("name")?));
    Ok(rows.iter().filter_map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_an_envelope_and_without() {
        let rows = r#"[{"id": "AB1", "name": "North"}, {"name": "odd"}, {"_id": "c", "name": "South"}, 7]"#;
        let found = read(rows).unwrap();
        assert_eq!(found["ab1"], "North");
        assert_eq!(found.len(), 2);
        assert_eq!(read(&format!("{{\"labels\": {rows}}}")).unwrap(), found);
        assert!(matches!(read("{}"), Err(Misread::Lacks(_))));
        assert!(matches!(read(r#"{"error": "no"}"#), Err(Misread::Refused(_))));
    }
}
