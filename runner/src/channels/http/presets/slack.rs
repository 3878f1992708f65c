//! Slack: an incoming webhook, which leads to a room and not to a person.

use serde_json::json;

use super::super::draft::{Body, Draft};
use super::super::verdict::{self, Verdict, code};
use super::super::{HttpError, Message};
use super::{Options, Provider};
use crate::channels::RefusalKind;
use crate::http_client::Answer;

pub struct Slack {
    webhook: String,
}

impl Slack {
    pub fn read(options: &Options<'_>) -> Result<Slack, HttpError> {
        Ok(Slack { webhook: options.get("webhook")? })
    }
}

impl Provider for Slack {
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String> {
        // Data must not call out to a room (<!channel>) or dress up a link: these three begin what is more than text.
        let text = message.body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        Ok(Draft::post(self.webhook.clone(), Body::Json(json!({ "text": text }).to_string())))
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let said = String::from_utf8_lossy(&answer.body);
        let word = code(&said.trim().into()).filter(|word| !word.eq_ignore_ascii_case("ok"));
        let verdict = verdict::by_status(answer);
        match (&verdict.outcome, word) {
            (crate::channels::Outcome::Deferred(_), _) => verdict,
            (_, Some(word)) => Verdict::refused(format!("the provider refused it with {word}"), RefusalKind::Other, Some(word)),
            (crate::channels::Outcome::Sent, None) if !said.trim().eq_ignore_ascii_case("ok") => {
                Verdict::refused("the server's answer is not that of the provider".to_owned(), RefusalKind::Other, None)
            }
            _ => verdict,
        }
    }
}
