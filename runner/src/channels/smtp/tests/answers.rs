//! What a server answers to a message, and where it falls silent, decides what became of the message.

use super::*;

#[tokio::test]
async fn messages_go_one_after_another_over_one_connection() {
    let seen = run(Traits { pipelining: true, ..Traits::default() }, &[], &[(A, "sent"), ("b@bücher.example", "sent")]).await;
    assert_eq!(
        seen.commands,
        [
            "1 EHLO runner.test",
            "1 MAIL FROM:<shop@test.example>",
            "1 RCPT TO:<a@test.example>",
            "1 DATA",
            "1 MAIL FROM:<shop@test.example>",
            "1 RCPT TO:<b@xn--bcher-kva.example>",
            "1 DATA",
            "1 QUIT",
        ]
    );
    assert!(seen.mails[1].contains("\r\nSubject: Mail 1\r\n") && seen.mails[1].ends_with("\r\n\r\nHello\r\n"));
    check(&[], &[(A, "sent"), (A, "sent"), (A, "sent")], 3, 1).await;
}

#[tokio::test]
async fn a_refusal_is_the_messages_own_and_the_connection_goes_on() {
    for (stage, taken) in [("MAIL", 0), ("RCPT", 0), ("DATA", 0), ("END", 0)] {
        let bad = [(stage, Say("550-5.1.1 no\r\n550 5.1.1 such user"))];
        check(&bad, &[(A, "failed: 550 5.1.1 no 5.1.1 such user"), (A, "failed: 550")], taken, 1).await;
        let later = [(stage, Say("451 try later"))];
        check(&later, &[(A, "deferred: 451 try later"), (A, "deferred: 451")], taken, 1).await;
        let login = [(stage, Say("530 log in first"))];
        check(&login, &[(A, "deferred: 530 log in first")], taken, 1).await;
    }
}

#[tokio::test]
async fn one_bad_recipient_never_stops_the_rest() {
    let rules = [("RCPT TO:<bad@", Say("550 unknown")), ("RCPT TO:<full@", Say("452 full"))];
    let expected = [
        (A, "sent"),
        ("bad@x.de", "failed: 550 unknown"),
        (A, "sent"),
        ("not an address", "failed: not a mail address"),
        ("jürgen@x.de", "failed: SMTPUTF8"),
        ("full@x.de", "deferred: 452 full"),
        (A, "sent"),
    ];
    check(&rules, &expected, 3, 1).await;
}

#[tokio::test]
async fn a_server_that_wants_content_without_a_recipient_gets_none() {
    let pipelining = Traits { pipelining: true, ..Traits::default() };
    let rules = [("RCPT TO:<bad@", Say("550 unknown")), ("DATA", Say("354 go"))];
    let seen = run(pipelining, &rules, &[("bad@x.de", "failed: 550 unknown"), (A, "sent")]).await;
    assert_eq!((seen.mails.len(), seen.connections), (1, 1), "{seen:?}");
    assert!(seen.commands.contains(&"1 RSET".to_owned()));
    // One that even takes the nothing is not talked to any longer.
    let rules = [("RCPT TO:<bad@", Say("550 unknown")), ("DATA", Say("354 go")), ("1:END", Say("250 taken"))];
    let seen = run(pipelining, &rules, &[("bad@x.de", "failed: 550 unknown"), (A, "sent")]).await;
    assert_eq!((seen.mails.len(), seen.connections), (1, 2), "{seen:?}");
}

#[tokio::test]
async fn a_connection_lost_before_the_content_defers() {
    for stage in ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"] {
        check(&[(stage, Close)], &[(A, "deferred: closed"), (A, "deferred")], 0, 2).await;
        check(&[(stage, Hang)], &[(A, "deferred: did not answer within 400ms")], 0, 1).await;
        check(&[(stage, Say("HTTP/1.1 400 Bad Request"))], &[(A, "deferred: not SMTP: “HTTP/1.1 400")], 0, 1).await;
        let leaving = [(stage, SayAndClose("421 shutting down"))];
        check(&leaving, &[(A, "deferred: 421 shutting down"), (A, "deferred: 421")], 0, 2).await;
    }
    check(&[("MAIL", Say("354 what"))], &[(A, "deferred: out of turn: 354 what"), (A, "deferred")], 0, 2).await;
    check(&[("DATA", Say("250 what"))], &[(A, "deferred: out of turn: 250 what"), (A, "deferred")], 0, 2).await;
}

#[tokio::test]
async fn a_refusal_counts_although_the_server_then_leaves() {
    for stage in ["MAIL", "RCPT", "DATA", "END"] {
        let rules = [(stage, SayAndClose("554 go away"))];
        check(&rules, &[(A, "failed: 554 go away"), (A, "failed: 554 go away")], 0, 2).await;
    }
    check(&[("1:END", SayAndClose("421 not now"))], &[(A, "deferred: 421 not now"), (A, "sent")], 1, 2).await;
}

#[tokio::test]
async fn a_connection_lost_after_the_final_dot_leaves_doubt() {
    check(&[("1:END", Close)], &[(A, "unknown: closed"), (A, "sent")], 2, 2).await;
    check(&[("1:END", Hang)], &[(A, "unknown: did not answer within 400ms")], 1, 1).await;
    check(&[("1:END", Say("so what"))], &[(A, "unknown: not SMTP: “so what”"), (A, "sent")], 1, 2).await;
    check(&[("1:END", Say("354 what"))], &[(A, "unknown: out of turn: 354"), (A, "sent")], 1, 2).await;
}

#[tokio::test]
async fn a_connection_lost_within_the_content_defers() {
    // More than the buffers of both sides hold, so that the final dot cannot have been given.
    let long = "0123456789".repeat(1_600_000);
    for (act, text, expected) in [
        (Close, long.as_str(), "deferred: before the whole message had been given, the connection"),
        (Stall, long.as_str(), "deferred: before the whole message had been given, the mail server did not answer"),
        // All of a short message leaves at once: how much of it was read cannot be known.
        (Stall, "Hello", "unknown: after the whole message had been given, the mail server did not answer"),
    ] {
        let server = Server::start(Traits::default(), &[("CONTENT", act)]).await;
        let (pool, mut reports) = start(&server.url(), 1, timeouts(PATIENT));
        pool.submit(job(0, A, text));
        let found = words(&reports.recv().await.unwrap().outcome);
        assert!(found.starts_with(expected), "{act:?}: {found}");
        assert_eq!(server.seen().mails.len(), 0);
    }
}

#[tokio::test]
async fn content_arrives_as_it_was() {
    let server = Server::start(Traits::default(), &[]).await;
    let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
    let texts = [
        ".\n..\n.a\n\n.".to_owned(),
        "grüße 漢字\n.\n".to_owned(),
        "x".repeat(5000),
        "a\rb\r\n.\r\nMAIL FROM:<x@y>\n".to_owned(),
    ];
    for text in &texts {
        pool.submit(job(0, A, text));
        assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
    }
    let mails = server.seen().mails;
    for (text, mail) in texts.iter().zip(&mails) {
        assert!(mail.is_ascii() && mail.lines().all(|line| line.len() <= 998));
        let read = mail_parser::MessageParser::default().parse(mail.as_bytes()).unwrap();
        let body = read.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(body.trim_end_matches('\n'), text.replace("\r\n", "\n").replace('\r', "\n").trim_end_matches('\n'));
    }
    assert_eq!(mails.len(), texts.len());
}
