//! Files made to hang or to exhaust the reader are refused with a word.

use super::*;

fn lines(numbers: std::ops::Range<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
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
    let fields = lines(0..3000, |id| format!("      {id:024x}: v\n"));
    let contacts = lines(0..3000, |n| format!("  c{n}: {{last_name: L, typed_custom_fields: *m}}\n"));
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
    let blocks = lines(0..2000, |depth| format!("{}a:\n", " ".repeat(depth)));
    assert_eq!(codes(&blocks), ["E006"]);
}

#[test]
fn a_deep_looking_file_that_is_good_is_read() {
    let contacts = lines(0..11_000, |n| format!("  k{n}: {{\n    last_name: L{n}\n  }}\n"));
    assert_eq!(clean(&format!("contacts:\n{contacts}")).len(), 11_000);
}

#[test]
fn a_chain_of_aliases_counts_as_nesting() {
    let chain = lines(1..5000, |n| format!("  k{n}: &k{n} {{last_name: L{n}, <<: *k{}}}\n", n - 1));
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
    assert_eq!(dir.load().diagnostics[0].code, Code::NotUtf8);
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
