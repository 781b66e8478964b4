//! The careful reader: a file's YAML as a tree in which every node knows its place.
//!
//! Slower than `typed`, used for files with something to report. Knows nothing of contacts. It never
//! recurses, aliases share nodes, and depth and expansion are bounded, so that no text can make it
//! hang or run out of memory.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::code::Code;
use super::diagnostic::{Source, Span};
use super::{rules, steep};

/// One value with its place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
    /// Values below and including this one, aliases followed.
    weight: u64,
    /// Levels of lists and maps below and including this one, aliases followed.
    depth: usize,
}

#[derive(Debug)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Rc<Node>>),
    Map(Vec<Pair>),
}

/// A name with its value, as a map holds them.
pub(super) type Pair = (Rc<Node>, Rc<Node>);

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Written without quotes and not as a block.
    pub(super) plain: bool,
    /// Tagged as anything but null, which makes text of `null` and of nothing.
    tagged: bool,
}

impl Scalar {
    pub(super) fn is_null(&self) -> bool {
        self.plain && !self.tagged && rules::is_null_spelling(&self.text)
    }
}

impl Node {
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// Names the kind for messages about a wrong one.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "null",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Why reading stopped.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) span: Span,
    pub(super) message: String,
}

/// The documents of a file, complete up to the fault if there is one.
#[derive(Debug)]
pub(super) struct Tree {
    /// The roots of the documents.
    pub(super) documents: Vec<Rc<Node>>,
    pub(super) fault: Option<Fault>,
}

/// Reads the documents of `source`.
pub(super) fn parse(source: &Source) -> Tree {
    let mut builder = Builder::new(&source.text);
    let mut fault = None;
    for event in Parser::new_from_str(&source.text) {
        let outcome = match event {
            Ok((event, span)) => builder.take(event, place(span)),
            Err(error) => Err(syntax_fault(source, &error)),
        };
        if let Err(found) = outcome {
            fault = Some(found);
            break;
        }
    }
    Tree { documents: builder.documents, fault }
}

fn place(span: saphyr_parser::Span) -> Span {
    Span { line: span.start.line(), column: span.start.col() + 1, width: span.len() }
}

fn syntax_fault(source: &Source, error: &saphyr_parser::ScanError) -> Fault {
    let mark = error.marker();
    let here = Span { line: mark.line(), column: mark.col() + 1, width: 1 };
    let message = error.info().to_owned();
    if let Some(span) = tab_near(source, here) {
        return Fault { code: Code::TabIndentation, span, message };
    }
    let is_deep = steep::apparent_depth(before(&source.text, mark.index())) > rules::MAX_DEPTH;
    let code = if is_deep { Code::NestedTooDeeply } else { Code::InvalidYaml };
    Fault { code, span: here, message }
}

/// Finds the tab that a line is indented with: where a parser stopped, or on the next line with anything on it.
///
/// A parser that meets a tab behind a value takes the line for more of that value and blames its beginning.
pub(super) fn tab_near(source: &Source, fault: Span) -> Option<Span> {
    let indentation = |line: usize| source.line(line).len() - source.line(line).trim_start_matches([' ', '\t']).len();
    let tab = |line: usize| source.line(line)[..indentation(line)].find('\t').map(|at| (line, at + 1));
    if tab(fault.line).is_some() {
        return Some(fault);
    }
    let mut following = (fault.line + 1..=source.lines()).skip_while(|line| source.line(*line).is_empty());
    let (line, column) = following.next().and_then(tab)?;
    Some(Span { line, column, width: 1 })
}

/// Returns the first `count` characters.
fn before(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// A list or map that is not complete yet.
struct Frame {
    span: Span,
    anchor: usize,
    is_map: bool,
    children: Vec<Rc<Node>>,
    weight: u64,
    /// The deepest of the children.
    depth: usize,
}

/// Builds documents from events.
struct Builder {
    documents: Vec<Rc<Node>>,
    open: Vec<Frame>,
    /// What the anchors of this document name.
    anchors: HashMap<usize, Rc<Node>>,
    /// How many more values this file may stand for.
    budget: u64,
}

impl Builder {
    fn new(text: &str) -> Self {
        let budget = rules::expansion_limit(text.len());
        Self { documents: Vec::new(), open: Vec::new(), anchors: HashMap::new(), budget }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Alias(anchor) => self.follow(anchor, span)?,
            Event::Scalar(text, style, anchor, tag) => {
                let tagged = tag.is_some_and(|tag| !(tag.is_yaml_core_schema() && tag.suffix == "null"));
                let scalar = Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain, tagged };
                self.spend(1, span)?;
                self.add(Node { span, value: Value::Scalar(scalar), weight: 1, depth: 0 }, anchor);
            }
            Event::SequenceStart(anchor, _) => self.enter(span, anchor, false)?,
            Event::MappingStart(anchor, _) => self.enter(span, anchor, true)?,
            Event::SequenceEnd | Event::MappingEnd => self.leave(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn enter(&mut self, span: Span, anchor: usize, is_map: bool) -> Result<(), Fault> {
        self.descend(1, span)?;
        self.spend(1, span)?;
        self.open.push(Frame { span, anchor, is_map, children: Vec::new(), weight: 1, depth: 0 });
        Ok(())
    }

    fn leave(&mut self) {
        let frame = self.open.pop().expect("the parser pairs starts and ends");
        let value = if frame.is_map {
            let mut children = frame.children.into_iter();
            let mut pairs = Vec::new();
            while let (Some(name), Some(value)) = (children.next(), children.next()) {
                pairs.push((name, value));
            }
            Value::Map(pairs)
        } else {
            Value::List(frame.children)
        };
        self.add(Node { span: frame.span, value, weight: frame.weight, depth: frame.depth + 1 }, frame.anchor);
    }

    /// Puts a complete node where it belongs and remembers its anchor; 0 is none.
    fn add(&mut self, node: Node, anchor: usize) {
        let node = Rc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.attach(node);
    }

    fn attach(&mut self, node: Rc<Node>) {
        match self.open.last_mut() {
            Some(frame) => {
                frame.weight = frame.weight.saturating_add(node.weight);
                frame.depth = frame.depth.max(node.depth);
                frame.children.push(node);
            }
            None => self.documents.push(node),
        }
    }

    fn follow(&mut self, anchor: usize, span: Span) -> Result<(), Fault> {
        if self.open.iter().any(|frame| frame.anchor == anchor) {
            let message = "the alias stands inside the very value it names".to_owned();
            return Err(Fault { code: Code::AliasesTooMany, span, message });
        }
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            let message = "the alias names an anchor of another document".to_owned();
            return Err(Fault { code: Code::InvalidYaml, span, message });
        };
        self.descend(node.depth, span)?;
        self.spend(node.weight, span)?;
        self.attach(node);
        Ok(())
    }

    fn descend(&self, levels: usize, span: Span) -> Result<(), Fault> {
        if self.open.len() + levels <= rules::MAX_DEPTH {
            return Ok(());
        }
        let message = format!("there are more than {} levels", rules::MAX_DEPTH);
        Err(Fault { code: Code::NestedTooDeeply, span, message })
    }

    fn spend(&mut self, weight: u64, span: Span) -> Result<(), Fault> {
        let message = || "the file would stand for too many values".to_owned();
        let left = self.budget.checked_sub(weight);
        self.budget = left.ok_or_else(|| Fault { code: Code::AliasesTooMany, span, message: message() })?;
        Ok(())
    }
}
