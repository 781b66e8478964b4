//! Writes a text again from its layout: whole lines are moved and indented, and no value is rewritten.

use super::layout::{
    Block, BraceMember, Braces, Document, Item, Layout, Member, Reason, Root, Shape, Value, byte, is_gap, spaces,
};
use super::order;

/// Columns of one level.
const STEP: usize = 2;

const TIED: &str = "An anchor among these fields is used or defined again by another of them, so their order is kept.";
const LINES: &str =
    "These fields stand in braces over several lines. On lines of their own, without braces, they can be put in order.";
const INNER: &str = "These contacts stand within other braces. On lines of their own, without braces, their fields can be put in order.";

/// What a block map holds, which decides about order and blank lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// `contacts` and `defaults`.
    Sections,
    Contacts,
    /// The fields of a contact or of the defaults.
    Fields,
    /// A map in which the order means nothing to us and is kept.
    Plain,
}

/// The text in its canonical form, and what was left as it is.
pub(super) struct Rewritten {
    pub(super) text: String,
    pub(super) left: Vec<Reason>,
}

pub(super) fn rewrite(lines: &[&str], layout: &Layout) -> Rewritten {
    let mut writer = Writer { lines, left: Vec::new() };
    let mut out = Vec::new();
    let mut next = 0;
    for root in &layout.roots {
        match root {
            Root::Map(document) => {
                writer.between(next..document.members[0].line, &mut out);
                let end = writer.end_of(document);
                out.extend(writer.members(&document.members, end, 0, Role::Sections, Vec::new()));
                next = end;
            }
            Root::Other { first, last, reason } => {
                writer.left.extend(*reason);
                writer.between(next..*first, &mut out);
                let end = (*last + 1).min(lines.len());
                out.extend(lines[next.max(*first).min(end)..end].iter().map(|line| (*line).to_owned()));
                next = next.max(end);
            }
        }
    }
    writer.between(next..lines.len(), &mut out);
    while out.last().is_some_and(String::is_empty) {
        out.pop();
    }
    let mut text = out.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    Rewritten { text, left: writer.left }
}

struct Writer<'s> {
    lines: &'s [&'s str],
    left: Vec<Reason>,
}

/// A member as it is written.
struct Written {
    /// Comments above it, and blank lines among and before them, as empty lines.
    lead: Vec<String>,
    lines: Vec<String>,
    rank: usize,
}

