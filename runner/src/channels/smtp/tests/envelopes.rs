//! Senders, return paths, addresses that are not ASCII, signatures, and what a refusal says of the recipient.

use super::super::super::{KeyText, RefusalKind};
use super::*;

const UTF8: Rule = ("EHLO", Say("250-mx\r\n250 SMTPUTF8"));

#[tokio::test]
async fn an_address_that_is_not_ascii_goes_where_that_is_offered() {
    let seen = run(Traits::default(), &[UTF8], &[("jürgen@bücher.example", "sent"), (A, "sent")]).await;
    assert_eq!(
        seen.commands[1..],
        [
            "1 MAIL FROM:<shop@test.example> BODY=8BITMIME SMTPUTF8",
            "1 RCPT TO:<jürgen@xn--bcher-kva.example>",
            "1 DATA",
            "1 MAIL FROM:<shop@test.example>",
            "1 RCPT TO:<a@test.example>",
            "1 DATA",
            "1 QUIT",
        ]
    );
    assert!(seen.mails[0].contains("\r\nTo: jürgen@xn--bcher-kva.example\r\n"), "{}", seen.mails[0]);
}

#[tokio::test]
async fn a_mail_has_its_own_return_path_and_the_channels_signature() {
    let server = Server::start(Traits::default(), &[]).await;
    let (sender, mut reports) = unbounded_channel();
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let key = KeyText { domain: "test.example".to_owned(), selector: "s1".to_owned(), pem };
    let options = ChannelOptions {
        connections: 1,
        delivery: Delivery::Smtp(SmtpUrl::parse(&server.url()).unwrap()),
        sender: SenderOptions {
            from: Some("shop@test.example".to_owned()),
            reply_to: Some("help@test.example".to_owned()),
            return_path: Some("bounces@test.example".to_owned()),
            dkim: vec![key],
        },
        hello: "runner.test".to_owned(),
        timeouts: timeouts(LONG),
    };
    let report = Arc::new(move |report| sender.send(report).unwrap());
    let pool = ChannelPool::start("email", &options, report, &Handle::current()).unwrap();
    let mut job = job(7, A, "Hello");
    job.envelope.return_token = Some("7-0a1b".to_owned());
    job.envelope.from = Some("News <news@test.example>".to_owned());
    pool.submit(job);
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
    pool.close(LONG).await;
    let seen = server.seen();
    assert_eq!(seen.commands[1], "1 MAIL FROM:<bounces+7-0a1b@test.example>");
    let mail = &seen.mails[0];
    assert!(
        mail.starts_with("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\td=test.example;\r\n\ts=s1;"),
        "{mail}"
    );
    assert!(
        mail.contains("\r\nFrom: News <news@test.example>\r\n") && mail.contains("\r\nReply-To: help@test.example\r\n"),
        "{mail}"
    );
    assert!(!mail.contains("Return-Path"), "{mail}");
}

#[tokio::test]
async fn only_what_is_said_of_the_recipient_counts_against_them() {
    use RefusalKind::{Hard, Other, Soft};
    for (stage, reply, to, expected) in [
        ("RCPT", "550 5.1.1 unknown", A, Some((Hard, Some("5.1.1")))),
        ("RCPT", "452 4.2.2 full", A, Some((Soft, Some("4.2.2")))),
        ("END", "554 5.7.1 spam", A, Some((Other, Some("5.7.1")))),
        ("DATA", "554 5.1.1 no valid recipients", A, Some((Hard, Some("5.1.1")))),
        ("MAIL", "550 5.1.8 your domain does not exist", A, None),
        ("MAIL", "550 5.1.1 user unknown", A, None),
        ("RCPT", "530 5.7.0 log in first", A, None),
        ("RCPT", "421 4.3.2 leaving", A, None),
        ("END", "421 4.3.2 leaving", A, None),
        ("GREETING", "554 5.7.1 go away", A, None),
        ("NOTHING", "", A, None),
        ("NOTHING", "", "jürgen@x.de", Some((Other, Some("5.6.7")))),
        ("NOTHING", "", "not an address", None),
    ] {
        for pipelining in [true, false] {
            let server = Server::start(Traits { pipelining, ..Traits::default() }, &[(stage, Say(reply))]).await;
            let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
            pool.submit(job(0, to, "Hello"));
            let report = reports.recv().await.unwrap();
            let found = report.refusal.as_ref().map(|refusal| (refusal.kind, refusal.status.as_deref()));
            assert_eq!(found, expected, "{stage} {reply} {pipelining}: {:?}", report.outcome);
            pool.close(LONG).await;
        }
    }
}
