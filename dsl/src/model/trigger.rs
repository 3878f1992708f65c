//! Triggers: what starts a run.

use serde::{Deserialize, Serialize};

use super::{Condition, Path};
use crate::time::{Cron, Duration, Time};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// An event arrives that meets the filter. With `key`, one run per contact and value of the key.
    Event { name: String, filter: Option<Condition>, key: Option<Path> },
    /// A repeated broadcast to the audience.
    Schedule { cron: Cron, zone: ZoneChoice },
    /// A one-off broadcast to the audience.
    At { at: At, zone: ZoneChoice },
    /// A date among the contact's attributes comes round, in the contact's zone.
    Date(DateTrigger),
    /// A contact comes into a shared segment, or leaves it.
    Segment { segment: String, change: Crossing },
    /// The enroll command and API call.
    Manual,
}

/// What a segment trigger listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    #[default]
    Enter,
    Leave,
}

/// The moment of a one-off broadcast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// A wall-clock time, resolved in the trigger's zone.
    Civil(jiff::civil::DateTime),
    /// Written with an offset: an instant, in ms since 1970 UTC.
    Instant(i64),
}

/// In whose zone a wall-clock time is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZoneChoice {
    /// This IANA zone (the project's, where the trigger names none).
    Named(String),
    /// Each contact's own.
    Contact,
}

/// The anniversary (or the date itself) is found first, then the offset is added in whole days, then the time of day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DateTrigger {
    /// A path under `contact`.
    pub date: Path,
    pub every: Every,
    /// Whole days in ms, may be negative.
    pub offset: Duration,
    /// `None`: the attribute's own time of day where it has one, else 09:00.
    pub at: Option<Time>,
    pub feb_29: Feb29,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    Year,
    Once,
}

/// What an anniversary of 29 February is in a common year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Feb29 {
    #[default]
    #[serde(rename = "feb_28")]
    Feb28,
    #[serde(rename = "mar_1")]
    Mar1,
    Skip,
}
