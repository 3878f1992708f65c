//! Windows and quiet hours: a span of the local day that may cross midnight.
//!
//! An opening runs from the instant of its start to the instant of its end, both resolved at their dates. So quiet hours end at
//! 08:00 on the clock also when the clocks change in the night, and a window that lies in the spring gap does not open on that day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::wall_clock::first_found;
use super::{Time, TimeError, Weekdays, civil_at, parse_time, resolve};

/// Openings that touch are followed this far: no window but one that never closes stays open for longer.
const LONGEST_OPENINGS: usize = 21;

/// Includes its start and not its end. Over midnight when `to` is not later than `from` (equal: the whole day); it belongs to the
/// day on which it opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: Time,
    pub to: Time,
    pub weekdays: Weekdays,
}

/// The text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    #[error("`{0}` is no span of the day; write a start and an end, such as \"09:00-20:00\" or \"22:00-06:00\"")]
    Form(String),
    #[error("in `{text}`, {source}")]
    Time { text: String, source: TimeError },
}

impl Window {
    /// Reads `09:00-20:00`, on all weekdays. `24:00` as the end is midnight; the dash may be an en dash and have spaces around it.
    ///
    /// # Errors
    /// For anything but two times of day.
    pub fn parse(text: &str) -> Result<Window, WindowError> {
        let (from, to) = text.split_once(['-', '–']).ok_or_else(|| WindowError::Form(text.to_owned()))?;
        let time = |part: &str| parse_time(part).map_err(|source| WindowError::Time { text: text.to_owned(), source });
        let to = if to.trim() == "24:00" { Time::midnight() } else { time(to)? };
        Ok(Window { from: time(from)?, to, weekdays: Weekdays::ALL })
    }

    /// The same span on these weekdays only.
    #[must_use]
    pub fn on(self, weekdays: Weekdays) -> Window {
        Window { weekdays, ..self }
    }

    /// Whether `instant` (ms since 1970 UTC) lies inside.
    pub fn contains(&self, instant: i64, zone: &TimeZone) -> bool {
        self.end_of_opening(instant, zone).is_some()
    }

    /// When it next is closed, if it is open at `instant` (both ms since 1970 UTC); openings that touch or overlap count as one.
    /// `None` when it is closed at `instant`, or never closes.
    pub fn closes_at(&self, instant: i64, zone: &TimeZone) -> Option<i64> {
        let mut end = self.end_of_opening(instant, zone)?;
        for _ in 0..LONGEST_OPENINGS {
            match self.end_of_opening(end, zone) {
                Some(later) => end = later,
                None => return Some(end),
            }
        }
        None
    }

    /// The next start strictly later than `instant` (both ms since 1970 UTC), whether or not the window is open until then; the
    /// end of time (see [`super::end_of_time`]) if it has none.
    pub fn opens_after(&self, instant: i64, zone: &TimeZone) -> i64 {
        first_found(civil_at(instant, zone).date(), |date| {
            self.opening(date, zone).map(|(start, _)| start).filter(|start| *start > instant)
        })
    }

    /// The last end of the openings that `instant` lies in. That of the day before may still be open; that of the day after may
    /// be, too, where a change of the clocks makes midnight occur twice.
    fn end_of_opening(&self, instant: i64, zone: &TimeZone) -> Option<i64> {
        let today = civil_at(instant, zone).date();
        [today.yesterday().ok(), Some(today), today.tomorrow().ok()]
            .into_iter()
            .flatten()
            .filter_map(|date| self.opening(date, zone))
            .filter(|(start, end)| (*start..*end).contains(&instant))
            .map(|(_, end)| end)
            .max()
    }

