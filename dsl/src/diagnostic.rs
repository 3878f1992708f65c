//! What is wrong, where, and what to do about it. One type; one renderer for each output format.

/// How bad it is: an error keeps a project from running, a warning does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// A place in a file of the project. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Relative to the project, with forward slashes.
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub end_line: usize,
    pub end_column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Kebab-case, stable: `unknown-template`.
    pub code: &'static str,
    pub severity: Severity,
    pub message: String,
    pub location: Location,
    /// What to do: "did you mean `welcome`?"
    pub help: Option<String>,
}
