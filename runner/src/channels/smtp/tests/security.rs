//! TLS and logins.

use super::*;

/// One message to a server with TLS, trusted or not; the server's address is `{scheme}localhost:{port}{query}`.
async fn check_tls(traits: Traits, scheme: &str, query: &str, trusted: bool, expected: &str) -> Seen {
    let server = Server::start(traits, &[]).await;
    let home = tempfile::tempdir().unwrap();
    let ca = home.path().join("ca.pem");
    std::fs::write(&ca, &server.certificate).unwrap();
    let ca = if trusted { format!("&ca={}", ca.display()) } else { String::new() };
    let (pool, mut reports) = start(&format!("{scheme}localhost:{}?{query}{ca}", server.port), 1, timeouts(LONG));
    pool.submit(job(0, A, "Hello"));
    let found = words(&reports.recv().await.unwrap().outcome);
    assert!(found.contains(expected) && !found.contains("secret"), "{scheme} {query}: {found}, not {expected}");
    pool.close(LONG).await;
    server.seen()
}

#[tokio::test]
async fn tls_is_used_as_asked_and_always_verified() {
    let starttls = Traits { starttls: true, pipelining: true, ..Traits::default() };
    let tls = Traits { tls: true, ..Traits::default() };
    let seen = check_tls(starttls, "smtp://", "", true, "sent").await;
    assert_eq!(seen.commands[..3], ["1 EHLO runner.test", "1 STARTTLS", "1 EHLO runner.test"]);
    check_tls(starttls, "smtp://", "tls=required", true, "sent").await;
    check_tls(tls, "smtps://", "", true, "sent").await;
    let seen = check_tls(starttls, "smtp://", "tls=none", true, "sent").await;
    assert!(!seen.commands.contains(&"1 STARTTLS".to_owned()));
    check_tls(Traits::default(), "smtp://", "", true, "sent").await;
    check_tls(Traits::default(), "smtp://", "tls=required", true, "deferred: smtp://localhost").await;
    for (traits, scheme) in [(starttls, "smtp://"), (tls, "smtps://")] {
        let seen = check_tls(traits, scheme, "", false, "cannot be verified needs ?ca= or ?tls=none").await;
        assert_eq!(seen.mails.len(), 0);
    }
    check_tls(Traits::default(), "smtps://", "", true, "deferred: no TLS with smtps://localhost").await;
}

#[tokio::test]
async fn a_login_is_made_or_defers() {
    for (auth, expected) in
        [(Some("PLAIN LOGIN"), "sent"), (Some("LOGIN"), "sent"), (Some("CRAM-MD5"), "deferred: smtp"), (None, "no way to log in")]
    {
        let traits = Traits { starttls: true, auth, ..Traits::default() };
        check_tls(traits, "smtp://me:secret@", "", true, expected).await;
    }
    for auth in ["PLAIN", "LOGIN"] {
        let traits = Traits { starttls: true, auth: Some(auth), ..Traits::default() };
        let seen = check_tls(traits, "smtp://me:secret-not@", "", true, "refused the channel's user and password: 535 no").await;
        assert_eq!(seen.mails.len(), 0);
    }
}
