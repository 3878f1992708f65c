//! Triggers as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Condition;
use super::union::by_verb;

by_verb! {
    /// What starts a run.
    Trigger {
        "event" => Event(EventTrigger),
        "segment" => Segment(SegmentTrigger),
        "schedule" => Schedule(ScheduleTrigger),
        "date" => Date(DateTrigger),
        "at" => At(AtTrigger),
        "manual" => Manual(ManualTrigger),
    }
}

/// A run starts when this event arrives.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventTrigger {
    /// The event's name.
    pub event: String,
    /// What the event must meet, about `event.*`.
    #[serde(rename = "where")]
    pub filter: Option<Condition>,
    /// One run per contact and value of this property: `event.cart_id`.
    pub key: Option<String>,
}

/// A run starts when the contact enters (or leaves) a segment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentTrigger {
    /// The segment's name.
    pub segment: String,
    /// Which change counts; default enter.
    pub change: Option<SegmentChange>,
}

/// A change of membership.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SegmentChange {
    Enter,
    Leave,
}

/// A repeated broadcast to the audience.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleTrigger {
    /// Five-field crontab: "0 9 * * MON", or @daily and friends.
    #[schemars(extend("examples" = ["0 9 * * MON", "@daily"]))]
    pub schedule: String,
    /// An IANA zone, or `contact` for each contact's own. Default: the project's.
    pub time_zone: Option<String>,
}

/// A one-off broadcast to the audience.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtTrigger {
    /// When: 2026-11-27T09:00
    pub at: String,
    /// An IANA zone, or `contact` for each contact's own. Default: the project's.
    pub time_zone: Option<String>,
}

/// A run starts when a date of the contact's comes round, in the contact's zone.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DateTrigger {
    /// The attribute that holds the date: `contact.birthday`.
    pub date: String,
    /// Every year, or once; default once.
    pub every: Option<Every>,
    /// Whole days from the date: "-7 days".
    #[schemars(extend("examples" = ["-7 days"]))]
    pub offset: Option<String>,
    /// The time of day: "09:00".
    pub at: Option<String>,
    /// What an anniversary of 29 February is in other years; default feb_28.
    pub feb_29: Option<Feb29>,
}

/// How often a date comes round.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Every {
    Year,
    Once,
}

/// What an anniversary of 29 February is in a common year.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub(crate) enum Feb29 {
    #[serde(rename = "feb_28")]
    Feb28,
    #[serde(rename = "mar_1")]
    Mar1,
    #[serde(rename = "skip")]
    Skip,
}

/// Runs start by the enroll command and API call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "its presence is all it says")]
pub(crate) struct ManualTrigger {
    /// Always true.
    #[schemars(extend("const" = true))]
    pub manual: bool,
}
