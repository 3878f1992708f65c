//! Time as people mean it: durations in words, crontab, wall-clock times in a zone, windows and anniversaries. Everything
//! here is a pure function of its arguments; instants are milliseconds since 1970-01-01T00:00Z.

mod anniversary;
mod cron;
mod dates;
mod duration;
mod time_of_day;
mod wall_clock;
mod weekdays;
mod window;

pub use anniversary::{DateValueError, fires_after};
pub use cron::{Cron, CronError};
pub use dates::{DateValue, parse_date};
pub use duration::{Duration, DurationError};
pub use time_of_day::{Time, TimeError, parse_time};
pub use wall_clock::{after_days, civil_at, end_of_time, known_zone, next_at, resolve, zone};
pub use weekdays::{Weekdays, WeekdaysError};
pub use window::{Window, WindowError};
