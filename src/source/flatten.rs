//! One map with its merge keys followed.

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
    /// How many of the members stand in the map itself.
    pub(super) own: usize,
    pub(super) troubles: Vec<Trouble<'a, 't>>,
}

/// Follows the merge keys of a map. Names that stand in it win, then earlier maps over later ones.
pub(super) fn flatten<'a, 't>(pairs: Pairs<'a, 't>) -> Flat<'a, 't> {
    let mut flat = Flat { members: Vec::with_capacity(MANY / 2), own: 0, troubles: Vec::new() };
    let mut index = Index::default();
    let mut bases: Vec<(Node<'a, 't>, Node<'a, 't>)> = Vec::new();
    for (name_node, value) in pairs {
        let Some(scalar) = name_node.scalar() else {
            flat.troubles.push(Trouble::NameNotText(name_node));
            continue;
        };
        let name: &'a str = &scalar.text;
        let first = if name == MERGE_KEY {
            bases.push((name_node, value));
            bases.first().map(|(first, _)| *first).filter(|_| bases.len() > 1)
        } else {
            let first = index.find(&flat.members, name).map(|at| flat.members[at].name_node);
            flat.members.push(Member { name, name_node, value });
            first
        };
        if let Some(first) = first {
            flat.troubles.push(Trouble::Duplicate { name, first, again: name_node });
        }
    }
    flat.own = flat.members.len();
    for (name, value) in bases {
        merge(&mut flat, &mut index, name, value);
    }
    flat
}

/// Takes what `value`, standing at a merge key, would add to an empty map.
pub(super) fn merged<'a, 't>(name: Node<'a, 't>, value: Node<'a, 't>) -> Flat<'a, 't> {
    let mut flat = Flat::default();
    merge(&mut flat, &mut Index::default(), name, value);
    flat
}

/// Adds what `value`, standing at a merge key, has and the map lacks.
fn merge<'a, 't>(flat: &mut Flat<'a, 't>, index: &mut Index<'a>, name: Node<'a, 't>, value: Node<'a, 't>) {
    let mut add = |map: Node<'a, 't>| {
        let Value::Map(pairs) = map.value() else {
            flat.troubles.push(Trouble::NotMergeable { name, value: map });
            return;
        };
        let base = flatten(pairs);
        flat.troubles.extend(base.troubles);
        for member in base.members {
            if index.find(&flat.members, member.name).is_none() {
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

/// Where the names of many members stand first; empty while there are few.
#[derive(Default)]
struct Index<'a> {
    numbers: HashMap<&'a str, usize>,
    /// How many members are in it.
    counted: usize,
}

impl<'a> Index<'a> {
    /// Returns the number of the first member with a name.
    fn find(&mut self, members: &[Member<'a, '_>], name: &str) -> Option<usize> {
        if members.len() < MANY {
            return members.iter().position(|member| member.name == name);
        }
        for (number, member) in members.iter().enumerate().skip(self.counted) {
            self.numbers.entry(member.name).or_insert(number);
        }
        self.counted = members.len();
        self.numbers.get(name).copied()
    }
}
