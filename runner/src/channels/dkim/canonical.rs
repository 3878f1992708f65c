//! The “relaxed” canonical forms of header fields and bodies (RFC 6376 sections 3.4.2 and 3.4.4): what is left of a mail when the
//! changes that relays make to white space are taken out of it.

/// The mail's header section, with the line end of its last field, and its body.
pub fn parts(mail: &str) -> (&str, &str) {
    match mail.find("\r\n\r\n") {
        Some(end) => (&mail[..end + 2], &mail[end + 4..]),
        None => (mail, ""),
    }
}

/// The fields of a header section, from top to bottom: name, and value with its folds.
pub fn fields(mut header: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::with_capacity(16);
    while !header.is_empty() {
        let end = end_of_field(header);
        let field = &header[..end];
        header = &header[end..];
        if let Some((name, value)) = field.split_once(':') {
            fields.push((name.trim_end(), value));
        }
    }
    fields
}

/// Where the first field ends: behind the first line end that no white space follows.
fn end_of_field(header: &str) -> usize {
    let folded = |end: &usize| matches!(header.as_bytes().get(end + 2), Some(b' ' | b'\t'));
    header.match_indices("\r\n").map(|(at, _)| at).find(|at| !folded(at)).map_or(header.len(), |at| at + 2)
}

/// Appends a field in its canonical form, without a line end.
pub fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    out.push(b':');
    let mut gap = false;
    let begin = out.len();
    for byte in value.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => gap = true,
            byte => {
                if std::mem::take(&mut gap) && out.len() > begin {
                    out.push(b' ');
                }
                out.push(byte);
            }
        }
    }
}

/// The body in its canonical form: runs of white space become one space, none is left at a line's end, and the empty lines at the end
/// of the body go. A body without content is nothing at all.
pub fn body(body: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut empty_lines = 0;
    for line in body.split_inclusive("\r\n") {
        let line = line.strip_suffix("\r\n").unwrap_or(line).trim_end_matches([' ', '\t']);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty_lines) {
            out.extend_from_slice(b"\r\n");
        }
        push_line(&mut out, line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn push_line(out: &mut Vec<u8>, line: &[u8]) {
    let (mut copied, mut at) = (0, 0);
    while at < line.len() {
        if !is_blank(line[at]) {
            at += 1;
            continue;
        }
        let end = at + line[at..].iter().take_while(|byte| is_blank(**byte)).count();
        if end - at > 1 || line[at] == b'\t' {
            out.extend_from_slice(&line[copied..at]);
            out.push(b' ');
            copied = end;
        }
        at = end;
    }
    out.extend_from_slice(&line[copied..]);
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(String::from_utf8(body(text)).unwrap(), expected, "{text:?}");
    }

    #[test]
    fn a_body_without_what_relays_change() {
        check("", "");
        check("\r\n", "");
        check(" \t\r\n\r\n \r\n", "");
        check("a", "a\r\n");
        check("a\r\n", "a\r\n");
        check("a\r\n\r\n\r\n", "a\r\n");
        check("\r\na\r\n \r\n\tb", "\r\na\r\n\r\n b\r\n");
        check(" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n");
        check("a  b\tc \t d\t\r\n", "a b c d\r\n");
        check("no\nline end", "no\nline end\r\n");
    }

    #[test]
    fn a_header_without_what_relays_change() {
        // RFC 6376 section 3.4.5.
        let (header, body) = parts("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\n");
        let mut out = Vec::new();
        for (name, value) in fields(header) {
            push_field(&mut out, name, value);
            out.extend_from_slice(b"\r\n");
        }
        assert_eq!(String::from_utf8(out).unwrap(), "a:X\r\nb:Y Z\r\n");
        assert_eq!(body, " C \r\n");
        assert_eq!(parts("A: X\r\n\r\n"), ("A: X\r\n", ""));
        assert_eq!(fields("A: X\r\n folded\r\nB:\r\n"), [("A", " X\r\n folded\r\n"), ("B", "\r\n")]);
    }
}
