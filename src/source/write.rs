//! Contacts as a contact file holds them, and any plain data as YAML for people. Never writes to disk.
//!
//! What is written is read again before it counts: a value that a file cannot hold letter for letter is left out, with
//! why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::code::Severity;
use super::merge::MERGE_KEY;
use super::{Diagnostic, Meaning, entries_of};
use crate::model::{ApolloId, ContactKey, CustomFieldId, Field, Fields, Names, Value};

/// A contact as it is to stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub key: ContactKey,
    pub fields: Fields,
    /// What is declared by a name instead of an id.
    pub by_name: ByName,
    pub apollo_id: Option<ApolloId>,
    pub rest: Rest,
}

/// What an entry says beside its fields and its contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    pub run_dedupe: bool,
    pub moved_from: Option<ContactKey>,
    /// Whose drift is left alone; why stands in no entry that was read.
    pub ignored: BTreeSet<Field>,
}

impl Default for Rest {
    fn default() -> Self {
        Self { run_dedupe: true, moved_from: None, ignored: BTreeSet::new() }
    }
}

/// What a file declares by names of which nobody knows yet what they stand for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ByName {
    /// The stage.
    pub stage: Option<String>,
    /// Custom fields by their labels.
    pub custom: BTreeMap<String, String>,
}

/// A field that a file cannot hold as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub field: Field,
    pub why: String,
}

/// Renders plain data as YAML, text so that every reader takes it letter for letter.
pub fn to_yaml(value: &impl Serialize) -> String {
    serde_yaml::to_string(value).expect("plain data with text as names is YAML")
}

/// Renders contacts as one contact file, in the form of `fmt`; ids stand by their names where each leads to the other.
///
/// The fields are such as [`Written::fit`] has left.
pub fn contact_file(contacts: &[Written], names: &Names) -> String {
    let mut text = "contacts:\n".to_owned();
    for (number, contact) in contacts.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        write(contact, names, &mut text);
    }
    text
}

impl Written {
    /// Declares nothing yet.
    pub fn of(key: ContactKey) -> Self {
        Self { key, fields: Fields::default(), by_name: ByName::default(), apollo_id: None, rest: Rest::default() }
    }

    /// Takes out what a contact file cannot hold as it is.
    pub fn fit(&mut self) -> Vec<Unfit> {
        if self.reads_back().is_ok() {
            return Vec::new();
        }
        // A contact that says its id needs nothing else to say who it is.
        let apollo_id = ApolloId::parse(&"0".repeat(24));
        let alone = |(field, value): (&Field, &Value)| {
            let fields = [(field.clone(), value.clone())].into_iter().collect();
            let alone = Self { apollo_id: apollo_id.clone(), fields, ..Self::of(self.key.clone()) };
            let why = alone.reads_back().err()?;
            Some(Unfit { field: field.clone(), why })
        };
        let unfit: Vec<Unfit> = self.fields.iter().filter_map(alone).collect();
        for Unfit { field, .. } in &unfit {
            self.fields.remove(field);
        }
        unfit
    }

    /// Reports whether its texts are such that a file that holds them says them letter for letter.
    pub fn is_plain(&self) -> bool {
        let is_plain = |text: &str| text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        let are_plain = |value: &Value| match value {
            Value::Text(text) => is_plain(text),
            Value::Lists(lists) => lists.iter().all(|list| is_plain(list)),
        };
        let ByName { stage, custom } = &self.by_name;
        self.fields.iter().all(|(_, value)| are_plain(value))
            && stage.as_deref().is_none_or(is_plain)
            && custom.iter().all(|(label, value)| label != MERGE_KEY && is_plain(label) && is_plain(value))
    }

    /// Reports whether a file with this contact alone says just that.
    pub fn is_readable(&self) -> bool {
        self.reads_back().is_ok()
    }

    /// Makes sure that a file with this contact alone says just that.
    fn reads_back(&self) -> Result<(), String> {
        let (entries, diagnostics) =
            entries_of(Path::new("contacts.yaml"), contact_file(std::slice::from_ref(self), &Names::default()));
        if let Some(Diagnostic { summary, .. }) = diagnostics.into_iter().find(|one| one.severity == Severity::Error) {
            return Err(summary);
        }
        let fields = self.fields_as_written();
        let says_it = |entry: &crate::model::Entry| entry.fields == fields && entry.apollo_id == self.apollo_id;
        let is_same = matches!(&entries[..], [entry] if says_it(entry));
        if is_same { Ok(()) } else { Err("A file would say something else".to_owned()) }
    }
}

impl Written {
    /// Returns the fields as a reader finds them who takes names for what is written.
    fn fields_as_written(&self) -> Fields {
        let mut fields = self.fields.clone();
        let meaning = Meaning::AsWritten;
        if let Some(stage) = &self.by_name.stage {
            fields.set(Field::ContactStageId, meaning.stage(stage).map_or(Value::from(""), Value::Text));
        }
        for (label, value) in &self.by_name.custom {
            if let Ok(field) = meaning.field(label) {
                fields.set(Field::Custom(field.id), value.as_str());
            }
        }
        fields
    }
}

