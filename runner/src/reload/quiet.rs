//! Waiting for changes to come to rest.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Hint;
use crate::clock::Stopwatch;

/// Waits for a hint, at most `rescan` long, and then until `quiet` has passed without another, `at_most` in all. A request by a person does
/// not wait. `None`: to stop.
pub fn gather(hints: &Receiver<Hint>, rescan: Duration, quiet: Duration, at_most: Duration) -> Option<Hint> {
    match hints.recv_timeout(rescan) {
        Err(RecvTimeoutError::Timeout) => return Some(Hint::Changed),
        Err(RecvTimeoutError::Disconnected) | Ok(Hint::Stop) => return None,
        Ok(Hint::Asked) => return Some(Hint::Asked),
        Ok(Hint::Changed) => {}
    }
    let began = Stopwatch::start();
    loop {
        match hints.recv_timeout(quiet.min(at_most.saturating_sub(began.elapsed()))) {
            Err(RecvTimeoutError::Timeout) => return Some(Hint::Changed),
            Err(RecvTimeoutError::Disconnected) | Ok(Hint::Stop) => return None,
            Ok(Hint::Asked) => return Some(Hint::Asked),
            Ok(Hint::Changed) if began.elapsed() >= at_most => return Some(Hint::Changed),
            Ok(Hint::Changed) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[track_caller]
    fn check(hints: &[Hint], expected: Option<Hint>) {
        let (sender, receiver) = mpsc::channel();
        hints.iter().for_each(|hint| sender.send(*hint).unwrap());
        let moment = Duration::from_millis(1);
        assert_eq!(gather(&receiver, moment, moment, moment * 20), expected, "{hints:?}");
    }

    #[test]
    fn gathers_hints_into_one() {
        check(&[Hint::Changed], Some(Hint::Changed));
        check(&[Hint::Changed, Hint::Changed, Hint::Changed], Some(Hint::Changed));
        check(&[Hint::Changed, Hint::Asked], Some(Hint::Asked));
        check(&[Hint::Changed, Hint::Stop], None);
        check(&[Hint::Asked, Hint::Changed], Some(Hint::Asked));
        check(&[Hint::Stop], None);
    }

    #[test]
    fn looks_by_itself_when_nobody_hints() {
        check(&[], Some(Hint::Changed));
    }

    #[test]
    fn does_not_wait_for_ever_for_quiet() {
        let (sender, receiver) = mpsc::channel();
        sender.send(Hint::Changed).unwrap();
        let restless = std::thread::spawn(move || while sender.send(Hint::Changed).is_ok() {});
        let hint = gather(&receiver, Duration::from_secs(60), Duration::from_secs(60), Duration::from_millis(20));
        assert_eq!(hint, Some(Hint::Changed));
        drop(receiver);
        restless.join().unwrap();
    }
}
