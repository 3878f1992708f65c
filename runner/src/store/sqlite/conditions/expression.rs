//! A boolean SQL expression under construction: what is known already is folded away, and what is cheap is asked first.

/// Always true or false, never null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Known(bool),
    Sql { text: String, cost: Cost },
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
}

/// What it takes to find out, for one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// A look at the row at hand.
    Row,
    /// Values of the row are handed to a function.
    Call,
    /// A few rows are looked up in an index.
    Lookup,
    /// All of a contact's rows of a kind are gone through.
    Walk,
}

impl Expression {
    pub(super) fn sql(cost: Cost, text: String) -> Expression {
        Expression::Sql { text, cost }
    }

    pub(super) fn all(parts: impl IntoIterator<Item = Expression>) -> Expression {
        Expression::combined(parts, false, Expression::All)
    }

    pub(super) fn any(parts: impl IntoIterator<Item = Expression>) -> Expression {
        Expression::combined(parts, true, Expression::Any)
    }

    /// One part that is known to be `deciding` settles the whole; the others that are known do not matter.
    fn combined(
        parts: impl IntoIterator<Item = Expression>,
        deciding: bool,
        whole: fn(Vec<Expression>) -> Expression,
    ) -> Expression {
        let mut open = Vec::new();
        for part in parts {
            match part {
                Expression::Known(known) if known == deciding => return Expression::Known(deciding),
                Expression::Known(_) => {}
                part => open.push(part),
            }
        }
        open.sort_by_key(Expression::cost);
        if open.len() > 1 { whole(open) } else { open.pop().unwrap_or(Expression::Known(!deciding)) }
    }

    pub(super) fn not(part: Expression) -> Expression {
        match part {
            Expression::Known(known) => Expression::Known(!known),
            Expression::Not(inner) => *inner,
            part => Expression::Not(Box::new(part)),
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Expression::Known(_) => Cost::Row,
            Expression::Sql { cost, .. } => *cost,
            Expression::All(parts) | Expression::Any(parts) => parts.iter().map(Expression::cost).max().unwrap_or(Cost::Row),
            Expression::Not(part) => part.cost(),
        }
    }

    /// The text, in parentheses where it needs them.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) {
        match self {
            Expression::Known(known) => out.push(if *known { '1' } else { '0' }),
            Expression::Sql { text, .. } => {
                out.push('(');
                out.push_str(text);
                out.push(')');
            }
            Expression::All(parts) => write_balanced(parts, " AND ", out),
            Expression::Any(parts) => write_balanced(parts, " OR ", out),
            Expression::Not(part) => {
                out.push_str("(NOT ");
                part.write(out);
                out.push(')');
            }
        }
    }
}

/// As a balanced tree: SQLite allows a tree 1,000 deep, and a plain chain of a thousand parts is one.
fn write_balanced(parts: &[Expression], operator: &str, out: &mut String) {
    match parts {
        [] => {}
        [part] => part.write(out),
        parts => {
            let (left, right) = parts.split_at(parts.len() / 2);
            out.push('(');
            write_balanced(left, operator, out);
            out.push_str(operator);
            write_balanced(right, operator, out);
            out.push(')');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> Expression {
        Expression::sql(if text.len() > 1 { Cost::Lookup } else { Cost::Row }, text.to_owned())
    }

    #[track_caller]
    fn check(expression: Expression, expected: &str) {
        assert_eq!(expression.text(), expected);
    }

    #[test]
    fn folds_what_is_known_and_asks_the_cheap_first() {
        let known = Expression::Known;
        check(Expression::all([]), "1");
        check(Expression::any([]), "0");
        check(Expression::all([sql("a"), known(true)]), "(a)");
        check(Expression::all([sql("a"), known(false)]), "0");
        check(Expression::any([sql("a"), known(true)]), "1");
        check(Expression::not(Expression::not(sql("a"))), "(a)");
        check(Expression::not(known(true)), "0");
        check(Expression::all([sql("long"), sql("b")]), "((b) AND (long))");
        check(Expression::any([Expression::not(sql("long")), sql("b"), sql("c")]), "((b) OR ((c) OR (NOT (long))))");
    }
}
