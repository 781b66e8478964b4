//! Files made to hang or to exhaust the reader are refused with a word.

use super::*;
use crate::beneath::Bounds;

fn numbered(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
}

/// Returns how many bytes the diagnostics hold, which is what they cost and about what they print.
fn size(diagnostics: &[Diagnostic]) -> usize {
    let place = |location: &Location| location.path.as_os_str().len() + location.text.len();
    let one = |diagnostic: &Diagnostic| {
        let places = diagnostic.location.iter().chain(diagnostic.related.iter().map(|(_, place)| place));
        diagnostic.summary.len() + diagnostic.detail.len() + places.map(place).sum::<usize>()
    };
    diagnostics.iter().map(one).sum()
}

#[test]
fn a_file_in_which_everything_is_wrong_costs_no_more_than_its_beginning() {
    let fields = |count| numbered(0..count, |n| format!("    field{n}: x\n"));
    let in_one_line = |count| numbered(0..count, |n| format!(", field{n}: x"));
    let items = |count| numbered(0..count, |_| "~, ".to_owned());
    let contact = "contacts:\n  a:\n    email: a@example.com\n";
    for (text, code, more) in [
        (format!("{contact}{}", fields(20_000)), "E011", 19_900),
        (format!("contacts: {{a: {{email: a@example.com{}}}}}", in_one_line(20_000)), "E011", 19_900),
        (format!("{contact}    label_names: [{}]\n", items(20_000)), "E014", 19_900),
        (format!("contacts:\n{}", numbered(0..20_000, |n| format!("  k{n}: {{}}\n"))), "E020", 19_900),
        (format!("contacts:\n{}", numbered(0..20_000, |n| format!("  k{n}: 1\n"))), "E009", 19_900),
        (numbered(0..20_000, |n| format!("s{n}: 1\n")), "E008", 19_900),
    ] {
        let found = Dir::of(&[("a.yaml", &text)]).load().diagnostics;
        let of_code = found.iter().filter(|diagnostic| diagnostic.code.unwrap().as_str() == code).count();
        assert_eq!((of_code, found.len()), (100, 101), "{code}");
        let last = &found[100];
        assert_eq!(
            (last.code.unwrap().as_str(), &last.summary),
            ("E099", &format!("{more} more mistakes in this file"))
        );
        assert!(size(&found) < 100_000, "{code}: {}", size(&found));
    }
}

#[test]
fn warnings_are_counted_by_themselves_and_hide_no_error() {
    let warned = numbered(0..500, |n| format!("  k{n}: {{email: k{n}@example.com, mobile_phone: none}}\n"));
    let read = Dir::of(&[("a.yaml", &format!("contacts:\n{warned}"))]).load();
    assert!(read.is_valid());
    assert_eq!(
        (read.diagnostics.len(), read.diagnostics[100].summary.as_str()),
        (101, "400 more warnings in this file")
    );
    assert_eq!(read.diagnostics[100].code.unwrap().as_str(), "W199");
    let text = format!("contacts:\n{warned}  last: {{emial: x}}\n");
    let read = Dir::of(&[("a.yaml", &text)]).load();
    assert_eq!(read.errors().map(|error| error.code.unwrap().as_str()).collect::<Vec<_>>(), ["E011"]);
}

#[test]
fn what_is_wrong_between_contacts_is_bounded_too() {
    let twice = numbered(0..1000, |n| format!("  k{n}: {{email: p{}@example.com}}\n", n / 2));
    let found = Dir::of(&[("a.yaml", &format!("contacts:\n{twice}"))]).load().diagnostics;
    assert_eq!(found.len(), 101);
    let last = found.iter().find(|diagnostic| diagnostic.code.unwrap().as_str() == "E099").unwrap();
    assert_eq!(last.summary, "400 more mistakes between contacts");
}

#[test]
fn a_mistake_that_aliases_repeat_counts_once() {
    let uses = numbered(0..20, |n| format!("  k{n}: {{<<: *a, email: k{n}@example.com}}\n"));
    let text = format!("contacts:\n  a: &a {{email: a@example.com, titel: x, emial: y}}\n{uses}");
    assert_eq!(codes(&text), ["E011", "E011"]);
    let fields = numbered(0..150, |n| format!("field{n}: x, "));
    let text = format!("contacts:\n  a: &a {{email: a@example.com, {fields}}}\n{uses}");
    let found = Dir::of(&[("a.yaml", &text)]).load().diagnostics;
    assert_eq!(found.last().unwrap().summary, "50 more mistakes in this file");
}

