//! The SMTP channel against servers that behave and servers that do not.

mod answers;
mod connections;
mod envelopes;
mod security;
mod server;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::super::{
    ChannelOptions, ChannelPool, Content, Delivery, Envelope, Job, Outcome, Report, SenderOptions, SmtpUrl, Timeouts,
};
use crate::state::MessageId;
use server::Act::{Close, Hang, Say, SayAndClose, Stall};
use server::{Rule, Seen, Server, Traits};

const LONG: Duration = Duration::from_secs(20);
/// For servers that fall silent after a long message has been made and given.
const PATIENT: Duration = Duration::from_millis(1500);
const SHORT: Duration = Duration::from_millis(400);

fn timeouts(all: Duration) -> Timeouts {
    Timeouts { connect: LONG, command: all, content: all, idle: LONG }
}

fn start(url: &str, connections: usize, timeouts: Timeouts) -> (ChannelPool, UnboundedReceiver<Report>) {
    let (sender, reports) = unbounded_channel();
    let options = ChannelOptions {
        connections,
        delivery: Delivery::Smtp(SmtpUrl::parse(url).unwrap()),
        sender: SenderOptions { from: Some("Shop <shop@test.example>".to_owned()), ..SenderOptions::default() },
        hello: "runner.test".to_owned(),
        timeouts,
    };
    let report = Arc::new(move |report| sender.send(report).unwrap());
    (ChannelPool::start("email", &options, report, &Handle::current()).unwrap(), reports)
}

fn job(number: usize, to: &str, text: &str) -> Job {
    let content =
        Content { subject: Some(format!("Mail {number}")), html: None, text: Some(text.to_owned()), ..Content::default() };
    Job {
        message: MessageId(number as i64),
        envelope: Envelope {
            to: to.to_owned(),
            message_id: format!("{number}.1.step.store@test.example"),
            date: 0,
            headers: Vec::new(),
            ..Envelope::default()
        },
        compose: Box::new(move || Ok(content)),
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent => "sent".to_owned(),
        Outcome::Deferred(why) => format!("deferred: {why}"),
        Outcome::Failed(why) => format!("failed: {why}"),
        Outcome::Unknown(why) => format!("unknown: {why}"),
    }
}

/// Sends to each recipient in turn over one connection of a channel; each outcome must begin with the kind and hold the words
/// that are expected of it: `deferred: 450`.
async fn run(traits: Traits, rules: &[Rule], expected: &[(&str, &str)]) -> Seen {
    let server = Server::start(traits, rules).await;
    let hangs = rules.iter().any(|rule| matches!(rule.1, Hang));
    let patience = timeouts(if hangs { SHORT } else { LONG });
    let (pool, mut reports) = start(&server.url(), 1, patience);
    for (number, (to, expected)) in expected.iter().enumerate() {
        pool.submit(job(number, to, "Hello"));
        let report = reports.recv().await.unwrap();
        let found = words(&report.outcome);
        let (kind, holds) = expected.split_once(": ").unwrap_or((expected, ""));
        assert!(found.starts_with(kind) && found.contains(holds), "{rules:?}: {found}, not {expected}");
        assert_eq!((report.message, report.subject), (MessageId(number as i64), Some(format!("Mail {number}"))));
    }
    pool.close(LONG).await;
    server.seen()
}

/// As [`run`], with a server that offers PIPELINING and one that does not; the server must have taken `taken` messages over
/// `connections` connections.
async fn check(rules: &[Rule], expected: &[(&str, &str)], taken: usize, connections: usize) {
    for pipelining in [true, false] {
        let seen = run(Traits { pipelining, ..Traits::default() }, rules, expected).await;
        assert_eq!((seen.mails.len(), seen.connections), (taken, connections), "{rules:?}, {pipelining}: {seen:?}");
    }
}

const A: &str = "a@test.example";
