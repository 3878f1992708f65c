//! Reload: notices that the project's files changed, compiles all of them without side effects, and puts them in force in one go, or keeps what
//! is in force and says why.
//!
//! A notification is only a hint and the files' hash decides; a slow poll covers lost hints.

mod attempt;
mod quiet;
mod watch;

#[cfg(test)]
mod tests;

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

pub use attempt::{Outcome, Refusal, Reloader, Start};

pub use quiet::gather;
pub use watch::Watch;

/// How long nothing may have changed before the files are read, and how long changes may go on before they are read all the same.
const QUIET: Duration = Duration::from_millis(50);
const AT_MOST: Duration = Duration::from_secs(2);
/// How often the files are read though nobody said that they changed.
const RESCAN: Duration = Duration::from_secs(45);

/// Why the files may have to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Something in the project's folders changed.
    Changed,
    /// A person asks, so secrets are read anew as well.
    Asked,
    Stop,
}

/// The thread that reloads.
pub struct ReloadThread {
    hints: mpsc::Sender<Hint>,
    thread: JoinHandle<()>,
}

impl ReloadThread {
    /// Begins to watch the reloader's project; `told` hears what became of each attempt that was made.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(mut reloader: Reloader, told: Arc<dyn Fn(&Progress) + Send + Sync>) -> std::io::Result<ReloadThread> {
        let (hints, heard) = mpsc::channel();
        let watcher_hints = hints.clone();
        let thread = std::thread::Builder::new().name("reload".to_owned()).spawn(move || {
            let mut watch = Watch::arm(reloader.root(), &watcher_hints);
            while let Some(hint) = gather(&heard, RESCAN, QUIET, AT_MOST) {
                // New folders need watches of their own; from before the files are read, so that no change falls between.
                watch = Watch::again(watch, reloader.root(), &watcher_hints);
                if hint == Hint::Asked {
                    told(&Progress::Begun);
                }
                match reloader.attempt(hint == Hint::Asked) {
                    Outcome::Unchanged => {}
                    outcome => told(&Progress::Done(outcome)),
                }
                if hint == Hint::Asked {
                    told(&Progress::Ended);
                }
            }
        })?;
        Ok(ReloadThread { hints, thread })
    }

    /// A way to hint from elsewhere.
    pub fn hints(&self) -> mpsc::Sender<Hint> {
        self.hints.clone()
    }

    /// Tells the thread to end. It is not waited for: files that take long to read must not keep the process.
    pub fn stop(self) {
        if self.hints.send(Hint::Stop).is_err() && self.thread.join().is_err() {
            tracing::error!("the reload thread ended by a fault in the program; report this");
        }
    }
}

/// What whoever watches the reloading is told.
#[derive(Debug)]
pub enum Progress {
    /// A person asked for it.
    Begun,
    Done(Outcome),
    /// Of what a person asked for.
    Ended,
}
