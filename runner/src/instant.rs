//! Instants as text.

use dsl::model::Settings;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The project's zone; UTC should its name not be known on this machine.
pub fn project_zone(settings: &Settings) -> TimeZone {
    dsl::time::zone(&settings.time_zone).unwrap_or(TimeZone::UTC)
}

/// RFC 3339 with the zone's offset: `2026-03-29T09:00:00+02:00`, with milliseconds where there are any. `instant` is in ms since 1970 UTC.
pub fn text(instant: i64, zone: &TimeZone) -> String {
    let Ok(timestamp) = Timestamp::from_millisecond(instant) else { return instant.to_string() };
    let zoned = timestamp.to_zoned(zone.clone());
    let format = if instant.rem_euclid(1000) == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" };
    zoned.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(instant: i64, zone: &str, expected: &str) {
        assert_eq!(text(instant, &dsl::time::zone(zone).unwrap()), expected);
    }

    #[test]
    fn carries_the_zones_offset_at_that_instant() {
        check(1_774_767_600_000, "Europe/Berlin", "2026-03-29T09:00:00+02:00");
        check(1_774_681_200_000, "Europe/Berlin", "2026-03-28T08:00:00+01:00");
        check(1_774_681_200_125, "UTC", "2026-03-28T07:00:00.125+00:00");
        check(0, "Asia/Kolkata", "1970-01-01T05:30:00+05:30");
        check(i64::MAX, "UTC", "9223372036854775807");
    }
}
