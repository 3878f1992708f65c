//! How a text is spelt in a file: which of the file's characters stand for which of the text's, whatever YAML lets somebody write for it (quotes, escapes,
//! several lines).

use std::ops::Range;

/// The places of a text's characters.
#[derive(Debug)]
pub(super) enum Spelling {
    /// Written as it reads, from this byte of the file on.
    Plain(usize),
    /// For each character of the text where it begins there, and the bytes of the file that stand for it.
    Other(Vec<(usize, Range<usize>)>),
}

impl Spelling {
    /// Of the text `value` that begins at this byte of a file. `None`: it does not stand there.
    pub fn of(file: &str, start: usize, quoted: bool, value: &str) -> Option<Spelling> {
        let start = start + before_the_text(file.get(start..)?, value);
        let rest = file.get(start..)?;
        let quote = rest.chars().next().filter(|c| quoted && matches!(c, '"' | '\''));
        let content = start + quote.map_or(0, char::len_utf8);
        if file.get(content..)?.starts_with(value) && !(quoted && value.contains(['\\', '\'', '"'])) {
            return Some(Spelling::Plain(content));
        }
        let units: Vec<(char, Range<usize>)> = Units { file, at: content, quote }.collect();
        matched(value, &units).map(Spelling::Other)
    }

    /// The bytes of the file that stand for these bytes of the text.
    pub fn range(&self, part: Range<usize>) -> Option<Range<usize>> {
        match self {
            Spelling::Plain(start) => Some(start + part.start..start + part.end),
            Spelling::Other(places) => {
                let first = places.partition_point(|(at, _)| *at < part.start);
                let last = places.partition_point(|(at, _)| *at < part.end);
                let inside = places.get(first..last)?;
                Some(inside.first()?.1.start..inside.last()?.1.end)
            }
        }
    }
}

/// How many bytes there are before a scalar's own characters: its anchor, and the header of a block scalar.
fn before_the_text(rest: &str, value: &str) -> usize {
    if rest.starts_with(value) {
        return 0;
    }
    let mut inside = rest;
    if inside.starts_with('&') {
        inside = inside.trim_start_matches(|c: char| !c.is_whitespace()).trim_start();
    }
    if inside.starts_with(['|', '>']) {
        inside = inside.split_once('\n').map_or("", |(_, text)| text.trim_start());
    }
    rest.len() - inside.len()
}

/// Holds a text against what is written. Blanks may differ: where lines are folded, indented or cut, they are not those of the text. Everything else
/// must be there in its order.
fn matched(value: &str, units: &[(char, Range<usize>)]) -> Option<Vec<(usize, Range<usize>)>> {
    let mut places = Vec::new();
    let mut units = units.iter().peekable();
    let mut end = units.peek().map_or(0, |(_, range)| range.start);
    for (at, c) in value.char_indices() {
        while let Some((written, _)) = units.peek()
            && *written != c
            && written.is_whitespace()
            && !c.is_whitespace()
        {
            units.next();
        }
        match units.next_if(|(written, _)| *written == c || (written.is_whitespace() && c.is_whitespace())) {
            Some((_, range)) => {
                end = range.end;
                places.push((at, range.clone()));
            }
            None if c.is_whitespace() => places.push((at, end..end)),
            None => return None,
        }
    }
    Some(places)
}

/// The characters that a scalar's own ones stand for (YAML 1.2.2, sections 5.7 and 7.3), to the closing quote, else to the end of the file.
struct Units<'f> {
    file: &'f str,
    at: usize,
    quote: Option<char>,
}

impl Units<'_> {
    fn escape(&self, rest: &str) -> Option<(Option<char>, usize)> {
        let kind = rest.chars().nth(1)?;
        let coded = |digits: usize| {
            let code = rest.get(2..2 + digits)?;
            Some((Some(char::from_u32(u32::from_str_radix(code, 16).ok()?)?), 2 + digits))
        };
        let plain = match kind {
            'x' => return coded(2),
            'u' => return coded(4),
            'U' => return coded(8),
            // The line goes on.
            '\r' if rest[2..].starts_with('\n') => return Some((None, 3)),
            '\n' | '\r' => return Some((None, 2)),
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            't' | '\t' => '\t',
            'n' => '\n',
            'v' => '\u{b}',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            'N' => '\u{85}',
            '_' => '\u{a0}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            other => other,
        };
        Some((Some(plain), 1 + kind.len_utf8()))
    }
}

impl Iterator for Units<'_> {
    type Item = (char, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.file.get(self.at..)?;
            let c = rest.chars().next()?;
            let (unit, length) = match self.quote {
                Some('\'') if rest.starts_with("''") => (Some('\''), 2),
                Some('"') if c == '\\' => self.escape(rest)?,
                Some(quote) if c == quote => return None,
                _ => (Some(c), c.len_utf8()),
            };
            let range = self.at..self.at + length;
            self.at = range.end;
            if let Some(unit) = unit {
                return Some((unit, range));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the file for `part` of the text; `""` where the text is not there.
    #[track_caller]
    fn check(file: &str, quoted: bool, value: &str, part: &str, expected: &str) {
        let from = value.find(part).unwrap();
        let found = Spelling::of(file, 0, quoted, value).and_then(|spelling| spelling.range(from..from + part.len()));
        assert_eq!(found.map_or("", |range| &file[range]), expected, "{file}");
    }

    #[test]
    fn every_spelling_of_a_name() {
        check("lapsed }", false, "lapsed", "lapsed", "lapsed");
        check("\"lapsed\" }", true, "lapsed", "lapsed", "lapsed");
        check("'lapsed', x", true, "lapsed", "lapsed", "lapsed");
        check("\"laps\\u0065d\"", true, "lapsed", "lapsed", "laps\\u0065d");
        check("\"\\x6capse\\U00000064\"", true, "lapsed", "lapsed", "\\x6capse\\U00000064");
        check("\"cart-\\\n   reminder\"", true, "cart-reminder", "cart-reminder", "cart-\\\n   reminder");
        check("\"cart-\\\r\n   reminder\"", true, "cart-reminder", "reminder", "reminder");
        check("&it lapsed }", false, "lapsed", "lapsed", "lapsed");
        check("&it\n  \"lapsed\"", true, "lapsed", "lapsed", "lapsed");
        check("&it >-\n  lapsed\n", false, "lapsed", "lapsed", "lapsed");
        check("other", false, "lapsed", "lapsed", "");
        check("\"lap\"sed", true, "lapsed", "lapsed", "");
        check("\"lap\\", true, "lapsed", "lapsed", "");
    }

    #[test]
    fn parts_of_longer_texts() {
        check("\"contact.\\u0063ountry\"", true, "contact.country", "country", "\\u0063ountry");
        check("\"say \\\"{{contact.name}}\\\"\"", true, "say \"{{contact.name}}\"", "name", "name");
        check("'it''s {{contact.name}}'", true, "it's {{contact.name}}", "contact.name", "contact.name");
        check("one\n     {{x}}\n     two\n", false, "one {{x}} two", "x", "x");
        check("one\n\n     {{x}}\n     two\n", false, "one\n{{x}} two\n", "two", "two");
        check("\"quoted\" is the text\n", false, "\"quoted\" is the text\n", "text", "text");
    }
}
