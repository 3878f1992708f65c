//! Warns of senders that the DKIM signature does not stand for.
//!
//! # What it does
//! Compares the domain of each e-mail sender with the domains of the keys that mails are signed with: it must be one of them, or lie under
//! it, or the other way round (RFC 7489 section 3.1.1, relaxed).
//!
//! # Why is this bad
//! For DMARC a signature counts only if its domain fits the sender's: such mail is treated as unsigned.
//!
//! # Example
//! ```yaml
//! channels:
//!   email:
//!     from: Shop <hello@shop.example>
//!     dkim: { domain: mailer.example, selector: s1, key: "${DKIM_KEY_FILE}" }
//! ```
//!
//! # Use instead
//! ```yaml
//! channels:
//!   email:
//!     from: Shop <hello@shop.example>
//!     dkim: { domain: shop.example, selector: s1, key: "${DKIM_KEY_FILE}" }
//! ```

use super::{Project, Report};

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(email) = project.settings.and_then(|settings| settings.channels.get("email")) else { return };
    for sender in &project.settings_notes.senders {
        let Some((_, domain)) = sender.address.rsplit_once('@') else { continue };
        let domain = domain.to_ascii_lowercase();
        if !email.dkim.is_empty() && !email.dkim.iter().any(|key| fits(&domain, &key.domain)) {
            let message = format!("no DKIM key signs for `{domain}`");
            let help = format!("add a key with `domain: {domain}`, or send from an address of a domain that has one");
            report.warning("dkim-domain", &sender.at, &message, &help);
        }
    }
}

fn fits(sender: &str, signer: &str) -> bool {
    let under = |inner: &str, outer: &str| inner == outer || inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.'));
    under(sender, signer) || under(signer, sender)
}
