//! When a message that was refused for now is tried again.

use dsl::model::Retry;

use crate::engine::stable_fraction;

/// The time of the next attempt: `first` after the first refusal, doubling up to `most`, up to a quarter less or more so that what failed together is
/// not tried together; `None` when that is later than `for` after `began`, the first attempt.
pub fn next_attempt(retry: Retry, message_id: &str, attempts: u32, began: i64, now: i64) -> Option<i64> {
    let doubled = retry.first.millis().saturating_mul(1i64.checked_shl(attempts.saturating_sub(1).min(40)).unwrap_or(i64::MAX));
    let pause = doubled.min(retry.most.millis()).max(1);
    let jitter = stable_fraction(&["retry", message_id, &attempts.to_string()]) * 0.5 + 0.75;
    let at = now.saturating_add(((pause as f64) * jitter) as i64).max(now + 1);
    (at - began <= retry.for_.millis()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::time::Duration;

    #[track_caller]
    fn check(attempts: u32, began: i64, now: i64, expected: Option<(i64, i64)>) {
        let retry =
            Retry { first: Duration::SECOND, most: Duration(5 * Duration::MINUTE.0), for_: Duration(2 * Duration::DAY.0) };
        let at = next_attempt(retry, "m1", attempts, began, now);
        match (at, expected) {
            (None, None) => {}
            (Some(at), Some((from, to))) => assert!((from..=to).contains(&(at - now)), "{} not in {from}..={to}", at - now),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn doubles_up_to_the_limit_and_gives_up() {
        check(1, 0, 0, Some((750, 1250)));
        check(2, 0, 0, Some((1500, 2500)));
        check(4, 0, 0, Some((6000, 10_000)));
        check(60, 0, 0, Some((225_000, 375_000)));
        check(60, 0, 2 * Duration::DAY.0, None);
    }
}
