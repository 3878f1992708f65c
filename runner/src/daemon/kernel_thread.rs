//! A running kernel: the thread, the way to reach it, and the way to end it.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use super::worker::Worker;
use super::{Carry, Health, Intake, Mailbox};
use crate::clock::Clock;
use crate::kernel::Kernel;
use crate::metrics::Metrics;
use crate::store::StoreError;

/// Why a kernel did not end as it should.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    #[error(
        "what the channels reported last could not be stored, so the messages in question count as in doubt at the next start: {0}"
    )]
    Store(#[source] StoreError),
    #[error("the kernel's thread could not be started: {0}")]
    Thread(#[source] std::io::Error),
    #[error("the kernel's thread ended by a fault in the program; report this")]
    Fault,
}

/// Runs a kernel on a thread of its own, by any clock that passes by itself.
pub struct KernelThread {
    mailbox: Mailbox,
    carriers: Arc<dyn Carry>,
    health: Arc<Health>,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl KernelThread {
    /// Takes the kernel over. `mailbox` and `intake` are the two ends made by [`super::mailbox`]; jobs go to `carriers`, which report to the
    /// mailbox.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(
        kernel: Kernel,
        clock: Arc<dyn Clock>,
        carriers: Arc<dyn Carry>,
        (mailbox, intake): (Mailbox, Intake),
        metrics: Arc<Metrics>,
    ) -> Result<KernelThread, StopError> {
        let health = Arc::new(Health::default());
        let worker = Worker::new(kernel, clock, carriers.clone(), intake, metrics, health.clone());
        let thread =
            std::thread::Builder::new().name("kernel".to_owned()).spawn(move || worker.run()).map_err(StopError::Thread)?;
        Ok(KernelThread { mailbox, carriers, health, thread })
    }

    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Takes no work out any more, lets the channels finish what they carry for at most `within`, records what they report, and closes the store.
    /// Blocks; not for async code.
    ///
    /// # Errors
    /// When the last reports could not be stored.
    pub fn stop(self, within: Duration) -> Result<(), StopError> {
        self.health.set_stopping();
        if self.mailbox.stop_sending().wait().is_ok() {
            self.carriers.close(within);
            self.mailbox.stop();
        }
        match self.thread.join() {
            Ok(ended) => ended.map_err(StopError::Store),
            Err(_) => Err(StopError::Fault),
        }
    }
}
