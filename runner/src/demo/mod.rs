//! The demo: the shipped campaigns, a thousand people made up from a seed, and a month of what they do.

mod funnel;
mod month;
mod people;
mod places;
mod project;
mod reactions;
mod show;

pub use funnel::{Funnel, funnels};
pub use month::{Month, month};
pub use people::{Person, people};
pub use project::{FILES, files, write};
pub use reactions::{Reactions, Watcher};
pub use show::{DemoError, Progress, Show, Shown};
