//! Shares, spans, rates and how values are drawn.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::Value;

use super::Reading;
use crate::model::{Delay, Distribution, Drawn, Limits, Path, Root, rounded};
use crate::place::At;
use crate::surface::{DrawnDelay, DrawnValue, MapOr, Scalar};
use crate::time::{DateValue, Duration, parse_date};

pub(super) const ALL: f64 = 1.0;
pub(super) const NOBODY: f64 = 0.0;

/// Days in a year of the Gregorian calendar, nearly enough.
const YEAR: f64 = 365.25;

type Written = MapOr<DrawnValue, Scalar>;

impl Reading<'_> {
    /// `30%`, in [0, 1].
    pub(super) fn chance(&mut self, value: &Scalar, at: &At<'_>) -> f64 {
        let text = value.0.as_str().map_or_else(|| value.0.to_string(), str::to_owned);
        let percent =
            value.0.as_str().and_then(|text| text.trim().strip_suffix('%')).and_then(|text| text.trim().parse::<f64>().ok());
        match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
            Some(percent) => percent / 100.0,
            None => {
                let help = match value.0.as_f64().filter(|share| (0.0..=1.0).contains(share)) {
                    Some(share) => format!("write `{}%`", (share * 1e8).round() / 1e6),
                    None => "write a percentage from `0%` to `100%`".to_owned(),
                };
                self.error("invalid-number", at, format!("`{text}` is no share"), help);
                NOBODY
            }
        }
    }

    pub(super) fn chance_or_all(&mut self, value: Option<&Scalar>, at: &At<'_>) -> f64 {
        value.map_or(ALL, |value| self.chance(value, at))
    }

    /// A span that is not negative.
    pub(super) fn span(&mut self, text: &str, at: &At<'_>) -> Duration {
        match Duration::parse(text) {
            Ok(duration) if duration >= Duration::default() => duration,
            Ok(_) => {
                self.error("invalid-duration", at, format!("`{text}` is negative"), "write how long it takes, such as `2 days`");
                Duration::default()
            }
            Err(error) => {
                self.error("invalid-duration", at, error.to_string(), "months and years are no exact spans; write days");
                Duration::default()
            }
        }
    }

    /// `2 per month`, as so many a day.
    pub(super) fn rate(&mut self, text: &str, at: &At<'_>) -> f64 {
        let rate = text.split_once(" per ").and_then(|(count, unit)| {
            let days = match unit.trim() {
                "hour" => 1.0 / 24.0,
                "day" => 1.0,
                "week" => 7.0,
                "month" => YEAR / 12.0,
                "year" => YEAR,
                _ => return None,
            };
            let count = count.trim().parse::<f64>().ok().filter(|count| count.is_finite() && *count >= 0.0)?;
            Some(count / days)
        });
        rate.unwrap_or_else(|| {
            let help = "write `6 per month`; units are hour, day, week, month and year";
            self.error("invalid-rate", at, format!("`{text}` is no rate"), help);
            0.0
        })
    }

    pub(super) fn delay(&mut self, form: Option<&MapOr<DrawnDelay, String>>, at: &At<'_>) -> Delay {
        match form {
            None => Delay::Fixed(Duration::default()),
            Some(MapOr::Short(text)) => Delay::Fixed(self.span(text, at)),
            Some(MapOr::Map(DrawnDelay::Between(form))) => {
                let here = at.key("between");
                let mut ends = form.between.iter().enumerate().map(|(index, text)| self.span(text, &here.item(index)));
                let (low, high) = (ends.next().unwrap_or_default(), ends.next().unwrap_or_default());
                drop(ends);
                if low > high {
                    self.error("invalid-duration", &here, format!("{low} is longer than {high}"), "write the shorter one first");
                }
                Delay::Between(low, high)
            }
            Some(MapOr::Map(DrawnDelay::Average(form))) => Delay::Average(self.span(&form.average, &at.key("average"))),
            Some(MapOr::Map(DrawnDelay::Median(form))) => Delay::Median(self.span(&form.median, &at.key("median")), form.factor),
        }
    }

    /// Values by name, in the order they are written.
    pub(super) fn all_drawn(&mut self, forms: &BTreeMap<String, Written>, at: &At<'_>) -> Vec<(String, Drawn)> {
        let names: Vec<String> = at.keys(forms.keys()).into_iter().cloned().collect();
        let drawn = names.into_iter().filter_map(|name| {
            let drawn = self.drawn(forms.get(&name)?, &at.key(&name));
            Some((name, drawn))
        });
        drawn.collect()
    }

    pub(super) fn drawn(&mut self, form: &Written, at: &At<'_>) -> Drawn {
        let form = match form {
            MapOr::Short(value) => return Drawn { chance: ALL, how: Distribution::Fixed(value.0.clone()) },
            MapOr::Map(form) => form,
        };
        let (how, chance) = match form {
            DrawnValue::OneOf(form) => (self.one_of(&form.one_of, &at.key("one_of")), &form.chance),
            DrawnValue::Between(form) => (self.between(&form.between, form.decimals, &at.key("between")), &form.chance),
            DrawnValue::Normal(form) => {
                let limits = self.limits(form.at_least, form.at_most, form.decimals, at);
                (Distribution::Normal { mean: form.normal, deviation: form.deviation, limits }, &form.chance)
            }
            DrawnValue::Lognormal(form) => {
                let limits = self.limits(form.at_least, form.at_most, form.decimals, at);
                if form.lognormal <= 0.0 {
                    self.error(
                        "invalid-number",
                        &at.key("lognormal"),
                        "a median must be above 0 here",
                        "half of the values are below it, and none is below 0",
                    );
                }
                (Distribution::Lognormal { median: form.lognormal, factor: form.factor, limits }, &form.chance)
            }
            DrawnValue::Numbered(form) => (Distribution::Numbered(form.numbered.clone()), &form.chance),
            DrawnValue::Same(form) => (self.same(&form.same, &at.key("same")), &form.chance),
            DrawnValue::Fixed(form) => (Distribution::Fixed(form.value.clone()), &form.chance),
        };
        Drawn { chance: self.chance_or_all(chance.as_ref(), &at.key("chance")), how }
    }

    fn one_of(&mut self, form: &MapOr<BTreeMap<String, f64>, Vec<Scalar>>, at: &At<'_>) -> Distribution {
        let values: Vec<(Value, f64)> = match form {
            MapOr::Short(values) => values.iter().map(|value| (value.0.clone(), 1.0)).collect(),
            MapOr::Map(weights) => at
                .keys(weights.keys())
                .into_iter()
                .filter_map(|key| Some((Value::from(key.as_str()), *weights.get(key)?)))
                .collect(),
        };
        let sum: f64 = values.iter().map(|(_, weight)| weight).sum();
        if values.iter().any(|(_, weight)| *weight < 0.0) || sum <= 0.0 || !sum.is_finite() {
            self.error("invalid-number", at, "there is nothing to choose from", "list values, or texts with weights above 0");
        }
        Distribution::OneOf(values)
    }

    fn between(&mut self, ends: &[Scalar], decimals: Option<u8>, at: &At<'_>) -> Distribution {
        let end = |index: usize| ends.get(index).map(|end| &end.0);
        let date = |value: Option<&Value>| match value.and_then(Value::as_str).and_then(parse_date) {
            Some(DateValue::Date(date)) => Some(date),
            _ => None,
        };
        if let (Some(first), Some(last)) = (date(end(0)), date(end(1))) {
            self.in_order(first <= last, at);
            return Distribution::Dates { first, last };
        }
        if let (Some(low), Some(high)) = (end(0).and_then(Value::as_f64), end(1).and_then(Value::as_f64)) {
            self.in_order(low <= high, at);
            let written = end(0).into_iter().chain(end(1)).map(decimals_of).max().unwrap_or_default();
            return Distribution::Uniform { low, high, decimals: decimals.unwrap_or(written) };
        }
        self.error("wrong-type", at, "these are not two numbers or two dates", "write `[20, 260]` or `[1950-01-01, 2005-12-31]`");
        Distribution::Fixed(Value::Null)
    }

    fn in_order(&mut self, good: bool, at: &At<'_>) {
        if !good {
            self.error("invalid-number", at, "the first of the two is the larger one", "write the smaller one first");
        }
    }

    fn limits(&mut self, at_least: Option<f64>, at_most: Option<f64>, decimals: Option<u8>, at: &At<'_>) -> Limits {
        let limits = Limits {
            at_least: at_least.unwrap_or(f64::NEG_INFINITY),
            at_most: at_most.unwrap_or(f64::INFINITY),
            decimals: decimals.unwrap_or_default(),
        };
        if limits.at_least > limits.at_most {
            self.error(
                "invalid-number",
                &at.key("at_least"),
                "`at_least` is above `at_most`",
                "write the smaller one at `at_least`",
            );
        }
        limits
    }

    fn same(&mut self, text: &str, at: &At<'_>) -> Distribution {
        match text.strip_prefix("event.").filter(|keys| !keys.is_empty() && keys.split('.').all(|key| !key.is_empty())) {
            Some(keys) => Distribution::Same(Path { root: Root::Event, keys: keys.split('.').map(str::to_owned).collect() }),
            None => {
                self.error(
                    "invalid-path",
                    at,
                    format!("`{text}` is no property"),
                    "write `event.NAME`, of the event that is followed",
                );
                Distribution::Fixed(Value::Null)
            }
        }
    }
}

