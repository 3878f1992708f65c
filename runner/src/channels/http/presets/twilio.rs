//! Twilio: SMS by its Messages resource.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::AUTHORIZATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::draft::{Body, Draft, form};
use super::super::verdict::{self, Verdict};
use super::super::{HttpError, Message};
use super::{Options, Provider};
use crate::channels::RefusalKind;
use crate::http_client::Answer;

pub struct Twilio {
    url: String,
    authorization: String,
    /// The name of the field that says who sends, and its value.
    from: (&'static str, String),
}

impl Twilio {
    pub fn read(options: &Options<'_>) -> Result<Twilio, HttpError> {
        let (account, token, from) = (options.get("account")?, options.get("token")?, options.get("from")?);
        let base = options.base("https://api.twilio.com");
        let path = utf8_percent_encode(&account, NON_ALPHANUMERIC);
        // A messaging service has an id of this form in place of a number.
        let service = from.len() == 34 && from.starts_with("MG");
        Ok(Twilio {
            url: format!("{base}/2010-04-01/Accounts/{path}/Messages.json"),
            authorization: format!("Basic {}", STANDARD.encode(format!("{account}:{token}"))),
            from: (if service { "MessagingServiceSid" } else { "From" }, from),
        })
    }
}

impl Provider for Twilio {
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String> {
        let fields = form([("To", message.to), (self.from.0, self.from.1.as_str()), ("Body", message.body)]);
        Ok(Draft::post(self.url.clone(), Body::Form(fields)).header(AUTHORIZATION, self.authorization.clone()))
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let mut verdict = verdict::by_status(answer);
        // No valid number; the recipient has answered STOP; no mobile number.
        if let Some(refusal) =
            verdict.refusal.as_mut().filter(|refusal| matches!(refusal.status.as_deref(), Some("21211" | "21610" | "21614")))
        {
            refusal.kind = RefusalKind::Hard;
        }
        verdict
    }
}
