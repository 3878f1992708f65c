//! A step: its title, and all that it says, key by key.

use serde_json::{Map, Value};

use super::{Field, condition, share, time_of_day, value, window};
use crate::model::{
    Assignment, Call, Change, Method, Metric, OnTrouble, Repeat, Retry, Send, Since, Step, StepKind, Variant, Wait, WhenCapped,
    Winner,
};
use crate::time::Weekdays;

/// What the step does, in a few words: `send cart-reminder`, `wait 1 hour`. Without the condition of a branch or what a repeat holds.
pub fn title(step: &Step) -> String {
    match &step.kind {
        StepKind::Send(send) => format!("send {}", send.template),
        StepKind::Wait(wait) => format!("wait {}", waited(wait)),
        StepKind::WaitFor { condition: wanted, within, .. } => {
            let within = within.map(|within| format!(", at most {within}")).unwrap_or_default();
            format!("wait for {}{within}", condition(wanted))
        }
        StepKind::Branch { .. } => "branch".to_owned(),
        StepKind::Experiment { name, .. } => format!("experiment {name}"),
        StepKind::Repeat(repeat) => repeated(repeat),
        StepKind::Set(changes) => format!("set {}", changes.iter().map(assigned).collect::<Vec<_>>().join(", ")),
        StepKind::Consent { topic, subscribe: true } => format!("subscribe to {topic}"),
        StepKind::Consent { topic, subscribe: false } => format!("unsubscribe from {topic}"),
        StepKind::Record { event, .. } => format!("record {event}"),
        StepKind::Call(call) => format!("call {} {}", method(call.method), call.url),
        StepKind::Start { workflow, .. } => format!("start {workflow}"),
        StepKind::Exit { reason: Some(reason) } => format!("exit: {reason}"),
        StepKind::Exit { reason: None } => "exit".to_owned(),
    }
}

/// All that the step says, in the order of the language's page; nothing for what it leaves at its default. What stands in a step's own steps is
/// theirs, but for the conditions and weights that lead there.
pub fn fields(step: &Step) -> Vec<Field> {
    let mut fields = Vec::new();
    match &step.kind {
        StepKind::Send(send) => sent(send, &mut fields),
        StepKind::Wait(wait) => {
            fields.push(Field::new("wait", waited(wait)));
            if let Wait::UntilDate { on_missing, on_past, .. } = wait {
                trouble("on_missing", *on_missing, &mut fields);
                trouble("on_past", *on_past, &mut fields);
            }
        }
        StepKind::WaitFor { condition: wanted, within, since, .. } => {
            fields.push(Field::new("wait_for", condition(wanted)));
            fields.extend(within.map(|within| Field::new("within", within)));
            if *since == Since::Entry {
                fields.push(Field::new("since", "entry"));
            }
        }
        StepKind::Branch { cases } => {
            for (number, case) in cases.iter().enumerate() {
                let when = case.when.as_ref().map_or_else(|| "everyone else".to_owned(), condition);
                fields.push(Field::new(format!("case {}", number + 1), when));
            }
        }
        StepKind::Experiment { name, variants, winner } => experiment(step, name, variants, winner.as_ref(), &mut fields),
        StepKind::Repeat(repeat) => {
            fields.push(Field::new("times", repeat.times));
            fields.extend(repeat.every.map(|every| Field::new("every", every)));
            fields.extend(repeat.until.as_ref().map(|until| Field::new("until", condition(until))));
        }
        StepKind::Set(changes) => {
            fields.extend(changes.iter().map(|change| Field::new(format!("set {}", change.path), changed(change))))
        }
        StepKind::Consent { topic, subscribe } => {
            fields.push(Field::new(if *subscribe { "subscribe" } else { "unsubscribe" }, topic));
        }
        StepKind::Record { event, with: data } => {
            fields.push(Field::new("record", event));
            with(data, "with", &mut fields);
        }
        StepKind::Call(call) => called(call, &mut fields),
        StepKind::Start { workflow, with: data } => {
            fields.push(Field::new("start", workflow));
            with(data, "with", &mut fields);
        }
        StepKind::Exit { reason } => fields.push(Field::new("exit", reason.as_deref().unwrap_or("without a reason"))),
    }
    fields
}

