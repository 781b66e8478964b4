//! The contacts that an apply imported, and what was written to them.
//!
//! A plan cannot say it: which contact an entry is found to be, and what that holds, is known only then.

use std::fmt;

use super::amounts::{count, counted};
use super::mask::Mask;
use super::plan_text::{Detail, HEAD_ACTIONS, Layout, Marks, write_changes};
use super::style::Paint;
use crate::model::{MatchedBy, Origin};
use crate::ops::Imported;

/// Imported contacts with how to show them; written by its `Display`, without the last newline.
#[derive(Debug, Clone, Copy)]
pub struct ImportsText<'a> {
    pub imports: &'a [Imported],
    pub color: bool,
    pub mask: Mask,
    /// Whether values are shown at all.
    pub values: bool,
    pub detail: Detail,
    /// Shows values of the first contacts only, and the beginning of long ones: for a terminal.
    pub abridged: bool,
}

impl fmt::Display for ImportsText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { imports, color, mask, values, detail, abridged } = *self;
        let concise = detail == Detail::Concise;
        let layout =
            Layout { paint: Paint { color }, mask, marks: Marks::Indented, concise, cut: abridged, names: None };
        let mut written = 0;
        for (number, imported) in imports.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            f.write_str(&headline(imported))?;
            let is_shown = values && !imported.changes().is_empty() && !(abridged && written == HEAD_ACTIONS);
            if is_shown {
                written += 1;
                // Its last line ends where the next contact, or whoever prints, begins a new one.
                let changes = Changes(imported, layout).to_string();
                write!(f, "\n{}", changes.trim_end_matches('\n'))?;
            }
        }
        Ok(())
    }
}

/// Says in one line who was imported, how it was found, and how much was written.
pub(super) fn headline(imported: &Imported) -> String {
    let changes = imported.changes();
    let unseen = match changes.iter().filter(|change| change.before.is_none()).count() {
        0 => String::new(),
        1 => "; the old value of 1 is not known".to_owned(),
        many => format!("; the old values of {} are not known", count(many)),
    };
    let found = found(&imported.origin);
    let written = counted(changes.len(), "field");
    format!("imported: {}, {found}, {written} changed{unseen}", imported.action.key().address())
}

fn found(origin: &Origin) -> &'static str {
    match origin {
        Origin::Matched(MatchedBy::LookUp) => "matched by e-mail",
        Origin::Matched(MatchedBy::DedupeResult(_) | MatchedBy::WasExisting | MatchedBy::CreationTime)
        | Origin::Created => "matched by Apollo",
        Origin::Matched(MatchedBy::BulkCreate) => "matched by Apollo in a batch",
        Origin::Matched(MatchedBy::Rebuilt(_)) => "found when the state was built again",
        Origin::Adopted => "named by its id",
        Origin::Restored => "bound to the contact it had",
        Origin::Settled => "found after a create without an answer",
    }
}

struct Changes<'a>(&'a Imported, Layout<'a>);

