//! A person, for people to read.

use std::io::{self, Write};

use serde_json::Value;

use super::person::{ConsentLine, ConsentLogLine, Person, RunWithLog};
use crate::state::Said;

/// Writes everything of the person under headings; what is empty is left out.
///
/// # Errors
/// Those of the output.
pub fn human(out: &mut dyn Write, person: &Person) -> io::Result<()> {
    let also = if person.other_ids.is_empty() { String::new() } else { format!("  (also {})", person.other_ids.join(", ")) };
    let state = if person.erased {
        "  (erased)"
    } else if person.anonymous {
        "  (anonymous)"
    } else {
        ""
    };
    writeln!(out, "{}{state}{also}", person.id)?;
    let fields =
        [("email", &person.email), ("phone", &person.phone), ("locale", &person.locale), ("time_zone", &person.time_zone)];
    for (name, value) in fields {
        if let Some(value) = value {
            writeln!(out, "  {name}: {value}")?;
        }
    }
    let values = |values: Vec<(&String, &Value)>| -> Vec<String> {
        values.into_iter().map(|(name, value)| format!("{name}: {}", plain(value))).collect()
    };
    section(out, "Attributes", &values(person.attributes.iter().collect()))?;
    section(out, "Traits", &values(person.traits.iter().collect()))?;
    section(out, "Consents", &person.consents.iter().map(consent).collect::<Vec<_>>())?;
    section(out, "Consent log", &person.consent_log.iter().map(consent_log).collect::<Vec<_>>())?;
    let suppressed: Vec<String> =
        person.suppressed.iter().map(|line| format!("{} {}: {}", line.channel, line.address, line.reason())).collect();
    section(out, "Gets nothing at", &suppressed)?;
    let segments: Vec<String> =
        person.segments.iter().map(|segment| format!("{} since {}", segment.name, segment.since)).collect();
    section(out, "Segments", &segments)?;
    section(out, "Runs", &person.runs.iter().map(run).collect::<Vec<_>>())?;
    section(out, "Messages", &person.messages.iter().map(super::super::messages::MessageRow::line).collect::<Vec<_>>())?;
    let events: Vec<String> = person.events.iter().map(|event| event.line()).collect();
    section(out, "Events", &events)?;
    if person.more_events {
        writeln!(out, "  … older ones by `campaignd contact export`")?;
    }
    Ok(())
}

fn section(out: &mut dyn Write, heading: &str, lines: &[String]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}")?;
    lines.iter().try_for_each(|line| writeln!(out, "  {line}"))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn consent(line: &ConsentLine) -> String {
    let state = match (line.subscribed, line.by_default) {
        (true, false) => "yes",
        (false, false) => "no",
        (true, true) => "yes, by default",
        (false, true) => "no, by default",
    };
    let since = line.since.as_ref().map(|since| format!(", since {since}")).unwrap_or_default();
    let source = line.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default();
    let pending = line.pending.as_ref().map(|since| format!("; asked {since}, not confirmed yet")).unwrap_or_default();
    format!("{}: {state}{since}{source}{pending}", line.topic)
}

fn consent_log(line: &ConsentLogLine) -> String {
    let said = match line.said {
        Said::Subscribed => "subscribed",
        Said::Unsubscribed => "unsubscribed",
        Said::Asked => "asked to subscribe",
        Said::Confirmed => "confirmed",
    };
    let message = line.message.as_ref().map(|message| format!(", message {message}")).unwrap_or_default();
    format!("{}  {}: {said} ({}{message})", line.at, line.topic, line.source)
}

fn run(run: &RunWithLog) -> String {
    let RunWithLog { run: line, due, .. } = run;
    let stands = match (&line.ended_at, &line.reason) {
        (Some(at), Some(reason)) => {
            let detail = line.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("ended {at} at {}: {reason}{detail}", line.step)
        }
        _ => {
            let until = due.as_ref().map(|due| format!(", until {due} at the latest")).unwrap_or_default();
            format!("stands at {}{until}", line.step)
        }
    };
    format!("{}  entered {}, {stands}", line.workflow, line.entered_at)
}
