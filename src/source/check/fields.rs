//! What stands in one map of fields: each value by the rules for its field. What is declared by name is in `named`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::code::Severity;
use super::super::diagnostic::{Diagnostic, Span, quoted};
use super::super::flatten::{Flat, Member, Trouble, flatten};
use super::super::merge::{CustomValues, Declared, Draft, MERGE_KEY, Slot};
use super::super::outline::Part;
use super::super::tape::{Node, Pairs, Scalar, Style, Value};
use super::super::{rules, words};
use super::Checker;
use crate::model::{ApolloId, ContactKey, CustomFieldId, Field};

impl<'s> Checker<'s> {
    /// Follows merge keys and reports what is wrong with the map itself.
    pub(super) fn flatten<'a, 't>(&mut self, pairs: Pairs<'a, 't>, names_are_unique: bool) -> Flat<'a, 't> {
        self.told(flatten(pairs), names_are_unique)
    }

    pub(super) fn told<'a, 't>(&mut self, mut flat: Flat<'a, 't>, names_are_unique: bool) -> Flat<'a, 't> {
        for trouble in std::mem::take(&mut flat.troubles) {
            match trouble {
                Trouble::Duplicate { name, first, again } if names_are_unique || name == MERGE_KEY => {
                    let source = self.source;
                    self.report(again.span(), || {
                        words::duplicate_name(name).relating("first here", source.location(first.span()))
                    });
                }
                Trouble::Duplicate { .. } => {}
                Trouble::NameNotText(node) => self.report(node.span(), || words::wrong_type("a name", "text", node)),
                Trouble::NotMergeable { name, value } => {
                    self.report(name.span(), || words::wrong_type("`<<`", "a map or a list of maps", value));
                }
            }
        }
        flat
    }

    /// Returns the pairs of a map; null is an empty one.
    pub(super) fn map<'a, 't>(&mut self, member: &Member<'a, 't>, what: &str, expected: &str) -> Option<Pairs<'a, 't>> {
        match member.value.value() {
            Value::Map(pairs) => Some(pairs),
            Value::Scalar(scalar) if scalar.is_null() => {
                self.warn_if_cut(member.value, member.name_node);
                Some(Pairs::NONE)
            }
            Value::Scalar(_) | Value::List(_) => {
                self.report(blamed(member), || words::wrong_type(what, expected, member.value));
                None
            }
        }
    }

