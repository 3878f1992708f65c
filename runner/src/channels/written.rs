//! What a channel would make of an answer that is written down rather than given. The judgement is the one that the channels themselves
//! come to.

use serde_json::Value;

use super::http::{self, Carried};
use super::{Outcome, smtp};
use crate::http_client::Answer;

/// An answer as somebody writes it down.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It was taken: `ok`.
    Taken,
    /// Everything was given, and nothing came back: `timeout`.
    Silence,
    /// A mail server's reply (`550 5.1.1 no such user`), or a status of HTTP with any words behind it.
    Said(String),
    /// An answer to a call.
    Answered { status: u16, json: Value },
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Smtp,
    /// A provider that messages are handed to by requests.
    Http,
    /// Whoever a `call` step asks.
    Call,
}

/// What the answer means; `None` where nobody who speaks like that answers so.
pub fn judged(speaks: Speaks, answer: &Written) -> Option<Carried> {
    let plain = |outcome| Some(Carried { outcome, refusal: None, answer: None });
    match (answer, speaks) {
        (Written::Taken, _) => plain(Outcome::Sent),
        (Written::Silence, Speaks::Call) => plain(Outcome::Deferred("there was no answer in time".to_owned())),
        (Written::Silence, _) => {
            plain(Outcome::Unknown("after the whole message had been given, there was no answer in time".to_owned()))
        }
        (Written::Said(reply), Speaks::Smtp) => {
            smtp::judged(reply).map(|(outcome, refusal)| Carried { outcome, refusal, answer: None })
        }
        (Written::Said(words), Speaks::Http) => Some(http::judged_status(status(words)?).into()),
        (Written::Said(words), Speaks::Call) => Some(called(status(words)?, None)),
        (Written::Answered { status, json }, Speaks::Call) => Some(called(*status, Some(json))),
        (Written::Answered { .. }, Speaks::Smtp | Speaks::Http) => None,
    }
}

fn called(status: u16, json: Option<&Value>) -> Carried {
    let body = json.map(|json| json.to_string().into_bytes()).unwrap_or_default();
    http::judged_call(&Answer { status, retry_after: None, body, whole: true })
}

/// The status that the words begin with (RFC 9110 section 15).
fn status(words: &str) -> Option<u16> {
    let digits = words.split_whitespace().next()?;
    digits.parse().ok().filter(|status| digits.len() == 3 && (200..600).contains(status))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(speaks: Speaks, answer: &Written, expected: Option<&str>) {
        let found = judged(speaks, answer).map(|carried| {
            let outcome = match carried.outcome {
                Outcome::Sent => "sent".to_owned(),
                Outcome::Deferred(why) => format!("later: {why}"),
                Outcome::Failed(why) => format!("failed: {why}"),
                Outcome::Unknown(_) => "unknown".to_owned(),
            };
            let refusal = carried.refusal.map(|refusal| format!(" {:?}", refusal.kind)).unwrap_or_default();
            let answer = carried.answer.map(|answer| format!(" {answer}")).unwrap_or_default();
            outcome + &refusal + &answer
        });
        assert_eq!(found.as_deref(), expected, "{speaks:?} {answer:?}");
    }

    #[test]
    fn each_speaks_its_own_language() {
        let said = |words: &str| Written::Said(words.to_owned());
        for speaks in [Speaks::Smtp, Speaks::Http, Speaks::Call] {
            check(speaks, &Written::Taken, Some("sent"));
            check(speaks, &said("nonsense"), None);
        }
        check(Speaks::Smtp, &Written::Silence, Some("unknown"));
        check(Speaks::Http, &Written::Silence, Some("unknown"));
        check(Speaks::Call, &Written::Silence, Some("later: there was no answer in time"));
        check(Speaks::Smtp, &said("451 try later"), Some("later: 451 try later Soft"));
        check(Speaks::Smtp, &said("550 5.1.1 no"), Some("failed: 550 5.1.1 no Hard"));
        check(Speaks::Http, &said("429 slow down"), Some("later: the server answered 429"));
        check(Speaks::Http, &said("400"), Some("failed: the server answered 400 Other"));
        check(Speaks::Call, &said("503"), Some("later: the server answered 503"));
        check(Speaks::Call, &said("200"), Some("sent null"));
        let answered = Written::Answered { status: 201, json: json!({"id": 7}) };
        check(Speaks::Call, &answered, Some(r#"sent {"id":7}"#));
        check(Speaks::Smtp, &answered, None);
    }
}
