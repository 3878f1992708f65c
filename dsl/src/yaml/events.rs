//! The first pass over a YAML text: what it refuses, and where everything stands.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span as RawSpan};

use serde_json::Value;

use super::MAX_DEPTH;
use super::plain::{Plain, resolve, unprintable};
use super::spans::{NodeSpan, Position, Span, Spans, push_segment};
use super::values::Values;
use crate::diagnostic::Diagnostic;

/// How many values a document may have, its aliases written out.
pub(super) const MAX_NODES: usize = 100_000;

const DUPLICATE: &str = "duplicate-key";
/// How many keys that stand in a mapping twice are told of one file.
const MOST_ERRORS: usize = 1_000;

/// Goes through the text once.
///
/// A key that stands in a mapping twice does no more harm than that its second value counts for nothing: such are given
/// beside the places, the number of values, and the value itself where it is written in usual ways.
///
/// # Errors
/// Everything that is refused; a syntax error ends the list, as nothing after it can be trusted.
pub(super) fn scan(file: &str, text: &str) -> Result<Scanned, Vec<Diagnostic>> {
    let mut pass = Pass::new(file, Values::new(text));
    if let Some((at, c)) = unprintable(text) {
        let message = format!("the character U+{:04X} may not stand in a YAML file", u32::from(c));
        pass.refuse(
            "yaml-syntax",
            Span { start: at, end: after(at) },
            message,
            Some("remove it, or write it as an escape in double quotes"),
        );
        return Err(pass.errors);
    }
    for item in Parser::new_from_str(text) {
        let outcome = match item {
            Ok((event, span)) => pass.event(event, span),
            Err(error) => {
                let at = position(error.marker());
                // The parser looks ahead, and has a limit of its own.
                if error.info().contains("recursion limit") {
                    let _ = pass.too_deep(Span { start: at, end: at });
                    break;
                }
                let message = format!("this is not valid YAML: {}", error.info());
                pass.refuse("yaml-syntax", Span { start: at, end: after(at) }, message, None);
                Err(Stop)
            }
        };
        if outcome.is_err() {
            break;
        }
    }
    let readable = pass.errors.iter().all(|error| error.code == DUPLICATE);
    if !readable {
        return Err(pass.errors);
    }
    Ok(Scanned { spans: pass.spans, count: pass.nodes, duplicates: pass.errors, value: pass.values.finish() })
}

/// What the first pass gives.
pub(super) struct Scanned {
    pub spans: Spans,
    /// How many values there are, aliases written out.
    pub count: usize,
    /// Keys that stand in a mapping twice.
    pub duplicates: Vec<Diagnostic>,
    /// The value, where it is written in usual ways.
    pub value: Option<Value>,
}

/// Which of these positions lie inside of a scalar, so that a `#` there is no comment; the positions in their order. Of a text that cannot be
/// read, all do.
pub(crate) fn in_scalars(text: &str, positions: &[Position]) -> Vec<bool> {
    let mut inside = vec![false; positions.len()];
    for item in Parser::new_from_str(text) {
        match item {
            Ok((Event::Scalar(_, style, ..), raw)) if style != ScalarStyle::Plain => {
                let (start, end) = (position(&raw.start), position(&raw.end));
                let from = positions.partition_point(|position| *position < start);
                let to = positions.partition_point(|position| *position < end);
                inside.iter_mut().take(to).skip(from).for_each(|inside| *inside = true);
            }
            Ok(_) => {}
            Err(_) => return vec![true; positions.len()],
        }
    }
    inside
}

/// The rest of the text is not worth reading.
struct Stop;

/// A list or mapping that is still open.
struct Frame {
    /// `None` for a list.
    keys: Option<HashMap<String, Span>>,
    /// The key whose value comes next.
    key: Option<Span>,
    /// The next element's index, in a list.
    index: usize,
    /// How long the pointer is that leads to this container.
    pointer: usize,
    anchor: usize,
    /// Nodes in here, and levels below this one, aliases written out.
    weight: Weight,
}

#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    height: usize,
}

struct Pass<'a> {
    file: &'a str,
    spans: Spans,
    errors: Vec<Diagnostic>,
    frames: Vec<Frame>,
    /// Leads to the node at hand.
    pointer: String,
    /// What each anchor stands for, and where.
    anchors: HashMap<usize, (Weight, String)>,
    /// Where the last scalar ended: containers end with their last scalar.
    end: Position,
    documents: usize,
    nodes: usize,
    /// The depth of the mapping in which a key stands again, while that key's value is passed over.
    repeated: Option<usize>,
    values: Values,
}

