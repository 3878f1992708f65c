//! Postmark's webhooks: guarded by Basic authentication. It gives messages ids of its own, so ours comes back as metadata, which mails carry as a
//! header field while there is such a webhook.

use serde_json::Value;

use super::{Told, notice, reading};
use crate::returns::{Came, Notice, classify};
use crate::web::problem::Problem;

/// # Errors
/// 400 where the body is no event.
pub fn read(told: &Told<'_>) -> Result<Vec<Notice>, Problem> {
    let event = reading::value(told.body)?;
    let Some(kind) = reading::text(&event, "RecordType") else {
        return Err(Problem::at("RecordType", "missing", "there must be an event here"));
    };
    Ok(one(kind, &event, told).into_iter().collect())
}

fn one(kind: &str, event: &Value, told: &Told<'_>) -> Option<Notice> {
    let text = |path: &str| reading::text(event, path);
    let what = match kind {
        "Delivery" => Came::Delivered,
        "SpamComplaint" => Came::Complaint,
        "Bounce" => bounce(event.get("TypeCode")?.as_i64()?, text("Details").unwrap_or_default())?,
        _ => return None,
    };
    let at = reading::instant(text("BouncedAt").or_else(|| text("DeliveredAt")));
    Some(Notice {
        token: text("Metadata.campaignd").map(str::to_owned),
        address: text("Email").or_else(|| text("Recipient")).map(str::to_owned),
        status: text("Type").map(str::to_owned),
        detail: reading::said(event, "Details").or_else(|| reading::said(event, "Description")),
        at: at.unwrap_or(told.now),
        ..notice(told, what)
    })
}

/// By the codes of its bounce types; `None`: no bounce.
fn bounce(code: i64, details: &str) -> Option<Came> {
    match code {
        // HardBounce, BadEmailAddress.
        1 | 100_000 => Some(Came::HardBounce),
        // SpamComplaint.
        100_001 => Some(Came::Complaint),
        // SoftBounce, DnsError: not for good, whatever the server says.
        4096 | 256 => Some(match classify("", details) {
            Came::Blocked => Came::Blocked,
            _ => Came::SoftBounce,
        }),
        // Unknown.
        2048 => Some(classify("", details)),
        // SpamNotification, VirusNotification, ManuallyDeactivated, Unconfirmed, Blocked, SMTPApiError, DMARCPolicy.
        512 | 8192 | 100_002 | 100_003 | 100_006 | 100_007 | 100_009 => Some(Came::Blocked),
        // Transient (it goes on trying), Unsubscribe, Subscribe, AutoResponder, AddressChange, OpenRelayTest, ChallengeVerification,
        // and what is wrong on the way to Postmark.
        _ => None,
    }
}
