//! Events at random moments: Poisson processes whose rate follows the clock and the weekday, by thinning (Lewis and Shedler, 1979): moments at
//! the highest rate, of which each is kept with the share that the rate there has of it.

use dsl::model::Cause;
use dsl::time::{Time, Window, civil_at};
use jiff::tz::TimeZone;

use super::DAY;
use crate::chance::Chance;

/// How often a source's event happens by itself.
pub enum Process {
    /// Never: something else makes it happen.
    Caused,
    Rate {
        among: f64,
        /// The mean time between two moments at the highest rate, in ms.
        gap: f64,
        hours: Option<Window>,
        /// Of each weekday from Monday on, its share of the highest.
        weekdays: [f64; 7],
        /// The rate is the same at all times.
        steady: bool,
    },
}

impl Process {
    pub fn of(cause: &Cause) -> Process {
        let Cause::Rate { per_day, among, hours, weekdays } = cause else { return Process::Caused };
        let most = weekdays.iter().copied().fold(0.0, f64::max);
        let mean = weekdays.iter().sum::<f64>() / 7.0;
        let highest = per_day * most / mean / hours.map_or(1.0, share_of_day);
        if !highest.is_finite() || highest <= 0.0 {
            return Process::Caused;
        }
        let weekdays = weekdays.map(|weight| weight / most);
        let steady = hours.is_none() && weekdays.iter().all(|weight| *weight >= 1.0);
        Process::Rate { among: *among, gap: DAY / highest, hours: *hours, weekdays, steady }
    }

    /// What the moments of one person are drawn from; `None`: the person never does it.
    pub fn begin(&self, mut chance: Chance) -> Option<Chance> {
        match self {
            Process::Caused => None,
            Process::Rate { among, .. } => chance.happens(*among).then_some(chance),
        }
    }

    /// The next moment after `after`, by the clock in `zone`; `None`: there is none before `until`. Times are ms since 1970 UTC.
    pub fn next(&self, chance: &mut Chance, after: i64, until: i64, zone: &TimeZone) -> Option<i64> {
        let Process::Rate { gap, hours, weekdays, steady, .. } = self else { return None };
        let mut at = after as f64;
        loop {
            at += chance.exponential() * gap;
            let moment = (at.ceil() as i64).max(after + 1);
            if moment >= until {
                return None;
            }
            if *steady {
                return Some(moment);
            }
            let day = civil_at(moment, zone).weekday().to_monday_zero_offset();
            let weight = weekdays.get(day as usize).copied().unwrap_or_default();
            if chance.happens(weight) && hours.as_ref().is_none_or(|hours| hours.contains(moment, zone)) {
                return Some(moment);
            }
        }
    }
}

/// Of a common day.
fn share_of_day(window: Window) -> f64 {
    let millis = |time: Time| (time - Time::midnight()).total(jiff::Unit::Millisecond).unwrap_or_default();
    let length = (millis(window.to) - millis(window.from)).rem_euclid(DAY);
    if length > 0.0 { length / DAY } else { 1.0 }
}
