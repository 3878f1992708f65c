//! What a workflow says besides its steps.

use super::{Field, condition, time_of_day};
use crate::model::{
    At, Crossing, Every, Feb29, Goal, InFlight, Overdue, OverdueAction, Reentry, Status, Trigger, WhileActive, Workflow,
    ZoneChoice,
};

/// All that the workflow says besides its steps; its triggers are together in one field.
pub fn workflow(workflow: &Workflow) -> Vec<Field> {
    let mut fields = vec![Field::new("status", status(workflow.status))];
    fields.extend(workflow.description.as_ref().map(|text| Field::new("description", text.trim())));
    let triggers: Vec<String> = workflow.triggers.iter().map(trigger).collect();
    fields.push(Field::new("trigger", triggers.join("; or ")));
    fields.extend(workflow.audience.as_ref().map(|audience| Field::new("audience", condition(audience))));
    fields.push(Field::new("reentry", reentry(workflow.reentry)));
    if workflow.while_active == WhileActive::Restart {
        fields.push(Field::new("while_active", "restart"));
    }
    fields.extend(workflow.exit_when.as_ref().map(|ends| Field::new("exit_when", condition(ends))));
    fields.extend(workflow.goal.as_ref().map(|wanted| Field::new("goal", goal(wanted))));
    fields.extend(workflow.topic.as_ref().map(|topic| Field::new("topic", topic)));
    if workflow.in_flight == InFlight::Pinned {
        fields.push(Field::new("in_flight", "pinned"));
    }
    fields.extend(workflow.moved.iter().map(|(from, to)| Field::new(format!("moved.{from}"), to)));
    fields.extend(workflow.overdue.as_ref().map(|late| Field::new("overdue", overdue(late))));
    fields
}

/// What starts a run, in a few words: `event cart_updated where event.total at least 20`.
pub fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Event { name, filter, key } => {
            let filter = filter.as_ref().map(|filter| format!(" where {}", condition(filter))).unwrap_or_default();
            let key = key.as_ref().map(|key| format!(", one run per {key}")).unwrap_or_default();
            format!("event {name}{filter}{key}")
        }
        Trigger::Schedule { cron, zone } => format!("schedule {cron}, {}", in_zone(zone)),
        Trigger::At { at: At::Civil(time), zone } => {
            format!("at {} {}, {}", time.date(), time_of_day(time.time()), in_zone(zone))
        }
        Trigger::At { at: At::Instant(at), .. } => match jiff::Timestamp::from_millisecond(*at) {
            Ok(instant) => format!("at {instant}"),
            Err(_) => format!("at {at} ms"),
        },
        Trigger::Date(date) => {
            let every = match date.every {
                Every::Year => "every year on",
                Every::Once => "once on",
            };
            let offset = match date.offset.millis() {
                0 => String::new(),
                ahead if ahead > 0 => format!("{} after ", date.offset),
                back => format!("{} before ", crate::time::Duration(-back)),
            };
            let at = date.at.map(|at| format!(" at {}", time_of_day(at))).unwrap_or_default();
            let feb_29 = match date.feb_29 {
                Feb29::Feb28 => "",
                Feb29::Mar1 => ", 29 February as 1 March",
                Feb29::Skip => ", 29 February in leap years only",
            };
            format!("{every} {offset}{}{at}{feb_29}", date.date)
        }
        Trigger::Segment { segment, change: Crossing::Enter } => format!("coming into segment {segment}"),
        Trigger::Segment { segment, change: Crossing::Leave } => format!("leaving segment {segment}"),
        Trigger::Manual => "enrolled by hand".to_owned(),
    }
}

fn in_zone(zone: &ZoneChoice) -> String {
    match zone {
        ZoneChoice::Named(name) => name.clone(),
        ZoneChoice::Contact => "each contact's own time".to_owned(),
    }
}

pub(crate) fn status(status: Status) -> &'static str {
    match status {
        Status::Live => "live",
        Status::Draft => "draft",
        Status::Paused => "paused",
        Status::Closed => "closed",
    }
}

fn reentry(reentry: Reentry) -> String {
    match reentry {
        Reentry::Once => "once".to_owned(),
        Reentry::Always => "always".to_owned(),
        Reentry::After(span) => format!("after {span}"),
    }
}

pub(crate) fn goal(goal: &Goal) -> String {
    let within = goal.within.map(|within| format!(", within {within}")).unwrap_or_default();
    let value = goal.value.as_ref().map(|path| format!(", worth {path}")).unwrap_or_default();
    let stay = if goal.stay { ", and stays" } else { "" };
    format!("{}{within}{value}{stay}", condition(&goal.condition))
}

fn overdue(overdue: &Overdue) -> String {
    let what = match overdue.action {
        OverdueAction::Run => "run",
        OverdueAction::Skip => "skip",
        OverdueAction::Exit => "exit",
    };
    format!("later than {}: {what}", overdue.after)
}