fn decimals_of(number: &Value) -> u8 {
    let text = number.to_string();
    text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len().min(9) as u8)
}

/// Values that may be drawn: enough of them to see whether any would be wrong.
pub(super) fn samples(how: &Distribution) -> Vec<Value> {
    let day = |date: &Date| Value::from(date.to_string());
    let clamp = |value: f64, limits: &Limits| rounded(value.max(limits.at_least).min(limits.at_most), limits.decimals);
    match how {
        Distribution::Fixed(value) => vec![value.clone()],
        Distribution::OneOf(values) => values.iter().map(|(value, _)| value.clone()).collect(),
        Distribution::Uniform { low, high, decimals } => vec![rounded(*low, *decimals), rounded(*high, *decimals)],
        Distribution::Dates { first, last } => vec![day(first), day(last)],
        Distribution::Normal { mean, deviation, limits } => {
            [-4.0, 0.0, 4.0].iter().map(|times| clamp(mean + times * deviation, limits)).collect()
        }
        Distribution::Lognormal { median, factor, limits } => {
            [-4, 0, 4].iter().map(|times| clamp(median * factor.powi(*times), limits)).collect()
        }
        Distribution::Numbered(begin) => vec![Value::from(format!("{begin}1"))],
        Distribution::Same(_) => Vec::new(),
    }
}
