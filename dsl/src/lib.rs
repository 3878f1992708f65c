//! The campaignd language: text in, a checked catalog or diagnostics out.
//!
//! Architecture invariants: no clock, no network, no database; parsing collects every error and never stops at the first; a wrong file
//! never panics.

pub mod contract;
pub mod diagnostic;
pub mod model;
pub mod template;
pub mod time;
