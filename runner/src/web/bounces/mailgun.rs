//! Mailgun's webhooks: HMAC-SHA-256 (RFC 2104) of a timestamp and a token, in the body. The event itself is not signed: it stands beside.

use aws_lc_rs::hmac;
use serde_json::Value;

use super::reading::{self, fresh};
use super::{Told, notice, unsigned};
use crate::returns::{Came, Notice, classify};
use crate::web::problem::Problem;

/// # Errors
/// 403 where the signature is missing, wrong or old; 400 where the body is no event.
pub fn read(told: &Told<'_>, key: &hmac::Key) -> Result<Vec<Notice>, Problem> {
    let body = reading::value(told.body)?;
    let signed = |name: &str| reading::text(&body, &format!("signature.{name}")).unwrap_or_default();
    let (timestamp, token) = (signed("timestamp"), signed("token"));
    let signature = bytes(signed("signature")).unwrap_or_default();
    hmac::verify(key, format!("{timestamp}{token}").as_bytes(), &signature)
        .map_err(|_| unsigned("the signature is missing, or not made with the webhook's `key` (the HTTP webhook signing key)"))?;
    fresh(timestamp.parse::<i64>().unwrap_or(0).saturating_mul(1000), told.now)?;
    let event = body.get("event-data").filter(|event| event.is_object());
    let event = event.ok_or_else(|| Problem::at("event-data", "missing", "there must be an event here"))?;
    Ok(one(event, told).into_iter().collect())
}

fn one(event: &Value, told: &Told<'_>) -> Option<Notice> {
    let text = |path: &str| reading::text(event, path);
    let code = event.get("delivery-status").and_then(|status| status.get("code")).and_then(Value::as_i64);
    let enhanced = text("delivery-status.enhanced-code").map(str::to_owned);
    let status = enhanced.or_else(|| code.map(|code| code.to_string())).unwrap_or_default();
    let words = text("delivery-status.message").or_else(|| text("delivery-status.description")).unwrap_or_default();
    let what = match text("event")? {
        "delivered" => Came::Delivered,
        "complained" => Came::Complaint,
        "failed" if text("severity") == Some("temporary") => return None,
        "failed" => match text("reason").unwrap_or_default() {
            // Not sent, because of what it knew of the address before.
            "suppress-bounce" => Came::HardBounce,
            "suppress-complaint" => Came::Complaint,
            "suppress-unsubscribe" => Came::Blocked,
            // Given up after hours of trying.
            "old" => Came::SoftBounce,
            _ => classify(&status, words),
        },
        _ => return None,
    };
    Some(Notice {
        message_id: reading::message_id(text("message.headers.message-id")),
        address: text("recipient").map(str::to_owned),
        status: crate::returns::words(&status),
        detail: crate::returns::words(words),
        at: reading::seconds(event.get("timestamp")).unwrap_or(told.now),
        ..notice(told, what)
    })
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hexadecimal.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}
