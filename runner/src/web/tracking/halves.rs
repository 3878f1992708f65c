//! Texts that were cut inside a character. JavaScript counts in units of UTF-16, so what it cuts off may end in half an emoji, which it writes as
//! `\ud83d`; no text in UTF-8 can hold that (RFC 8259, section 8.2).

use std::borrow::Cow;

/// How long an escape such as `\ud83d` is.
const ESCAPE: usize = 6;

/// The same JSON with U+FFFD in place of every half: what browsers make of such a text when they send it as UTF-8.
pub(super) fn mended(body: &str) -> Cow<'_, str> {
    let bytes = body.as_bytes();
    let mut mended = String::new();
    let (mut at, mut copied) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\\')) {
        at += found;
        at += match unit(body, at) {
            Some(0xD800..0xDC00) if matches!(unit(body, at + ESCAPE), Some(0xDC00..0xE000)) => 2 * ESCAPE,
            Some(0xD800..0xE000) => {
                mended.push_str(&body[copied..at]);
                mended.push_str("\\ufffd");
                copied = at + ESCAPE;
                ESCAPE
            }
            // An escaped backslash is passed as a whole: what follows it is no escape.
            _ => 2,
        };
    }
    if copied == 0 {
        return Cow::Borrowed(body);
    }
    mended.push_str(&body[copied..]);
    Cow::Owned(mended)
}

/// The unit of UTF-16 that an escape at this place stands for.
fn unit(body: &str, at: usize) -> Option<u16> {
    let digits = body.get(at..at + ESCAPE)?.strip_prefix("\\u")?;
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u16::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `None`: it stays as it is.
    #[track_caller]
    fn check(body: &str, expected: Option<&str>) {
        let got = mended(body);
        assert_eq!((got.as_ref(), matches!(got, Cow::Owned(_))), (expected.unwrap_or(body), expected.is_some()), "{body}");
    }

    #[test]
    fn halves_of_characters_are_replaced() {
        check(r#""cut \ud83d""#, Some(r#""cut \ufffd""#));
        check(r#""\uDE00 \uD83D\ud83d\ude00 \ud83dx""#, Some(r#""\ufffd \ufffd\ud83d\ude00 \ufffdx""#));
        check(r#""\ud83d\n\\\ude00""#, Some(r#""\ufffd\n\\\ufffd""#));
    }

    #[test]
    fn everything_else_stays() {
        for body in [
            "",
            "ä",
            r#""\ud83d\ude00""#,
            r#""\\ud83d""#,
            r#""\u00e4 \ufffd""#,
            r#""\ud83""#,
            r#""\ud8+3""#,
            r#"\"#,
            r#"\ä"#,
            r#"\uä12"#,
        ] {
            check(body, None);
        }
    }
}
