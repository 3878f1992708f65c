//! The return path's token: every message has an envelope sender of its own (variable envelope return path), `bounces+TOKEN@shop.example`, made by
//! [`crate::tokens::Signer::sign_return`]. Whatever is sent back to it says by that which message it is about.

/// How many hexadecimal digits end a token.
const MAC_DIGITS: usize = 20;

/// The first thing in the text that looks like the token of a return path. Whether it is one of ours is for the signer to say.
pub fn token_in(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(place) = rest.find('+') {
        rest = &rest[place + 1..];
        if let Some((token, _)) = rest.split_once('@')
            && is_token(token)
        {
            return Some(token.to_ascii_lowercase());
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    text.len() <= 40
        && text.split_once('-').is_some_and(|(message, mac)| {
            !message.is_empty()
                && message.bytes().all(|byte| byte.is_ascii_digit())
                && mac.len() == MAC_DIGITS
                && mac.bytes().all(|byte| byte.is_ascii_hexdigit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::MessageId;
    use crate::tokens::Signer;

    #[test]
    fn finds_what_the_signer_makes() {
        let token = Signer::new("secret").sign_return(MessageId(1234));
        for text in [
            format!("bounces+{token}@shop.example"),
            format!("Bounces <prvs=07ab=bounces+{}@shop.example>, x@y", token.to_uppercase()),
            format!("a+b@c.example, <a+{token}@shop.example>"),
        ] {
            assert_eq!(token_in(&text).as_ref(), Some(&token), "{text}");
        }
        for text in
            ["", "+", "bounces@shop.example", "a+b@c", "a+1-0123456789abcdef012@c", "a+1-0123456789abcdef0123", "a+-@c", "a+ä-@"]
        {
            assert_eq!(token_in(text), None, "{text}");
        }
    }
}
