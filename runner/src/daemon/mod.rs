//! The daemon: a kernel on a thread of its own, the channels it hands messages to, and the service around them.
//!
//! Architecture invariants: only the kernel's thread touches the kernel; everybody else sends it letters. Nothing here decides about
//! workflows or messages.

mod carriers;
mod figures;
mod health;
mod in_force;
mod kernel_thread;
mod mailbox;
mod maildir;
mod signals;
mod worker;

pub mod service;
pub mod service_manager;

pub use carriers::{Carry, CarryError, Pools, Replacement, dkim_keys};
pub use figures::{Figures, Passages, passages};
pub use health::Health;
pub use in_force::{LastGood, Loaded, as_json};
pub use kernel_thread::{KernelThread, StopError};
pub use mailbox::{Answer, Full, Intake, Mailbox, Stopped, mailbox};
pub use maildir::MaildirThread;

#[cfg(test)]
mod tests;
