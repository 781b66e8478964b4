//! What is wrong between contacts: two keys, two claims, two people who are one.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::code::{Code, Severity};
use super::collapse::{self, Group};
use super::diagnostic::{Diagnostic, Location};
use super::locate::Finder;
use super::moves::{self, BadMove};
use super::tally::{self, KEPT};
use crate::beneath::Root;
use crate::model::{ApolloId, ContactKey, Entry};

/// Most other places that one diagnostic names.
const MAX_RELATED: usize = 8;

/// The files in which a key stands that was declared more than once.
pub(super) type Repeated = BTreeMap<ContactKey, BTreeSet<Arc<Path>>>;

/// Reports what is wrong with all entries taken together.
///
/// Where they stand is looked up in the files below `root`.
pub(super) fn check(entries: &BTreeMap<ContactKey, Entry>, repeated: &Repeated, root: &Root) -> Vec<Diagnostic> {
    let mut finder = Finder::new(root);
    let mut first = First::default();
    for (key, paths) in repeated {
        first.take(Code::DuplicateKey, || duplicate_key(key, paths, &mut finder));
    }
    for (id, sharers) in shared_ids(entries) {
        first.take(Code::SharedApolloId, || shared_id(id, &sharers, &mut finder));
    }
    for bad in moves::bad_moves(entries) {
        first.take(bad.code, || bad_move(&bad, &mut finder));
    }
    for group in collapse::groups(entries) {
        first.take(group.code, || collapsed(&group, &mut finder));
    }
    first.finish()
}

/// The first findings of each severity, with how many more there are, since each costs a look into its files.
#[derive(Default)]
struct First {
    kept: Vec<Diagnostic>,
    errors: Counted,
    warnings: Counted,
}

#[derive(Default)]
struct Counted {
    found: usize,
    /// Where the first one stands that is not shown.
    beyond: Option<Location>,
}

impl First {
    fn take(&mut self, code: Code, find: impl FnOnce() -> Diagnostic) {
        let counted = match code.severity() {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        counted.found += 1;
        match counted.found.cmp(&(KEPT + 1)) {
            Ordering::Less => self.kept.push(find()),
            Ordering::Equal => counted.beyond = find().location,
            Ordering::Greater => {}
        }
    }

    fn finish(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.kept;
        for (severity, Counted { found, beyond }) in
            [(Severity::Error, self.errors), (Severity::Warning, self.warnings)]
        {
            if let Some(beyond) = beyond {
                diagnostics.push(tally::further(severity, found - KEPT, "between contacts", beyond));
            }
        }
        diagnostics
    }
}

fn duplicate_key(key: &ContactKey, paths: &BTreeSet<Arc<Path>>, finder: &mut Finder<'_>) -> Diagnostic {
    let mut places = paths.iter().flat_map(|path| finder.keys(path, key)).collect::<Vec<_>>().into_iter();
    let first = places.next();
    let mut diagnostic = Diagnostic::new(
        Code::DuplicateKey,
        format!("The key {key} is declared twice"),
        "A key is one contact over all files, and only one of these could count. Rename one or remove it.",
    )
    .about(Some(key))
    .at(places.next().or(first.clone()));
    diagnostic.related.extend(first.map(|first| ("first declared here".to_owned(), first)));
    diagnostic.related.extend(places.map(|place| ("also here".to_owned(), place)).take(MAX_RELATED - 1));
    diagnostic
}

fn shared_ids(entries: &BTreeMap<ContactKey, Entry>) -> Vec<(&ApolloId, Vec<&Entry>)> {
    let mut by_id: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for entry in entries.values() {
        if let Some(id) = &entry.apollo_id {
            by_id.entry(id).or_default().push(entry);
        }
    }
    by_id.into_iter().filter(|(_, sharers)| sharers.len() > 1).collect()
}

fn shared_id(id: &ApolloId, sharers: &[&Entry], finder: &mut Finder<'_>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::SharedApolloId,
        format!("{} have one apollo_id", keys(sharers)),
        format!("The contact {id} can belong to one key only. Keep the key that it is and remove the other line."),
    );
    naming_all(diagnostic, sharers, "apollo_id", finder)
}

