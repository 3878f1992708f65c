//! The campaignd language: text in, a checked catalog or diagnostics out.
//!
//! Architecture invariants: no clock, no network, no database; parsing collects every error and never stops at the first; a wrong file
//! never panics.

mod check;
pub mod compare;
pub mod contract;
pub mod diagnostic;
pub mod explain;
pub mod graph;
pub mod index;
pub mod model;
pub mod render;
pub mod schema;
pub mod template;
pub mod time;
pub mod words;

mod compile;
mod halves;
mod lower;
mod pattern;
mod place;
mod project;
mod structure;
mod surface;
mod synthetic;
mod yaml;

pub use compile::{Compiled, compile, diagnose};
pub use project::{ProjectError, ProjectFiles};
pub use synthetic::read_audience;
