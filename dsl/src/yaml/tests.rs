//! What the YAML reader refuses, where, and what it makes of the rest.

use serde_json::json;

use super::*;

/// The first diagnostic as `line:column code`, or the value as JSON.
fn answer(text: &str) -> String {
    let errors = match read("a.yaml", text) {
        Ok(document) if document.duplicates.is_empty() => return document.value.to_string(),
        Ok(document) => document.duplicates,
        Err(errors) => errors,
    };
    let first = &errors[0];
    format!("{}:{} {}", first.location.line, first.location.column, first.code)
}

#[test]
fn of_equal_keys_the_first_counts() {
    let document = read("a.yaml", "a: { x: 1, y: [1.5, ~] }\na: { z: true }\nb: -2\na: 3\nb: t\n").unwrap();
    assert_eq!(document.value, json!({ "a": { "x": 1, "y": [1.5, null] }, "b": -2 }));
    assert_eq!(document.spans.get("/a").value.start.line, 1);
    assert!(!document.spans.has("/a/z"));
    assert_eq!(document.duplicates.len(), 3);
}

#[test]
fn strictness() {
    let check = |text: &str, expected: &str| assert_eq!(answer(text), expected, "{text:?}");
    check("a: yes\nb: NO\nc: 012\nd: 0o10\ne: 09:00", r#"{"a":"yes","b":"NO","c":"012","d":8,"e":"09:00"}"#);
    check("a: 1\nb:\n  c: 1\n  c: 2\n", "4:3 duplicate-key");
    check("é: 1\n\"\\u00e9\": 2\n", "2:1 duplicate-key");
    check("a: !!str 1\n", "1:4 yaml-tag");
    check("a: [1, 2\nb: 3\n", "2:2 yaml-syntax");
    check("1: a\n", "1:1 yaml-key");
    check("true: a\n", "1:1 yaml-key");
    check("? [a]\n: b\n", "1:3 yaml-key");
    check("a: .inf\n", "1:4 yaml-number");
    check("a: 1e999\n", "1:4 yaml-number");
    check("a: &x {b: 1}\nc: {<<: *x}\n", "2:5 yaml-merge");
    check("a: 1\n---\nb: 2\n", "2:1 yaml-documents");
    check("a: &x {b: 1}\nc: *x\n", r#"{"a":{"b":1},"c":{"b":1}}"#);
    check("a: &x [*x]\n", "1:8 yaml-alias-bomb");
    check("a: b\u{1}c\n", "1:5 yaml-syntax");
}

#[test]
fn hostile_texts_end_in_a_diagnostic() {
    let mut bomb = String::from("a0: &a0 [1, 1]\n");
    for level in 1..40 {
        bomb.push_str(&format!("a{level}: &a{level} [*a{0}, *a{0}, *a{0}]\n", level - 1));
    }
    let check = |text: &str, code: &str| {
        let got = answer(text);
        assert!(got.ends_with(code), "{got}");
    };
    check(&bomb, "yaml-alias-bomb");
    check(&"[".repeat(100_000), "too-deep");
    check(&"{a: ".repeat(100_000), "too-deep");
    check(&"- ".repeat(100_000), "too-deep");
    check(&"? ".repeat(100_000), "yaml-key");
    check(&format!("a: {}", "&x ".repeat(100_000)), "yaml-syntax");
    check("\u{0}\u{1}\u{2}\u{fffd}", "yaml-syntax");
}

#[test]
fn spans_are_in_characters() {
    let document = read("a.yaml", "é: {ü: [a, 'b c']}\nlist:\n  - send: x # note\n    html: |\n      <p>\n").unwrap();
    let check = |pointer: &str, value: [usize; 4], content: [usize; 2]| {
        let span = document.spans.get(pointer);
        let got = span.value;
        assert_eq!([got.start.line, got.start.column, got.end.line, got.end.column], value, "{pointer}");
        assert_eq!([span.content.line, span.content.column], content, "{pointer}");
    };
    check("/é/ü", [1, 8, 1, 18], [1, 8]);
    check("/é/ü/1", [1, 12, 1, 17], [1, 13]);
    check("/list/0", [3, 5, 6, 1], [3, 5]);
    check("/list/0/send", [3, 11, 3, 12], [3, 11]);
    check("/list/0/html", [5, 7, 6, 1], [5, 7]);
    check("/list/0/html/nowhere", [5, 7, 6, 1], [5, 7]);
    assert_eq!(document.value["list"][0], json!({"send": "x", "html": "<p>\n"}));
}
