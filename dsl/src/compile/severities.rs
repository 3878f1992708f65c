//! `rules:` in the settings: which warnings are errors in this project, and which are nothing.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::explain::{self, Weight};
use crate::lower::{RuleLevel, RuleNote};
use crate::place::{list, suggestion};

/// Gives every warning the severity that the settings ask for, and says which of their codes mean nothing.
pub(super) fn apply(rules: &[RuleNote], diagnostics: &mut Vec<Diagnostic>) {
    let mut levels: HashMap<&str, RuleLevel> = HashMap::new();
    for rule in rules {
        match explain::explain(&rule.code) {
            Some(known) if known.weight.is_settable() || rule.level == RuleLevel::Error => {
                levels.insert(known.code, rule.level);
            }
            Some(known) => diagnostics.push(fixed(rule, known.code)),
            None => diagnostics.push(unknown(rule)),
        }
    }
    if levels.is_empty() {
        return;
    }
    diagnostics.retain_mut(|diagnostic| {
        let level = levels.get(diagnostic.code).filter(|_| diagnostic.severity == Severity::Warning);
        if level == Some(&RuleLevel::Error) {
            diagnostic.severity = Severity::Error;
        }
        level != Some(&RuleLevel::Off)
    });
}

fn settable() -> impl Iterator<Item = &'static str> {
    explain::explanations().iter().filter(|known| known.weight.is_settable()).map(|known| known.code)
}

fn unknown(rule: &RuleNote) -> Diagnostic {
    let message = format!("no diagnostic has the code `{}`", rule.code);
    let help = suggestion(&rule.code, explain::explanations().iter().map(|known| known.code), "codes");
    Diagnostic { help, ..Diagnostic::error("unknown-code", rule.at.clone(), message) }
}

fn fixed(rule: &RuleNote, code: &str) -> Diagnostic {
    let message = format!("`{code}` is always an error");
    let help = match (explain::explain(code).map(|known| known.weight), code) {
        (_, "unknown-attribute" | "unknown-event" | "unknown-variable") => {
            "write `contract: open` to make what the data contract does not know a warning".to_owned()
        }
        (Some(Weight::AllowableError), _) => {
            format!("allow it where it stands, with the comment `campaignd: allow({code}) reason`")
        }
        _ => format!("warnings can be set: {}", list(&settable().collect::<Vec<_>>())),
    };
    Diagnostic::error("fixed-severity", rule.at.clone(), message).help(help)
}
