//! campaignd: runs customer campaigns that are written as YAML files against a SQLite store.

pub mod audience;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod demo;
pub mod dispatch;
pub mod engine;
pub mod experiment;
pub mod ingest;
pub mod instant;
pub mod kernel;
pub mod logging;
pub mod metrics;
pub mod reload;
pub mod render;
pub mod returns;
pub mod secrets;
pub mod simulate;
pub mod standing;
pub mod state;
pub mod store;
pub mod tokens;
pub mod tracking;
pub mod web;
