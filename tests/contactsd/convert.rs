//! `convert`: tables of people as contact files.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::World;

const EXPORT: &str = include_str!("../../examples/spreadsheet/apollo-contacts-export.csv");

const PEOPLE: &str = "First Name,Last Name,Email Address,Company,Position,Connected On
Ada,Quill,ada@engines.example.com,Engines,CTO,06 Dec 2025
Bo,Lund,,Harbor,Captain,06 Dec 2025
";

fn people() -> World {
    let world = World::new();
    world.write("people.csv", PEOPLE);
    world
}

#[track_caller]
fn converted(world: &World) {
    let outcome = world.run("convert people.csv");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome}");
}

fn read(world: &World, file: &str) -> String {
    fs::read_to_string(world.path(file)).unwrap()
}

fn fixtures() -> impl Iterator<Item = (String, Vec<u8>)> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/convert");
    fs::read_dir(place).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())
    })
}

#[test]
fn every_layout_gives_valid_files_in_the_usual_form_and_nothing_changes_the_second_time() {
    let mut count = 0;
    for (name, bytes) in fixtures() {
        let world = World::new();
        fs::write(world.path(&name), bytes).unwrap();
        let first = world.run(&format!("convert {name} --out people"));
        assert!(first.code == Some(0) && first.stdout.contains(", written\n"), "{first}");
        assert_eq!(world.run("validate --dir people").code, Some(0), "{name}");
        assert_eq!(world.run("fmt --check --dir people").code, Some(0), "{name}");
        let second = world.run(&format!("convert {name} --out people"));
        assert!(second.code == Some(0) && second.stdout.contains("\nNo changes. Converted "), "{second}");
        count += 1;
    }
    assert!(count >= 15);
}

#[test]
fn an_entry_that_was_edited_stays_and_the_difference_is_shown_without_values() {
    let world = people();
    converted(&world);
    world.edit("contacts.d/people.yaml", "title: CTO", "title: Chief");
    let kept = world.run("convert people.csv");
    assert!(
        kept.code == Some(0) && kept.stderr.contains("contact.ada@engines.example.com: title (row: people.csv:2)"),
        "{kept}"
    );
    assert!(kept.stdout.contains("No changes. Converted 1 of 2 rows: 1 kept as they are."), "{kept}");
    assert!(!kept.to_string().contains("CTO") && !kept.to_string().contains("Chief"), "{kept}");
    // Who is new comes to the file, and what was edited stays in it.
    world.write("people.csv", &format!("{PEOPLE}Cy,Dahl,cy@dahl.example.com,,,\n"));
    let added = world.run("convert people.csv");
    assert!(added.stdout.contains("contacts.d/people.yaml: 3 contacts, kept as it was edited, 1 added"), "{added}");
    let text = read(&world, "contacts.d/people.yaml");
    assert!(text.contains("title: Chief") && text.contains("  cy@dahl.example.com:\n"), "{text}");
    assert_eq!(world.run("fmt --check").code, Some(0));
    let shown = world.run("convert people.csv --diff");
    assert!(shown.stdout.contains("-    title: Chief") && shown.stdout.contains("+    title: CTO"), "{shown}");
    let forced = world.run("convert people.csv --force");
    assert!(forced.stdout.contains("contacts.d/people.yaml: 3 contacts, replaced"), "{forced}");
    assert!(read(&world, "contacts.d/people.yaml").contains("title: CTO"));
    assert!(world.run("convert people.csv").stdout.contains("No changes."));
}

#[test]
fn a_file_is_told_by_its_own_name_whatever_is_said_of_it() {
    let world = people();
    let convert = || world.run_words(["convert", "people.csv", "--out", "who stay"]);
    assert_eq!(convert().code, Some(0));
    world.edit("who stay/people.yaml", "title: CTO", "title: Chief");
    let kept = convert();
    let said = "who stay/people.yaml was edited: 1 contact differs from the tables and was not changed";
    assert!(kept.stderr.contains(said), "{kept}");
}

#[test]
fn nobody_is_taken_out_of_a_file_and_no_file_of_another_hand_is_touched() {
    let world = people();
    converted(&world);
    world.write("people.csv", PEOPLE.split_inclusive('\n').take(2).collect::<String>().as_str());
    let loses = world.run("convert people.csv");
    assert!(
        loses.code == Some(1) && loses.stderr.contains("It declares 1 contact that the new file would not have"),
        "{loses}"
    );
    assert!(read(&world, "contacts.d/people.yaml").contains("bo-lund"));
    let world = people();
    world.write("contacts.d/people.yaml", "contacts:\n  zoe: {first_name: Zoe}\n");
    let foreign = world.run("convert people.csv");
    assert!(foreign.code == Some(1) && foreign.stderr.contains("contacts.d/people.yaml was not replaced"), "{foreign}");
    assert_eq!(read(&world, "contacts.d/people.yaml"), "contacts:\n  zoe: {first_name: Zoe}\n");
}

