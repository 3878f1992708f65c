//! Whether the kernel's thread lives and its store works, for the service manager and the health pages.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Written by the kernel's thread, read by anyone.
pub struct Health {
    began: Stopwatch,
    /// Milliseconds after `began`.
    last_beat: AtomicU64,
    stopping: AtomicBool,
    trouble: RwLock<Option<String>>,
}

impl Default for Health {
    fn default() -> Health {
        Health {
            began: Stopwatch::start(),
            last_beat: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            trouble: RwLock::new(None),
        }
    }
}

impl Health {
    pub(super) fn beat(&self) {
        let elapsed = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_beat.store(elapsed, Ordering::Relaxed);
    }

    /// How long ago the kernel's thread last went round; at most some 250 ms when all is well.
    pub fn since_beat(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.last_beat.load(Ordering::Relaxed)))
    }

    pub(super) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.write().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why the runner takes nothing in at the moment, if so.
    pub fn trouble(&self) -> Option<String> {
        if self.stopping.load(Ordering::Relaxed) {
            return Some("the runner is stopping".to_owned());
        }
        self.trouble.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