/// Renders text as a reader of YAML takes it letter for letter, on one line.
fn scalar(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    if !text.contains(breaks) && text.trim() == text {
        return to_yaml(&text).trim_end().to_owned();
    }
    // Some readers would end the line there, or leave out blanks of other scripts: JSON is YAML, and escapes and quotes.
    let json = serde_json::to_string(text).expect("text is JSON");
    json.chars().map(|c| if breaks(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() }).collect()
}

/// Reports whether a text is one of those, most of all, that stand without quotes: found out in a fraction of the time
/// that asking the writer of YAML takes.
fn is_bare(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_one = |(at, byte): (usize, &u8)| match byte {
        b'a'..=b'z' | b'A'..=b'Z' => true,
        b'0'..=b'9' | b'.' | b'_' | b'/' | b'@' | b',' | b'(' | b')' | b'&' | b'+' | b'-' | b'\'' => at > 0,
        b':' => at > 0 && bytes.get(at + 1).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'/'),
        b' ' => at > 0 && at + 1 < bytes.len(),
        _ => false,
    };
    let means_more = |word: &&str| word.len() == text.len() && word.eq_ignore_ascii_case(text);
    !bytes.is_empty() && bytes.iter().enumerate().all(is_one) && !MEAN_MORE.iter().any(means_more)
}

/// Words that some reader of YAML takes for something else than text.
const MEAN_MORE: [&str; 13] =
    ["null", "true", "false", "y", "n", "yes", "no", "on", "off", "nan", "inf", "infinity", "nil"];

fn write(contact: &Written, names: &Names, text: &mut String) {
    write_key(&contact.key, text);
    write_fields(contact, names, text);
}

/// Writes the line that a contact begins with.
pub fn write_key(key: &ContactKey, text: &mut String) {
    *text += &title("  ", key.as_str());
}

/// Writes the lines that follow the key of a contact.
pub fn write_fields(contact: &Written, names: &Names, text: &mut String) {
    let Written { key: _, fields, by_name: ByName { stage, custom }, apollo_id, rest } = contact;
    let (mut by_id, mut by_label) = (String::new(), String::new());
    let mut stage = stage.as_deref();
    let write_stage = |stage: Option<&str>, text: &mut String| {
        *text += &stage.map_or(String::new(), |stage| pair("    ", "contact_stage", stage));
    };
    for (field, value) in fields.iter() {
        if *field > Field::ContactStageId {
            write_stage(stage.take(), text);
        }
        match (field, value) {
            (Field::Custom(id), Value::Text(value)) => match labelled(id, value, names) {
                Some((label, values)) => match &values[..] {
                    [value] => by_label += &pair("      ", label, value),
                    values => by_label += &list("      ", label, values),
                },
                None => by_id += &pair("      ", id.as_str(), value),
            },
            (Field::ContactStageId, Value::Text(id)) => {
                let stage = stage_name(id, names);
                let (name, value) = stage.map_or((field.api_name(), id.as_str()), |stage| ("contact_stage", stage));
                *text += &pair("    ", name, value);
            }
            (_, Value::Text(value)) => *text += &pair("    ", field.api_name(), value),
            (_, Value::Lists(lists)) => *text += &list("    ", field.api_name(), lists),
        }
    }
    write_stage(stage, text);
    by_label.extend(custom.iter().map(|(label, value)| pair("      ", label, value)));
    for (name, fields) in [("typed_custom_fields", by_id), ("custom_fields", by_label)] {
        if !fields.is_empty() {
            *text += &title("    ", name);
            *text += &fields;
        }
    }
    if !rest.run_dedupe {
        *text += "    run_dedupe: false\n";
    }
    if let Some(id) = apollo_id {
        *text += &pair("    ", "apollo_id", id.as_str());
    }
    if let Some(key) = &rest.moved_from {
        *text += &pair("    ", "moved_from", key.as_str());
    }
    if !rest.ignored.is_empty() {
        let names: Vec<String> = rest.ignored.iter().map(ToString::to_string).collect();
        *text += &list("    ", "ignore", &names);
    }
}

fn title(indent: &str, name: &str) -> String {
    format!("{indent}{}:\n", scalar(name))
}

fn pair(indent: &str, name: &str, value: &str) -> String {
    format!("{indent}{}: {}\n", scalar(name), scalar(value))
}

fn list<'a>(indent: &str, name: &str, items: impl IntoIterator<Item = &'a String>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("{indent}  - {}\n", scalar(item))).collect();
    if items.is_empty() { format!("{indent}{}: []\n", scalar(name)) } else { title(indent, name) + &items.concat() }
}

