//! Where an entry and its fields stand, looked up in the file again.
//!
//! Entries carry no lines: of a million, only those that are shown need one. A link that leads out of where it stands
//! is not followed: between loading and showing, a file may have been replaced by one.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::{Location, Source, Span};
use super::flatten::{Member, flatten};
use super::positioned::{self, Node, Value};
use super::read;
use crate::beneath::{self, Root};
use crate::model::{ContactKey, Field, Place};

/// Returns where an entry's key or one of its fields stands now.
///
/// A field that comes from `defaults` or by a merge key is found where it is written; a field that is
/// not declared, at the key. `None` when the file cannot be read or no longer holds the key.
pub fn locate(place: &Place, field: Option<&Field>) -> Option<Location> {
    let file = Contents::read(&place.path)?;
    let found = file.contacts.get(place.key.as_str())?.first()?;
    let member = field.and_then(|field| match field {
        Field::Custom(id) => found.custom_field(id.as_str()),
        named => found.field(named.api_name()),
    });
    Some(file.source.location(member.as_ref().unwrap_or(&found.member).name_node.span))
}

/// Returns the lines at which entries stand now, by key, reading each file once.
///
/// A key that its file no longer holds is left out.
pub fn lines<'a>(places: impl IntoIterator<Item = &'a Place>) -> HashMap<ContactKey, usize> {
    let mut by_file: BTreeMap<&Arc<Path>, Vec<&ContactKey>> = BTreeMap::new();
    for place in places {
        by_file.entry(&place.path).or_default().push(&place.key);
    }
    let mut lines = HashMap::new();
    for (path, keys) in by_file {
        let Some(file) = Contents::read(path) else { continue };
        for key in keys {
            let found = file.contacts.get(key.as_str()).and_then(|found| found.first());
            lines.extend(found.map(|found| (key.clone(), found.member.name_node.span.line)));
        }
    }
    lines
}

/// One file with its contacts by key.
struct Contents {
    source: Source,
    contacts: HashMap<String, Vec<Found>>,
}

/// A contact as it stands in a file.
struct Found {
    member: Member,
    defaults: Option<Member>,
}

impl Found {
    fn field(&self, name: &str) -> Option<Member> {
        member(&self.member.value, name).or_else(|| member(&self.defaults.as_ref()?.value, name))
    }

    fn custom_field(&self, id: &str) -> Option<Member> {
        let maps = [Some(&self.member), self.defaults.as_ref()];
        let mut custom = maps.into_iter().flatten().filter_map(|map| member(&map.value, "typed_custom_fields"));
        custom.find_map(|custom| member(&custom.value, id))
    }
}

fn member(map: &Node, name: &str) -> Option<Member> {
    match &map.value {
        Value::Map(pairs) => flatten(pairs).get(name).cloned(),
        Value::Scalar(_) | Value::List(_) => None,
    }
}

impl Contents {
    /// Reads a file of which nothing but the path is known: what stands there may be another one by now.
    fn read(path: &Arc<Path>) -> Option<Self> {
        Self::parse(path, read::bytes(beneath::regular_downward(path).ok()?, path).ok()?)
    }

    fn parse(path: &Arc<Path>, bytes: Vec<u8>) -> Option<Self> {
        let source = Source::new(Arc::clone(path), read::text(path, bytes).ok()?);
        let mut contacts: HashMap<_, Vec<_>> = HashMap::new();
        for document in positioned::parse(&source).documents {
            let defaults = member(&document, "defaults");
            let Some(section) = member(&document, "contacts") else { continue };
            let Value::Map(pairs) = &section.value.value else { continue };
            for member in flatten(pairs).members {
                let found = Found { member, defaults: defaults.clone() };
                contacts.entry(found.member.name.clone()).or_default().push(found);
            }
        }
        Some(Self { source, contacts })
    }
}

/// Finds many places in the files below a directory, reading each file once.
pub(super) struct Finder<'r> {
    root: &'r Root,
    files: HashMap<Arc<Path>, Option<Contents>>,
}

impl<'r> Finder<'r> {
    pub(super) fn new(root: &'r Root) -> Self {
        Self { root, files: HashMap::new() }
    }

    fn contents(&mut self, path: &Arc<Path>) -> Option<&Contents> {
        let root = self.root;
        let read = || {
            let below = path.strip_prefix(root.named()).ok()?;
            Contents::parse(path, read::below(root, below).ok()?)
        };
        self.files.entry(Arc::clone(path)).or_insert_with(read).as_ref()
    }

    /// Returns every place in `path` that declares `key`; the file as a whole when it has changed since.
    pub(super) fn keys(&mut self, path: &Arc<Path>, key: &ContactKey) -> Vec<Location> {
        let places = self.contents(path).and_then(|file| {
            let found = file.contacts.get(key.as_str())?;
            Some(found.iter().map(|found| file.source.location(found.member.name_node.span)).collect())
        });
        places.unwrap_or_else(|| vec![Location::of_file(path)])
    }

    /// Returns the place of a field's value, or of the key where none is asked for or declared.
    pub(super) fn value(&mut self, place: &Place, name: Option<&str>) -> Location {
        let location = self.contents(&place.path).and_then(|file| {
            let found = file.contacts.get(place.key.as_str())?.first()?;
            let field = name.and_then(|name| found.field(name));
            let span = field.map_or(found.member.name_node.span, |member| value_span(&member));
            Some(file.source.location(span))
        });
        location.unwrap_or_else(|| Location::of_file(&place.path))
    }
}

/// Returns the place of a scalar, and of the name for anything that begins further down.
fn value_span(member: &Member) -> Span {
    match member.value.value {
        Value::Scalar(_) => member.value.span,
        Value::List(_) | Value::Map(_) => member.name_node.span,
    }
}
