//! How much a project may hold: more than anybody writes, and little enough to be checked in a moment.

use crate::diagnostic::{Diagnostic, Location};
use crate::lower::{Notes, Unit};

/// Values (texts, numbers, lists and mappings) in all files under workflows/.
const VALUES: usize = 1_000_000;
/// Steps of all workflows.
const STEPS: usize = 100_000;
/// Triggers, segments, traits, comparisons of values and texts with expressions in all files under workflows/.
const PARTS: usize = 100_000;
/// Messages that are written in workflows.
const MESSAGES: usize = 10_000;
/// Bytes of all workflows together, each with the templates, partials and segments that it needs.
pub(super) const DEFINITIONS: usize = 64 * 1024 * 1024;
/// Values in all files under tests/.
pub(super) const TEST_VALUES: usize = 500_000;

/// What a file adds to its project.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub values: usize,
    pub steps: usize,
    pub parts: usize,
    pub messages: usize,
}

impl Size {
    /// Adds what was read of a file.
    pub fn add(&mut self, values: usize, unit: Option<&Unit>) {
        self.values += values;
        let Some(unit) = unit else { return };
        let of = |notes: &Notes| notes.values.len() + notes.texts.len();
        let segments = unit.segments.iter().map(|segment| 1 + of(&segment.notes)).sum::<usize>();
        let traits = unit.traits.iter().map(|unit| 1 + of(&unit.notes)).sum::<usize>();
        self.parts += segments + traits;
        if let Some(workflow) = &unit.workflow {
            self.steps += workflow.model.steps.len();
            self.parts += workflow.model.triggers.len() + of(&workflow.notes);
            self.messages += workflow.inline.len();
        }
    }

    fn plus(self, other: Size) -> Size {
        Size {
            values: self.values + other.values,
            steps: self.steps + other.steps,
            parts: self.parts + other.parts,
            messages: self.messages + other.messages,
        }
    }

    /// What there is too much of.
    pub fn exceeded(&self) -> Option<String> {
        let limits = [
            (self.steps, STEPS, "steps"),
            (self.messages, MESSAGES, "messages written in workflows"),
            (self.parts, PARTS, "triggers, segments, traits, comparisons and texts with expressions"),
            (self.values, VALUES, "values"),
        ];
        let found = limits.into_iter().find(|(count, most, _)| count > most);
        found.map(|(_, most, what)| format!("with this file, the project has more than {most} {what}"))
    }
}

/// The file with which the project becomes too large, if any does.
pub(super) fn passed(sizes: &[(String, Size)]) -> Option<Diagnostic> {
    let mut sum = Size::default();
    sizes.iter().find_map(|(file, size)| {
        sum = sum.plus(*size);
        Some(too_large(file, sum.exceeded()?))
    })
}

/// At the beginning of a file.
pub(super) fn too_large(file: &str, message: String) -> Diagnostic {
    let location = Location { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
    Diagnostic::error("project-too-large", location, message).help("make two projects of it, each with a store of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_is_too_much_is_named() {
        let check = |steps: &[usize], expected: Option<&str>| {
            let file = |(index, steps): (usize, &usize)| (format!("{index}"), Size { steps: *steps, ..Size::default() });
            let sizes: Vec<(String, Size)> = steps.iter().enumerate().map(file).collect();
            let found = passed(&sizes);
            assert_eq!(found.as_ref().map(|found| found.location.file.as_str()), expected, "{steps:?}");
        };
        check(&[STEPS], None);
        check(&[STEPS, 0, 1, 1], Some("2"));
        check(&[STEPS + 1], Some("0"));
    }
}
