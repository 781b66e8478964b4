//! YAML values as they were read: one after the other, each with its place.
//!
//! A list or map is followed by what is in it, so that a contact costs no memory of its own and is dropped as one.
//! An alias shares what it stands for. Knows nothing of contacts.

use std::borrow::Cow;
use std::rc::Rc;

use super::diagnostic::Span;
use super::rules;

/// One value, or the head of a list or map.
#[derive(Debug, Clone)]
pub(super) struct Slot<'t> {
    pub(super) span: Span,
    /// Just behind it, in bytes of the text; of scalars only.
    pub(super) end: usize,
    pub(super) kind: Kind<'t>,
    /// Slots that it takes up, those of what is in it included.
    pub(super) length: usize,
    /// Values that it stands for, aliases followed.
    pub(super) weight: u64,
    /// Levels of lists and maps in it and itself, aliases followed.
    pub(super) depth: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind<'t> {
    Scalar(Scalar<'t>),
    List,
    Map,
    /// Stands for a value that was read before.
    Alias(Kept<'t>),
}

/// A value that outlives the tape it was read on.
pub(super) type Kept<'t> = Rc<[Slot<'t>]>;

#[derive(Debug, Clone)]
pub(super) struct Scalar<'t> {
    pub(super) text: Cow<'t, str>,
    pub(super) style: Style,
    /// Tagged as anything but null, which makes text of `null` and of nothing.
    pub(super) is_tagged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Written without quotes and not as a block.
    Plain,
    Quoted,
    Block,
}

impl Scalar<'_> {
    pub(super) fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    pub(super) fn is_null(&self) -> bool {
        self.is_plain() && !self.is_tagged && rules::is_null_spelling(&self.text)
    }
}

/// A value on a tape, aliases followed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a, 't>(&'a [Slot<'t>]);

/// What a value is, with what is in it.
#[derive(Debug, Clone)]
pub(super) enum Value<'a, 't> {
    Scalar(&'a Scalar<'t>),
    List(Items<'a, 't>),
    Map(Pairs<'a, 't>),
}

impl<'a, 't> Node<'a, 't> {
    /// Takes the value that begins a run of slots.
    pub(super) fn at(slots: &'a [Slot<'t>]) -> Self {
        match &slots[0].kind {
            // What is kept is never itself an alias.
            Kind::Alias(kept) => Self(kept),
            _ => Self(&slots[..slots[0].length]),
        }
    }

    fn head(self) -> &'a Slot<'t> {
        &self.0[0]
    }

    pub(super) fn span(self) -> Span {
        self.head().span
    }

    /// Returns where it ends, in bytes of the text; of scalars only.
    pub(super) fn end(self) -> usize {
        self.head().end
    }

    pub(super) fn value(self) -> Value<'a, 't> {
        match &self.head().kind {
            Kind::Scalar(scalar) => Value::Scalar(scalar),
            Kind::List => Value::List(Items(&self.0[1..])),
            Kind::Map => Value::Map(Pairs(Items(&self.0[1..]))),
            Kind::Alias(kept) => Node(kept).value(),
        }
    }

    pub(super) fn scalar(self) -> Option<&'a Scalar<'t>> {
        match &self.head().kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::List | Kind::Map | Kind::Alias(_) => None,
        }
    }

    pub(super) fn is_null(self) -> bool {
        self.scalar().is_some_and(Scalar::is_null)
    }

    /// Copies the value, so that it outlives its tape.
    pub(super) fn keep(self) -> Kept<'t> {
        self.0.into()
    }

    /// Names the kind for messages about a wrong one.
    pub(super) fn kind(self) -> &'static str {
        match self.value() {
            Value::Scalar(scalar) if scalar.is_null() => "null",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// The items of a list in order.
#[derive(Debug, Clone)]
pub(super) struct Items<'a, 't>(&'a [Slot<'t>]);

impl<'a, 't> Iterator for Items<'a, 't> {
    type Item = Node<'a, 't>;

    fn next(&mut self) -> Option<Self::Item> {
        let first = self.0.first()?;
        let node = Node::at(self.0);
        self.0 = &self.0[first.length..];
        Some(node)
    }
}

/// The names of a map with their values, in order.
#[derive(Debug, Clone)]
pub(super) struct Pairs<'a, 't>(Items<'a, 't>);

impl Pairs<'_, '_> {
    pub(super) const NONE: Self = Self(Items(&[]));
}

impl<'a, 't> Iterator for Pairs<'a, 't> {
    type Item = (Node<'a, 't>, Node<'a, 't>);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.0.next()?, self.0.next()?))
    }
}
