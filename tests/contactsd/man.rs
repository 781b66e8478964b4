//! `man`.

use std::fs;

use crate::support::World;

#[test]
fn every_verb_has_a_page_of_its_own() {
    let world = World::new();
    let outcome = world.run("man pages");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let mut names: Vec<String> = fs::read_dir(world.path("pages"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(outcome.stdout, format!("Wrote {} pages to pages.\n", names.len()));
    for verb in ["apply", "completions", "import", "man", "plan", "sandbox", "state-mv", "state", "validate", "watch"] {
        assert!(names.contains(&format!("contactsd-{verb}.1")), "{verb}: {names:?}");
    }
    let page = fs::read_to_string(world.path("pages/contactsd-state-rm.1")).unwrap();
    for part in [
        ".TH CONTACTSD-STATE-RM 1 2026-",
        "contactsd\\-state\\-rm \\- Stop managing contacts",
        "\\fBcontactsd state rm\\fR",
        "\\fB\\-\\-auto\\-approve\\fR",
        ".SH EXAMPLES",
        ".SH \"EXIT STATUS\"",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for name in &names {
        let page = fs::read_to_string(world.path("pages").join(name)).unwrap().replace("\\-", "-");
        let ends = page.match_indices("(1)").map(|(end, _)| end);
        for named in
            ends.map(|end| page[..end].rsplit(|c: char| c != '-' && !c.is_ascii_alphanumeric()).next().unwrap())
        {
            assert!(names.contains(&format!("{named}.1")), "{name} names {named}(1), which is no page");
        }
    }
    let main = fs::read_to_string(world.path("pages/contactsd.1")).unwrap();
    assert!(main.contains(".SH ENVIRONMENT") && main.contains(".SH FILES"), "{main}");
}

#[test]
fn without_a_directory_all_pages_go_to_stdout_and_nothing_is_written() {
    let world = World::with("contacts: {}\n");
    let outcome = world.run("man");
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(outcome.stdout.matches("\n.TH CONTACTSD").count() > 10);
    assert_eq!(fs::read_dir(world.path("contacts.d")).unwrap().count(), 1);
}

#[test]
fn a_place_that_cannot_be_written_to_is_an_error() {
    let world = World::new();
    world.write("file", "");
    let outcome = world.run("man file/pages");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), ""));
    assert!(outcome.stderr.contains("Error: file/pages cannot be written"), "{outcome}");
}