#[test]
fn who_is_declared_in_another_file_is_left_there() {
    let world = people();
    world.write("contacts.d/team.yaml", "contacts:\n  ada: {email: ADA@engines.example.com}\n  bo: {first_name: Bo, last_name: Lund, organization_name: harbor}\n");
    let outcome = world.run("convert people.csv");
    assert!(
        outcome.stderr.contains("people.csv:2: skipped: contact.ada in contacts.d/team.yaml is the same person"),
        "{outcome}"
    );
    assert!(
        outcome
            .stderr
            .contains("people.csv:3: refused: it shares name and company with contact.bo in contacts.d/team.yaml"),
        "{outcome}"
    );
    assert!(outcome.stdout.contains("Converted 0 of 2 rows: 1 skipped, 1 refused."), "{outcome}");
    world.write("contacts.d/team.yaml", "contacts:\n  ada: {email: broken}\n");
    let broken = world.run("convert people.csv");
    assert!(
        broken.code == Some(1) && broken.stderr.contains("E015") || broken.stderr.contains("not an e-mail"),
        "{broken}"
    );
}

#[test]
fn rows_that_become_no_contact_come_back_as_a_table_with_the_reasons() {
    let world = World::new();
    let rows = "First Name,Last Name,Email,Account Name,Do Not Call
Ada,Quill,ada@engines.example.com,Engines,0
Eve,Hidden,not an address,Engines,0
Mallory,Out,m@out.example.com,Out,1
Short,Row
";
    world.write("report.csv", rows);
    let outcome = world.run("convert report.csv --rejects rest.csv");
    assert!(outcome.stdout.contains("Converted 1 of 4 rows: 1 skipped, 2 refused."), "{outcome}");
    assert!(outcome.stdout.contains("3 rows with the reasons: rest.csv"), "{outcome}");
    for value in ["Eve", "Hidden", "not an address", "Mallory"] {
        assert!(!outcome.to_string().contains(value), "{outcome}");
    }
    assert_eq!(
        read(&world, "rest.csv"),
        "First Name,Last Name,Email,Account Name,Do Not Call,contactsd outcome,contactsd reason,contactsd file,contactsd line\n\
         Eve,Hidden,not an address,Engines,0,refused,its e-mail is not an e-mail address,report.csv,3\n\
         Mallory,Out,m@out.example.com,Out,1,skipped,\"the person opted out, by \"\"Do Not Call\"\"\",report.csv,4\n\
         Short,Row,,,,refused,it has 2 cells where the header has 5,report.csv,5\n"
    );
    let kept = world.run("convert report.csv --keep-opted-out --dry-run");
    assert!(kept.stdout.contains("Would convert 2 of 4 rows: 2 refused."), "{kept}");
    assert!(kept.stderr.contains("1 row of people who opted out, by \"Do Not Call\""), "{kept}");
}

#[test]
fn a_file_whose_people_are_gone_from_the_table_is_not_called_edited() {
    let world = World::new();
    let header = "First Name,Last Name,Email,Account Name\n";
    let [ada, bo] = ["Ada,Quill,ada@x.example,Engines\n", "Bo,Lund,bo@x.example,Engines\n"];
    world.write("report.csv", &format!("{header}{ada}{bo}"));
    assert_eq!(world.run("convert report.csv").code, Some(0));
    world.write("report.csv", &format!("{header}{ada}"));
    let fewer = world.run("convert report.csv");
    assert_eq!(fewer.code, Some(1), "{fewer}");
    assert!(fewer.stderr.contains("It declares 1 contact that the new file would not have"), "{fewer}");
    assert!(fewer.stdout.contains("left as it is") && !fewer.to_string().contains("edited"), "{fewer}");
}

#[test]
fn a_run_that_fails_keeps_the_rows_that_an_earlier_one_gave_back() {
    let world = World::new();
    world.write("report.csv", "First Name,Last Name,Email,Account Name\nAda,Quill,no address,Engines\n");
    assert_eq!(world.run("convert report.csv --rejects rest.csv").code, Some(0));
    let rest = read(&world, "rest.csv");
    world.write("contacts.d/wrong.yaml", "contacts: [");
    assert_eq!(world.run("convert report.csv --rejects rest.csv").code, Some(1));
    assert_eq!(read(&world, "rest.csv"), rest);
}

#[test]
fn programs_get_each_row_and_counts_that_add_up() {
    let world = World::new();
    for (name, bytes) in fixtures() {
        fs::write(world.path(&name), bytes).unwrap();
        let outcome = world.run(&format!("convert {name} --dry-run --json"));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{outcome}");
        let records: Vec<Value> = outcome.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |kind: &str| records.iter().filter(|record| record["type"] == kind).collect::<Vec<_>>();
        let summary = &of("convert_summary")[0]["summary"];
        let number = |name: &str| summary[name].as_u64().unwrap();
        assert_eq!(number("rows"), number("converted") + number("kept") + number("skipped") + number("refused"));
        let rows = of("convert_row");
        let told = |outcome: &str| rows.iter().filter(|record| record["row"]["outcome"] == outcome).count() as u64;
        assert_eq!((told("skipped"), told("refused")), (number("skipped"), number("refused")), "{outcome}");
        assert_eq!(of("convert_table").len(), 1);
        for file in of("convert_file") {
            assert_eq!(file["file"]["outcome"], "planned");
        }
    }
    assert!(!world.path("contacts.d").exists(), "nothing was written");
}

