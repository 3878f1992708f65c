//! How much work a regular expression makes, told from how it is written: compiling one may take a hundred thousand times as long as reading it, and as
//! much memory.
//!
//! The weight is about the number of states that it is compiled to. A class of letters counts by its ranges, and what is repeated counts as often as it is.

use regex_syntax::hir::{Class, Hir, HirKind};

/// What one expression may weigh. `\p{L}{1,60}` does not reach it; a millisecond of compiling is about ten thousand.
const MOST: u64 = 200_000;
/// What those that belong together may weigh.
const MOST_TOGETHER: u64 = 1_000_000;
/// What any weighs, however short.
const LEAST: u64 = 400;
/// What one counts that cannot be read here, and may all the same be compiled elsewhere.
const UNREAD: u64 = 50_000;
/// The longest that is read, in bytes.
const LONGEST: usize = 4_000;
/// How much a range of characters counts.
const RANGE: u64 = 4;

/// Why an expression is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// In the words of its parser.
    Syntax(String),
    /// By itself.
    TooLarge,
    /// With those before it.
    TooLargeTogether,
    /// Those before it were too large together already: this one was not looked at.
    Unread,
}

impl Unfit {
    /// What to do about one that is too large.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Unfit::Syntax(_) | Unfit::Unread => None,
            Unfit::TooLarge => Some(
                "repeat less: a large class such as \\p{L} counts as often as it is repeated; `+` or `*` in place of {1,500} costs nothing",
            ),
            Unfit::TooLargeTogether => {
                Some("use fewer, or shorter ones: a large class such as \\p{L} counts as often as it is repeated")
            }
        }
    }
}

/// Expressions that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    /// `None`: they are too large together.
    left: Option<u64>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { left: Some(MOST_TOGETHER) }
    }
}

impl Budget {
    /// Takes one more, as the runner reads it.
    pub(crate) fn take(&mut self, pattern: &str) -> Result<(), Unfit> {
        if self.left.is_none() {
            return Err(Unfit::Unread);
        }
        let weight = weight(pattern)?;
        self.spend(weight)
    }

    /// Takes one more, as JSON Schema reads it (ECMA-262, where `\w` and `\d` are ASCII). What it cannot be is not said here.
    pub(crate) fn take_of_schema(&mut self, pattern: &str) -> Result<(), Unfit> {
        if self.left.is_none() {
            return Err(Unfit::TooLargeTogether);
        }
        let ascii = pattern.replace("\\w", "aaaa").replace("\\d", "a");
        match weight(&ascii) {
            Ok(weight) => self.spend(weight),
            Err(Unfit::Syntax(_)) => self.spend(UNREAD),
            Err(unfit) => Err(unfit),
        }
    }

    fn spend(&mut self, weight: u64) -> Result<(), Unfit> {
        if weight > MOST {
            return Err(Unfit::TooLarge);
        }
        self.left = self.left.and_then(|left| left.checked_sub(weight));
        self.left.map(|_| ()).ok_or(Unfit::TooLargeTogether)
    }
}

fn weight(pattern: &str) -> Result<u64, Unfit> {
    if pattern.len() > LONGEST {
        return Err(Unfit::TooLarge);
    }
    match regex_syntax::parse(pattern) {
        Ok(read) => Ok(LEAST + of(&read)),
        Err(error) => Err(Unfit::Syntax(error.to_string())),
    }
}

fn of(part: &Hir) -> u64 {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Unicode(class)) => RANGE * class.ranges().len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min)).max(1);
            of(&repetition.sub).saturating_add(1).saturating_mul(times)
        }
        HirKind::Capture(capture) => of(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(0, |sum: u64, part| sum.saturating_add(of(part)).saturating_add(1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused() {
        let check = |pattern: &str, expected: Result<(), Unfit>| {
            assert_eq!(Budget::default().take(pattern), expected, "{pattern}");
        };
        for pattern in ["^[a-z]{2,500}$", r"\p{L}{1,60}", "^DE[0-9]{20}$", r"^\S+@\S+$", r"(?i)straße", r"^[\w .-]{1,40}$"] {
            check(pattern, Ok(()));
        }
        for pattern in [r"(\p{L}{90})N", r"(\w{100}){100}", "((a{100}){100}){100}", &"a".repeat(5_000)] {
            check(pattern, Err(Unfit::TooLarge));
        }
        assert!(matches!(Budget::default().take("a("), Err(Unfit::Syntax(_))));
    }

    #[test]
    fn those_that_belong_together_have_one_budget() {
        let mut budget = Budget::default();
        let taken = (0..).take_while(|number| budget.take(&format!("{number}")).is_ok()).count();
        assert!((1_000..10_000).contains(&taken), "{taken}");
        assert_eq!(budget.take("x"), Err(Unfit::Unread));
        assert_eq!(budget.take_of_schema("x"), Err(Unfit::TooLargeTogether));
    }

    #[test]
    fn schemas_count_letters_as_they_read_them() {
        let check = |pattern: &str, expected: Result<(), Unfit>| {
            assert_eq!(Budget::default().take_of_schema(pattern), expected, "{pattern}");
        };
        check(r"^\w{1,500}$", Ok(()));
        check(r"^\cA(?=x)$", Ok(()));
        check(r"\p{L}{90}", Err(Unfit::TooLarge));
    }

    #[test]
    fn what_is_taken_can_be_compiled() {
        // Near the limit, of each kind.
        for pattern in [
            r"\p{L}{70}",
            "a{190000}",
            "(?:abcdefghij){17000}",
            "[a-z]{40000}",
            "(?:a|b|cd){20000}",
            "(?:){190000}",
            r"(?:\b){90000}",
            "(?:[ß-ü]?){39000}",
            "(?:a{1,9}){10000}",
            r"(?i)(?:straße){5000}",
        ] {
            if Budget::default().take(pattern).is_ok() {
                assert!(regex::Regex::new(pattern).is_ok(), "{pattern}");
            }
        }
    }
}
