//! One renderer for each output format.

mod human;
mod json;
mod short;

pub use human::{human, summary};
pub use json::json;
pub use short::short;
