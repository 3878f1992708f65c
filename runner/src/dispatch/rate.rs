//! A channel's rate: messages leave at least so far apart.

use dsl::model::Rate;

/// The clock shows milliseconds; in microseconds. The intervals of a span are together a tick longer than the span, which is what making up for
/// a tick can take from them.
const TICK: i128 = 1000;

/// Spaces messages evenly, so that no span of `per` ever holds more than `count`, whatever piled up before it.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    /// In microseconds: 5,000 a second are less than a millisecond apart.
    interval: i128,
    next: i128,
}

impl RateLimit {
    pub fn new(rate: Rate) -> RateLimit {
        let per = i128::from(rate.per.millis()) * 1000 + TICK;
        let count = i128::from(rate.count.max(1));
        RateLimit { interval: (per + count - 1) / count, next: i128::MIN }
    }

    /// Takes a place at `now` (ms), or says when the next one is free (ms).
    ///
    /// # Errors
    /// The time of the next free place.
    pub fn take(&mut self, now: i64) -> Result<(), i64> {
        if let Some(next) = self.free_at(now) {
            return Err(next);
        }
        let now = i128::from(now) * 1000;
        // Places missed within the last tick of the clock are made up for: several may fall into one tick.
        self.next = self.next.max(now - TICK) + self.interval;
        Ok(())
    }

    /// When the next place is free (ms); `None`: one is free now.
    pub fn free_at(&self, now: i64) -> Option<i64> {
        // Rounded up: never early.
        (self.next > i128::from(now) * 1000).then(|| i64::try_from((self.next + 999) / 1000).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::time::Duration;

    /// The times at which 12 messages leave that are all ready at 0, with the clock looked at whenever the limiter said so.
    #[track_caller]
    fn check(count: u32, per: Duration, expected: &[i64]) {
        let mut limit = RateLimit::new(Rate { count, per });
        let (mut now, mut left) = (0, Vec::new());
        while left.len() < expected.len() {
            match limit.take(now) {
                Ok(()) => left.push(now),
                Err(next) => {
                    assert!(next > now);
                    now = next;
                }
            }
        }
        assert_eq!(left, expected);
    }

    #[test]
    fn spaced_evenly_and_never_early() {
        check(2, Duration::SECOND, &[0, 500, 1000, 1501]);
        check(1, Duration::MINUTE, &[0, 60_000, 120_001]);
        check(5000, Duration::SECOND, &[0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]);
    }

    #[test]
    fn no_span_ever_holds_more() {
        for (count, looks) in [(50, 7), (50, 1), (3, 100), (1000, 3)] {
            let mut limit = RateLimit::new(Rate { count, per: Duration::SECOND });
            let mut left = Vec::new();
            // Idle for a while, then a pile, looked at every so many milliseconds.
            for now in [0].into_iter().chain((5_000..9_000).step_by(looks)) {
                while limit.take(now).is_ok() {
                    left.push(now);
                }
            }
            for span in left.windows(count as usize + 1) {
                assert!(span[span.len() - 1] - span[0] >= 1000, "{count}, looked at every {looks} ms: {span:?}");
            }
        }
    }
}
