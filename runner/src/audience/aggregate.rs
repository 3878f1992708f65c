//! Sum, average, least and greatest of a number among events.

use dsl::model::{Aggregate, AggregateFunction};
use serde_json::{Number, Value};

use super::value::walk;
use crate::state::Event;

/// What the numbers at the aggregate's path come to. The sum of nothing is 0; everything else of nothing is missing.
pub(super) fn outcome(aggregate: &Aggregate, events: &[&Event]) -> Option<Value> {
    let numbers: Vec<f64> = events.iter().filter_map(|event| walk(&event.properties, &aggregate.of.keys)?.as_f64()).collect();
    let value = match aggregate.function {
        AggregateFunction::Sum => decimal(sum(&numbers)),
        AggregateFunction::Avg if numbers.is_empty() => return None,
        AggregateFunction::Avg => decimal(sum(&numbers) / numbers.len() as f64),
        AggregateFunction::Min => numbers.into_iter().reduce(f64::min)?,
        AggregateFunction::Max => numbers.into_iter().reduce(f64::max)?,
    };
    Number::from_f64(value).map(Value::Number)
}

fn sum(numbers: &[f64]) -> f64 {
    let (sum, lost) = numbers.iter().copied().fold((0.0, 0.0), neumaier);
    sum + lost
}

/// One more number in Neumaier's compensated sum, whose error does not grow with how many there are: the sum, and what it lost, to be added
/// at the end.
pub(crate) fn neumaier((sum, lost): (f64, f64), number: f64) -> (f64, f64) {
    let next = sum + number;
    let lost = lost + if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
    (next, lost)
}

/// Prices are decimals: 0.7 and 0.1 make 0.8 and not 0.7999999999999999. A double carries 15 decimal digits faithfully, so what
/// differs beyond them is not data. Whole numbers need no such care.
pub(crate) fn decimal(value: f64) -> f64 {
    if value.fract() == 0.0 {
        return value;
    }
    format!("{value:.14e}").parse().unwrap_or(value)
}
