//! Message templates: reading them, checking them. Rendering is the runner's.

use std::collections::{BTreeMap, BTreeSet};

use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::model::TemplateSource;

/// Every template, layout and partial of a project, each read and checked on its own.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// By name: the path under templates/ without endings (`welcome`, `onboarding/day-1`).
    pub templates: BTreeMap<String, TemplateSource>,
    pub layouts: BTreeMap<String, String>,
    pub partials: BTreeMap<String, String>,
}

/// What a message may name where it is sent.
pub struct Variables<'a> {
    pub contract: &'a Contract,
    /// The events that can start the run: `event.*` may name what any of them declares. Empty: only `start … with` or `enroll --with`
    /// can give it, so any name is allowed.
    pub events: &'a BTreeSet<String>,
    /// Names that the step's `with` gives.
    pub with: &'a BTreeSet<String>,
    /// Names that a `set` step of the workflow gives under `vars`.
    pub vars: &'a BTreeSet<String>,
    /// `contract: open`: what the contract does not know is a warning.
    pub open: bool,
}

/// Where an inline text stands in a workflow file, so that a place inside it can be named.
pub struct InlineText<'a> {
    pub text: &'a str,
    pub file: &'a str,
    /// The position of the text's value in the file, from 1. For a block scalar, of its first line of content.
    pub line: usize,
    pub column: usize,
}

impl Library {
    /// Reads `files` (path relative to the project → text, all those under templates/).
    pub fn load(_files: &BTreeMap<String, String>) -> (Library, Vec<Diagnostic>) {
        (Library::default(), Vec::new())
    }

    /// What is wrong with sending the template `name` with these variables: unknown variables, `needs` that `with` lacks. The places are in
    /// the template's files.
    pub fn check_use(&self, _name: &str, _variables: &Variables<'_>) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// Checks one inline text (a subject, an HTML or text body, a `with` value) in the same way: syntax, helpers, partials, variables.
    pub fn check_inline(&self, _text: &InlineText<'_>, _variables: &Variables<'_>) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The names of the partials that this template (with its layouts and, in turn, their partials) needs.
    pub fn partials_of(&self, _template: &TemplateSource) -> BTreeSet<String> {
        BTreeSet::new()
    }
}
