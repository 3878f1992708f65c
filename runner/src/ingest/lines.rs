//! Lines of a file, however large the file is, each of a bounded length.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};

/// The longest line that is read, in bytes.
pub(super) const LONGEST: usize = 2 * 1024 * 1024;

/// A place between two lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Bytes before it.
    pub offset: u64,
    /// Lines before it.
    pub lines: u64,
}

/// One line without its newline.
pub(super) struct Line {
    /// From 1.
    pub number: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// `None`: longer than [`LONGEST`].
    pub text: Option<Vec<u8>>,
}

pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    number: u64,
    read: u64,
}

impl Lines {
    pub fn new(input: Box<dyn BufRead + Send>) -> Lines {
        Lines::from(input, Place { offset: 0, lines: 0 })
    }

    /// `input` goes on at the place.
    pub fn from(input: Box<dyn BufRead + Send>, place: Place) -> Lines {
        Lines { input, number: place.lines, read: place.offset }
    }

    /// What was read so far.
    pub fn place(&self) -> Place {
        Place { offset: self.read, lines: self.number }
    }

    /// The next line; `None` at the end. A byte order mark at the beginning is left out.
    ///
    /// # Errors
    /// Those of the file.
    pub fn next(&mut self) -> io::Result<Option<Line>> {
        let offset = self.read;
        let mut text = Some(Vec::new());
        let mut any = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            any = true;
            let newline = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..newline.unwrap_or(available.len())];
            match &mut text {
                Some(line) if line.len() + part.len() <= LONGEST => line.extend_from_slice(part),
                _ => text = None,
            }
            let taken = newline.map_or(available.len(), |at| at + 1);
            self.read += taken as u64;
            self.input.consume(taken);
            if newline.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if self.number == 1
            && let Some(line) = &mut text
            && line.starts_with(b"\xEF\xBB\xBF")
        {
            line.drain(..3);
        }
        Ok(Some(Line { number: self.number, offset, text }))
    }
}
