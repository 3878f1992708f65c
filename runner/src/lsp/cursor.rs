//! Where in a YAML file somebody is writing, by its text alone: the file need not be one that can be read.
//!
//! Lines are gone through from the top with a stack of what is open: block mappings and lists by their indentation, flow ones by their brackets.
//! Where a bracket or a quote was never closed, a line that looks like the next key ends it.

mod flow;

#[cfg(test)]
mod tests;

use dsl::contract::MESSAGE_EVENTS;
use dsl::index::{Form, Kind, Place};

/// A step on the way from the top of a file to a place in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Key(String),
    Item,
}

/// What is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// A key of the mapping that the path leads to.
    Key,
    /// The value that the path leads to.
    Value,
    /// The value that the path leads to, which may become a mapping.
    Either,
}

/// Keys of one mapping with their values, where these are texts on the same line.
pub type Siblings = Vec<(String, String)>;

/// The place at which somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub path: Vec<Segment>,
    pub spot: Spot,
    /// What is already there of the word, up to the cursor.
    pub prefix: String,
    /// The mappings and lists on the way, one for each segment of the path, with what stands before in each; and, at a key, the mapping itself.
    pub siblings: Vec<Siblings>,
    /// The cursor stands right behind a colon.
    pub needs_space: bool,
    /// It stands inside of brackets.
    pub flow: bool,
}

impl Cursor {
    /// What the language has at this place.
    pub fn place(&self, form: Form) -> Place {
        let about_messages = self.event().is_some_and(|event| MESSAGE_EVENTS.contains(&event));
        self.path.iter().fold(Place::File(form), |place, segment| match segment {
            Segment::Key(key) if about_messages && key == "event.template" => Place::Name(Kind::Template),
            Segment::Key(key) if about_messages && key == "event.workflow" => Place::Name(Kind::Workflow),
            Segment::Key(key) if about_messages && place == Place::Timeline && key == "with" => Place::Message,
            Segment::Key(key) => place.inside(key),
            Segment::Item => place.item(),
        })
    }

    /// The key whose value the place is, or a list that it is in.
    pub fn last_key(&self) -> &str {
        match self.path.iter().rev().find(|segment| **segment != Segment::Item) {
            Some(Segment::Key(key)) => key,
            _ => "",
        }
    }

    /// What is written for a key in the mappings around, the nearest first.
    pub fn around(&self, key: &str) -> Option<&str> {
        let written = self.siblings.iter().rev().flatten();
        written.filter(|(name, value)| name == key && !value.is_empty()).map(|(_, value)| value.as_str()).next()
    }

    /// The event that `event.` is about here, as far as the mappings around say so.
    pub fn event(&self) -> Option<&str> {
        let named = |key: &str| matches!(key, "event" | "of" | "count");
        let is_name = |name: &str| !name.is_empty() && !name.contains(['.', '{']);
        let mut written = self.siblings.iter().rev().flatten();
        written.find(|(key, name)| named(key) && is_name(name)).map(|(_, name)| name.as_str())
    }

    /// The keys beside the one that is being written.
    pub fn beside(&self) -> &[(String, String)] {
        match self.spot {
            Spot::Key => self.siblings.last().map(Vec::as_slice).unwrap_or_default(),
            Spot::Value | Spot::Either => &[],
        }
    }
}

/// Something that is open.
#[derive(Debug, Clone)]
struct Frame {
    shape: Shape,
    /// The key whose value is read, in a mapping.
    key: Option<String>,
    siblings: Siblings,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// With their indentation.
    BlockMap(usize),
    BlockList(usize),
    FlowMap,
    FlowList,
}

impl Frame {
    fn new(shape: Shape) -> Frame {
        Frame { shape, key: None, siblings: Vec::new() }
    }

    fn is_flow(&self) -> bool {
        matches!(self.shape, Shape::FlowMap | Shape::FlowList)
    }

    fn indent(&self) -> Option<usize> {
        match self.shape {
            Shape::BlockMap(indent) | Shape::BlockList(indent) => Some(indent),
            Shape::FlowMap | Shape::FlowList => None,
        }
    }
}

/// Finds out where the character before `column` (from 1) of `line` (from 1) stands. `None`: in a comment, or in a text of several lines.
pub fn locate(text: &str, line: usize, column: usize) -> Option<Cursor> {
    let mut reader = Reader::default();
    let mut lines = text.lines();
    for before in lines.by_ref().take(line.saturating_sub(1)) {
        reader.line(before);
    }
    let whole = lines.next().unwrap_or_default();
    let cut = whole.char_indices().nth(column.saturating_sub(1)).map_or(whole.len(), |(at, _)| at);
    let spaces = column.saturating_sub(1).saturating_sub(whole.chars().count());
    let here = format!("{}{}", &whole[..cut], " ".repeat(spaces));
    let mut cursor = reader.last(&here)?;
    if cursor.spot == Spot::Key
        && let Some(Shape::BlockMap(indent)) = reader.frames.last().map(|frame| frame.shape)
    {
        following(lines, indent, cursor.siblings.last_mut());
    }
    Some(cursor)
}

