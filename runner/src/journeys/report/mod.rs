//! What came of tests, for people, programs and continuous integration.

mod human;
mod json;
mod junit;
pub(super) mod words;

use dsl::ProjectFiles;
use dsl::diagnostic::Diagnostic;

pub use human::human;
pub use json::json;
pub use junit::junit;

use super::{Coverage, Outcome};

/// Everything there is to say.
pub struct Told<'a> {
    pub outcomes: &'a [Outcome<'a>],
    /// What is wrong with files of tests: they were not performed.
    pub diagnostics: &'a [Diagnostic],
    pub files: &'a ProjectFiles,
    pub coverage: Option<&'a Coverage>,
    /// Paths of snapshots.
    pub written: &'a [String],
    pub stale: &'a [String],
}

impl Told<'_> {
    pub fn passed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.passed()).count()
    }

    pub fn failed(&self) -> usize {
        self.outcomes.len() - self.passed()
    }
}
