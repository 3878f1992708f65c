//! What a refusal says of the address: by its enhanced status code (RFC 3463, RFC 5248), else by the reply code (RFC 5321 section 4.2) and the words that
//! servers are known to use.

use super::Came;

/// An enhanced status code: `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Code {
    class: u16,
    subject: u16,
    detail: u16,
}

/// What servers say of an address that does not exist, whatever code they say it with.
const UNKNOWN: [&str; 30] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "no such address",
    "unknown recipient",
    "recipient unknown",
    "recipient not found",
    "user not found",
    "mailbox not found",
    "mailbox does not exist",
    "mailbox doesn't exist",
    "user does not exist",
    "user doesn't exist",
    "user doesn't have a",
    "account that you tried to reach does not exist",
    "account does not exist",
    "address does not exist",
    "recipient does not exist",
    "no mailbox here by that name",
    "not a valid mailbox",
    "invalid mailbox",
    "invalid recipient",
    "unrouteable address",
    "unroutable address",
    "host or domain name not found",
    "account has been disabled",
    "account is disabled",
    "recipient address rejected: access denied",
];

/// The same, in words that also stand for other things.
const PERHAPS_UNKNOWN: [&str; 4] = ["mailbox unavailable", "address rejected", "domain not found", "does not exist"];

const FULL: [&str; 9] = [
    "mailbox full",
    "mailbox is full",
    "over quota",
    "overquota",
    "exceeded its quota",
    "over its quota",
    "quota exceeded",
    "out of storage",
    "insufficient storage",
];

const POLICY: [&str; 17] = [
    "spam",
    "block",
    "blacklist",
    "listed",
    "reputation",
    "policy",
    "dmarc",
    "spf",
    "dkim",
    "virus",
    "banned",
    "content",
    "not authorized",
    "access denied",
    "authenticat",
    "relay",
    "sender",
];

/// What came of a message that was refused with this status (an enhanced code, a reply code, both, or empty) and these words. What cannot be told
/// is a soft bounce: it counts, and gives up the address only when it happens again and again.
pub fn classify(status: &str, text: &str) -> Came {
    let words = text.to_lowercase();
    let said = best(status, text).and_then(|code| by_code(code, &words));
    said.unwrap_or_else(|| by_reply(status, &words))
}

/// The code that says most, as text: that of the status, unless it says nothing (`5.0.0`) and the words hold a better one.
pub(super) fn told(status: &str, text: &str) -> Option<String> {
    let word = || reply(status).or_else(|| reply(text)).map(|code| code.to_string());
    best(status, text).map(|Code { class, subject, detail }| format!("{class}.{subject}.{detail}")).or_else(word)
}

fn best(status: &str, text: &str) -> Option<Code> {
    let given = Code::find(status);
    let better = || Code::find(text).filter(|code| code.subject != 0);
    given.filter(|code| code.subject != 0).or_else(better).or(given)
}

fn by_code(Code { class, subject, detail }: Code, words: &str) -> Option<Came> {
    let unknown = any(words, &UNKNOWN);
    let came = match (class, subject, detail) {
        // Put off for so long that it was given up; for policy says nothing of the address.
        (4, 7, _) => Came::Blocked,
        (4, ..) => Came::SoftBounce,
        // The sender's address, or its domain.
        (_, 1, 7..=9) => Came::Blocked,
        (_, 1, 0) if words.contains("sender") && !unknown => Came::Blocked,
        (_, 1, 0..=4 | 6 | 10) => Came::HardBounce,
        (_, 2, 1) => Came::HardBounce,
        (_, 2, 2) => Came::SoftBounce,
        // Too large for this mailbox, or for the system.
        (_, 2, 3) | (_, 3, 4) => Came::Blocked,
        // No host takes mail for the domain.
        (_, 4, 4 | 310) => Came::HardBounce,
        _ if unknown => Came::HardBounce,
        (_, 0, _) => return None,
        (_, 5, _) if any(words, &PERHAPS_UNKNOWN) => Came::HardBounce,
        (_, 2 | 5, _) if any(words, &FULL) => Came::SoftBounce,
        (_, 5..=7, _) => Came::Blocked,
        _ => Came::SoftBounce,
    };
    Some(came)
}

