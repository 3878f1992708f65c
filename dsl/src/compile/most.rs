//! Very many diagnostics of one kind: the first are told, and how many more there are.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Severity};

/// How many of one code are told of one file.
const IN_A_FILE: usize = 1_000;
/// How many of one code are told of a project.
const IN_ALL: usize = 10_000;

/// What is left out, and where the first of it stands.
struct LeftOut {
    /// Index among the diagnostics that stay.
    at: usize,
    count: usize,
}

/// Takes out what is too much; in its place stands one diagnostic that says how many there were. The diagnostics are in order.
pub(super) fn limit(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.len() <= IN_A_FILE {
        return;
    }
    let mut in_files: HashMap<(&'static str, String), (usize, Option<LeftOut>)> = HashMap::new();
    let mut in_all: HashMap<&'static str, (usize, Option<LeftOut>)> = HashMap::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    for diagnostic in diagnostics.drain(..) {
        let of_file = in_files.entry((diagnostic.code, diagnostic.location.file.clone())).or_default();
        if of_file.0 >= IN_A_FILE {
            leave_out(diagnostic, &mut of_file.1, &mut kept);
            continue;
        }
        let of_all = in_all.entry(diagnostic.code).or_default();
        if of_all.0 >= IN_ALL {
            leave_out(diagnostic, &mut of_all.1, &mut kept);
            continue;
        }
        of_file.0 += 1;
        of_all.0 += 1;
        kept.push(diagnostic);
    }
    let files = in_files.into_values().filter_map(|(_, left)| Some((left?, "in this file")));
    let all = in_all.into_values().filter_map(|(_, left)| Some((left?, "from here on")));
    for (left, place) in files.chain(all) {
        if let Some(diagnostic) = kept.get_mut(left.at) {
            let code = diagnostic.code;
            diagnostic.message = format!("and {} more of `{code}` {place}", left.count);
            diagnostic.help = Some("mend the first ones, and look again".to_owned());
            diagnostic.related.clear();
        }
    }
    *diagnostics = kept;
}

/// The first one stays, to be given other words.
fn leave_out(diagnostic: Diagnostic, left: &mut Option<LeftOut>, kept: &mut Vec<Diagnostic>) {
    match left {
        Some(left) => {
            left.count += 1;
            if diagnostic.severity == Severity::Error
                && let Some(first) = kept.get_mut(left.at)
            {
                first.severity = Severity::Error;
            }
        }
        None => {
            *left = Some(LeftOut { at: kept.len(), count: 1 });
            kept.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Location;

    #[test]
    fn the_first_are_told_and_how_many_more_there_are() {
        let check = |files: usize, each: usize, kept: usize, last: &str| {
            let of = |index: usize| {
                let (file, line) = (index / each, index % each + 1);
                let location = Location { file: format!("{file:05}"), line, column: 1, end_line: line, end_column: 1 };
                Diagnostic::warning("a", location, "b")
            };
            let mut diagnostics: Vec<Diagnostic> = (0..files * each).map(of).collect();
            limit(&mut diagnostics);
            assert_eq!(diagnostics.len(), kept, "{files} {each}");
            assert_eq!(diagnostics.last().unwrap().message, last, "{files} {each}");
        };
        check(1, 1_000, 1_000, "b");
        check(1, 1_001, 1_001, "and 1 more of `a` in this file");
        check(2, 3_000, 2_002, "and 2000 more of `a` in this file");
        check(10_000, 1, 10_000, "b");
        check(12_000, 1, 10_001, "and 2000 more of `a` from here on");
    }
}
