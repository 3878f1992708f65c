//! SendGrid's event webhook: ECDSA over P-256 with SHA-256 (FIPS 186-5), of the timestamp and the body as they came.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::reading::{self, fresh};
use super::{Told, notice, unsigned};
use crate::returns::{Came, Notice, classify};
use crate::web::problem::Problem;

const SIGNATURE: &str = "x-twilio-email-event-webhook-signature";
const TIMESTAMP: &str = "x-twilio-email-event-webhook-timestamp";

/// # Errors
/// 403 where the signature is missing, wrong or old; 400 where the body is no list of events.
pub fn read(told: &Told<'_>, key: &[u8]) -> Result<Vec<Notice>, Problem> {
    let header = |name: &str| told.headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signature), Some(timestamp)) = (header(SIGNATURE), header(TIMESTAMP)) else {
        return Err(unsigned("the signature is missing: turn on `Signed Event Webhook Requests`"));
    };
    let signature = STANDARD.decode(signature).unwrap_or_default();
    let signed = [timestamp.as_bytes(), told.body].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
        .verify(&signed, &signature)
        .map_err(|_| unsigned("the signature is not made with the key that belongs to the webhook's `key`"))?;
    fresh(timestamp.parse::<i64>().unwrap_or(0).saturating_mul(1000), told.now)?;
    let Value::Array(events) = reading::value(told.body)? else {
        return Err(Problem::whole("invalid", "there must be a list of events here"));
    };
    Ok(events.iter().filter_map(|event| one(event, told)).collect())
}

pub(super) fn one(event: &Value, told: &Told<'_>) -> Option<Notice> {
    let text = |name: &str| reading::text(event, name);
    let status = text("status").unwrap_or_default();
    let reason = text("reason").or_else(|| text("response")).unwrap_or_default();
    let what = match text("event")? {
        "delivered" => Came::Delivered,
        "spamreport" => Came::Complaint,
        // Refused for now or for reasons that are not the address's, by their word.
        "bounce" | "blocked" if text("type") == Some("blocked") || text("event") == Some("blocked") => {
            match classify(status, reason) {
                Came::HardBounce => Came::SoftBounce,
                other => other,
            }
        }
        "bounce" => match classify(status, reason) {
            Came::Blocked => Came::Blocked,
            Came::SoftBounce if status.starts_with('4') || status == "5.2.2" => Came::SoftBounce,
            // By its word the address is bad, though the server's words do not say why.
            _ => Came::HardBounce,
        },
        // It was not sent, because of what it knew of the address before.
        "dropped" => dropped(reason)?,
        // Deferred: it goes on trying. The rest is what readers do.
        _ => return None,
    };
    Some(Notice {
        message_id: reading::message_id(text("smtp-id")),
        address: text("email").map(str::to_owned),
        status: reading::said(event, "status"),
        detail: crate::returns::words(reason),
        at: reading::seconds(event.get("timestamp")).unwrap_or(told.now),
        ..notice(told, what)
    })
}

fn dropped(reason: &str) -> Option<Came> {
    match reason.to_ascii_lowercase().as_str() {
        "bounced address" | "invalid" => Some(Came::HardBounce),
        "spam reporting address" => Some(Came::Complaint),
        // Unsubscribed there, an empty account, content: nothing about the address.
        _ => Some(Came::Blocked),
    }
}