/// Adds the keys that stand below in the same block mapping.
fn following<'t>(lines: impl Iterator<Item = &'t str>, indent: usize, siblings: Option<&mut Siblings>) {
    let Some(siblings) = siblings else { return };
    for line in lines.filter(|line| !is_blank(line)) {
        let depth = indent_of(line);
        if depth < indent || (depth == indent && line.trim_start().starts_with("- ")) {
            break;
        }
        if depth == indent
            && let Some((key, rest)) = key_of(&line[depth..])
        {
            siblings.push((key, scalar(rest)));
        }
    }
}

/// What is known of the lines so far.
#[derive(Debug, Default)]
struct Reader {
    frames: Vec<Frame>,
    /// The indentation of the key that a block scalar belongs to, while it lasts.
    block: Option<usize>,
    /// What a flow mapping or list has read of its current word.
    flow: flow::Token,
    /// The indentation of the line on which the flow began.
    flow_indent: usize,
}

impl Reader {
    /// Takes in a whole line.
    fn line(&mut self, line: &str) {
        let indent = indent_of(line);
        if let Some(block) = self.block {
            if is_blank(line) || indent > block {
                return;
            }
            self.block = None;
        }
        if self.in_flow() {
            if !self.abandoned(line, indent) {
                self.flow_part(line);
                return;
            }
            self.leave_flow();
        }
        if is_blank(line) {
            return;
        }
        self.block_part(line, indent);
    }

    /// Takes in the line up to the cursor, and says where that is.
    fn last(&mut self, line: &str) -> Option<Cursor> {
        let indent = indent_of(line);
        if let Some(block) = self.block {
            if indent > block || (is_blank(line) && line.len() > block) {
                return None;
            }
            self.block = None;
        }
        if self.in_flow() {
            if !self.abandoned(line, indent) {
                self.flow_part(line);
                return self.in_flow_now();
            }
            self.leave_flow();
        }
        let content = line.trim_start();
        if content.starts_with('#') {
            return None;
        }
        if content.is_empty() {
            return self.fresh(line.chars().count(), "");
        }
        self.block_cursor(line, indent)
    }

    fn in_flow(&self) -> bool {
        self.frames.last().is_some_and(Frame::is_flow)
    }

    /// Whether a line, though brackets are open, is the next key of the block around them.
    fn abandoned(&self, line: &str, indent: usize) -> bool {
        let content = line.trim_start();
        let next = content.starts_with("- ") || key_of(content).is_some();
        !content.is_empty() && indent <= self.flow_indent && next
    }

    fn leave_flow(&mut self) {
        while self.in_flow() {
            self.frames.pop();
        }
        self.flow = flow::Token::default();
    }

    /// Closes what ends before something at this indentation.
    fn close(&mut self, indent: usize, item: bool) {
        while let Some(frame) = self.frames.last() {
            let inside = match (frame.shape, frame.indent()) {
                (_, Some(open)) if open > indent => true,
                (Shape::BlockList(open), _) => open == indent && !item,
                (_, None) => true,
                _ => false,
            };
            if !inside {
                break;
            }
            self.frames.pop();
        }
    }