#[test]
fn a_fault_that_ends_the_reading_is_told_after_any_number_of_mistakes() {
    let fields = numbered(0..500, |n| format!("    field{n}: x\n"));
    let found = codes(&format!("contacts:\n  a:\n{fields}---\ncontacts: [\n"));
    assert!(found.contains(&"E004") && found.contains(&"E099") && found.len() == 102, "{found:?}");
}

#[test]
fn a_very_long_line_or_value_is_never_repeated_whole() {
    let long = "x".repeat(2_000_000);
    for text in [
        format!("contacts: {{a: {{email: a@example.com, {long}: 1}}}}"),
        format!("contacts: {{a: {{email: {long}}}}}"),
        format!("contacts: {{{long}: {{email: a@example.com}}}}"),
        format!("contacts: {{{long}: [1]}}"),
        format!("contacts: {{a: {{run_dedupe: {long}}}}}"),
        format!("contacts: {{a: {{email: a@example.com, website_url: {long}}}}}"),
        format!("contacts: {{a: {{email: a@example.com, moved_from: {long}, apollo_id: {long}}}}}"),
        format!("contacts: {{a: {{email: a@example.com, title: {long}, emial: x}}}}"),
        format!("contacts: {{a: {{email: a@example.com, label_names: [{long}, X{long}, x{long}]}}}}"),
        format!("contacts: {{a: {{email: a@example.com, title: *{long}}}}}"),
        format!("contacts: {{a: {{email: a@example.com, title: !{long} x, emial: x}}}}"),
        format!("{long}: 1"),
        format!("contacts: [{long}"),
        format!("\"{long}"),
    ] {
        let found = Dir::of(&[("a.yaml", &text)]).load().diagnostics;
        let start: String = text.chars().filter(|&character| character != 'x').collect();
        assert!(!found.is_empty() && size(&found) < 10_000, "{start}: {}", size(&found));
    }
    let dir = Dir::of(&[]);
    dir.write("a.yaml", format!("contacts: {{a: {{title: {long}\u{e9}").as_bytes().strip_suffix(&[0xa9]).unwrap());
    let found = dir.load().diagnostics;
    assert!(found[0].code.unwrap().as_str() == "E002" && size(&found) < 10_000, "{}", size(&found));
    let location = found[0].location.as_ref().unwrap();
    assert_eq!((location.column, location.skipped), (2_000_000 + 23, 2_000_000 + 23 - 100));
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = "contacts:\n  a:\n    title: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..40 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "  k{level}: &a{level} [{items}]").unwrap();
    }
    assert!(codes(&text).contains(&"E007"), "{:?}", codes(&text));
}

#[test]
fn merge_keys_that_multiply_are_refused() {
    let mut text = "contacts:\n  k0: &a0 {title: x}\n".to_owned();
    for level in 1..40 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "  k{level}: &a{level} {{<<: [{items}]}}").unwrap();
    }
    assert!(codes(&text).contains(&"E007"), "{:?}", codes(&text));
}

#[test]
fn one_large_map_that_many_contacts_share_is_refused() {
    let fields = numbered(0..3000, |id| format!("      {id:024x}: v\n"));
    let contacts = numbered(0..3000, |n| format!("  c{n}: {{last_name: L, typed_custom_fields: *m}}\n"));
    let text = format!("contacts:\n  first:\n    last_name: F\n    typed_custom_fields: &m\n{fields}{contacts}");
    assert_eq!(codes(&text), ["E007"]);
}

#[test]
fn an_alias_inside_its_own_value_is_refused() {
    assert_eq!(codes("contacts:\n  a: &a\n    last_name: A\n    <<: *a\n"), ["E007"]);
}

#[test]
fn deep_nesting_is_refused_whatever_its_form() {
    let in_contact = |value: String| format!("contacts:\n  a:\n    last_name: A\n    title: {value}\n");
    for depth in [70, 300, 10_000, 1_000_000] {
        assert_eq!(codes(&in_contact("[".repeat(depth))), ["E006"], "{depth} open brackets");
        assert_eq!(codes(&in_contact("{a: ".repeat(depth))), ["E006"], "{depth} open braces");
    }
    assert_eq!(codes(&in_contact("[".repeat(10_000) + &"]".repeat(10_000))), ["E006"]);
    assert_eq!(codes(&"- ".repeat(10_000)), ["E006"]);
    let blocks = numbered(0..2000, |depth| format!("{}a:\n", " ".repeat(depth)));
    assert_eq!(codes(&blocks), ["E006"]);
}

