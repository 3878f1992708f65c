//! WeCom: a group robot's webhook, which leads to a room and not to a person, and answers 200 whatever it thinks of a message.

use serde_json::{Value, json};

use super::super::draft::{Body, Draft};
use super::super::verdict::{self, Verdict, code};
use super::super::{HttpError, Message};
use super::{Options, Provider};
use crate::channels::RefusalKind;
use crate::http_client::Answer;

pub struct Wecom {
    webhook: String,
}

impl Wecom {
    pub fn read(options: &Options<'_>) -> Result<Wecom, HttpError> {
        Ok(Wecom { webhook: options.get("webhook")? })
    }
}

impl Provider for Wecom {
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String> {
        let body = json!({ "msgtype": "text", "text": { "content": message.body } });
        Ok(Draft::post(self.webhook.clone(), Body::Json(body.to_string())))
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let verdict = verdict::by_status(answer);
        if verdict != Verdict::sent() {
            return verdict;
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let status = body.get("errcode").and_then(code).unwrap_or_default();
        let why = format!("the provider refused it with errcode {status}");
        match status.as_str() {
            "0" => Verdict::sent(),
            // Busy; too fast.
            "-1" | "45009" | "45033" => Verdict::later(why),
            "" => Verdict::refused("the server's answer is not that of the provider".to_owned(), RefusalKind::Other, None),
            _ => Verdict::refused(why, RefusalKind::Other, Some(status)),
        }
    }
}
