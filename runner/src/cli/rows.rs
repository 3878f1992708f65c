//! What a command says about the rows of a file: those it rejects, and those that are odd.

use std::fs::File;
use std::io::{BufWriter, Write};
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
        let kept = keep.then(|| Kept { path: name.into(), file: None });
        Rows { kept, all: false, ..Rows::shown(path) }
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
        if let Some(Kept { path, file: Some(file) }) = &mut self.kept {
            output::written(file.flush(), &path.display().to_string())?;
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
            none => none.insert(BufWriter::new(File::create(&self.path).map_err(broken)?)),
        };
        let row = KeptRow { line: rejection.line, reason: &rejection.reason, row: rejection.row.as_deref() };
        let text = serde_json::to_string(&row).map_err(|error| broken(error.into()))?;
        writeln!(file, "{text}").map_err(broken)
    }
}
