//! Every code has a page, and every page tells the truth.

use super::super::merge::Slot;
use super::*;

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors")
}

/// Returns the samples of a page in order: what causes the code, and what does not.
fn samples(page: &str) -> Vec<&str> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let mut names: Vec<_> =
        fs::read_dir(pages()).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name != "README.md");
    names.sort();
    let mut expected: Vec<_> = Code::ALL.iter().map(|code| format!("{code}.md")).collect();
    expected.sort();
    assert_eq!(names, expected);
    let index = fs::read_to_string(pages().join("README.md")).unwrap();
    for code in Code::ALL {
        assert!(index.contains(&format!("- [{code}]({code}.md): {}\n", code.title())), "{code}");
        let page = fs::read_to_string(pages().join(format!("{code}.md"))).unwrap();
        assert_eq!(page.lines().next().unwrap(), format!("# {code}: {}", code.title()));
    }
}

#[test]
fn the_page_of_unknown_fields_names_all_known_ones() {
    let page = fs::read_to_string(pages().join("E011.md")).unwrap();
    for name in Slot::names() {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn the_first_sample_of_a_page_causes_the_code_and_the_second_is_clean() {
    // What no short YAML text can cause is shown as a command; `hostile` tests it.
    let shown_as_commands = [
        Code::Unreadable,
        Code::NotUtf8,
        Code::FileTooLarge,
        Code::LeadsOut,
        Code::ControlCharacter,
        Code::NearMiss,
        Code::FurtherErrors,
        Code::FurtherWarnings,
    ];
    for code in Code::ALL {
        let page = fs::read_to_string(pages().join(format!("{code}.md"))).unwrap();
        match samples(&page)[..] {
            [bad, good] => {
                let found = codes(bad);
                assert!(found.contains(&code.as_str()), "{code}: {found:?}");
                assert_eq!(codes(good), Vec::<&str>::new(), "{code}");
            }
            _ => assert!(shown_as_commands.contains(code) && page.contains("```sh\n"), "{code}"),
        }
    }
}
