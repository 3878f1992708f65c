//! DKIM signatures (RFC 6376) with RSA and Ed25519 (RFC 8463): who signs a mail takes responsibility for it, and receivers see
//! whether it is still what was signed.
//!
//! Fields that a receiver acts on are listed once more than they are there, so that none can be added later (RFC 6376 section 8.15).

mod canonical;
mod key;

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub use key::{DkimError, DkimKey, KeyText, Record};

/// The fields that are signed, and whether they are listed once more than they are there.
const SIGNED: [(&str, bool); 12] = [
    ("From", true),
    ("To", true),
    ("Subject", true),
    ("Date", true),
    ("Message-ID", true),
    ("Reply-To", true),
    ("MIME-Version", false),
    ("Content-Type", false),
    ("Content-Transfer-Encoding", false),
    ("List-Unsubscribe", true),
    ("List-Unsubscribe-Post", true),
    ("Feedback-ID", false),
];
/// How long the lines of the signature may be, without their line ends.
const LINE: usize = 76;

/// The signatures of a mail as header fields to put before it, one for each key. The mail has CRLF line ends.
///
/// # Errors
/// When a key cannot sign, which means that the machine has no memory left.
pub fn sign(keys: &[DkimKey], mail: &str) -> Result<String, DkimError> {
    let mut signatures = String::with_capacity(1024 * keys.len());
    if keys.is_empty() {
        return Ok(signatures);
    }
    let (header, body) = canonical::parts(mail);
    let (names, fields) = signed_fields(header);
    let mut hashed = Context::new(&SHA256);
    hashed.update(&fields);
    let body_hash = STANDARD.encode(digest(&SHA256, &canonical::body(body)));
    for key in keys {
        let unsigned = unsigned(key, &names, &body_hash);
        let mut own = Vec::with_capacity(unsigned.len() + 16);
        canonical::push_field(&mut own, "DKIM-Signature", &unsigned);
        let mut hashed = hashed.clone();
        hashed.update(&own);
        let signature = STANDARD.encode(key.sign(&hashed.finish())?);
        signatures.push_str("DKIM-Signature:");
        signatures.push_str(&unsigned);
        push_folded(&mut signatures, &signature);
        signatures.push_str("\r\n");
    }
    Ok(signatures)
}

/// The list of names for `h=`, folded, and the fields in the order of that list (RFC 6376 section 5.4.2: of several with one name the
/// lowest comes first).
fn signed_fields(header: &str) -> (String, Vec<u8>) {
    let present = canonical::fields(header);
    let (mut names, mut column) = (String::with_capacity(256), 3);
    let mut fields = Vec::with_capacity(header.len());
    for (name, once_more) in SIGNED {
        let mut listed = usize::from(once_more);
        for (found, value) in present.iter().rev().filter(|(found, _)| found.eq_ignore_ascii_case(name)) {
            canonical::push_field(&mut fields, found, value);
            fields.extend_from_slice(b"\r\n");
            listed += 1;
        }
        for _ in 0..listed {
            if !names.is_empty() {
                names.push(':');
                column += 1;
            }
            if column + name.len() > LINE {
                names.push_str("\r\n\t");
                column = 1;
            }
            names.push_str(name);
            column += name.len();
        }
    }
    (names, fields)
}

/// The signature's value up to `b=`.
fn unsigned(key: &DkimKey, names: &str, body_hash: &str) -> String {
    let (algorithm, domain, selector) = (key.algorithm(), &key.domain, &key.selector);
    format!(
        " v=1; a={algorithm}; c=relaxed/relaxed;\r\n\td={domain};\r\n\ts={selector};\r\n\th={names};\r\n\tbh={body_hash};\r\n\tb="
    )
}

fn push_folded(out: &mut String, text: &str) {
    let mut rest = text;
    let mut room = LINE - 3;
    while rest.len() > room {
        let (line, more) = rest.split_at(room);
        out.push_str(line);
        out.push_str("\r\n\t");
        (rest, room) = (more, LINE - 1);
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests;