/// Returns the name of a stage, where it leads to this one.
fn stage_name<'n>(id: &str, names: &'n Names) -> Option<&'n str> {
    let stage = names.stages.as_ref()?.items.iter().find(|stage| stage.id == id)?;
    names.stage(&stage.name).is_ok_and(|found| found.id == id).then_some(&*stage.name)
}

/// Returns the label of a custom field and what stands there for a value, where these lead to this one.
fn labelled<'n>(id: &CustomFieldId, value: &str, names: &'n Names) -> Option<(&'n str, Vec<String>)> {
    let field = names.fields.as_ref()?.items.iter().find(|field| field.id == *id)?;
    let leads_back = names.field(&field.label).is_ok_and(|found| found.id == *id);
    let values = field.decode(value).filter(|_| leads_back)?;
    Some((&field.label, values))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;
    use crate::model::TEXT_FIELDS;

    fn contact(fields: &[(Field, &str)]) -> Written {
        let fields = fields.iter().map(|(field, text)| (field.clone(), Value::from(*text))).collect();
        Written { fields, ..Written::of(ContactKey::parse("ada").unwrap()) }
    }

    #[test]
    fn a_file_is_in_the_form_of_fmt_and_text_stays_text() {
        let mut ada = contact(&[
            (Field::FirstName, "Null"),
            (Field::LastName, "no"),
            (Field::OrganizationName, "R&D # 1: \"x\""),
            (Field::Title, "one\ntwo\n"),
            (Field::Email, "ada@example.com"),
            (Field::MobilePhone, "+447911123456"),
            (Field::OtherPhone, "007"),
            (Field::PresentRawAddress, "東京\u{3000}"),
        ]);
        ada.fields.set(Field::LabelNames, Value::Lists(["Leads", "1e3"].map(str::to_owned).into()));
        let field = crate::model::CustomFieldId::parse("60c39ed82bd02f01154c470a").unwrap();
        ada.fields.set(Field::Custom(field), "2025-08-07");
        ada.apollo_id = ApolloId::parse("66f0c1000000000000000001");
        assert_eq!(ada.fit(), []);
        let custom = [("Tier, \"big\"".to_owned(), "Gold".to_owned())].into();
        let by_name = ByName { stage: Some("no".to_owned()), custom };
        let mut bo =
            Written { key: ContactKey::parse("007").unwrap(), by_name, ..contact(&[(Field::FirstName, "Bo")]) };
        assert_eq!(bo.fit(), []);
        let text = contact_file(&[ada, bo], &Names::default());
        insta::assert_snapshot!(text);
        let formatted = super::super::format_bytes(Path::new("a.yaml"), text.clone().into_bytes()).unwrap();
        assert!(!formatted.is_changed() && formatted.notes.is_empty());
    }

    #[test]
    fn what_a_file_cannot_hold_is_left_out_with_why() {
        let mut ada = contact(&[(Field::FirstName, "Ada"), (Field::Email, "not an address"), (Field::Title, "CTO")]);
        let unfit = ada.fit();
        assert_eq!(unfit.len(), 1);
        assert_eq!(
            (&unfit[0].field, unfit[0].why.as_str()),
            (&Field::Email, "\"not an address\" is not an e-mail address")
        );
        assert_eq!(ada, contact(&[(Field::FirstName, "Ada"), (Field::Title, "CTO")]));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 1000,
            failure_persistence: None,
            rng_seed: RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]

        #[test]
        fn a_text_that_is_found_to_need_no_quotes_has_none(text in "[a-zA-Z0-9 ._/@,()&+'-]{0,3}:?[a-zA-Z0-9 ._/@,()&+'-]{1,20}") {
            if is_bare(&text) {
                let yaml = to_yaml(&text);
                prop_assert_eq!(yaml.trim_end(), text);
            }
        }

        #[test]
        fn any_text_is_read_as_it_was_or_left_out(texts in prop::collection::vec(any::<String>(), TEXT_FIELDS.len())) {
            let pairs = TEXT_FIELDS.iter().cloned().zip(texts).map(|(field, text)| (field, Value::from(text.as_str())));
            let mut one = Written { fields: pairs.collect(), ..contact(&[(Field::FirstName, "")]) };
            one.apollo_id = ApolloId::parse("66f0c1000000000000000001");
            let before = one.fields.clone();
            let unfit = one.fit();
            let is_kept_or_told = |(field, value): (&Field, &Value)| {
                one.fields.get(field) == Some(value) || unfit.iter().any(|unfit| unfit.field == *field)
            };
            prop_assert!(before.iter().all(is_kept_or_told));
            prop_assert!(unfit.iter().all(|unfit| unfit.field != Field::Title), "a title may be any text: {unfit:?}");
            let (entries, diagnostics) = entries_of(Path::new("a.yaml"), contact_file(&[one.clone()], &Names::default()));
            prop_assert!(diagnostics.iter().all(|one| one.severity != Severity::Error), "{diagnostics:?}");
            prop_assert_eq!(&entries[0].fields, &one.fields);
        }
    }
}
