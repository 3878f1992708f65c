//! Signals: HUP reloads; TERM and INT end the service in good order, and a second one at once.

use std::sync::mpsc::Sender;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::reload::Hint;

/// The exit code of a service that was told twice to stop.
const IMPATIENT: i32 = 130;

/// Returns when the service is to end; from then on, one more signal ends the process.
///
/// # Errors
/// When the system gives no signals.
pub async fn until_told_to_stop(hints: Sender<Hint>) -> std::io::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            _ = hang_up.recv() => {
                if hints.send(Hint::Asked).is_err() {
                    tracing::error!("the reload thread has ended: restart campaignd to load the project's files");
                }
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    tokio::spawn(end_at_once(terminate, interrupt));
    Ok(())
}

async fn end_at_once(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::warn!("told twice to stop: ending at once; messages in flight count as in doubt at the next start");
    std::process::exit(IMPATIENT);
}