fn collapsed(group: &Group<'_>, finder: &mut Finder<'_>) -> Diagnostic {
    let keys = keys(&group.entries);
    let (summary, reason) = match group.code {
        Code::SameEmail => (
            format!("{keys} share an e-mail address"),
            "Apollo matches contacts by e-mail. It ignores capital letters and what follows a plus sign, so it would make one contact of them.",
        ),
        Code::SameNameAndCompany => (
            format!("{keys} share a name and a company"),
            "Apollo takes people with the same name and company for one person, and would make one contact of them.",
        ),
        Code::SameNameAndDomain => (
            format!("{keys} share a name and an e-mail domain"),
            "Apollo finds the company by the domain of the e-mail, takes people with the same name and company for one person, and would make one contact of them.",
        ),
        _ => (
            format!("{keys} share a name and a public mail provider"),
            "Apollo may find the company by the domain of the e-mail. For a public provider that is unlikely, but its documentation does not rule it out.",
        ),
    };
    let detail = format!(
        "{reason} If they are one person, remove all but one; if they are not, write `run_dedupe: false` in each, or in each the `apollo_id` of its contact."
    );
    naming_all(Diagnostic::new(group.code, summary, detail), &group.entries, group.field.api_name(), finder)
}

/// Points at the first entry's field and relates the others'.
fn naming_all(diagnostic: Diagnostic, entries: &[&Entry], field: &str, finder: &mut Finder<'_>) -> Diagnostic {
    let mut entries = entries.iter();
    let Some(first) = entries.next() else { return diagnostic };
    let mut diagnostic = diagnostic.about(Some(first.key())).at(finder.value(&first.place, Some(field)));
    for entry in entries.take(MAX_RELATED) {
        diagnostic = diagnostic.relating(format!("{} here", entry.key()), finder.value(&entry.place, Some(field)));
    }
    diagnostic
}

/// Lists the keys of `entries` for a summary, the first few of many.
fn keys(entries: &[&Entry]) -> String {
    match entries {
        [one, other] => format!("{} and {}", one.key(), other.key()),
        [one, other, rest @ ..] => format!("{}, {} and {} more", one.key(), other.key(), rest.len()),
        _ => entries.iter().map(|entry| entry.key().to_string()).collect(),
    }
}

fn bad_move(bad: &BadMove<'_>, finder: &mut Finder<'_>) -> Diagnostic {
    let BadMove { code, entry, from, other } = bad;
    let key = entry.key();
    let (summary, detail) = match code {
        Code::MovedFromItself => (
            format!("{key} is moved from its own key"),
            "A move names the key a contact had before. Remove the line, or write the earlier key.".to_owned(),
        ),
        Code::MovedFromCycle => (
            format!("The move of {key} from {from} is part of a cycle"),
            "Following the moves leads back to this contact, so none of them can be first. To exchange two keys, move one to a third key and apply; move the other and apply; then move the first again."
                .to_owned(),
        ),
        Code::MovedFromChain => (
            format!("{key} is moved from {from}, which is itself moved"),
            format!(
                "Moves are done one at a time: {from} is still declared. Remove `moved_from` here, apply, and put it back; or name the oldest key here."
            ),
        ),
        Code::MovedFromTwice => (
            format!("{key} is moved from {from}, and so is another contact"),
            "One old key can become only one new key. Remove the line from one of them.".to_owned(),
        ),
        _ => (
            format!("{key} is moved from {from}, which is still declared"),
            format!("A contact cannot have both keys. Remove the contact {from} from the files, or remove this line."),
        ),
    };
    let mut diagnostic =
        Diagnostic::new(*code, summary, detail).about(Some(key)).at(finder.value(&entry.place, Some("moved_from")));
    if let Some(other) = other {
        let claims_too = *code == Code::MovedFromTwice;
        let (label, field) = if claims_too { ("the other move", Some("moved_from")) } else { ("declared here", None) };
        diagnostic = diagnostic.relating(label, finder.value(&other.place, field));
    }
    diagnostic
}
