//! From the parser's events to values with places, for every file.
//!
//! Whoever reads takes a file apart as far as it wants and has the rest as [`Node`]s, of which only those that
//! an anchor names outlive their turn. Never recurses; depth and expansion are bounded, so that no text
//! can make it hang or run out of memory. Knows nothing of contacts.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::mpsc;
use std::thread;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag, options};

use super::code::Code;
use super::diagnostic::{Source, Span};
use super::rules;
use super::slips::{self, Fault, Slip};
use super::tape::{Kept, Kind, Node, Scalar, Slot, Style};

/// Something that is wrong with how a value is written, after which reading goes on.
#[derive(Debug)]
pub(super) enum Remark {
    /// A tag that YAML does not define, as it is written.
    UnknownTag { tag: String, is_before_plain_text: bool },
    /// An anchor before plain text whose name no alias of the document has.
    UnusedAnchor { name: String },
    /// An alias of an anchor that its document does not have.
    UnknownAlias { name: String },
    /// A text in quotes that takes in a line which looks like an entry of what is around it; the numbers of that line and of
    /// the one where the quotes end.
    OpenQuote { taken: usize, end: usize },
}

/// What begins where the composer stands.
pub(super) enum Next {
    /// A map, entered: names and values follow until [`Next::End`].
    Map,
    /// A value, complete, by its number on the tape.
    Value(usize),
    /// The end of the map that was entered last.
    End,
}

/// A list or map that is not complete yet.
struct Frame {
    slot: usize,
    anchor: usize,
    /// What the children stand for.
    weight: u64,
    /// The deepest of the children.
    depth: usize,
}

/// Reads one text.
pub(super) struct Composer<'t> {
    source: &'t Source,
    events: Box<dyn Iterator<Item = Told<'t>> + 't>,
    slots: Vec<Slot<'t>>,
    open: Vec<Frame>,
    /// What the anchors of this document name.
    anchors: HashMap<usize, Kept<'t>>,
    /// Their names.
    names: HashMap<usize, String>,
    /// Those before plain text.
    suspects: Vec<(Span, usize)>,
    /// Names of anchors that something refers to.
    used: HashSet<String>,
    remarks: Vec<(Span, Remark)>,
    /// How many more values this file may stand for.
    budget: u64,
}

type Mark = granit_parser::Span;

/// What the parser tells, one after the other.
type Told<'t> = Result<(Event<'t>, Mark), ScanError>;

/// From how many bytes on a text is parsed by a thread of its own, while its values are made use of.
const LARGE_BYTES: usize = 1 << 22;

/// How many events are handed from one thread to the other at once, and how often before the first one waits.
const BATCH: usize = 512;
const BATCHES: usize = 8;

/// Gives a composer of `source` to `read`.
pub(super) fn compose<'t, T>(source: &'t Source, read: impl FnOnce(&mut Composer<'t>) -> T) -> T {
    if source.text.len() < LARGE_BYTES {
        return read(&mut Composer::new(source, Box::new(parser(&source.text))));
    }
    let (sender, receiver) = mpsc::sync_channel::<Vec<Told<'t>>>(BATCHES);
    let parse = move || {
        let mut parser = parser(&source.text);
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            batch.extend(parser.by_ref().take(BATCH));
            let is_last = batch.len() < BATCH || batch.last().is_some_and(Result::is_err);
            // Nobody listens any more after a fault that the parser does not know of.
            if sender.send(batch).is_err() || is_last {
                return;
            }
        }
    };
    thread::scope(|scope| match thread::Builder::new().spawn_scoped(scope, parse) {
        Ok(_) => read(&mut Composer::new(source, Box::new(receiver.into_iter().flatten()))),
        // No thread can be started; it goes without.
        Err(_) => read(&mut Composer::new(source, Box::new(parser(&source.text)))),
    })
}

