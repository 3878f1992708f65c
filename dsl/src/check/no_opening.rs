//! Finds messages whose window and quiet hours never leave them a moment.
//!
//! # What it does
//! Compares the `window` of every send that is not `transactional: true` with the project's quiet hours, over a whole week; and looks whether the quiet hours end at
//! all.
//!
//! # Why is this bad
//! The message could never leave: it would be held for two weeks, and then skipped.
//!
//! # Example
//! ```yaml
//! # campaignd.yaml says `quiet_hours: 21:00-08:00`
//! - send: good-morning
//!   window: { between: "06:00-07:30" }
//! ```
//!
//! # Use instead
//! ```yaml
//! - send: good-morning
//!   window: { between: "08:00-09:30" }
//! ```

use std::collections::HashMap;

use super::{Project, Report};
use crate::diagnostic::Diagnostic;
use crate::model::StepKind;
use crate::time::{Time, Window};

const DAY: usize = 24 * 60;
const WEEK: usize = 7 * DAY;
/// How many different windows are looked at.
const MOST: usize = 5_000;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let Some(quiet) = project.settings.and_then(|settings| settings.quiet_hours) else { return };
    let quiet_minutes = minutes(&quiet);
    // Most windows of a project are the same few.
    let mut known: HashMap<(Time, Time, u8), bool> = HashMap::new();
    if quiet_minutes.iter().all(|quiet| *quiet) {
        let sends = project.workflows().flat_map(|workflow| &workflow.notes.sends).any(|send| !send.transactional);
        if let Some(place) = project.settings_notes.quiet_hours.as_ref().filter(|_| sends) {
            let message = "the quiet hours never end: no marketing message could ever be sent";
            let help = "write the hours in which nothing is to be sent, such as `21:00-08:00`";
            report.push(Diagnostic::error("no-opening", place.clone(), message).help(help));
        }
        return;
    }
    for workflow in project.workflows() {
        for (step, at) in workflow.model.steps.iter().zip(&workflow.step_places) {
            let StepKind::Send(send) = &step.kind else { continue };
            let Some(window) = send.window.filter(|_| !send.transactional) else { continue };
            let key = (window.from, window.to, window.weekdays.0);
            if known.len() >= MOST && !known.contains_key(&key) {
                continue;
            }
            let closed = || minutes(&window).iter().zip(&quiet_minutes).all(|(open, quiet)| !open || *quiet);
            if *known.entry(key).or_insert_with(closed) {
                let message = format!(
                    "this can never be sent: its window lies in the quiet hours ({}-{})",
                    short(quiet.from),
                    short(quiet.to)
                );
                let mut diagnostic = Diagnostic::error("no-opening", at.clone(), message);
                diagnostic = diagnostic.help("move the window, or the quiet hours in campaignd.yaml");
                if let Some(place) = &project.settings_notes.quiet_hours {
                    diagnostic = diagnostic.related(place.clone(), "the quiet hours");
                }
                report.push(diagnostic);
            }
        }
    }
}

/// For each minute of a week, whether it lies inside. Seconds are few: a window that is open for less than a minute counts as open in its minute.
fn minutes(window: &Window) -> Vec<bool> {
    let of = |time: Time| usize::from(time.hour().unsigned_abs()) * 60 + usize::from(time.minute().unsigned_abs());
    let (from, to) = (of(window.from), of(window.to));
    let length = if window.to <= window.from { DAY - from + to } else { (to - from).max(1) };
    let mut open = vec![false; WEEK];
    for day in (0..7).filter(|day| window.weekdays.0 & (1 << day) != 0) {
        for minute in 0..length {
            if let Some(open) = open.get_mut((day * DAY + from + minute) % WEEK) {
                *open = true;
            }
        }
    }
    open
}

/// 21:00
fn short(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
