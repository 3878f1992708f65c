//! Mail addresses: from a contact's data, or the settings' `from`, to what the builder and the server may see.

use lettre::Address;
use lettre::message::Mailbox;

/// RFC 5321 section 4.5.3.1.3: a path has at most 256 octets, angle brackets included.
const LONGEST: usize = 254;
/// How much of a wrong address an error repeats, in characters.
const QUOTED: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("“{0}” is not a mail address")]
    Invalid(String),
    #[error("“{0}” is not a mail address: its domain is not a valid name")]
    Domain(String),
    #[error("“{0}” has more than {LONGEST} characters, which no mail server takes")]
    Long(String),
}

/// The address of a recipient. White space around it is dropped, an international domain becomes punycode (UTS #46, RFC 5891). What stands
/// before the @ stays as it is, since only its own server knows what it means: where that is not ASCII, the mail needs SMTPUTF8 (RFC 6531).
///
/// Errors: anything no server would take; the text repeats at most 64 characters of it, control characters replaced.
pub fn recipient(text: &str) -> Result<Address, AddressError> {
    let text = text.trim();
    let quoted = || quoted(text);
    if text.chars().any(char::is_control) {
        return Err(AddressError::Invalid(quoted()));
    }
    let (local, domain) = text.rsplit_once('@').ok_or_else(|| AddressError::Invalid(quoted()))?;
    if !local.is_ascii() && local.contains(char::is_whitespace) {
        return Err(AddressError::Invalid(quoted()));
    }
    if text.len() > LONGEST && domain.is_ascii() {
        return Err(AddressError::Long(quoted()));
    }
    let domain = if domain.starts_with('[') {
        domain.to_owned()
    } else {
        idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::Domain(quoted()))?
    };
    if local.len() + 1 + domain.len() > LONGEST {
        return Err(AddressError::Long(quoted()));
    }
    Address::new(local, domain).map_err(|_| AddressError::Invalid(quoted()))
}

/// The settings' `from`: `Shop <hello@shop.example>`, or a bare address.
pub fn sender(text: &str) -> Result<Mailbox, AddressError> {
    let text = without_controls(text);
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", text.as_str()),
    };
    let name = match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    };
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), recipient(address)?))
}

/// The text with every run of control characters made one space, and none at its ends: what a header value may hold. The
/// builder panics on a line break in a name, and passes other control characters through.
pub fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut gap = false;
    for character in text.chars() {
        if character.is_control() {
            gap = true;
        } else {
            if std::mem::take(&mut gap) && !clean.ends_with(' ') {
                clean.push(' ');
            }
            clean.push(character);
        }
    }
    clean.trim().to_owned()
}

fn quoted(text: &str) -> String {
    let clean = without_controls(text);
    match clean.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &clean[..end]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = recipient(text).map(|address| address.to_string());
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(words)) => {
                assert!(error.to_string().contains(words), "{text:?}: {error}")
            }
            (found, expected) => panic!("{text:?} gives {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_recipient_is_an_address_a_server_takes() {
        check("ada@example.com", Ok("ada@example.com"));
        check("  ada@example.com\n", Ok("ada@example.com"));
        check("Ada.L+x@Example.COM", Ok("Ada.L+x@example.com"));
        check("ada@bücher.example", Ok("ada@xn--bcher-kva.example"));
        check("\"a b\"@example.com", Ok("\"a b\"@example.com"));
        check("ada@[127.0.0.1]", Ok("ada@[127.0.0.1]"));
        check("", Err("is not a mail address"));
        check("ada", Err("“ada” is not a mail address"));
        check("@example.com", Err("is not a mail address"));
        check("ada@", Err("is not a mail address"));
        check("a da@example.com", Err("is not a mail address"));
        check("ada@exam ple.com", Err("domain"));
        check("ada@example..com", Err("domain"));
        check("ada@-example.com", Err("domain"));
        check("ada@exa_mple.com>", Err("domain"));
        check("a,b@example.com", Err("is not a mail address"));
        check("ada@x.de\r\nBcc: eve@x.de", Err("is not a mail address"));
        check("ada\r\nRCPT TO:<eve@x.de>@x.de", Err("is not a mail address"));
        check("ada@x.de> SIZE=1", Err("domain"));
        check("<ada@example.com>", Err("is not a mail address"));
        check("jürgen@bücher.example", Ok("jürgen@xn--bcher-kva.example"));
        check("\"jür gen\"@example.com", Err("is not a mail address"));
        check(&format!("{}@example.com", "ü".repeat(33)), Err("is not a mail address"));
        check("ada@faß.example", Ok("ada@xn--fa-hia.example"));
        check("ada@☃.example", Ok("ada@xn--n3h.example"));
        check(&format!("{}@example.com", "a".repeat(65)), Err("is not a mail address"));
        check(&format!("a@{}com", "abcdefgh.".repeat(30)), Err("more than 254"));
    }

    #[test]
    fn an_error_repeats_little_and_nothing_harmful() {
        let error = recipient(&format!("a\r\nb{}", "x".repeat(1000))).unwrap_err().to_string();
        assert!(error.starts_with("“a bxxx"), "{error}");
        assert!(error.chars().count() < 100, "{error}");
    }

    #[test]
    fn a_sender_has_a_name_or_none() {
        for (text, name, address) in [
            ("hello@shop.example", None, "hello@shop.example"),
            ("Shop <hello@shop.example>", Some("Shop"), "hello@shop.example"),
            ("\"Shop, \\\"Ltd\\\"\" <hello@shop.example>", Some("Shop, \"Ltd\""), "hello@shop.example"),
            ("Bücher\r\nBcc: x <hello@bücher.example>", Some("Bücher Bcc: x"), "hello@xn--bcher-kva.example"),
            ("<hello@shop.example>", None, "hello@shop.example"),
        ] {
            let found = sender(text).unwrap();
            assert_eq!((found.name.as_deref(), found.email.to_string().as_str()), (name, address));
        }
        assert!(sender("Shop").is_err());
        assert!(sender("Shop <hello>").is_err());
    }
}
