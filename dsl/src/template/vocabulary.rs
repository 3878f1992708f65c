//! The Handlebars helpers of this language: one list for the checker and the renderer.

use std::ops::RangeInclusive;

/// Where a helper may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `{{#if x}}…{{/if}}`
    Block,
    /// `{{upper x}}` or, inside of another, `(upper x)`
    Value,
    /// Either.
    Both,
}

/// One helper, and how many values it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperRule {
    pub name: &'static str,
    pub form: Form,
    pub values: RangeInclusive<usize>,
}

const fn rule(name: &'static str, form: Form, least: usize, most: usize) -> HelperRule {
    HelperRule { name, form, values: RangeInclusive::new(least, most) }
}

/// Every helper that a template may use.
pub const HELPERS: &[HelperRule] = &[
    rule("if", Form::Block, 1, 1),
    rule("unless", Form::Block, 1, 1),
    rule("each", Form::Block, 1, 1),
    rule("with", Form::Block, 1, 1),
    rule("lookup", Form::Value, 2, 2),
    rule("eq", Form::Both, 2, 2),
    rule("ne", Form::Both, 2, 2),
    rule("gt", Form::Both, 2, 2),
    rule("gte", Form::Both, 2, 2),
    rule("lt", Form::Both, 2, 2),
    rule("lte", Form::Both, 2, 2),
    rule("and", Form::Both, 2, 16),
    rule("or", Form::Both, 2, 16),
    rule("not", Form::Both, 1, 1),
    rule("len", Form::Value, 1, 1),
    rule("default", Form::Value, 2, 2),
    rule("upper", Form::Value, 1, 1),
    rule("lower", Form::Value, 1, 1),
    rule("url", Form::Value, 1, 1),
];

/// The helper of this name.
pub fn helper(name: &str) -> Option<&'static HelperRule> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// Whether what follows `before` is the beginning of an address in an HTML attribute: `<a href="`.
///
/// Escaping does not help there: `javascript:…` holds no character to escape.
pub fn begins_address(before: &str) -> bool {
    const ATTRIBUTES: [&str; 6] = ["href", "src", "action", "formaction", "background", "poster"];
    let before = before.trim_end();
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end();
    let Some(before) = before.strip_suffix('=') else {
        return false;
    };
    let before = before.trim_end();
    let name_start = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |at| at + 1);
    ATTRIBUTES.iter().any(|attribute| before[name_start..].eq_ignore_ascii_case(attribute))
}

/// The name among `known` that is most like `name`, if any is like it at all.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
    scored
        .filter(|(distance, candidate)| *distance <= (candidate.chars().count().max(3) / 3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", else the list of what is allowed.
pub(super) fn suggestion(name: &str, known: &[&str], what: &str) -> Option<String> {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{near}`?"));
    }
    if known.is_empty() {
        return Some(format!("there are no {what}"));
    }
    let listed: Vec<_> = known.iter().take(20).map(|name| format!("`{name}`")).collect();
    let more = if known.len() > 20 { ", …" } else { "" };
    Some(format!("{what}: {}{more}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_attributes_are_recognised() {
        for text in ["<a href=\"", "<a href='", "<img SRC = \"", "<a\nhref=", "<form action=\" "] {
            assert!(begins_address(text), "{text:?}");
        }
        for text in ["", "<a href=\"https://x/", "<a title=\"", "href", "<p>\""] {
            assert!(!begins_address(text), "{text:?}");
        }
    }

    #[test]
    fn suggestions_are_near_or_a_list() {
        let known = ["first_name", "last_name"];
        assert_eq!(suggestion("frist_name", &known, "attributes").as_deref(), Some("did you mean `first_name`?"));
        assert_eq!(suggestion("colour", &known, "attributes").as_deref(), Some("attributes: `first_name`, `last_name`"));
        assert_eq!(suggestion("colour", &[], "attributes").as_deref(), Some("there are no attributes"));
    }
}
