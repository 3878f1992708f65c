//! Traits of what a contact's events come to: kept up to date with every event, worked out anew only when some drop out of `within`.

use std::collections::BTreeMap;

use dsl::model::{Condition, EventsTrait, Path, Points, TraitFunction};
use dsl::time::Duration;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::record::{Kept, Place, number};
use crate::audience::{Facts, Scope, decimal, earliest, holds_of_event, neumaier, walk};
use crate::instant;
use crate::state::{Event, EventId, Fading, TraitValue};

/// A trait's value, and what is kept to go on from there.
pub(super) struct Figure {
    pub value: Option<TraitValue>,
    pub place: Place,
}

/// What traits of events are worked out with.
pub(super) struct Context<'a> {
    pub scope: &'a Scope<'a>,
    /// In which times are written.
    pub project_zone: &'a TimeZone,
    /// The highest event id there is.
    pub last_event: EventId,
}

/// Whether an event counts.
enum Counts {
    Yes,
    No,
    /// It may from this time on.
    Later(i64),
}

impl Context<'_> {
    /// Works the trait out from the contact's events.
    pub fn anew<F: Facts>(&self, definition: &EventsTrait, facts: &mut F) -> Result<Figure, F::Error> {
        let from = definition.within.map_or(i64::MIN, |within| self.scope.now.saturating_sub(within.millis()));
        let bare = definition.filter.is_none() && definition.of.is_none();
        let mut figure = Figure { value: nothing(definition.function), place: Place::default() };
        for event in facts.events(&definition.event, from, bare)?.iter() {
            self.add(definition, &mut figure, event);
        }
        figure.place.upto = self.last_event.0;
        Ok(figure)
    }

    /// Takes one more event into account.
    pub fn add(&self, definition: &EventsTrait, figure: &mut Figure, event: &Event) {
        let recheck = figure.place.recheck;
        match self.counts(definition.filter.as_deref(), definition.within, event) {
            Counts::No => {}
            Counts::Later(at) => figure.place.recheck = earliest(recheck, Some(at)),
            Counts::Yes => {
                if let Some(oldest) = self.count(definition, figure, event) {
                    let leaves = definition.within.map(|within| oldest.saturating_add(within.millis()).saturating_add(1));
                    figure.place.recheck = earliest(recheck, leaves);
                }
            }
        }
    }

    /// `within` counts to the millisecond; an event dated in the future counts from then on.
    fn counts(&self, filter: Option<&Condition>, within: Option<Duration>, event: &Event) -> Counts {
        let now = self.scope.now;
        if event.at > now {
            return Counts::Later(event.at);
        }
        if within.is_some_and(|within| event.at < now.saturating_sub(within.millis())) {
            return Counts::No;
        }
        let meets = filter.map(|filter| holds_of_event(filter, &event.properties, self.scope));
        match meets {
            None => Counts::Yes,
            Some(truth) if truth.holds => Counts::Yes,
            Some(truth) => truth.recheck.map_or(Counts::No, Counts::Later),
        }
    }

    /// An event that counts; gives the time of the oldest that the value may be of. `None`: it has nothing to count.
    fn count(&self, definition: &EventsTrait, figure: &mut Figure, event: &Event) -> Option<i64> {
        let property = |of: &Option<Path>| of.as_ref().map(|of| walk(&event.properties, &of.keys));
        match definition.function {
            TraitFunction::Count => self.count_number(definition.function, figure, event, 0.0),
            TraitFunction::Sum | TraitFunction::Avg => {
                let value = property(&definition.of)??.as_f64()?;
                self.count_number(definition.function, figure, event, value)
            }
            TraitFunction::Min | TraitFunction::Max => {
                let value = property(&definition.of)??.as_f64()?;
                Some(extreme(definition.function, figure, event.at, value))
            }
            TraitFunction::First | TraitFunction::Last => {
                let value = match property(&definition.of) {
                    Some(value) => value?.clone(),
                    None => Value::String(instant::text(event.at, self.project_zone)),
                };
                Some(edge(definition.function, figure, event, value))
            }
        }
    }

    fn count_number(&self, function: TraitFunction, figure: &mut Figure, event: &Event, value: f64) -> Option<i64> {
        let (count, sum, lost, oldest) = match figure.place.kept {
            Kept::Numbers { count, sum, lost, oldest } => (count, sum, lost, oldest.min(event.at)),
            _ => (0, 0.0, 0.0, event.at),
        };
        let (count, (sum, lost)) = (count + 1, neumaier((sum, lost), value));
        figure.place.kept = Kept::Numbers { count, sum, lost, oldest };
        let result = match function {
            TraitFunction::Count => Some(Value::from(count)),
            TraitFunction::Avg => number(decimal((sum + lost) / count as f64)),
            _ => number(decimal(sum + lost)),
        };
        figure.value = result.map(TraitValue::Plain);
        Some(oldest)
    }

    /// Works a score out from the contact's events.
    pub fn score_anew<F: Facts>(
        &self,
        points: &[Points],
        halves_every: Option<Duration>,
        facts: &mut F,
    ) -> Result<Figure, F::Error> {
        let mut figure = Figure { value: Some(TraitValue::Plain(Value::from(0))), place: Place::default() };
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for entry in points {
            *names.entry(&entry.event).or_insert(true) &= entry.filter.is_none();
        }
        for (name, bare) in names {
            for event in facts.events(name, i64::MIN, bare)?.iter() {
                self.score(points, halves_every, name, &mut figure, event);
            }
        }
        figure.place.upto = self.last_event.0;
        Ok(figure)
    }

    /// Adds an event's points to a score.
    pub fn score(&self, points: &[Points], halves_every: Option<Duration>, name: &str, figure: &mut Figure, event: &Event) {
        for entry in points.iter().filter(|entry| entry.event == name) {
            match self.counts(entry.filter.as_deref(), None, event) {
                Counts::No => {}
                Counts::Later(at) => figure.place.recheck = earliest(figure.place.recheck, Some(at)),
                Counts::Yes => figure.value = Some(scored(figure.value.take(), entry.points, event.at, halves_every)),
            }
        }
    }
}

