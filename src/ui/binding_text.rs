//! What the state knows of one contact, as `state show` prints it.

use std::fmt::Write as _;

use super::escape::escape;
use crate::model::{Binding, ContactKey, MatchedBy, Names, Origin, RebuiltBy, Timestamp};
use crate::source;

/// Renders a binding as a contact file would declare it: the fields as last applied, and what else is known as comments.
///
/// What a terminal would act on is escaped; any other value stands as a reader of YAML takes it.
pub fn binding_text(key: &ContactKey, binding: &Binding) -> String {
    let mut text = format!("# {}: {}\n", key.address(), origin(&binding.origin));
    let _ = writeln!(text, "# last applied {} from {}", time_text(binding.applied_at), escape(&binding.path));
    if binding.fingerprint.is_none() {
        text += "# not every declared field is confirmed\n";
    }
    if let Some(gone_at) = binding.gone_at {
        let _ = writeln!(text, "# Apollo said {} that the contact is gone", time_text(gone_at));
    }
    for field in &binding.dropped {
        let _ = writeln!(text, "# Apollo did not keep {field}");
    }
    let (apollo_id, fields) = (Some(binding.apollo_id.clone()), binding.applied.clone());
    let yaml = source::contact_file(
        &[source::Written { fields, apollo_id, ..source::Written::of(key.clone()) }],
        &Names::default(),
    );
    let lines: Vec<_> = yaml.lines().map(|line| escape(line)).collect();
    text + &lines.join("\n")
}

pub(super) fn origin(origin: &Origin) -> &'static str {
    match origin {
        Origin::Created => "created by contactsd",
        Origin::Matched(MatchedBy::DedupeResult(_) | MatchedBy::WasExisting) => "matched by Apollo to a contact it had",
        Origin::Matched(MatchedBy::BulkCreate) => "matched by Apollo to a contact it had, in a batch",
        Origin::Matched(MatchedBy::LookUp) => "found in Apollo by its e-mail",
        Origin::Matched(MatchedBy::Rebuilt(RebuiltBy::Id)) => "found by its id when the state was built again",
        Origin::Matched(MatchedBy::Rebuilt(RebuiltBy::Email)) => "found by its e-mail when the state was built again",
        Origin::Matched(MatchedBy::Rebuilt(RebuiltBy::Names)) => "found by its names when the state was built again",
        Origin::Matched(MatchedBy::Rebuilt(RebuiltBy::Fields)) => {
            "found by all declared fields when the state was built again"
        }
        Origin::Matched(MatchedBy::CreationTime) => "matched by Apollo to a contact that is older",
        Origin::Adopted => "taken over by its id",
        Origin::Settled => "found after a create without an answer",
        Origin::Restored => "bound again to the contact it had",
    }
}

/// Renders a moment as people and programs read it, in UTC.
pub fn time_text(time: Timestamp) -> String {
    let milliseconds = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| "at an unknown time".to_owned(), |t| t.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApolloId, CustomFieldId, Field, Fields, RunId, Value};

    fn binding(applied: Fields) -> Binding {
        Binding {
            applied,
            observed: [].into_iter().collect(),
            bound_at: Timestamp(0),
            applied_at: Timestamp(1_700_000_000_000),
            run: RunId("run".into()),
            path: "contacts.d/team.yaml".into(),
            dropped: [Field::Email].into_iter().collect(),
            ..Binding::bare(ApolloId::parse("00000000000000000000000a").unwrap())
        }
    }

    #[test]
    fn a_value_stands_as_a_reader_of_yaml_takes_it() {
        let values = [
            (Field::FirstName, r"a\b".into()),
            (Field::LastName, "a\tb\u{7}".into()),
            (Field::Title, "it's \"so\"".into()),
            (Field::Email, "\u{202e}".into()),
        ];
        let text = binding_text(&ContactKey::parse("ada").unwrap(), &binding(values.into_iter().collect()));
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("    ")).map(str::trim).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        first_name: a\b
        last_name: "a\tb\u0007"
        title: it's "so"
        email: \u{202e}
        apollo_id: 00000000000000000000000a
        "#);
    }

    #[test]
    fn a_binding_shows_where_it_comes_from_and_what_was_applied() {
        let custom = CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap();
        let lists = ["Leads", "Customers"].map(str::to_owned).into_iter().collect();
        let applied = [
            (Field::FirstName, "Ada".into()),
            (Field::LabelNames, Value::Lists(lists)),
            (Field::Custom(custom), "7".into()),
        ];
        let binding = binding(applied.into_iter().collect());
        insta::assert_snapshot!(binding_text(&ContactKey::parse("ada").unwrap(), &binding), @r#"
        # contact.ada: created by contactsd
        # last applied 2023-11-14T22:13:20Z from contacts.d/team.yaml
        # not every declared field is confirmed
        # Apollo did not keep email
        contacts:
          ada:
            first_name: Ada
            label_names:
              - Customers
              - Leads
            typed_custom_fields:
              60c39ed82bd02f01154c470a: '7'
            apollo_id: 00000000000000000000000a
        "#);
    }
}
