//! One map of the careful reader with its merge keys followed.

use std::collections::HashMap;
use std::rc::Rc;

use super::merge::MERGE_KEY;
use super::positioned::{Node, Pair, Value};

/// A name with its value, where they stand, whatever merge key they came by.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) name_node: Rc<Node>,
    pub(super) value: Rc<Node>,
}

/// What is wrong with a map as a map.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The same name twice: where first, where again.
    Duplicate { name: String, first: Rc<Node>, again: Rc<Node> },
    /// A name that is a list or a map.
    NameNotText(Rc<Node>),
    /// A merge key with something that cannot be merged.
    NotMergeable { name: Rc<Node>, value: Rc<Node> },
}

/// A map without merge keys.
#[derive(Debug, Default)]
pub(super) struct Flat {
    /// In the order written, repeated names included; merged ones follow, each name once.
    pub(super) members: Vec<Member>,
    pub(super) troubles: Vec<Trouble>,
}

impl Flat {
    /// Returns the first member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// Follows the merge keys of a map. Names that stand in it win, then earlier maps over later ones.
pub(super) fn flatten(pairs: &[Pair]) -> Flat {
    let mut flat = Flat::default();
    let mut seen: HashMap<&str, &Rc<Node>> = HashMap::new();
    let mut bases = Vec::new();
    for (name_node, value) in pairs {
        let Value::Scalar(scalar) = &name_node.value else {
            flat.troubles.push(Trouble::NameNotText(Rc::clone(name_node)));
            continue;
        };
        if let Some(first) = seen.insert(&scalar.text, name_node) {
            let (first, again) = (Rc::clone(first), Rc::clone(name_node));
            flat.troubles.push(Trouble::Duplicate { name: scalar.text.clone(), first, again });
        }
        if scalar.text == MERGE_KEY {
            bases.push((name_node, value));
        } else {
            let (name_node, value) = (Rc::clone(name_node), Rc::clone(value));
            flat.members.push(Member { name: scalar.text.clone(), name_node, value });
        }
    }
    for (name, value) in bases {
        merge(&mut flat, name, value);
    }
    flat
}

/// Adds what `value`, standing at a merge key, has and the map lacks.
fn merge(flat: &mut Flat, name: &Rc<Node>, value: &Rc<Node>) {
    let maps = match &value.value {
        Value::List(items) => items.as_slice(),
        Value::Map(_) | Value::Scalar(_) => std::slice::from_ref(value),
    };
    let mut held: std::collections::HashSet<_> = flat.members.iter().map(|member| member.name.clone()).collect();
    for map in maps {
        let Value::Map(pairs) = &map.value else {
            let (name, value) = (Rc::clone(name), Rc::clone(map));
            flat.troubles.push(Trouble::NotMergeable { name, value });
            continue;
        };
        let base = flatten(pairs);
        flat.troubles.extend(base.troubles);
        flat.members.extend(base.members.into_iter().filter(|member| held.insert(member.name.clone())));
    }
}