fn parser(text: &str) -> Parser<'_, StrInput<'_>> {
    let options = options! {
        // As the reader of 0.1.0 took these; its users' files mean what they meant.
        bom_inside_document_as_content: false,
        block_scalar_eof_without_line_feed: true,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        // Names of any length, so that one that is too long is told as what it is.
        simple_key_max_lookahead: usize::MAX,
        flow_nesting_limit: rules::MAX_DEPTH,
        block_nesting_limit: rules::MAX_DEPTH,
    };
    Parser::new_from_str_with_options(text, options)
}

impl<'t> Composer<'t> {
    fn new(source: &'t Source, events: Box<dyn Iterator<Item = Told<'t>> + 't>) -> Self {
        Self {
            source,
            events,
            slots: Vec::new(),
            open: Vec::new(),
            anchors: HashMap::new(),
            names: HashMap::new(),
            suspects: Vec::new(),
            used: HashSet::new(),
            remarks: Vec::new(),
            budget: rules::expansion_limit(source.text.len()),
        }
    }

    /// Goes to the next document; `false` at the end of the text.
    pub(super) fn next_document(&mut self) -> Result<bool, Fault> {
        loop {
            match self.event()? {
                Some((Event::DocumentStart(..), _)) => {
                    self.anchors.clear();
                    self.names.clear();
                    self.used.clear();
                    return Ok(true);
                }
                Some((Event::DocumentEnd, _)) => {
                    self.slots.clear();
                    for (span, anchor) in std::mem::take(&mut self.suspects) {
                        let name = self.names.remove(&anchor).unwrap_or_default();
                        if !self.used.contains(&name) {
                            self.remarks.push((span, Remark::UnusedAnchor { name }));
                        }
                    }
                }
                Some(_) => {}
                None => return Ok(false),
            }
        }
    }

