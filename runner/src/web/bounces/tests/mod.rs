//! Requests of providers, signed by other programs (vectors.json was made with Python's `cryptography` and `hmac`), at the moment they were signed.

use std::future::Future;
use std::sync::{Arc, LazyLock, Mutex};

use axum::http::HeaderName;
use serde_json::Value;

use super::*;

/// 2026-03-27T08:00:02Z.
const NOW: i64 = 1_774_598_402_000;
const MINUTE: i64 = 60_000;

static VECTORS: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(include_str!("vectors.json")).unwrap());

/// The notices, a line each; or the problem's status and code.
#[track_caller]
fn check(given: Result<Vec<Notice>, Problem>, expected: Result<&[&str], &str>) {
    let line = |notice: Notice| {
        assert!(notice.vouched && notice.channel == "email" && notice.source == "hook", "{notice:?}");
        let by = notice.token.or(notice.message_id);
        let parts = [notice.status, notice.address, by];
        let shown =
            parts.into_iter().fold(format!("{:?}", notice.what), |line, part| line + " " + part.as_deref().unwrap_or("-"));
        (shown, notice.at)
    };
    let shown = given.map(|notices| notices.into_iter().map(line).collect::<Vec<_>>());
    if let Ok(lines) = &shown {
        assert!(lines.iter().all(|(_, at)| (NOW - 120_000..=NOW).contains(at)), "{lines:?}");
    }
    let shown = shown.map(|lines| lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>());
    let shown = shown.map_err(|problem| format!("{} {}", problem.status.as_u16(), problem.code));
    assert_eq!(shown, expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect()).map_err(str::to_owned));
}

