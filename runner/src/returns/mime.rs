//! A mail taken apart into what matters for what comes back, within limits of depth, number and size: whoever likes can send such mails.
//! Mails inside a mail are not entered; only their headers are of use.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{MessageParser, MimeHeaders};

use super::fields::Fields;

/// How deep multiparts may stand in each other, and how many parts are looked at in all. Reports need two levels and three parts; gateways that add
/// something put another multipart around them.
const DEEPEST: usize = 6;
const MOST_PARTS: usize = 64;
/// How much of a text is read, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;

/// A mail, taken apart.
#[derive(Debug, Default)]
pub struct Mail {
    pub headers: Fields,
    /// ms since 1970 UTC, as its Date says.
    pub date: Option<i64>,
    /// The texts, in order; HTML as it is.
    pub texts: Vec<String>,
    /// `message/delivery-status` (RFC 3464).
    pub status: Option<String>,
    /// `message/feedback-report` (RFC 5965).
    pub feedback: Option<Fields>,
    /// The headers of the mail that it is about.
    pub original: Option<Fields>,
}

impl Mail {
    /// Never fails: what cannot be understood is left out. The line that mailboxes put before a mail ("From …") is skipped.
    pub fn read(raw: &[u8]) -> Mail {
        let raw = without_envelope_line(raw);
        let (head, body) = halves(raw);
        let headers = Fields::read(&String::from_utf8_lossy(head));
        let mut mail = Mail { date: date(&headers), ..Mail::default() };
        let mut left = MOST_PARTS;
        mail.take(&headers, body, 0, &mut left);
        mail.headers = headers;
        mail
    }

    fn take(&mut self, headers: &Fields, body: &[u8], depth: usize, left: &mut usize) {
        if *left == 0 || depth > DEEPEST {
            return;
        }
        *left -= 1;
        let Kind { main, sub, boundary } = Kind::of(headers);
        match (main.as_str(), sub.as_str()) {
            ("multipart", _) => {
                for part in boundary.iter().flat_map(|boundary| parts(body, boundary.as_bytes())) {
                    let (head, body) = halves(part);
                    self.take(&Fields::read(&String::from_utf8_lossy(head)), body, depth + 1, left);
                }
            }
            ("message", "delivery-status" | "global-delivery-status") => {
                self.status.get_or_insert_with(|| text(headers, body));
            }
            ("message", "feedback-report") => {
                self.feedback.get_or_insert_with(|| Fields::read(&text(headers, body)));
            }
            ("message", "rfc822" | "global" | "global-headers" | "rfc822-headers") | ("text", "rfc822-headers") => {
                self.original.get_or_insert_with(|| Fields::read(text(headers, body).trim_start()));
            }
            ("text", _) => self.texts.push(text(headers, body)),
            _ => {}
        }
    }
}

/// What a part is.
struct Kind {
    main: String,
    sub: String,
    boundary: Option<String>,
}

impl Kind {
    fn of(headers: &Fields) -> Kind {
        let plain = || Kind { main: "text".to_owned(), sub: "plain".to_owned(), boundary: None };
        let Some(given) = headers.get("content-type") else { return plain() };
        let line = format!("Content-Type: {given}\r\n\r\n");
        let parsed = MessageParser::default().parse_headers(line.as_bytes());
        let Some(kind) = parsed.as_ref().and_then(|mail| mail.content_type()) else { return plain() };
        Kind {
            main: kind.ctype().to_ascii_lowercase(),
            sub: kind.subtype().unwrap_or_default().to_ascii_lowercase(),
            boundary: kind.attribute("boundary").filter(|boundary| !boundary.is_empty()).map(str::to_owned),
        }
    }
}

fn date(headers: &Fields) -> Option<i64> {
    let line = format!("Date: {}\r\n\r\n", headers.get("date")?);
    let parsed = MessageParser::default().parse_headers(line.as_bytes())?;
    let date = parsed.date().filter(|date| date.is_valid())?;
    date.to_timestamp().checked_mul(1000)
}

