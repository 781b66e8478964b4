//! Everything that can be said about one file, with places.
//!
//! Reads the text with positions, goes on after a mistake, and builds entries of what is good, so that
//! the checks across files see as much as possible. The words are in `words`.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::code::{Code, Severity};
use super::diagnostic::{Diagnostic, Source, Span, cut, quoted};
use super::flatten::{Flat, Member, Trouble, flatten};
use super::merge::{CustomValues, Declared, Draft, MERGE_KEY, Section, Slot};
use super::positioned::{self, Fault, Node, Pair, Scalar, Value};
use super::tally::Tally;
use super::{rules, words};
use crate::model::{ApolloId, ContactKey, CustomFieldId, Entry, Field, Place};

/// What a file holds and what is wrong with it.
#[derive(Debug)]
pub(super) struct Checked {
    /// In the order of the file; a key may come twice.
    pub(super) entries: Vec<Entry>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Checked {
    pub(super) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }
}

/// Reads `source` with positions and reports all mistakes in it.
pub(super) fn check(source: &Source) -> Checked {
    let tree = positioned::parse(source);
    let mut checker = Checker { source, key: None, entries: Vec::new(), found: Tally::default(), errors: 0 };
    tree.documents.iter().for_each(|document| checker.document(document));
    checker.key = None;
    if let Some(fault) = &tree.fault {
        // The one that keeps the rest from being read is told whatever there is before it.
        let fault = words::fault(fault).at(source.location(fault.span));
        let mut diagnostics = checker.found.finish(|span| source.location(span));
        diagnostics.push(fault);
        return Checked { entries: checker.entries, diagnostics };
    }
    Checked { entries: checker.entries, diagnostics: checker.found.finish(|span| source.location(span)) }
}

/// Reports whether an entry says who it is: by e-mail, a name or an id.
pub(super) fn identifies_a_person(entry: &Entry) -> bool {
    let says = |field| entry.fields.text(&field).is_some_and(|text| !text.trim().is_empty());
    entry.apollo_id.is_some() || [Field::Email, Field::FirstName, Field::LastName].into_iter().any(says)
}

struct Checker<'s> {
    source: &'s Source,
    /// The contact that is being checked.
    key: Option<ContactKey>,
    entries: Vec<Entry>,
    found: Tally,
    /// How many errors were found, kept or not.
    errors: usize,
}

