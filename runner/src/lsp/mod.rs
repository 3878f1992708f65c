//! The language server: what editors ask while somebody writes a project.
//!
//! Names come from the index (`dsl::index`), which a broken file cannot empty, and places from the text at hand, so that everything works while a file is being
//! written. What is wrong with a project is found on a thread of its own.

mod actions;
mod answers;
mod capabilities;
mod checker;
mod client;
mod completion;
mod cursor;
mod hover;
mod navigation;
mod position;
mod project;
mod publish;
mod rename;
mod rules_page;
mod server;
mod shape;
mod transport;

pub use rules_page::Pages;
pub use server::{Ended, LspError, serve};
pub use transport::stdio;
