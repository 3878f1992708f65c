//! How long steps take, at least and at most, as far as the definition says.

use crate::model::{Repeat, Send, Settings, Wait};
use crate::time::{Duration, Weekdays, Window};

const HOUR: i64 = Duration::HOUR.millis();
const DAY: i64 = Duration::DAY.millis();

/// Between the least and the most that something takes, in ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub least: i64,
    pub most: i64,
}

impl Span {
    /// What was before is long ago.
    pub(super) const EVER: i64 = i64::MAX / 4;
}

/// How long a wait takes.
pub(super) fn of_wait(wait: &Wait) -> Span {
    match wait {
        Wait::For(span) => Span { least: span.millis(), most: span.millis() },
        Wait::Dates { days, weekdays, .. } => {
            let dates = days.saturating_mul(DAY);
            // Reached late in the day, or early; and a day may have 23 hours or 25.
            let least = dates.saturating_sub(DAY + HOUR).max(0);
            Span { least, most: dates.saturating_add(farthest(*weekdays) + HOUR) }
        }
        Wait::Until { weekdays, .. } => Span { least: 0, most: farthest(*weekdays) + HOUR },
        Wait::UntilDate { .. } => Span { least: 0, most: Span::EVER },
    }
}

/// How long a message is held until its window and the quiet hours let it leave.
pub(super) fn until_opening(send: &Send, settings: &Settings) -> Span {
    let window = send.window.map(|window| farthest(window.weekdays) - open_for(&window));
    let quiet = settings.quiet_hours.filter(|_| !send.transactional).map(|quiet| open_for(&quiet));
    let held: i64 = window.into_iter().chain(quiet).map(|closed| closed + HOUR).sum();
    let spread = if held > 0 { settings.spread.millis() } else { 0 };
    Span { least: 0, most: held.saturating_add(spread) }
}

/// When the pass behind one that began then begins at the earliest.
pub(super) fn between_passes(repeat: &Repeat, began: i64) -> Option<i64> {
    repeat.every.map(|every| began.saturating_add(every.millis()))
}

/// The longest from one of these weekdays to the next.
fn farthest(weekdays: Weekdays) -> i64 {
    let on = |day: u32| weekdays.0 & (1 << (day % 7)) != 0;
    let gap = |day: u32| (1..=7).find(|days| on(day + days)).map_or(7, i64::from);
    (0..7).filter(|day| on(*day)).map(gap).max().unwrap_or(7).saturating_mul(DAY)
}

/// How long a window is open each time.
fn open_for(window: &Window) -> i64 {
    let of = |time: crate::time::Time| {
        (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60_000 + i64::from(time.second()) * 1_000
    };
    let (from, to) = (of(window.from), of(window.to));
    if to <= from { DAY - from + to } else { to - from }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekdays_apart() {
        for (days, expected) in
            [(Weekdays::ALL, 1), (Weekdays::WORKING, 3), (Weekdays::WEEKENDS, 6), (Weekdays(1), 7), (Weekdays(0b1001), 4)]
        {
            assert_eq!(farthest(days), expected * DAY, "{days}");
        }
    }
}
