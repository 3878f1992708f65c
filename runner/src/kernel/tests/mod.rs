//! The kernel by example: a project, a timeline, and what happens, on virtual time with the production engine and both stores.

mod agreeing;
mod audience;
mod consenting;
mod dispatching;
mod entering;
mod experimenting;
mod flipping;
mod joining;
mod living;
mod reaching;
mod returning;
mod stepping;
mod timing;
mod tracking;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dsl::time::Duration;
use serde_json::{Map, Value, json};

use super::{Happening, Input, Kernel, Observer, Options, Plan};
use crate::channels::{Outcome, Refusal, Report};
use crate::ingest::{ContactInput, Occurrence, What};
use crate::state::LogKind;
use crate::store::InboxItem;
use crate::store::both::Both;

/// Virtual time starts here unless a test says otherwise: Friday 27 March 2026, 09:00 in Berlin, two days before the clocks change.
const START: &str = "2026-03-27T09:00:00+01:00";

const SETTINGS: &str = "project: shop\ntime_zone: Europe/Berlin\ncontract: open\nlimits: { spread: 0 minutes }\ntopics: { offers: { default: subscribed }, news: { default: unsubscribed } }\n";

/// One contact's world on virtual time.
struct World {
    kernel: Kernel,
    seen: Arc<Mutex<Vec<String>>>,
    start: i64,
    now: i64,
    files: BTreeMap<String, String>,
    /// What the channel answers to the next attempts, by address; then `Sent`.
    replies: BTreeMap<String, Vec<Outcome>>,
    /// What calls are answered.
    answer: Option<Value>,
    /// What failures say of the recipient.
    refusal: Option<Refusal>,
}

struct Notes(Arc<Mutex<Vec<String>>>, i64);

impl Observer for Notes {
    fn happened(&mut self, happening: &Happening<'_>) {
        let at = Duration(happening.at - self.1);
        let what = match happening.kind {
            LogKind::Send => {
                let message = happening.message.unwrap();
                let status = happening.detail.get("status").map(|status| format!(" {status}")).unwrap_or_default();
                format!("send {}{status}", message.template)
            }
            LogKind::Call => {
                let status = happening.detail.get("status").map(|status| format!(" {status}")).unwrap_or_default();
                format!("call{status}")
            }
            LogKind::Skip => format!("skip {} {}", happening.step, happening.detail["reason"].as_str().unwrap()),
            LogKind::Wait => return,
            LogKind::Enter => format!("enter {}", happening.workflow),
            LogKind::Exit => {
                let detail = happening.detail.get("detail").and_then(Value::as_str).map(|detail| format!(": {detail}"));
                format!("exit {}{}", happening.detail["reason"].as_str().unwrap(), detail.unwrap_or_default())
            }
            LogKind::Branch => format!("branch {}", happening.detail["taken"]),
            LogKind::Set => format!("set {}", happening.detail["set"]),
            kind => kind.word().to_owned(),
        };
        let who = if happening.contact == "ada" { String::new() } else { format!("{}: ", happening.contact) };
        self.0.lock().unwrap().push(format!("{at} {who}{what}"));
    }
}

fn plan(files: &BTreeMap<String, String>, previous: Option<&Plan>) -> Arc<Plan> {
    let compiled = dsl::compile(&dsl::ProjectFiles::from_texts(files.clone()));
    let Some(catalog) = compiled.catalog else { panic!("{:#?}", compiled.diagnostics) };
    Arc::new(Plan::new(Arc::new(catalog), previous).unwrap())
}

impl World {
    /// `workflow` is the file workflows/w.yaml without its first line: the name is `w`. Templates `a`, `b` and `c` exist.
    fn new(workflow: &str) -> World {
        World::with(SETTINGS, &[("workflows/w.yaml", &format!("workflow: w\n{workflow}"))], START)
    }

    fn with(settings: &str, more: &[(&str, &str)], start: &str) -> World {
        let mut files = BTreeMap::from([("campaignd.yaml".to_owned(), settings.to_owned())]);
        for name in ["a", "b", "c"] {
            let text = format!("---\nsubject: Message {name}\n---\nHello {{{{contact.id}}}}.\n");
            files.insert(format!("templates/{name}.txt.hbs"), text);
        }
        for (path, text) in more {
            files.insert((*path).to_owned(), (*text).to_owned());
        }
        let start = start.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let options = Options { observer: Some(Box::new(Notes(seen.clone(), start))), ..Options::default() };
        let kernel = Kernel::open(Box::new(Both::new()), plan(&files, None), options, start).unwrap();
        let mut world = World { kernel, seen, start, now: start, files, replies: BTreeMap::new(), answer: None, refusal: None };
        world.contact(json!({ "id": "ada", "email": "ada@example.com" }));
        world
    }

