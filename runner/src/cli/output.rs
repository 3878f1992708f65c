//! What commands print: a broken pipe is not an error, and colour is for terminals (<https://no-color.org>).

use std::io::{self, BufWriter, IsTerminal, Write};

use super::CouldNotRun;
use crate::secrets;

/// Writes to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CouldNotRun> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        // The command says how it came out all the same: `validate | head` must not pass for fine.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is left in the buffer would be tried, and complained about, once more.
            drop(out.into_parts());
            Ok(())
        }
        result => written(result, "the output"),
    }
}

/// Writes a text to standard output.
///
/// # Errors
/// When it cannot be written.
pub fn text(text: &str) -> Result<(), CouldNotRun> {
    print(|out| out.write_all(text.as_bytes()))
}

/// What became of writing `what`. When whoever reads has gone away (`| head`), nobody is left to write for: the process ends, quietly and fine.
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

/// Whether standard output is a terminal that shows colours.
pub fn colour_on_stdout() -> bool {
    io::stdout().is_terminal() && !secrets::no_color()
}

/// Whether standard error is a terminal that shows colours.
pub fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && !secrets::no_color()
}
