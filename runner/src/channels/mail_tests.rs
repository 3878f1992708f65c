//! Mails are built and read back with another library: what went in comes out, and nothing more.

use std::sync::Arc;

use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;

use super::super::File;
use super::super::address::sender;
use super::super::sender::Origin;
use super::*;

fn envelope(to: &str, headers: &[(&'static str, &str)]) -> Envelope {
    Envelope {
        to: to.to_owned(),
        message_id: "7.1.hello.ab12@shop.example".to_owned(),
        date: 1_700_000_000_000,
        headers: headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        ..Envelope::default()
    }
}

fn content(subject: &str, html: Option<&str>, text: Option<&str>) -> Content {
    Content {
        subject: Some(subject.to_owned()),
        html: html.map(str::to_owned),
        text: text.map(str::to_owned),
        ..Content::default()
    }
}

fn origin(from: &str) -> Origin {
    let from = sender(from).unwrap();
    Origin { return_path: from.email.clone(), reply_to: None, from }
}

fn built(envelope: &Envelope, content: Content) -> Mail {
    build(origin("Bücher & Co <hello@shop.example>"), envelope, content).unwrap()
}

/// The names of the header fields of the mail itself, in order, as a careless reader sees them: by lines.
fn fields(mail: &Mail) -> Vec<String> {
    let (header, _) = mail.text.split_once("\r\n\r\n").unwrap();
    header
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split(':').next().unwrap_or_default().to_owned())
        .collect()
}

/// What every mail has to be on its way through old relays.
fn assert_plain(mail: &Mail) {
    assert!(mail.text.is_ascii() && !mail.text.contains('\0'));
    for line in mail.text.split_inclusive('\n') {
        assert!(line.len() <= 1000, "a line of {} bytes", line.len());
        let line = line.strip_suffix("\r\n").unwrap_or(line);
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
}

/// Line ends as mail has them; a reader cannot tell which ones went in.
fn with_lf(text: &str) -> String {
    text.replace('\0', "").replace("\r\n", "\n").replace('\r', "\n")
}

#[test]
fn a_mail_has_two_bodies_and_its_headers() {
    let unsubscribe = "<https://mail.shop.example/u/abc>";
    let envelope = envelope(
        "ada@bücher.example",
        &[("List-Unsubscribe", unsubscribe), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")],
    );
    let mail = built(&envelope, content("Grüße, Ada", Some("<p>Hallo ü</p>"), Some("Hallo ü\n.\nEnde")));
    assert_plain(&mail);
    assert_eq!(mail.from.to_string(), "hello@shop.example");
    assert_eq!(mail.to.to_string(), "ada@xn--bcher-kva.example");
    let read = MessageParser::default().parse(&mail.text).unwrap();
    let from = read.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some("Bücher & Co"), Some("hello@shop.example")));
    assert_eq!(read.to().unwrap().first().unwrap().address(), Some("ada@xn--bcher-kva.example"));
    assert_eq!(read.subject(), Some("Grüße, Ada"));
    assert_eq!(read.message_id(), Some("7.1.hello.ab12@shop.example"));
    assert_eq!(read.date().unwrap().to_timestamp(), 1_700_000_000);
    assert_eq!(read.header_raw("List-Unsubscribe").unwrap().trim(), unsubscribe);
    assert_eq!(read.header_raw("List-Unsubscribe-Post").unwrap().trim(), "List-Unsubscribe=One-Click");
    assert!(read.content_type().unwrap().c_subtype.as_deref() == Some("alternative"));
    assert_eq!(read.body_html(0).unwrap(), "<p>Hallo ü</p>");
    assert_eq!(with_lf(&read.body_text(0).unwrap()), "Hallo ü\n.\nEnde");
}

#[test]
fn answers_and_bounces_go_where_they_are_wanted() {
    let origin = Origin {
        reply_to: Some(sender("Dienst ü <service@bücher.example>").unwrap()),
        return_path: "bounces+7-ab@shop.example".parse().unwrap(),
        ..origin("jürgen@shop.example")
    };
    let mail = build(origin, &envelope("ada@shop.example", &[]), content("s", None, Some("x"))).unwrap();
    assert_eq!(mail.from.to_string(), "bounces+7-ab@shop.example");
    assert!(mail.needs_smtputf8() && mail.text.starts_with("From: jürgen@shop.example\r\n"));
    let read = MessageParser::default().parse(&mail.text).unwrap();
    let reply_to = read.reply_to().unwrap().first().unwrap();
    assert_eq!((reply_to.name(), reply_to.address()), (Some("Dienst ü"), Some("service@xn--bcher-kva.example")));
}

#[test]
fn one_body_is_one_part() {
    for (html, text, kind) in [
        (Some("<p>x</p>"), None, "text/html; charset=utf-8"),
        (None, Some("x"), "text/plain; charset=utf-8"),
        (None, None, "text/plain; charset=utf-8"),
    ] {
        let mail = built(&envelope("a@x.de", &[]), content("s", html, text));
        let read = MessageParser::default().parse(&mail.text).unwrap();
        assert_eq!(read.header_raw("Content-Type").unwrap().trim(), kind);
        assert_eq!(fields(&mail)[..6], ["From", "To", "Date", "Message-ID", "Subject", "MIME-Version"]);
    }
}

#[test]
fn what_cannot_be_mailed_is_said() {
    let from = || origin("hello@shop.example");
    let good = || envelope("ada@shop.example", &[]);
    let check = |envelope: Envelope, subject: &str, words: &str| {
        let error = build(from(), &envelope, content(subject, None, Some("x"))).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    check(envelope("ada", &[]), "s", "is not a mail address");
    check(Envelope { date: -1, ..good() }, "s", "between 1970 and 9999");
    check(Envelope { date: YEAR_10000, ..good() }, "s", "between 1970 and 9999");
    check(Envelope { message_id: "a b@c".to_owned(), ..good() }, "s", "cannot be a Message-ID");
    check(Envelope { message_id: "ab".to_owned(), ..good() }, "s", "cannot be a Message-ID");
    check(Envelope { message_id: "a>\r\nBcc: x@y".to_owned(), ..good() }, "s", "cannot be a Message-ID");
    check(good(), &"x".repeat(2000), "Subject has a word");
    check(envelope("a@x.de", &[("X-Long", &"x".repeat(901))]), "s", "X-Long has a word");
    check(envelope("a@x.de", &[("X\r\nBcc", "x")]), "s", "cannot be a header field's name");
    check(envelope("a@x.de", &[("", "x")]), "s", "cannot be a header field's name");
    let last = Envelope { date: YEAR_10000 - 1, ..good() };
    assert!(build(from(), &last, content("s", None, None)).is_ok());
}

#[test]
fn every_line_end_becomes_crlf() {
    for (text, expected) in [
        ("", ""),
        ("a", "a"),
        ("a\r\nb\r\n", "a\r\nb\r\n"),
        ("a\nb\n\n", "a\r\nb\r\n\r\n"),
        ("a\rb\r", "a\r\nb\r\n"),
        ("\r\r\n\n\r", "\r\n\r\n\r\n\r\n"),
        ("\na\r\n", "\r\na\r\n"),
        ("a\r\0\nb\0", "a\r\nb"),
        ("ü\n漢\r字", "ü\r\n漢\r\n字"),
    ] {
        assert_eq!(lines(text.to_owned()), expected, "{text:?}");
    }
}

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z \r\n\t:.<>\"@=?ü€\u{0}\u{b}\u{85}\u{2028}-]{0,60}",
        "[a-zé ]{0,20}(\r\n|\n|\r|\r\n\r\n)(Bcc: eve@evil\\.example|\\.|--[a-z]{3}|Content-Type: text/html)(\r\n|\n)?[ -~]{0,20}",
        "[a-z]{0,5}( [a-zü]{1,30}){0,60}",
        // Lines longer than mail has them.
        "[a-z.\n ]{900,2500}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn data_never_becomes_a_header_or_a_part(
        name in hostile(),
        subject in hostile(),
        value in hostile(),
        html in hostile(),
        text in hostile(),
    ) {
        let email: Address = "hello@shop.example".parse().unwrap();
        let from = Mailbox::new(Some(without_controls(&name)), email.clone());
        let from = Origin { from, reply_to: None, return_path: email };
        let envelope = envelope("ada@shop.example", &[("X-Value", &value)]);
        let made = build(from, &envelope, content(&subject, Some(&html), Some(&text)));
        let mail = match made {
            Ok(mail) => mail,
            Err(MailError::LongWord(_)) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        assert_plain(&mail);
        prop_assert_eq!(
            fields(&mail),
            ["From", "To", "Date", "Message-ID", "Subject", "X-Value", "MIME-Version", "Content-Type"]
        );
        let read = MessageParser::default().parse(&mail.text).unwrap();
        prop_assert_eq!(read.headers().len(), 8);
        prop_assert_eq!(read.parts.len(), 3);
        prop_assert_eq!(read.to().unwrap().as_list().map(<[_]>::len), Some(1));
        prop_assert_eq!(read.from().unwrap().first().unwrap().address(), Some("hello@shop.example"));
        let part = |at: usize| with_lf(read.parts[at].text_contents().unwrap_or_default());
        prop_assert_eq!(part(1), with_lf(&text));
        prop_assert_eq!(part(2), with_lf(&html));
        for at in [1, 2] {
            prop_assert!(read.parts[at].headers.len() == 2);
        }
    }

    #[test]
    fn an_address_from_data_is_one_address_or_none(address in hostile(), domain in "[a-z.ü\r\n >]{0,20}") {
        for to in [address.clone(), format!("{address}@{domain}"), format!("{address}@shop.example")] {
            let Ok(to) = recipient(&to) else { continue };
            let to = to.to_string();
            prop_assert!(!to.chars().any(char::is_control));
            let mail = built(&envelope(&to, &[]), content("s", None, Some("x")));
            prop_assert_eq!(mail.needs_smtputf8(), !to.is_ascii());
            prop_assert_eq!(fields(&mail).len(), 8);
            let field = format!("\r\nTo: {to}\r\n");
            prop_assert!(mail.text.contains(&field));
        }
    }
}

#[test]
fn files_go_with_the_bodies() {
    let file = |name: &str, media_type: &str, content_id: Option<&str>| File {
        name: name.to_owned(),
        media_type: media_type.to_owned(),
        bytes: Arc::from(&b"\x89PNG\r\n\0\xff"[..]),
        content_id: content_id.map(str::to_owned),
    };
    let check = |html: Option<&str>, text: Option<&str>, files: Vec<File>, shape: &str| {
        let mail = built(&envelope("ada@example.com", &[]), Content { files, ..content("x", html, text) });
        assert_plain(&mail);
        let read = MessageParser::default().parse(&mail.text).unwrap();
        let kind = |part: &mail_parser::MessagePart<'_>| {
            let kind = part.content_type().unwrap();
            let id = part.content_id().map(|id| format!("<{id}>")).unwrap_or_default();
            let name = part.attachment_name().map(|name| format!("={name}")).unwrap_or_default();
            format!("{}{id}{name}", kind.c_subtype.as_deref().unwrap_or_default())
        };
        assert_eq!(read.parts.iter().map(kind).collect::<Vec<_>>().join(" "), shape);
        for part in read.attachments() {
            assert_eq!(part.contents(), b"\x89PNG\r\n\0\xff");
        }
        assert_eq!(read.body_html(0).as_deref().is_some_and(|html| html == "<p>"), html.is_some());
    };
    let image = || file("logo.png", "image/png", Some("abc@campaignd.invalid"));
    let terms = || file("Größe\r\nBcc: x.pdf", "application/pdf", None);
    check(Some("<p>"), None, vec![image()], "related html png<abc@campaignd.invalid>=logo.png");
    let both = "alternative plain related html png<abc@campaignd.invalid>=logo.png";
    check(Some("<p>"), Some("t"), vec![image()], both);
    check(Some("<p>"), Some("t"), vec![image(), terms()], &format!("mixed {both} pdf=Größe Bcc: x.pdf"));
    check(None, Some("t"), vec![image()], "mixed plain png=logo.png");
    check(Some("<p>"), None, vec![terms()], "mixed html pdf=Größe Bcc: x.pdf");
}
