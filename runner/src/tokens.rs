//! Tokens in links: who a link is for, signed with the store's own key, so that nobody can make one up or change one.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::state::{ContactId, MessageId};

/// What a link in a message stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub contact: ContactId,
    /// The message that held the link.
    pub message: MessageId,
    /// The message's topic; `None`: the link is about every topic.
    pub topic: Option<String>,
}

/// Signs and checks tokens (HMAC-SHA-256, RFC 2104, cut to 128 bits).
#[derive(Clone)]
pub struct Signer(hmac::Key);

const MAC: usize = 16;

impl Signer {
    pub fn new(secret: &str) -> Signer {
        Signer(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// The token as text that can stand in a URL as it is.
    pub fn sign(&self, token: &Token) -> String {
        let mut bytes = Vec::with_capacity(32 + MAC);
        bytes.extend(token.contact.0.to_be_bytes());
        bytes.extend(token.message.0.to_be_bytes());
        bytes.extend(token.topic.as_deref().unwrap_or_default().as_bytes());
        let mac = hmac::sign(&self.0, &bytes);
        bytes.extend(&mac.as_ref()[..MAC]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for whatever this signer did not sign.
    pub fn open(&self, text: &str) -> Option<Token> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (said, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC)?)?;
        let expected = hmac::sign(&self.0, said);
        aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..MAC], mac).ok()?;
        let (contact, rest) = said.split_first_chunk::<8>()?;
        let (message, topic) = rest.split_first_chunk::<8>()?;
        let topic = String::from_utf8(topic.to_vec()).ok()?;
        Some(Token {
            contact: ContactId(i64::from_be_bytes(*contact)),
            message: MessageId(i64::from_be_bytes(*message)),
            topic: Some(topic).filter(|topic| !topic.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_opens() {
        let signer = Signer::new("secret");
        for topic in [None, Some("offers".to_owned()), Some("größe/1".to_owned())] {
            let token = Token { contact: ContactId(7), message: MessageId(1 << 40), topic };
            let text = signer.sign(&token);
            assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{text}");
            assert_eq!(signer.open(&text), Some(token.clone()));
            assert_eq!(Signer::new("other").open(&text), None);
            assert_eq!(signer.open(&text[1..]), None);
            for place in 0..text.len() {
                let mut forged = text.clone().into_bytes();
                forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
                let forged = String::from_utf8(forged).unwrap();
                // The last character may hold bits that say nothing; then it is refused as not canonical.
                assert_ne!(signer.open(&forged), Some(token.clone()), "{place}");
            }
        }
        for junk in ["", "A", "////", "ä", &"A".repeat(100_000)] {
            assert_eq!(signer.open(junk), None);
        }
    }
}
