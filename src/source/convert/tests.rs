//! Whole tables: each layout with the traps that its exports hold, and the forms that tables come in.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::*;

fn table(bytes: &[u8], options: &TableOptions) -> Result<Table, TableError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    Table::open(file, options)
}

fn fixture(name: &str) -> File {
    File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/convert").join(name)).unwrap()
}

/// Shows what a table was found to be, and what each of its rows comes to.
fn shown(mut table: Table) -> String {
    let About { layout, encoding, delimiter, line, columns, unknown } = table.about().clone();
    let mut text = format!("{layout:?} {encoding} {delimiter:?} line {line}, {columns} columns, unknown {unknown:?}\n");
    while let Some(Row { line, taken, .. }) = table.next_row().unwrap() {
        let _ = match taken {
            Taken::Skipped(skip) => writeln!(text, "{line}: skipped {skip:?}"),
            Taken::Refused(refusal) => writeln!(text, "{line}: refused {refusal:?}"),
            Taken::Person(person) => {
                let Person { fields, by_name, apollo_id, notes } = *person;
                let _ = writeln!(text, "{line}: {apollo_id:?} {notes:?}");
                for (field, value) in fields.iter() {
                    let _ = writeln!(text, "    {field}: {}", serde_json::to_string(value).unwrap());
                }
                let stage = by_name.stage.map(|stage| format!("    contact_stage: {stage:?}\n"));
                let custom = by_name.custom.iter().map(|(label, value)| format!("    {label:?}: {value:?}\n"));
                write!(text, "{}{}", stage.unwrap_or_default(), custom.collect::<String>())
            }
        };
    }
    let _ = writeln!(text, "without a place: {:?}", table.without_place());
    text
}

fn with(maps: &[&str]) -> TableOptions {
    TableOptions { maps: maps.iter().map(|map| map.parse().unwrap()).collect(), ..TableOptions::default() }
}

#[test]
fn every_layout_is_read_with_its_traps() {
    for name in [
        "apollo-2025-06",
        "apollo-2025-11",
        "apollo-2026-07",
        "google-new",
        "google-old",
        "hubspot-all",
        "hubspot-default",
        "hubspot-short",
        "linkedin",
        "outlook-web",
        "outlook-windows",
        "pipedrive",
        "salesforce-api",
        "salesforce-leads",
        "salesforce-report",
    ] {
        let table = Table::open(fixture(&format!("{name}.csv")), &TableOptions::default()).unwrap();
        insta::assert_snapshot!(name, shown(table));
    }
}

#[test]
fn a_layout_is_known_by_names_alone_wherever_the_columns_stand() {
    let text = "Note,EMAIL STATUS, Last Name,apollo contact id,First Name\nx,Extrapolated,Quill,66f0c1000000000000000001,Ada\n";
    let read = shown(table(text.as_bytes(), &TableOptions::default()).unwrap());
    assert!(read.contains("Apollo contacts") && read.contains("unknown [\"Note\"]"), "{read}");
    assert!(read.contains("first_name: \"Ada\"") && read.contains("last_name: \"Quill\""), "{read}");
}