    pub(super) fn draft(&mut self, member: &Member<'_, 's>, in_defaults: bool) -> Draft<'s> {
        let mut draft = Draft::default();
        let found = if let Value::Map(pairs) = member.value.value() {
            Some(pairs)
        } else {
            let what =
                if in_defaults { "`defaults`".to_owned() } else { format!("the contact {}", quoted(member.name)) };
            self.map(member, &what, "a map of fields")
        };
        let Some(pairs) = found else { return draft };
        let Flat { members, own, .. } = self.flatten(pairs, true);
        draft.texts.reserve_exact(members.len());
        let mut places = Places::default();
        for (number, field) in members.into_iter().enumerate() {
            places.is_own = number < own;
            match Slot::named(field.name) {
                None => self.report(field.name_node.span(), || words::unknown_field(field.name)),
                Some(slot) if in_defaults && slot.belongs_to_one_contact() => {
                    self.report(field.name_node.span(), || words::not_for_defaults(field.name));
                }
                Some(slot) if draft.holds(&slot) => self.report_second_stage(&slot, &field, &places),
                Some(slot) => {
                    self.note(|| Part::Slot(slot.name()), &field);
                    self.slot(slot, &field, &mut draft, &mut places);
                }
            }
        }
        draft
    }

    /// Reports a stage that stands in the map by its name and by its id.
    fn report_second_stage(&mut self, slot: &Slot, member: &Member<'_, '_>, places: &Places) {
        let Some((other, first)) = places.stage.as_ref().filter(|(other, _)| *other != slot.name()) else { return };
        if places.is_own {
            let source = self.source;
            self.report(member.name_node.span(), || {
                let first = source.location(*first);
                words::name_and_id("The stage", slot.name(), other).relating(format!("`{other}` here"), first)
            });
        }
    }

    /// Notes where a part of a contact stands, when that is asked for.
    pub(super) fn note(&mut self, part: impl FnOnce() -> Part, member: &Member<'_, '_>) {
        if let Some(outline) = &mut self.outline {
            outline.note(part(), member.name_node.span(), blamed(member));
        }
    }

    fn slot(&mut self, slot: Slot, member: &Member<'_, 's>, draft: &mut Draft<'s>, places: &mut Places) {
        match slot {
            Slot::Text(field) => {
                if field == Field::ContactStageId {
                    places.stage = Some(("contact_stage_id", member.name_node.span()));
                }
                let value = self.text_of(&field, member);
                draft.texts.push((field, value));
            }
            Slot::Stage => {
                places.stage = Some(("contact_stage", member.name_node.span()));
                let value = self.stage(member);
                draft.texts.push((Field::ContactStageId, value));
            }
            Slot::Lists => draft.lists = self.lists(member),
            Slot::Custom => {
                let read = self.custom(member);
                draft.custom = self.without_doubles(read, &draft.labelled, places);
            }
            Slot::Labelled => {
                let read = self.labelled(member);
                draft.labelled = self.without_doubles(read, &draft.custom, places);
            }
            Slot::RunDedupe => draft.run_dedupe = self.run_dedupe(member),
            Slot::ApolloId => {
                draft.apollo_id = self.parsed(member, ApolloId::parse, |text| words::invalid_id(member.name, text));
            }
            Slot::Ignore => draft.ignored = self.ignored(member),
            Slot::MovedFrom => {
                draft.moved_from = self.parsed(member, |text| ContactKey::parse(text).ok(), words::invalid_key);
            }
        }
    }

    /// Reads text; one that is no good for its field counts as absent.
    fn text_of(&mut self, field: &Field, member: &Member<'_, 's>) -> Declared<Cow<'s, str>> {
        let value = self.text(member);
        let Declared::Is(text) = &value else { return value };
        let Some(complaint) = rules::judge(field, text) else {
            self.warn_of_blanks(member.value);
            return value;
        };
        let diagnostic = words::complaint(member.name, text, &complaint);
        let severity = diagnostic.severity;
        self.tell(member.value.span(), diagnostic);
        if severity == Severity::Error { Declared::Absent } else { value }
    }

    pub(super) fn text<'t>(&mut self, member: &Member<'_, 't>) -> Declared<Cow<'t, str>> {
        match member.value.value() {
            Value::Scalar(scalar) => {
                self.warn_if_cut(member.value, member.name_node);
                if scalar.is_null() { self.null(scalar, member) } else { Declared::Is(scalar.text.clone()) }
            }
            Value::List(_) | Value::Map(_) => {
                let what = format!("`{}`", member.name);
                self.report(blamed(member), || words::wrong_type(&what, "text", member.value));
                Declared::Absent
            }
        }
    }

    fn null<T>(&mut self, scalar: &Scalar<'_>, member: &Member<'_, '_>) -> Declared<T> {
        if rules::is_doubtful_null(&scalar.text) {
            self.warn(member.value.span(), || words::bare_null(&scalar.text));
        }
        Declared::Null
    }

    /// Warns of a plain value that a ` #` cuts off, or one that begins with `#` and so is none.
    ///
    /// A comment has a blank behind its sign; `#200` and `#1 in sales` were meant as text.
    pub(super) fn warn_if_cut(&mut self, value: Node<'_, '_>, name: Node<'_, '_>) {
        let Some(scalar) = value.scalar().filter(|scalar| scalar.is_plain()) else { return };
        let text = &self.source.text;
        let is_empty = scalar.text.is_empty();
        let end = if is_empty { name.end() } else { value.end() };
        let Some(rest) = text.get(end..).filter(|_| end > 0) else { return };
        let after = if is_empty { rest.strip_prefix(':').unwrap_or(rest) } else { rest };
        let sign = after.trim_start_matches([' ', '\t']);
        let is_apart = sign.len() < after.len();
        if is_apart && sign.starts_with('#') && sign[1..].starts_with(char::is_alphanumeric) {
            let start = end + rest.len() - sign.len();
            let lost = sign.lines().next().unwrap_or_default().trim_end();
            let kept = scalar.text.as_ref();
            self.warn(self.source.span(start..start + lost.len()), || words::cut_by_comment(kept, lost));
        }
    }

    /// Warns of blanks at either end of a text; what ends a block of lines is none.
    pub(super) fn warn_of_blanks(&mut self, value: Node<'_, '_>) {
        let Some(scalar) = value.scalar() else { return };
        let text: &str = &scalar.text;
        let text = if scalar.style == Style::Block { text.trim_end_matches('\n') } else { text };
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            self.warn(value.span(), || words::blanks_around(&scalar.text));
        }
    }

    fn parsed<T>(
        &mut self,
        member: &Member<'_, '_>,
        parse: impl Fn(&str) -> Option<T>,
        complain: impl Fn(&str) -> Diagnostic,
    ) -> Declared<T> {
        match self.text(member) {
            Declared::Absent => Declared::Absent,
            Declared::Null => Declared::Null,
            Declared::Is(text) => parse(&text).map_or_else(
                || {
                    self.report(member.value.span(), || complain(&text));
                    Declared::Absent
                },
                Declared::Is,
            ),
        }
    }

    fn run_dedupe(&mut self, member: &Member<'_, '_>) -> Declared<bool> {
        match member.value.value() {
            Value::Scalar(scalar) if scalar.is_null() => self.null(scalar, member),
            Value::Scalar(scalar) if scalar.is_plain() && rules::truth(&scalar.text).is_some() => {
                rules::truth(&scalar.text).map_or(Declared::Absent, Declared::Is)
            }
            _ => {
                self.report(blamed(member), || words::invalid_run_dedupe(member.value));
                Declared::Absent
            }
        }
    }

    fn lists(&mut self, member: &Member<'_, '_>) -> Declared<BTreeSet<String>> {
        let items = match member.value.value() {
            Value::List(items) => items,
            Value::Scalar(scalar) if scalar.is_null() => {
                self.warn_if_cut(member.value, member.name_node);
                return Declared::Null;
            }
            Value::Scalar(_) | Value::Map(_) => {
                self.report(blamed(member), || words::wrong_type("`label_names`", "a list of names", member.value));
                return Declared::Absent;
            }
        };
        let mut names = BTreeSet::new();
        for item in items.clone() {
            names.extend(self.list_name(item));
        }
        if let Some((one, other)) = rules::twins_by_case(&names) {
            let place = |name: &str| {
                items.clone().find(|item| item.scalar().is_some_and(|scalar| scalar.text == name)).map(Node::span)
            };
            let mut spans: Vec<_> = [place(one), place(other)].into_iter().flatten().collect();
            spans.sort_by_key(|span| (span.line, span.column));
            if let [first, again] = spans[..] {
                let source = self.source;
                self.warn(again, || {
                    words::list_names_differ_by_case(one, other).relating("the other name", source.location(first))
                });
            }
        }
        Declared::Is(names)
    }

    fn list_name(&mut self, item: Node<'_, '_>) -> Option<String> {
        let diagnostic = match item.value() {
            Value::Scalar(scalar) if scalar.is_null() => words::null_list_item(&scalar.text),
            Value::Scalar(scalar) if scalar.text.trim().is_empty() => words::empty_list_name(),
            Value::Scalar(scalar) => {
                self.warn_if_cut(item, item);
                self.warn_of_blanks(item);
                return Some(scalar.text.clone().into_owned());
            }
            Value::List(_) | Value::Map(_) => words::wrong_type("an item of `label_names`", "text", item),
        };
        self.tell(item.span(), diagnostic);
        None
    }

    fn custom(&mut self, member: &Member<'_, 's>) -> Declared<Vec<Placed<'s>>> {
        if member.value.is_null() {
            self.warn_if_cut(member.value, member.name_node);
            return Declared::Null;
        }
        let Some(pairs) = self.map(member, "`typed_custom_fields`", "a map from field ids to text") else {
            return Declared::Absent;
        };
        let mut values = Vec::new();
        for field in self.flatten(pairs, true).members {
            let Some(id) = CustomFieldId::parse(field.name) else {
                self.report(field.name_node.span(), || words::invalid_custom_field_id(field.name));
                continue;
            };
            self.note(|| Part::Custom(id.clone()), &field);
            let value = self.text(&field);
            if matches!(value, Declared::Is(_)) {
                self.warn_of_blanks(field.value);
            }
            values.push((id, value, field.name_node.span()));
        }
        Declared::Is(values)
    }
}

