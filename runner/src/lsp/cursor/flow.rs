//! Flow mappings and lists: `{ event: x, where: { … } }`.

use super::{Frame, Reader, Shape};

/// The word that is being read.
#[derive(Debug, Default)]
pub(super) struct Token {
    text: String,
    quote: Option<char>,
    /// What was read last is the colon behind a key.
    pub after_colon: bool,
    /// The cursor stands in a comment.
    pub comment: bool,
}

impl Token {
    /// What is there of the word, without the quote before it.
    pub fn word(&self) -> &str {
        self.text.trim_start()
    }
}

impl Reader {
    /// Takes in a part of a line that is inside of brackets.
    pub(super) fn flow_part(&mut self, part: &str) {
        self.flow.comment = false;
        let mut before = ' ';
        let mut chars = part.chars().peekable();
        while let Some(c) = chars.next() {
            self.flow.after_colon = false;
            match (self.flow.quote, c) {
                (Some(quote), c) if c == quote => self.flow.quote = None,
                (None, '"' | '\'') if self.flow.text.trim().is_empty() => self.flow.quote = Some(c),
                (Some(_), c) => self.flow.text.push(c),
                (None, '{') => self.open(Shape::FlowMap),
                (None, '[') => self.open(Shape::FlowList),
                (None, '}' | ']') => {
                    self.value_ends();
                    self.frames.pop();
                    self.flow.text.clear();
                    if !self.in_flow() {
                        return;
                    }
                }
                (None, ',') => {
                    self.value_ends();
                    if let Some(frame) = self.frames.last_mut() {
                        frame.key = None;
                    }
                }
                (None, ':') if chars.peek().is_none_or(|next| matches!(next, ' ' | '\t' | '{' | '[' | '"' | '\'')) => {
                    self.key_ends()
                }
                (None, '#') if before.is_whitespace() => {
                    self.flow.comment = true;
                    break;
                }
                (None, c) => self.flow.text.push(c),
            }
            before = c;
        }
    }

    fn open(&mut self, shape: Shape) {
        self.flow.text.clear();
        self.frames.push(Frame::new(shape));
    }

    fn key_ends(&mut self) {
        let key = std::mem::take(&mut self.flow.text).trim().to_owned();
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.shape == Shape::FlowMap && frame.key.is_none()) {
            frame.key = Some(key);
            self.flow.after_colon = true;
        }
    }

    fn value_ends(&mut self) {
        let value = std::mem::take(&mut self.flow.text).trim().to_owned();
        if let Some(frame) = self.frames.last_mut()
            && frame.shape == Shape::FlowMap
        {
            match frame.key.clone() {
                Some(key) => frame.siblings.push((key, value)),
                None if !value.is_empty() => frame.siblings.push((value, String::new())),
                None => {}
            }
        }
    }
}
