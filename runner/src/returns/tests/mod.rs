//! Mails as servers write them, and what is read in them; then mails as nobody should write them.

use proptest::prelude::*;

use super::{Arrival, LONGEST, Notice, read_mail};
use crate::state::MessageId;
use crate::tokens::Signer;

const NOW: i64 = 1_774_700_000_000;

fn token() -> String {
    Signer::new("secret").sign_return(MessageId(7))
}

fn read(raw: &[u8]) -> Vec<Notice> {
    read_mail(raw, &Arrival { source: "maildir", vouched: false, recipient: None, now: NOW })
}

/// `what status address by…`: a line a notice.
fn shown(notices: &[Notice]) -> Vec<String> {
    let line = |notice: &Notice| {
        assert_eq!((notice.channel.as_str(), notice.source.as_str(), notice.vouched), ("email", "maildir", false));
        assert!(notice.token.as_ref().is_none_or(|given| *given == token()), "{notice:?}");
        let address = notice.address.as_deref().unwrap_or("-");
        let status = notice.status.as_deref().unwrap_or("-");
        let by = [notice.token.as_ref().map(|_| "token"), notice.message_id.as_deref()];
        format!("{:?} {status} {address} {}", notice.what, by.into_iter().flatten().collect::<Vec<_>>().join(" "))
    };
    notices.iter().map(line).collect()
}

#[track_caller]
fn check(name: &str, expected: &[&str]) {
    let path = format!("{}/src/returns/tests/mails/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    let raw = std::fs::read_to_string(&path).unwrap().replace("TOKEN", &token());
    assert_eq!(shown(&read(raw.as_bytes())), expected, "{name}");
    // Through a pipe a mail comes with other line ends, and a line of the mailbox before it.
    let piped = format!("From MAILER-DAEMON  Fri Mar 27 09:00:02 2026\n{}", raw.replace('\r', ""));
    assert_eq!(shown(&read(piped.as_bytes())), expected, "{name}, piped");
    // Cut anywhere, it says as much or less, and nothing else.
    for end in (0..raw.len()).step_by(7).filter(|end| raw.is_char_boundary(*end)) {
        let cut = read(&raw.as_bytes()[..end]);
        assert!(cut.len() <= expected.len(), "{name} cut at {end}: {cut:?}");
    }
}

#[test]
fn reports_of_mail_servers() {
    const ID: &str = "12.1.send-hello.abc@shop.example";
    let with = |line: &str| format!("{line} {ID}");
    check("postfix_unknown", &[&with("HardBounce 5.1.1 ada@example.com token")]);
    check("postfix_delayed", &[]);
    check("postfix_expired", &[&with("SoftBounce 4.4.1 ada@example.com")]);
    check("exim_unknown", &[&with("HardBounce 5.1.1 ada@example.com token")]);
    check("gmail_full", &[&with("SoftBounce 5.2.2 ada@gmail.example token")]);
    check("exchange_unknown", &[&with("HardBounce 5.1.10 ada@contoso.example token")]);
    check("outlook_blocked", &["Blocked 5.7.1 ada@outlook.example token"]);
    check("smtputf8", &[&with("HardBounce 5.4.4 zoë@bücher.example token")]);
    check("delivered", &["Delivered 2.0.0 ada@example.com token"]);
    check("broken", &["HardBounce 5.2.1 ada@example.com token"]);
    let both = [with("HardBounce 5.2.1 ada@example.com"), with("Delivered 2.1.5 bo@example.com")];
    check("two_recipients", &[&both[0], &both[1]]);
}

#[test]
fn complaints() {
    const ID: &str = "12.1.send-hello.abc@shop.example";
    check("yahoo_complaint", &[&format!("Complaint abuse ada@yahoo.example token {ID}")]);
    check("redacted_complaint", &[&format!("Complaint abuse - {ID}")]);
    check("jmrp_complaint", &[&format!("Complaint abuse ada@hotmail.example token {ID}")]);
    check("not_spam", &[]);
    check("dmarc_failure", &[]);
}

#[test]
fn bounces_for_people_need_a_token_and_answers_are_none() {
    check("qmail_unknown", &["HardBounce 5.1.1 - token"]);
    check("qmail_without_token", &[]);
    check("exchange_old", &["SoftBounce 5.2.2 - token"]);
    for answer in ["qmail_delayed", "vacation", "vacation_null_sender", "challenge", "mdn_read"] {
        check(answer, &[]);
    }
}

#[test]
fn the_servers_words_and_its_time_are_kept() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/returns/tests/mails/postfix_unknown.eml");
    let notices = read(std::fs::read_to_string(path).unwrap().as_bytes());
    let words = "550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown in virtual mailbox table";
    assert_eq!((notices[0].detail.as_deref(), notices[0].at), (Some(words), 1_774_598_402_000));
    // Nothing has bounced in the future, or before there was time.
    for date in ["Fri, 27 Mar 2099 09:00:00 +0000", "Fri, 27 Mar 1909 09:00:00 +0000", "soon"] {
        let mail = format!("Date: {date}\nContent-Type: message/delivery-status\n\nAction: failed\n");
        assert_eq!(read(mail.as_bytes())[0].at, NOW, "{date}");
    }
}

