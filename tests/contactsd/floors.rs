//! The floors of the source: a module imports only from floors below its own.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules by floor, as `ARCHITECTURE.md` lists them.
const FLOORS: [&[&str]; 7] = [
    &["shell_word"],
    &["model", "failpoints", "aside", "beneath", "private_dir"],
    &["plan", "journal", "quota", "index", "state", "hosts", "git_dir"],
    &["settings", "source", "apollo", "store", "serve", "watcher", "sandbox"],
    &["ops"],
    &["ui"],
    &["cli"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn sources(place: &Path) -> Vec<PathBuf> {
    if place.is_dir() {
        return fs::read_dir(place).unwrap().flat_map(|inner| sources(&inner.unwrap().path())).collect();
    }
    vec![place.to_owned()]
}

#[test]
fn a_module_imports_only_from_floors_below_its_own() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut imports = 0;
    for path in sources(&source) {
        let below = path.strip_prefix(&source).unwrap();
        let module = below.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        if ["main", "lib"].contains(&module) {
            continue;
        }
        let own = floor(module).unwrap_or_else(|| panic!("{module} is on no floor"));
        let text = fs::read_to_string(&path).unwrap();
        for import in text.split("crate::").skip(1) {
            let name: String = import.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            if name.is_empty() || name == module {
                continue;
            }
            let other = floor(&name).unwrap_or_else(|| panic!("{}: {name} is on no floor", below.display()));
            assert!(other < own, "{} imports {name}, which is not below {module}", below.display());
            imports += 1;
        }
    }
    assert!(imports > 100, "imports are looked at: {imports}");
}

#[test]
fn operations_know_no_flags() {
    let operations = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops");
    for path in sources(&operations) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            let is_flag =
                |word: &str| word.strip_prefix("--").is_some_and(|name| name.starts_with(char::is_alphabetic));
            let flag = words.find(|word| is_flag(word));
            assert_eq!(flag, None, "{}:{}: words belong to ui/words", path.display(), number + 1);
        }
    }
}
