//! A synthetic audience as written: who there is, what they do of their own accord, and what messages make them do.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::union::by_verb;
use super::{MapOr, OneOrMany, Scalar};

/// People made up by chance, for `campaignd simulate --audience`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AudienceFile {
    /// The audience's name. Its people are called by it: `shoppers-1`, `shoppers-2`.
    pub audience: String,
    /// What it is for, in words.
    #[expect(dead_code, reason = "for readers of the file")]
    pub description: Option<String>,
    /// How many people there are.
    pub contacts: Crowd,
    /// What is known of each of them.
    pub profile: Option<Profile>,
    /// What they do of their own accord, when they come, and because of something else.
    pub events: Option<Vec<EventSource>>,
    /// What messages make them do. Of several that name a template the first counts.
    pub reactions: Option<Vec<Reaction>>,
}

/// How many people there are, and how many come.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct Crowd {
    /// How many are there when the simulation begins; default 0.
    #[schemars(range(max = 10_000_000))]
    pub at_start: Option<u32>,
    /// For how long those at the start have done what `events` say before it begins: "200 days". It counts and starts nothing.
    pub history: Option<String>,
    /// How many come while it runs, one by one at random moments: "20 per day".
    pub arrive: Option<String>,
}

/// What is known of a person.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub(crate) struct Profile {
    /// How many have an e-mail address; default 100%.
    pub email: Option<Scalar>,
    /// How many have a phone number; default 0%.
    pub phone: Option<Scalar>,
    /// The language: `de`, or `{ one_of: { de: 70, en: 30 } }`. Without it, the project's.
    pub locale: Option<MapOr<DrawnValue, Scalar>>,
    /// The time zone: an IANA name, or `{ one_of: { Europe/Berlin: 80, Europe/Vienna: 20 } }`. Without it, the project's.
    pub time_zone: Option<MapOr<DrawnValue, Scalar>>,
    /// How many are subscribed to each topic: `offers: 60%`. A topic that is not named keeps its default.
    pub topics: Option<BTreeMap<String, Scalar>>,
    /// Attributes by name: each a value, or how it is drawn.
    pub attributes: Option<BTreeMap<String, MapOr<DrawnValue, Scalar>>>,
}

by_verb! {
    /// How a value is drawn.
    DrawnValue {
        "one_of" => OneOf(OneOfValue),
        "between" => Between(BetweenValue),
        "normal" => Normal(NormalValue),
        "lognormal" => Lognormal(LognormalValue),
        "numbered" => Numbered(NumberedValue),
        "same" => Same(SameValue),
        "value" => Fixed(FixedValue),
    }
}

