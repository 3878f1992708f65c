//! campaignd: runs customer campaigns that are written as YAML files against a SQLite store.

pub mod audience;
pub mod channels;
pub mod clock;
pub mod state;
pub mod store;
