//! What must come of a test.

use serde_json::{Map, Value, json};

use super::Reader;
use super::index::Ids;
use crate::lower::WorkflowUnit;
use crate::model::StepKind;
use crate::model::journey::{Expectation, Expected, ExpectedMessage, When};
use crate::place::{At, list};
use crate::surface::OneOrMany;
use crate::surface::journey as written;
use crate::surface::journey::{CallStatus, ExitReason, Seen, SendStatus, SkipReason};

/// What the expectations of a test may speak of.
pub(super) struct Scope<'s> {
    pub ids: &'s Ids,
    pub all_workflows: bool,
    /// ms since 1970 UTC.
    pub until: Option<i64>,
}

impl<'a> Reader<'a> {
    pub(super) fn expectations(&mut self, all: &[written::Expectation], scope: &Scope<'_>, at: &At<'_>) -> Vec<Expectation> {
        let mut earliest = i64::MIN;
        let mut expectations = Vec::with_capacity(all.len());
        for (index, expectation) in all.iter().enumerate() {
            let at = at.item(index);
            let seen = seen(expectation);
            let when = self.when(seen, &at);
            let first = when.map(|when| match when {
                When::At(time) | When::Between(time, _) => time,
            });
            if let Some(first) = first.filter(|_| self.whole) {
                let place = if seen.at.is_some() { at.key("at") } else { at.key("between") };
                if first < earliest {
                    let help = "put the expectations into the order in which they happen";
                    let message = "this is earlier than the expectation above it".to_owned();
                    self.error("test-order", &place, message, Some(help.to_owned()));
                } else if first < self.start {
                    self.error("test-time", &place, "nothing happens before the start".to_owned(), None);
                } else if scope.until.is_some_and(|until| first >= until) {
                    let help = "let the test go on for longer";
                    self.error(
                        "test-time",
                        &place,
                        "the test ends before this, by its `until`".to_owned(),
                        Some(help.to_owned()),
                    );
                }
                earliest = earliest.max(first);
            }
            if let Some(id) = seen.contact {
                self.person(id, scope.ids, &at.key("contact"));
            }
            let workflow = match seen.workflow {
                Some(name) => Where::In(self.workflow_named(name, &at.key("workflow"))),
                None if scope.all_workflows => Where::Anywhere,
                None => Where::In(self.workflow),
            };
            expectations.push(Expectation {
                at: at.location(),
                text: at.value().map(|value| flow(value, &at)).unwrap_or_default(),
                when,
                contact: seen.contact.cloned(),
                workflow: seen.workflow.cloned(),
                what: self.expected(expectation, workflow, &at),
            });
        }
        expectations
    }

    fn when(&mut self, seen: Seen<'_>, at: &At<'_>) -> Option<When> {
        match (seen.at, seen.between) {
            (Some(_), Some(_)) => {
                self.error_at("test-time", at.key("between").key_location(), "`at` and `between` both say when".to_owned(), None);
                None
            }
            (Some(text), None) => self.time(text, &at.key("at")).map(When::At),
            (None, Some([first, last])) => {
                let place = at.key("between");
                let (first, last) = (self.time(first, &place.item(0))?, self.time(last, &place.item(1))?);
                if first > last {
                    self.error("test-time", &place, "the first of the two is later than the second".to_owned(), None);
                }
                Some(When::Between(first, last))
            }
            (None, None) => None,
        }
    }