/// By the reply code and the words alone.
fn by_reply(status: &str, words: &str) -> Came {
    let code = reply(status).or_else(|| reply(words));
    if code.is_some_and(|code| code / 100 == 4) {
        return Came::SoftBounce;
    }
    if any(words, &UNKNOWN) || code == Some(551) {
        Came::HardBounce
    } else if any(words, &FULL) {
        Came::SoftBounce
    } else if any(words, &POLICY) {
        Came::Blocked
    } else if any(words, &PERHAPS_UNKNOWN) {
        Came::HardBounce
    } else {
        Came::SoftBounce
    }
}

/// Whether the words hold any code, or say that there is no such address.
pub(super) fn says_something(text: &str) -> bool {
    let words = text.to_lowercase();
    Code::find(text).is_some() || reply(text).is_some() || any(&words, &UNKNOWN) || any(&words, &FULL)
}

fn any(words: &str, of: &[&str]) -> bool {
    of.iter().any(|phrase| words.contains(phrase))
}

impl Code {
    /// The first enhanced code of a failure in the text: `4` or `5`, and nothing that belongs to a longer number such as an address of the Internet.
    fn find(text: &str) -> Option<Code> {
        let word = |character: char| !(character.is_ascii_alphanumeric() || character == '.');
        text.split(word).find_map(|word| Code::parse(word.trim_end_matches('.')))
    }

    fn parse(word: &str) -> Option<Code> {
        let mut numbers = word.split('.').map(|number| {
            let digits = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| number.parse().ok()).flatten()
        });
        let (class, subject, detail) = (numbers.next()??, numbers.next()??, numbers.next()??);
        let code = Code { class, subject, detail };
        (numbers.next().is_none() && matches!(code.class, 4 | 5)).then_some(code)
    }
}

/// The first reply code of a failure in the text.
fn reply(text: &str) -> Option<u16> {
    let word = |character: char| !(character.is_alphanumeric() || character == '.' || character == '@');
    let code = |word: &str| (word.len() == 3 && word.starts_with(['4', '5'])).then(|| word.parse().ok()).flatten();
    text.split(word).find_map(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &str, text: &str, expected: Came) {
        assert_eq!(classify(status, text), expected, "{status} {text}");
    }

    #[test]
    fn the_code_decides() {
        use Came::*;
        for code in ["5.1.1", "5.1.0", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4", "5.4.310"] {
            check(code, "", HardBounce);
        }
        for code in ["5.2.2", "5.3.0", "5.4.7", "5.2.4", "4.4.7", "4.2.2", "4.4.1", "4.1.1", "5.4.6"] {
            check(code, "", SoftBounce);
        }
        for code in ["5.7.1", "5.7.26", "5.6.0", "5.3.4", "5.2.3", "5.1.8", "5.1.7", "4.7.0", "5.5.2"] {
            check(code, "", Blocked);
        }
    }

    #[test]
    fn a_code_that_says_nothing_yields_to_the_words() {
        use Came::*;
        check("5.0.0", "smtp; 550 5.1.1 <ada@example.com>: user unknown", HardBounce);
        check("5.0.0", "smtp; 550-5.2.2 The account is over quota", SoftBounce);
        check("5.0.0", "smtp; 550 no such user here", HardBounce);
        check("5.0.0", "smtp; 554 Message rejected as spam", Blocked);
        check("5.0.0", "smtp; 550 Administrative prohibition", SoftBounce);
        check("5.5.0", "smtp; 550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", HardBounce);
        check("5.4.1", "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", HardBounce);
        check("5.7.1", "550 5.7.1 <x@example.com>: Recipient address rejected: User unknown", HardBounce);
        check("5.7.1", "550 5.7.1 Sender's domain does not exist", Blocked);
        check("5.1.0", "550 5.1.0 Sender denied", Blocked);
        check("", "554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.com) [0]", HardBounce);
        check("", "550 #5.1.0 Address rejected.", HardBounce);
        check("", "452 4.2.2 over quota", SoftBounce);
        check("550", "", SoftBounce);
        check("551", "user has moved", HardBounce);
        check("421", "user unknown", SoftBounce);
        check("", "", SoftBounce);
    }

    #[test]
    fn numbers_that_are_no_codes_are_left_alone() {
        for (text, expected) in [
            ("host mx.example.com[5.1.1.7] said: 550 5.7.1 no", Some("5.7.1")),
            ("version 15.1.1 and 5.1.1234", None),
            ("(#5.1.1)", Some("5.1.1")),
            ("550-5.2.1 disabled", Some("5.2.1")),
            ("said 5.1.1.", Some("5.1.1")),
            ("550 no", Some("550")),
            ("2.1.5 fine", None),
            ("", None),
        ] {
            assert_eq!(told("", text).as_deref(), expected, "{text}");
        }
    }
}
