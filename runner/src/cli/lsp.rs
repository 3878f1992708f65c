//! `lsp`: the language server, over standard input and output.

use super::{CouldNotRun, Exit, Outcome};
use crate::lsp::{self, Ended};
use crate::secrets;

#[derive(clap::Args)]
pub struct Lsp {
    /// Talk over standard input and output; there is no other way, and editors like to say so
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub fn run(self) -> Outcome {
        let (connection, writer) = lsp::stdio().map_err(|error| CouldNotRun(format!("the system gives no threads: {error}")))?;
        let pages = secrets::cache_folder().map(|folder| lsp::Pages::under(&folder)).unwrap_or_default();
        let ended = lsp::serve(&connection, &pages);
        // The thread that writes ends when there is nothing left to write.
        drop(connection);
        let written = writer.join();
        match ended.map_err(|error| CouldNotRun(error.to_string()))? {
            Ended::Abruptly => Ok(Exit::Findings),
            Ended::Properly => match written {
                Ok(Err(error)) => Err(CouldNotRun(format!("the editor cannot be reached: {error}"))),
                _ => Ok(Exit::Fine),
            },
        }
    }
}
