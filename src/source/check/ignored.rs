//! Which fields of a contact are left as they are when somebody changes them in Apollo.

use std::collections::BTreeSet;

use super::super::diagnostic::Diagnostic;
use super::super::flatten::Member;
use super::super::merge::{Declared, Ignored};
use super::super::tape::{Node, Value};
use super::super::words;
use super::Checker;
use super::fields::blamed;

const WHAT: &str = "`ignore`";
const EXPECTED: &str = "a list of field names, or a map from field names to reasons";

impl Checker<'_> {
    /// Reads names of fields: a list of them, whose items may be maps from a name to a reason, or one such map.
    pub(super) fn ignored(&mut self, member: &Member<'_, '_>) -> Declared<BTreeSet<Ignored>> {
        let mut names = BTreeSet::new();
        match member.value.value() {
            Value::Scalar(scalar) if scalar.is_null() => return Declared::Null,
            Value::Scalar(_) => {
                self.report(blamed(member), || words::wrong_type(WHAT, EXPECTED, member.value));
                return Declared::Absent;
            }
            Value::Map(_) => self.ignored_with_reasons(member.value, &mut names),
            Value::List(items) => {
                for item in items {
                    match item.value() {
                        Value::Scalar(scalar) if !scalar.is_null() => {
                            let name = scalar.text.clone().into_owned();
                            self.ignored_name(&name, item, &mut names);
                        }
                        Value::Map(_) => self.ignored_with_reasons(item, &mut names),
                        Value::Scalar(_) | Value::List(_) => {
                            self.report(item.span(), || words::wrong_type("an item of `ignore`", "a field name", item));
                        }
                    }
                }
            }
        }
        Declared::Is(names)
    }

    fn ignored_with_reasons(&mut self, map: Node<'_, '_>, names: &mut BTreeSet<Ignored>) {
        let Value::Map(pairs) = map.value() else { return };
        for (name, reason) in pairs {
            let Some(scalar) = name.scalar() else {
                self.report(name.span(), || words::wrong_type("a field name", "text", name));
                continue;
            };
            if reason.scalar().is_none() {
                self.report(reason.span(), || words::wrong_type("a reason", "text", reason));
            }
            let text = scalar.text.clone().into_owned();
            self.ignored_name(&text, name, names);
        }
    }

    fn ignored_name(&mut self, name: &str, at: Node<'_, '_>, names: &mut BTreeSet<Ignored>) {
        match Ignored::named(name) {
            Some(ignored) => drop(names.insert(ignored)),
            None => self.report(at.span(), || -> Diagnostic { words::not_to_ignore(name) }),
        }
    }
}
