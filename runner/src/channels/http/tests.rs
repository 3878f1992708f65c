//! Requests as the settings write them and as providers want them, made to a server that stands in for the provider.

mod calls;
mod presets;

use std::sync::Arc;

use dsl::model::DeliveryBody;
use dsl::time::Duration as Span;
use tokio::runtime::Handle;
use tokio::sync::mpsc::unbounded_channel;

use super::super::{ChannelOptions, ChannelPool, Delivery, Job, Report, SenderOptions, Timeouts};
use super::*;
use crate::http_client::test_server::{Act, Server, plain, start};
use crate::state::MessageId;

/// What the server was asked, and what became of each message.
struct Ran {
    requests: Vec<String>,
    reports: Vec<Report>,
}

impl Ran {
    /// The body of a request.
    fn body(&self, at: usize) -> &str {
        self.requests[at].split_once("\r\n\r\n").unwrap().1
    }

    fn header(&self, at: usize, name: &str) -> Option<&str> {
        let head = self.requests[at].split_once("\r\n\r\n").unwrap().0;
        head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }
}

/// Carries messages one after the other over a channel whose options may name the server as `URL`, with one answer for each request.
async fn run(way: impl FnOnce(&str) -> HttpWay, messages: Vec<(&str, Content)>, answers: Vec<Act>) -> Ran {
    let server: Server = start(answers, None).await;
    let way = way(&format!("http://127.0.0.1:{}", server.port));
    let options = ChannelOptions {
        connections: 1,
        delivery: Delivery::Http(HttpOptions { private_hosts: vec!["127.0.0.1".to_owned()], way }),
        sender: SenderOptions::default(),
        hello: "runner.test".to_owned(),
        timeouts: Timeouts::default(),
    };
    let (sender, mut reported) = unbounded_channel();
    let report = Arc::new(move |report| sender.send(report).unwrap());
    let pool = ChannelPool::start("sms", &options, report, &Handle::current()).unwrap();
    let mut reports = Vec::new();
    for (number, (to, content)) in (7..).zip(messages) {
        let message_id = format!("{number}.1.hello.ab12@shop.example");
        let envelope = Envelope { to: to.to_owned(), message_id, ..Envelope::default() };
        pool.submit(Job { message: MessageId(number), envelope, compose: Box::new(move || Ok(content)) });
        reports.push(reported.recv().await.unwrap());
    }
    pool.close(Duration::from_secs(20)).await;
    let requests = server.seen.lock().unwrap().iter().map(|(_, request)| request.clone()).collect();
    Ran { requests, reports }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent => "sent".to_owned(),
        Outcome::Deferred(why) => format!("deferred: {why}"),
        Outcome::Failed(why) => format!("failed: {why}"),
        Outcome::Unknown(why) => format!("unknown: {why}"),
    }
}

fn content(body: &str, data: Value) -> Content {
    Content { text: Some(body.to_owned()), data: Some(data), ..Content::default() }
}

fn delivery(url: &str, json: Value) -> HttpDelivery {
    HttpDelivery {
        url: Secret(url.to_owned()),
        headers: BTreeMap::new(),
        body: DeliveryBody::Json(json.as_object().unwrap().clone()),
        sign: None,
        timeout: Span(300),
    }
}

#[tokio::test]
async fn a_request_is_filled_in_and_data_stays_data() {
    let way = |server: &str| {
        let json = json!({
            "to": "{{contact.phone}}", "text": "{{body}}", "{{key}}": ["{{n}}", 7, null, { "id": "{{message.id}}" }],
            "subject": "{{default subject \"-\"}}", "at": "{{to}}",
        });
        let mut delivery = delivery(&format!("{server}/v1/{{{{contact.phone}}}}?x={{{{n}}}}"), json);
        delivery.headers = BTreeMap::from([("X-Name".to_owned(), Secret("Ada {{contact.name}}".to_owned()))]);
        HttpWay::Request(delivery)
    };
    let data = |name: &str| json!({ "contact": { "phone": "+49 1/..?\"}", "name": name }, "n": 7, "message": { "id": "m" } });
    let messages = vec![
        ("+49 1", content("Hi \"you\"\n", data("Lovelace"))),
        ("+49 1", content("Hi", data("a\r\nX-Evil: 1"))),
        ("+49 1", content("Hi", json!({ "contact": {} }))),
    ];
    let ran = run(way, messages, vec![plain("202 Accepted", "", "")]).await;
    let outcomes: Vec<String> = ran.reports.iter().map(|report| words(&report.outcome)).collect();
    assert_eq!(outcomes[0], "sent");
    assert!(outcomes[1].starts_with("failed: the header x-name would hold a line break"), "{outcomes:?}");
    assert!(outcomes[2].contains("`contact.phone` is missing") && outcomes[2].contains("channels.sms.deliver"), "{outcomes:?}");
    assert_eq!(ran.requests.len(), 1);
    assert!(ran.requests[0].starts_with("POST /v1/%2B49%201%2F..%3F%22%7D?x=7 HTTP/1.1\r\n"), "{}", ran.requests[0]);
    let expected = json!({
        "to": "+49 1/..?\"}", "text": "Hi \"you\"\n", "{{key}}": ["7", 7, null, { "id": "m" }], "subject": "-", "at": "+49 1",
    });
    assert_eq!(serde_json::from_str::<Value>(ran.body(0)).unwrap(), expected);
    assert_eq!(ran.header(0, "idempotency-key"), Some("7.1.hello.ab12"));
    assert_eq!(ran.header(0, "x-name"), Some("Ada Lovelace"));
    assert_eq!(ran.header(0, "content-type"), Some("application/json"));
    assert_eq!(ran.header(0, "webhook-id"), None);
}

