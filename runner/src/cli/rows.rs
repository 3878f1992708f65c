//! What a command says about the rows of a file: those it rejects, and those that are odd.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{CouldNotRun, output};
use crate::ingest::{Rejection, Row};
use crate::simulate::{counted, grouped};

/// How many rejected rows and how many warnings are shown before they are only counted.
const SHOWN: u64 = 20;

/// Reports the rows of one file on standard error.
pub struct Rows {
    path: PathBuf,
    /// Show every rejected row.
    all: bool,
    /// Where rejected rows are kept in full: made when the first one comes.
    kept: Option<Kept>,
    pub rejected: u64,
    warnings: u64,
}

struct Kept {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// How many rows of an import that was cut off stay in the file.
    before: u64,
}

/// A rejected row as it is kept: with what there is to mend.
#[derive(Serialize)]
struct KeptRow<'a> {
    line: u64,
    reason: &'a str,
    row: Option<&'a str>,
}

impl Rows {
    /// Every rejected row is shown.
    pub fn shown(path: &Path) -> Rows {
        Rows { path: path.to_owned(), all: true, kept: None, rejected: 0, warnings: 0 }
    }

    /// The first ones are shown, the rest counted; `keep`: all are written to FILE.rejected.
    pub fn counted(path: &Path, keep: bool) -> Rows {
        let mut name = path.as_os_str().to_owned();
        name.push(".rejected");
        let kept = keep.then(|| Kept { path: name.into(), file: None, before: 0 });
        Rows { kept, all: false, ..Rows::shown(path) }
    }

    /// Goes on after an import that was cut off when so many rows were rejected: they are counted, and stay in FILE.rejected.
    pub fn go_on(&mut self, rejected: u64) {
        self.rejected = rejected;
        if let Some(kept) = &mut self.kept {
            kept.before = rejected;
        }
    }

    /// Leaves nothing of FILE.rejected unwritten.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn flush(&mut self) -> Result<(), CouldNotRun> {
        match &mut self.kept {
            Some(Kept { path, file: Some(file), .. }) => output::written(file.flush(), &path.display().to_string()),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// When FILE.rejected cannot be written.
    pub fn reject(&mut self, rejection: &Rejection) -> Result<(), CouldNotRun> {
        self.rejected += 1;
        if self.all || self.rejected <= SHOWN {
            output::note(&format!("{}:{}: rejected: {}", self.path.display(), rejection.line, rejection.reason));
        }
        match &mut self.kept {
            Some(kept) => kept.write(rejection),
            None => Ok(()),
        }
    }

    pub fn warn<T>(&mut self, row: &Row<T>) {
        for warning in &row.warnings {
            self.warnings += 1;
            if self.warnings <= SHOWN {
                output::note(&format!("{}:{}: warning: {warning}", self.path.display(), row.line));
            }
        }
    }

    /// Says how many there were beyond those that were shown.
    ///
    /// # Errors
    /// When FILE.rejected cannot be written.
    pub fn finish(&mut self) -> Result<(), CouldNotRun> {
        if self.warnings > SHOWN {
            output::note(&format!("{}: {} more warnings", self.path.display(), grouped(self.warnings - SHOWN)));
        }
        if !self.all && self.rejected > SHOWN {
            output::note(&format!("{}: {} more rejected", self.path.display(), counted(self.rejected - SHOWN, "row")));
        }
        self.flush()?;
        if let Some(Kept { path, .. }) = self.kept.as_ref().filter(|_| self.rejected > 0) {
            output::note(&format!("the rejected rows are in {}", path.display()));
        }
        Ok(())
    }
}

impl Kept {
    fn write(&mut self, rejection: &Rejection) -> Result<(), CouldNotRun> {
        let path = self.path.display().to_string();
        let broken = |error: std::io::Error| CouldNotRun(format!("{path} cannot be written: {error}"));
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(shortened(&self.path, self.before).map_err(broken)?)),
        };
        let row = KeptRow { line: rejection.line, reason: &rejection.reason, row: rejection.row.as_deref() };
        let text = serde_json::to_string(&row).map_err(|error| broken(error.into()))?;
        writeln!(file, "{text}").map_err(broken)
    }
}

/// The file with its first `keep` lines, to be written on; with none it is made anew.
fn shortened(path: &Path, keep: u64) -> io::Result<File> {
    if keep == 0 {
        return File::create(path);
    }
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    let mut reader = BufReader::new(&file);
    let mut length = 0;
    for _ in 0..keep {
        match reader.skip_until(b'\n')? {
            0 => break,
            read => length += read as u64,
        }
    }
    file.set_len(length)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}
