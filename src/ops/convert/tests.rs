//! Whole conversions into directories: what is written, that it is found again, and that counts add up.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

use super::*;
use crate::beneath::Bounds;
use crate::ops::{self, Placing};
use crate::source::{contact_files, format_file};

const HEADER: [&str; 6] = ["First Name", "Last Name", "Email Address", "Company", "Position", "Connected On"];

/// A directory for contact files, with tables beside it.
struct Place(TempDir);

/// What a conversion came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    rows: usize,
    taken: usize,
    skipped: usize,
    refused: usize,
    changed: usize,
}

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.out()).unwrap();
        place
    }

    fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    fn root(&self) -> Root {
        Root::open(&self.out(), &Bounds::default()).unwrap()
    }

    fn table(&self, name: &str, rows: &[Vec<String>]) -> NamedTable {
        self.table_of(name, &HEADER, rows)
    }

    fn table_of(&self, name: &str, header: &[&str], rows: &[Vec<String>]) -> NamedTable {
        let path = self.0.path().join(name);
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_path(&path).unwrap();
        writer.write_record(header).unwrap();
        for row in rows {
            writer.write_record(row).unwrap();
        }
        writer.flush().unwrap();
        let table = open_table(File::open(&path).unwrap(), &TableOptions::default()).unwrap();
        NamedTable { name: path, table }
    }

    /// Converts rows and writes the files.
    fn convert(&self, rows: &[Vec<String>], split: Split) -> Outcome {
        self.convert_table(self.table("people.csv", rows), split)
    }

    fn convert_table(&self, table: NamedTable, split: Split) -> Outcome {
        let (root, mut tables) = (self.root(), [table]);
        let mut taken = 0;
        let mut count = |row: &RowFound<'_>| taken += usize::from(matches!(row.what, RowOutcome::Taken(_)));
        let into = ConvertInto { root: Some(&root), split };
        let converted = convert(&mut tables, into, &mut count).unwrap();
        let mut changed = 0;
        for file in &converted.files {
            changed += usize::from(file.placed.placing != Placing::Same);
            file.placed.write(&root).unwrap();
        }
        let Converted { rows, skipped, refused, files } = converted;
        assert_eq!(files.iter().map(|file| file.placed.contacts).sum::<usize>(), taken);
        Outcome { rows, taken, skipped, refused, changed }
    }

    fn files(&self) -> BTreeMap<PathBuf, String> {
        let found = contact_files(&self.root()).unwrap();
        found.files.iter().map(|file| (file.clone(), fs::read_to_string(self.out().join(file)).unwrap())).collect()
    }

    fn entries(&self) -> Vec<Fields> {
        let desired = ops::load(&self.out()).unwrap();
        let keys = desired.keys().unwrap();
        desired.entries(&keys).unwrap().into_values().map(|entry| entry.fields).collect()
    }
}

use crate::model::{Fields, Value};

fn row(cells: [&str; 5]) -> Vec<String> {
    cells.into_iter().chain([""]).map(str::to_owned).collect()
}

