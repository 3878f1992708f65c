//! Names in template expressions, also in texts that are not templates yet: whatever stands between braces is looked at, closed or not.

use super::text::Cursor;

/// A word in an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub text: &'a str,
    /// Bytes before it.
    pub start: usize,
    /// It names a partial.
    pub partial: bool,
}

/// Every name in the expressions of a text, in its order. Texts in quotes, keys (`key=`) and comments are none.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = text[from..].find("{{").map(|at| from + at) {
        let inside = open + 2;
        if let Some(comment) = text[inside..].strip_prefix('!') {
            let end = if comment.starts_with("--") { "--}}" } else { "}}" };
            from = text[inside..].find(end).map_or(text.len(), |at| inside + at + end.len());
            continue;
        }
        let end = end_of(text, inside);
        in_tag(text, inside, end, &mut found);
        from = end.max(inside);
    }
    found
}

/// Where an expression ends: at its braces, else where the next begins, else with its line.
fn end_of(text: &str, inside: usize) -> usize {
    let rest = &text[inside..];
    let close = rest.find("}}");
    let open = rest.trim_start_matches('{').find("{{").map(|at| at + rest.len() - rest.trim_start_matches('{').len());
    match (close, open) {
        (Some(close), None) => inside + close,
        (Some(close), Some(open)) if close < open => inside + close,
        _ => inside + rest.find('\n').unwrap_or(rest.len()).min(open.unwrap_or(rest.len())),
    }
}

fn in_tag<'a>(text: &'a str, start: usize, end: usize, found: &mut Vec<Word<'a>>) {
    let mut cursor = Cursor::new(&text[start..end]);
    let mut partial = false;
    while let Some(c) = cursor.peek() {
        match c {
            '>' => {
                partial = true;
                cursor.next();
            }
            '"' | '\'' => {
                cursor.next();
                cursor.take_while(|other| other != c);
                cursor.next();
            }
            c if is_word(c) => {
                let at = cursor.offset();
                let word = cursor.take_while(is_word);
                let named = cursor.peek() == Some('=');
                if !named {
                    found.push(Word { text: word, start: start + at, partial });
                    partial = false;
                }
            }
            _ => {
                cursor.next();
            }
        }
    }
}

/// What a name may hold: also the slashes of partials and of `../`, and the `@` of `@root`.
pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<String> = words(text)
            .iter()
            .map(|word| {
                assert_eq!(&text[word.start..word.start + word.text.len()], word.text);
                format!("{}{}", if word.partial { "> " } else { "" }, word.text)
            })
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn finds_names_and_nothing_else() {
        check("a {{contact.name}} b {{{ event.x }}}", &["contact.name", "event.x"]);
        check(
            "{{#if (eq contact.tier \"contact.no\")}}x{{/if}}",
            &["#if", "eq", "contact.tier", "/if"].map(|w| w.trim_start_matches('#')),
        );
        check("{{> shop/button path=\"new\" label=contact.name}}", &["> shop/button", "contact.name"]);
        check("{{! contact.no }}{{!-- {{contact.no}} --}}{{vars.x}}", &["vars.x"]);
        check("{{@root.contact.name}} {{../contact.name}}", &["@root.contact.name", "../contact.name"]);
    }

    #[test]
    fn looks_into_what_is_not_closed() {
        check("{{contact.na\nnext line contact.no", &["contact.na"]);
        check("{{contact.na {{event.x}}", &["contact.na", "event.x"]);
        check("{{", &[]);
        check("{{{", &[]);
        check("{{!", &[]);
        check("{{'", &[]);
    }
}
