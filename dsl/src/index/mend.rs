//! Reading YAML that is being written: what cannot be read is left out, a line at a time.

use crate::yaml::{self, Document};

/// How many lines may be left out.
const ROUNDS: usize = 8;
/// Longer files are not read again and again.
const MAX_LENGTH: usize = 256 * 1024;

/// The document, and whether it is the whole of it. Lines keep their numbers.
pub(super) fn read(file: &str, text: &str) -> Option<(Document, bool)> {
    let mut found = match yaml::read(file, text) {
        Ok(document) => return Some((document, true)),
        Err(found) => found,
    };
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    for _ in 0..ROUNDS {
        let wrong = found.last()?.location.line.min(lines.len());
        let mut written = (0..wrong).rev().filter(|index| !lines[*index].trim().is_empty());
        // The reader gives up where it can't go on, which is often behind what is wrong.
        let (last, before) = (written.next()?, written.next());
        for blamed in before.into_iter().chain([last]) {
            let line = std::mem::take(&mut lines[blamed]);
            match yaml::read(file, &lines.join("\n")) {
                Ok(document) => return Some((document, false)),
                Err(still) if blamed == last => found = still,
                Err(_) => lines[blamed] = line,
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool)>) {
        let found = read("workflows/a.yaml", text).map(|(document, whole)| (document.value.to_string(), whole));
        assert_eq!(found, expected.map(|(value, whole)| (value.to_owned(), whole)), "{text}");
    }

    #[test]
    fn leaves_out_what_cannot_be_read() {
        check("a: 1\nb: 2\n", Some((r#"{"a":1,"b":2}"#, true)));
        check("a: 1\nb\nc: 3\n", Some((r#"{"a":1,"c":3}"#, false)));
        check("a: 1\nb: [x\nc: 3\n", Some((r#"{"a":1,"c":3}"#, false)));
        check("a: 1\nb: { segment: \n", Some((r#"{"a":1}"#, false)));
        check("a: 'x\n", Some(("null", false)));
        check(&"x: [\n".repeat(20), None);
    }
}
