//! One map with its merge keys followed.

use std::borrow::Cow;
use std::collections::HashMap;

use super::merge::MERGE_KEY;
use super::tape::{Node, Pairs, Value};

/// A name with its value, where they stand, whatever merge key they came by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a, 't> {
    pub(super) name: &'a str,
    pub(super) name_node: Node<'a, 't>,
    pub(super) value: Node<'a, 't>,
}

/// What is wrong with a map as a map.
#[derive(Debug)]
pub(super) enum Trouble<'a, 't> {
    /// The same name twice: where first, where again.
    Duplicate { name: &'a str, first: Node<'a, 't>, again: Node<'a, 't> },
    /// A name that is a list or a map.
    NameNotText(Node<'a, 't>),
    /// A merge key with something that cannot be merged.
    NotMergeable { name: Node<'a, 't>, value: Node<'a, 't> },
}

/// A map without merge keys.
#[derive(Debug, Default)]
pub(super) struct Flat<'a, 't> {
    /// In the order written, repeated names included; merged ones follow, each name once.
    pub(super) members: Vec<Member<'a, 't>>,
    pub(super) troubles: Vec<Trouble<'a, 't>>,
}

/// Follows the merge keys of a map. Names that stand in it win, then earlier maps over later ones.
pub(super) fn flatten<'a, 't>(pairs: Pairs<'a, 't>) -> Flat<'a, 't> {
    let mut flat = Flat { members: Vec::with_capacity(16), troubles: Vec::new() };
    let mut seen = Seen::default();
    let mut bases = Vec::new();
    for (name_node, value) in pairs {
        let Some(scalar) = name_node.scalar() else {
            flat.troubles.push(Trouble::NameNotText(name_node));
            continue;
        };
        let name: &'a str = match &scalar.text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => text,
        };
        if let Some(first) = seen.insert(name, name_node) {
            flat.troubles.push(Trouble::Duplicate { name, first, again: name_node });
        }
        if name == MERGE_KEY {
            bases.push((name_node, value));
        } else {
            flat.members.push(Member { name, name_node, value });
        }
    }
    for (name, value) in bases {
        merge(&mut flat, &mut seen, name, value);
    }
    flat
}

/// Takes what `value`, standing at a merge key, would add to an empty map.
pub(super) fn merged<'a, 't>(name: Node<'a, 't>, value: Node<'a, 't>) -> Flat<'a, 't> {
    let mut flat = Flat::default();
    merge(&mut flat, &mut Seen::default(), name, value);
    flat
}

/// Adds what `value`, standing at a merge key, has and the map lacks.
fn merge<'a, 't>(flat: &mut Flat<'a, 't>, seen: &mut Seen<'a, 't>, name: Node<'a, 't>, value: Node<'a, 't>) {
    let mut add = |map: Node<'a, 't>| {
        let Value::Map(pairs) = map.value() else {
            flat.troubles.push(Trouble::NotMergeable { name, value: map });
            return;
        };
        let base = flatten(pairs);
        flat.troubles.extend(base.troubles);
        for member in base.members {
            if seen.insert(member.name, member.name_node).is_none() {
                flat.members.push(member);
            }
        }
    };
    match value.value() {
        Value::List(items) => items.for_each(add),
        Value::Map(_) | Value::Scalar(_) => add(value),
    }
}

/// From how many names on they are looked up by hash; few are found sooner one by one.
const MANY: usize = 32;

/// The names of a map so far.
#[derive(Default)]
struct Seen<'a, 't> {
    few: Vec<(&'a str, Node<'a, 't>)>,
    many: HashMap<&'a str, Node<'a, 't>>,
}

impl<'a, 't> Seen<'a, 't> {
    /// Notes a name; returns where it stood before.
    fn insert(&mut self, name: &'a str, node: Node<'a, 't>) -> Option<Node<'a, 't>> {
        if self.many.is_empty() {
            if let Some((_, first)) = self.few.iter().find(|(few, _)| *few == name) {
                return Some(*first);
            }
            self.few.push((name, node));
            if self.few.len() == MANY {
                self.many.extend(self.few.drain(..));
            }
            return None;
        }
        let first = self.many.get(name).copied();
        first.or_else(|| {
            self.many.insert(name, node);
            None
        })
    }
}
