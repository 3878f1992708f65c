//! Times and happenings as people read them.

use dsl::model::journey::Suite;
use serde_json::Value;

use crate::rehearsal::Line;
use crate::state::LogKind;

/// A span in short, as tests write it: `25h` is `1d 1h`. In ms.
pub fn offset(span: i64) -> String {
    let mut left = span.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m")] {
        if left >= unit {
            parts.push(format!("{}{name}", left / unit));
            left %= unit;
        }
    }
    if !left.is_multiple_of(1000) {
        parts.push(format!("{}.{:03}s", left / 1000, left % 1000));
    } else if left > 0 {
        parts.push(format!("{}s", left / 1000));
    }
    let text = if parts.is_empty() { "0m".to_owned() } else { parts.join(" ") };
    if span < 0 { format!("-{text}") } else { text }
}

/// What happened, in a few words.
pub fn told(line: &Line, suite: &Suite) -> String {
    let said = |key: &str| line.detail.get(key).and_then(Value::as_str);
    let what = match (&line.sent, line.kind) {
        (Some(sent), LogKind::Send) => {
            let status = sent.status.map_or("", crate::state::MessageStatus::word);
            let status = if status == "sent" { String::new() } else { format!(" ({status})") };
            format!("send {}{status}", sent.template)
        }
        (Some(sent), LogKind::Skip) => format!("skip {} ({})", sent.template, said("reason").unwrap_or_default()),
        (_, LogKind::Enter) => "enter".to_owned(),
        (_, LogKind::Goal) => "goal".to_owned(),
        (_, LogKind::Exit) => {
            let detail = said("detail").map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("exit {}{detail}", said("reason").unwrap_or_default())
        }
        (_, LogKind::Branch) => {
            let taken = line.detail.get("taken").cloned().unwrap_or_default();
            let taken = match taken {
                Value::Null => "none".to_owned(),
                Value::String(text) => text,
                number => number.to_string(),
            };
            format!("branch {}, taken {taken}", line.step)
        }
        (_, LogKind::Wait) => match said("until").and_then(dsl::time::parse_date) {
            Some(until) => {
                let until = until.instant(&jiff::tz::TimeZone::UTC) - suite.start;
                format!("wait {} until {}", line.step, offset(until))
            }
            None => format!("wait {}", line.step),
        },
        (_, LogKind::Assign) => format!("assign {}, {}", line.step, said("variant").unwrap_or_default()),
        (_, kind) => format!("{} {}", kind.word(), line.step),
    };
    if line.workflow == suite.workflow { what } else { format!("{what} in {}", line.workflow) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_short() {
        for (span, text) in
            [(0, "0m"), (1_800_000, "30m"), (90_000_000, "1d 1h"), (61_000, "1m 1s"), (62_345, "1m 2.345s"), (-86_400_000, "-1d")]
        {
            assert_eq!(offset(span), text);
        }
    }
}