    /// Reads what comes next, a map no further than its beginning.
    pub(super) fn enter(&mut self) -> Result<Next, Fault> {
        let (event, mark) = self.some_event()?;
        match event {
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tab_before(&mark)?;
                self.begin(Kind::Map, anchor, tag, &mark)?;
                Ok(Next::Map)
            }
            event => self.whole(event, mark),
        }
    }

    /// Refuses a tab in front of a map's first name, which the parser lets pass where nothing stands further left.
    fn refuse_tab_before(&self, mark: &Mark) -> Result<(), Fault> {
        let before = &self.source.text[..mark.start.byte_offset().unwrap_or_default()];
        let indentation = &before[before.rfind('\n').map_or(0, |end| end + 1)..];
        let is_indentation = indentation.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
        match indentation.find('\t').filter(|_| is_indentation) {
            Some(at) => {
                let span = Span { line: mark.start.line(), column: at + 1, width: 1 };
                Err(Fault { code: Code::TabIndentation, span, message: String::new(), slip: Slip::Other })
            }
            None => Ok(()),
        }
    }

    /// Reads what comes next as a whole.
    pub(super) fn next(&mut self) -> Result<Next, Fault> {
        let (event, mark) = self.some_event()?;
        self.whole(event, mark)
    }

    fn whole(&mut self, event: Event<'t>, mark: Mark) -> Result<Next, Fault> {
        let (at, outside) = (self.slots.len(), self.open.len());
        self.take(event, &mark)?;
        while self.open.len() > outside || (self.open.len() == outside && self.slots.len() == at) {
            match self.events.next() {
                Some(Ok((event, mark))) => self.take(event, &mark)?,
                Some(Err(error)) => return Err(self.syntax_fault(&error)),
                None => unreachable!("the parser ends what it begins"),
            }
        }
        Ok(if self.open.len() < outside { Next::End } else { Next::Value(at) })
    }

    /// Returns a value that was read.
    pub(super) fn node(&self, at: usize) -> Node<'_, 't> {
        Node::at(&self.slots[at..])
    }

    /// Drops the values that were read since there were `length`, unless one around them has an anchor.
    pub(super) fn release(&mut self, length: usize) {
        if self.open.iter().all(|frame| frame.anchor == 0) {
            self.slots.truncate(length);
        }
    }

    /// Counts the values on the tape.
    pub(super) fn length(&self) -> usize {
        self.slots.len()
    }

    /// Takes what there is to remark on since this was last asked.
    pub(super) fn remarks(&mut self) -> Vec<(Span, Remark)> {
        std::mem::take(&mut self.remarks)
    }

    /// Reports whether a scalar that reads `text` has an anchor.
    pub(super) fn has_anchored(&self, text: &str) -> bool {
        self.anchors.values().any(|kept| Node::at(kept).scalar().is_some_and(|scalar| scalar.text == text))
    }

    fn event(&mut self) -> Result<Option<(Event<'t>, Mark)>, Fault> {
        match self.events.next() {
            None => Ok(None),
            Some(Ok(event)) => Ok(Some(event)),
            Some(Err(error)) => Err(self.syntax_fault(&error)),
        }
    }

    fn some_event(&mut self) -> Result<(Event<'t>, Mark), Fault> {
        Ok(self.event()?.expect("the parser ends what it begins"))
    }

    fn take(&mut self, event: Event<'t>, mark: &Mark) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag, mark)?,
            Event::SequenceStart(_, anchor, tag) => self.begin(Kind::List, anchor, tag, mark)?,
            Event::MappingStart(_, anchor, tag) => self.begin(Kind::Map, anchor, tag, mark)?,
            Event::SequenceEnd | Event::MappingEnd => self.finish(),
            Event::Alias(anchor) => self.follow(anchor, place(mark))?,
            Event::Anchor(id, name) => {
                let is_plain = |kind: &Kind<'_>| matches!(kind, Kind::Scalar(scalar) if scalar.is_plain());
                if self.slots.last().is_some_and(|slot| is_plain(&slot.kind)) {
                    self.suspects.push((place(mark), id));
                }
                self.names.insert(id, name.into_owned());
            }
            Event::UnresolvedAlias(name) => {
                self.remarks.push((place(mark), Remark::UnknownAlias { name: name.into_owned() }));
                self.scalar(Cow::Borrowed(""), ScalarStyle::Plain, 0, None, mark)?;
            }
            // The beginnings and ends of the text and of documents; comments, if the parser told them.
            _ => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<Cow<'t, Tag>>,
        mark: &Mark,
    ) -> Result<(), Fault> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let span = place(mark);
        // The parser tells nothing at all as a sign of null.
        let text = if style == Style::Plain && mark.is_empty() { Cow::Borrowed("") } else { text };
        let is_tagged = tag.is_some_and(|tag| self.tag(&tag, style == Style::Plain, mark));
        self.spend(1, span)?;
        if style == Style::Quoted && mark.end.line() > mark.start.line() {
            self.look_for_taken_lines(mark);
        }
        let kind = Kind::Scalar(Scalar { text, style, is_tagged });
        let end = mark.end.byte_offset().unwrap_or_default();
        self.slots.push(Slot { span, end, kind, length: 1, weight: 1, depth: 0 });
        self.complete(self.slots.len() - 1, anchor);
        Ok(())
    }

    /// Notes that a text in quotes goes on over what looks like an entry, as far left as those around it.
    ///
    /// YAML has such lines further right; the parser lets them pass, as the reader of 0.1.0 did.
    fn look_for_taken_lines(&mut self, mark: &Mark) {
        let is_block = |frame: &&Frame| slips::bracket(self.source, self.slots[frame.slot].span).is_none();
        let Some(around) = self.open.iter().rev().find(is_block) else { return };
        let left = self.slots[around.slot].span.column;
        let (start, end) = (mark.start.line(), mark.end.line());
        let is_taken = |number: &usize| {
            let line = self.source.line(*number);
            let text = line.trim_start_matches(' ');
            line.len() - text.len() < left && slips::looks_like_an_entry(text)
        };
        if let Some(taken) = (start + 1..=end).find(is_taken) {
            self.remarks.push((place(mark), Remark::OpenQuote { taken, end }));
        }
    }

    /// Notes a tag that is not YAML's; reports whether it is another than that of null.
    fn tag(&mut self, tag: &Tag, is_before_plain_text: bool, mark: &Mark) -> bool {
        let is_known = tag.core_suffix().is_some() || tag.original() == "!";
        if !is_known {
            let at = mark.tag_span().map_or_else(|| place(mark), |span| place(&span));
            self.remarks.push((at, Remark::UnknownTag { tag: tag.original(), is_before_plain_text }));
        }
        !tag.is_yaml_core_schema_tag("null")
    }

    fn begin(&mut self, kind: Kind<'t>, anchor: usize, tag: Option<Cow<'t, Tag>>, mark: &Mark) -> Result<(), Fault> {
        let span = place(mark);
        if let Some(tag) = tag {
            self.tag(&tag, false, mark);
        }
        self.descend(1, span)?;
        self.spend(1, span)?;
        self.open.push(Frame { slot: self.slots.len(), anchor, weight: 1, depth: 0 });
        self.slots.push(Slot { span, end: 0, kind, length: 1, weight: 1, depth: 1 });
        Ok(())
    }

    fn finish(&mut self) {
        let frame = self.open.pop().expect("the parser pairs starts and ends");
        let length = self.slots.len() - frame.slot;
        let slot = &mut self.slots[frame.slot];
        (slot.length, slot.weight, slot.depth) = (length, frame.weight, frame.depth + 1);
        self.complete(frame.slot, frame.anchor);
    }

    /// Counts a complete value to what it is in and remembers its anchor; 0 is none.
    fn complete(&mut self, at: usize, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, self.node(at).keep());
        }
        if let Some(frame) = self.open.last_mut() {
            let slot = &self.slots[at];
            frame.weight = frame.weight.saturating_add(slot.weight);
            frame.depth = frame.depth.max(slot.depth);
        }
    }

    fn follow(&mut self, anchor: usize, span: Span) -> Result<(), Fault> {
        if self.open.iter().any(|frame| frame.anchor == anchor) {
            let message = "the alias stands inside the very value it names".to_owned();
            return Err(Fault { code: Code::AliasesTooMany, span, message, slip: Slip::Other });
        }
        if let Some(name) = self.names.get(&anchor).filter(|name| !self.used.contains(*name)) {
            self.used.insert(name.clone());
        }
        let kept = self.anchors.get(&anchor).cloned().expect("what is complete and has an anchor is kept");
        let (weight, depth) = (kept[0].weight, kept[0].depth);
        self.descend(depth, span)?;
        self.spend(weight, span)?;
        self.slots.push(Slot { span, end: 0, kind: Kind::Alias(kept), length: 1, weight, depth });
        self.complete(self.slots.len() - 1, 0);
        Ok(())
    }

    fn syntax_fault(&self, error: &ScanError) -> Fault {
        slips::fault(self.source, error, self.open.last().map(|frame| self.slots[frame.slot].span))
    }

    fn descend(&self, levels: usize, span: Span) -> Result<(), Fault> {
        if self.open.len() + levels <= rules::MAX_DEPTH {
            return Ok(());
        }
        Err(slips::too_deep(span))
    }

    fn spend(&mut self, weight: u64, span: Span) -> Result<(), Fault> {
        let message = || "the file would stand for too many values".to_owned();
        let left = self.budget.checked_sub(weight);
        self.budget =
            left.ok_or_else(|| Fault { code: Code::AliasesTooMany, span, message: message(), slip: Slip::Other })?;
        Ok(())
    }
}

fn place(mark: &Mark) -> Span {
    Span { line: mark.start.line(), column: mark.start.col() + 1, width: mark.len() }
}