#[test]
fn a_deep_looking_file_that_is_good_is_read() {
    let contacts = numbered(0..11_000, |n| format!("  k{n}: {{\n    last_name: L{n}\n  }}\n"));
    assert_eq!(clean(&format!("contacts:\n{contacts}")).len(), 11_000);
}

#[test]
fn a_chain_of_aliases_counts_as_nesting() {
    let chain = numbered(1..5000, |n| format!("  k{n}: &k{n} {{last_name: L{n}, <<: *k{}}}\n", n - 1));
    assert_eq!(codes(&format!("contacts:\n  k0: &k0 {{last_name: L}}\n{chain}")), ["E006"]);
}

#[test]
fn brackets_in_text_are_not_nesting() {
    clean(&format!("contacts:\n  a:\n    last_name: A\n    title: \"{}\"\n", "[".repeat(500)));
}

#[test]
fn a_file_that_is_too_large_is_refused() {
    let dir = Dir::of(&[]);
    let size = usize::try_from(rules::MAX_FILE_BYTES).unwrap();
    dir.write("a.yaml", &vec![b'#'; size + 1]);
    assert_eq!(dir.report(), "E003 a.yaml:1:1: a.yaml is too large\n");
}

#[test]
fn bytes_of_another_encoding_are_pointed_at() {
    let dir = Dir::of(&[]);
    dir.write("a.yaml", b"contacts:\n  a:\n    title: \xc3\xa9 caf\xe9 x\n");
    let location = dir.load().diagnostics[0].location.clone().unwrap();
    assert_eq!((location.line, location.column), (3, 17));
    assert_eq!(dir.load().diagnostics[0].code, Some(Code::NotUtf8));
}

