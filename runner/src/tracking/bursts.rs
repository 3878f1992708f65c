//! Clicks are held back for a moment, to see whether somebody follows every link of a message at once, as scanners do. Whoever follows a link is
//! redirected before that.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::kernel::Tracked;
use crate::state::MessageId;

/// How long a click is held back.
pub const HELD: Duration = Duration::from_secs(2);
/// So many different links of one message within that time are no person's.
const LINKS: usize = 3;
/// How many clicks are held at most; more are taken as they are.
const ROOM: usize = 20_000;

/// A click that is held back, for [`Bursts::release`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Click {
    message: MessageId,
    number: u64,
}

struct Held {
    number: u64,
    /// Since the beginning.
    since: Duration,
    click: Tracked,
}

/// The clicks of the last moment, by message.
pub struct Bursts {
    inside: Mutex<Inside>,
    started: Stopwatch,
}

impl Default for Bursts {
    fn default() -> Bursts {
        Bursts { inside: Mutex::default(), started: Stopwatch::start() }
    }
}

#[derive(Default)]
struct Inside {
    held: HashMap<MessageId, Vec<Held>>,
    number: u64,
    size: usize,
}

impl Bursts {
    /// Holds a click that just came.
    ///
    /// # Errors
    /// Too many are held: the click comes back as it is.
    pub fn hold(&self, click: Tracked) -> Result<Click, Tracked> {
        self.hold_since(click, self.started.elapsed())
    }

    fn hold_since(&self, click: Tracked, since: Duration) -> Result<Click, Tracked> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if inside.size >= ROOM {
            return Err(click);
        }
        inside.size += 1;
        inside.number += 1;
        let (number, message) = (inside.number, click.message);
        let held = inside.held.entry(message).or_default();
        held.push(Held { number, since, click });
        let recent = |held: &Held| since.saturating_sub(held.since) <= HELD;
        let links: HashSet<_> = held.iter().filter(|held| recent(held)).map(|held| &held.click.url).collect();
        if links.len() >= LINKS {
            held.iter_mut().filter(|held| recent(held)).for_each(|held| held.click.machine = true);
        }
        Ok(Click { message, number })
    }

    /// What is known of a click once [`HELD`] is over. `None` when it was released before.
    pub fn release(&self, click: &Click) -> Option<Tracked> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let held = inside.held.get_mut(&click.message)?;
        let place = held.iter().position(|held| held.number == click.number)?;
        let released = held.swap_remove(place).click;
        if held.is_empty() {
            inside.held.remove(&click.message);
        }
        inside.size -= 1;
        Some(released)
    }

    /// Everything that is held, as far as it is known: the runner stops.
    pub fn release_all(&self) -> Vec<Tracked> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        inside.size = 0;
        let mut clicks: Vec<_> = inside.held.drain().flat_map(|(_, held)| held).collect();
        clicks.sort_by_key(|held| held.number);
        clicks.into_iter().map(|held| held.click).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clicks in order: milliseconds, message, link. Each is released when its time is over; `m` for those that were a machine's.
    #[track_caller]
    fn check(clicks: &[(u64, i64, &str)], expected: &str) {
        let bursts = Bursts::default();
        let mut held: Vec<(u64, usize, Click)> = Vec::new();
        let mut seen = vec![' '; clicks.len()];
        let mut release = |held: &mut Vec<(u64, usize, Click)>, now: u64| {
            for (_, place, click) in held.extract_if(.., |(at, ..)| *at + 2000 < now) {
                seen[place] = if bursts.release(&click).unwrap().machine { 'm' } else { 'p' };
                assert_eq!(bursts.release(&click), None);
            }
        };
        for (place, (at, message, url)) in clicks.iter().enumerate() {
            release(&mut held, *at);
            let click = Tracked { message: MessageId(*message), url: Some((*url).to_owned()), machine: false, at: 0 };
            held.push((*at, place, bursts.hold_since(click, Duration::from_millis(*at)).unwrap()));
        }
        release(&mut held, u64::MAX);
        assert_eq!(seen.into_iter().collect::<String>(), expected, "{clicks:?}");
        assert_eq!(bursts.inside.lock().unwrap().size, 0);
    }

    #[test]
    fn three_links_at_once_are_a_machines() {
        check(&[(0, 1, "a"), (10, 1, "b")], "pp");
        check(&[(0, 1, "a"), (10, 1, "b"), (2000, 1, "c")], "mmm");
        check(&[(0, 1, "a"), (10, 1, "b"), (2001, 1, "c")], "ppp");
        check(&[(0, 1, "a"), (10, 1, "a"), (20, 1, "a"), (30, 1, "b")], "pppp");
        check(&[(0, 1, "a"), (0, 2, "b"), (0, 3, "c"), (0, 1, "b")], "pppp");
        check(&[(0, 1, "a"), (1500, 1, "b"), (2500, 1, "c"), (3000, 1, "d"), (6000, 1, "e")], "pmmmp");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let bursts = Bursts::default();
        let click = |number: usize| Tracked { message: MessageId(number as i64), url: None, machine: false, at: 0 };
        for number in 0..ROOM {
            bursts.hold(click(number)).unwrap();
        }
        assert_eq!(bursts.hold(click(0)), Err(click(0)));
        let all = bursts.release_all();
        assert_eq!((all.len(), &all[7]), (ROOM, &click(7)));
        assert!(bursts.hold(click(0)).is_ok());
    }
}
