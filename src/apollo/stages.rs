//! The stages that a contact can be in: their ids.

use super::complaint;
use super::error::Misread;

/// Reads the answer that lists all stages, in its order; one without an id is left out.
pub(super) fn read(text: &str) -> Result<Vec<String>, Misread> {
    let answer = Misread::or_object(text)?;
    if let Some(complaint) = complaint::of(&answer) {
        return Err(Misread::Refused(complaint));
    }
    let stages = answer.objects("contact_stages").ok_or(Misread::Lacks("no stages"))?;
    Ok(stages.iter().filter_map(|stage| stage.text("id")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_all_stages_are_read_in_their_order() {
        let text = r#"{"contact_stages": [{"id": "b", "name": "Cold"}, {"name": "Odd"}, {"id": "a"}]}"#;
        assert_eq!(read(text).unwrap(), ["b", "a"]);
        assert!(matches!(read(r#"{"contact_stages": "none"}"#), Err(Misread::Lacks(_))));
        assert!(matches!(read(r#"{"error": "no"}"#), Err(Misread::Refused(_))));
    }
}
