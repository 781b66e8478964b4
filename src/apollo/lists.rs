//! What the answer to a change of lists proves; where it shows nothing, nothing is proven.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::complaint;
use super::error::Misread;
use super::json::{self, Object};

/// The answer to one call that puts contacts on lists or takes them off.
///
/// Its status was a success, which alone proves nothing: the change is made where the lists are named,
/// nothing is complained of and no job is to do it later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListChange {
    /// The names of the lists that the answer shows; `None` when it shows none, as a message alone does not.
    pub names: Option<Vec<String>>,
    /// The ids of those lists, by name, where they are shown.
    pub ids: BTreeMap<String, String>,
    /// What the answer complains of, by `error`, `errors` or `success: false`.
    pub complaint: Option<String>,
    /// Whether the change was only queued.
    pub is_job: bool,
}

impl ListChange {
    pub(super) fn read(text: &str) -> Result<Self, Misread> {
        match Misread::or_json(text)? {
            Some(answer) => Ok(Self {
                names: answer.array("labels").map(|labels| names(&labels)),
                ids: answer.array("labels").map(|labels| ids(&labels)).unwrap_or_default(),
                complaint: complaint::of(&answer),
                is_job: is_job(&answer),
            }),
            // The page that lists all lists shows them without an envelope.
            None => Ok(Self { names: json::array_document(text).map(|labels| names(&labels)), ..Self::default() }),
        }
    }
}

/// Returns the names of the contact lists among `labels`, which are objects or the names themselves.
fn names(labels: &[&RawValue]) -> Vec<String> {
    let name = |raw: &&RawValue| match Object::of(raw) {
        Some(label) => {
            let of_contacts = label.text("modality").is_none_or(|modality| modality == "contacts");
            label.text("name").filter(|_| of_contacts)
        }
        None => json::text(raw),
    };
    labels.iter().filter_map(name).collect()
}

fn ids(labels: &[&RawValue]) -> BTreeMap<String, String> {
    labels
        .iter()
        .filter_map(|raw| Object::of(raw))
        .filter_map(|label| label.text("name").zip(label.text("id")))
        .collect()
}

/// Reports whether the answer names a job, by the documented member or by a flag.
pub(super) fn is_job(answer: &Object) -> bool {
    let is_queued = answer.raw("async").and_then(json::boolean) == Some(true);
    is_queued || ["entity_progress_job", "job"].iter().any(|name| answer.object(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> ListChange {
        ListChange::read(text).unwrap()
    }

    fn named(names: &[&str]) -> ListChange {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        ListChange { names: Some(names), ..ListChange::default() }
    }

    #[test]
    fn the_lists_that_an_answer_shows_are_its_proof() {
        let harbor = read(include_str!("../../tests/fixtures/apollo/list-change.json"));
        assert_eq!(harbor.names.as_deref(), Some(&["harbor".to_owned()][..]));
        assert_eq!(harbor.ids["harbor"], "60e34b81740c50074e3d1e01");
        let two = r#"{"labels": [{"name": "harbor"}, {"name": "mills", "modality": "accounts"}, "tides", 5]}"#;
        assert_eq!(read(two), named(&["harbor", "tides"]));
        assert_eq!(read(r#"[{"name": "harbor", "modality": "contacts"}]"#), named(&["harbor"]));
        assert_eq!(read(r#"{"labels": []}"#), named(&[]));
    }

    #[test]
    fn an_answer_without_lists_proves_nothing() {
        for text in [r#"{"message": "done"}"#, "{}", r#"{"labels": null}"#, "true", r#"{"error": null}"#] {
            assert_eq!(read(text), ListChange::default(), "{text}");
        }
    }

    #[test]
    fn a_complaint_and_a_job_are_told_whatever_stands_beside_them() {
        for (text, complaint) in [
            (r#"{"success": false}"#, "success: false"),
            (r#"{"labels": [{"name": "harbor"}], "errors": ["no such contact"]}"#, "no such contact"),
            (r#"{"error": "no such list"}"#, "no such list"),
        ] {
            assert_eq!(read(text).complaint.as_deref(), Some(complaint), "{text}");
        }
        for text in [
            r#"{"entity_progress_job": {"id": "66e34b81740c50074e3d1b09", "progress": -1}}"#,
            r#"{"labels": [{"name": "harbor"}], "async": true}"#,
        ] {
            assert!(read(text).is_job, "{text}");
        }
    }

    #[test]
    fn a_page_and_a_cut_answer_are_no_answers() {
        for text in ["", "<html>", r#"{"labels": ["#] {
            assert!(ListChange::read(text).is_err(), "{text}");
        }
    }
}