impl Checker<'_> {
    /// Reports a finding; its words are not made when it is one of too many.
    fn report(&mut self, span: Span, diagnostic: impl FnOnce() -> Diagnostic) {
        if self.found.is_full() {
            self.errors += 1;
            return self.found.count(span);
        }
        let diagnostic = diagnostic();
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.found.has_room_for(diagnostic.severity) {
            let diagnostic = diagnostic.about(self.key.as_ref()).at(self.source.location(span));
            self.found.keep(span, diagnostic);
        } else {
            self.found.count(span);
        }
    }

    fn document(&mut self, root: &Rc<Node>) {
        if root.is_null() {
            return;
        }
        let Value::Map(pairs) = &root.value else {
            return self
                .report(root.span, || words::wrong_type("a document", "a map with `contacts` and `defaults`", root));
        };
        let sections = self.flatten(pairs, true);
        for (name, _) in pairs {
            if matches!(&name.value, Value::Scalar(scalar) if scalar.text == MERGE_KEY) {
                self.report(name.span, || words::unknown_section(MERGE_KEY));
            }
        }
        for unknown in sections.members.iter().filter(|member| Section::named(&member.name).is_none()) {
            self.report(unknown.name_node.span, || words::unknown_section(&unknown.name));
        }
        self.key = None;
        let defaults = match sections.get("defaults") {
            Some(defaults) => self.draft(defaults, true),
            None => Draft::default(),
        };
        if let Some(contacts) = sections.get("contacts") {
            self.contacts(contacts, &defaults);
        }
    }

    fn contacts(&mut self, section: &Member, defaults: &Draft) {
        let Some(pairs) = self.map(section, "`contacts`", "a map from keys to contacts") else { return };
        // A key that stands twice is found with all other files in view.
        for member in self.flatten(pairs, false).members {
            self.contact(&member, defaults);
            self.key = None;
        }
    }

    fn contact(&mut self, member: &Member, defaults: &Draft) {
        self.key = ContactKey::parse(&member.name).ok();
        if self.key.is_none() {
            self.report(member.name_node.span, || words::invalid_key(&member.name));
        }
        let errors_before = self.errors;
        let draft = self.draft(member, false);
        let Some(key) = self.key.clone() else { return };
        let entry = draft.into_entry(Place { path: Arc::clone(&self.source.path), key }, defaults);
        if self.errors == errors_before && !identifies_a_person(&entry) {
            self.report(member.name_node.span, || words::no_identity(&member.name));
        }
        self.entries.push(entry);
    }

    /// Follows merge keys and reports what is wrong with the map itself.
    fn flatten(&mut self, pairs: &[Pair], names_are_unique: bool) -> Flat {
        let mut flat = flatten(pairs);
        for trouble in std::mem::take(&mut flat.troubles) {
            match trouble {
                Trouble::Duplicate { name, first, again } if names_are_unique || name == MERGE_KEY => {
                    let source = self.source;
                    self.report(again.span, || {
                        words::duplicate_name(&name).relating("first here", source.location(first.span))
                    });
                }
                Trouble::Duplicate { .. } => {}
                Trouble::NameNotText(node) => self.report(node.span, || words::wrong_type("a name", "text", &node)),
                Trouble::NotMergeable { name, value } => {
                    self.report(name.span, || words::wrong_type("`<<`", "a map or a list of maps", &value));
                }
            }
        }
        flat
    }

    /// Returns the pairs of a map; null is an empty one.
    fn map<'n>(&mut self, member: &'n Member, what: &str, expected: &str) -> Option<&'n [Pair]> {
        match &member.value.value {
            Value::Map(pairs) => Some(pairs),
            Value::Scalar(scalar) if scalar.is_null() => Some(&[]),
            Value::Scalar(_) | Value::List(_) => {
                self.report(blamed(member), || words::wrong_type(what, expected, &member.value));
                None
            }
        }
    }

    fn draft(&mut self, member: &Member, in_defaults: bool) -> Draft {
        let mut draft = Draft::default();
        let what = if in_defaults { "`defaults`".to_owned() } else { format!("the contact {}", quoted(&member.name)) };
        let Some(pairs) = self.map(member, &what, "a map of fields") else { return draft };
        for field in self.flatten(pairs, true).members {
            match Slot::named(&field.name) {
                None => self.report(field.name_node.span, || words::unknown_field(&field.name)),
                Some(slot) if in_defaults && slot.belongs_to_one_contact() => {
                    self.report(field.name_node.span, || words::not_for_defaults(&field.name));
                }
                Some(slot) if draft.holds(&slot) => {}
                Some(slot) => self.slot(slot, &field, &mut draft),
            }
        }
        draft
    }

    fn slot(&mut self, slot: Slot, member: &Member, draft: &mut Draft) {
        match slot {
            Slot::Text(field) => {
                let value = self.text_of(&field, member);
                draft.texts.push((field, value));
            }
            Slot::Lists => draft.lists = self.lists(member),
            Slot::Custom => draft.custom = self.custom(member),
            Slot::RunDedupe => draft.run_dedupe = self.run_dedupe(member),
            Slot::ApolloId => {
                draft.apollo_id = self.parsed(member, ApolloId::parse, |text| words::invalid_id(&member.name, text));
            }
            Slot::MovedFrom => {
                draft.moved_from = self.parsed(member, |text| ContactKey::parse(text).ok(), words::invalid_key);
            }
        }
    }

    /// Reads text; one that is no good for its field counts as absent.
    fn text_of(&mut self, field: &Field, member: &Member) -> Declared<String> {
        let value = self.text(member);
        let Declared::Is(text) = &value else { return value };
        let Some(complaint) = rules::judge(field, text) else { return value };
        let diagnostic = words::complaint(&member.name, text, &complaint);
        let severity = diagnostic.severity;
        self.report(member.value.span, || diagnostic);
        if severity == Severity::Error { Declared::Absent } else { value }
    }

    fn text(&mut self, member: &Member) -> Declared<String> {
        match &member.value.value {
            Value::Scalar(scalar) if scalar.is_null() => self.null(scalar, member),
            Value::Scalar(scalar) => Declared::Is(scalar.text.clone()),
            Value::List(_) | Value::Map(_) => {
                let what = format!("`{}`", member.name);
                self.report(blamed(member), || words::wrong_type(&what, "text", &member.value));
                Declared::Absent
            }
        }
    }

    fn null<T>(&mut self, scalar: &Scalar, member: &Member) -> Declared<T> {
        if rules::is_doubtful_null(&scalar.text) {
            self.report(member.value.span, || words::bare_null(&scalar.text));
        }
        Declared::Null
    }

    fn parsed<T>(
        &mut self,
        member: &Member,
        parse: impl Fn(&str) -> Option<T>,
        complain: impl Fn(&str) -> Diagnostic,
    ) -> Declared<T> {
        match self.text(member) {
            Declared::Absent => Declared::Absent,
            Declared::Null => Declared::Null,
            Declared::Is(text) => parse(&text).map_or_else(
                || {
                    self.report(member.value.span, || complain(&text));
                    Declared::Absent
                },
                Declared::Is,
            ),
        }
    }

    fn run_dedupe(&mut self, member: &Member) -> Declared<bool> {
        match &member.value.value {
            Value::Scalar(scalar) if scalar.is_null() => self.null(scalar, member),
            Value::Scalar(Scalar { text, plain: true, .. }) if rules::truth(text).is_some() => {
                rules::truth(text).map_or(Declared::Absent, Declared::Is)
            }
            _ => {
                self.report(blamed(member), || words::invalid_run_dedupe(&member.value));
                Declared::Absent
            }
        }
    }

    fn lists(&mut self, member: &Member) -> Declared<BTreeSet<String>> {
        let items = match &member.value.value {
            Value::List(items) => items,
            Value::Scalar(scalar) if scalar.is_null() => return Declared::Null,
            Value::Scalar(_) | Value::Map(_) => {
                self.report(blamed(member), || words::wrong_type("`label_names`", "a list of names", &member.value));
                return Declared::Absent;
            }
        };
        let names: BTreeSet<_> = items.iter().filter_map(|item| self.list_name(item)).collect();
        if let Some((one, other)) = rules::twins_by_case(&names) {
            let place = |name: &str| {
                items.iter().find(|item| matches!(&item.value, Value::Scalar(scalar) if scalar.text == name))
            };
            let (first, again) = (place(one), place(other));
            let mut spans: Vec<_> = [first, again].into_iter().flatten().map(|item| item.span).collect();
            spans.sort_by_key(|span| (span.line, span.column));
            if let [first, again] = spans[..] {
                let source = self.source;
                self.report(again, || {
                    words::list_names_differ_by_case(one, other).relating("the other name", source.location(first))
                });
            }
        }
        Declared::Is(names)
    }

    fn list_name(&mut self, item: &Node) -> Option<String> {
        let diagnostic = match &item.value {
            Value::Scalar(scalar) if scalar.is_null() => words::null_list_item(&scalar.text),
            Value::Scalar(scalar) if scalar.text.trim().is_empty() => words::empty_list_name(),
            Value::Scalar(scalar) => return Some(scalar.text.clone()),
            Value::List(_) | Value::Map(_) => words::wrong_type("an item of `label_names`", "text", item),
        };
        self.report(item.span, || diagnostic);
        None
    }

    fn custom(&mut self, member: &Member) -> Declared<CustomValues> {
        if member.value.is_null() {
            return Declared::Null;
        }
        let Some(pairs) = self.map(member, "`typed_custom_fields`", "a map from field ids to text") else {
            return Declared::Absent;
        };
        let mut values = CustomValues::new();
        for field in self.flatten(pairs, true).members {
            let Some(id) = CustomFieldId::parse(&field.name) else {
                self.report(field.name_node.span, || words::invalid_custom_field_id(&field.name));
                continue;
            };
            let value = self.text(&field);
            values.entry(id).or_insert(value);
        }
        Declared::Is(values)
    }
}

/// Returns where to point for a value of the wrong kind: a list or map begins a line later, so at its name.
fn blamed(member: &Member) -> Span {
    match member.value.value {
        Value::Scalar(_) => member.value.span,
        Value::List(_) | Value::Map(_) => member.name_node.span,
    }
}

/// Makes one error of a text that the fast reader refuses and the careful one finds good.
pub(super) fn refused_by_fast_reader(source: &Source, error: &serde_yaml::Error) -> Diagnostic {
    let location = error.location().map(|place| Span { line: place.line(), column: place.column(), width: 1 });
    if let Some(span) = location.and_then(|place| positioned::tab_near(source, place)) {
        let fault = Fault { code: Code::TabIndentation, span, message: error.to_string() };
        return words::fault(&fault).at(source.location(span));
    }
    let diagnostic = Diagnostic::new(
        Code::InvalidYaml,
        "The file is not valid YAML",
        format!(
            "The YAML parser says: {}. Write this place in a plainer way; quotes around text help most.",
            cut(&error.to_string())
        ),
    );
    diagnostic.at(source.location(location.unwrap_or(Span { line: 1, column: 1, width: 1 })))
}