#[test]
fn an_unknown_table_is_an_error_that_says_how_to_go_on() {
    let world = World::new();
    world.write("crew.csv", "Crew;Work mail;Company\nAda Quill;ada@engines.example.com;Engines\n");
    insta::assert_snapshot!(world.run("convert crew.csv"), @r"
    [stderr]
    Error: The layout of crew.csv is not known

      crew.csv

    Line 1 has these columns:

      Crew
      Work mail
      Company

    Map each column that you need: --map 'Work mail=email' --map 'Company=organization_name'. If it is
    one of the known layouts (apollo, linkedin, google, outlook, hubspot, salesforce, pipedrive) with
    other names of columns, add --layout NAME.
    [exit 1]
    ");
    let mapped = world.run_words(["convert", "crew.csv", "--map", "Work mail=email", "--map", "Crew=name"]);
    assert!(mapped.code == Some(0), "{mapped}");
    let text = read(&world, "contacts.d/crew.yaml");
    assert!(text.contains("    first_name: Ada\n    last_name: Quill\n    email: ada@engines.example.com\n"), "{text}");
    let typo = world.run_words(["convert", "crew.csv", "--map", "Work mial=email"]);
    assert!(typo.code == Some(1) && typo.stderr.contains("crew.csv has no column \"Work mial\""), "{typo}");
    let field = world.run_words(["convert", "crew.csv", "--map", "Crew=surname"]);
    assert!(field.code == Some(1) && field.stderr.contains("a column can be one of first_name"), "{field}");
    fs::write(world.path("crew.xlsx"), b"PK\x03\x04").unwrap();
    assert!(world.run("convert crew.xlsx").stderr.contains("is a workbook, not a CSV file"));
}

#[test]
fn a_table_comes_from_stdin_and_several_at_once() {
    let world = people();
    let piped = world.run_with_input("convert - --out a", PEOPLE);
    assert!(piped.stdout.contains("a/stdin.yaml: 2 contacts, written"), "{piped}");
    world.write("more.csv", "First Name,Last Name,Connected On\nBo,Lund,x\nCy,Dahl,x\n");
    let both = world.run("convert people.csv more.csv --out b --split company");
    assert!(both.stdout.contains("Converted 4 of 4 rows."), "{both}");
    assert!(world.path("b/no-company.yaml").exists() && world.path("b/engines.yaml").exists());
}

/// What the guide shows is what its six commands do, from the table to a plan without changes.
#[test]
fn the_commands_of_the_guide_do_what_it_says() {
    let guide = include_str!("../../docs/guides/start-from-a-spreadsheet.md");
    let commands = guide.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    let shown: Vec<&str> = guide.split("```text\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    let world = World::new();
    world.write("apollo-contacts-export.csv", EXPORT);
    let outcomes: Vec<_> = commands
        .map(|command| {
            let script = format!("contactsd() {{ {} \"$@\"; }}\n{command}", env!("CARGO_BIN_EXE_contactsd"));
            let outcome = world.run_script(&script, &[].into());
            assert_eq!(outcome.code, Some(0), "{outcome}");
            outcome.stdout
        })
        .collect();
    assert_eq!(outcomes.len(), 6);
    assert!(outcomes[0].contains(shown[0]), "{}", outcomes[0]);
    assert!(outcomes[1].contains("Success! 4 contacts in 1 file are valid."), "{}", outcomes[1]);
    assert!(outcomes[2].contains("5 contacts of apollo-contacts-export.csv put into"), "{}", outcomes[2]);
    assert!(outcomes[3].contains("Plan: 4 to import, 0 to add, 0 to change, 0 to destroy."), "{}", outcomes[3]);
    assert!(outcomes[4].contains("4 imported, 0 added, 0 changed"), "{}", outcomes[4]);
    assert!(outcomes[5].contains("No changes."), "{}", outcomes[5]);
}

/// Binding a whole account by the ids of its export reads it once and writes nothing to it.
#[test]
fn an_export_of_an_account_binds_it_without_a_search_and_without_a_write() {
    let world = World::new();
    world.write("apollo-contacts-export.csv", EXPORT);
    assert_eq!(world.run("convert apollo-contacts-export.csv").code, Some(0));
    assert_eq!(world.run("sandbox --fill-from apollo-contacts-export.csv").code, Some(0));
    let again = world.run_with_input("sandbox --fill-from -", EXPORT);
    assert!(
        again.stdout.contains("0 contacts of <stdin>") && again.stdout.contains("5 contacts were already there"),
        "{again}"
    );
    let applied = world.run("apply --sandbox --auto-approve");
    assert!(applied.stdout.contains("Resources: 4 imported, 0 added, 0 changed"), "{applied}");
    assert!(world.run("drift --sandbox --detailed-exitcode").code == Some(0));
    world.write("people.csv", PEOPLE);
    let nobody = world.run("sandbox --fill-from people.csv");
    assert!(nobody.code == Some(1) && nobody.stderr.contains("holds no contact with an id"), "{nobody}");
}
