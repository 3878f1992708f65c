//! Where each key and value of a document stands, by JSON pointer.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::diagnostic::Location;

/// A position: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: Position,
    /// Exclusive.
    pub end: Position,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct NodeSpan {
    /// Where the key stands, for a value in a mapping.
    pub key: Option<Span>,
    pub value: Span,
    /// The first key, of a mapping that is not empty: what stands for the whole in a message.
    pub first_key: Option<Span>,
    /// Where a text's own characters begin: after the quote, or at the first line of a block scalar.
    pub content: Position,
}

/// The spans of one document. Nodes that an alias brought in have none of their own: in messages the alias stands for them, and what
/// is written there, in which order, is known from where it was written.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    nodes: HashMap<String, NodeSpan>,
    /// Where each alias stands, to where its node was written.
    aliases: HashMap<String, String>,
}

impl Spans {
    pub(crate) fn insert(&mut self, pointer: &str, span: NodeSpan) {
        self.nodes.insert(pointer.to_owned(), span);
    }

    pub(crate) fn set_end(&mut self, pointer: &str, end: Position) {
        if let Some(node) = self.nodes.get_mut(pointer) {
            node.value.end = end;
        }
    }

    pub(crate) fn set_first_key(&mut self, pointer: &str, key: Span) {
        if let Some(node) = self.nodes.get_mut(pointer) {
            node.first_key = Some(key);
        }
    }

    pub(crate) fn insert_alias(&mut self, pointer: &str, origin: String) {
        self.aliases.insert(pointer.to_owned(), origin);
    }

    /// Whether something is written at the pointer itself, or where the alias around it leads.
    pub(crate) fn has(&self, pointer: &str) -> bool {
        self.nodes.contains_key(&*self.origin(pointer))
    }

    /// Where the node was first written, for comparing it with its neighbours: not the place that a message should name.
    pub(crate) fn written(&self, pointer: &str) -> Position {
        let node = self.get(&self.origin(pointer));
        node.key.unwrap_or(node.value).start
    }

    /// Whether something is written at the pointer itself, be it an alias.
    pub(crate) fn is_own(&self, pointer: &str) -> bool {
        self.nodes.contains_key(pointer)
    }

    /// Where the node at the pointer was written out: no alias, but what it stands for.
    pub(crate) fn written_out<'p>(&self, pointer: &'p str) -> Cow<'p, str> {
        let mut pointer = self.origin(pointer);
        while let Some(origin) = self.aliases.get(&*pointer) {
            pointer = Cow::Owned(self.origin(origin).into_owned());
        }
        pointer
    }

    /// Where the node at the pointer was written. An alias always leads back, so that this ends.
    fn origin<'p>(&self, pointer: &'p str) -> Cow<'p, str> {
        let mut pointer = Cow::Borrowed(pointer);
        while !self.nodes.contains_key(&*pointer)
            && let Some(origin) = self.follow(&pointer)
        {
            pointer = Cow::Owned(origin);
        }
        pointer
    }

    /// The pointer with the innermost alias on the way followed.
    fn follow(&self, pointer: &str) -> Option<String> {
        if self.aliases.is_empty() {
            return None;
        }
        let mut around = std::iter::successors(Some(pointer), |pointer| Some(&pointer[..pointer.rfind('/')?]));
        let (alias, origin) = around.find_map(|around| Some((around, self.aliases.get(around)?)))?;
        Some(format!("{origin}{}", &pointer[alias.len()..]))
    }

    /// The node at the pointer, else the nearest one around it.
    pub(crate) fn get(&self, pointer: &str) -> NodeSpan {
        let mut pointer = pointer;
        loop {
            if let Some(node) = self.nodes.get(pointer) {
                return *node;
            }
            match pointer.rfind('/') {
                Some(cut) => pointer = &pointer[..cut],
                None => {
                    return NodeSpan { key: None, value: Span::START, first_key: None, content: Span::START.start };
                }
            }
        }
    }
}

impl Span {
    const START: Span = Span { start: Position { line: 1, column: 1 }, end: Position { line: 1, column: 2 } };

    pub(crate) fn at(self, file: &str) -> Location {
        Location {
            file: file.to_owned(),
            line: self.start.line,
            column: self.start.column,
            end_line: self.end.line,
            end_column: self.end.column,
        }
    }
}

/// A pointer's segment, escaped as RFC 6901 section 3 asks.
pub(crate) fn push_segment(pointer: &mut String, segment: &str) {
    pointer.push('/');
    for c in segment.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
