//! The files of the source: what one names of another never leads back to it.
//!
//! Reads names as the compiler does, as far as that needs: `super::Name` is the file that defines the name, through
//! all re-exports. Methods are not followed, and neither is what only tests see.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

#[test]
fn files_form_no_circle() {
    let source = Source::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let edges = source.edges();
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > 500, "names are resolved");
    let circles = circles(&edges);
    let told: Option<BTreeMap<_, Vec<_>>> = circles
        .first()
        .map(|circle| circle.iter().map(|file| (file, edges[file].intersection(circle).collect())).collect());
    assert!(told.is_none(), "files form a circle; each with those that it names: {told:#?}");
}

#[test]
fn names_are_read_out_of_what_the_compiler_sees() {
    let text = r#"
        use super::{a::B as C, d}; // use super::comment;
        pub(crate) use e::F;
        #[cfg(test)]
        mod tests { use super::hidden; }
        fn f<'a>() -> &'a str { d::g('"', "super::text", "super::raw\"").super_::h; e::I::j() }
    "#;
    let file = File::parse("m/n.rs".to_owned(), vec!["m".to_owned(), "n".to_owned()], text);
    let words: Vec<String> = file.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(words, ["crate::m::a::B", "crate::m::d", "pub", "str", "d::g", "e::I::j"]);
    assert_eq!(file.imports.keys().collect::<Vec<_>>(), ["C", "F", "d"]);
    assert!(file.items.contains("f") && !file.items.contains("tests"));
}

/// What a file, being `module`, defines, imports (by the name that it has here) and names.
#[derive(Default)]
struct File {
    name: String,
    module: Vec<String>,
    children: Vec<String>,
    items: BTreeSet<String>,
    imports: BTreeMap<String, Vec<String>>,
    /// What the code names, as it is written or from `crate` on.
    paths: Vec<Vec<String>>,
}

/// The files, by their paths as modules.
struct Source(BTreeMap<Vec<String>, File>);

impl Source {
    /// Reads all files that are not for tests alone, from `lib.rs` on.
    fn read(root: &Path) -> Self {
        let (mut files, mut left) = (BTreeMap::new(), vec![Vec::new()]);
        while let Some(module) = left.pop() {
            let stem: PathBuf = module.iter().collect();
            let places = [stem.with_extension("rs"), stem.join("mod.rs"), stem.join("lib.rs")];
            let path = places.iter().find(|path| root.join(path).is_file()).expect("a module has a file");
            let text = fs::read_to_string(root.join(path)).unwrap();
            let file = File::parse(path.to_str().unwrap().to_owned(), module.clone(), &text);
            left.extend(file.children.iter().map(|child| [&module[..], std::slice::from_ref(child)].concat()));
            files.insert(module, file);
        }
        Self(files)
    }

    /// Returns which files each file names something of.
    fn edges(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let named = |file: &File| {
            let homes = file.paths.iter().filter_map(|path| self.home(&Self::from_root(file, path)?));
            homes.filter(|home| *home != file.name).collect()
        };
        self.0.values().map(|file| (file.name.as_str(), named(file))).collect()
    }

    /// Spells a path of a file from the root; `None` for what is not ours.
    fn from_root(file: &File, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        if first == "crate" {
            return Some(rest.to_vec());
        }
        let import = file.imports.get(first);
        if file.children.contains(first) && (import.is_none() || !rest.is_empty()) {
            return Some([&file.module[..], path].concat());
        }
        // `use apply::apply` names the module first.
        let import = import.filter(|import| import[0] != *first || file.children.contains(first))?;
        Some([&Self::from_root(file, import)?[..], rest].concat())
    }

    /// Finds the file that defines what a path names; `None` for modules themselves and for what is not ours.
    fn home(&self, path: &[String]) -> Option<&str> {
        for (number, part) in path.iter().enumerate() {
            let (file, is_last) = (&self.0[&path[..number]], number + 1 == path.len());
            if file.items.contains(part) {
                return Some(&file.name);
            } else if let Some(import) = file.imports.get(part).filter(|_| is_last || !file.children.contains(part)) {
                return self.home(&[&Self::from_root(file, import)?[..], &path[number + 1..]].concat());
            } else if !file.children.contains(part) {
                return None;
            }
        }
        None
    }
}