    fn contact(&mut self, mut fields: Value) -> &mut Self {
        let mut take = |name: &str| fields.as_object_mut().unwrap().remove(name);
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
        let input = ContactInput {
            id: text(take("id")).unwrap(),
            email: text(take("email")),
            phone: text(take("phone")),
            locale: text(take("locale")),
            time_zone: text(take("time_zone")),
            topics: take("topics").map(|topics| serde_json::from_value(topics).unwrap()),
            attributes: serde_json::from_value(fields).unwrap(),
        };
        self.feed(Input::Contact(input))
    }

    /// At this time after the start: `name` happens to ada.
    fn event(&mut self, at: &str, name: &str, properties: Value) -> &mut Self {
        let properties: Map<String, Value> = serde_json::from_value(properties).unwrap();
        self.happens(at, "ada", What::Event { name: name.to_owned(), properties, id: None })
    }

    fn happens(&mut self, at: &str, who: &str, what: What) -> &mut Self {
        self.until(at);
        let at = self.start + Duration::parse(at).unwrap().millis();
        self.now = at;
        self.feed(Input::Occurrence(Occurrence { at, contact: who.to_owned(), anonymous: false, what }))
    }

    fn feed(&mut self, input: Input) -> &mut Self {
        self.settle(vec![input]);
        self
    }

    /// Lets everything happen that comes before this time.
    fn until(&mut self, at: &str) -> &mut Self {
        let end = self.start + Duration::parse(at).unwrap().millis();
        while let Some(wake) = self.kernel.next_wake().unwrap().filter(|wake| *wake < end) {
            self.now = self.now.max(wake);
            self.settle(Vec::new());
        }
        self.now = self.now.max(end);
        self
    }

    /// The runner is down until this time.
    fn sleeps_until(&mut self, at: &str) -> &mut Self {
        self.now = self.start + Duration::parse(at).unwrap().millis();
        self.settle(Vec::new());
        self
    }

    fn settle(&mut self, mut inputs: Vec<Input>) {
        loop {
            let turn = self.kernel.turn(self.now, &inputs).unwrap();
            inputs.clear();
            for (_, job) in turn.jobs {
                let content = (job.compose)();
                let outcome = match content {
                    Err(error) => Outcome::Failed(error),
                    Ok(_) => match self.replies.get_mut(&job.envelope.to) {
                        Some(replies) if !replies.is_empty() => replies.remove(0),
                        _ => Outcome::Sent,
                    },
                };
                let answer = self.answer.clone().filter(|_| outcome == Outcome::Sent);
                let refusal = self.refusal.clone().filter(|_| matches!(outcome, Outcome::Failed(_)));
                let report = Report { answer, refusal, ..Report::new(job.message, None, outcome, std::time::Duration::ZERO) };
                inputs.push(Input::Report(report));
            }
            if inputs.is_empty() && !turn.more {
                return;
            }
        }
    }

    /// Puts an edited file (an empty text: a removed one) in force.
    fn edit(&mut self, at: &str, path: &str, text: &str) -> &mut Self {
        self.until(at);
        if text.is_empty() {
            self.files.remove(path);
        } else {
            self.files.insert(path.to_owned(), text.to_owned());
        }
        let new = plan(&self.files, Some(self.kernel.plan()));
        self.kernel.reload(new, self.now).unwrap();
        self.settle(Vec::new());
        self
    }

    /// Another process leaves something to be done.
    fn ask(&mut self, at: &str, item: InboxItem) -> &mut Self {
        self.until(at);
        self.kernel.transaction(self.now, |kernel| kernel.store.push_inbox(&item, kernel.now)).unwrap();
        self.kernel.inbox = true;
        self.settle(Vec::new());
        self
    }

    /// Lets the rest happen, up to this time, and compares everything that happened but waits.
    #[track_caller]
    fn check(&mut self, end: &str, expected: &[&str]) {
        self.until(end);
        let seen = self.seen.lock().unwrap();
        assert_eq!(*seen, expected, "\nseen: {seen:#?}");
    }
}
