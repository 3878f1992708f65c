//! A condition as a sentence.

use super::{joined, list, number, value};
use crate::model::{
    Aggregate, AggregateFunction, Condition, EventCondition, MessageCondition, Path, Predicate, Since, When, WorkflowState,
};

/// The condition in one line: `in segment vip and contact.country is DE, AT or CH`.
pub fn condition(condition: &Condition) -> String {
    words(condition, false)
}

/// `inside`: it stands beside others, so what joins several is put in parentheses.
fn words(condition: &Condition, inside: bool) -> String {
    match condition {
        Condition::All(parts) => several(parts, "and", "always", inside),
        Condition::Any(parts) => several(parts, "or", "never", inside),
        Condition::None(parts) => match parts.as_slice() {
            [] => "always".to_owned(),
            [one] => not(one),
            parts => format!("none of ({})", parts.iter().map(|part| words(part, true)).collect::<Vec<_>>().join("; ")),
        },
        Condition::Not(part) => not(part),
        Condition::Value { path, tests } => tested(&path.to_string(), tests),
        Condition::Event(event) => happened(event),
        Condition::Message(message) => fate(message),
        Condition::Segment(name) => format!("in segment {name}"),
        Condition::Listed(name) => format!("on the list {name}"),
        Condition::Topic(topic) => format!("subscribed to {topic}"),
        Condition::Workflow { name, is } => {
            let is = match is {
                WorkflowState::Active => "active",
                WorkflowState::Completed => "completed",
                WorkflowState::Exited => "exited",
                WorkflowState::Never => "never entered",
            };
            format!("workflow {name} is {is}")
        }
    }
}

fn several(parts: &[Condition], word: &str, none: &str, inside: bool) -> String {
    match parts {
        [] => none.to_owned(),
        [one] => words(one, inside),
        parts => {
            let all: Vec<String> = parts.iter().map(|part| words(part, true)).collect();
            let all = all.join(&format!(" {word} "));
            if inside { format!("({all})") } else { all }
        }
    }
}

fn not(part: &Condition) -> String {
    match part {
        Condition::Segment(name) => format!("not in segment {name}"),
        Condition::Topic(topic) => format!("not subscribed to {topic}"),
        part => format!("not ({})", words(part, false)),
    }
}

fn tested(what: &str, tests: &[Predicate]) -> String {
    let tests: Vec<String> = tests.iter().map(predicate).collect();
    format!("{what} {}", tests.join(" and "))
}

fn predicate(test: &Predicate) -> String {
    match test {
        Predicate::Is(wanted) => format!("is {}", value(wanted)),
        Predicate::IsNot(wanted) => format!("is not {}", value(wanted)),
        Predicate::OneOf(wanted) => format!("is {}", list(wanted, "or")),
        Predicate::NoneOf(wanted) => format!("is none of {}", list(wanted, "and")),
        Predicate::Above(limit) => format!("above {}", number(*limit)),
        Predicate::AtLeast(limit) => format!("at least {}", number(*limit)),
        Predicate::Below(limit) => format!("below {}", number(*limit)),
        Predicate::AtMost(limit) => format!("at most {}", number(*limit)),
        Predicate::Contains(wanted) => format!("contains {}", value(wanted)),
        Predicate::StartsWith(text) => format!("starts with {text}"),
        Predicate::EndsWith(text) => format!("ends with {text}"),
        Predicate::Matches(pattern) => format!("matches /{pattern}/"),
        Predicate::Exists(true) => "is known".to_owned(),
        Predicate::Exists(false) => "is missing".to_owned(),
        Predicate::Before(when) => format!("before {}", moment(when)),
        Predicate::After(when) => format!("after {}", moment(when)),
        Predicate::WithinLast(span) => format!("within the last {span}"),
        Predicate::WithinNext(span) => format!("within the next {span}"),
    }
}

fn moment(when: &When) -> String {
    match when {
        When::Now => "now".to_owned(),
        When::Ago(span) => format!("{span} ago"),
        When::Ahead(span) => format!("in {span}"),
        When::Date(text) => text.clone(),
    }
}

fn happened(event: &EventCondition) -> String {
    let mut text = match event.count.as_deref() {
        None => event.name.clone(),
        Some([Predicate::Is(count)]) if count.as_f64() == Some(0.0) => format!("no {}", event.name),
        Some([Predicate::Is(count)]) => format!("exactly {} {}", value(count), times(&event.name)),
        Some(tests) => format!("{} {}", tests.iter().map(predicate).collect::<Vec<_>>().join(" and "), times(&event.name)),
    };
    if let Some(filter) = &event.filter {
        text.push_str(&format!(" where {}", words(filter, true)));
    }
    if let Some(within) = event.within {
        text.push_str(&format!(" within {within}"));
    }
    text.push_str(since(event.since));
    let sums: Vec<String> = event.aggregates.iter().map(aggregate).collect();
    if !sums.is_empty() {
        text.push_str(&format!(" with {}", joined(&sums, "and")));
    }
    text
}

fn times(event: &str) -> String {
    format!("times {event}")
}

fn aggregate(aggregate: &Aggregate) -> String {
    let function = match aggregate.function {
        AggregateFunction::Sum => "sum",
        AggregateFunction::Avg => "average",
        AggregateFunction::Min => "least",
        AggregateFunction::Max => "greatest",
    };
    tested(&of(function, &aggregate.of), &aggregate.tests)
}

fn of(function: &str, path: &Path) -> String {
    format!("{function} of {path}")
}

fn fate(message: &MessageCondition) -> String {
    let which = message.template.as_deref().unwrap_or("any message");
    let mut text = format!("{which} {}", message.is.word());
    if let Some(within) = message.within {
        text.push_str(&format!(" within {within}"));
    }
    text.push_str(since(message.since));
    text
}

fn since(since: Option<Since>) -> &'static str {
    match since {
        None => "",
        Some(Since::Entry) => " since entry",
        Some(Since::Step) => " since this step",
    }
}
