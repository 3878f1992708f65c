//! The Clock port: the only place time comes from.

use std::sync::atomic::{AtomicI64, Ordering};

/// Tells the time in milliseconds since 1970-01-01T00:00Z, and how long to wait for a moment.
pub trait Clock: Send + Sync {
    fn now(&self) -> i64;

    /// How long, in real time, until this clock shows `instant`; zero when it already does.
    fn until(&self, instant: i64) -> std::time::Duration;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock;

impl Clock for WallClock {
    #[allow(clippy::disallowed_methods, reason = "the port itself")]
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    fn until(&self, instant: i64) -> std::time::Duration {
        std::time::Duration::from_millis(instant.saturating_sub(self.now()).max(0).unsigned_abs())
    }
}

/// The machine's clock, run so many times faster from a start of one's own: for the demo.
#[derive(Debug, Clone, Copy)]
pub struct FastClock {
    started: i64,
    shows: i64,
    speed: f64,
}

impl FastClock {
    /// A clock that shows `start` now and passes `speed` milliseconds for each real one (more than 0).
    pub fn new(start: i64, speed: f64) -> FastClock {
        FastClock { started: WallClock.now(), shows: start, speed }
    }
}

impl Clock for FastClock {
    fn now(&self) -> i64 {
        self.shows + ((WallClock.now() - self.started) as f64 * self.speed) as i64
    }

    fn until(&self, instant: i64) -> std::time::Duration {
        std::time::Duration::from_secs_f64((instant.saturating_sub(self.now()).max(0) as f64 / self.speed / 1000.0).min(1e9))
    }
}

/// Measures how long something takes, in real time whatever the clock shows.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[allow(clippy::disallowed_methods, reason = "the port itself")]
    pub fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }

    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

/// Stands still until it is set: for simulations and tests.
#[derive(Debug, Default)]
pub struct VirtualClock(AtomicI64);

impl VirtualClock {
    pub fn at(instant: i64) -> VirtualClock {
        VirtualClock(AtomicI64::new(instant))
    }

    /// Moves to `instant`; never back.
    pub fn advance_to(&self, instant: i64) {
        self.0.fetch_max(instant, Ordering::Relaxed);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn until(&self, _instant: i64) -> std::time::Duration {
        std::time::Duration::ZERO
    }
}
