//! Which lines of a text belong to what: the block maps and lists of each document, line by line.
//!
//! Built from the parser's events and the text itself, for files that were found good. What has a form
//! that lines cannot be moved in is kept as [`Shape::Other`], with the reason.

use std::collections::BTreeSet;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, options};

/// A place: line and column count from 0, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pos {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A document whose root is a map of lines.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) members: Vec<Member>,
    /// The last line with anything of it but comments.
    pub(super) last: usize,
}

/// A part of the text with a root of its own.
#[derive(Debug)]
pub(super) enum Root {
    Map(Document),
    /// Lines that stay as they are, both ends included.
    Other {
        first: usize,
        last: usize,
        reason: Option<Reason>,
    },
}

/// Why lines are left as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reason {
    pub(super) line: usize,
    pub(super) text: &'static str,
}

/// A name with its value in a block map.
#[derive(Debug)]
pub(super) struct Member {
    /// The name as it is read.
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) indent: usize,
    /// Where the name ends and where its colon stands, in bytes of the line.
    pub(super) name_end: usize,
    pub(super) colon: usize,
    pub(super) value: Value,
}

/// A value with the lines it covers.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) shape: Shape,
    /// The last line with anything of it but comments.
    pub(super) last: usize,
    pub(super) ties: Ties,
    /// Whether a block scalar is somewhere in it, in which even blank lines can mean something.
    pub(super) has_block: bool,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// A block map whose names each begin a line.
    Map(Vec<Member>),
    /// A block list whose dashes each begin a line.
    List(Vec<Item>),
    /// A block scalar.
    Block(Block),
    /// A map in braces.
    Braces(Braces),
    /// Anything else; the reason when it is a map or list that cannot be taken apart by lines.
    Other(Option<Reason>),
}

/// An item of a block list.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) dash: usize,
    pub(super) last: usize,
    /// Whether it is itself a block map or list; what stands behind its dash must not move.
    pub(super) is_nested: bool,
    pub(super) has_block: bool,
}

/// A block scalar: its lines begin behind the header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) header: usize,
    /// Columns before its text.
    pub(super) indent: usize,
    /// Whether the header says how far the text is indented.
    pub(super) is_explicit: bool,
}

/// A map in braces.
#[derive(Debug)]
pub(super) struct Braces {
    pub(super) open: Pos,
    pub(super) close: Pos,
    pub(super) members: Vec<BraceMember>,
}

#[derive(Debug)]
pub(super) struct BraceMember {
    pub(super) name: String,
    pub(super) start: Pos,
    pub(super) ties: Ties,
    /// The value, where that is a map in braces as well.
    pub(super) inner: Option<Braces>,
}

/// The anchors that a piece of text defines and those it uses.
#[derive(Debug, Default, Clone)]
pub(super) struct Ties {
    defines: BTreeSet<String>,
    uses: BTreeSet<String>,
}

impl Ties {
    fn take(&mut self, other: &Self) {
        self.defines.extend(other.defines.iter().cloned());
        self.uses.extend(other.uses.iter().cloned());
    }

    /// Reports whether it matters which of two pieces stands first.
    pub(super) fn bind(&self, other: &Self) -> bool {
        !self.defines.is_disjoint(&other.defines)
            || !self.defines.is_disjoint(&other.uses)
            || !self.uses.is_disjoint(&other.defines)
    }
}

/// What the text as a whole says against rewriting it.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) roots: Vec<Root>,
    pub(super) refusal: Option<Reason>,
}

/// Reads the layout of a text whose lines end in `\n`; `None` when the parser does not take it.
pub(super) fn read(text: &str, lines: &[&str]) -> Option<Layout> {
    if let Some(line) = lines.iter().position(|line| line.len() > MAX_LINE_BYTES) {
        return Some(Layout { roots: Vec::new(), refusal: Some(Reason { line, text: LONG }) });
    }
    let options = options! {
        block_scalar_eof_without_line_feed: true,
        emit_anchor_events: true,
        emit_comments: false,
        simple_key_max_lookahead: usize::MAX,
    };
    let events: Result<Vec<_>, _> = Parser::new_from_str_with_options(text, options).collect();
    let mut reader =
        Reader { lines, events: events.ok()?.into_iter(), refusal: None, ends_open: !text.ends_with('\n') };
    let mut roots = Vec::new();
    while let Some((event, span)) = reader.events.next() {
        if let Event::DocumentStart(explicit, _) = event {
            let start = pos(span.start);
            let from = Pos { column: start.column + if explicit { 3 } else { 0 }, ..start };
            let node = reader.node(from, None)?;
            roots.push(match node.value.shape {
                Shape::Map(members) if !members.is_empty() => Root::Map(Document { members, last: node.value.last }),
                Shape::Other(reason) => Root::Other { first: node.first.line, last: node.value.last, reason },
                _ => Root::Other { first: node.first.line, last: node.value.last, reason: None },
            });
        }
    }
    Some(Layout { roots, refusal: reader.refusal })
}

