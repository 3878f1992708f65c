//! Codes of diagnostics: in comments that allow some, and in the settings' `rules`.

use dsl::explain::{Explanation, Weight, explanations};
use lsp_types::CompletionItemKind;

use super::Suggestion;

const SIGN: &str = "campaignd:";

/// What may be written in a comment to campaignd that ends at this column (from 1) of a line. `None`: there is none.
pub(super) fn in_comment(line: &str, column: usize) -> Option<Vec<Suggestion>> {
    let end = line.char_indices().nth(column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
    let before = &line[..end];
    let sign = before.rfind(SIGN)?;
    let in_comment = before[..sign].trim_end().ends_with(['#', '!', '-']);
    let words = before[sign + SIGN.len()..].trim_start();
    if !in_comment {
        return None;
    }
    let Some(codes) = words.strip_prefix("allow(") else {
        let begins = "allow".starts_with(words);
        let insert = Some("allow(".to_owned());
        let allow = Suggestion { insert, ..Suggestion::new("allow", CompletionItemKind::KEYWORD) };
        return Some(if begins { vec![allow] } else { Vec::new() });
    };
    if codes.contains(')') {
        return Some(Vec::new());
    }
    let mut written: Vec<&str> = codes.split(',').map(str::trim).collect();
    written.pop();
    let allowable = |one: &&Explanation| matches!(one.weight, Weight::AllowableError | Weight::Warning);
    let new = explanations().iter().filter(allowable).filter(|one| !written.contains(&one.code));
    Some(new.map(suggestion).collect())
}

/// The codes that `rules` may say something about.
pub(super) fn settable() -> Vec<Suggestion> {
    explanations().iter().filter(|one| one.weight.is_settable()).map(suggestion).collect()
}

fn suggestion(explanation: &Explanation) -> Suggestion {
    Suggestion { about: Some(explanation.text.clone()), ..Suggestion::new(explanation.code, CompletionItemKind::CONSTANT) }
}
