//! A request before it is signed and checked: every text in its final form.

use std::fmt::Write as _;

use hyper::Method;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::sign::SigningKey;
use crate::http_client::{Request, Url};

/// Tells a request from the same one made again (the IETF's draft of that name, and most providers).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("campaignd/", env!("CARGO_PKG_VERSION")));

#[derive(Debug)]
pub struct Draft {
    pub method: Method,
    pub url: String,
    pub headers: Vec<(HeaderName, String)>,
    pub body: Body,
}

#[derive(Debug)]
pub enum Body {
    Nothing,
    Json(String),
    /// application/x-www-form-urlencoded, as it is sent.
    Form(String),
}

impl Draft {
    pub fn post(url: String, body: Body) -> Draft {
        Draft { method: Method::POST, url, headers: Vec::new(), body }
    }

    pub fn header(mut self, name: HeaderName, value: String) -> Draft {
        self.headers.push((name, value));
        self
    }

    /// The request as it leaves. `id` is the same for the same message over attempts; `now` is in ms since 1970 UTC.
    ///
    /// # Errors
    /// Why the message fails: an address that cannot be called, a header that data has broken. No text holds data.
    pub fn ready(self, id: &str, sign: Option<&SigningKey>, now: i64) -> Result<Request, String> {
        let url = Url::parse(&self.url).map_err(|error| error.to_string())?;
        let (media_type, body) = match self.body {
            Body::Nothing => (None, String::new()),
            Body::Json(text) => (Some("application/json"), text),
            Body::Form(text) => (Some("application/x-www-form-urlencoded"), text),
        };
        let mut headers = vec![(USER_AGENT, AGENT)];
        headers.extend(media_type.map(|media_type| (CONTENT_TYPE, HeaderValue::from_static(media_type))));
        let mut own = vec![(IDEMPOTENCY_KEY, id.to_owned())];
        own.extend(sign.iter().flat_map(|key| key.headers(id, now, &body)));
        for (name, text) in own.into_iter().chain(self.headers) {
            if text.chars().any(char::is_control) {
                return Err(format!(
                    "the header {name} would hold a line break or another control character, which no header may"
                ));
            }
            let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| format!("the header {name} cannot be written"))?;
            // What the settings say comes instead of what is sent by itself.
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value));
        }
        Ok(Request { method: self.method, url, headers, body })
    }
}

/// Fields as application/x-www-form-urlencoded (WHATWG URL, section 5.2).
pub fn form<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_').remove(b' ');
    let mut out = String::new();
    for (name, value) in fields {
        if !out.is_empty() {
            out.push('&');
        }
        let (name, value) = (utf8_percent_encode(name, ENCODED), utf8_percent_encode(value, ENCODED));
        // Writing to a text cannot fail.
        let _ = write!(out, "{name}={value}");
    }
    out.replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_stay_apart() {
        assert_eq!(form([("a b", "c&d=e+f"), ("ü", "~*-._\r\n")]), "a+b=c%26d%3De%2Bf&%C3%BC=%7E*-._%0D%0A");
        assert_eq!(form([]), "");
    }

    #[test]
    fn a_header_is_one_line_and_the_settings_come_first() {
        let draft = |name: &'static str, value: &str| {
            Draft::post("https://x.example".to_owned(), Body::Json("{}".to_owned()))
                .header(HeaderName::from_static(name), value.to_owned())
        };
        for bad in ["a\r\nX: y", "a\nb", "a\0", "a\u{85}"] {
            assert!(draft("x-name", bad).ready("1", None, 0).unwrap_err().contains("x-name"), "{bad:?}");
        }
        let request = draft("idempotency-key", "mine ü").ready("7.1", None, 0).unwrap();
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        assert_eq!(headers[1..], [("content-type", &b"application/json"[..]), ("idempotency-key", "mine ü".as_bytes())]);
        assert!(
            Draft::post("https://u:secret@x".to_owned(), Body::Nothing)
                .ready("1", None, 0)
                .is_err_and(|why| !why.contains("secret"))
        );
    }
}
