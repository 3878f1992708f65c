//! campaignd: runs customer campaigns that are written as YAML files against a SQLite store.

pub mod audience;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod dispatch;
pub mod engine;
pub mod ingest;
pub mod instant;
pub mod kernel;
pub mod render;
pub mod simulate;
pub mod state;
pub mod store;
pub mod tokens;
