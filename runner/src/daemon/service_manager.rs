//! Talking to the service manager (sd_notify(3)). Without one, nothing happens.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

use super::Health;

pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// [`ready_again`] must follow.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager is not told of the reload"),
    }
}

/// The reload that [`reloading`] spoke of has ended, well or not.
pub fn ready_again() {
    tell(&[NotifyState::Ready]);
}

pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("finishing what the channels carry")]);
}

/// Feeds the watchdog, if there is one, for as long as the kernel's thread makes progress. Never returns.
pub async fn feed_watchdog(health: Arc<Health>) {
    let Some(limit) = sd_notify::watchdog_enabled() else { return std::future::pending().await };
    let mut interval = tokio::time::interval((limit / 2).max(Duration::from_millis(1)));
    loop {
        interval.tick().await;
        if health.since_beat() < limit / 2 {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("the kernel's thread makes no progress: the watchdog is not fed");
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be reached");
    }
}
