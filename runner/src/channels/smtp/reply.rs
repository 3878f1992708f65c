//! A server's replies (RFC 5321 section 4.2): read from bytes, and put in words. Lenient where servers are careless: a bare LF
//! ends a line, a code may stand alone, and text need not be UTF-8.

/// A server that says more than this in one reply is not one.
const LONGEST: usize = 64 * 1024;
/// How much of a reply an error repeats, in characters.
const QUOTED: usize = 300;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The text of each line, without the code.
    pub lines: Vec<String>,
}

impl Reply {
    /// Takes the first whole reply out of what was read; `None` when there is not yet one.
    ///
    /// Errors: what stands there is not a reply; the text shows how it begins.
    pub fn take(unread: &mut Vec<u8>) -> Result<Option<Reply>, String> {
        let mut reply: Option<Reply> = None;
        let mut at = 0;
        while let Some(length) = unread[at..].iter().position(|byte| *byte == b'\n') {
            let line = unread[at..at + length].strip_suffix(b"\r").unwrap_or(&unread[at..at + length]);
            at += length + 1;
            let Some((code, last, text)) = parse_line(line) else {
                return Err(shown(line));
            };
            let reply = reply.get_or_insert(Reply { code, lines: Vec::new() });
            if reply.code != code {
                return Err(shown(line));
            }
            reply.lines.push(String::from_utf8_lossy(text).into_owned());
            if last {
                let whole = Reply { code, lines: std::mem::take(&mut reply.lines) };
                unread.drain(..at);
                return Ok(Some(whole));
            }
        }
        if unread.len() > LONGEST {
            return Err(format!("{}… and more, without an end", shown(&unread[..40])));
        }
        Ok(None)
    }

    /// The first digit of the code.
    pub fn class(&self) -> u16 {
        self.code / 100
    }

    /// Refused, for now or for good.
    pub fn is_refusal(&self) -> bool {
        self.class() >= 4
    }
}

impl std::fmt::Display for Reply {
    /// One line of at most 300 characters and no control characters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&one_line(&format!("{} {}", self.code, self.lines.join(" "))))
    }
}

fn parse_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !digits.iter().all(u8::is_ascii_digit) || !(b'2'..=b'5').contains(&digits[0]) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b' ', text)) => Some((code, true, text)),
        Some((b'-', text)) => Some((code, false, text)),
        Some(_) => None,
    }
}

fn shown(line: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(&line[..line.len().min(80)]))
}

/// The words of a text on one line, at most 300 characters of it.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|character: char| character.is_whitespace() || character.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => line[..end].to_owned(),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<Option<&str>, &str>, left: &[u8]) {
        let mut unread = bytes.to_vec();
        let found = Reply::take(&mut unread).map(|reply| reply.map(|reply| reply.to_string()));
        assert_eq!(found, expected.map(|reply| reply.map(str::to_owned)).map_err(str::to_owned));
        if expected.is_ok() {
            assert_eq!(unread, left);
        }
    }

    #[test]
    fn a_reply_is_a_code_and_its_lines() {
        check(b"250 ok\r\n354 go", Ok(Some("250 ok")), b"354 go");
        check(b"250-a\r\n250-b\r\n250 c\r\n", Ok(Some("250 a b c")), b"");
        check(b"250\r\n", Ok(Some("250")), b"");
        check(b"250 ok\n", Ok(Some("250 ok")), b"");
        check(b"550 5.1.1 k\xfcnde \x07 nicht\r\n", Ok(Some("550 5.1.1 k\u{fffd}nde nicht")), b"");
        check(b"", Ok(None), b"");
        check(b"250 o", Ok(None), b"250 o");
        check(b"250-a\r\n250 ", Ok(None), b"250-a\r\n250 ");
        check(b"HTTP/1.1 400 Bad\r\n", Err("HTTP/1.1 400 Bad"), b"");
        check(b"\r\n", Err(""), b"");
        check(b"25\r\n", Err("25"), b"");
        check(b"999 x\r\n", Err("999 x"), b"");
        check(b"150 x\r\n", Err("150 x"), b"");
        check(b"250_x\r\n", Err("250_x"), b"");
        check(b"250-a\r\n550 b\r\n", Err("550 b"), b"");
    }

    #[test]
    fn a_reply_without_end_is_given_up_and_a_long_one_cut() {
        assert!(Reply::take(&mut b"250-x\r\n".repeat(10_000)).is_err());
        assert!(Reply::take(&mut vec![b'2'; LONGEST + 1]).is_err());
        let long = Reply { code: 550, lines: vec!["é".repeat(1000)] };
        assert_eq!(long.to_string().chars().count(), QUOTED);
    }
}