/// What a row is to be in a file, as far as the layout has a field for it.
fn expected(row: &[String]) -> Fields {
    let fields = [Field::FirstName, Field::LastName, Field::Email, Field::OrganizationName, Field::Title];
    let is_seen = |text: &str| text.chars().all(|c| !c.is_control() || "\t\n\r\u{85}".contains(c));
    let value = |text: &str| {
        let rest = text.strip_prefix('\'').filter(|rest| rest.starts_with(|c: char| c == '+' || c.is_ascii_digit()));
        rest.unwrap_or(text).to_owned()
    };
    let cells = fields.into_iter().zip(row).filter(|(_, cell)| !cell.trim().is_empty() && is_seen(cell));
    cells.map(|(field, cell)| (field, Value::Text(value(cell)))).collect()
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        3 => "[\\x01-\\x7f]{0,8}",
        2 => "(null|~|no|1e3|0x10|2026-08-07|'\\+1|'007|- a|a: b|# c|\"|''|\\{x\\}|\\[y\\]|&z|\\*w|!v|<<|=1|%|@|`)",
        2 => "[A-Z][a-z]{1,6}",
        1 => Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 120,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_written_is_what_the_cells_say_and_counts_add_up(
        rows in prop::collection::vec((cell(), cell(), prop::option::of("[a-c]{1,3}@[a-c]\\.example"), cell(), cell()), 0..12)
    ) {
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|(first, last, email, company, title)| row([&first, &last, &email.unwrap_or_default(), &company, &title]))
            .collect();
        let place = Place::new();
        let outcome = place.convert(&rows, Split::None);
        prop_assert_eq!(outcome.rows, outcome.taken + outcome.skipped + outcome.refused);
        // Rows of nothing but line ends are none to any reader of tables.
        prop_assert!(outcome.rows <= rows.len());
        let mut entries = place.entries();
        prop_assert_eq!(entries.len(), outcome.taken);
        for row in &rows {
            let expected = expected(row);
            if let Some(at) = entries.iter().position(|entry| *entry == expected) {
                entries.remove(at);
            }
        }
        prop_assert_eq!(entries, Vec::<Fields>::new(), "each entry is one of the rows");
        let root = place.root();
        for file in place.files().keys() {
            let formatted = format_file(&root, file).unwrap();
            prop_assert!(!formatted.is_changed() && formatted.notes.is_empty());
        }
        let again = place.convert(&rows, Split::None);
        prop_assert_eq!(&again, &Outcome { changed: 0, ..outcome });
    }

    #[test]
    fn the_same_people_get_the_same_keys_in_whatever_order_they_come(
        people in prop::collection::btree_set(("[AB]", "[CD]", 0..40_u8), 1..20).prop_map(Vec::from_iter).prop_shuffle()
    ) {
        let rows: Vec<Vec<String>> = people
            .iter()
            .map(|(first, last, number)| {
                let email = if number % 3 == 0 { String::new() } else { format!("p{number}.{first}{last}@x{number}.example") };
                row([first, last, &email, &format!("Company {number}"), ""])
            })
            .collect();
        let (one, other) = (Place::new(), Place::new());
        let sorted = { let mut rows = rows.clone(); rows.sort(); rows };
        prop_assert_eq!(one.convert(&rows, Split::Company).refused, 0);
        prop_assert_eq!(other.convert(&sorted, Split::Company).refused, 0);
        prop_assert_eq!(one.files(), other.files());
        prop_assert_eq!(one.convert(&sorted, Split::Company).changed, 0);
    }
}

#[test]
fn who_has_an_entry_keeps_key_and_file_whatever_changes_in_the_table() {
    let place = Place::new();
    let ada = |email, company, title| row(["Ada", "Quill", email, company, title]);
    place.convert(&[ada("ada@x.example", "X", "CTO"), row(["Bo", "Lund", "", "X", ""])], Split::Company);
    let outcome = place
        .convert(&[ada("ada@x.example", "Y", "CEO"), row(["Bo", "Lund", "bo@x.example", "X", ""])], Split::Company);
    assert_eq!((outcome.taken, outcome.changed), (2, 1));
    let files = place.files();
    let text = &files[Path::new("x.yaml")];
    assert!(files.len() == 1 && text.contains("  ada@x.example:\n") && text.contains("organization_name: Y"), "{text}");
    assert!(text.contains("  bo-lund_x:\n") && text.contains("email: bo@x.example"), "{text}");
}

/// The keys of the entries, each with the title that it has.
fn titles(place: &Place) -> BTreeMap<String, String> {
    let text = place.files().into_values().collect::<String>();
    let mut titles = BTreeMap::new();
    let mut key = "";
    for line in text.lines() {
        match line.strip_prefix("    title: ") {
            Some(title) => assert!(titles.insert(key.to_owned(), title.to_owned()).is_none(), "{key}"),
            None if line.starts_with("  ") && !line.starts_with("   ") => key = line.trim().trim_end_matches(':'),
            None => {}
        }
    }
    titles
}

#[test]
fn a_key_goes_to_nobody_else_when_its_owner_is_gone_whoever_writes_into_a_new_directory() {
    let people = [
        row(["Ada", "Quill", "", "Engines", "one"]),
        row(["Ada", "Quill", "", "Looms", "two"]),
        row(["Zoë", "Ros", "", "Café", "three"]),
        row(["Zoe", "Ros", "", "Cafe", "four"]),
        row(["Bo", "Lund", "", "", "five"]),
        row(["Bo", "Lund", "", "", "six"]),
        row(["李", "雷", "", "Engines", "seven"]),
        row(["Ada", "Quill", "", "株式会社", "eight"]),
        row(["Ada", "Quill", "", "李公司", "nine"]),
        row(["M", "Muller", "muller@x.example", "", "ten"]),
        row(["N", "Müller", "müller@x.example", "", "eleven"]),
    ];
    let all = Place::new();
    assert_eq!(all.convert(&people, Split::None).taken, people.len());
    let before = titles(&all);
    for gone in 0..people.len() {
        let rest: Vec<_> =
            people.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, row)| row.clone()).collect();
        let place = Place::new();
        place.convert(&rest, Split::None);
        for (key, title) in titles(&place) {
            assert!(
                before.get(&key).is_none_or(|before| *before == title),
                "{key} is {title} without {:?}",
                people[gone]
            );
        }
    }
    let at_companies = |(_, title): &(&String, &String)| title.as_str() == "one" || title.as_str() == "two";
    let keys: Vec<&String> = before.iter().filter(at_companies).map(|(key, _)| key).collect();
    assert_eq!(keys, ["ada-quill_engines", "ada-quill_looms"]);
}