#[tokio::test]
async fn form_fields_and_signatures() {
    let way = |server: &str| {
        let fields = [("to", "{{to}}"), ("text", "{{body}}")].map(|(name, text)| (name.to_owned(), Secret(text.to_owned())));
        let body = DeliveryBody::Form(fields.into());
        let sign = Some(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()));
        HttpWay::Request(HttpDelivery { body, sign, ..delivery(server, json!({})) })
    };
    let ran = run(way, vec![("+49", content("a&to=b c", json!({})))], vec![plain("200 OK", "", "")]).await;
    assert_eq!(ran.body(0), "text=a%26to%3Db+c&to=%2B49");
    assert_eq!(ran.header(0, "webhook-id"), Some("7.1.hello.ab12"));
    let now: i64 = ran.header(0, "webhook-timestamp").unwrap().parse().unwrap();
    let key = SigningKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let [_, _, (_, signature)] = key.headers("7.1.hello.ab12", now * 1000, ran.body(0));
    assert_eq!(ran.header(0, "webhook-signature"), Some(signature.as_str()));
}

#[tokio::test]
async fn an_answer_decides_and_silence_leaves_a_doubt() {
    let check = async |answers: Vec<Act>, expected: &str| {
        let ran = run(|server| HttpWay::Request(delivery(server, json!({}))), vec![("", content("x", json!({})))], answers).await;
        let found = words(&ran.reports[0].outcome);
        assert!(found.starts_with(expected), "{found}, not {expected}");
    };
    check(vec![plain("200 OK", "", "")], "sent").await;
    check(vec![plain("429 Slow", "Retry-After: 9\r\n", "")], "deferred: the server answered 429, retry after 9").await;
    check(vec![plain("500 No", "", "")], "deferred").await;
    check(vec![plain("301 Moved", "Location: /x\r\n", "")], "failed: the server answered 301").await;
    check(vec![plain("422 No", "", r#"{"code":"bad_number"}"#)], "failed: the server answered 422, error bad_number").await;
    check(vec![], "unknown: after the request had been given, there was no answer").await;
    check(vec![(Vec::new(), true)], "unknown: after the request had been given, the connection was lost").await;
    for (url, expected) in [
        ("http://127.0.0.1:1/", "deferred: the host to call could not be connected to"),
        ("http://localhost:1/", "failed: the address to call leads into a private network"),
        ("{{contact.hook}}", "failed: the address to call leads into a private network"),
        ("http://{{contact.host}}/", "failed: the host of the address to call is no host name"),
    ] {
        let data = json!({ "contact": { "hook": "http://169.254.169.254/latest?secret", "host": "a@127.0.0.1" } });
        let ran = run(|_| HttpWay::Request(delivery(url, json!({}))), vec![("", content("x", data))], Vec::new()).await;
        let found = words(&ran.reports[0].outcome);
        assert!(found.starts_with(expected) && !found.contains("169.254") && !found.contains("secret"), "{found}");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_the_start() {
    let preset = |preset, options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, text)| ((*name).to_owned(), Secret((*text).to_owned()))).collect();
        HttpWay::Preset(preset, options)
    };
    let mut bad_sign = delivery("https://x", json!({}));
    bad_sign.sign = Some(Secret("whsec_%secret%".to_owned()));
    for (way, expected) in [
        (HttpWay::Request(delivery("https://x/{{", json!({}))), "can't be compiled"),
        (HttpWay::Request(delivery("https://x", json!({ "a": ["{{#if}}"] }))), "can't be compiled"),
        (HttpWay::Request(bad_sign), "no base64 behind whsec_"),
        (preset(Preset::Twilio, &[("account", "secret")]), "the option `token` is missing"),
        (preset(Preset::Fcm, &[("service_account", "{\"secret\": 1}")]), "no key file of a Google service account"),
    ] {
        let error = Way::read("sms", &HttpOptions { private_hosts: Vec::new(), way }).err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("secret\""), "{error}");
    }
}
