//! SARIF 2.1.0 (OASIS), which code hosts and editors read: the results of one run, with the rules that they break.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::url;
use crate::diagnostic::{Diagnostic, Location};
use crate::explain::{self, Explanation};
use crate::project::ProjectFiles;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What the results' paths are relative to: the project.
const BASE: &str = "%SRCROOT%";
/// As much of a line tells it from others, in bytes.
const LONGEST_LINE: usize = 4_096;

/// One run as a SARIF log, ending in a newline.
///
/// # Errors
/// Never for real diagnostics: every key is text.
pub fn sarif(diagnostics: &[Diagnostic], files: &ProjectFiles) -> Result<String, serde_json::Error> {
    let codes: BTreeSet<&str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(code)).collect();
    let index: HashMap<&str, usize> = codes.iter().enumerate().map(|(index, code)| (*code, index)).collect();
    let mut lines = Lines { files, of: HashMap::new(), seen: HashMap::new() };
    let results: Vec<Value> =
        diagnostics.iter().map(|diagnostic| result(diagnostic, index.get(diagnostic.code).copied(), &mut lines)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "campaignd", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { BASE: { "description": { "text": "The project's folder." } } },
            "invocations": [{ "executionSuccessful": true }],
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).map(|text| text + "\n")
}

/// A reportingDescriptor (SARIF 3.49).
fn rule(code: &str) -> Value {
    let mut rule = Map::new();
    rule.insert("id".to_owned(), json!(code));
    if let Some(explanation) = explain::explain(code) {
        let Explanation { weight, text, .. } = explanation;
        rule.insert("shortDescription".to_owned(), json!({ "text": explanation.summary() }));
        rule.insert("help".to_owned(), json!({ "text": text, "markdown": text }));
        rule.insert("defaultConfiguration".to_owned(), json!({ "level": weight.severity().word() }));
    }
    // It must be absolute (SARIF 3.49.12).
    let url = url(code);
    if url.contains("://") {
        rule.insert("helpUri".to_owned(), json!(url));
    }
    Value::Object(rule)
}

fn result(diagnostic: &Diagnostic, rule: Option<usize>, lines: &mut Lines<'_>) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{}\n{help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.word(),
        "message": { "text": text },
        "locations": [{ "physicalLocation": place(&diagnostic.location) }],
        "partialFingerprints": { "campaignd/v1": lines.fingerprint(diagnostic) },
    });
    if let Some(index) = rule {
        result["ruleIndex"] = json!(index);
    }
    if !diagnostic.related.is_empty() {
        let others = diagnostic.related.iter().enumerate().map(|(id, related)| {
            json!({ "id": id, "physicalLocation": place(&related.location), "message": { "text": related.message } })
        });
        result["relatedLocations"] = others.collect();
    }
    result
}

/// A physicalLocation (SARIF 3.29): lines and columns count from 1, the end column is exclusive.
fn place(at: &Location) -> Value {
    json!({
        "artifactLocation": { "uri": uri(&at.file), "uriBaseId": BASE },
        "region": { "startLine": at.line, "startColumn": at.column, "endLine": at.end_line, "endColumn": at.end_column },
    })
}

/// A path as a relative reference (RFC 3986 section 4.2).
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// What makes a result the same one after an edit elsewhere in the file: its code, its file and what stands on its line, not the line's number.
struct Lines<'a> {
    files: &'a ProjectFiles,
    of: HashMap<String, Vec<&'a str>>,
    /// How often the same was seen.
    seen: HashMap<[u8; 32], usize>,
}

impl Lines<'_> {
    fn fingerprint(&mut self, diagnostic: &Diagnostic) -> String {
        let at = &diagnostic.location;
        let files = self.files;
        let lines =
            self.of.entry(at.file.clone()).or_insert_with(|| files.text(&at.file).unwrap_or_default().split('\n').collect());
        let line = lines.get(at.line.saturating_sub(1)).map_or("", |line| line.trim());
        let mut hasher = Sha256::new();
        // The beginning of a line that is very long: it may be hashed for every place on it.
        let end = (0..=line.len().min(LONGEST_LINE)).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
        for part in [diagnostic.code, at.file.as_str(), &line[..end]] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash: [u8; 32] = hasher.finalize().into();
        let count = self.seen.entry(hash).or_default();
        *count += 1;
        let short: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("{short}:{count}")
    }
}
