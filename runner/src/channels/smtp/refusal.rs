//! What a server's refusal says of the recipient: read from the enhanced status code (RFC 3463, RFC 5248), where there is none from the reply
//! code (RFC 5321 section 4.2.3), and only where that says too little from words that servers are known by.

use super::super::{Refusal, RefusalKind};
use super::reply::Reply;

/// Words of refusals without a status code, in lower case.
const WORDS: [(&str, RefusalKind); 22] = [
    ("mailbox full", RefusalKind::Soft),
    ("mailbox is full", RefusalKind::Soft),
    ("over quota", RefusalKind::Soft),
    ("overquota", RefusalKind::Soft),
    ("quota exceeded", RefusalKind::Soft),
    ("exceeded storage", RefusalKind::Soft),
    ("relay", RefusalKind::Other),
    ("spam", RefusalKind::Other),
    ("block", RefusalKind::Other),
    ("blacklist", RefusalKind::Other),
    ("policy", RefusalKind::Other),
    ("user unknown", RefusalKind::Hard),
    ("unknown user", RefusalKind::Hard),
    ("no such user", RefusalKind::Hard),
    ("no such recipient", RefusalKind::Hard),
    ("no mailbox", RefusalKind::Hard),
    ("mailbox unavailable", RefusalKind::Hard),
    ("mailbox not found", RefusalKind::Hard),
    ("does not exist", RefusalKind::Hard),
    ("doesn't exist", RefusalKind::Hard),
    ("recipient unknown", RefusalKind::Hard),
    ("unknown recipient", RefusalKind::Hard),
];

/// What the refusal says; `None` where it is a word about the channel itself (530, 534, 535, 538). A refusal for now is soft, whatever its
/// reason: that counts once the message is given up.
pub fn of(reply: &Reply) -> Option<Refusal> {
    if matches!(reply.code, 530 | 534 | 535 | 538) {
        return None;
    }
    let status = status(reply);
    let kind = match &status {
        _ if reply.class() == 4 => RefusalKind::Soft,
        Some(status) => by_status(status),
        None => by_words(reply),
    };
    Some(Refusal { kind, status })
}

/// The enhanced status code at the beginning of a line, if its class is that of the reply (RFC 2034 section 4).
fn status(reply: &Reply) -> Option<String> {
    let fits = |line: &String| {
        let word = line.split_whitespace().next()?;
        let mut numbers = word.split('.');
        let [class, subject, detail] = [numbers.next()?, numbers.next()?, numbers.next()?];
        let number = |text: &str| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let right = class == reply.class().to_string() && number(subject) && number(detail) && numbers.next().is_none();
        right.then(|| word.to_owned())
    };
    reply.lines.iter().find_map(fits)
}

/// RFC 3463 section 3, and what was registered since (RFC 7505 for 5.1.10).
fn by_status(status: &str) -> RefusalKind {
    let (_, rest) = status.split_once('.').unwrap_or_default();
    match rest {
        // No such mailbox, no such domain, no valid address, moved away, null MX; mailbox disabled; no route or no MX for the domain.
        "1.1" | "1.2" | "1.3" | "1.6" | "1.10" | "2.1" | "4.4" => RefusalKind::Hard,
        // Mailbox full; message too large for it; the mailing list does not expand.
        "2.2" | "2.3" | "2.4" => RefusalKind::Soft,
        _ => RefusalKind::Other,
    }
}

fn by_words(reply: &Reply) -> RefusalKind {
    let text = reply.lines.join(" ").to_lowercase();
    let known = WORDS.iter().find(|(words, _)| text.contains(words)).map(|(_, kind)| *kind);
    known.unwrap_or(match reply.code {
        // Insufficient storage: what the mailbox may hold.
        552 => RefusalKind::Soft,
        // User not local; mailbox name not allowed; the domain accepts no mail (RFC 7504).
        551 | 553 | 556 => RefusalKind::Hard,
        _ => RefusalKind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: u16, text: &str, expected: Option<(RefusalKind, Option<&str>)>) {
        let reply = Reply { code, lines: text.split('\n').map(str::to_owned).collect() };
        let found = of(&reply);
        let found = found.as_ref().map(|refusal| (refusal.kind, refusal.status.as_deref()));
        assert_eq!(found, expected, "{code} {text}");
    }

    #[test]
    fn a_refusal_is_known_by_its_status() {
        use RefusalKind::{Hard, Other, Soft};
        for (status, kind) in [
            ("5.1.0", Other),
            ("5.1.1", Hard),
            ("5.1.2", Hard),
            ("5.1.3", Hard),
            ("5.1.4", Other),
            ("5.1.6", Hard),
            ("5.1.7", Other),
            ("5.1.8", Other),
            ("5.1.10", Hard),
            ("5.2.0", Other),
            ("5.2.1", Hard),
            ("5.2.2", Soft),
            ("5.2.3", Soft),
            ("5.3.0", Other),
            ("5.3.4", Other),
            ("5.4.1", Other),
            ("5.4.4", Hard),
            ("5.4.6", Other),
            ("5.5.1", Other),
            ("5.6.0", Other),
            ("5.6.7", Other),
            ("5.7.1", Other),
            ("5.7.26", Other),
            ("5.999.999", Other),
        ] {
            check(550, &format!("{status} user unknown"), Some((kind, Some(status))));
            check(554, &format!("no\n{status} spam"), Some((kind, Some(status))));
        }
        check(450, "4.2.2 full", Some((Soft, Some("4.2.2"))));
        check(451, "4.7.1 greylisted", Some((Soft, Some("4.7.1"))));
        check(451, "try again", Some((Soft, None)));
        check(452, "5.1.1 not of its class", Some((Soft, None)));
    }

    #[test]
    fn without_a_status_the_code_and_then_the_words_count() {
        use RefusalKind::{Hard, Other, Soft};
        check(550, "no", Some((Other, None)));
        check(550, "No Such User Here", Some((Hard, None)));
        check(550, "Requested action not taken: mailbox unavailable", Some((Hard, None)));
        check(550, "blocked: user unknown at blocklist", Some((Other, None)));
        check(550, "relaying denied", Some((Other, None)));
        check(550, "5.1 user unknown", Some((Hard, None)));
        check(550, "5.1.1.1 x", Some((Other, None)));
        check(550, "4.1.1 user unknown", Some((Hard, None)));
        check(551, "moved", Some((Hard, None)));
        check(552, "too much", Some((Soft, None)));
        check(552, "rejected as spam", Some((Other, None)));
        check(553, "x", Some((Hard, None)));
        check(554, "Mailbox full", Some((Soft, None)));
        check(554, "x", Some((Other, None)));
        check(556, "x", Some((Hard, None)));
        for code in [530, 534, 535, 538] {
            check(code, "5.7.0 authenticate first", None);
        }
    }
}