/// `{ one_of: [coffee, tea] }`, or with weights `{ one_of: { DE: 70, AT: 30 } }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneOfValue {
    /// A list, of which each is as likely; or texts with their weights.
    pub one_of: MapOr<BTreeMap<String, f64>, Vec<Scalar>>,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ between: [20, 260] }` or `{ between: [1950-01-01, 2005-12-31] }`, each number or date as likely
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BetweenValue {
    /// The smallest and the largest: two numbers, or two dates.
    #[schemars(length(min = 2, max = 2))]
    pub between: Vec<Scalar>,
    /// How many decimals a number has; default: as many as the two have.
    #[schemars(range(max = 9))]
    pub decimals: Option<u8>,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ normal: 80, deviation: 20 }`: as many above as below, most of them near
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NormalValue {
    /// The mean.
    pub normal: f64,
    /// The standard deviation: two thirds are within it.
    #[schemars(range(min = 0))]
    pub deviation: f64,
    /// What is less becomes this.
    pub at_least: Option<f64>,
    /// What is more becomes this.
    pub at_most: Option<f64>,
    /// How many decimals; default 0.
    #[schemars(range(max = 9))]
    pub decimals: Option<u8>,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ lognormal: 60, factor: 2 }`: half are below, a few are far above, as money is
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LognormalValue {
    /// The median: half are below.
    pub lognormal: f64,
    /// Two thirds are between the median divided by this and the median times this.
    #[schemars(range(min = 1))]
    pub factor: f64,
    /// What is less becomes this.
    pub at_least: Option<f64>,
    /// What is more becomes this.
    pub at_most: Option<f64>,
    /// How many decimals; default 0.
    #[schemars(range(max = 9))]
    pub decimals: Option<u8>,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ numbered: cart- }`: a text that no other has
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberedValue {
    /// What the text begins with.
    pub numbered: String,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ same: event.total }`: what the event had that this one follows
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SameValue {
    /// The property: `event.total`. Where it is missing, so is this.
    pub same: String,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

/// `{ value: [{ name: Pan, price: 72 }] }`: a value that is no plain one, or that not all have
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FixedValue {
    /// The value.
    pub value: Value,
    /// How many have a value at all; default 100%.
    pub chance: Option<Scalar>,
}

by_verb! {
    /// An event, and what makes it happen.
    EventSource {
        "rate" => Rate(EventByRate),
        "on_arrival" => Arrival(EventOnArrival),
        "follows" => Follow(FollowingEvent),
    }
}

/// `{ event: page_viewed, rate: 6 per month }`: at random moments
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventByRate {
    /// How often each person does it on average: "2 per month". Units are hour, day, week, month (a twelfth of a year) and year.
    pub rate: String,
    /// The event's name.
    pub event: String,
    /// How many people do it at all; default 100%.
    pub among: Option<Scalar>,
    /// Only at these hours, by the person's clock: "07:00-23:00".
    pub hours: Option<String>,
    /// How likely a weekday is: `{ sat: 2, sun: 2 }`. One that is not named is 1.
    pub days: Option<BTreeMap<String, f64>>,
    /// Its properties: each a value, or how it is drawn.
    #[serde(rename = "with")]
    pub properties: Option<BTreeMap<String, MapOr<DrawnValue, Scalar>>>,
}

/// `{ event: signed_up, on_arrival: 100% }`: when somebody comes while the simulation runs
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventOnArrival {
    /// How many do it.
    pub on_arrival: Scalar,
    /// The event's name.
    pub event: String,
    /// How long after; default: at once.
    pub delay: Option<MapOr<DrawnDelay, String>>,
    /// Its properties: each a value, or how it is drawn.
    #[serde(rename = "with")]
    pub properties: Option<BTreeMap<String, MapOr<DrawnValue, Scalar>>>,
}

/// `{ event: order_completed, follows: cart_updated, chance: 40% }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FollowingEvent {
    /// The event it follows: another of this file, or one of `reactions` (`message_clicked`).
    pub follows: String,
    /// The event's name.
    pub event: String,
    /// Only after this message: the template of the message that was opened or clicked.
    pub template: Option<String>,
    /// How often it does; default 100%.
    pub chance: Option<Scalar>,
    /// How long after; default: at once.
    pub delay: Option<MapOr<DrawnDelay, String>>,
    /// Its properties: each a value, or how it is drawn.
    #[serde(rename = "with")]
    pub properties: Option<BTreeMap<String, MapOr<DrawnValue, Scalar>>>,
}

by_verb! {
    /// How long something takes.
    DrawnDelay {
        "between" => Between(BetweenDelay),
        "average" => Average(AverageDelay),
        "median" => Median(MedianDelay),
    }
}

/// `{ between: [1 minute, 2 hours] }`, each as likely
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BetweenDelay {
    /// The shortest and the longest.
    #[schemars(length(min = 2, max = 2))]
    pub between: Vec<String>,
}

/// `{ average: 1 day }`: exponential, as the time until something happens that may happen at any moment
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AverageDelay {
    /// The mean.
    pub average: String,
}

/// `{ median: 3 hours, factor: 4 }`: lognormal, half are faster, a few take much longer
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MedianDelay {
    /// Half are faster.
    pub median: String,
    /// Two thirds are between the median divided by this and the median times this.
    #[schemars(range(min = 1))]
    pub factor: f64,
}

/// What messages make people do.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reaction {
    /// The template, several, or `any`. An inline message is called by its step's id.
    pub to: OneOrMany<String>,
    /// How many open it.
    pub opened: Option<Act>,
    /// Of those who opened it, how many follow a link.
    pub clicked: Option<Act>,
    /// Of those who opened it, how many unsubscribe from its topic; without a topic, from everything.
    pub unsubscribed: Option<Act>,
    /// Of those who opened it, how many call it spam.
    pub complained: Option<Act>,
    /// How many never arrive.
    pub bounced: Option<Act>,
}

/// How often somebody does something, and how long after.
pub(crate) type Act = MapOr<ActAfter, Scalar>;

/// `{ chance: 30%, delay: 1 hour }`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActAfter {
    /// How often: "30%".
    pub chance: Scalar,
    /// How long after the message was sent; of what needs opening, after it was opened. Default: at once.
    pub delay: Option<MapOr<DrawnDelay, String>>,
}