fn sent(send: &Send, fields: &mut Vec<Field>) {
    fields.push(Field::new("send", if send.inline { "a message written here" } else { &send.template }));
    if let Some(channel) = &send.channel {
        let channels: Vec<&str> = std::iter::once(channel).chain(&send.or_channels).map(String::as_str).collect();
        fields.push(Field::new("channel", channels.join(", else ")));
    }
    fields.extend(send.topic.as_ref().map(|topic| Field::new("topic", topic)));
    if send.transactional {
        fields.push(Field::new("transactional", "true"));
    }
    with(&send.with, "with", fields);
    fields.extend(send.window.as_ref().map(|open| Field::new("window", window(open))));
    if send.when_capped == WhenCapped::Skip {
        fields.push(Field::new("when_capped", "skip"));
    }
    trouble("when_unreachable", send.when_unreachable, fields);
}

fn called(call: &Call, fields: &mut Vec<Field>) {
    fields.push(Field::new("call", format!("{} {}", method(call.method), call.url)));
    fields.extend(call.headers.iter().map(|(name, text)| Field::new(format!("headers.{name}"), text)));
    if let Some(json) = &call.json {
        with(json, "json", fields);
    }
    fields.extend(call.sign.as_ref().map(|sign| Field::new("sign", sign)));
    fields.push(Field::new("timeout", call.timeout));
    fields.push(Field::new("retry", retried(&call.retry)));
    fields.extend(call.save.as_ref().map(|save| Field::new("save", save)));
    trouble("on_error", call.on_error, fields);
}

pub(super) fn retried(retry: &Retry) -> String {
    format!("after {}, then doubling up to {}, for {}", retry.first, retry.most, retry.for_)
}

fn with(data: &Map<String, Value>, key: &str, fields: &mut Vec<Field>) {
    fields.extend(data.iter().map(|(name, given)| Field::new(format!("{key}.{name}"), value(given))));
}

fn trouble(key: &str, what: OnTrouble, fields: &mut Vec<Field>) {
    if what == OnTrouble::Exit {
        fields.push(Field::new(key, "exit"));
    }
}

fn experiment(step: &Step, name: &str, variants: &[Variant], winner: Option<&Winner>, fields: &mut Vec<Field>) {
    fields.push(Field::new("experiment", name));
    let whole: f64 = variants.iter().map(|variant| variant.weight).sum();
    for variant in variants {
        let holdout = if step.is_holdout(variant) { ", nothing" } else { "" };
        fields.push(Field::new(format!("variant {}", variant.name), format!("{}{holdout}", share(variant.weight, whole))));
    }
    if let Some(winner) = winner {
        let metric = match winner.metric {
            Metric::Clicked => "clicked",
            Metric::Opened => "opened",
            Metric::Goal => "goal",
        };
        let text = format!("most {metric}, after {} people, at {}", winner.after, share(winner.confidence, 1.0));
        fields.push(Field::new("winner", text));
    }
}

fn waited(wait: &Wait) -> String {
    let on = |weekdays: Weekdays| if weekdays == Weekdays::ALL { String::new() } else { format!(", {weekdays}") };
    match wait {
        Wait::For(span) => span.to_string(),
        Wait::Dates { days, at, weekdays } => {
            let days = if *days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            format!("{days}, then at {}{}", time_of_day(*at), on(*weekdays))
        }
        Wait::Until { at, weekdays } => format!("until {}{}", time_of_day(*at), on(*weekdays)),
        Wait::UntilDate { path, offset, .. } => match offset.millis() {
            0 => format!("until {path}"),
            ahead if ahead > 0 => format!("until {offset} after {path}"),
            back => format!("until {} before {path}", crate::time::Duration(-back)),
        },
    }
}

fn repeated(repeat: &Repeat) -> String {
    let times = if repeat.times == 1 { "once".to_owned() } else { format!("up to {} times", repeat.times) };
    let every = repeat.every.map(|every| format!(", every {every}")).unwrap_or_default();
    let until = repeat.until.as_ref().map(|until| format!(", until {}", condition(until))).unwrap_or_default();
    format!("repeat {times}{every}{until}")
}

fn assigned(assignment: &Assignment) -> String {
    let path = &assignment.path;
    match &assignment.change {
        Change::To(Value::Null) => format!("{path} to nothing"),
        Change::To(_) | Change::Now => format!("{path} to {}", changed(assignment)),
        Change::Add(_) | Change::Append(_) => format!("{path}: {}", changed(assignment)),
    }
}

fn changed(assignment: &Assignment) -> String {
    match &assignment.change {
        Change::To(given) => value(given),
        Change::Now => "now".to_owned(),
        Change::Add(number) => format!("add {}", super::number(*number)),
        Change::Append(given) => format!("append {}", value(given)),
    }
}

fn method(method: Method) -> &'static str {
    match method {
        Method::Post => "post",
        Method::Get => "get",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
    }
}
