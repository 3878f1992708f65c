//! Selectors of CSS whose elements are only known once a message is rendered: they must not be decided while its template is read.
//!
//! What is told from a selector is how it asks (Selectors Level 4, sections "Tree-Structural pseudo-classes", "Combinators" and "Logical
//! Combinations"), not which elements it finds.

/// What the template of a message does not tell of it yet.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unknown {
    /// Which elements stand next to each other: blocks repeat them or leave them out.
    pub siblings: bool,
    /// Whether elements are empty.
    pub content: bool,
    /// Attributes: data decides them.
    pub attributes: bool,
    /// Whole elements: a partial or data brings them.
    pub elements: bool,
}

/// Ways to ask for an element by those around it.
const BY_SIBLINGS: [&str; 9] =
    [":nth-", ":first-child", ":last-child", ":only-", ":first-of-type", ":last-of-type", ":has(", "+", "~"];

impl Unknown {
    /// Whether a selector, in lower case, may find others after rendering than before, or no longer those.
    fn leaves_open(self, selector: &str) -> bool {
        (self.siblings && BY_SIBLINGS.iter().any(|way| selector.contains(way)))
            || (self.content && selector.contains(":empty"))
            || (self.attributes && selector.contains(":not("))
    }
}

/// The CSS with this mark at the end of each selector that is only decided by rendering, and whether there is one.
pub(super) fn mark(css: &str, mark: &str, unknown: Unknown) -> (String, bool) {
    let mut out = String::with_capacity(css.len());
    let mut copied = 0;
    // Where the selectors of this rule end that are to be marked, what the current one says, and where its last sign ends.
    let (mut ends, mut said, mut end) = (Vec::new(), String::new(), 0);
    let (mut round, mut square) = (0usize, 0usize);
    let mut at_rule = false;
    for (at, sign) in code(css) {
        match sign {
            '{' | ',' if (round, square) == (0, 0) => {
                at_rule |= said.starts_with('@');
                if !at_rule && unknown.leaves_open(&said) {
                    ends.push(end);
                }
                said.clear();
                if sign == '{' {
                    for end in ends.drain(..) {
                        out.push_str(&css[copied..end]);
                        out.push_str(mark);
                        copied = end;
                    }
                    at_rule = false;
                }
            }
            '{' | '}' | ';' => {
                ends.clear();
                said.clear();
                (round, square, at_rule) = (0, 0, false);
            }
            '[' => square += 1,
            ']' => square = square.saturating_sub(1),
            _ if square > 0 => {}
            _ => {
                match sign {
                    '(' => round += 1,
                    ')' => round = round.saturating_sub(1),
                    _ => {}
                }
                if !(said.is_empty() && sign.is_whitespace()) {
                    said.push(sign.to_ascii_lowercase());
                }
            }
        }
        if !sign.is_whitespace() {
            end = at + sign.len_utf8();
        }
    }
    out.push_str(&css[copied..]);
    (out, copied > 0)
}

/// The signs of CSS that are in no string, comment or escape, with their places.
fn code(css: &str) -> Vec<(usize, char)> {
    let mut found = Vec::new();
    let mut signs = css.char_indices().peekable();
    let mut quote: Option<char> = None;
    while let Some((at, sign)) = signs.next() {
        match (quote, sign) {
            (_, '\\') => {
                signs.next();
            }
            (Some(open), _) => quote = Some(open).filter(|open| *open != sign),
            (None, '"' | '\'') => quote = Some(sign),
            (None, '/') if signs.peek().is_some_and(|(_, next)| *next == '*') => {
                let end = css[at + 2..].find("*/").map_or(css.len(), |end| at + 2 + end + 2);
                while signs.next_if(|(at, _)| *at < end).is_some() {}
            }
            (None, _) => found.push((at, sign)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_that_rendering_decides_are_marked() {
        let all = Unknown { siblings: true, content: true, attributes: true, elements: true };
        let check = |css: &str, unknown: Unknown, expected: &str| {
            assert_eq!(mark(css, ":M", unknown), (expected.to_owned(), css != expected), "{css}");
        };
        check("a, b + c , d{x:y}", all, "a, b + c:M , d{x:y}");
        check("a + b{} c{e:f,g+h;i:j} k:empty{}", all, "a + b:M{} c{e:f,g+h;i:j} k:empty:M{}");
        check("a:is(b, c:nth-child(2)), d {}", all, "a:is(b, c:nth-child(2)):M, d {}");
        check("@media (a), (b + c) { d~e {} }", all, "@media (a), (b + c) { d~e:M {} }");
        check(
            "@import \"a+b\"; a[b~=c] {} /* + */ d {} .e\\+f {} [g=\"}+\"] {}",
            all,
            "@import \"a+b\"; a[b~=c] {} /* + */ d {} .e\\+f {} [g=\"}+\"] {}",
        );
        check("[a] + b[c] {}", all, "[a] + b[c]:M {}");
        check("a + b, c:empty, d:not(e) {}", Unknown::default(), "a + b, c:empty, d:not(e) {}");
        check("a + b, c:empty {}", Unknown { content: true, ..Unknown::default() }, "a + b, c:empty:M {}");
        check("ü>ß+é {}", all, "ü>ß+é:M {}");
    }
}
