//! What is read is what another library reads, and order never matters.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;

/// Texts that are hard on YAML: its own signs, look-alikes of other types, any script.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 .+'-]{1,12}",
        "[ \\-:#&*!|>%@`\"'\\[\\]{},?\n\t\\\\]{1,8}",
        "\\PC{1,10}",
        prop::sample::select(vec![
            "null",
            "Null",
            "~",
            "",
            "true",
            "no",
            "1e3",
            "0x10",
            "007",
            "2025-08-07",
            "<<",
            "---",
            "- a",
            "a: b",
            "=",
            " a ",
        ])
        .prop_map(str::to_owned),
    ]
}

/// Ways to write one text as a scalar.
#[derive(Debug, Clone, Copy)]
enum Style {
    Double,
    Single,
    Plain,
    Literal,
}

fn any_style() -> impl Strategy<Value = Style> {
    prop::sample::select(vec![Style::Double, Style::Single, Style::Plain, Style::Literal])
}

/// Writes `text` in the style if the style can hold it, in double quotes if not.
fn scalar(text: &str, style: Style, indent: usize) -> String {
    let is_word = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".+".contains(c));
    let is_printable =
        text.chars().all(|c| !c.is_control() && c != '\u{feff}' && !"\u{85}\u{2028}\u{2029}".contains(c));
    match style {
        Style::Plain if is_word => text.to_owned(),
        Style::Single if is_printable => format!("'{}'", text.replace('\'', "''")),
        Style::Literal if is_printable && !text.is_empty() && !text.starts_with(' ') => {
            format!("|-\n{}{text}", " ".repeat(indent + 2))
        }
        _ => serde_json::to_string(text).unwrap(),
    }
}

type Draft = Vec<(usize, String, Style)>;

const NAMES: [&str; 6] =
    ["first_name", "last_name", "title", "organization_name", "present_raw_address", "direct_phone"];

/// A map of fields as YAML, each line indented.
fn fields(draft: &Draft, lists: &[String], indent: usize) -> String {
    let pad = " ".repeat(indent);
    let mut text = String::new();
    for (index, value, style) in draft {
        writeln!(text, "{pad}{}: {}", NAMES[*index], scalar(value, *style, indent)).unwrap();
    }
    let items: Vec<_> =
        lists.iter().filter(|name| !name.trim().is_empty()).map(|name| scalar(name, Style::Double, 0)).collect();
    writeln!(text, "{pad}label_names: [{}]", items.join(", ")).unwrap();
    text
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let values = prop::collection::btree_map(0..NAMES.len(), (any_text(), any_style()), 0..NAMES.len());
    values.prop_map(|values| values.into_iter().map(|(index, (text, style))| (index, text, style)).collect())
}

fn any_document() -> impl Strategy<Value = String> {
    let contact = (any_draft(), prop::collection::vec(any_text(), 0..3), any::<bool>());
    (any_draft(), prop::collection::vec(contact, 0..4), 0..1000_u32).prop_map(|(defaults, contacts, number)| {
        let mut text = format!("defaults: &d{number}\n{}contacts:\n", fields(&defaults, &[], 2));
        for (at, (draft, lists, merges)) in contacts.iter().enumerate() {
            writeln!(text, "  c{number}-{at}:\n    email: c{number}-{at}@example.com").unwrap();
            if *merges {
                writeln!(text, "    <<: *d{number}").unwrap();
            }
            text.push_str(&fields(draft, lists, 4));
        }
        text
    })
}

/// Contacts that get in each other's way: few names, keys and addresses.
fn any_entry() -> impl Strategy<Value = String> {
    let pick = |of: &'static [&'static str]| prop::sample::select(of);
    let of = (
        pick(&["a", "b", "c", "d", "e", "f"]),
        pick(&["a@example.com", "A+x@example.com", "b@example.com", "c@gmail.com", "d@gmail.com"]),
        pick(&["Ada", "Bob"]),
        pick(&["", "organization_name: Example, ", "organization_name: EXAMPLE , ", "organization_name: Other, "]),
        pick(&["", "run_dedupe: false, "]),
        pick(&["", "", "moved_from: a, ", "moved_from: b, ", "moved_from: x, "]),
        pick(&["", "", "apollo_id: 00000000000000000000000a, ", "apollo_id: 00000000000000000000000b, "]),
    );
    of.prop_map(|(key, email, name, company, dedupe, moved, id)| {
        format!("  {key}: {{email: {email}, first_name: {name}, last_name: X, {company}{dedupe}{moved}{id}}}\n")
    })
}

/// The fields of one map as `serde_yaml` reads them, letter for letter.
#[derive(Debug, Default, Clone)]
struct Second(BTreeMap<String, Option<String>>);

impl<'de> serde::Deserialize<'de> for Second {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SecondVisitor)
    }
}

struct SecondVisitor;