#[test]
fn what_cannot_be_opened_is_an_error_and_a_pipe_is_not_waited_for() {
    let dir = Dir::of(&[("b.yaml", "contacts: {b: {last_name: B}}\n")]);
    std::os::unix::fs::symlink("nowhere.yaml", dir.path().join("a.yaml")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("pipe.yaml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    // It may stand for a directory whose mount comes late; those in it must not look gone.
    std::os::unix::fs::symlink("../mount/team", dir.path().join("team")).unwrap();
    let unreadable = ["a.yaml", "pipe.yaml", "team"].map(|name| format!("E001 {name}:1:1: {name} cannot be read\n"));
    assert_eq!(dir.report(), unreadable.concat());
    let loaded = dir.load();
    assert!(!loaded.is_valid());
    assert_eq!((loaded.files, loaded.entries.len()), (4, 1));
}

/// A directory whose links lead to a file and a directory outside, which hold what must not be seen.
fn leading_out() -> (Dir, tempfile::TempDir) {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("key"), "hunter2: first\ncontacts: {eve: {email: eve@example.com}}\n").unwrap();
    fs::write(elsewhere.path().join("eve.yaml"), "contacts: {eve: {emial: hunter2}}\n").unwrap();
    let dir = Dir::of(&[("b.yaml", "contacts: {b: {last_name: B}}\n")]);
    let link = |name: &str, target: PathBuf| std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    link("a.yaml", elsewhere.path().join("key"));
    link("environment.yaml", "/proc/self/environ".into());
    link("team", elsewhere.path().to_owned());
    link("again.yaml", "a.yaml".into());
    link("notes.txt", elsewhere.path().join("key"));
    (dir, elsewhere)
}

#[test]
fn links_that_lead_out_are_errors_and_nothing_of_what_they_lead_to_is_shown() {
    let (dir, _elsewhere) = leading_out();
    let names = ["a.yaml", "again.yaml", "environment.yaml", "team"];
    let expected = names.map(|name| format!("E032 {name}:1:1: {name} leads out of the directory\n"));
    assert_eq!(dir.report(), expected.concat());
    let loaded = dir.load();
    assert!(!format!("{:?}", loaded.diagnostics).contains("hunter2"));
    assert_eq!(loaded.entries.keys().map(ContactKey::as_str).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn links_may_lead_to_where_a_person_said() {
    let (dir, elsewhere) = leading_out();
    for name in ["a.yaml", "again.yaml", "environment.yaml"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    fs::write(elsewhere.path().join("eve.yaml"), "contacts: {eve: {email: eve@example.com}}\n").unwrap();
    let bounds = Bounds { root_within: None, follow_within: vec![elsewhere.path().to_owned()] };
    let (loaded, _) = load(dir.path(), &Options { bounds: &bounds, ..Options::plain() }).unwrap();
    assert_eq!(loaded.diagnostics, []);
    assert_eq!(
        loaded.files.iter().map(|file| file.below.display().to_string()).collect::<Vec<_>>(),
        ["b.yaml", "team/eve.yaml"]
    );
}

#[test]
fn a_link_to_a_hidden_file_is_an_error() {
    let dir = Dir::of(&[(".git/config", "hunter2: x\n"), (".env", "hunter2: x\n")]);
    let link = |name: &str, target: &str| std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    link("a.yaml", ".git/config");
    link("b.yaml", ".env");
    link("c", ".git");
    let expected = ["a.yaml", "b.yaml", "c"].map(|name| format!("E032 {name}:1:1: {name} leads to a hidden file\n"));
    assert_eq!(dir.report(), expected.concat());
    assert!(!format!("{:?}", dir.load().diagnostics).contains("hunter2"));
}

#[test]
fn a_file_under_several_names_is_read_once_by_its_own() {
    let dir = Dir::of(&[
        ("team/b.yaml", "contacts: {b: {last_name: B}}\n"),
        ("..data/c.yaml", "contacts: {c: {last_name: C}}\n"),
    ]);
    let link = |name: &str, target: &str| std::os::unix::fs::symlink(target, dir.path().join(name)).unwrap();
    link("a.yaml", "team/b.yaml");
    link("again", "team");
    link("c1.yaml", "..data/c.yaml");
    link("c2.yaml", "c1.yaml");
    assert_eq!(dir.report(), "");
    let files = plain(dir.path(), usize::MAX).unwrap().files;
    let names: Vec<_> = files.iter().map(|file| file.below.display().to_string()).collect();
    assert_eq!(names, ["c1.yaml", "team/b.yaml"]);
}

/// Between loading and showing, a file may have become a link; what it leads to is not shown.
#[test]
fn what_became_a_link_that_leads_out_is_not_looked_up() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("key"), "contacts:\n  b: {last_name: hunter2}\n").unwrap();
    let dir = Dir::of(&[("b.yaml", "contacts:\n  b: {last_name: B}\n")]);
    let place = Place { path: dir.path().join("b.yaml").into(), key: key("b") };
    assert_eq!(locate(&place, None).unwrap().line, 2);
    fs::remove_file(dir.path().join("b.yaml")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("key"), dir.path().join("b.yaml")).unwrap();
    assert_eq!(locate(&place, None), None);
    assert!(lines([&place]).is_empty());
}

/// A text of this size is parsed by a thread of its own.
#[test]
fn a_large_file_is_read_as_a_small_one() {
    let title = "x".repeat(1000);
    let contacts = numbered(0..5000, |n| format!("  k{n}: {{last_name: L{n}, title: {title}}}\n"));
    let good = format!("contacts:\n{contacts}");
    assert_eq!(clean(&good).len(), 5000);
    let places = |text: &str| {
        let found = Dir::of(&[("a.yaml", text)]).load().diagnostics;
        let place = |found: &Diagnostic| found.location.as_ref().map(|location| (location.line, location.column));
        found.iter().map(|found| (found.code.unwrap().as_str(), place(found).unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(places(&format!("{good}  k: {{emial: x}}\n  l: [\n")), [("E011", (5002, 7)), ("E004", (5003, 6))]);
    // Reading ends long before parsing would.
    let deep = format!("contacts: {{a: {{<<: &a {{last_name: A, <<: *a}}}}}}\n---\n{good}");
    assert_eq!(places(&deep), [("E007", (1, 42))]);
}

#[test]
fn of_many_mistakes_and_warnings_each_is_counted_as_what_it_is() {
    let fields = |n| format!("  p{n}:\n    email: p{n}@x.example\n    mobile_phone: none\n    emial: x\n");
    let entries = numbered(0..250, fields);
    let found = Dir::of(&[("a.yaml", &format!("contacts:\n{entries}"))]).load().diagnostics;
    let count = |severity| found.iter().filter(|one| one.severity == severity).map(|one| one.findings).sum::<usize>();
    assert_eq!((count(Severity::Error), count(Severity::Warning)), (250, 250));
    let codes = found.iter().filter_map(|one| one.code).filter(|code| code.as_str().ends_with("99"));
    assert_eq!(codes.map(Code::as_str).collect::<Vec<_>>(), ["W199", "E099"]);
}
