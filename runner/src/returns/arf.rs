//! Complaints: feedback reports (RFC 5965), and the older form in which the mail comes as an attachment.

use super::fields::{Fields, bare};

/// A complaint.
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Who complains, where the report says so: many leave it out or make it unreadable.
    pub address: Option<String>,
    /// The kind of feedback, as the report names it.
    pub kind: String,
}

/// Kinds by which a reader says that the mail is unwanted. Others are about authentication, viruses, or take a complaint back.
const UNWANTED: [&str; 4] = ["abuse", "fraud", "opt-out", "opt-out-list"];

/// The complaint that a feedback report is, if it is one.
pub fn read(feedback: &Fields, original: Option<&Fields>) -> Option<Complaint> {
    let kind = feedback.get("feedback-type")?.trim().to_ascii_lowercase();
    if !UNWANTED.contains(&kind.as_str()) {
        return None;
    }
    let named = feedback.get("original-rcpt-to").map(bare).filter(|address| is_readable(address));
    let address = named.or_else(|| original.and_then(recipient)).map(str::to_owned);
    Some(Complaint { address, kind })
}

/// A complaint in the older form: the mail as an attachment, with a field that names its recipient.
pub fn attached(original: &Fields) -> Option<Complaint> {
    let address = recipient(original)?.to_owned();
    Some(Complaint { address: Some(address), kind: "abuse".to_owned() })
}

/// As Microsoft's junk mail reporting names it.
fn recipient(original: &Fields) -> Option<&str> {
    original.get("x-hmxmroriginalrecipient").map(bare).filter(|address| is_readable(address))
}

fn is_readable(address: &str) -> bool {
    address.contains('@') && !address.to_ascii_lowercase().contains("redacted")
}
