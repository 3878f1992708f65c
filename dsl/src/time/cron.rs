//! Standard five-field crontab over the cron crate.
//!
//! The crate knows another dialect (seconds first, 1 is Sunday, both day fields must match) and asks it of instants. Here the fields
//! are read as POSIX and Vixie's crontab read them, handed to the crate as plain lists of its own numbers, evaluated on the wall
//! clock, and only then resolved in the zone.

mod fields;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use ::cron::Schedule;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{civil_at, resolve};

/// A checked crontab expression; reads and writes as the text it was written as. Cheap to clone.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron {
    text: Arc<str>,
    /// It fires when any of these does.
    schedules: Arc<[Schedule]>,
}

/// The text is no crontab expression, or one that never fires; holds what was found and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CronError(pub String);

impl Cron {
    /// Reads minute, hour, day of month, month and weekday, or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` or
    /// `@annually`. 0 and 7 are Sunday. Where neither day field starts with `*`, either may match.
    ///
    /// # Errors
    /// For anything else, and for an expression that never fires, such as one for 30 February.
    pub fn parse(text: &str) -> Result<Cron, CronError> {
        let schedules = fields::expressions(text)?
            .iter()
            .map(|expression| expression.parse::<Schedule>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| CronError(format!("`{text}` is no crontab expression: {error}")))?;
        let cron = Cron { text: text.into(), schedules: schedules.into() };
        match cron.next_civil(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(cron),
            None => {
                Err(CronError(format!("`{text}` never fires: no month it names has such a day; change the day or the month")))
            }
        }
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first firing strictly later than `after` (both ms since 1970 UTC), from 1970 to 2100. In the spring gap a time becomes the
    /// instant of the transition (several times become one firing); in the doubled hour each civil time fires once, the first
    /// time.
    pub fn next_after(&self, after: i64, zone: &jiff::tz::TimeZone) -> Option<i64> {
        // Nothing up to the wall clock's present reading can be resolved to an instant that is still to come. What follows may
        // have been already, when the clock has gone back.
        let mut civil = calendar(civil_at(after, zone))?;
        loop {
            civil = self.next_civil(civil)?;
            let instant = resolve(wall_clock(civil), zone);
            if instant > after {
                return Some(instant);
            }
        }
    }

    /// The next time on the wall clock. The crate's calendar is UTC because that has neither gaps nor overlaps.
    fn next_civil(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.schedules.iter().filter_map(|schedule| schedule.after(&after).next()).min()
    }
}

/// Where the crate's calendar begins.
const BEGINNING: jiff::civil::DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// A wall-clock time in the crate's calendar, rounded down to the second; an earlier one is the second before its beginning, so that
/// its first minute is found.
fn calendar(civil: jiff::civil::DateTime) -> Option<DateTime<Utc>> {
    let seconds = civil.duration_since(BEGINNING).as_millis().div_euclid(1_000).max(-1);
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

fn wall_clock(calendar: DateTime<Utc>) -> jiff::civil::DateTime {
    BEGINNING.saturating_add(jiff::SignedDuration::from_secs(calendar.timestamp()))
}

impl PartialEq for Cron {
    fn eq(&self, other: &Cron) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::str::FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Cron, CronError> {
        Cron::parse(text)
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Cron, CronError> {
        Cron::parse(&text)
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> String {
        cron.text.as_ref().to_owned()
    }
}