impl Writer<'_> {
    /// Writes lines that belong to no map: comments at the margin, markers as they are, blank lines one at a time.
    fn between(&self, range: std::ops::Range<usize>, out: &mut Vec<String>) {
        for line in self.lines.get(range).unwrap_or_default() {
            let text = if is_gap(line) { line.trim() } else { line.trim_end() };
            let repeats = out.last().is_none_or(String::is_empty);
            if !(text.is_empty() && repeats) {
                out.push(text.to_owned());
            }
        }
    }

    /// Returns the line behind a document's root, the comments at its end included that are indented as parts of it.
    fn end_of(&self, document: &Document) -> usize {
        let gap = self.gap(document.last + 1, self.lines.len());
        let last = document.members.last().expect("a document's root has members");
        let deep = deepest(&last.value, last.indent).map_or(0, |indent| self.deep(gap.clone(), indent));
        document.last + 1 + deep
    }

    /// Returns the run of blank lines and comments from `start` on, up to `end`.
    fn gap(&self, start: usize, end: usize) -> std::ops::Range<usize> {
        let length = self.lines[start.min(end)..end].iter().take_while(|line| is_gap(line)).count();
        start.min(end)..start.min(end) + length
    }

    /// Counts the lines of a gap up to the last of the comments that begin at `indent` or further right.
    fn deep(&self, gap: std::ops::Range<usize>, indent: usize) -> usize {
        let mut deep = 0;
        for (count, line) in self.lines[gap].iter().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            if line.len() - line.trim_start().len() < indent {
                break;
            }
            deep = count + 1;
        }
        deep
    }

    /// Takes the lines of a gap: comments at `indent`, and empty lines, of several the first.
    fn comments(&self, gap: std::ops::Range<usize>, indent: usize) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        for line in &self.lines[gap] {
            let text = line.trim();
            if !text.is_empty() {
                out.push(format!("{:indent$}{text}", ""));
            } else if out.last().is_none_or(|last| !last.is_empty()) {
                out.push(String::new());
            }
        }
        out
    }

    /// Writes the members of a block map, whose lines end before `end`; `lead` stands above the first.
    fn members(&mut self, members: &[Member], end: usize, indent: usize, role: Role, lead: Vec<String>) -> Vec<String> {
        let (head, mut lead) = split_head(lead, role);
        let mut written = Vec::new();
        for (at, member) in members.iter().enumerate() {
            let next = members.get(at + 1).map_or(end, |next| next.line);
            let first_gap = member.value.last + 1;
            let deep = deepest(&member.value, member.indent).map_or(0, |indent| self.deep(first_gap..next, indent));
            let lines = self.member(member, first_gap + deep, indent, role);
            let rank = if role == Role::Fields { order::rank(&member.name) } else { 0 };
            written.push(Written { lead, lines, rank });
            lead = self.comments(first_gap + deep..next, indent);
        }
        let tail = lead;
        if role == Role::Fields {
            self.sort(members, &mut written);
        }
        let mut out = head;
        let mut before = None;
        for member in written {
            let own = member.lines.len();
            out.extend(arranged(member.lead, role, before, own));
            out.extend(member.lines);
            before = Some(own);
        }
        out.extend(arranged(tail, role, Some(0), 0));
        while out.last().is_some_and(String::is_empty) {
            out.pop();
        }
        out
    }

    /// Brings fields into their order, unless an anchor would come behind its use.
    fn sort(&mut self, members: &[Member], written: &mut [Written]) {
        if written.is_sorted_by_key(|member| member.rank) {
            return;
        }
        let is_bound =
            |one: &Member, others: &[Member]| others.iter().any(|other| one.value.ties.bind(&other.value.ties));
        if members.iter().enumerate().any(|(at, member)| is_bound(member, &members[at + 1..])) {
            self.left.push(Reason { line: members[0].line, text: TIED });
        } else {
            written.sort_by_key(|member| member.rank);
        }
    }

    /// Writes a name with its value, whose lines end before `end`.
    fn member(&mut self, member: &Member, end: usize, indent: usize, role: Role) -> Vec<String> {
        let mut out = vec![self.name_line(member, indent, role)];
        let inner = inner_role(role, &member.name);
        match &member.value.shape {
            Shape::Map(members) => {
                let first = members.first().map_or(end, |first| first.line);
                let lead = self.comments(member.line + 1..first, indent + STEP);
                out.extend(self.members(members, end, indent + STEP, inner, lead));
            }
            Shape::List(items) => out.extend(self.items(member, items, end, indent + STEP)),
            Shape::Block(block) => self.block(member, *block, indent, &mut out),
            Shape::Braces(_) | Shape::Other(_) => {
                if let Shape::Other(Some(reason)) = &member.value.shape {
                    self.left.push(*reason);
                }
                self.moved(
                    member.line + 1..member.value.last + 1,
                    member.indent,
                    indent,
                    member.value.has_block,
                    &mut out,
                );
            }
        }
        out
    }

    /// Writes the line of a name: one space behind its colon, and what follows as it is.
    fn name_line(&mut self, member: &Member, indent: usize, role: Role) -> String {
        let line = self.lines[member.line];
        let name = &line[member.indent..member.name_end];
        let mut behind = line[member.colon + 1..].to_owned();
        if let Shape::Braces(braces) = &member.value.shape {
            match self.braces(member, braces, inner_role(role, &member.name)) {
                Ok(Some(text)) => behind = text,
                Ok(None) => {}
                Err(reason) => self.left.push(reason),
            }
        }
        // Behind the first line of several, a blank can be escaped, and so mean something.
        let goes_on =
            matches!(member.value.shape, Shape::Other(_) | Shape::Braces(_)) && member.value.last > member.line;
        let behind = if goes_on { behind.as_str() } else { behind.trim_end() };
        let found = behind.trim_start_matches([' ', '\t']);
        if found.is_empty() {
            format!("{:indent$}{name}:", "")
        } else if found.starts_with('#') {
            let gap = &behind[..behind.len() - found.len()];
            format!("{:indent$}{name}:{gap}{found}", "")
        } else {
            format!("{:indent$}{name}: {found}", "")
        }
    }

    fn items(&self, member: &Member, items: &[Item], end: usize, indent: usize) -> Vec<String> {
        let mut out = Vec::new();
        let mut start = member.line + 1;
        for item in items {
            out.extend(self.comments(start..item.line, indent).into_iter().filter(|line| !line.is_empty()));
            let line = self.lines[item.line];
            let behind = &line[item.dash + 1..];
            let found = if item.is_nested { behind } else { behind.trim_start_matches([' ', '\t']) };
            let found = if item.last == item.line { found.trim_end() } else { found };
            let gap = if item.is_nested || found.is_empty() { "" } else { " " };
            out.push(format!("{:indent$}-{gap}{found}", ""));
            self.moved(item.line + 1..item.last + 1, item.dash, indent, item.has_block, &mut out);
            start = item.last + 1;
        }
        out.extend(self.comments(start..end, indent).into_iter().filter(|line| !line.is_empty()));
        out
    }

    fn block(&self, member: &Member, block: Block, indent: usize, out: &mut Vec<String>) {
        self.moved(member.line + 1..block.header + 1, member.indent, indent, false, out);
        let to = if block.is_explicit {
            block.indent + indent - member.indent.min(block.indent + indent)
        } else {
            indent + STEP
        };
        for line in &self.lines[block.header + 1..=member.value.last] {
            if spaces(line) >= block.indent && line.len() > block.indent {
                out.push(format!("{:to$}{}", "", &line[block.indent..]));
            } else {
                out.push(String::new());
            }
        }
    }

    /// Writes further lines of a value, moved as far as what it belongs to.
    fn moved(&self, range: std::ops::Range<usize>, from: usize, to: usize, has_block: bool, out: &mut Vec<String>) {
        for line in &self.lines[range] {
            if line.trim().is_empty() && !has_block {
                out.push(String::new());
            } else {
                let column = (spaces(line) + to).saturating_sub(from);
                out.push(format!("{:column$}{}", "", &line[spaces(line)..]));
            }
        }
    }

    /// Writes what follows a colon when that is a map in braces; nothing when it stays as it is.
    fn braces(&self, member: &Member, braces: &Braces, role: Role) -> Result<Option<String>, Reason> {
        let left = |text| Err(Reason { line: member.line, text });
        let is_ordered = in_order(braces, role);
        if braces.open.line != member.line || braces.close.line != member.line {
            return if is_ordered { Ok(None) } else { left(LINES) };
        }
        if role != Role::Fields {
            return if is_ordered { Ok(None) } else { left(INNER) };
        }
        if !is_ordered && are_bound(&braces.members) {
            return left(TIED);
        }
        let line = self.lines[member.line];
        let close = byte(line, braces.close.column);
        let ends = braces.members.iter().skip(1).map(|next| byte(line, next.start.column)).chain([close]);
        let mut texts: Vec<_> = braces
            .members
            .iter()
            .zip(ends)
            .map(|(member, end)| (order::rank(&member.name), line[byte(line, member.start.column)..end].trim()))
            .collect();
        let has_comma = texts.last().is_some_and(|(_, text)| text.ends_with(','));
        for (_, text) in &mut texts {
            *text = text.strip_suffix(',').unwrap_or(text).trim_end();
        }
        texts.sort_by_key(|(rank, _)| *rank);
        let inner: Vec<_> = texts.into_iter().map(|(_, text)| text).collect();
        let (open, comma) = (byte(line, braces.open.column), if has_comma { "," } else { "" });
        Ok(Some(format!("{}{{{}{comma}{}", &line[member.colon + 1..open], inner.join(", "), &line[close..])))
    }
}

