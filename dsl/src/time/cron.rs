//! Standard five-field crontab over the cron crate.

use serde::{Deserialize, Serialize};

/// A checked crontab expression; reads and writes as the text it was written as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cron(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CronError(pub String);

impl Cron {
    pub fn parse(_text: &str) -> Result<Cron, CronError> {
        Err(CronError(String::new()))
    }

    /// The first firing strictly later than `after`. In the spring gap a time becomes the instant of the transition; in the
    /// doubled hour each civil time fires once, the first time.
    pub fn next_after(&self, _after: i64, _zone: &jiff::tz::TimeZone) -> Option<i64> {
        None
    }
}