/// The part's body as text: decoded, and cut to what is read of texts.
fn text(headers: &Fields, body: &[u8]) -> String {
    let encoding = headers.get("content-transfer-encoding").unwrap_or_default().trim().to_ascii_lowercase();
    let decoded = match encoding.as_str() {
        "base64" => base64_decode(&body[..body.len().min(2 * LONGEST_TEXT)]).map(Cow::Owned),
        "quoted-printable" => quoted_printable_decode(&body[..body.len().min(3 * LONGEST_TEXT)]).map(Cow::Owned),
        _ => None,
    };
    let bytes = decoded.unwrap_or(Cow::Borrowed(body));
    String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST_TEXT)]).into_owned()
}

fn without_envelope_line(raw: &[u8]) -> &[u8] {
    let is_envelope = raw.starts_with(b"From ") || raw.starts_with(b">From ");
    match raw.iter().position(|byte| *byte == b'\n').filter(|_| is_envelope) {
        Some(end) => &raw[end + 1..],
        None => raw,
    }
}

/// Headers and body; the empty line between belongs to neither.
fn halves(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            return (&raw[..start], &raw[start + line.len()..]);
        }
        start += line.len();
    }
    (raw, &[])
}

/// The parts between the delimiter lines (RFC 2046 section 5.1.1). A last one that is cut off is one, too.
fn parts<'a>(body: &'a [u8], boundary: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut began, mut place) = (None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let delimiter = line.strip_prefix(b"--").and_then(|rest| rest.strip_prefix(boundary));
        if let Some(after) = delimiter.map(<[u8]>::trim_ascii).filter(|after| after.is_empty() || *after == b"--") {
            if let Some(began) = began {
                parts.push(&body[began..place]);
            }
            began = after.is_empty().then_some(place + line.len());
            if began.is_none() || parts.len() >= MOST_PARTS {
                return parts;
            }
        }
        place += line.len();
    }
    if let Some(began) = began {
        parts.push(&body[began..]);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_decoded_and_reports_found_where_they_stand() {
        let mail = Mail::read(
            b"From MAILER-DAEMON Sun Nov 22\r\nSubject: x\r\nDate: Fri, 27 Mar 2026 09:00:00 +0100\r\nContent-Type: multipart/mixed; boundary=\"o\"\r\n\r\n\
              preamble\r\n--o\r\nContent-Type: multipart/report; boundary=i\r\n\r\n--i\r\n\r\nplain\r\n--i\r\nContent-Type: message/delivery-status\r\n\
              Content-Transfer-Encoding: base64\r\n\r\nQWN0aW9uOiBmYWlsZWQ=\r\n--i\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <1@x>\r\n\r\nbody --i\r\n\
              --i--\r\n--o\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=66ooter\r\n",
        );
        assert_eq!(mail.texts, ["plain\r\n", "footer\r\n"]);
        assert_eq!(mail.status.as_deref(), Some("Action: failed"));
        assert_eq!(mail.original.unwrap().get("message-id"), Some("<1@x>"));
        assert_eq!(mail.date, Some(1_774_598_400_000));
        assert_eq!(mail.headers.get("subject"), Some("x"));
    }

    #[test]
    fn a_mail_inside_is_not_entered() {
        let inner = "Content-Type: multipart/report; boundary=i\r\n\r\n--i\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--i--\r\n";
        let mail = Mail::read(format!("Content-Type: message/rfc822\r\n\r\n{inner}").as_bytes());
        assert_eq!(mail.status, None);
        assert!(mail.original.is_some());
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let deep = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n".repeat(20_000);
        assert_eq!(Mail::read(deep.as_bytes()).texts.len(), 0);
        let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
        assert!(Mail::read(nested.as_bytes()).original.is_some());
        let many = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(50_000));
        assert!(Mail::read(many.as_bytes()).texts.len() < MOST_PARTS);
    }
}