impl fmt::Display for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_changes(f, &self.0.action, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_plans::lists;
    use super::*;
    use crate::model::{ApolloId, ContactKey, Entry, Field, Place, Value};
    use crate::plan::{Action, Change, Operation, Reason, Setting};

    fn imported(key: &str, origin: Origin, changes: &[(Field, Option<Value>, Value)]) -> Imported {
        let place = Place { path: std::path::Path::new("a.yaml").into(), key: ContactKey::parse(key).unwrap() };
        let fields = [(Field::FirstName, Value::from("Ada"))].into_iter();
        let fields = fields.chain(changes.iter().map(|(field, _, after)| (field.clone(), after.clone()))).collect();
        let entry = Entry {
            place: place.clone(),
            fields,
            run_dedupe: true,
            apollo_id: None,
            moved_from: None,
            ignored: [].into(),
        };
        let change = |(field, before, after): &(Field, Option<Value>, Value)| Change {
            field: field.clone(),
            before: before.clone(),
            after: Setting::Set(after.clone()),
        };
        let id = ApolloId::parse("66f0c1000000000000000001").unwrap();
        let operation = Operation::Update { id, entry: entry.into(), changes: changes.iter().map(change).collect() };
        Imported { action: Action { place, reason: Reason::FieldsDiffer, operation }, origin }
    }

    fn all() -> Vec<Imported> {
        let title = || (Field::Title, Some("CTO".into()), "CEO".into());
        let label_names = (Field::LabelNames, Some(lists(&["A"])), lists(&["A", "B"]));
        vec![
            imported("ada", Origin::Matched(MatchedBy::LookUp), &[title(), label_names]),
            imported("bo", Origin::Restored, &[]),
            imported("cy", Origin::Adopted, &[title(), (Field::WebsiteUrl, None, "https://example.com".into())]),
            imported("di", Origin::Matched(MatchedBy::WasExisting), &[(Field::Title, None, "CEO".into())]),
            imported("ed", Origin::Matched(MatchedBy::BulkCreate), &[]),
        ]
    }

    fn text(imports: &[Imported], change: impl FnOnce(&mut ImportsText<'_>)) -> String {
        let mut text = ImportsText {
            imports,
            color: false,
            mask: Mask::Off,
            values: true,
            detail: Detail::Blocks,
            abridged: false,
        };
        change(&mut text);
        text.to_string()
    }

    #[test]
    fn every_imported_contact_is_named_with_what_was_written_to_it() {
        insta::assert_snapshot!(text(&all(), |_| {}), @r#"
        imported: contact.ada, matched by e-mail, 2 fields changed
          ~ contact "ada" {
                id          = "66f0c1000000000000000001"
              ~ title       = "CTO" -> "CEO"
              ~ label_names = [
                  + "B",
                    # (1 unchanged element hidden)
                ]
                # (1 unchanged attribute hidden)
            }
        imported: contact.bo, bound to the contact it had, 0 fields changed
        imported: contact.cy, named by its id, 2 fields changed; the old value of 1 is not known
          ~ contact "cy" {
                id          = "66f0c1000000000000000001"
              ~ title       = "CTO" -> "CEO"
              + website_url = "https://example.com"
                # (1 unchanged attribute hidden)
            }
        imported: contact.di, matched by Apollo, 1 field changed; the old value of 1 is not known
          ~ contact "di" {
                id    = "66f0c1000000000000000001"
              + title = "CEO"
                # (1 unchanged attribute hidden)
            }
        imported: contact.ed, matched by Apollo in a batch, 0 fields changed
        "#);
        insta::assert_snapshot!(text(&all(), |text| text.detail = Detail::Concise), @r#"
        imported: contact.ada, matched by e-mail, 2 fields changed
              ~ title       = "CTO" -> "CEO"
              ~ label_names = [
                  + "B",
                ]
        imported: contact.bo, bound to the contact it had, 0 fields changed
        imported: contact.cy, named by its id, 2 fields changed; the old value of 1 is not known
              ~ title       = "CTO" -> "CEO"
              + website_url = "https://example.com"
        imported: contact.di, matched by Apollo, 1 field changed; the old value of 1 is not known
              + title = "CEO"
        imported: contact.ed, matched by Apollo in a batch, 0 fields changed
        "#);
    }

    #[test]
    fn masked_or_in_a_log_no_value_is_shown() {
        let masked = text(&all(), |text| text.mask = Mask::On);
        assert!(masked.contains("title") && !masked.contains("CEO") && !masked.contains("CTO"), "{masked}");
        insta::assert_snapshot!(text(&all(), |text| text.values = false), @"
        imported: contact.ada, matched by e-mail, 2 fields changed
        imported: contact.bo, bound to the contact it had, 0 fields changed
        imported: contact.cy, named by its id, 2 fields changed; the old value of 1 is not known
        imported: contact.di, matched by Apollo, 1 field changed; the old value of 1 is not known
        imported: contact.ed, matched by Apollo in a batch, 0 fields changed
        ");
    }

    #[test]
    fn on_a_terminal_all_are_named_and_the_values_of_the_first_are_shown() {
        let many: Vec<Imported> = (0..HEAD_ACTIONS + 3).map(|_| all().remove(0)).collect();
        let text = text(&many, |text| text.abridged = true);
        let lines = |start: &str| text.lines().filter(|line| line.trim_start().starts_with(start)).count();
        assert_eq!((lines("imported: "), lines("~ title")), (HEAD_ACTIONS + 3, HEAD_ACTIONS));
    }
}
