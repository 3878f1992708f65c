//! What data may not do to a message: become markup, a header line, or an address that runs code.

use std::cell::Cell;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// How many rounds all loops and partials of one message may take together.
const MAX_ROUNDS: u32 = 100_000;
/// How many bytes of data one message may print, wherever they end up.
const MAX_PRINTED: usize = 8 * 1024 * 1024;

/// The schemes that an address made of data may have. Relative addresses have none.
const SCHEMES: [&str; 5] = ["http", "https", "mailto", "tel", "sms"];

thread_local! {
    /// Handlebars gives helpers and the escape function nothing of the call's own to count in; one message is made on one thread.
    static ROUNDS: Cell<u32> = const { Cell::new(0) };
    static PRINTED: Cell<usize> = const { Cell::new(0) };
}

/// Begins counting for one message.
pub(super) fn begin() {
    ROUNDS.set(0);
    PRINTED.set(0);
}

/// Counts one round of a loop or one use of a partial; `false` once there were too many.
pub(super) fn count_round() -> bool {
    let rounds = ROUNDS.get().saturating_add(1);
    ROUNDS.set(rounds);
    rounds <= MAX_ROUNDS
}

/// Whether the message has printed more data than it may; what came after was left out.
pub(super) fn printed_too_much() -> bool {
    PRINTED.get() > MAX_PRINTED
}

fn count_printed(text: &str) -> bool {
    let printed = PRINTED.get().saturating_add(text.len());
    PRINTED.set(printed);
    printed <= MAX_PRINTED
}

/// Data as text of an HTML document or of a quoted attribute: entities for what has a meaning there, control characters left out.
pub(super) fn escape_html(text: &str) -> String {
    if count_printed(text) { entities(text) } else { String::new() }
}

/// The same for what is no data and counts for nothing.
pub(super) fn entities(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut copied = 0;
    for (at, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'`' => "&#96;",
            _ if is_unprintable(byte) => "",
            _ => continue,
        };
        escaped.push_str(&text[copied..at]);
        escaped.push_str(replacement);
        copied = at + 1;
    }
    escaped.push_str(&text[copied..]);
    escaped
}

/// Data as a part of an address: everything but letters, digits and `-._~` is percent-encoded (RFC 3986 section 2.3).
pub(super) fn percent_encode(text: &str) -> String {
    const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(&plain(text), UNRESERVED).to_string()
}

/// Data as plain text: control characters other than line breaks and tabs are left out.
pub(super) fn plain(text: &str) -> String {
    if !count_printed(text) {
        String::new()
    } else if text.bytes().any(is_unprintable) {
        text.chars().filter(|c| !u8::try_from(*c).is_ok_and(is_unprintable)).collect()
    } else {
        text.to_owned()
    }
}

fn is_unprintable(byte: u8) -> bool {
    (byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0x7f
}

/// One header line (RFC 5322, section 2.2), whatever the text holds: a run of CR and LF becomes one space, and so does a tab; other control
/// characters and Unicode's line separators are left out.
pub(super) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut broken = false;
    for c in text.chars() {
        match c {
            '\r' | '\n' => broken = true,
            '\t' => line.push(' '),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {}
            c => {
                if std::mem::take(&mut broken) {
                    line.push(' ');
                }
                line.push(c);
            }
        }
    }
    line.trim().to_owned()
}

/// The text with at most so many characters; where some are left out, `…` is the last. It is cut after a whole word if one ends in the last
/// third, and never inside of what a reader sees as one character.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(most) else {
        return text.to_owned();
    };
    // What joins the character before it: accents, variation selectors, joiners and what they join, skin colours.
    let joins = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20d0}'..='\u{20ff}');
    let mut cut = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    while cut > 0 && (text[cut..].starts_with(joins) || text[..cut].ends_with('\u{200d}')) {
        cut = text[..cut].char_indices().next_back().map_or(0, |(at, _)| at);
    }
    let kept = &text[..cut];
    let word =
        kept.rfind(char::is_whitespace).filter(|at| text[cut..].starts_with(|c: char| !c.is_whitespace()) && at * 3 >= cut * 2);
    let kept = word.map_or(kept, |at| &kept[..at]).trim_end();
    if most == 0 { String::new() } else { format!("{kept}…") }
}

/// The address, if following it can't run code: a web, mail or phone address, or a relative one. `#` otherwise.
///
/// Browsers ignore leading spaces and control characters, and tabs and line breaks anywhere (WHATWG URL, section 4.4).
pub(super) fn address(text: &str) -> &str {
    let scheme: String = text
        .chars()
        .filter(|c| !c.is_control())
        .skip_while(|c| *c == ' ')
        .take_while(|c| !matches!(c, '/' | '?' | '#'))
        .collect();
    match scheme.split_once(':') {
        Some((scheme, _)) if !SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)) => "#",
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_stay_one_line() {
        for (text, expected) in [
            ("Hello", "Hello"),
            ("a\r\nBcc: x", "a Bcc: x"),
            ("a\n\n\r\nb\rc", "a b c"),
            ("\r\n a \n", "a"),
            ("a\0b\u{2028}c\u{2029}d\u{85}e\u{7f}", "abcde"),
            ("a\tb", "a b"),
            ("ä 🎉", "ä 🎉"),
        ] {
            assert_eq!(one_line(text), expected, "{text:?}");
        }
    }

    #[test]
    fn markup_becomes_text() {
        begin();
        assert_eq!(escape_html("<a href=\"x\" b='`'>&\0\x1b\n\t"), "&lt;a href=&quot;x&quot; b=&#39;&#96;&#39;&gt;&amp;\n\t");
        assert_eq!(escape_html("plain ä"), "plain ä");
        assert_eq!(plain("<a>\0\x07b\r\n"), "<a>b\r\n");
    }

    #[test]
    fn texts_are_shortened() {
        for (text, most, expected) in [
            ("hello", 5, "hello"),
            ("hello there", 8, "hello…"),
            ("hello there", 7, "hello…"),
            ("abcdefghij", 5, "abcd…"),
            ("a bcdefghij", 5, "a bc…"),
            ("ümläute", 4, "üml…"),
            ("abc👩\u{200d}👩\u{200d}👧x", 5, "abc…"),
            ("abe\u{301}cd", 4, "ab…"),
            ("abc", 0, ""),
            ("abc", 1, "…"),
        ] {
            assert_eq!(shortened(text, most), expected, "{text} {most}");
        }
    }

    #[test]
    fn addresses_that_run_code_are_replaced() {
        for good in ["https://x/y:z", "HTTP://x", "mailto:a@b", "tel:+49", "/path:x", "path", "?a=b:c", "#a:b", "//x", ""] {
            assert_eq!(address(good), good);
        }
        for bad in [
            "javascript:alert(1)",
            " JaVaScript:x",
            "java\nscript:x",
            "\u{1}javascript:x",
            "data:text/html,x",
            "vbscript:x",
            "x y:z",
            "file:///etc",
        ] {
            assert_eq!(address(bad), "#", "{bad:?}");
        }
    }

    #[test]
    fn printing_and_loops_are_bounded() {
        begin();
        assert!((0..MAX_ROUNDS).all(|_| count_round()));
        assert!(!count_round());
        let half = "x".repeat(MAX_PRINTED / 2);
        assert_eq!((plain(&half).len(), escape_html(&half).len()), (half.len(), half.len()));
        assert!(!printed_too_much());
        assert_eq!((plain("x").as_str(), escape_html("x").as_str()), ("", ""));
        assert!(printed_too_much());
        begin();
        assert!(count_round() && !printed_too_much());
    }
}