fn headers(of: &[(&'static str, &str)]) -> HeaderMap {
    of.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn told<'a>(headers: &'a HeaderMap, body: &'a [u8], now: i64) -> Told<'a> {
    Told { name: "hook", headers, body, now }
}

fn text<'a>(path: &str) -> &'a str {
    VECTORS.pointer(path).and_then(Value::as_str).unwrap()
}

#[test]
fn sendgrid_signs_the_time_and_the_body() {
    let key = base64_of(text("/sendgrid/key"));
    let body = text("/sendgrid/body");
    let (signature, timestamp) = (text("/sendgrid/signature"), text("/sendgrid/timestamp"));
    let ask = |signature: &str, timestamp: &str, body: &str, now: i64| {
        let headers = headers(&[
            ("x-twilio-email-event-webhook-signature", signature),
            ("x-twilio-email-event-webhook-timestamp", timestamp),
        ]);
        sendgrid::read(&told(&headers, body.as_bytes(), now), &key)
    };
    let expected = [
        "HardBounce 5.1.1 ada@example.com 12.1.send-hello.abc@shop.example",
        "Complaint - cy@example.com 14.1.send-hello.abc@shop.example",
    ];
    check(ask(signature, timestamp, body, NOW), Ok(&expected));
    check(ask(signature, timestamp, body, NOW + 5 * MINUTE), Ok(&expected));
    check(ask(signature, timestamp, body, NOW + 6 * MINUTE), Err("403 old_signature"));
    check(ask(signature, timestamp, body, NOW - 6 * MINUTE), Err("403 old_signature"));
    check(ask(signature, "1774598403", body, NOW), Err("403 wrong_signature"));
    check(ask(signature, timestamp, body.trim_end(), NOW), Err("403 wrong_signature"));
    check(ask("", timestamp, body, NOW), Err("403 wrong_signature"));
    check(ask("ä", timestamp, body, NOW), Err("403 wrong_signature"));
    check(sendgrid::read(&told(&HeaderMap::new(), body.as_bytes(), NOW), &key), Err("403 wrong_signature"));
}

fn base64_of(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn mailgun_body(event: Value) -> String {
    json!({ "signature": VECTORS["mailgun"]["signature"], "event-data": event }).to_string()
}

fn mailgun_event(more: Value) -> Value {
    let mut event = json!({
        "event": "failed", "severity": "permanent", "reason": "bounce", "recipient": "ada@example.com", "timestamp": 1_774_598_400.25,
        "message": { "headers": { "message-id": "12.1.send-hello.abc@shop.example" } },
        "delivery-status": { "code": 550, "message": "5.1.1 user unknown", "description": "" },
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

#[test]
fn mailgun_signs_a_time_and_a_token() {
    use aws_lc_rs::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA256, text("/mailgun/key").as_bytes());
    let ask = |body: &str, now: i64| mailgun::read(&told(&HeaderMap::new(), body.as_bytes(), now), &key);
    let event = |more: Value| ask(&mailgun_body(mailgun_event(more)), NOW);
    const ID: &str = "ada@example.com 12.1.send-hello.abc@shop.example";
    let line = |what: &str| format!("{what} {ID}");
    check(event(json!({})), Ok(&[&line("HardBounce 550")]));
    let status = |code: i64, message: &str| json!({ "delivery-status": { "code": code, "message": message } });
    check(event(status(550, "5.7.1 blocked by policy")), Ok(&[&line("Blocked 550")]));
    check(event(status(552, "5.2.2 mailbox full")), Ok(&[&line("SoftBounce 552")]));
    check(event(json!({ "reason": "old" })), Ok(&[&line("SoftBounce 550")]));
    check(event(json!({ "reason": "suppress-bounce" })), Ok(&[&line("HardBounce 550")]));
    check(event(json!({ "severity": "temporary" })), Ok(&[]));
    check(event(json!({ "event": "complained" })), Ok(&[&line("Complaint 550")]));
    check(event(json!({ "event": "delivered", "delivery-status": { "code": 250 } })), Ok(&[&line("Delivered 250")]));
    check(event(json!({ "event": "opened" })), Ok(&[]));
    let good = mailgun_body(mailgun_event(json!({})));
    check(ask(&good, NOW + 6 * MINUTE), Err("403 old_signature"));
    check(ask(&good.replace("1774598402", "1774598403"), NOW), Err("403 wrong_signature"));
    check(ask(&good.replace("a8ce0edb", "a8ce0edc"), NOW), Err("403 wrong_signature"));
    check(ask("{}", NOW), Err("403 wrong_signature"));
    check(ask("nonsense", NOW), Err("400 invalid_json"));
    check(ask(&json!({ "signature": VECTORS["mailgun"]["signature"] }).to_string(), NOW), Err("400 missing"));
}

#[test]
fn postmark_gives_our_token_back() {
    let ask = |event: Value| postmark::read(&told(&HeaderMap::new(), event.to_string().as_bytes(), NOW));
    let bounce = |code: i64, details: &str| {
        ask(json!({
            "RecordType": "Bounce", "Type": "T", "TypeCode": code, "Details": details, "Email": "ada@example.com",
            "BouncedAt": "2026-03-27T08:00:00.1234567Z", "Metadata": { "campaignd": "7-abc" }, "MessageID": "0000-theirs",
        }))
    };
    for (code, details, what) in [
        (1, "", Some("HardBounce")),
        (100_000, "", Some("HardBounce")),
        (4096, "mailbox full", Some("SoftBounce")),
        (4096, "550 5.1.1 user unknown", Some("SoftBounce")),
        (256, "", Some("SoftBounce")),
        (100_006, "", Some("Blocked")),
        (512, "", Some("Blocked")),
        (100_001, "", Some("Complaint")),
        (2048, "550 5.1.1 user unknown", Some("HardBounce")),
        (2, "", None),
        (64, "", None),
        (16384, "", None),
    ] {
        let line = what.map(|what| format!("{what} T ada@example.com 7-abc"));
        check(bounce(code, details), Ok(&line.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let delivered =
        json!({ "RecordType": "Delivery", "Recipient": "ada@example.com", "DeliveredAt": "2026-03-27T09:00:00+01:00" });
    check(ask(delivered), Ok(&["Delivered - ada@example.com -"]));
    check(
        ask(json!({ "RecordType": "SpamComplaint", "TypeCode": 512, "Email": "ada@example.com" })),
        Ok(&["Complaint - ada@example.com -"]),
    );
    check(ask(json!({ "RecordType": "Open" })), Ok(&[]));
    check(ask(json!({ "RecordType": "Bounce" })), Ok(&[]));
    check(ask(json!([])), Err("400 missing"));
}

/// Gives the certificate, and remembers what was asked.
#[derive(Default)]
struct Amazon {
    asked: Mutex<Vec<String>>,
    gone: bool,
}

impl Fetch for Amazon {
    fn get<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        self.asked.lock().unwrap().push(url.to_owned());
        let answer =
            if self.gone { Err(FetchError("gone".to_owned())) } else { Ok(text("/sns/certificate").as_bytes().to_vec()) };
        Box::pin(async { answer })
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn ses(envelope: &Value, now: i64, certificates: &Certificates) -> Result<Vec<Notice>, Problem> {
    let body = envelope.to_string();
    run(super::ses::read(&told(&HeaderMap::new(), body.as_bytes(), now), text("/sns/topic"), certificates))
}

#[test]
fn ses_comes_in_an_envelope_that_amazon_signs() {
    let amazon = Arc::new(Amazon::default());
    let certificates = Certificates::new(amazon.clone());
    let expected = ["HardBounce 5.1.1 ada@example.com 12.1.send-hello.abc@shop.example"];
    for version in ["first", "second"] {
        check(ses(&VECTORS["sns"][version], NOW, &certificates), Ok(&expected));
    }
    check(ses(&VECTORS["sns"]["subscription"], NOW, &certificates), Ok(&[]));
    let asked = [
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336",
    ];
    assert_eq!(*amazon.asked.lock().unwrap(), asked, "the certificate is fetched once");
    check(ses(&VECTORS["sns"]["elsewhere"], NOW, &certificates), Err("403 wrong_signature"));
    check(ses(&VECTORS["sns"]["first"], NOW + 59 * MINUTE, &certificates), Ok(&expected));
    check(ses(&VECTORS["sns"]["first"], NOW + 61 * MINUTE, &certificates), Err("403 old_signature"));
    let changed = |name: &str, value: &str| {
        let mut envelope = VECTORS["sns"]["second"].clone();
        envelope[name] = value.into();
        ses(&envelope, NOW, &certificates)
    };
    check(changed("Message", "{}"), Err("403 wrong_signature"));
    check(changed("Subject", "another"), Err("403 wrong_signature"));
    check(changed("Timestamp", "2026-03-27T08:00:03.000Z"), Err("403 wrong_signature"));
    check(changed("SignatureVersion", "1"), Err("403 wrong_signature"));
    check(changed("SignatureVersion", "3"), Err("403 wrong_signature"));
    check(changed("Signature", ""), Err("403 wrong_signature"));
    check(changed("SigningCertURL", "https://evil.example/SimpleNotificationService-0a1b2c.pem"), Err("403 wrong_signature"));
    check(changed("TopicArn", "arn:aws:sns:eu-west-1:666666666666:bounces"), Err("403 wrong_topic"));
    check(ses(&json!({ "notificationType": "Bounce" }), NOW, &certificates), Err("400 missing"));
    assert_eq!(amazon.asked.lock().unwrap().len(), 2, "nobody else is asked");
    let gone = Certificates::new(Arc::new(Amazon { gone: true, ..Amazon::default() }));
    check(ses(&VECTORS["sns"]["first"], NOW, &gone), Err("503 unavailable"));
}

#[test]
fn what_ses_says_of_a_bounce() {
    let headers = HeaderMap::new();
    let read = |message: Value| Ok(super::ses::notices(&message, &told(&headers, b"", NOW)));
    let bounce = |kind: &str, sub: &str, code: &str| {
        json!({
            "eventType": "Bounce",
            "bounce": { "bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [{ "emailAddress": "a@b", "diagnosticCode": code }] },
            "mail": { "source": "s", "headers": [{ "name": "Message-Id", "value": "<1.1.x.y@z>" }], "commonHeaders": { "messageId": "<0@eu-west-1.amazonses.com>" } },
        })
    };
    for (kind, sub, code, what) in [
        ("Permanent", "General", "", "HardBounce"),
        ("Permanent", "General", "smtp; 550 5.7.1 policy", "Blocked"),
        ("Permanent", "NoEmail", "", "HardBounce"),
        ("Permanent", "OnAccountSuppressionList", "", "HardBounce"),
        ("Transient", "MailboxFull", "", "SoftBounce"),
        ("Transient", "General", "550 5.1.1 user unknown", "SoftBounce"),
        ("Transient", "ContentRejected", "", "Blocked"),
        ("Transient", "MessageTooLarge", "", "Blocked"),
        ("Undetermined", "Undetermined", "", "SoftBounce"),
    ] {
        check(read(bounce(kind, sub, code)), Ok(&[&format!("{what} {sub} a@b 1.1.x.y@z")]));
    }
    let token = crate::tokens::Signer::new("secret").sign_return(crate::state::MessageId(7));
    let complaint = |kind: &str| {
        let source = format!("bounces+{token}@shop.example");
        let complaint = json!({ "complainedRecipients": [{ "emailAddress": "a@b" }], "complaintFeedbackType": kind });
        json!({ "notificationType": "Complaint", "complaint": complaint, "mail": { "source": source } })
    };
    check(read(complaint("abuse")), Ok(&[&format!("Complaint abuse a@b {token}")]));
    check(read(complaint("not-spam")), Ok(&[]));
    let delivery = json!({ "notificationType": "Delivery", "delivery": { "recipients": ["a@b"] }, "mail": {} });
    check(read(delivery), Ok(&["Delivered - a@b -"]));
    for nothing in [json!({}), json!([]), json!("text"), json!({ "eventType": "Open" }), json!({ "eventType": "Bounce" })] {
        check(read(nothing), Ok(&[]));
    }
}

#[test]
fn what_sendgrid_says_of_a_bounce() {
    let headers = HeaderMap::new();
    for (event, kind, status, reason, what) in [
        ("bounce", "bounce", "5.1.1", "", Some("HardBounce")),
        ("bounce", "bounce", "5.2.2", "full", Some("SoftBounce")),
        ("bounce", "bounce", "", "something odd", Some("HardBounce")),
        ("bounce", "bounce", "5.7.1", "", Some("Blocked")),
        ("bounce", "blocked", "4.4.1", "timed out", Some("SoftBounce")),
        ("bounce", "blocked", "5.1.1", "", Some("SoftBounce")),
        ("bounce", "blocked", "5.7.1", "", Some("Blocked")),
        ("blocked", "", "5.7.1", "", Some("Blocked")),
        ("dropped", "", "", "Bounced Address", Some("HardBounce")),
        ("dropped", "", "", "Spam Reporting Address", Some("Complaint")),
        ("dropped", "", "", "Unsubscribed Address", Some("Blocked")),
        ("delivered", "", "", "250 ok", Some("Delivered")),
        ("deferred", "", "", "", None),
        ("processed", "", "", "", None),
    ] {
        let given = json!({ "event": event, "type": kind, "status": status, "reason": reason });
        let read = sendgrid::one(&given, &told(&headers, b"", NOW));
        assert_eq!(read.map(|notice| format!("{:?}", notice.what)).as_deref(), what, "{given}");
    }
}
