//! Values, spans and names by chance.

use dsl::model::{Cause, Delay, Distribution, Drawn, Limits, Source, rounded};
use serde_json::{Map, Value};

use crate::chance::Chance;

/// What a stream of chance is for, as a number (64-bit FNV-1a over the parts, each ended).
pub fn purpose(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Of each source: by what it is, not by where it stands, so that a source before it changes nothing. Of several that are alike each has its own.
pub fn purposes(sources: &[Source]) -> Vec<u64> {
    let name = |source: &Source| match &source.cause {
        Cause::Rate { .. } => format!("rate {}", source.event),
        Cause::Arrival { .. } => format!("arrival {}", source.event),
        Cause::Event { follows, template, .. } => {
            format!("{} after {follows} of {}", source.event, template.as_deref().unwrap_or_default())
        }
    };
    let names: Vec<String> = sources.iter().map(name).collect();
    let before = |index: usize| names[..index].iter().filter(|other| **other == names[index]).count();
    (0..names.len()).map(|index| purpose(&[&names[index], &before(index).to_string()])).collect()
}

/// In ms.
pub fn delay(delay: &Delay, chance: &mut Chance) -> i64 {
    let millis = match delay {
        Delay::Fixed(duration) => return duration.millis(),
        Delay::Between(low, high) => {
            let (low, high) = (low.millis() as f64, high.millis() as f64);
            low + chance.fraction() * (high - low)
        }
        Delay::Average(mean) => chance.exponential() * mean.millis() as f64,
        Delay::Median(median, factor) => median.millis() as f64 * factor.powf(chance.normal()),
    };
    // A hundred years are no limit for anything here.
    millis.clamp(0.0, 3.2e12) as i64
}

/// Each property from a stream of its own.
pub fn properties(drawn: &[(String, Drawn)], identity: u64, before: &Map<String, Value>) -> Map<String, Value> {
    let one = |(name, drawn): &(String, Drawn)| {
        let chance = Chance::of(identity, purpose(&["property", name]));
        Some((name.clone(), value(drawn, chance, &format!("{identity:016x}"), before)?))
    };
    drawn.iter().filter_map(one).collect()
}

/// `None`: there is no value. `unique`: what no other value of this kind has in it.
pub fn value(drawn: &Drawn, mut chance: Chance, unique: &str, before: &Map<String, Value>) -> Option<Value> {
    if drawn.chance < 1.0 && !chance.happens(drawn.chance) {
        return None;
    }
    let limited = |value: f64, limits: &Limits| rounded(value.max(limits.at_least).min(limits.at_most), limits.decimals);
    Some(match &drawn.how {
        Distribution::Fixed(value) => value.clone(),
        Distribution::OneOf(values) => chance.weighted(values, |(_, weight)| *weight)?.0.clone(),
        Distribution::Uniform { low, high, decimals } => {
            // Each step between them is as likely, the ends too.
            let step = 10f64.powi(-i32::from(*decimals));
            let steps = ((high - low) / step).round() + 1.0;
            rounded((low + (chance.fraction() * steps).floor() * step).min(*high), *decimals)
        }
        Distribution::Dates { first, last } => {
            let days = first.until(*last).ok()?.get_days();
            let days = chance.between(0, i64::from(days) + 1);
            first.checked_add(jiff::Span::new().days(days)).ok()?.to_string().into()
        }
        Distribution::Normal { mean, deviation, limits } => limited(mean + deviation * chance.normal(), limits),
        Distribution::Lognormal { median, factor, limits } => limited(median * factor.powf(chance.normal()), limits),
        Distribution::Numbered(begin) => format!("{begin}{unique}").into(),
        Distribution::Same(path) => {
            let mut keys = path.keys.iter();
            let first = before.get(keys.next()?)?;
            keys.try_fold(first, |value, key| value.get(key))?.clone()
        }
    })
}