/// Says what the value of a member is.
fn inner_role(role: Role, name: &str) -> Role {
    match (role, name) {
        (Role::Sections, "contacts") => Role::Contacts,
        (Role::Sections, "defaults") => Role::Fields,
        (Role::Contacts, name) if name != order::MERGE_KEY => Role::Fields,
        _ => Role::Plain,
    }
}

/// Reports whether all fields in braces stand in their order, those of contacts in them included.
fn in_order(braces: &Braces, role: Role) -> bool {
    match role {
        Role::Fields => braces.members.is_sorted_by_key(|member| order::rank(&member.name)),
        Role::Sections | Role::Contacts => braces
            .members
            .iter()
            .all(|member| member.inner.as_ref().is_none_or(|inner| in_order(inner, inner_role(role, &member.name)))),
        Role::Plain => true,
    }
}

fn are_bound(members: &[BraceMember]) -> bool {
    members.iter().enumerate().any(|(at, one)| members[at + 1..].iter().any(|other| one.ties.bind(&other.ties)))
}

/// Returns from which column on a comment behind a value belongs to it: a map or list of lines has comments.
fn deepest(value: &Value, indent: usize) -> Option<usize> {
    match &value.shape {
        Shape::Map(members) => members.first().map(|first| first.indent.max(indent + 1)),
        Shape::List(items) => items.first().map(|first| first.dash.max(indent + 1)),
        Shape::Block(_) | Shape::Braces(_) | Shape::Other(_) => None,
    }
}

fn has_blank_lines(role: Role) -> bool {
    matches!(role, Role::Sections | Role::Contacts)
}

/// Takes off the comments above the first field that a blank line sets apart: they are about all fields.
fn split_head(mut lead: Vec<String>, role: Role) -> (Vec<String>, Vec<String>) {
    let first_comment = lead.iter().position(|line| !line.is_empty());
    lead.drain(..first_comment.unwrap_or(lead.len()));
    match lead.iter().rposition(String::is_empty) {
        Some(blank) if role == Role::Fields => {
            let rest = lead.split_off(blank + 1);
            lead.retain(|line| !line.is_empty());
            lead.push(String::new());
            (lead, rest)
        }
        _ => (Vec::new(), lead),
    }
}

/// Puts the lines above a member in order: a blank line between contacts, none between fields.
fn arranged(mut lead: Vec<String>, role: Role, before: Option<usize>, own: usize) -> Vec<String> {
    if !has_blank_lines(role) {
        lead.retain(|line| !line.is_empty());
        return lead;
    }
    let wants_blank = role == Role::Contacts && own > 0 && before.is_some_and(|before| before > 1 || own > 1);
    match (before, lead.first().is_some_and(String::is_empty)) {
        (None, true) => drop(lead.remove(0)),
        (Some(_), false) if wants_blank => lead.insert(0, String::new()),
        _ => {}
    }
    lead
}
