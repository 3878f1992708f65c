//! The compiled model: what the runner executes. Every value here has been checked; durations are milliseconds,
//! references are resolved, steps are numbered. It is what is stored, under its content's hash, for as long as a run
//! needs it, so every type here reads and writes JSON.

mod condition;
mod definition;
pub mod journey;
mod settings;
mod step;
mod synthetic;
mod traits;
mod trigger;
mod workflow;

/// The workflow that asks whoever subscribes to a topic with `confirm: true` to confirm it. A project with such topics has it without writing
/// it, and may write its own of this name.
pub const CONFIRMING: &str = "confirm-subscription";

pub use condition::*;
pub use definition::*;
pub use settings::*;
pub use step::*;
pub use synthetic::*;
pub use traits::*;
pub use trigger::*;
pub use workflow::*;
