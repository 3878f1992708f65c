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
    /// What may be given by name.
    pub named: &'static [&'static str],
    /// How many of its first values must be there for it to print something.
    pub needs: usize,
}

const fn rule(name: &'static str, form: Form, least: usize, most: usize) -> HelperRule {
    HelperRule { name, form, values: RangeInclusive::new(least, most), named: &[], needs: 0 }
}

/// One that makes a value of values.
const fn maker(name: &'static str, least: usize, most: usize, needs: usize, named: &'static [&'static str]) -> HelperRule {
    HelperRule { name, form: Form::Value, values: RangeInclusive::new(least, most), named, needs }
}

const fn condition(name: &'static str) -> HelperRule {
    HelperRule { name, form: Form::Block, values: RangeInclusive::new(1, 1), named: &["includeZero"], needs: 0 }
}

/// Every helper that a template may use.
pub const HELPERS: &[HelperRule] = &[
    condition("if"),
    condition("unless"),
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
    maker("upper", 1, 1, 1, &[]),
    maker("lower", 1, 1, 1, &[]),
    maker("capitalise", 1, 1, 1, &[]),
    maker("truncate", 2, 2, 2, &[]),
    maker("url", 1, 1, 1, &[]),
    maker("url_encode", 1, 1, 1, &[]),
    maker("date", 1, 2, 1, &["zone"]),
    maker("number", 1, 1, 1, &["decimals"]),
    maker("money", 2, 2, 2, &[]),
    maker("plural", 1, 1, 1, &["zero", "one", "two", "few", "many", "other"]),
];

/// The helper of this name.
pub fn helper(name: &str) -> Option<&'static HelperRule> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// The name among `known` that is most like `name`, if any is like it at all.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer names are not compared with each other, and of very many the first only: comparing takes the product of their lengths.
    const LONGEST: usize = 100;
    const MOST: usize = 2_000;
    let near = |candidate: &&str| name.len().abs_diff(candidate.len()) <= candidate.len().max(3);
    let known = known.into_iter().take(if name.len() > LONGEST { 0 } else { MOST }).filter(near);
    let scored = known.map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate));
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
    fn suggestions_are_near_or_a_list() {
        let known = ["first_name", "last_name"];
        assert_eq!(suggestion("frist_name", &known, "attributes").as_deref(), Some("did you mean `first_name`?"));
        assert_eq!(suggestion("colour", &known, "attributes").as_deref(), Some("attributes: `first_name`, `last_name`"));
        assert_eq!(suggestion("colour", &[], "attributes").as_deref(), Some("there are no attributes"));
    }
}