fn pos(marker: Marker) -> Pos {
    Pos { line: marker.line().saturating_sub(1), column: marker.col() }
}

/// A node on its way into the layout.
struct Node {
    /// Where it begins, its anchor and tag included.
    first: Pos,
    /// Just behind it, where that is on the line of its end; of no meaning for block maps and lists.
    end: Pos,
    /// Its text, for scalars.
    text: Option<String>,
    /// Where the first name or item of a block map or list stands.
    begins: Pos,
    is_block_collection: bool,
    value: Value,
}

struct Reader<'t, 's> {
    lines: &'s [&'s str],
    events: std::vec::IntoIter<(Event<'t>, Span)>,
    refusal: Option<Reason>,
    /// Whether the last line has no end.
    ends_open: bool,
}

/// Longest line that is taken apart: finding columns in it takes time in the square of its length.
const MAX_LINE_BYTES: usize = 10_000;

const LONG: &str = "The line is longer than 10,000 bytes. The whole file is left.";
const COMPLEX: &str = "A name, a dash or a value stands where its lines cannot be moved without others.";
const KEPT: &str =
    "A block with `+` keeps the blank lines behind it, which moving lines would change. The whole file is left.";
const OPEN_END: &str =
    "A block of text ends the file without a line end, which would become part of it. The whole file is left.";

impl Reader<'_, '_> {
    fn line(&self, line: usize) -> &str {
        self.lines.get(line).copied().unwrap_or_default()
    }

    /// Reads the next node, which stands behind `from`; `parent` is the indentation of what it belongs to.
    fn node(&mut self, from: Pos, parent: Option<usize>) -> Option<Node> {
        let (event, span) = self.events.next()?;
        let end = pos(span.end);
        let mut first = span.tag_start().map_or(pos(span.start), pos).min(pos(span.start));
        let mut anchor = None;
        if let Some((Event::Anchor(..), _)) = self.events.as_slice().first()
            && let Some((Event::Anchor(_, name), span)) = self.events.next()
        {
            first = first.min(pos(span.start));
            anchor = Some(name.into_owned());
        }
        let mut node = Node {
            first,
            end,
            text: None,
            begins: end,
            is_block_collection: false,
            value: Value { shape: Shape::Other(None), last: end.line, ties: Ties::default(), has_block: false },
        };
        node.value.ties.defines.extend(anchor);
        match event {
            Event::Alias(_) => {
                let name = self.rest(first).strip_prefix('*').map(anchor_name);
                node.value.ties.uses.extend(name.map(str::to_owned));
            }
            Event::Scalar(text, style, ..) => {
                self.scalar(&mut node, style, from, parent);
                node.text = Some(text.into_owned());
            }
            Event::SequenceStart(..) => {
                if self.rest(self.content(first)).starts_with('[') {
                    self.flow_list(&mut node)?;
                } else {
                    self.block_list(&mut node)?;
                }
            }
            Event::MappingStart(..) => {
                if self.rest(self.content(first)).starts_with('{') {
                    self.braces(&mut node)?;
                } else {
                    self.block_map(&mut node)?;
                }
            }
            _ => return None,
        }
        Some(node)
    }

    /// Returns what stands on the line from `at` on.
    fn rest(&self, at: Pos) -> &str {
        let line = self.line(at.line);
        &line[byte(line, at.column)..]
    }

    /// Finds what stands behind white space, comments, anchors and tags.
    fn content(&self, mut at: Pos) -> Pos {
        while at.line < self.lines.len() {
            let rest = self.rest(at);
            let space = rest.len() - rest.trim_start().len();
            let found = rest.trim_start();
            at.column += rest[..space].chars().count();
            let after_space = at.column == 0 || space > 0;
            if found.is_empty() || found.starts_with('#') && after_space {
                at = Pos { line: at.line + 1, column: 0 };
            } else if found.starts_with(['&', '!']) {
                at.column += found.chars().take_while(|c| !c.is_whitespace()).count();
            } else {
                break;
            }
        }
        at
    }