#[test]
fn the_envelope_names_the_message_where_the_mail_does_not() {
    let mail = b"Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n";
    let recipient = format!("bounces+{}@shop.example", token());
    let arrival = Arrival { source: "bounce", vouched: false, recipient: Some(&recipient), now: NOW };
    assert_eq!(read_mail(mail, &arrival)[0].token, Some(token()));
}

#[test]
fn size_and_number_are_bounded() {
    let many = "Content-Type: message/delivery-status\n\n".to_owned()
        + &"Action: failed\nFinal-Recipient: rfc822; a@b\n\n".repeat(20_000);
    assert!(read(many.as_bytes()).len() <= 51);
    let long =
        format!("Content-Type: message/delivery-status\n\nAction: failed\nDiagnostic-Code: smtp; {}\n", "x ".repeat(LONGEST));
    assert!(read(long.as_bytes())[0].detail.as_ref().unwrap().len() <= 500);
    assert_eq!(read(&vec![b'\n'; 2 * LONGEST]), []);
    assert_eq!(read(&vec![0xff; 2 * LONGEST]), []);
}

/// Pieces that mails are made of, right and wrong ones.
const PIECES: [&str; 24] = [
    "Content-Type: multipart/report; boundary=\"b\"\r\n",
    "Content-Type: multipart/report; boundary*0=\"b\"; boundary*=utf-8''%b\r\n",
    "Content-Type: multipart/mixed; boundary=\"\"\n",
    "Content-Type: message/delivery-status\n",
    "Content-Type: message/feedback-report\n",
    "Content-Type: message/rfc822\n",
    "Content-Type: ;;;=\"\n",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Date: Fri, 99 Mar 999999999 99:99:99 +9999\n",
    "From: MAILER-DAEMON@x\n",
    "Subject: failure notice\n",
    "To: bounces+7-00000000000000000000@x\n",
    "\n",
    "\r\n\r\n",
    "--b\n",
    "--b--\r\n",
    "Action: failed\n",
    "Status: 5.1.1\n",
    "Final-Recipient: rfc822; <a@b\n",
    "Feedback-Type: abuse\n",
    "=4\n=\n=XX",
    "\u{fffd}ä (comment (nested \"",
    "550 5.1.1 user unknown\n",
];

proptest! {
    #[test]
    fn nothing_panics(picks in prop::collection::vec(0..PIECES.len(), 0..40), noise in prop::collection::vec(any::<u8>(), 0..64), place in any::<prop::sample::Index>()) {
        let mut mail: Vec<u8> = picks.iter().flat_map(|pick| PIECES[*pick].bytes()).collect();
        let at = place.index(mail.len() + 1);
        mail.splice(at..at, noise);
        let notices = read(&mail);
        prop_assert!(notices.len() <= 51);
        // Whatever it is can be kept in the inbox.
        for notice in notices {
            let text = serde_json::to_string(&notice).unwrap();
            prop_assert_eq!(serde_json::from_str::<Notice>(&text).unwrap(), notice);
        }
    }

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }
}