/// What a trait is without events.
fn nothing(function: TraitFunction) -> Option<TraitValue> {
    matches!(function, TraitFunction::Sum | TraitFunction::Count).then(|| TraitValue::Plain(Value::from(0)))
}

fn extreme(function: TraitFunction, figure: &mut Figure, at: i64, value: f64) -> i64 {
    let oldest = match figure.place.kept {
        Kept::Oldest(oldest) => oldest.min(at),
        _ => at,
    };
    let known = figure.value.as_ref().and_then(|known| known.at(at).as_f64());
    let choose = if function == TraitFunction::Min { f64::min } else { f64::max };
    figure.place.kept = Kept::Oldest(oldest);
    figure.value = number(known.map_or(value, |known| choose(known, value))).map(TraitValue::Plain);
    oldest
}

fn edge(function: TraitFunction, figure: &mut Figure, event: &Event, value: Value) -> i64 {
    let known = match figure.place.kept {
        Kept::Edge { at, id } => Some((at, id)),
        _ => None,
    };
    let new = (event.at, event.id.0);
    let replaces = known.is_none_or(|known| if function == TraitFunction::First { new < known } else { new > known });
    match known.filter(|_| !replaces) {
        Some((at, _)) => at,
        None => {
            figure.place.kept = Kept::Edge { at: new.0, id: new.1 };
            figure.value = Some(TraitValue::Plain(value));
            new.0
        }
    }
}

/// The score with these points, given at this time, added; both brought to the later of the two times.
fn scored(known: Option<TraitValue>, points: f64, at: i64, halves_every: Option<Duration>) -> TraitValue {
    match (known, halves_every) {
        (Some(TraitValue::Fading(fading)), Some(span)) => {
            let reference = fading.at.max(at);
            let added = Fading { value: points, at, halves_every: span.millis() };
            TraitValue::Fading(Fading { value: fading.at(reference) + added.at(reference), at: reference, ..added })
        }
        (_, Some(span)) => TraitValue::Fading(Fading { value: points, at, halves_every: span.millis() }),
        (known, None) => {
            let known = known.and_then(|known| known.at(at).as_f64()).unwrap_or(0.0);
            TraitValue::Plain(number(decimal(known + points)).unwrap_or_default())
        }
    }
}
