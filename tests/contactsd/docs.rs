//! Links of the pages lead somewhere, and every page can be found.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// A page: the anchors of its headings, and where its links and pictures lead.
struct Page {
    anchors: BTreeSet<String>,
    links: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the anchor that GitHub and mdBook give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn page(text: &str) -> Page {
    let mut page = Page { anchors: BTreeSet::new(), links: Vec::new() };
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::End(TagEnd::Heading(_)) => {
                let first = anchor(&heading.take().expect("a heading that ends has begun"));
                let others = (1..).map(|number| format!("{first}-{number}"));
                let free = std::iter::once(first.clone()).chain(others).find(|name| !page.anchors.contains(name));
                page.anchors.extend(free);
            }
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                page.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }
    page
}

/// Returns every page of the project, by its path from the root.
fn pages() -> BTreeMap<PathBuf, Page> {
    let mut pages = BTreeMap::new();
    let mut places = vec![PathBuf::new()];
    while let Some(place) = places.pop() {
        for entry in fs::read_dir(root().join(&place)).unwrap() {
            let entry = entry.unwrap();
            let path = place.join(entry.file_name());
            let is_ours = !["target", "tests/fixtures"].iter().any(|other| path == Path::new(other));
            if entry.file_type().unwrap().is_dir() && is_ours && !entry.file_name().as_encoded_bytes().starts_with(b".")
            {
                places.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(root().join(&path)).unwrap();
                pages.insert(path, page(&text));
            }
        }
    }
    pages
}

/// Returns `path` without `.` and `..`; none when it leads out of the project.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::Normal(name) => plain.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(plain)
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_there_are() {
    let pages = pages();
    assert!(pages.len() > 60, "{}", pages.len());
    let mut broken = Vec::new();
    for (path, page) in &pages {
        for link in page.links.iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, at)| (file, Some(at)));
            let target = match file {
                "" => Some(path.clone()),
                file => plain(&path.parent().expect("a page is in a folder").join(file)),
            };
            let exists = target.as_ref().is_some_and(|target| root().join(target).exists());
            let has_heading = heading.is_none_or(|heading| {
                let page = target.as_ref().and_then(|target| pages.get(target));
                page.is_some_and(|page| page.anchors.contains(heading))
            });
            if !exists || !has_heading {
                broken.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert_eq!(broken, [""; 0]);
}

#[test]
fn every_page_of_the_docs_is_in_the_book_and_in_the_list_of_pages() {
    let pages = pages();
    let linked = |from: &str| -> BTreeSet<PathBuf> {
        let page = &pages[Path::new(from)];
        page.links.iter().filter_map(|link| plain(&Path::new("docs").join(link))).collect()
    };
    let (book, list) = (linked("docs/SUMMARY.md"), linked("docs/README.md"));
    let errors = Path::new("docs/errors");
    for path in pages.keys().filter(|path| path.starts_with("docs") && !path.ends_with("SUMMARY.md")) {
        assert!(book.contains(path), "{} is not in docs/SUMMARY.md", path.display());
        let is_an_error = path.parent() == Some(errors) && !path.ends_with("README.md");
        let is_the_list = path == Path::new("docs/README.md");
        let listed = list.contains(path) || (path.ends_with("errors/README.md") && list.contains(errors));
        assert!(listed || is_an_error || is_the_list, "{} is not in docs/README.md", path.display());
    }
}
