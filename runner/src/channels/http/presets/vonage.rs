//! Vonage: its SMS API, which answers 200 whatever it thinks of a message.

use serde_json::Value;

use super::super::draft::{Body, Draft, form};
use super::super::verdict::{self, Verdict, code};
use super::super::{HttpError, Message};
use super::{Options, Provider};
use crate::channels::RefusalKind;
use crate::http_client::Answer;

/// What fits into the alphabet of short messages besides letters without marks, digits and blanks (3GPP TS 23.038 section 6.2.1).
const ALPHABET: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€";

pub struct Vonage {
    url: String,
    key: String,
    secret: String,
    from: String,
}

impl Vonage {
    pub fn read(options: &Options<'_>) -> Result<Vonage, HttpError> {
        let url = format!("{}/sms/json", options.base("https://rest.nexmo.com"));
        Ok(Vonage { url, key: options.get("key")?, secret: options.get("secret")?, from: options.get("from")? })
    }
}

impl Provider for Vonage {
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String> {
        let short = message.body.chars().all(|c| c.is_ascii_alphanumeric() || ALPHABET.contains(c));
        let fields = [
            ("api_key", self.key.as_str()),
            ("api_secret", &self.secret),
            ("from", &self.from),
            // Numbers are international here, without the plus.
            ("to", message.to.strip_prefix('+').unwrap_or(message.to)),
            ("text", message.body),
            ("type", if short { "text" } else { "unicode" }),
        ];
        Ok(Draft::post(self.url.clone(), Body::Form(form(fields))))
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let verdict = verdict::by_status(answer);
        if verdict != Verdict::sent() {
            return verdict;
        }
        // A long text leaves in parts; one that was refused is none that arrives.
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let parts = body.get("messages").and_then(Value::as_array).filter(|parts| !parts.is_empty());
        let Some(parts) = parts else {
            return Verdict::refused(
                "the server's answer says not what became of the message".to_owned(),
                RefusalKind::Other,
                None,
            );
        };
        let status = |part: &Value| part.get("status").and_then(code).unwrap_or_default();
        match parts.iter().map(status).find(|status| status != "0") {
            None => Verdict::sent(),
            Some(status) => by_code(status),
        }
    }
}

fn by_code(status: String) -> Verdict {
    let why = format!("the provider refused it with status {status}");
    match status.as_str() {
        // Too fast; its own fault; no credit; too many connections.
        "1" | "5" | "9" | "10" => Verdict::later(why),
        // Barred; switched off.
        "7" | "33" => Verdict::refused(why, RefusalKind::Hard, Some(status)),
        _ => Verdict::refused(why, RefusalKind::Other, Some(status)),
    }
}
