//! Places as editors count them: lines from 0, columns from 0 in the units that were agreed upon.

use dsl::diagnostic::Location;
use lsp_types::{Position, PositionEncodingKind, Range};

/// The units of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// What every client knows, and the protocol's default.
    Utf16,
    /// Characters, as our own places have them.
    Utf32,
}

impl Encoding {
    /// The best of those that the client offers: ours, else bytes, else the default.
    pub fn agreed(offered: &[&str]) -> Encoding {
        let pairs = [("utf-32", Encoding::Utf32), ("utf-8", Encoding::Utf8)];
        pairs.into_iter().find(|(kind, _)| offered.contains(kind)).map_or(Encoding::Utf16, |(_, encoding)| encoding)
    }

    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn width(self, c: char) -> usize {
        match self {
            Encoding::Utf8 => c.len_utf8(),
            Encoding::Utf16 => c.len_utf16(),
            Encoding::Utf32 => 1,
        }
    }

    /// The units before a column (from 1, in characters) of a line.
    fn units(self, line: &str, column: usize) -> u32 {
        let before = line.chars().take(column.saturating_sub(1)).map(|c| self.width(c)).sum::<usize>();
        u32::try_from(before).unwrap_or(u32::MAX)
    }

    /// The column (from 1, in characters) behind so many units. A place inside of a character is the one before it.
    fn column(self, line: &str, units: u32) -> usize {
        let units = units as usize;
        let mut before = 0;
        let mut column = 1;
        for c in line.chars() {
            before += self.width(c);
            if before > units {
                break;
            }
            column += 1;
        }
        column
    }
}

/// A text with its lines, to turn places into positions and back.
pub struct Page<'t> {
    lines: Vec<&'t str>,
    encoding: Encoding,
}

impl<'t> Page<'t> {
    pub fn new(text: &'t str, encoding: Encoding) -> Page<'t> {
        Page { lines: text.lines().collect(), encoding }
    }

    /// A line by its number, from 1.
    pub fn line(&self, line: usize) -> &'t str {
        line.checked_sub(1).and_then(|index| self.lines.get(index)).copied().unwrap_or_default()
    }

    fn position(&self, line: usize, column: usize) -> Position {
        let number = u32::try_from(line.saturating_sub(1)).unwrap_or(u32::MAX);
        Position::new(number, self.encoding.units(self.line(line), column))
    }

    pub fn range(&self, at: &Location) -> Range {
        Range::new(self.position(at.line, at.column), self.position(at.end_line, at.end_column))
    }

    /// Line and column, from 1, in characters. Behind the end of a line is its end.
    pub fn place(&self, position: Position) -> (usize, usize) {
        let line = position.line as usize + 1;
        (line, self.encoding.column(self.line(line), position.character))
    }

    /// The lines of a place, without what is before and behind it.
    pub fn slice(&self, at: &Location) -> String {
        let part = |line: usize| {
            let from = if line == at.line { at.column.saturating_sub(1) } else { 0 };
            let to = if line == at.end_line { at.end_column.saturating_sub(1) } else { usize::MAX };
            self.line(line).chars().take(to).skip(from).collect::<String>()
        };
        let last = at.end_line.min(self.lines.len());
        (at.line..=last).map(part).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: Encoding, column: usize, units: u32) {
        let page = Page::new("x\naü\u{1f600}b", encoding);
        let at = Location { file: String::new(), line: 2, column, end_line: 2, end_column: column };
        let range = page.range(&at);
        assert_eq!((range.start.line, range.start.character), (1, units), "{encoding:?} {column}");
        assert_eq!(page.place(range.start), (2, column), "{encoding:?} {units}");
    }

    #[test]
    fn columns_in_every_unit() {
        for (column, utf8, utf16, utf32) in [(1, 0, 0, 0), (2, 1, 1, 1), (3, 3, 2, 2), (4, 7, 4, 3), (5, 8, 5, 4)] {
            check(Encoding::Utf8, column, utf8);
            check(Encoding::Utf16, column, utf16);
            check(Encoding::Utf32, column, utf32);
        }
    }

    #[test]
    fn places_that_are_not_there() {
        let page = Page::new("ab", Encoding::Utf16);
        assert_eq!(page.place(Position::new(0, 99)), (1, 3));
        assert_eq!(page.place(Position::new(9, 9)), (10, 1));
        let inside = Page::new("\u{1f600}", Encoding::Utf16);
        assert_eq!(inside.place(Position::new(0, 1)), (1, 1));
    }

    #[test]
    fn the_best_of_what_is_offered() {
        for (offered, expected) in [
            (&["utf-16", "utf-8", "utf-32"][..], Encoding::Utf32),
            (&["utf-16", "utf-8"], Encoding::Utf8),
            (&["utf-16"], Encoding::Utf16),
            (&[], Encoding::Utf16),
        ] {
            assert_eq!(Encoding::agreed(offered), expected, "{offered:?}");
        }
    }
}
