//! What commands print.

use std::io::{self, BufWriter, IsTerminal, Write};

use super::CouldNotRun;
use crate::secrets;

/// Writes to standard output. A reader that has gone away (`| head`) ends it quietly.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CouldNotRun> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CouldNotRun(format!("the output cannot be written: {error}"))),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Whether standard error is a terminal that shows colours (https://no-color.org).
pub fn colour_on_stderr() -> bool {
    io::stderr().is_terminal() && !secrets::no_color()
}
