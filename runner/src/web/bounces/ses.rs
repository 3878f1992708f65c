//! Amazon SES: feedback notifications and published events, in an envelope of SNS.

use axum::http::StatusCode;
use serde_json::Value;

use super::reading::{self, text};
use super::{Certificates, Told, notice};
use crate::returns::{Came, Notice, classify, token_in, words};
use crate::web::problem::Problem;

/// How old an envelope may be, in ms. SNS tries again for long with the same signature, so it is more than with others; and what comes twice counts
/// once.
const OLDEST: i64 = 60 * 60 * 1000;
/// How many recipients of one mail are looked at; ours have one.
const MOST_RECIPIENTS: usize = 50;

/// # Errors
/// 403 where the envelope is not of this topic, wrongly signed or old; 400 where it is none; 503 while Amazon cannot be asked.
pub async fn read(told: &Told<'_>, topic: &str, certificates: &Certificates) -> Result<Vec<Notice>, Problem> {
    let envelope = reading::value(told.body)?;
    let Some(kind) = text(&envelope, "Type") else {
        let help = "there must be an envelope of SNS here: turn `raw message delivery` of the subscription off";
        return Err(Problem::at("Type", "missing", help));
    };
    if text(&envelope, "TopicArn") != Some(topic) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "wrong_topic", "the topic is not the one of the webhook's `key`"));
    }
    certificates.check(&envelope).await?;
    let signed = reading::instant(text(&envelope, "Timestamp")).unwrap_or(0);
    if !(told.now - OLDEST..=told.now + reading::FRESH).contains(&signed) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "old_signature",
            "the envelope is more than an hour old, or a clock is wrong",
        ));
    }
    match kind {
        "SubscriptionConfirmation" => {
            certificates.confirm(&envelope).await?;
            tracing::info!(webhook = told.name, "the subscription to the topic of SNS is confirmed");
            Ok(Vec::new())
        }
        "Notification" => {
            let message = text(&envelope, "Message").unwrap_or_default();
            // SNS and SES send texts for people, too, such as when a topic is set up.
            Ok(reading::value(message.as_bytes()).map(|message| notices(&message, told)).unwrap_or_default())
        }
        _ => Ok(Vec::new()),
    }
}

/// What a message of SES's says; it calls its kinds by one name in notifications and by another in events.
pub(super) fn notices(message: &Value, told: &Told<'_>) -> Vec<Notice> {
    let kind = text(message, "notificationType").or_else(|| text(message, "eventType")).unwrap_or_default();
    let (part, list) = match kind {
        "Bounce" => ("bounce", "bouncedRecipients"),
        "Complaint" => ("complaint", "complainedRecipients"),
        "Delivery" => ("delivery", "recipients"),
        _ => return Vec::new(),
    };
    let Some(about) = message.get(part) else { return Vec::new() };
    let recipients = about.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let one = |recipient: &Value| {
        let said = |name: &str| text(recipient, name);
        let (status, diagnostic) = (said("status").unwrap_or_default(), said("diagnosticCode").unwrap_or_default());
        let what = match kind {
            "Bounce" => bounce(about, status, diagnostic),
            "Complaint" if text(about, "complaintFeedbackType") == Some("not-spam") => return None,
            "Complaint" => Came::Complaint,
            _ => Came::Delivered,
        };
        let word = text(about, "bounceSubType").or_else(|| text(about, "complaintFeedbackType"));
        Some(Notice {
            token: text(message, "mail.source").and_then(token_in),
            message_id: message_id(message),
            address: recipient.as_str().or_else(|| said("emailAddress")).map(str::to_owned),
            status: words(status).or_else(|| word.and_then(words)),
            detail: words(diagnostic),
            at: reading::instant(text(about, "timestamp")).unwrap_or(told.now),
            ..notice(told, what)
        })
    };
    recipients.iter().take(MOST_RECIPIENTS).filter_map(one).collect()
}

fn bounce(about: &Value, status: &str, diagnostic: &str) -> Came {
    let said = classify(status, diagnostic);
    match (text(about, "bounceType"), text(about, "bounceSubType")) {
        (Some("Permanent"), Some("NoEmail" | "Suppressed" | "OnAccountSuppressionList")) => Came::HardBounce,
        (_, Some("MessageTooLarge" | "ContentRejected" | "AttachmentRejected")) => Came::Blocked,
        (Some("Permanent"), _) if said != Came::Blocked => Came::HardBounce,
        (_, _) if said == Came::Blocked => Came::Blocked,
        // Transient, or undetermined: it may be taken another time.
        _ => Came::SoftBounce,
    }
}

/// Ours: SES puts one of its own in its place, and names both.
fn message_id(message: &Value) -> Option<String> {
    let common = text(message, "mail.commonHeaders.messageId");
    let headers = || message.get("mail")?.get("headers")?.as_array()?.iter().find(is_message_id)?.get("value")?.as_str();
    let is_ours = |id: &&str| !id.trim_end_matches('>').ends_with("amazonses.com");
    reading::message_id(common.filter(is_ours).or_else(headers))
}

fn is_message_id(header: &&Value) -> bool {
    text(header, "name").is_some_and(|name| name.eq_ignore_ascii_case("message-id"))
}
