//! Texts by line and column, as people count them.

use crate::diagnostic::Location;

/// Where the bytes of a text stand: lines and columns from 1, columns in characters.
pub(super) struct Lines<'a> {
    text: &'a str,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// The line, without its end.
    pub fn line(&self, line: usize) -> &'a str {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.starts.get(index)) else {
            return "";
        };
        let end = self.starts.get(line).map_or(self.text.len(), |next| next - 1);
        self.text[start..end].trim_end_matches('\r')
    }

    /// Bytes before a place; the end of its line where the line is shorter.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let Some(&start) = line.checked_sub(1).and_then(|index| self.starts.get(index)) else {
            return self.text.len();
        };
        let inside = self.line(line).chars().take(column.saturating_sub(1)).map(char::len_utf8).sum::<usize>();
        start + inside
    }

    /// The place of a byte.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or_default();
        (line, self.text[start..offset].chars().count() + 1)
    }

    /// So many bytes from `start` on, as a place in `file`.
    pub fn location(&self, file: &str, start: usize, end: usize) -> Location {
        let ((line, column), (end_line, end_column)) = (self.place(start), self.place(end));
        Location { file: file.to_owned(), line, column, end_line, end_column }
    }

    /// The text at a place.
    pub fn slice(&self, at: &Location) -> &'a str {
        let (start, end) = (self.offset(at.line, at.column), self.offset(at.end_line, at.end_column));
        self.text.get(start..end).unwrap_or_default()
    }

    /// A scalar's own characters, without quotes.
    pub fn unquoted(&self, mut at: Location) -> Location {
        let raw = self.slice(&at);
        let quoted = ['"', '\''].iter().any(|quote| raw.len() > 1 && raw.starts_with(*quote) && raw.ends_with(*quote));
        if quoted && at.line == at.end_line {
            at.column += 1;
            at.end_column -= 1;
        }
        at
    }
}

/// Goes through a text, character by character.
pub(super) struct Cursor<'a> {
    text: &'a str,
    offset: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, offset: 0 }
    }

    pub fn offset(&self) -> usize {
        self.offset
    }

    pub fn peek(&self) -> Option<char> {
        self.text[self.offset..].chars().next()
    }

    pub fn next(&mut self) {
        self.offset += self.peek().map_or(0, char::len_utf8);
    }

    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.offset..];
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.offset += length;
        &rest[..length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_bytes() {
        let lines = Lines::new("aü\r\n\u{1f600}x\n");
        assert_eq!((lines.line(1), lines.line(2), lines.line(3), lines.line(9)), ("aü", "\u{1f600}x", "", ""));
        for (line, column, offset) in [(1, 1, 0), (1, 3, 3), (2, 1, 5), (2, 2, 9), (3, 1, 11)] {
            assert_eq!(lines.offset(line, column), offset);
            assert_eq!(lines.place(offset), (line, column));
        }
        assert_eq!(lines.offset(1, 99), 3);
    }
}
