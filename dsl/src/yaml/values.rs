//! The values of a YAML text, made while the first pass goes through it, where every reader of YAML agrees on what they are: then there is no need for a
//! second pass. Whatever is written in a rarer way is left to that.

use saphyr_parser::ScalarStyle;
use serde_json::{Map, Number, Value};

use super::spans::Span;

/// Longer keys are no keys to some readers.
const LONGEST_KEY: usize = 128;

/// Values in the making.
pub(super) struct Values {
    open: Vec<Open>,
    root: Option<Value>,
    /// Something was written in a rarer way.
    given_up: bool,
    /// Double quotes may hold escapes.
    escapes: bool,
    /// A quote may stand in single quotes, written twice.
    doubled: bool,
}

enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Mapping(Map<String, Value>, Option<String>),
}

impl Values {
    /// For this text.
    pub(super) fn new(text: &str) -> Values {
        let rare = text.contains(['\t', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{feff}'])
            || text.starts_with('%')
            || text.starts_with("...");
        Values {
            open: Vec::new(),
            root: None,
            given_up: rare || ["\n%", "? ", "\n..."].iter().any(|rare| text.contains(rare)),
            escapes: text.contains('\\'),
            doubled: text.contains("''"),
        }
    }

    /// The whole, if all of it was plain to see.
    pub(super) fn finish(self) -> Option<Value> {
        self.root.filter(|_| !self.given_up && self.open.is_empty())
    }

    pub(super) fn give_up(&mut self) {
        self.given_up = true;
    }

    pub(super) fn key(&mut self, text: &str, style: ScalarStyle, span: Span) {
        if self.given_up {
            return;
        }
        let read = if text.len() <= LONGEST_KEY { self.read(text, style, span) } else { None };
        match (self.open.last_mut(), read) {
            (Some(Open::Mapping(_, key)), Some(Value::String(text))) => *key = Some(text),
            _ => self.given_up = true,
        }
    }

    pub(super) fn scalar(&mut self, text: &str, style: ScalarStyle, span: Span) {
        if self.given_up {
            return;
        }
        match self.read(text, style, span) {
            Some(value) => self.put(value),
            None => self.given_up = true,
        }
    }

    pub(super) fn open(&mut self, mapping: bool) {
        self.open.push(if mapping { Open::Mapping(Map::new(), None) } else { Open::List(Vec::new()) });
    }

    pub(super) fn close(&mut self) {
        match self.open.pop() {
            Some(Open::List(items)) => self.put(Value::Array(items)),
            Some(Open::Mapping(map, None)) => self.put(Value::Object(map)),
            _ => self.given_up = true,
        }
    }

    /// What a scalar on one line says, without escapes, in letters that mean nothing else anywhere.
    fn read(&self, text: &str, style: ScalarStyle, span: Span) -> Option<Value> {
        if span.start.line != span.end.line {
            return None;
        }
        match style {
            ScalarStyle::DoubleQuoted => (!self.escapes).then(|| Value::String(text.to_owned())),
            ScalarStyle::SingleQuoted => (!self.doubled).then(|| Value::String(text.to_owned())),
            ScalarStyle::Plain => plain(text),
            ScalarStyle::Literal | ScalarStyle::Folded => None,
        }
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            None if self.root.is_none() => self.root = Some(value),
            None => self.given_up = true,
            Some(Open::List(items)) => items.push(value),
            Some(Open::Mapping(map, key)) => match key.take() {
                Some(key) => self.given_up |= map.insert(key, value).is_some(),
                None => self.given_up = true,
            },
        }
    }
}

fn plain(text: &str) -> Option<Value> {
    match text {
        "" | "~" | "null" => return Some(Value::Null),
        "true" => return Some(Value::Bool(true)),
        "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    if let super::plain::Plain::Text = super::plain::resolve(text) {
        let usual = |c: char| c.is_alphanumeric() || " _-./+%@()<>=*&!'\"$;^~|,:".contains(c);
        let good = text.starts_with(|c: char| c.is_alphanumeric() || c == '_') && text.chars().all(usual);
        return good.then(|| Value::String(text.to_owned()));
    }
    let positive = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = positive.split_once('.').map_or((positive, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.len() < 16 && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits(whole) && (whole == "0" || !whole.starts_with('0')) && positive != "0";
    match fraction {
        None if text == "0" => Some(Value::from(0)),
        None if canonical => text.parse::<i64>().ok().map(Value::from),
        Some(fraction) if (canonical || whole == "0") && digits(fraction) => {
            text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::Number)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::events;

    /// Whether the first pass knows the values; they must be those of the second.
    fn at_once(text: &str) -> bool {
        let Ok(Some(value)) = events::scan("f", text).map(|scanned| scanned.value) else { return false };
        assert_eq!(serde_yaml::from_str::<Value>(text).ok(), Some(value), "{text}");
        true
    }

    #[test]
    fn usual_texts_need_one_pass() {
        let check = |text: &str, expected: bool| assert_eq!(at_once(text), expected, "{text}");
        for text in [
            "workflow: a-b\nsteps:\n  - wait: 1 hour\n  - send: x\n    with: { coupon: SAVE10, n: 5, f: 1.5, t: true, z: -3, o: 0, e: }\n",
            "a: [x, \"y: z\", 'w', ~, null]\nb: {}\nc: []\n# words\nd: text, with commas (and more)\n",
            "- a\n-\n  - b\n- c: d\n  e: f\n",
            "plain\n",
            "a: -0.5\nb: 0.0\nc: 100.25\n",
            "url: https://x.example/a\nhours: [21:00-08:00, \"10:00\" , { a: \"12:00\" } ]\n",
        ] {
            check(text, true);
        }
        for text in [
            "",
            "a: |\n  x\n",
            "a: x\n  y\n",
            "a: \"x\\n\"\n",
            "a: 'it''s'\n",
            "a: &b c\nd: *b\n",
            "a: 0x10\n",
            "a: 1e3\n",
            "a: 1\na: 2\n",
            "a:\tb\n",
            "? a\n: b\n",
            "a: -0\n",
            "a: +1\n",
            "a: .5\n",
            "a: 007x:\n",
            "%YAML 1.2\n---\na: b\n",
            "a: True\n",
        ] {
            check(text, false);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(1_000))]

        /// What the first pass makes of a text is what the second would.
        #[test]
        fn both_passes_agree(text in r#"(a|b-c|x.y|1|-2|0|1.5|007|1e3|0x1|true|null|~|no|"q"|'s'|"x: y"|: |:\n|- |\n|\n  |\n    | |\{|\}|\[|\]|, |#| # c|&a |\*a|!|\||>|\||%|ü|---|\.\.\.|@|`|\$\{X\}|2026-01-01|12:30){0,20}"#) {
            at_once(&text);
        }

        /// The same of what looks like a file of the language.
        #[test]
        fn both_passes_agree_on_lines(lines in proptest::collection::vec(r#"(  ){0,3}(- )?(k|a\.b|"q k"|x y)(: |:)(v|some words, more|"a: b"|'c'|5|-1|2.50|\{ a: b, c: \[1, x y\] \}|\[DE, AT\]|true|)( # words)?"#, 0..8)) {
            at_once(&lines.join("\n"));
        }
    }
}
