//! Until when a wait lasts.

use dsl::model::{OnTrouble, Path, Root, Settings, Wait};
use dsl::time;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::audience::{contact_value, walk};
use crate::state::{Contact, Run};

/// What a wait comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Until {
    /// A time, maybe already past.
    At(i64),
    /// Nothing to wait for: go on.
    Continue,
    /// The step says that the run ends here, for this reason.
    Exit(String),
}

/// `began` is when the step was reached.
pub(super) fn until(wait: &Wait, began: i64, run: &Run, contact: &Contact, settings: &Settings, zone: &TimeZone) -> Until {
    match wait {
        Wait::For(span) => Until::At(began.saturating_add(span.millis())),
        Wait::Dates { days, at, weekdays } => Until::At(time::after_days(began, *days, *at, *weekdays, zone)),
        Wait::Until { at, weekdays } => Until::At(time::next_at(began, *at, *weekdays, zone)),
        Wait::UntilDate { path, offset, on_missing, on_past } => {
            let value = value_at(path, run, contact, settings, began);
            let date = value.as_ref().and_then(Value::as_str).and_then(time::parse_date);
            match date {
                None => trouble(*on_missing, || format!("{path} is {}", if value.is_none() { "missing" } else { "no date" })),
                Some(date) => {
                    let at = date.instant(zone).saturating_add(offset.millis());
                    if at < began { trouble(*on_past, || format!("{path} is past")) } else { Until::At(at) }
                }
            }
        }
    }
}

fn trouble(policy: OnTrouble, why: impl FnOnce() -> String) -> Until {
    match policy {
        OnTrouble::Continue => Until::Continue,
        OnTrouble::Exit => Until::Exit(why()),
    }
}

/// The value a path has for a run now.
pub(super) fn value_at(path: &Path, run: &Run, contact: &Contact, settings: &Settings, now: i64) -> Option<Value> {
    match path.root {
        Root::Contact => contact_value(contact, settings, &path.keys, now).map(std::borrow::Cow::into_owned),
        Root::Event => run.state.event.as_ref().and_then(|event| walk(event, &path.keys)).cloned(),
        Root::Vars => run.state.vars.get(path.keys.first()?).and_then(|value| walk(value, &path.keys[1..])).cloned(),
    }
}