/// A custom field with its value and where it stands.
pub(super) type Placed<'s> = (CustomFieldId, Declared<Cow<'s, str>>, Span);

/// Where in a map stands what can be declared by name and by id.
#[derive(Default)]
struct Places {
    /// By what the stage is declared.
    stage: Option<(&'static str, Span)>,
    custom: Vec<(CustomFieldId, Span)>,
    /// Whether what was read first of custom fields, and what is read now, stand in the map itself.
    custom_is_own: bool,
    is_own: bool,
}

impl<'s> Checker<'s> {
    /// Takes custom fields that were read; one that stands by its label and by its id in the same map is a mistake, and
    /// of those that came by merge keys the first counts.
    fn without_doubles(
        &mut self,
        read: Declared<Vec<Placed<'s>>>,
        other: &Declared<CustomValues<'s>>,
        places: &mut Places,
    ) -> Declared<CustomValues<'s>> {
        let read = match read {
            Declared::Absent => return Declared::Absent,
            Declared::Null => return Declared::Null,
            Declared::Is(read) => read,
        };
        let is_mistake = places.is_own && places.custom_is_own;
        let mut values = CustomValues::new();
        let of_other = places.custom.len();
        for (id, value, span) in read {
            if let Declared::Is(other) = other
                && other.contains_key(&id)
            {
                let mut firsts = places.custom[..of_other].iter().filter(|(first, _)| *first == id);
                if let Some((_, first)) = firsts.next().filter(|_| is_mistake) {
                    let source = self.source;
                    self.report(span, || {
                        words::name_and_id("The custom field", "custom_fields", "typed_custom_fields")
                            .relating("the other one here", source.location(*first))
                    });
                }
                continue;
            }
            places.custom.push((id.clone(), span));
            values.entry(id).or_insert(value);
        }
        places.custom_is_own = places.is_own;
        Declared::Is(values)
    }
}

/// Returns where to point for a value of the wrong kind: a list or map begins a line later, so at its name.
pub(super) fn blamed(member: &Member<'_, '_>) -> Span {
    match member.value.value() {
        Value::Scalar(_) => member.value.span(),
        Value::List(_) | Value::Map(_) => member.name_node.span(),
    }
}
