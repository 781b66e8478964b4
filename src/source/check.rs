//! Everything that can be said about one file, with places, and the entries that it declares.
//!
//! Takes one contact at a time, goes on after a mistake, and makes entries of what is good, so that the checks across
//! files see as much as possible. What stands in one contact is `fields`; the words are in `words`.

mod fields;
mod ignored;
mod named;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use memchr::memmem;

use super::code::{Code, Severity};
use super::compose::{Composer, Next, Remark, compose};
use super::diagnostic::{Diagnostic, Source, Span};
use super::flatten::{self, Member};
use super::meaning::{Meaning, NamesSeen};
use super::merge::{Draft, MERGE_KEY, Section, Slot, Whole};
use super::outline::Outline;
use super::slips::Fault;
use super::tally::Tally;
use super::tape::{Kept, Node, Value};
use super::{rules, words};
use crate::model::{ContactKey, Declares, Field, Place, Texts};

/// Reads `source`, hands over its entries in the order of the file (a key may come twice), and reports all mistakes,
/// with what became of the names in it.
pub(super) fn read(source: &Source, meaning: &Meaning, take: Take<'_>) -> (Vec<Diagnostic>, NamesSeen) {
    let at = |range: std::ops::Range<usize>| source.location(source.span(range));
    if let Some(marker) = rules::conflict(&source.text) {
        // Whatever else is wrong comes of two versions standing in one.
        let found = vec![words::merge_conflict(&source.text[marker.clone()]).at(at(marker))];
        return (found, NamesSeen::default());
    }
    let mut checker = Checker::new(source, meaning, take);
    let fault = compose(source, |composer| checker.run(composer)).err();
    let names = checker.names;
    let mut diagnostics = checker.found.finish(|span| source.location(span));
    // The one that keeps the rest from being read is told whatever there is before it.
    diagnostics.extend(fault.map(|fault| stopped(source, &fault)));
    (diagnostics, names)
}

/// Words why reading stopped, by its cause where the parser stumbles over something else than it says.
fn stopped(source: &Source, fault: &Fault) -> Diagnostic {
    // The parser takes none, and blames what they stand in.
    if let Some((at, control)) = rules::control_character(&source.text) {
        let span = source.span(at..at + control.len_utf8());
        if span.line <= fault.span.line || fault.code == Code::InvalidYaml {
            return words::control_character(control).at(source.location(span));
        }
    }
    if let Some(divider) = rules::conflict_divider(&source.text) {
        return words::merge_conflict(&source.text[divider.clone()]).at(source.location(source.span(divider)));
    }
    words::fault(fault).at(source.location(fault.span))
}

/// Finds where the entries of `source` and their fields stand, as far as it can be read.
pub(super) fn outline(source: &Source) -> Outline {
    let mut ignore = |_: Whole<'_>| ();
    let mut checker =
        Checker { outline: Some(Outline::default()), ..Checker::new(source, &Meaning::AsWritten, &mut ignore) };
    let (Ok(()) | Err(_)) = compose(source, |composer| checker.run(composer));
    checker.outline.unwrap_or_default()
}

/// Reports whether an entry says who it is: by e-mail, a name or an id.
fn identifies_a_person(entry: &Whole<'_>) -> bool {
    let says = |field| entry.says(&field);
    entry.apollo_id().is_some() || [Field::Email, Field::FirstName, Field::LastName].into_iter().any(says)
}

struct Checker<'s> {
    source: &'s Source,
    meaning: &'s Meaning,
    names: NamesSeen,
    take: Take<'s>,
    /// Where everything stands, when that is asked for.
    outline: Option<Outline>,
    /// The contact that is being checked.
    key: Option<ContactKey>,
    found: Tally,
    /// How many errors were found, kept or not.
    errors: usize,
    /// The next places in the text that could spell the name `defaults`, each as it was searched for.
    next_defaults: [Option<usize>; 2],
}

/// What was read of a document so far.
#[derive(Default)]
struct Document<'s> {
    /// The names of its sections, each where it stands first.
    sections: HashMap<String, Span>,
    defaults: Option<Draft<'s>>,
    /// Contacts wait while the defaults may still come.
    waits: bool,
    waiting: Vec<Written<'s>>,
    /// Whether it was said that a contact stands outside of `contacts`.
    said_outside: bool,
}

/// A contact as it is written.
struct Written<'s> {
    key: ContactKey,
    span: Span,
    draft: Draft<'s>,
    is_good: bool,
}

