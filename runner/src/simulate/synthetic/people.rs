//! Who the people are.

use dsl::model::{Settings, SyntheticAudience};
use serde_json::{Map, Value, json};

use super::draw::{purpose, value};
use crate::chance::Chance;
use crate::ingest::{ContactInput, What};

/// How long after they subscribed people confirm it, where a topic asks for that: ten minutes, in ms.
const CONFIRMS_AFTER: i64 = 600_000;

/// `shoppers-17`; numbers count from 0, names from 1.
pub fn name(audience: &str, number: u32) -> String {
    format!("{audience}-{}", u64::from(number) + 1)
}

/// The other way round.
pub fn number(audience: &str, name: &str) -> Option<u32> {
    let number: u64 = name.strip_prefix(audience)?.strip_prefix('-')?.parse().ok()?;
    u32::try_from(number.checked_sub(1)?).ok()
}

/// What everything about one person is drawn from.
pub fn seed(seed: u64, number: u32) -> u64 {
    Chance::of(seed, u64::from(number)).number()
}

/// The person of this number, as they are when they are first heard of. `all` is the audience's seed.
pub fn person(audience: &SyntheticAudience, settings: &Settings, all: u64, number: u32) -> ContactInput {
    let seed = seed(all, number);
    let id = name(&audience.name, number);
    let profile = &audience.profile;
    let has = |what: &str, share: f64| Chance::of(seed, purpose(&["profile", what])).happens(share);
    let topics = settings.topics.iter().filter(|(topic, known)| match profile.topics.get(*topic) {
        Some(share) => Chance::of(seed, purpose(&["topic", topic])).happens(*share),
        None => known.subscribed_by_default,
    });
    let attributes = profile.attributes.iter().filter_map(|(key, drawn)| {
        let chance = Chance::of(seed, purpose(&["attribute", key]));
        Some((key.clone(), value(drawn, chance, &(u64::from(number) + 1).to_string(), &Map::new())?))
    });
    ContactInput {
        email: has("email", profile.email).then(|| format!("{id}@example.com")),
        // Numbers for fiction, as far as they reach.
        phone: has("phone", profile.phone).then(|| format!("+1555{:07}", u64::from(number) + 1)),
        locale: own_text(profile.locale.as_ref(), "locale", seed),
        time_zone: zone(audience, seed),
        topics: Some(topics.map(|(topic, _)| topic.clone()).collect()),
        attributes: attributes.collect(),
        id,
    }
}

/// The person's own zone; `None`: the project's. `seed` is the person's.
pub fn zone(audience: &SyntheticAudience, seed: u64) -> Option<String> {
    own_text(audience.profile.time_zone.as_ref(), "time_zone", seed)
}

fn own_text(drawn: Option<&dsl::model::Drawn>, what: &str, seed: u64) -> Option<String> {
    let chance = Chance::of(seed, purpose(&["profile", what]));
    value(drawn?, chance, "", &Map::new())?.as_str().map(str::to_owned)
}

/// What somebody says who comes while the simulation runs, and how long after they came (in ms): who they are, and which topics they want
/// other than by default.
pub fn introduces(contact: &ContactInput, settings: &Settings) -> Vec<(i64, What)> {
    let own =
        [("email", &contact.email), ("phone", &contact.phone), ("locale", &contact.locale), ("time_zone", &contact.time_zone)];
    let mut fields: Map<String, Value> = contact.attributes.clone();
    fields.extend(own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?)))));
    let mut said = vec![(0, What::Set(fields))];
    for (name, topic) in &settings.topics {
        let wanted = contact.topics.iter().flatten().any(|wanted| wanted == name);
        match (wanted, topic.subscribed_by_default) {
            (true, false) => {
                said.push((0, What::Subscribe(name.clone())));
                if topic.confirm {
                    said.push((CONFIRMS_AFTER, What::Confirm(name.clone())));
                }
            }
            (false, true) => said.push((0, What::Unsubscribe(name.clone()))),
            (true, true) | (false, false) => {}
        }
    }
    said
}