#[test]
fn columns_are_mapped_beside_a_layout_and_without_one() {
    let mapped = with(&["Renewal date=custom_fields.Renewal date", "Website=website_url", "Stage=", "Tier=title"]);
    let read = shown(Table::open(fixture("apollo-2026-07.csv"), &mapped).unwrap());
    assert!(read.contains("unknown [\"Proceed\"]") && read.contains("\"Renewal date\": \"2026-08-07\""), "{read}");
    assert!(!read.contains("contact_stage") && read.contains("title: \"Gold\""), "{read}");
    let website = "First Name,Website,Apollo Contact Id\nAda,https://a.example.com,66f0c1000000000000000001\n";
    let of = |options: &TableOptions| shown(table(website.as_bytes(), options).unwrap());
    assert!(of(&TableOptions::default()).contains("NeverShown(WebsiteUrl)"));
    assert!(of(&mapped_website()).contains("website_url: \"https://a.example.com\""));
    let own =
        "Who;Work mail;Where;Land;Groups\nAda King Quill;'ada@x.example;Kiel;DE;a;b\nBo;bo@x.example;;;\"a, b\"\n";
    let maps = with(&[
        "Who=name",
        "Work mail=email",
        "Where=present_raw_address",
        "Land=present_raw_address",
        "Groups=label_names",
    ]);
    insta::assert_snapshot!(shown(table(own.as_bytes(), &maps).unwrap()), @r#"
    None UTF-8 ';' line 1, 5 columns, unknown []
    2: refused Ragged { cells: 6, expected: 5, lines: 1 }
    3: None []
        first_name: "Bo"
        email: "bo@x.example"
        label_names: ["a","b"]
    without a place: []
    "#);
}

fn mapped_website() -> TableOptions {
    with(&["Website=website_url"])
}

#[test]
fn nothing_is_guessed() {
    let text = "Notes\n\nFull name,Work mail\nAda,ada@x.example\n";
    match table(text.as_bytes(), &TableOptions::default()).err().unwrap() {
        TableError::Unknown { columns, line } => {
            assert_eq!((columns, line), (vec!["Full name".into(), "Work mail".into()], 3));
        }
        other => panic!("{other:?}"),
    }
    let typo = table(text.as_bytes(), &with(&["Work mial=email"])).err().unwrap();
    assert!(matches!(typo, TableError::NoColumn { ref column, .. } if column == "Work mial"), "{typo:?}");
    let nobody = table(text.as_bytes(), &with(&["Work mail=title"])).err().unwrap();
    assert!(matches!(nobody, TableError::NoIdentity), "{nobody:?}");
    let both = "First Name,Last Name,Connected On,Record ID,Email\n";
    let both = table(both.as_bytes(), &TableOptions::default()).err().unwrap();
    assert!(
        matches!(both, TableError::Ambiguous { ref layouts } if layouts[..] == ["linkedin", "hubspot"]),
        "{both:?}"
    );
    for (bytes, name) in
        [(&b"PK\x03\x04x"[..], "Workbook"), (b"a\0,\0b\0", "Binary"), (b"", "Empty"), (b"\n\n", "Empty")]
    {
        let error = table(bytes, &TableOptions::default()).err().unwrap();
        assert_eq!(format!("{error:?}"), name);
    }
}

#[test]
fn a_layout_can_be_said() {
    let options = |name: &str| TableOptions { layout: Some(name.to_owned()), ..TableOptions::default() };
    let text = "Weekly list\nFirst Name\tLast Name\tTitle\tJob Title\nAda\tQuill\tDr.\tCTO\n";
    assert!(matches!(table(text.as_bytes(), &TableOptions::default()), Err(TableError::Unknown { .. })));
    let read = shown(table(text.as_bytes(), &options("outlook")).unwrap());
    assert!(read.contains("Outlook contacts") && read.contains("'\\t' line 2"), "{read}");
    assert!(read.contains("title: \"CTO\"") && read.contains("without a place: [\"Title\"]"), "{read}");
}

#[test]
fn a_line_is_the_one_that_an_editor_shows_whatever_ends_it() {
    let rows = ["First Name,Last Name,Connected On", "Ada,\"Qu\nill\",x", "", ",,", "Bo,Lund,x", "Cy,Short"];
    let lines = |end: &str, encode: &dyn Fn(&str) -> Vec<u8>| {
        let read = shown(table(&encode(&rows.join(end)), &TableOptions::default()).unwrap());
        let starts =
            read.lines().filter_map(|line| line.split_once(": ").filter(|(line, _)| line.parse::<u32>().is_ok()));
        starts.map(|(line, rest)| format!("{line} {}", rest.split(' ').next().unwrap())).collect::<Vec<_>>()
    };
    let expected = ["2 None", "5 skipped", "6 None", "7 refused"];
    let utf8 = |text: &str| text.as_bytes().to_vec();
    let utf16 = |text: &str| format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for end in ["\n", "\r\n"] {
        assert_eq!(lines(end, &utf8), expected, "{end:?}");
        assert_eq!(lines(end, &utf16), expected, "{end:?}");
    }
    assert_eq!(lines("\r", &utf8), expected);
}

#[test]
fn values_stay_letter_for_letter_but_for_an_apostrophe_before_a_number() {
    let cells = ["'+49 30", "'007", "'t Hooft", "=1+1", "1e3", " x ", "''5", "+0", "\u{a0}"];
    for (cell, value) in cells.iter().zip(["+49 30", "007", "'t Hooft", "=1+1", "1e3", " x ", "''5", "+0", ""]) {
        let text = format!("First Name,Last Name,Position,Connected On\nA,B,\"{cell}\",\n");
        let read = shown(table(text.as_bytes(), &TableOptions::default()).unwrap());
        let title = serde_json::to_string(value).unwrap();
        assert_eq!(read.contains(&format!("title: {title}")), !value.is_empty(), "{read}");
        assert_eq!(read.contains("title"), !value.is_empty(), "{read}");
    }
}

#[test]
fn what_cannot_be_seen_keeps_a_person_out_and_a_value_away() {
    let text = "First Name,Last Name,Position,Connected On\nA\u{7},B,,\nC,D,x\u{1b}y,\n";
    let read = shown(table(text.as_bytes(), &TableOptions::default()).unwrap());
    assert!(read.contains("2: refused Control { field: FirstName, character: '\\u{7}' }"), "{read}");
    assert!(read.contains("LeftOut { field: \"title\", why: Control }") && !read.contains("title:"), "{read}");
}

#[test]
fn who_opted_out_is_taken_only_when_that_is_asked_for() {
    let text = |says: &str| format!("First Name,Last Name,Account Name,Do Not Call\nA,B,C,{says}\n");
    let is_out = |says: &str, opted_out| {
        let options = TableOptions { opted_out, ..TableOptions::default() };
        shown(table(text(says).as_bytes(), &options).unwrap()).contains("skipped OptedOut")
    };
    for says in ["TRUE", "1", "yes", "x", "WAHR", "who knows"] {
        assert!(is_out(says, OptedOut::Skip) && !is_out(says, OptedOut::Keep), "{says}");
    }
    for says in ["", "FALSE", "0", "no", "Falsch", " "] {
        assert!(!is_out(says, OptedOut::Skip), "{says}");
    }
}

#[test]
fn rows_are_given_back_as_they_were_and_can_be_read_again() {
    let mut given = Vec::new();
    let (one, other) = (["Name", "Email", "Email"].map(str::to_owned), ["Email", "Note"].map(str::to_owned));
    let mut rejects = Rejects::begin(&mut given, [&one[..], &other[..]]).unwrap();
    let cells = |cells: &[&str]| Cells::from(cells.to_vec());
    rejects.write(0, &cells(&["'+1", "a", "b\nc"]), ["refused", "why", "x.csv", "2"]).unwrap();
    rejects.write(1, &cells(&["d", "e", "more"]), ["skipped", "so", "y.csv", "9"]).unwrap();
    rejects.finish().unwrap();
    assert_eq!(
        String::from_utf8(given).unwrap(),
        "Name,Email,Email,Note,contactsd outcome,contactsd reason,contactsd file,contactsd line\n\
         '+1,a,\"b\nc\",,refused,why,x.csv,2\n,d,,e,skipped,so,y.csv,9,more\n"
    );
    let again = "Record ID,Email,contactsd reason\n1,a@x.example,why\n";
    assert!(shown(table(again.as_bytes(), &TableOptions::default()).unwrap()).contains("unknown []"));
}

/// Says in a word what comes of each row.
fn outcomes(text: &str, options: &TableOptions) -> Vec<String> {
    let mut table = table(text.as_bytes(), options).unwrap();
    let mut outcomes = Vec::new();
    while let Some(Row { taken, .. }) = table.next_row().unwrap() {
        outcomes.push(match taken {
            Taken::Skipped(skip) => format!("skipped {skip:?}"),
            Taken::Refused(refusal) => format!("refused {refusal:?}"),
            Taken::Person(_) => "taken".to_owned(),
        });
    }
    outcomes
}

#[test]
fn who_objects_is_left_out_whatever_the_column_is_called() {
    for name in [
        "Unsubscribed",
        "Email Opt Out",
        "Do Not Call",
        "do_not_contact",
        "HasOptedOutOfEmail",
        "Opted out of email: News",
    ] {
        let out = outcomes(&format!("Mail,{name}\na@x.example,yes\nb@x.example,\n"), &with(&["Mail=email"]));
        assert!(out[0].starts_with("skipped") && out[1].starts_with("taken"), "{name}: {out:?}");
        let layout =
            format!("First Name,Last Name,Email Address,Company,Connected On,{name}\nA,B,a@x.example,C,,TRUE\n");
        let out = outcomes(&layout, &TableOptions::default());
        assert!(out[0].starts_with("skipped"), "{name}: {out:?}");
    }
}

#[test]
fn a_quote_that_is_not_closed_makes_no_person_of_two() {
    let header = "First Name,Last Name,Email Address,Company,Position,Connected On\n";
    let read = |rows: &str| outcomes(&format!("{header}{rows}"), &TableOptions::default());
    let refused = |rows: &str| read(rows).iter().any(|row| row.contains("OpenQuote"));
    assert!(refused("Ada,Q,ada@x.example,\"E,CTO,1\nBo,Q,bo@x.example,M\",CTO,1\n"));
    assert!(refused("Ada,Q,ada@x.example,E,CTO,\"1\nBo,Q,bo@x.example,M,CTO,1\"\n"));
    assert!(refused("Ada,Q,ada@x.example,\"E,CTO,1\nBo,Q,bo@x.example,M,CTO,1\n"));
    assert!(!refused("Ada,Q,ada@x.example,\"E, Ltd,\nof all\",CTO,1\nBo,Q,bo@x.example,M,CTO,1\n"));
    assert!(!refused("Ada,Q,ada@x.example,E,\"CTO\nand, more\",1\n"));
}