/// Is handed each contact of a file in order.
pub(super) type Take<'t> = &'t mut dyn FnMut(Whole<'_>);

type Remarks = Vec<(Span, Remark)>;

impl<'s> Checker<'s> {
    fn new(source: &'s Source, meaning: &'s Meaning, take: Take<'s>) -> Self {
        let (found, names) = (Tally::default(), NamesSeen::default());
        Self { source, meaning, names, take, outline: None, key: None, found, errors: 0, next_defaults: [None; 2] }
    }

    /// Reports a mistake; its words are not made when it is one of too many.
    fn report(&mut self, span: Span, diagnostic: impl FnOnce() -> Diagnostic) {
        self.errors += 1;
        self.take(Severity::Error, span, diagnostic);
    }

    /// Reports what a person should look at; its words are not made when it is one of too many.
    fn warn(&mut self, span: Span, diagnostic: impl FnOnce() -> Diagnostic) {
        self.take(Severity::Warning, span, diagnostic);
    }

    /// Reports a finding, whatever it weighs.
    fn tell(&mut self, span: Span, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.take(diagnostic.severity, span, || diagnostic);
    }

    fn take(&mut self, severity: Severity, span: Span, diagnostic: impl FnOnce() -> Diagnostic) {
        if !self.found.has_room_for(severity) {
            return self.found.count(severity, span);
        }
        let diagnostic = diagnostic().about(self.key.as_ref()).at(self.source.location(span));
        debug_assert_eq!(diagnostic.severity, severity, "{}", diagnostic.summary);
        self.found.keep(span, diagnostic);
    }

    fn remark(&mut self, remarks: &Remarks) {
        for (span, remark) in remarks {
            self.tell(*span, words::remark(remark));
        }
    }

    fn run(&mut self, composer: &mut Composer<'s>) -> Result<(), Fault> {
        loop {
            let is_another = composer.next_document()?;
            self.key = None;
            self.remark(&composer.remarks());
            if !is_another {
                return Ok(());
            }
            self.document(composer)?;
        }
    }

    fn document(&mut self, composer: &mut Composer<'s>) -> Result<(), Fault> {
        let root = composer.enter()?;
        self.remark(&composer.remarks());
        if let Next::Value(root) = root {
            let root = composer.node(root);
            if !root.is_null() {
                self.report(root.span(), || not_a_document(root));
            }
            return Ok(());
        }
        let mut document = Document::default();
        loop {
            let length = composer.length();
            let Next::Value(name) = composer.next()? else { break };
            self.section(composer, name, &mut document)?;
            self.key = None;
            composer.release(length);
        }
        let defaults = document.defaults.take().unwrap_or_default();
        for written in document.waiting {
            self.finish(written, &defaults);
        }
        if let Some(outline) = &mut self.outline {
            outline.end_document();
        }
        Ok(())
    }

    /// Reads a section, whose name has been read.
    fn section(&mut self, composer: &mut Composer<'s>, name: usize, document: &mut Document<'s>) -> Result<(), Fault> {
        let node = composer.node(name);
        let Some(scalar) = node.scalar() else {
            self.report(node.span(), || words::wrong_type("a name", "text", node));
            composer.next()?;
            return Ok(());
        };
        let (text, span) = (scalar.text.clone().into_owned(), node.span());
        let first = document.sections.get(&text).copied();
        if let Some(first) = first {
            let first = self.source.location(first);
            self.report(span, || words::duplicate_name(&text).relating("first here", first));
        } else {
            document.sections.insert(text.clone(), span);
        }
        let section = Section::named(&text);
        if (section, first) == (Some(Section::Contacts), None) {
            return self.contacts(composer, name, document);
        }
        let Next::Value(value) = composer.next()? else { return Ok(()) };
        self.remark(&composer.remarks());
        let member = Member { name: &text, name_node: composer.node(name), value: composer.node(value) };
        match section {
            None => self.unknown_section(&member, document),
            Some(Section::Defaults) if first.is_none() => {
                document.defaults = Some(self.draft(&member, true));
                if let Some(outline) = &mut self.outline {
                    outline.end_defaults();
                }
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn unknown_section(&mut self, member: &Member<'_, '_>, document: &mut Document<'s>) {
        // Other programs have texts that several entries share below such names.
        let is_shared = member.name.starts_with("x-") || member.name.starts_with('.');
        if is_shared || !looks_like_a_contact(member.value) {
            return self.report(member.name_node.span(), || words::unknown_section(member.name));
        }
        // Of many in a row, the first says it all.
        let has_contacts = document.sections.contains_key("contacts");
        if std::mem::replace(&mut document.said_outside, true) {
            self.errors += 1;
        } else {
            self.report(member.name_node.span(), || words::outside_of_contacts(member.name, has_contacts));
        }
    }

    /// Reads the contacts of a document, of which the name of the section has been read.
    fn contacts(&mut self, composer: &mut Composer<'s>, name: usize, document: &mut Document<'s>) -> Result<(), Fault> {
        document.waits = document.defaults.is_none() && self.may_still_have_defaults(composer, name);
        let entered = composer.enter()?;
        self.remark(&composer.remarks());
        if let Next::Value(value) = entered {
            let member = Member { name: "contacts", name_node: composer.node(name), value: composer.node(value) };
            self.contacts_at_once(&member, document);
            return Ok(());
        }
        let mut names: Vec<Cow<'s, str>> = Vec::new();
        let mut bases: Vec<(Kept<'s>, Kept<'s>)> = Vec::new();
        loop {
            let length = composer.length();
            let Next::Value(name) = composer.next()? else { break };
            let Next::Value(value) = composer.next()? else { break };
            let remarks = composer.remarks();
            let (name_node, value) = (composer.node(name), composer.node(value));
            match name_node.scalar() {
                None => self.report(name_node.span(), || words::wrong_type("a name", "text", name_node)),
                Some(scalar) if scalar.text == MERGE_KEY => bases.push((name_node.keep(), value.keep())),
                Some(scalar) => {
                    names.push(scalar.text.clone());
                    self.contact(&Member { name: &scalar.text, name_node, value }, &remarks, document);
                }
            }
            composer.release(length);
        }
        self.merged_contacts(&bases, &names, document);
        Ok(())
    }

    /// Takes contacts that are not written as a map in their place: an alias, nothing, or a mistake.
    fn contacts_at_once(&mut self, member: &Member<'_, 's>, document: &mut Document<'s>) {
        if let Value::List(mut items) = member.value.value()
            && items.any(looks_like_a_contact)
        {
            return self.report(member.name_node.span(), || words::contacts_without_keys("`contacts`"));
        }
        let Some(pairs) = self.map(member, "`contacts`", "a map from keys to contacts") else { return };
        // A key that stands twice is found with all other files in view.
        for member in self.flatten(pairs, false).members {
            self.contact(&member, &Remarks::new(), document);
        }
    }

    /// Takes the contacts that come by merge keys and do not stand in the map themselves.
    fn merged_contacts(&mut self, bases: &[(Kept<'s>, Kept<'s>)], names: &[Cow<'_, str>], document: &mut Document<'s>) {
        self.key = None;
        if bases.is_empty() {
            return;
        }
        let mut names: HashSet<&str> = names.iter().map(|name| &**name).collect();
        for (at, (name, value)) in bases.iter().enumerate() {
            let (name, value) = (Node::at(name), Node::at(value));
            if at > 0 {
                let first = self.source.location(Node::at(&bases[0].0).span());
                self.report(name.span(), || words::duplicate_name(MERGE_KEY).relating("first here", first));
            }
            let flat = flatten::merged(name, value);
            for member in self.told(flat, false).members {
                if names.insert(member.name) {
                    self.contact(&member, &Remarks::new(), document);
                }
            }
            self.key = None;
        }
    }

    /// Reports whether the defaults of a document may stand behind its contacts, at whose name reading stands.
    ///
    /// Without them each contact is complete at once. The name may be written with escapes, or be an alias.
    fn may_still_have_defaults(&mut self, composer: &Composer<'_>, name: usize) -> bool {
        let (text, at) = (&self.source.text, composer.node(name).end());
        if composer.has_anchored("defaults") {
            return true;
        }
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let mut is_ahead = |number: usize, find: &dyn Fn(&[u8]) -> Option<usize>| {
            let next = &mut self.next_defaults[number];
            if next.is_none_or(|next| next < at) {
                *next = Some(find(rest).map_or(text.len(), |found| at + found));
            }
            *next != Some(text.len())
        };
        is_ahead(0, &|rest| memchr::memchr(b'\\', rest)) || is_ahead(1, &|rest| memmem::find(rest, b"defaults"))
    }

    fn contact(&mut self, member: &Member<'_, 's>, remarks: &Remarks, document: &mut Document<'s>) {
        self.key = ContactKey::parse(member.name).ok();
        if self.key.is_none() {
            self.report(member.name_node.span(), || words::invalid_key(member.name));
        }
        let errors_before = self.errors;
        self.remark(remarks);
        let draft = self.draft(member, false);
        let (Some(key), span) = (self.key.clone(), member.name_node.span()) else { return };
        if let Some(outline) = &mut self.outline {
            outline.end_contact(&key, span);
        }
        let written = Written { key, span, draft, is_good: self.errors == errors_before };
        match &document.defaults {
            Some(defaults) => self.finish(written, defaults),
            None if document.waits => document.waiting.push(written),
            None => self.finish(written, &Draft::default()),
        }
    }

    fn finish(&mut self, written: Written<'s>, defaults: &Draft<'s>) {
        let Written { key, span, draft, is_good } = written;
        let place = Place { path: Arc::clone(&self.source.path), key };
        let entry = Whole { place, own: draft, defaults };
        if is_good && !identifies_a_person(&entry) {
            self.key = Some(entry.key().clone());
            self.report(span, || words::no_identity(entry.key().as_str()));
        }
        (self.take)(entry);
    }
}

/// Reports whether a value is a map with the name of a field in it.
fn looks_like_a_contact(value: Node<'_, '_>) -> bool {
    match value.value() {
        Value::Map(mut pairs) => {
            pairs.any(|(name, _)| name.scalar().is_some_and(|scalar| Slot::named(&scalar.text).is_some()))
        }
        Value::Scalar(_) | Value::List(_) => false,
    }
}

fn not_a_document(root: Node<'_, '_>) -> Diagnostic {
    match root.value() {
        Value::List(items) if items.clone().any(looks_like_a_contact) => words::contacts_without_keys("a document"),
        _ => words::wrong_type("a document", "a map with `contacts` and `defaults`", root),
    }
}
