//! Regular expressions, compiled once per thread: conditions hold them as text, and compiling one costs far more than a check may.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;

/// How many expressions a thread keeps; a project has far fewer, and reloads must not pile up old ones for ever.
const KEPT: usize = 256;

thread_local! {
    /// `None`: does not compile.
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
}

/// Whether the expression matches anywhere in the text. One that does not compile matches nothing; the checker of the language refuses
/// such before it gets here.
pub(super) fn matches(expression: &str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(expression) {
            if compiled.len() >= KEPT {
                compiled.clear();
            }
            compiled.insert(expression.to_owned(), Regex::new(expression).ok());
        }
        matches!(compiled.get(expression), Some(Some(regex)) if regex.is_match(text))
    })
}