#[test]
fn a_namesake_takes_no_key_of_an_entry_that_stays() {
    let place = Place::new();
    let bo = |title| row(["Bo", "Lund", "", "", title]);
    place.convert(&[bo("one")], Split::None);
    assert_eq!(titles(&place), [("bo-lund".to_owned(), "one".to_owned())].into());
    assert_eq!(place.convert(&[bo("two"), bo("one")], Split::None).changed, 1);
    let both = titles(&place);
    assert_eq!((both.len(), both["bo-lund"].as_str()), (2, "one"));
    assert_eq!(place.convert(&[bo("two"), bo("one")], Split::None).changed, 0);
    // Alone, somebody who says something else than before may be the same one.
    let place = Place::new();
    place.convert(&[bo("one")], Split::None);
    place.convert(&[bo("two")], Split::None);
    assert_eq!(titles(&place), [("bo-lund".to_owned(), "two".to_owned())].into());
}

#[test]
fn people_who_would_be_one_in_apollo_are_refused_and_those_who_say_their_id_are_not() {
    let place = Place::new();
    let rows = [
        row(["Ada", "Quill", "ada@x.example", "X", ""]),
        row(["Eda", "Quill", "ADA+news@x.example", "X", ""]),
        row(["ada", "quill", "", " x ", ""]),
        row(["Ada", "Quill", "a.quill@x.example", "", ""]),
        row(["Cy", "Dahl", "cy@gmail.com", "", ""]),
        row(["Cy", "Dahl", "cy.dahl@gmail.com", "", ""]),
        row(["Dee", "", "", "", ""]),
        row(["Dee", "", "", "", ""]),
    ];
    let outcome = place.convert(&rows, Split::None);
    assert_eq!((outcome.taken, outcome.refused), (4, 4));
    assert!(ops::load(&place.out()).is_ok());
}

#[test]
fn an_entry_with_another_id_is_somebody_else_whatever_they_share() {
    let place = Place::new();
    let header = ["First Name", "Email", "Apollo Contact Id"];
    let person =
        |name: &str, number: u64| vec![name.to_owned(), "office@x.example".to_owned(), format!("66f0c1{number:018x}")];
    let table = |people: &[(&str, u64)]| {
        let rows: Vec<_> = people.iter().map(|(name, number)| person(name, *number)).collect();
        place.table_of("people.csv", &header, &rows)
    };
    assert_eq!(place.convert_table(table(&[("Ada", 1), ("Bo", 2)]), Split::None).taken, 2);
    let keys = |place: &Place| {
        let text = place.files().into_values().next().unwrap();
        let keys = text.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        keys.map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&place), ["office@x.example-000001:", "office@x.example-000002:"]);
    // Somebody who takes the place of the first one in the table takes neither the entry nor the key.
    let (root, mut tables) = (place.root(), [table(&[("Bo", 2), ("Cy", 3)])]);
    let into = ConvertInto { root: Some(&root), split: Split::None };
    let converted = convert(&mut tables, into, &mut |_| ()).unwrap();
    let lost = [ContactKey::parse("office@x.example-000001").unwrap()].into();
    assert_eq!(converted.files[0].placed.placing, Placing::Loses(lost));
    converted.files[0].placed.write(&root).unwrap();
    assert_eq!(keys(&place), ["office@x.example:", "office@x.example-000002:"]);
}

#[test]
fn a_number_that_a_browser_adds_makes_no_other_file() {
    let stem = |name: &str| file_stem(Path::new(name));
    assert_eq!(stem("x/Apollo Contacts (2).csv"), "apollo-contacts");
    assert_eq!(stem("Zürich (west).csv"), "zürich-west");
    assert_eq!((stem("<stdin>"), stem("...csv")), ("stdin".to_owned(), "contacts".to_owned()));
}
