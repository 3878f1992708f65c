//! Standard output and error: a broken pipe is not an error, and colour is for terminals.

use std::io::{self, IsTerminal, Write};

use super::CouldNotRun;

/// Prints to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn print(text: &str) -> Result<(), CouldNotRun> {
    let mut out = io::stdout().lock();
    written(out.write_all(text.as_bytes()).and_then(|()| out.flush()), "the output")
}

/// What became of writing `what`. When whoever reads has gone away, nobody is left to write for: the process ends, quietly and fine.
///
/// # Errors
/// When it cannot be written.
pub fn written(result: io::Result<()>, what: &str) -> Result<(), CouldNotRun> {
    match result {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(CouldNotRun(format!("{what} cannot be written: {error}"))),
    }
}

/// A line to standard error. That nobody reads it is no reason to stop.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether standard output is a terminal on which colour is wanted (<https://no-color.org>).
pub fn coloured() -> bool {
    io::stdout().is_terminal() && !no_color()
}

/// The same of standard error.
pub fn coloured_notes() -> bool {
    io::stderr().is_terminal() && !no_color()
}

#[allow(clippy::disallowed_methods, reason = "how to print is the terminal's business, not the project's")]
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