impl<'a> Pass<'a> {
    fn new(file: &'a str, values: Values) -> Pass<'a> {
        Pass {
            file,
            spans: Spans::default(),
            errors: Vec::new(),
            frames: Vec::new(),
            pointer: String::new(),
            anchors: HashMap::new(),
            end: Position { line: 1, column: 1 },
            documents: 0,
            nodes: 0,
            repeated: None,
            values,
        }
    }

    fn refuse(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: Option<&str>) {
        self.errors.push(Diagnostic { help: help.map(str::to_owned), ..Diagnostic::error(code, span.at(self.file), message) });
    }

    fn event(&mut self, event: Event<'_>, raw: RawSpan) -> Result<(), Stop> {
        let span = Span { start: position(&raw.start), end: position(&raw.end) };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let at = Span { start: span.start, end: after(span.start) };
                    self.refuse("yaml-documents", at, "a second document begins here; a file holds one", Some("split the file"));
                    return Err(Stop);
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.scalar(&text, style, anchor, span)
            }
            Event::Alias(anchor) => self.alias(anchor, span),
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(false, anchor, span)
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.is_some(), span);
                self.open(true, anchor, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
        }
    }

    fn refuse_tag(&mut self, tagged: bool, span: Span) {
        if tagged {
            let at = Span { start: span.start, end: after(span.start) };
            self.refuse(
                "yaml-tag",
                at,
                "YAML tags (`!…`) have no meaning here",
                Some("remove the tag; quote a value to make it text"),
            );
        }
    }

    /// Whether the next node is a mapping's key.
    fn at_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.keys.is_some() && frame.key.is_none())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: Span) -> Result<(), Stop> {
        let span = Span { start: span.start, end: Self::scalar_end(text, style, span) };
        if self.at_key() {
            self.key(text, style, span);
            self.values.key(text, style, span);
            return Ok(());
        }
        self.values.scalar(text, style, span);
        if style == ScalarStyle::Plain && matches!(resolve(text), Plain::NotFinite) {
            self.refuse(
                "yaml-number",
                span,
                format!("`{text}` is no number that can be worked with"),
                Some("quote it to make it text"),
            );
        }
        let key = self.enter();
        let content = Self::content_of(style, span.start);
        self.note(NodeSpan { key, value: span, first_key: None, content });
        self.end = span.end;
        self.leave(anchor, Weight { nodes: 1, height: 0 }, span)
    }

    fn key(&mut self, text: &str, style: ScalarStyle, span: Span) {
        if style == ScalarStyle::Plain {
            if text == "<<" {
                self.refuse("yaml-merge", span, "merge keys (`<<`) are not supported", Some("write the keys out"));
            } else if !matches!(resolve(text), Plain::Text) {
                let shown = if text.is_empty() { "an empty key".to_owned() } else { format!("the key `{text}`") };
                self.refuse("yaml-key", span, format!("{shown} is not text"), Some("quote it to make it text"));
            }
        }
        let mut first = None;
        if let Some(frame) = self.frames.last_mut() {
            if let Some(keys) = &mut frame.keys {
                first = keys.get(text).copied();
                if first.is_none() {
                    keys.insert(text.to_owned(), span);
                }
            }
            frame.key = Some(span);
            self.pointer.truncate(frame.pointer);
            if self.repeated.is_none() && frame.keys.as_ref().is_some_and(|keys| keys.len() == 1) {
                self.spans.set_first_key(&self.pointer, span);
            }
            push_segment(&mut self.pointer, text);
        }
        if let Some(first) = first {
            self.repeated.get_or_insert(self.frames.len());
            if self.errors.len() >= MOST_ERRORS {
                return;
            }
            let message = format!("the key `{text}` is here twice");
            let diagnostic = Diagnostic::error(DUPLICATE, span.at(self.file), message);
            let diagnostic = diagnostic.help("remove one, or give it another name");
            self.errors.push(diagnostic.related(first.at(self.file), "the first is here"));
        }
    }

    /// Points at the value that begins, and gives its key's place.
    fn enter(&mut self) -> Option<Span> {
        let frame = self.frames.last_mut()?;
        if frame.keys.is_some() {
            return frame.key;
        }
        self.pointer.truncate(frame.pointer);
        push_segment(&mut self.pointer, &frame.index.to_string());
        frame.index += 1;
        None
    }

    fn note(&mut self, span: NodeSpan) {
        if self.repeated.is_none() {
            self.spans.insert(&self.pointer, span);
        }
    }

    /// A value is complete: its weight counts for what holds it.
    fn leave(&mut self, anchor: usize, weight: Weight, span: Span) -> Result<(), Stop> {
        if anchor > 0 {
            self.anchors.insert(anchor, (weight, self.pointer.clone()));
        }
        if self.repeated == Some(self.frames.len()) {
            self.repeated = None;
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.key = None;
            frame.weight.nodes = frame.weight.nodes.saturating_add(weight.nodes);
            frame.weight.height = frame.weight.height.max(weight.height + 1);
            self.pointer.truncate(frame.pointer);
        }
        self.nodes = self.nodes.saturating_add(if weight.height == 0 { weight.nodes } else { 1 });
        if self.frames.len() + weight.height > MAX_DEPTH {
            return self.too_deep(span);
        }
        if self.nodes > MAX_NODES {
            let message = format!("this file has more than {MAX_NODES} values");
            self.refuse("file-too-large", span, message, Some("split it"));
            return Err(Stop);
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.at_key() {
            self.refuse("yaml-key", span, "an alias cannot be a key", Some("write the key out"));
            return Err(Stop);
        }
        self.values.give_up();
        let Some((weight, origin)) = self.anchors.get(&anchor).cloned() else {
            self.refuse("yaml-alias-bomb", span, "this alias stands inside what it stands for", None);
            return Err(Stop);
        };
        let key = self.enter();
        self.note(NodeSpan { key, value: span, first_key: None, content: span.start });
        if self.repeated.is_none() {
            self.spans.insert_alias(&self.pointer, origin);
        }
        self.end = span.end;
        self.nodes = self.nodes.saturating_add(weight.nodes);
        if self.nodes > MAX_NODES {
            let message = format!("with its aliases written out, this file has more than {MAX_NODES} values");
            self.refuse("yaml-alias-bomb", span, message, None);
            return Err(Stop);
        }
        self.leave(0, weight, span)
    }

    fn open(&mut self, mapping: bool, anchor: usize, span: Span) -> Result<(), Stop> {
        if self.at_key() {
            let at = Span { start: span.start, end: after(span.start) };
            self.refuse(
                "yaml-key",
                at,
                "a list or mapping cannot be a key",
                Some("quote a text that begins with a bracket or a brace"),
            );
            return Err(Stop);
        }
        if self.frames.len() >= MAX_DEPTH {
            return self.too_deep(span);
        }
        self.values.open(mapping);
        let key = self.enter();
        let value = Span { start: span.start, end: after(span.start) };
        self.note(NodeSpan { key, value, first_key: None, content: span.start });
        self.frames.push(Frame {
            keys: mapping.then(HashMap::new),
            key: None,
            index: 0,
            pointer: self.pointer.len(),
            anchor,
            weight: Weight { nodes: 1, height: 0 },
        });
        Ok(())
    }

    fn close(&mut self, span: Span) -> Result<(), Stop> {
        if let Some(frame) = self.frames.pop() {
            self.pointer.truncate(frame.pointer);
            self.values.close();
            // A flow container ends with its bracket, a block container with its last scalar.
            let end = if span.end > span.start { span.end } else { self.end };
            self.end = self.end.max(end);
            if self.repeated.is_none() {
                self.spans.set_end(&self.pointer, self.end);
            }
            return self.leave(frame.anchor, frame.weight, span);
        }
        Ok(())
    }

    fn too_deep(&mut self, span: Span) -> Result<(), Stop> {
        let at = Span { start: span.start, end: after(span.start) };
        self.refuse("too-deep", at, format!("lists and mappings nest deeper than {MAX_DEPTH} here"), None);
        Err(Stop)
    }

    /// The parser counts the blanks after a plain scalar in; people do not.
    fn scalar_end(text: &str, style: ScalarStyle, span: Span) -> Position {
        if style == ScalarStyle::Plain && !text.contains('\n') && span.end.line == span.start.line {
            let width = text.chars().count();
            return Position { line: span.start.line, column: (span.start.column + width).min(span.end.column) };
        }
        span.end
    }

    fn content_of(style: ScalarStyle, start: Position) -> Position {
        match style {
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => after(start),
            // The parser lets a block scalar begin at its text, not at its `|`.
            ScalarStyle::Literal | ScalarStyle::Folded | ScalarStyle::Plain => start,
        }
    }
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

fn after(position: Position) -> Position {
    Position { line: position.line, column: position.column + 1 }
}