    fn expected(&mut self, expectation: &written::Expectation, workflow: Where<'a>, at: &At<'_>) -> Expected {
        use written::Expectation as E;
        let mut step = |kind: &str, id: &String, detail: Map<String, Value>| {
            self.step(Some(kind), id, workflow, &at.key(kind));
            Expected::Step { kind: Some(kind.to_owned()), step: id.clone(), detail }
        };
        match expectation {
            E::Send(send) => Expected::Send(self.message(send, workflow, at)),
            E::Skip(skip) => {
                self.sent(&skip.skip, skip.step.as_ref(), workflow, at, "skip");
                let channel = self.named_channel(skip.channel.as_ref(), at);
                let reason = skip.reason.map(|reason| skip_word(reason).to_owned());
                Expected::Skip { template: skip.skip.clone(), step: skip.step.clone(), reason, channel }
            }
            E::Exit(exit) => Expected::Exit { reason: exit_word(exit.exit).to_owned(), detail: exit.detail.clone() },
            E::Enter(_) => Expected::Enter,
            E::Goal(_) => Expected::Goal,
            E::Wait(wait) => {
                let until = wait.until.as_ref().and_then(|until| self.time(until, &at.key("until")));
                self.step(Some("wait"), &wait.wait, workflow, &at.key("wait"));
                let detail = until.map(|until| ("until".to_owned(), json!(until))).into_iter().collect();
                Expected::Step { kind: Some("wait".to_owned()), step: wait.wait.clone(), detail }
            }
            E::Branch(branch) => {
                self.step(Some("branch"), &branch.branch, workflow, &at.key("branch"));
                let taken = branch.taken.as_ref().map(|taken| self.taken(&taken.0, &branch.branch, workflow, &at.key("taken")));
                let detail = taken.map(|taken| ("taken".to_owned(), taken)).into_iter().collect();
                Expected::Step { kind: Some("branch".to_owned()), step: branch.branch.clone(), detail }
            }
            E::Assign(assign) => step("assign", &assign.assign, said("variant", assign.variant.as_ref())),
            E::Set(set) => {
                let values = set.values.clone().map(|values| ("set".to_owned(), Value::Object(values)));
                step("set", &set.set, values.into_iter().collect())
            }
            E::Record(record) => step("record", &record.record, said("event", record.event.as_ref())),
            E::Subscribe(form) => step("subscribe", &form.subscribe, Map::new()),
            E::Unsubscribe(form) => step("unsubscribe", &form.unsubscribe, Map::new()),
            E::Start(form) => step("start", &form.start, Map::new()),
            E::Call(call) => {
                let status = call.status.map(|status| match status {
                    CallStatus::Called => "called".to_owned(),
                    CallStatus::Failed => "failed".to_owned(),
                });
                step("call", &call.call, said("status", status.as_ref()))
            }
            E::Step(form) => {
                self.step(None, &form.step, workflow, &at.key("step"));
                Expected::Step { kind: None, step: form.step.clone(), detail: Map::new() }
            }
        }
    }

