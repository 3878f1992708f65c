//! Time as people mean it: durations in words, crontab, wall-clock times in a zone, windows and anniversaries. Everything
//! here is a pure function of its arguments; instants are milliseconds since 1970-01-01T00:00Z.

mod anniversary;
mod cron;
mod dates;
mod duration;
mod wall_clock;
mod window;

pub use anniversary::{fires_after, DateValueError};
pub use cron::{Cron, CronError};
pub use dates::{parse_date, DateValue};
pub use duration::{Duration, DurationError};
pub use wall_clock::{after_days, civil_at, known_zone, next_at, resolve, zone, Weekdays};
pub use window::Window;

/// A time of day on a wall clock.
pub type Time = jiff::civil::Time;
