//! The fields of a form that was sent, in either of the two ways that forms and mail programs send them.

use percent_encoding::percent_decode_str;

/// More fields than any page has.
const MOST: usize = 10_000;

/// Names and values, in order.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body (application/x-www-form-urlencoded, or multipart/form-data as in RFC 7578). What cannot be read is left out.
    pub fn read(content_type: &str, body: &str) -> Form {
        let multipart = content_type.trim_start().get(..19).is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"));
        Form(match boundary(content_type).filter(|_| multipart) {
            Some(boundary) => parts(&boundary, body).take(MOST).collect(),
            None => body.split('&').filter(|field| !field.is_empty()).take(MOST).map(field).collect(),
        })
    }

    pub fn is(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|given| given.eq_ignore_ascii_case(value))
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

fn field(text: &str) -> (String, String) {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    (decoded(name), decoded(value))
}

fn boundary(content_type: &str) -> Option<String> {
    parameter(content_type, "boundary").filter(|boundary| !boundary.is_empty())
}

/// The value of `name=` in a header, with or without quotes.
fn parameter(header: &str, name: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|parameter| {
        let (given, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        given.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn parts(boundary: &str, body: &str) -> impl Iterator<Item = (String, String)> {
    let delimiter = format!("--{boundary}");
    let parts: Vec<String> =
        body.split(&delimiter).skip(1).take_while(|part| !part.starts_with("--")).map(str::to_owned).collect();
    parts.into_iter().filter_map(|part| {
        let part = part.replace("\r\n", "\n");
        let (head, value) = part.strip_prefix('\n').unwrap_or(&part).split_once("\n\n")?;
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        Some((parameter(disposition, "name")?, value.strip_suffix('\n').unwrap_or(value).to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: &str, body: &str, expected: &[(&str, &str)]) {
        let fields = Form::read(content_type, body).0;
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, expected, "{body}");
    }

    const FORM: &str = "application/x-www-form-urlencoded";
    const PARTS: &str = "Multipart/Form-Data; boundary=\"x y\"";

    #[test]
    fn both_ways_say_the_same() {
        check(FORM, "List-Unsubscribe=One-Click", &[("List-Unsubscribe", "One-Click")]);
        check(FORM, "a=1&a=2+3&b=%C3%A4%26&c&&=d", &[("a", "1"), ("a", "2 3"), ("b", "ä&"), ("c", ""), ("", "d")]);
        check("", "%zz=%ff", &[("%zz", "\u{fffd}")]);
        check(
            PARTS,
            "--x y\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x y--\r\n",
            &[("List-Unsubscribe", "One-Click")],
        );
        check(PARTS, "--x y\nContent-Disposition: form-data; name=a\n\n1\n\n--x y\nX: y\n\nz\n--x y--\nmore", &[("a", "1\n")]);
        check(PARTS, "", &[]);
        check("multipart/form-data", "a=1", &[("a", "1")]);
    }
}
