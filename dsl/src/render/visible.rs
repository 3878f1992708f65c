//! Characters that would drive the terminal instead of being read.

use std::borrow::Cow;

/// The text with control characters and those that turn the direction of writing written out: `\u{1b}`. Line ends and tabs
/// stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_harmful(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_drives_the_terminal_is_written_out() {
        let check = |text: &str, expected: &str| assert_eq!(visible(text), expected);
        check("\u{fc}ber\n\ta", "\u{fc}ber\n\ta");
        check("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}");
        check("a\u{202e}b\u{2066}c\u{2069}\u{9b}", "a\\u{202e}b\\u{2066}c\\u{2069}\\u{9b}");
    }
}
