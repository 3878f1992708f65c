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

/// What a token is good for: one that was made for one thing opens nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Unsubscribing and the preference page.
    Preferences,
    /// Confirming a subscription.
    Confirm,
    /// The image that tells of an open.
    Open,
}

/// Signs and checks tokens (HMAC-SHA-256, RFC 2104, cut to 128 bits).
#[derive(Clone)]
pub struct Signer {
    /// A key for each purpose, in the order of [`Purpose`].
    keys: [hmac::Key; 3],
    links: hmac::Key,
    returns: hmac::Key,
}

const MAC: usize = 16;
/// Return paths are short: a mailbox's name has 64 characters (RFC 5321 section 4.5.3.1.1).
const RETURN_MAC: usize = 10;

impl Signer {
    pub fn new(secret: &str) -> Signer {
        let first = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let derived = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&first, purpose.as_bytes()).as_ref());
        // The first purpose there was signs with the secret itself: links in old mails go on working.
        Signer { keys: [first.clone(), derived("confirm"), derived("open")], links: derived("click"), returns: derived("return") }
    }

    /// The token as text that can stand in a URL as it is.
    pub fn sign(&self, purpose: Purpose, token: &Token) -> String {
        let mut bytes = Vec::with_capacity(32 + MAC);
        bytes.extend(token.contact.0.to_be_bytes());
        bytes.extend(token.message.0.to_be_bytes());
        bytes.extend(token.topic.as_deref().unwrap_or_default().as_bytes());
        seal(&self.keys[purpose as usize], bytes)
    }

    /// `None` for whatever this signer did not sign for this purpose.
    pub fn open(&self, purpose: Purpose, text: &str) -> Option<Token> {
        let said = unseal(&self.keys[purpose as usize], text)?;
        let (contact, rest) = said.split_first_chunk::<8>()?;
        let (message, topic) = rest.split_first_chunk::<8>()?;
        let topic = String::from_utf8(topic.to_vec()).ok()?;
        Some(Token {
            contact: ContactId(i64::from_be_bytes(*contact)),
            message: MessageId(i64::from_be_bytes(*message)),
            topic: Some(topic).filter(|topic| !topic.is_empty()),
        })
    }

    /// A tracked link: the message it stands in, and where it leads. Nobody else can make one, so it redirects to nowhere else.
    pub fn sign_link(&self, message: MessageId, url: &str) -> String {
        let mut bytes = Vec::with_capacity(8 + url.len() + MAC);
        bytes.extend(message.0.to_be_bytes());
        bytes.extend(url.as_bytes());
        seal(&self.links, bytes)
    }

    /// The message and the address of a tracked link; `None` for whatever this signer did not sign.
    pub fn open_link(&self, text: &str) -> Option<(MessageId, String)> {
        let said = unseal(&self.links, text)?;
        let (message, url) = said.split_first_chunk::<8>()?;
        Some((MessageId(i64::from_be_bytes(*message)), String::from_utf8(url.to_vec()).ok()?))
    }

    /// What a message's return path is told apart by: lower-case letters and digits, since mail servers change the case of a mailbox's name.
    pub fn sign_return(&self, message: MessageId) -> String {
        let said = message.0.to_be_bytes();
        let mac = hmac::sign(&self.returns, &said);
        format!("{}-{}", message.0, hexadecimal(&mac.as_ref()[..RETURN_MAC]))
    }

    /// The message of a return path.
    pub fn open_return(&self, text: &str) -> Option<MessageId> {
        let message = MessageId(text.split_once('-')?.0.parse().ok()?);
        let expected = self.sign_return(message);
        let same = aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_bytes(), text.to_ascii_lowercase().as_bytes());
        same.ok().map(|()| message)
    }
}

fn seal(key: &hmac::Key, mut said: Vec<u8>) -> String {
    let mac = hmac::sign(key, &said);
    said.extend(&mac.as_ref()[..MAC]);
    URL_SAFE_NO_PAD.encode(said)
}

fn unseal(key: &hmac::Key, text: &str) -> Option<Vec<u8>> {
    let mut said = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mac = said.split_off(said.len().checked_sub(MAC)?);
    let expected = hmac::sign(key, &said);
    aws_lc_rs::constant_time::verify_slices_are_equal(&expected.as_ref()[..MAC], &mac).ok()?;
    Some(said)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_opens() {
        let (signer, other) = (Signer::new("secret"), Signer::new("other"));
        let purposes = [Purpose::Preferences, Purpose::Confirm, Purpose::Open];
        for (index, topic) in [None, Some("offers".to_owned()), Some("größe/1".to_owned())].into_iter().enumerate() {
            let token = Token { contact: ContactId(7), message: MessageId(1 << 40), topic };
            let purpose = purposes[index];
            let text = signer.sign(purpose, &token);
            assert_eq!(signer.open(purpose, &text), Some(token.clone()));
            for other in purposes.into_iter().filter(|other| *other != purpose) {
                assert_eq!(signer.open(other, &text), None, "{other:?}");
            }
            assert_eq!(other.open(purpose, &text), None);
            forgeries(&text, |forged| signer.open(purpose, forged).is_none());
        }
        let link = signer.sign_link(MessageId(9), "https://shop.example/ä?x=1#y");
        assert_eq!(signer.open_link(&link), Some((MessageId(9), "https://shop.example/ä?x=1#y".to_owned())));
        assert_eq!(other.open_link(&link), None);
        forgeries(&link, |forged| signer.open_link(forged).is_none());
        let path = signer.sign_return(MessageId(1234));
        assert_eq!(signer.open_return(&path.to_uppercase()), Some(MessageId(1234)));
        assert_eq!(other.open_return(&path), None);
        forgeries(&path, |forged| signer.open_return(forged).is_none());
        for junk in ["", "A", "-", "////", "ä", &"A".repeat(100_000)] {
            assert_eq!(signer.open(Purpose::Confirm, junk), None);
            assert_eq!(signer.open_link(junk), None);
            assert_eq!(signer.open_return(junk), None);
        }
    }

    /// Every change of one character, and cutting at either end.
    #[track_caller]
    fn forgeries(text: &str, refused: impl Fn(&str) -> bool) {
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)), "{text}");
        assert!(refused(&text[1..]) && refused(&text[..text.len() - 1]));
        for place in 0..text.len() {
            let mut forged = text.to_owned().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The case of a return path says nothing.
            assert!(refused(&forged) || forged.eq_ignore_ascii_case(text), "{place}");
        }
    }
}