/// Returns the sets of files that all lead to each other.
fn circles<'s>(edges: &BTreeMap<&'s str, BTreeSet<&'s str>>) -> BTreeSet<BTreeSet<&'s str>> {
    let reach = |start: &'s str| {
        let (mut seen, mut left) = (BTreeSet::new(), vec![start]);
        while let Some(file) = left.pop() {
            left.extend(edges[file].iter().filter(|next| seen.insert(**next)));
        }
        seen
    };
    let reach: BTreeMap<&str, BTreeSet<&str>> = edges.keys().map(|&file| (file, reach(file))).collect();
    let circle = |file: &str| reach[file].iter().copied().filter(|other| reach[other].contains(file)).collect();
    reach.iter().filter(|(file, reached)| reached.contains(*file)).map(|(file, _)| circle(file)).collect()
}

impl File {
    fn parse(name: String, module: Vec<String>, text: &str) -> Self {
        let mut tokens = Vec::new();
        flatten(text.parse().unwrap(), &mut tokens);
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        let mut file = Self { name, module, ..Self::default() };
        let (mut at, mut depth) = (0, 0_usize);
        while at < tokens.len() {
            let next = tokens.get(at + 1).copied().unwrap_or_default();
            let last = at.checked_sub(1).map_or("", |last| tokens[last]);
            match tokens[at] {
                "{" => depth += 1,
                "}" => depth -= 1,
                "use" => at = file.import(&tokens, at + 1, Vec::new(), matches!(last, "pub" | ")")),
                word @ ("mod" | "struct" | "enum" | "trait" | "type" | "fn" | "const" | "static")
                    if is_word(next) && next != "fn" =>
                {
                    if word == "mod" && tokens.get(at + 2) == Some(&";") {
                        file.children.push(next.to_owned());
                    } else if depth == 0 {
                        file.items.insert(next.to_owned());
                    }
                    at += 1;
                }
                word if is_word(word) && !matches!(last, "." | "::") => {
                    let mut path = vec![word.to_owned()];
                    while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|word| is_word(word)) {
                        path.push(tokens[at + 2].to_owned());
                        at += 2;
                    }
                    // Alone, in `pub(super)`, they name nothing.
                    if path.len() > 1 || !matches!(word, "crate" | "super" | "self") {
                        file.paths.push(file.absolute(path));
                    }
                }
                _ => {}
            }
            at += 1;
        }
        file
    }

    /// Reads one tree of a `use`, which goes on from `path`; returns the place of what ends it.
    fn import(&mut self, tokens: &[&str], mut at: usize, mut path: Vec<String>, is_public: bool) -> usize {
        let (mut alias, before) = (None, path.len());
        loop {
            match tokens[at] {
                "{" => {
                    while tokens[at] != "}" {
                        at = self.import(tokens, at + 1, path.clone(), is_public);
                    }
                    return at + 1;
                }
                "*" => assert!(!matches!(path[0].as_str(), "crate" | "self" | "super"), "all of {path:?} is imported"),
                "," | ";" | "}" => break,
                "as" => alias = Some(tokens[at + 1].to_owned()),
                "self" if before > 0 => alias = path.last().cloned(),
                word if is_word(word) && alias.is_none() => path.push(word.to_owned()),
                _ => {}
            }
            at += 1;
        }
        // After the last comma nothing follows.
        if let Some(last) = path.last().cloned().filter(|_| alias.is_some() || path.len() > before) {
            let absolute = self.absolute(path);
            if !is_public {
                self.paths.push(absolute.clone());
            }
            self.imports.insert(alias.unwrap_or(last), absolute);
        }
        at
    }

    /// Spells a path from the root where it says from where it goes.
    fn absolute(&self, path: Vec<String>) -> Vec<String> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        match if path[0] == "self" { 1 } else { ups } {
            0 => path,
            skipped => [&["crate".to_owned()], &self.module[..self.module.len() - ups], &path[skipped..]].concat(),
        }
    }
}

fn is_word(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Lays tokens out in a row, without literals, lifetimes and what is compiled for tests alone.
fn flatten(stream: TokenStream, row: &mut Vec<String>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let text = tree.to_string();
        let next = trees.peek().map(ToString::to_string).unwrap_or_default();
        match tree {
            TokenTree::Punct(_) if text == "#" && next.replace(' ', "") == "[cfg(test)]" => {
                let is_last = |tree: &TokenTree| match tree {
                    TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                    other => matches!(other.to_string().as_str(), ";" | ","),
                };
                trees.by_ref().find(is_last);
            }
            TokenTree::Punct(_) if text == "'" => drop(trees.next()),
            TokenTree::Punct(_) if text == ":" && next == ":" => {
                trees.next();
                row.push("::".to_owned());
            }
            TokenTree::Group(group) => {
                let (open, close) = if group.delimiter() == Delimiter::Brace { ("{", "}") } else { ("(", ")") };
                row.push(open.to_owned());
                flatten(group.stream(), row);
                row.push(close.to_owned());
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) => row.push(text),
            TokenTree::Literal(_) => {}
        }
    }
}
