//! Character references in attributes (HTML Living Standard, section 13.2.5.72), as far as links need them.

/// Those that are known by name. Whatever else stands there is not guessed at.
const NAMED: [(&str, char); 6] = [("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("nbsp", '\u{a0}')];
/// Of those, the ones that need no semicolon.
const LEGACY: [&str; 5] = ["amp", "lt", "gt", "quot", "nbsp"];

/// What an attribute's text means. `None` where that cannot be said for certain: for a reference by a name that is not known here.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (meant, length) = match rest.strip_prefix('#') {
            Some(number) => numbered(number).map(|(c, length)| (c, length + 1))?,
            None => named(rest)?,
        };
        out.push(meant);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character behind `&`, and how long its name is; a sign that begins no reference stands for itself.
fn named(text: &str) -> Option<(char, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = &text[..length];
    let character = NAMED.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    match (text.as_bytes().get(length), character) {
        _ if name.is_empty() => Some(('&', 0)),
        (Some(b';'), Some(character)) => Some((character, length + 1)),
        (Some(b';'), None) => None,
        // `?a=1&lt=2`: a name of a parameter.
        (Some(b'='), _) => Some(('&', 0)),
        (_, Some(character)) if LEGACY.contains(&name) => Some((character, length)),
        (_, _) => None,
    }
}

/// The character behind `&#`, and how long its number is, with the semicolon.
fn numbered(text: &str) -> Option<(char, usize)> {
    let (digits, sign, radix) = match text.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 1, 16),
        None => (text, 0, 10),
    };
    let length = digits.chars().take_while(|c| c.is_digit(radix)).count();
    let number = u32::from_str_radix(&digits[..length], radix).ok()?;
    // Control characters, old code pages and impossible numbers have rules of their own, and no place in a link.
    let character = char::from_u32(number).filter(|c| !c.is_control())?;
    let semicolon = usize::from(digits[length..].starts_with(';'));
    Some((character, sign + length + semicolon))
}

/// A text as it is written in an attribute in double quotes.
pub(super) fn encode(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(decode(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn references_mean_characters() {
        check("a?b=1&amp;c=2", Some("a?b=1&c=2"));
        check("&amp;amp;", Some("&amp;"));
        check("&#38;&#x26;&#X26;&#38", Some("&&&&"));
        check("&#xe4;&#228;x", Some("ääx"));
        check("&quot;&lt;&gt;&apos;", Some("\"<>'"));
        check("a&b=c&lt=d&amp=e", Some("a&b=c&lt=d&amp=e"));
        check("& &", Some("& &"));
        check("a&ampb", None);
        check("a&amp", Some("a&"));
        check("a&copy;", None);
        check("a&copy", None);
        check("a&flag&b=1", None);
        check("&apos", None);
        check("&#x80;&#0;", None);
        check("&#x110000;", None);
        check("&#99999999999;", None);
        check("&#;", None);
        check("&ä", Some("&ä"));
    }

    #[test]
    fn what_is_encoded_means_the_same() {
        for text in ["a&b", "\"<>'", "&amp;", "https://x/?a=1&lt=2"] {
            assert_eq!(decode(&encode(text)).as_deref(), Some(text));
        }
    }
}