    fn message(&mut self, send: &written::ExpectedSend, workflow: Where<'a>, at: &At<'_>) -> ExpectedMessage {
        self.sent(&send.send, send.step.as_ref(), workflow, at, "send");
        if let Some(snapshot) = &send.snapshot {
            let good = snapshot.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) && !snapshot.starts_with('.');
            if !good || snapshot.is_empty() || snapshot.len() > 100 {
                let help = "use letters, digits, and -, _ or . between them";
                let message = format!("`{snapshot}` is no good name for a file");
                self.error("invalid-name", &at.key("snapshot"), message, Some(help.to_owned()));
            } else if !self.snapshots.insert(snapshot.clone()) {
                let message = format!("there are two snapshots `{snapshot}` in this file");
                self.error("duplicate-name", &at.key("snapshot"), message, None);
            }
        }
        let texts = |texts: &Option<OneOrMany<String>>| match texts {
            None => Vec::new(),
            Some(OneOrMany::One(text)) => vec![text.clone()],
            Some(OneOrMany::Many(texts)) => texts.clone(),
        };
        let status = match send.status {
            None | Some(SendStatus::Sent) => "sent",
            Some(SendStatus::Failed) => "failed",
            Some(SendStatus::Unknown) => "unknown",
        };
        ExpectedMessage {
            template: send.send.clone(),
            step: send.step.clone(),
            subject: texts(&send.subject),
            body: texts(&send.body),
            to: send.to.clone(),
            channel: self.named_channel(send.channel.as_ref(), at),
            status: status.to_owned(),
            snapshot: send.snapshot.clone(),
        }
    }

    fn named_channel(&mut self, channel: Option<&String>, at: &At<'_>) -> Option<String> {
        let channel = channel?;
        let settings = self.project.settings;
        if let Some(settings) = settings.filter(|settings| !settings.channels.contains_key(channel)) {
            let help = self.suggestion(channel, settings.channels.keys().map(String::as_str), "channels");
            self.error("unknown-channel", &at.key("channel"), format!("campaignd.yaml has no channel `{channel}`"), help);
        }
        Some(channel.clone())
    }

    /// A message that the workflow sends, and the step that does.
    fn sent(&mut self, template: &str, step: Option<&String>, workflow: Where<'a>, at: &At<'_>, verb: &str) {
        let unit = match workflow {
            Where::In(None) => return,
            Where::In(unit) => unit,
            Where::Anywhere => None,
        };
        let steps = self.steps_of(unit);
        if !steps.sent.contains(template) {
            let by_step = steps.by_id.get(template).filter(|_| unit.is_some()).and_then(|steps| steps.first());
            let sends = by_step.and_then(|step| match &step.kind {
                StepKind::Send(send) => Some(format!("write `{verb}: {}, step: {template}`", send.template)),
                _ => None,
            });
            let help = sends.or_else(|| self.suggestion(template, steps.sent.iter().copied(), "it sends"));
            let message = match unit {
                Some(unit) => format!("`{}` sends no message `{template}`", unit.model.name),
                None => format!("no workflow sends a message `{template}`"),
            };
            self.error("unknown-template", &at.key(verb), message, help);
        }
        if let Some(step) = step {
            self.step(Some("send"), step, workflow, &at.key("step"));
        }
    }

    /// A step of a kind, by the word that outputs have for it.
    fn step(&mut self, kind: Option<&str>, id: &str, workflow: Where<'a>, at: &At<'_>) {
        let steps = match workflow {
            Where::In(None) => return,
            Where::In(unit) => self.steps_of(unit),
            Where::Anywhere => self.steps_of(None),
        };
        let named = steps.by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        let fitting = |step: &&&crate::model::Step| kind.is_none_or(|kind| words(&step.kind).contains(&kind));
        if steps.unsure || named.iter().any(|step| fitting(&step)) {
            return;
        }
        let (message, help) = match (named.first(), kind) {
            (Some(step), Some(kind)) => {
                (format!("the step `{id}` does no `{kind}`"), Some(format!("what it does: {}", list(words(&step.kind)))))
            }
            _ => {
                let ids = steps.in_order.iter().filter(fitting).map(|step| step.id.as_str());
                (format!("there is no step `{id}`"), self.suggestion(id, ids, "steps"))
            }
        };
        self.error("test-name", at, message, help);
    }

    /// What was taken, as outputs have it.
    fn taken(&mut self, taken: &Value, id: &str, workflow: Where<'a>, at: &At<'_>) -> Value {
        let Where::In(Some(unit)) = workflow else { return normal(taken) };
        let steps = self.steps_of(Some(unit));
        let (fits, allowed) = match steps.by_id.get(id).and_then(|steps| steps.first()).map(|step| &step.kind) {
            Some(StepKind::Branch { cases }) => {
                let number = taken.as_u64().and_then(|number| usize::try_from(number).ok());
                let fits = number.is_some_and(|number| (1..=cases.len()).contains(&number)) || taken.as_str() == Some("none");
                (fits, format!("write the number of a case, from 1 to {}, or `none`", cases.len()))
            }
            Some(StepKind::WaitFor { .. }) => {
                (matches!(taken.as_str(), Some("then" | "otherwise")), "write `then` or `otherwise`".to_owned())
            }
            _ => (true, String::new()),
        };
        if !fits {
            self.error("test-name", at, format!("`{id}` has nothing that could be taken by this"), Some(allowed));
        }
        normal(taken)
    }
}

