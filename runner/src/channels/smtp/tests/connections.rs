//! How connections are made, kept, shared and ended.

use super::*;

#[tokio::test]
async fn a_kept_connection_that_died_is_replaced_at_once() {
    for act in [Close, SayAndClose("421 idle for too long")] {
        check(&[("1:IDLE", act)], &[(A, "sent"), (A, "sent"), (A, "sent")], 3, 2).await;
    }
    // A server that misbehaves has not just tired of waiting.
    let rules = [("RCPT TO:<b@", Say("what"))];
    check(&rules, &[(A, "sent"), ("b@x.de", "deferred: not SMTP"), (A, "sent")], 2, 2).await;
    // Lost only when it is used; the second time in a row is trouble.
    for pipelining in [true, false] {
        let server = Server::start(
            Traits { pipelining, ..Traits::default() },
            &[("1:RCPT TO:<b@", Close), ("2:RCPT TO:<c@", Close), ("3:RCPT TO:<c@", Close)],
        )
        .await;
        let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
        for (to, expected) in [(A, "sent"), ("b@test.example", "sent"), ("c@test.example", "deferred"), (A, "sent")] {
            pool.submit(job(0, to, "Hello"));
            let found = words(&reports.recv().await.unwrap().outcome);
            assert!(found.starts_with(expected), "{found}");
        }
        assert_eq!((server.seen().mails.len(), server.seen().connections), (3, 4));
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_politely() {
    let server = Server::start(Traits::default(), &[]).await;
    let patience = Timeouts { idle: Duration::from_millis(20), ..timeouts(LONG) };
    let (pool, mut reports) = start(&server.url(), 1, patience);
    pool.submit(job(0, A, "Hello"));
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
    while server.seen().commands.last().is_none_or(|line| line != "1 QUIT") {
        tokio::task::yield_now().await;
    }
    pool.submit(job(1, A, "Hello"));
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
    assert_eq!(server.seen().connections, 2);
}

#[tokio::test]
async fn a_fault_of_a_renderer_fails_its_message_only() {
    let server = Server::start(Traits::default(), &[]).await;
    let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
    let composing = |compose: fn() -> Result<Content, String>| Job { compose: Box::new(compose), ..job(0, A, "") };
    pool.submit(composing(|| Err("no first_name".to_owned())));
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Failed("no first_name".to_owned()));
    pool.submit(composing(|| panic!("oh")));
    assert!(matches!(reports.recv().await.unwrap().outcome, Outcome::Failed(why) if why.ends_with(": oh")));
    pool.submit(job(1, A, "Hello"));
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
}

#[tokio::test]
async fn a_server_that_is_not_there_defers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (pool, mut reports) = start(&format!("smtp://me:hidden@127.0.0.1:{port}"), 1, timeouts(LONG));
    pool.submit(job(0, A, "Hello"));
    let found = words(&reports.recv().await.unwrap().outcome);
    let expected = format!("deferred: could not connect to smtp://127.0.0.1:{port}: Connection refused");
    assert!(found.starts_with(&expected) && !found.contains("hidden"), "{found}");
}

#[tokio::test]
async fn a_server_that_will_not_talk_defers() {
    check(&[("GREETING", Say("554 not you"))], &[(A, "deferred: refused the connection: 554 not you")], 0, 1).await;
    check(&[("EHLO", Say("421 busy"))], &[(A, "deferred: refused EHLO: 421 busy")], 0, 1).await;
    check(&[("EHLO", Say("500 what")), ("HELO", Say("550 no"))], &[(A, "deferred: refused HELO: 550 no")], 0, 1).await;
    check(&[("EHLO", Say("500 what"))], &[(A, "sent")], 1, 1).await;
}

#[tokio::test]
async fn many_connections_carry_many_messages() {
    let server = Server::start(Traits { pipelining: true, ..Traits::default() }, &[("RCPT TO:<bad@", Say("550 no"))]).await;
    let (pool, mut reports) = start(&server.url(), 4, timeouts(LONG));
    let recipient = |number: usize| {
        if number.is_multiple_of(7) { "bad@test.example" } else { A }
    };
    for number in 0..4 {
        pool.submit(job(number, recipient(number), "Hello"));
    }
    let mut sent = [false; 200];
    for next in 4..204 {
        let report = reports.recv().await.unwrap();
        let number = report.message.0 as usize;
        assert_eq!(report.outcome == Outcome::Sent, !number.is_multiple_of(7));
        assert!(!std::mem::replace(&mut sent[number], true));
        if next < 200 {
            pool.submit(job(next, recipient(next), "Hello"));
        }
    }
    assert_eq!(server.seen().mails.len(), 200 - 200usize.div_ceil(7));
    assert_eq!(pool.connections(), 4);
    assert!(server.seen().connections <= 4);
}

#[tokio::test]
async fn closing_waits_for_what_is_carried_and_no_longer_than_it_may() {
    // The job is finished, and the server is told goodbye.
    let server = Server::start(Traits::default(), &[]).await;
    let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
    pool.submit(job(0, A, "Hello"));
    pool.close(LONG).await;
    assert_eq!(reports.try_recv().unwrap().outcome, Outcome::Sent);
    assert_eq!(server.seen().commands.last().unwrap(), "1 QUIT");
    // A server that hangs is left, and what it leaves is said.
    for (stage, expected) in
        [("GREETING", "deferred: the runner stopped"), ("DATA", "deferred"), ("END", "unknown: the runner stopped")]
    {
        let server = Server::start(Traits::default(), &[(stage, Hang)]).await;
        let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
        pool.submit(job(0, A, "Hello"));
        pool.close(SHORT).await;
        let found = words(&reports.try_recv().unwrap().outcome);
        assert!(found.starts_with(expected), "{stage}: {found}");
    }
    // So is one that does not answer to QUIT.
    let server = Server::start(Traits::default(), &[("QUIT", Hang)]).await;
    let (pool, mut reports) = start(&server.url(), 1, timeouts(LONG));
    pool.submit(job(0, A, "Hello"));
    assert_eq!(reports.recv().await.unwrap().outcome, Outcome::Sent);
    pool.close(SHORT).await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let check = |connections, from: Option<&str>, hello: &str, url: &str, expected: &str| {
        let options = ChannelOptions {
            connections,
            delivery: Delivery::Smtp(SmtpUrl::parse(url).unwrap()),
            sender: SenderOptions { from: from.map(str::to_owned), ..SenderOptions::default() },
            hello: hello.to_owned(),
            timeouts: Timeouts::default(),
        };
        let error = ChannelPool::start("email", &options, Arc::new(|_| ()), &Handle::current()).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(0, Some("a@x.de"), "h", "smtp://x.de", "`connections` is at least 1");
    check(1, None, "h", "smtp://x.de", "has no `from`");
    check(1, Some("Shop"), "h", "smtp://x.de", "`from` is wrong: “Shop” is not a mail address");
    check(1, Some("a@x.de"), "a b", "smtp://x.de", "to say EHLO with");
    check(1, Some("a@x.de"), "h\r\nRSET", "smtp://x.de", "to say EHLO with");
    check(1, Some("a@x.de"), "h", "smtp://x.de?ca=/no/such/file", "/no/such/file");
    check(1, Some("a@x.de"), "h", "smtp://x.de?ca=Cargo.toml", "it has none");
}