    fn scalar(&mut self, node: &mut Node, style: ScalarStyle, from: Pos, parent: Option<usize>) {
        match style {
            ScalarStyle::Plain => {}
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                node.end = self.closing_quote(self.content(node.first));
                node.value.last = node.end.line;
            }
            ScalarStyle::Literal | ScalarStyle::Folded => self.block_scalar(node, self.content(from), parent),
        }
    }

    /// Returns the place behind the quote that closes the one at `open`.
    fn closing_quote(&self, open: Pos) -> Pos {
        let quote = self.rest(open).chars().next().unwrap_or('"');
        let (mut at, mut is_first, mut escaped) = (open, true, false);
        while at.line < self.lines.len() {
            let rest = self.rest(at);
            let mut characters = rest.chars().enumerate().skip(usize::from(is_first)).peekable();
            while let Some((offset, character)) = characters.next() {
                let is_escaped = std::mem::take(&mut escaped);
                if character == '\\' && quote == '"' && !is_escaped {
                    escaped = true;
                } else if character == quote && !is_escaped {
                    let doubled = quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == quote);
                    if !doubled {
                        return Pos { column: at.column + offset + 1, ..at };
                    }
                    characters.next();
                }
            }
            (at, is_first, escaped) = (Pos { line: at.line + 1, column: 0 }, false, false);
        }
        Pos { line: self.lines.len().saturating_sub(1), column: 0 }
    }

    fn block_scalar(&mut self, node: &mut Node, header: Pos, parent: Option<usize>) {
        let parent = parent.unwrap_or_default();
        let signs: String = self.rest(header).chars().skip(1).take_while(|c| "123456789+-".contains(*c)).collect();
        let digit = signs.chars().find_map(|sign| sign.to_digit(10)).and_then(|digit| usize::try_from(digit).ok());
        let is_blank = |line: &&str| line.trim_matches(' ').is_empty();
        let found = self.lines[header.line + 1..].iter().find(|line| !is_blank(line)).map_or(0, |line| spaces(line));
        let indent = digit.map_or(found, |digit| parent + digit);
        let mut last = header.line;
        if digit.is_some() || indent > parent {
            let below = self.lines.iter().enumerate().skip(header.line + 1);
            for (number, line) in below.take_while(|(_, line)| is_blank(line) || spaces(line) >= indent) {
                if line.len() > indent {
                    last = number;
                }
            }
        }
        if signs.contains('+') {
            self.refuse(header.line, KEPT);
        } else if self.ends_open && last + 1 == self.lines.len() && !signs.contains('-') {
            self.refuse(header.line, OPEN_END);
        }
        node.value.last = last;
        node.value.has_block = true;
        node.value.shape = Shape::Block(Block { header: header.line, indent, is_explicit: digit.is_some() });
    }

    fn refuse(&mut self, line: usize, text: &'static str) {
        self.refusal.get_or_insert(Reason { line, text });
    }

    /// Reports whether the next event ends a list or map; takes it, and returns where it stands.
    fn ended(&mut self) -> Option<Pos> {
        let (event, span) = self.events.as_slice().first()?;
        let at = matches!(event, Event::SequenceEnd | Event::MappingEnd).then(|| pos(span.start))?;
        self.events.next();
        Some(at)
    }

    fn flow_list(&mut self, node: &mut Node) -> Option<()> {
        loop {
            if let Some(close) = self.ended() {
                node.end = Pos { column: close.column + 1, ..close };
                node.value.last = close.line;
                return Some(());
            }
            let from = pos(self.events.as_slice().first()?.1.start);
            let item = self.node(from, None)?;
            node.value.ties.take(&item.value.ties);
        }
    }

    fn braces(&mut self, node: &mut Node) -> Option<()> {
        let open = self.content(node.first);
        let mut members = Vec::new();
        loop {
            if let Some(close) = self.ended() {
                node.end = Pos { column: close.column + 1, ..close };
                node.value.last = close.line;
                node.value.shape = Shape::Braces(Braces { open, close, members });
                return Some(());
            }
            let from = pos(self.events.as_slice().first()?.1.start);
            let name = self.node(from, None)?;
            let from = pos(self.events.as_slice().first()?.1.start);
            let value = self.node(from, None)?;
            let mut ties = name.value.ties;
            ties.take(&value.value.ties);
            node.value.ties.take(&ties);
            let inner = match value.value.shape {
                Shape::Braces(braces) => Some(braces),
                _ => None,
            };
            members.push(BraceMember { name: name.text.unwrap_or_default(), start: name.first, ties, inner });
        }
    }

    fn block_list(&mut self, node: &mut Node) -> Option<()> {
        node.is_block_collection = true;
        let mut items = Vec::new();
        let mut reason = None;
        node.value.last = node.begins.line;
        loop {
            if self.ended().is_some() {
                break;
            }
            let first = pos(self.events.as_slice().first()?.1.start);
            let (line, dash) = self.dash_before(first);
            let item = self.node(Pos { line, column: dash + 1 }, Some(dash))?;
            if spaces(self.line(line)) != dash || items.last().is_some_and(|last: &Item| last.dash != dash) {
                reason.get_or_insert(Reason { line, text: COMPLEX });
            }
            let last = item.value.last.max(line);
            node.value.last = node.value.last.max(last);
            node.value.ties.take(&item.value.ties);
            node.value.has_block |= item.value.has_block;
            let is_nested = item.is_block_collection;
            items.push(Item { line, dash, last, is_nested, has_block: item.value.has_block });
        }
        if let Some(first) = items.first() {
            node.begins = Pos { line: first.line, column: first.dash };
        }
        node.value.shape = if reason.is_some() { Shape::Other(reason) } else { Shape::List(items) };
        Some(())
    }

    /// Finds the dash of the item that begins at `first`: on its line, or on one above.
    fn dash_before(&self, first: Pos) -> (usize, usize) {
        for line in (0..=first.line).rev() {
            let text = self.line(line);
            let dash = spaces(text);
            if text[dash..].starts_with('-') && (line < first.line || dash <= first.column) {
                return (line, dash);
            }
        }
        (first.line, first.column)
    }

    fn block_map(&mut self, node: &mut Node) -> Option<()> {
        node.is_block_collection = true;
        let begins = node.begins;
        let mut members: Vec<Member> = Vec::new();
        let mut reason = None;
        node.value.last = begins.line;
        loop {
            if self.ended().is_some() {
                break;
            }
            let from = pos(self.events.as_slice().first()?.1.start);
            let name = self.node(from, Some(begins.column))?;
            let colon = self.colon(name.end);
            let line = name.first.line;
            let behind = colon.map_or(name.end, |column| Pos { line: name.end.line, column: column + 1 });
            let node_of_value = self.node(behind, Some(begins.column))?;
            let mut value = self.taken_apart(node_of_value, line);
            value.ties.take(&name.value.ties);
            value.last = value.last.max(name.end.line);
            node.value.last = node.value.last.max(value.last);
            node.value.ties.take(&value.ties);
            node.value.has_block |= value.has_block;
            let text = self.line(line);
            let is_plain_line = spaces(text) == begins.column
                && name.first.column == begins.column
                && name.end.line == line
                && !text[begins.column.min(text.len())..].starts_with("? ");
            match (colon, name.text) {
                (Some(colon), Some(name_text)) if is_plain_line => members.push(Member {
                    name: name_text,
                    line,
                    indent: begins.column,
                    name_end: byte(text, name.end.column),
                    colon: byte(text, colon),
                    value,
                }),
                _ => {
                    reason.get_or_insert(Reason { line, text: COMPLEX });
                }
            }
        }
        node.value.shape = if reason.is_some() { Shape::Other(reason) } else { Shape::Map(members) };
        Some(())
    }

    /// Finds the colon behind a name.
    fn colon(&self, end: Pos) -> Option<usize> {
        let rest = self.rest(end);
        let space = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest[space..].starts_with(':').then(|| end.column + space)
    }

    /// Keeps a block map or list apart from its name only where nothing but comments stands between.
    fn taken_apart(&self, node: Node, name_line: usize) -> Value {
        let mut value = node.value;
        if node.is_block_collection && !matches!(value.shape, Shape::Other(_)) {
            let mut between = name_line + 1..node.begins.line;
            if node.begins.line <= name_line || !between.all(|line| is_gap(self.line(line))) {
                value.shape = Shape::Other(Some(Reason { line: name_line, text: COMPLEX }));
            }
        }
        value
    }
}

/// Reports whether a line holds nothing but white space or a comment.
pub(super) fn is_gap(line: &str) -> bool {
    let text = line.trim_start();
    text.is_empty() || text.starts_with('#')
}

/// Counts the spaces that a line begins with.
pub(super) fn spaces(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns where the character of that column begins, in bytes.
pub(super) fn byte(line: &str, column: usize) -> usize {
    line.char_indices().nth(column).map_or(line.len(), |(at, _)| at)
}

fn anchor_name(text: &str) -> &str {
    text.split(|c: char| c.is_whitespace() || ",[]{}".contains(c)).next().unwrap_or_default()
}
