//! Alibaba Cloud's short message service: SendSms, signed in the RPC style (version 1.0).

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::super::draft::{Body, Draft, form};
use super::super::verdict::{self, Verdict};
use super::super::{HttpError, Message};
use super::{Options, Provider};
use crate::channels::RefusalKind;
use crate::http_client::Answer;

/// What is not encoded in what is signed (RFC 3986 section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub struct AliyunSms {
    url: String,
    key_id: String,
    key: hmac::Key,
    sign_name: String,
    template_code: String,
}

impl AliyunSms {
    pub fn read(options: &Options<'_>) -> Result<AliyunSms, HttpError> {
        let secret = format!("{}&", options.get("key_secret")?);
        Ok(AliyunSms {
            url: format!("{}/", options.base("https://dysmsapi.aliyuncs.com")),
            key_id: options.get("key_id")?,
            key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()),
            sign_name: options.get("sign_name")?,
            template_code: options.get("template_code")?,
        })
    }

    /// The parameters without the signature, in order of name.
    fn parameters(&self, message: &Message<'_>) -> Result<Vec<(&'static str, String)>, String> {
        let at = jiff::Timestamp::from_millisecond(message.now).map_err(|error| error.to_string())?;
        let text = |text: &str| text.to_owned();
        Ok(vec![
            ("AccessKeyId", self.key_id.clone()),
            ("Action", text("SendSms")),
            ("Format", text("JSON")),
            ("OutId", text(message.id)),
            ("PhoneNumbers", text(message.to)),
            ("RegionId", text("cn-hangzhou")),
            ("SignName", self.sign_name.clone()),
            ("SignatureMethod", text("HMAC-SHA1")),
            // No two attempts at one message are made in the same millisecond.
            ("SignatureNonce", format!("{}.{}", message.id, message.now)),
            ("SignatureVersion", text("1.0")),
            ("TemplateCode", self.template_code.clone()),
            ("TemplateParam", template_values(message).to_string()),
            ("Timestamp", at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("Version", text("2017-05-25")),
        ])
    }

    fn signature(&self, parameters: &[(&'static str, String)]) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
        let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let signed = format!("POST&{}&{}", encoded("/"), encoded(&query.join("&")));
        STANDARD.encode(hmac::sign(&self.key, signed.as_bytes()))
    }
}

/// What the provider's template is filled in with: the text as `body`, and what the step gives.
fn template_values(message: &Message<'_>) -> Value {
    let mut values = Map::from_iter([("body".to_owned(), Value::String(message.body.to_owned()))]);
    values.extend(message.with.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))));
    Value::Object(values)
}

impl Provider for AliyunSms {
    fn draft(&self, message: &Message<'_>) -> Result<Draft, String> {
        let mut parameters = self.parameters(message)?;
        parameters.push(("Signature", self.signature(&parameters)));
        Ok(Draft::post(self.url.clone(), Body::Form(form(parameters.iter().map(|(name, value)| (*name, value.as_str()))))))
    }

    fn verdict(&self, answer: &Answer) -> Verdict {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(code) = body.get("Code").and_then(verdict::code) else {
            return match verdict::by_status(answer) {
                verdict if verdict == Verdict::sent() => Verdict::refused(
                    "the server's answer says not what became of the message".to_owned(),
                    RefusalKind::Other,
                    None,
                ),
                verdict => verdict,
            };
        };
        let why = format!("the provider refused it with {code}");
        match code.as_str() {
            "OK" => Verdict::sent(),
            "isv.MOBILE_NUMBER_ILLEGAL" => Verdict::refused(why, RefusalKind::Hard, Some(code)),
            // Too many to this number or in all; its own fault; no credit.
            "isv.BUSINESS_LIMIT_CONTROL"
            | "isv.DAY_LIMIT_CONTROL"
            | "isp.SYSTEM_ERROR"
            | "isv.AMOUNT_NOT_ENOUGH"
            | "ServiceUnavailable"
            | "InternalError" => Verdict::later(why),
            code if code.starts_with("Throttling") || verdict::is_for_now(answer.status) => Verdict::later(why),
            _ => Verdict::refused(why, RefusalKind::Other, Some(code)),
        }
    }
}
