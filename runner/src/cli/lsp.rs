//! `lsp`: the language server, over standard input and output.

use lsp_server::Connection;

use super::{CouldNotRun, Exit, Outcome};
use crate::{lsp, secrets};

#[derive(clap::Args)]
pub struct Lsp {
    /// Talk over standard input and output; there is no other way, and editors like to say so
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub fn run(self) -> Outcome {
        let (connection, threads) = Connection::stdio();
        let pages = secrets::cache_folder().map(|folder| lsp::Pages::under(&folder)).unwrap_or_default();
        let ended = lsp::serve(&connection, &pages);
        // The threads end when nobody is left to talk to.
        drop(connection);
        ended.map_err(|error| CouldNotRun(error.to_string()))?;
        threads.join().map_err(|error| CouldNotRun(format!("the editor cannot be reached: {error}")))?;
        Ok(Exit::Fine)
    }
}
