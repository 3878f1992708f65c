//! Signals: HUP reloads; TERM and INT end the service in good order, and a second one at once.

use std::sync::mpsc::Sender;

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::reload::Hint;

/// The exit code of a service that was told twice to stop.
const IMPATIENT: i32 = 130;

/// Those that are listened for. They wait here from the moment that this is made.
pub struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// To be made before anybody is told that the service is ready: until then each of them ends the process.
    ///
    /// # Errors
    /// When the system gives no signals.
    pub fn take(runtime: &Runtime) -> std::io::Result<Signals> {
        let _inside = runtime.enter();
        Ok(Signals {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Returns when the service is to end; from then on, one more signal ends the process.
    pub async fn until_told_to_stop(mut self, hints: Sender<Hint>) {
        loop {
            tokio::select! {
                _ = self.hang_up.recv() => {
                    if hints.send(Hint::Asked).is_err() {
                        tracing::error!("the reload thread has ended: restart campaignd to load the project's files");
                    }
                }
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
            }
        }
        tokio::spawn(end_at_once(self.terminate, self.interrupt));
    }
}

async fn end_at_once(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::warn!("told twice to stop: ending at once; messages in flight count as in doubt at the next start");
    std::process::exit(IMPATIENT);
}