/// Which workflow is meant.
#[derive(Clone, Copy)]
enum Where<'a> {
    /// `None`: one of which nothing is known.
    In(Option<&'a WorkflowUnit>),
    Anywhere,
}

fn normal(taken: &Value) -> Value {
    if taken.as_str() == Some("none") { Value::Null } else { taken.clone() }
}

fn said(key: &str, value: Option<&String>) -> Map<String, Value> {
    value.map(|value| (key.to_owned(), json!(value))).into_iter().collect()
}

/// What outputs say of a step's doing.
fn words(kind: &StepKind) -> &'static [&'static str] {
    match kind {
        StepKind::Send(_) => &["send", "skip"],
        StepKind::Wait(_) | StepKind::Repeat(_) => &["wait"],
        StepKind::WaitFor { .. } => &["wait", "branch"],
        StepKind::Branch { .. } => &["branch"],
        StepKind::Experiment { .. } => &["assign"],
        StepKind::Set(_) => &["set"],
        StepKind::Consent { subscribe: true, .. } => &["subscribe"],
        StepKind::Consent { subscribe: false, .. } => &["unsubscribe"],
        StepKind::Record { .. } => &["record"],
        StepKind::Call(_) => &["call"],
        StepKind::Start { .. } => &["start"],
        StepKind::Exit { .. } => &["exit"],
    }
}

fn skip_word(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::NoAddress => "no_address",
        SkipReason::Suppressed => "suppressed",
        SkipReason::Unsubscribed => "unsubscribed",
        SkipReason::Erased => "erased",
        SkipReason::Capped => "capped",
        SkipReason::Overdue => "overdue",
        SkipReason::NoOpening => "no_opening",
    }
}

fn exit_word(reason: ExitReason) -> &'static str {
    match reason {
        ExitReason::Completed => "completed",
        ExitReason::Goal => "goal",
        ExitReason::ExitWhen => "exit_when",
        ExitReason::Exit => "exit",
        ExitReason::Unreachable => "unreachable",
        ExitReason::Overdue => "overdue",
        ExitReason::Failed => "failed",
        ExitReason::Erased => "erased",
        ExitReason::Superseded => "superseded",
    }
}

fn seen(expectation: &written::Expectation) -> Seen<'_> {
    use written::Expectation as E;
    match expectation {
        E::Send(form) => form.seen(),
        E::Skip(form) => form.seen(),
        E::Exit(form) => form.seen(),
        E::Wait(form) => form.seen(),
        E::Branch(form) => form.seen(),
        E::Assign(form) => form.seen(),
        E::Set(form) => form.seen(),
        E::Record(form) => form.seen(),
        E::Subscribe(form) => form.seen(),
        E::Unsubscribe(form) => form.seen(),
        E::Start(form) => form.seen(),
        E::Call(form) => form.seen(),
        E::Goal(form) => form.seen(),
        E::Enter(form) => form.seen(),
        E::Step(form) => form.seen(),
    }
}

/// The value in YAML's flow style, its keys in the order they are written.
fn flow(value: &Value, at: &At<'_>) -> String {
    match value {
        Value::Object(map) => {
            let parts: Vec<String> =
                at.keys(map.keys()).into_iter().map(|key| format!("{key}: {}", flow(&map[key], &at.key(key)))).collect();
            format!("{{ {} }}", parts.join(", "))
        }
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().enumerate().map(|(index, item)| flow(item, &at.item(index))).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::String(text) => {
            let plain = |c: char| c.is_alphanumeric() || "-_./@+ ".contains(c);
            if !text.is_empty() && text.chars().all(plain) && text.trim() == text { text.clone() } else { format!("{text:?}") }
        }
        other => other.to_string(),
    }
}