    /// Opens the list items at the beginning of a line, and gives the rest with its indentation.
    fn items<'l>(&mut self, line: &'l str, indent: usize) -> (&'l str, usize) {
        let (mut rest, mut column) = (&line[indent.min(line.len())..], indent);
        while rest == "-" || rest.starts_with("- ") {
            self.close(column, true);
            if self.frames.last().and_then(Frame::indent) != Some(column)
                || !matches!(self.frames.last().map(|frame| frame.shape), Some(Shape::BlockList(_)))
            {
                self.frames.push(Frame::new(Shape::BlockList(column)));
            }
            let after = rest[1..].trim_start_matches(' ');
            column += rest.len() - after.len();
            rest = after;
        }
        (rest, column)
    }

    /// Makes the mapping at this indentation the innermost, and gives it.
    fn mapping(&mut self, indent: usize) -> Option<&mut Frame> {
        self.close(indent, false);
        if !matches!(self.frames.last().map(|frame| frame.shape), Some(Shape::BlockMap(open)) if open == indent) {
            self.frames.push(Frame::new(Shape::BlockMap(indent)));
        }
        self.frames.last_mut()
    }

    fn block_part(&mut self, line: &str, indent: usize) {
        let (rest, column) = self.items(line, indent);
        let value = match key_of(rest) {
            Some((key, value)) => {
                if let Some(frame) = self.mapping(column) {
                    frame.siblings.push((key.clone(), scalar(value)));
                    frame.key = Some(key);
                }
                value
            }
            None => rest,
        };
        let value = without_anchor(value.trim_start());
        if value.starts_with(['|', '>']) {
            self.block = Some(column);
        } else if value.starts_with(['{', '[']) {
            self.flow_indent = column;
            self.flow_part(value);
        }
    }

    fn block_cursor(&mut self, line: &str, indent: usize) -> Option<Cursor> {
        let (rest, column) = self.items(line, indent);
        let Some((key, value)) = key_of(rest) else {
            if rest.starts_with(['{', '[']) {
                self.flow_indent = column;
                self.flow_part(rest);
                return self.in_flow_now();
            }
            if rest.is_empty() && line.trim_end().ends_with('-') && line.ends_with('-') {
                return None;
            }
            return self.fresh(column, rest);
        };
        let frame = self.mapping(column)?;
        frame.key = Some(key);
        let value_text = without_anchor(value.trim_start());
        if value_text.starts_with(['{', '[']) {
            self.flow_indent = column;
            self.flow_part(value_text);
            return self.in_flow_now();
        }
        if in_comment(value) {
            return None;
        }
        let needs_space = value.is_empty();
        Some(Cursor { needs_space, ..self.cursor(Spot::Value, value_text.trim_start_matches(['"', '\''])) })
    }

    /// Where a word begins at this indentation, of which `prefix` is there.
    fn fresh(&mut self, indent: usize, prefix: &str) -> Option<Cursor> {
        self.close(indent, false);
        let spot = match self.frames.last() {
            Some(Frame { shape: Shape::BlockMap(open), .. }) if *open == indent => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.key = None;
                }
                Spot::Key
            }
            None => Spot::Key,
            Some(_) => Spot::Either,
        };
        if self.frames.is_empty() {
            self.frames.push(Frame::new(Shape::BlockMap(indent)));
        }
        Some(self.cursor(spot, prefix.trim_start_matches(['"', '\''])))
    }

    fn in_flow_now(&mut self) -> Option<Cursor> {
        if self.flow.comment {
            return None;
        }
        let prefix = self.flow.word().to_owned();
        let Some(frame) = self.frames.last() else {
            return Some(self.cursor(Spot::Value, ""));
        };
        let spot = match (frame.shape, &frame.key) {
            (Shape::FlowMap, None) => Spot::Key,
            (Shape::FlowMap, Some(_)) => Spot::Value,
            (Shape::FlowList, _) => Spot::Either,
            // The brackets were closed before the cursor.
            _ => return None,
        };
        let needs_space = self.flow.after_colon && spot == Spot::Value;
        Some(Cursor { needs_space, ..self.cursor(spot, &prefix) })
    }

    fn cursor(&self, spot: Spot, prefix: &str) -> Cursor {
        let mut path = Vec::new();
        let mut siblings = Vec::new();
        for frame in &self.frames {
            match (frame.shape, &frame.key) {
                (Shape::BlockMap(_) | Shape::FlowMap, Some(key)) => path.push(Segment::Key(key.clone())),
                (Shape::BlockList(_) | Shape::FlowList, _) => path.push(Segment::Item),
                (Shape::BlockMap(_) | Shape::FlowMap, None) => {}
            }
            siblings.push(frame.siblings.clone());
        }
        Cursor { path, spot, prefix: prefix.to_owned(), siblings, needs_space: false, flow: self.in_flow() }
    }
}

/// Whether a value on its line has come to a comment.
fn in_comment(value: &str) -> bool {
    let mut quote = None;
    let mut before = ' ';
    for c in value.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '#' && before.is_whitespace() => return true,
            None if matches!(c, '"' | '\'') && before.is_whitespace() => quote = Some(c),
            _ => {}
        }
        before = c;
    }
    false
}

/// Blanks before the first character; they are all of one byte.
fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_blank(line: &str) -> bool {
    let content = line.trim_start();
    content.is_empty() || content.starts_with('#')
}

/// A key and what stands behind its colon.
fn key_of(content: &str) -> Option<(String, &str)> {
    let (key, rest) = match content.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = content[1..].find(quote)?;
            (&content[1..=end], content[end + 2..].trim_start().strip_prefix(':')?)
        }
        '{' | '[' | '#' | '&' | '*' | '|' | '>' => return None,
        _ => {
            let colon = content.match_indices(':').map(|(at, _)| at).find(|at| {
                let after = content[at + 1..].chars().next();
                after.is_none_or(|c| c == ' ' || c == '\t')
            })?;
            (content[..colon].trim_end(), &content[colon + 1..])
        }
    };
    (!key.contains(" #")).then(|| (key.to_owned(), rest))
}

/// A value on the line of its key, where it is a plain or quoted text.
fn scalar(rest: &str) -> String {
    let value = rest.split(" #").next().unwrap_or_default().trim();
    value.trim_matches(['"', '\'']).to_owned()
}

/// The value behind an anchor's name.
fn without_anchor(value: &str) -> &str {
    match value.strip_prefix('&') {
        Some(rest) => rest.split_once(' ').map_or("", |(_, value)| value.trim_start()),
        None => value,
    }
}