impl<'de> serde::de::Visitor<'de> for SecondVisitor {
    type Value = Second;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map of fields")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Second, A::Error> {
        let (mut own, mut merged) = (BTreeMap::new(), Second::default());
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "<<" => merged = map.next_value()?,
                "label_names" => {
                    let lists: BTreeSet<String> = map.next_value()?;
                    own.insert(name, Some(format!("{lists:?}")));
                }
                _ => drop(own.insert(name, map.next_value()?)),
            }
        }
        Ok(Second(filled(own, &merged)))
    }
}

/// Adds what `base` has beyond `fields`.
fn filled(fields: BTreeMap<String, Option<String>>, base: &Second) -> BTreeMap<String, Option<String>> {
    let mut all = base.0.clone();
    all.extend(fields);
    all
}

#[derive(serde::Deserialize)]
struct SecondDocument {
    defaults: Second,
    contacts: Option<BTreeMap<String, Second>>,
}

/// Reads the contacts of a text by `serde_yaml`.
fn second_opinion(text: &str) -> Result<BTreeMap<String, BTreeMap<String, String>>, serde_yaml::Error> {
    let mut read = BTreeMap::new();
    for document in serde_yaml::Deserializer::from_str(text) {
        let SecondDocument { defaults, contacts } = serde::Deserialize::deserialize(document)?;
        for (key, Second(fields)) in contacts.into_iter().flatten() {
            read.insert(
                key,
                filled(fields, &defaults).into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            );
        }
    }
    Ok(read)
}

fn texts_of(entry: &Entry) -> BTreeMap<String, String> {
    let value = |value: &crate::model::Value| match value {
        crate::model::Value::Text(text) => text.clone(),
        crate::model::Value::Lists(lists) => format!("{lists:?}"),
    };
    entry.fields.iter().map(|(field, of)| (field.to_string(), value(of))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        // The same texts in each run.
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn good_files_are_read_as_another_library_reads_them(documents in prop::collection::vec(any_document(), 1..3)) {
        let text = documents.join("---\n");
        // Line ends of YAML 1.1, which the other library folds.
        prop_assume!(!text.contains(['\u{85}', '\u{2028}', '\u{2029}']));
        let (entries, diagnostics) = entries_of(Path::new("a.yaml"), text.clone());
        prop_assert!(diagnostics.iter().all(|found| found.severity == Severity::Warning), "{:?}\n{}", diagnostics, text);
        let second = second_opinion(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let first: BTreeMap<_, _> = entries.iter().map(|entry| (entry.key().to_string(), texts_of(entry))).collect();
        prop_assert_eq!(first, second, "{}", text);
    }

    #[test]
    fn what_is_wrong_between_entries_is_found_without_keeping_them(entries in prop::collection::vec(any_entry(), 0..8)) {
        let named: Vec<_> = entries.iter().enumerate().map(|(at, entry)| (format!("{}.yaml", at % 3), entry)).collect();
        let dir = Dir::of(&[]);
        for number in 0..3 {
            let name = format!("{number}.yaml");
            let mine: String = named.iter().filter(|(of, _)| *of == name).map(|(_, entry)| entry.as_str()).collect();
            dir.write(&name, format!("contacts:\n{mine}").as_bytes());
        }
        let kept = dir.load();
        let dropped = plain(dir.path(), 0).unwrap();
        prop_assert!(dropped.files.iter().all(|file| file.sheet.is_empty() || file.kept().is_none()));
        prop_assert_eq!(&kept.diagnostics, &dropped.diagnostics);
        let (checked, _) = load(dir.path(), &Options { is_check: true, ..Options::plain() }).unwrap();
        prop_assert_eq!(&kept.diagnostics, &checked.diagnostics);
        let listed: usize = dropped.files.iter().map(|file| file.sheet.lines().count()).sum();
        prop_assert_eq!(listed, checked.entries());
        // All entries at once, of each key the first.
        let mut plain = across::check(&kept.entries, &across::Repeated::new(), dropped.root.as_ref().unwrap());
        diagnostic::arrange(&mut plain);
        let across_files: Vec<_> =
            kept.diagnostics.iter().filter(|found| found.code != Some(Code::DuplicateKey)).cloned().collect();
        prop_assert_eq!(plain, across_files);
    }

    #[test]
    fn the_order_of_documents_and_files_does_not_matter(
        documents in prop::collection::vec(any_document(), 1..5).prop_shuffle(),
        split in 0..5_usize,
    ) {
        let split = split.min(documents.len());
        let together = Dir::of(&[("all.yaml", &documents.join("---\n"))]).load();
        let reversed: Vec<_> = documents.iter().rev().cloned().collect();
        let (one, other) = reversed.split_at(split);
        let apart = Dir::of(&[("z.yaml", &one.join("---\n")), ("a/b.yml", &other.join("---\n"))]).load();
        let contents = |loaded: &Read| -> Vec<_> {
            loaded.entries.iter().map(|(key, entry)| (key.clone(), entry.fingerprint())).collect()
        };
        let repeats = |loaded: &Read| loaded.errors().any(|error| error.code == Some(Code::DuplicateKey));
        prop_assert_eq!(repeats(&together), repeats(&apart));
        if !repeats(&together) {
            prop_assert_eq!(contents(&together), contents(&apart));
        }
    }
}
