//! What an answer means for a message.

use serde_json::Value;

use super::super::{Outcome, Refusal, RefusalKind};
use crate::http_client::Answer;

/// What became of a message that was answered to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub refusal: Option<Refusal>,
}

impl Verdict {
    pub fn sent() -> Verdict {
        Verdict { outcome: Outcome::Sent, refusal: None }
    }

    /// Not now: the other side is busy, or something of the channel's is wrong for which no message should fail.
    pub fn later(why: String) -> Verdict {
        Verdict { outcome: Outcome::Deferred(why), refusal: None }
    }

    pub fn refused(why: String, kind: RefusalKind, status: Option<String>) -> Verdict {
        Verdict { outcome: Outcome::Failed(why), refusal: Some(Refusal { kind, status }) }
    }
}

/// By the status alone (RFC 9110 section 15): 2xx is taken; 408, 425 (RFC 8470), 429 (RFC 6585) and 5xx are worth trying again; the rest is not.
pub fn by_status(answer: &Answer) -> Verdict {
    if (200..300).contains(&answer.status) {
        return Verdict::sent();
    }
    let why = described(answer);
    if is_for_now(answer.status) {
        return Verdict::later(why);
    }
    Verdict::refused(why, RefusalKind::Other, error_code(answer))
}

/// What this status would mean for a message, were it a request's answer.
pub fn judged_status(status: u16) -> Verdict {
    by_status(&Answer { status, retry_after: None, body: Vec::new(), whole: true })
}

pub fn is_for_now(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// The answer in words that hold nothing of the message: status, error code and Retry-After.
pub fn described(answer: &Answer) -> String {
    let mut words = format!("the server answered {}", answer.status);
    if (300..400).contains(&answer.status) {
        words.push_str(" (redirects are not followed: give the address it leads to)");
    }
    if let Some(code) = error_code(answer) {
        words.push_str(&format!(", error {code}"));
    }
    if let Some(after) = answer
        .retry_after
        .as_ref()
        .filter(|after| after.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" ,:".contains(&byte)))
    {
        words.push_str(&format!(", retry after {after}"));
    }
    words
}

/// The error code in a JSON answer, where providers put it. An answer's other words may repeat the message, or whom it was for.
pub fn error_code(answer: &Answer) -> Option<String> {
    const NAMES: [&str; 9] = ["error_code", "errorCode", "error-code", "errcode", "code", "Code", "status", "type", "error"];
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let object = match body.get("error") {
        Some(inner @ Value::Object(_)) => inner,
        _ => &body,
    };
    NAMES.iter().find_map(|name| code(object.get(*name)?))
}

/// A value that is a code: a short number, or one word.
pub fn code(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => {
            number.as_i64().filter(|number| (-999_999..=999_999).contains(number)).map(|number| number.to_string())
        }
        Value::String(text) => is_code(text).then(|| text.clone()),
        _ => None,
    }
}

fn is_code(text: &str) -> bool {
    let short_number = text.len() <= 6 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let word = text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && text.bytes().filter(u8::is_ascii_digit).count() <= 6;
    short_number || word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, retry_after: Option<&str>, body: &str, expected: &str) {
        let retry_after = retry_after.map(str::to_owned);
        let answer = Answer { status, retry_after, body: body.as_bytes().to_vec(), whole: true };
        let found = match by_status(&answer).outcome {
            Outcome::Sent => "sent".to_owned(),
            Outcome::Deferred(why) => format!("deferred: {why}"),
            Outcome::Failed(why) => format!("failed: {why}"),
            Outcome::Unknown(why) => format!("unknown: {why}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_status_says_what_became_of_it() {
        for status in [200, 201, 202, 204] {
            check(status, None, "", "sent");
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            check(status, None, "x", &format!("deferred: the server answered {status}"));
        }
        check(429, Some("120"), "{}", "deferred: the server answered 429, retry after 120");
        check(
            503,
            Some("Fri, 31 Dec 1999 23:59:59 GMT"),
            "",
            "deferred: the server answered 503, retry after Fri, 31 Dec 1999 23:59:59 GMT",
        );
        check(503, Some("<ada@x.de>"), "", "deferred: the server answered 503");
        check(302, None, "", "failed: the server answered 302 (redirects are not followed: give the address it leads to)");
        check(404, None, "no such user ada@x.de", "failed: the server answered 404");
        for (body, code) in [
            (r#"{"code": 21211, "message": "+491234567 is wrong"}"#, "21211"),
            (r#"{"error": {"code": 404, "status": "NOT_FOUND"}}"#, "404"),
            (r#"{"error": {"type": "invalid_request"}}"#, "invalid_request"),
            (r#"{"error": "invalid_grant"}"#, "invalid_grant"),
            (r#"{"Code": "isv.MOBILE_NUMBER_ILLEGAL"}"#, "isv.MOBILE_NUMBER_ILLEGAL"),
        ] {
            check(400, None, body, &format!("failed: the server answered 400, error {code}"));
        }
        for silent in [
            r#"{"code": 491234567}"#,
            r#"{"error": "ada@x.de"}"#,
            r#"{"error": "Ada Lovelace"}"#,
            r#"{"code": "4912345678"}"#,
            "[1]",
            "",
        ] {
            check(400, None, silent, "failed: the server answered 400");
        }
    }
}