    /// Start and end of the opening that belongs to this date; `None` when it has none.
    fn opening(&self, date: Date, zone: &TimeZone) -> Option<(i64, i64)> {
        if !self.weekdays.contains(date) {
            return None;
        }
        let last = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        let (start, end) = (resolve(date.to_datetime(self.from), zone), resolve(last.to_datetime(self.to), zone));
        (start < end).then_some((start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::wall_clock::tests::{at, named, near_transitions, shown};
    use super::super::{end_of_time, known_zone};
    use super::*;
    use proptest::prelude::*;

    fn check_parse(text: &str, expected: Option<(&str, &str)>) {
        let expected =
            expected.map(|(from, to)| Window { from: from.parse().unwrap(), to: to.parse().unwrap(), weekdays: Weekdays::ALL });
        assert_eq!(Window::parse(text).ok(), expected, "{text:?}");
    }

    #[test]
    fn spans_of_the_day() {
        check_parse("09:00-20:00", Some(("09:00", "20:00")));
        check_parse("9:00-20:00", Some(("09:00", "20:00")));
        check_parse("22:00-06:00", Some(("22:00", "06:00")));
        check_parse(" 21:00 – 08:00 ", Some(("21:00", "08:00")));
        check_parse("18:00-24:00", Some(("18:00", "00:00")));
        check_parse("00:00-24:00", Some(("00:00", "00:00")));
        for wrong in ["", "-", "09:00", "09:00-", "24:00-06:00", "09:00-25:00", "09:00-12:00-15:00", "9-17", "09:00 to 20:00"] {
            check_parse(wrong, None);
        }
    }

    #[test]
    fn the_error_says_what_to_write() {
        let error = |text| Window::parse(text).map_err(|error| error.to_string()).unwrap_err();
        assert!(error("morning").starts_with("`morning` is no span of the day; write a start and an end"));
        assert!(error("09:00-25:00").starts_with("in `09:00-25:00`, `25:00` is no time of day"));
    }

    /// `closes` is empty where the window is closed or never closes.
    fn check(window: &str, days: &str, zone_name: &str, instant: &str, inside: bool, closes: &str, opens: &str) {
        assert!(known_zone(zone_name));
        let zone = named(zone_name);
        let window = Window::parse(window).unwrap().on(Weekdays::parse(days).unwrap());
        let what = format!("{window:?} {zone_name} at {instant}");
        assert_eq!(window.contains(at(instant), &zone), inside, "{what}");
        let closing = window.closes_at(at(instant), &zone).map(|end| shown(end, &zone)).unwrap_or_default();
        assert_eq!(closing, closes, "{what} closes");
        assert_eq!(shown(window.opens_after(at(instant), &zone), &zone), opens, "{what} opens");
    }

    #[test]
    fn ordinary_days() {
        let berlin = "Europe/Berlin";
        // 27 March 2026 is a Friday.
        check("09:00-20:00", "daily", berlin, "2026-03-27T08:59:59.999+01:00", false, "", "2026-03-27T09:00:00+01:00");
        check(
            "09:00-20:00",
            "daily",
            berlin,
            "2026-03-27T09:00:00+01:00",
            true,
            "2026-03-27T20:00:00+01:00",
            "2026-03-28T09:00:00+01:00",
        );
        check("09:00-20:00", "daily", berlin, "2026-03-27T20:00:00+01:00", false, "", "2026-03-28T09:00:00+01:00");
        check("09:00-20:00", "weekdays", berlin, "2026-03-27T20:00:00+01:00", false, "", "2026-03-30T09:00:00+02:00");
        check("09:00-20:00", "weekdays", "Asia/Tokyo", "2026-03-29T22:00:00Z", false, "", "2026-03-30T09:00:00+09:00");
    }

    #[test]
    fn over_midnight_it_belongs_to_the_day_it_opens() {
        let berlin = "Europe/Berlin";
        check(
            "22:00-06:00",
            "fri",
            berlin,
            "2026-03-28T05:00:00+01:00",
            true,
            "2026-03-28T06:00:00+01:00",
            "2026-04-03T22:00:00+02:00",
        );
        check("22:00-06:00", "fri", berlin, "2026-03-27T05:00:00+01:00", false, "", "2026-03-27T22:00:00+01:00");
        check(
            "18:00-24:00",
            "fri",
            berlin,
            "2026-03-27T23:59:00+01:00",
            true,
            "2026-03-28T00:00:00+01:00",
            "2026-04-03T18:00:00+02:00",
        );
        check("18:00-24:00", "fri", berlin, "2026-03-28T00:00:00+01:00", false, "", "2026-04-03T18:00:00+02:00");
        check(
            "09:00-09:00",
            "fri",
            berlin,
            "2026-03-28T08:59:00+01:00",
            true,
            "2026-03-28T09:00:00+01:00",
            "2026-04-03T09:00:00+02:00",
        );
    }

    #[test]
    fn openings_that_touch_are_one() {
        let berlin = "Europe/Berlin";
        check("00:00-24:00", "daily", berlin, "2026-03-27T12:00:00+01:00", true, "", "2026-03-28T00:00:00+01:00");
        check(
            "00:00-24:00",
            "weekdays",
            berlin,
            "2026-03-25T12:00:00+01:00",
            true,
            "2026-03-28T00:00:00+01:00",
            "2026-03-26T00:00:00+01:00",
        );
        check(
            "00:00-24:00",
            "weekends",
            berlin,
            "2026-03-28T12:00:00+01:00",
            true,
            "2026-03-30T00:00:00+02:00",
            "2026-03-29T00:00:00+01:00",
        );
    }

    #[test]
    fn clock_changes() {
        let berlin = "Europe/Berlin";
        check(
            "21:00-08:00",
            "daily",
            berlin,
            "2026-03-29T06:59:00+02:00",
            true,
            "2026-03-29T08:00:00+02:00",
            "2026-03-29T21:00:00+02:00",
        );
        check(
            "21:00-08:00",
            "daily",
            berlin,
            "2026-10-25T07:59:00+01:00",
            true,
            "2026-10-25T08:00:00+01:00",
            "2026-10-25T21:00:00+01:00",
        );
        check("02:30-02:45", "daily", berlin, "2026-03-28T02:50:00+01:00", false, "", "2026-03-30T02:30:00+02:00");
        check("02:30-02:45", "sun", berlin, "2026-03-29T03:00:00+02:00", false, "", "2026-04-05T02:30:00+02:00");
        check(
            "02:30-04:00",
            "daily",
            berlin,
            "2026-03-29T03:00:00+02:00",
            true,
            "2026-03-29T04:00:00+02:00",
            "2026-03-30T02:30:00+02:00",
        );
        check(
            "02:15-02:45",
            "daily",
            berlin,
            "2026-10-25T02:30:00+02:00",
            true,
            "2026-10-25T02:45:00+02:00",
            "2026-10-26T02:15:00+01:00",
        );
        check("02:15-02:45", "daily", berlin, "2026-10-25T02:30:00+01:00", false, "", "2026-10-26T02:15:00+01:00");
        // 01:59 is followed by 03:00, so that the two openings overlap.
        check(
            "02:30-02:00",
            "daily",
            berlin,
            "2026-03-28T12:00:00+01:00",
            true,
            "2026-03-30T02:00:00+02:00",
            "2026-03-29T03:00:00+02:00",
        );
        check(
            "22:00-08:00",
            "daily",
            "Pacific/Apia",
            "2011-12-29T23:00:00-10:00",
            true,
            "2011-12-31T08:00:00+14:00",
            "2011-12-31T00:00:00+14:00",
        );
        check("09:00-20:00", "fri", "Pacific/Apia", "2011-12-29T23:00:00-10:00", false, "", "2012-01-06T09:00:00+14:00");
        // The clocks went back from 00:01 to 23:01: the new day's window is open although the old day is back.
        check(
            "00:00-06:00",
            "sun",
            "America/St_Johns",
            "2010-11-06T23:30:00-03:30",
            true,
            "2010-11-07T06:00:00-03:30",
            "2010-11-14T00:00:00-03:30",
        );
    }

    #[test]
    fn far_away_saturates() {
        let zone = named("Europe/Berlin");
        let window = Window::parse("00:00-24:00").unwrap();
        assert_eq!(window.opens_after(i64::MAX, &zone), end_of_time());
        assert!(window.opens_after(i64::MIN, &zone) < 0);
        assert_eq!(window.on(Weekdays(0)).opens_after(0, &zone), end_of_time());
    }

    proptest! {
        /// Open from one start to its end and closed from there to the next start: no third possibility.
        #[test]
        fn contains_and_opens_and_closes_agree((zone, instant) in near_transitions(), from in 0i32..48, to in 0i32..48, days in 1u8..128) {
            let half_hours = |count: i32| jiff::civil::time((count / 2) as i8, (count % 2 * 30) as i8, 0, 0);
            let window = Window { from: half_hours(from), to: half_hours(to), weekdays: Weekdays(days) };
            let opens = window.opens_after(instant, &zone);
            prop_assert!(opens > instant);
            prop_assert!(window.contains(opens, &zone));
            let step = 15 * 60_000;
            match window.closes_at(instant, &zone) {
                Some(end) => {
                    prop_assert!(end > instant);
                    prop_assert!(window.contains(instant, &zone) && window.contains(end - 1, &zone) && !window.contains(end, &zone));
                    prop_assert!((0..).map(|n| instant + n * step).take_while(|t| *t < end).all(|t| window.contains(t, &zone)));
                }
                None if window.contains(instant, &zone) => prop_assert!(from == to && days == 127),
                None => {
                    prop_assert!(!window.contains(opens - 1, &zone));
                    prop_assert!((0..).map(|n| instant + n * step).take_while(|t| *t < opens).all(|t| !window.contains(t, &zone)));
                }
            }
        }
    }
}
