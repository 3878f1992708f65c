//! The front matter of a template: YAML between two `---` lines at the top of the file.

use std::collections::BTreeMap;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use saphyr_parser::{Event, Parser};

use super::vocabulary::suggestion;
use crate::diagnostic::{Diagnostic, Location};

/// What front matter may say.
pub const KEYS: [&str; 8] = ["subject", "preheader", "layout", "topic", "channel", "needs", "attachments", "utm"];
/// The parameters that tell an analytics program where a visit comes from, without `utm_`.
const UTM: [&str; 6] = ["source", "medium", "campaign", "term", "content", "id"];
/// The longest front matter that is read, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// A value as written: what it says, where it stands, and where its text begins (after a quote, on the next line for a block scalar).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written<T> {
    pub value: T,
    pub location: Location,
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct FrontMatter {
    pub subject: Option<Written<String>>,
    pub preheader: Option<Written<String>>,
    pub layout: Option<Written<String>>,
    pub topic: Option<Written<String>>,
    pub channel: Option<Written<String>>,
    pub needs: Option<Written<Vec<String>>>,
    /// Paths under templates/.
    pub attachments: Option<Vec<Written<String>>>,
    /// By name without `utm_`.
    pub utm: Option<Written<BTreeMap<String, String>>>,
}

/// What a file holds: its front matter, and the body with the line it begins at.
pub(super) struct Split<'a> {
    pub front: FrontMatter,
    pub body: &'a str,
    pub body_line: usize,
}

/// Takes a template file apart.
pub(super) fn split<'a>(file: &str, text: &'a str, diagnostics: &mut Vec<Diagnostic>) -> Split<'a> {
    let whole = Split { front: FrontMatter::default(), body: text, body_line: 1 };
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return whole;
    };
    let mut end = first.len();
    for (body_line, line) in (3..).zip(lines) {
        if line.trim_end() == "---" {
            let front = Reader { file, yaml: &text[first.len()..end], diagnostics }.read();
            return Split { front, body: &text[end + line.len()..], body_line };
        }
        end += line.len();
    }
    let location = Location { file: file.to_owned(), line: 1, column: 1, end_line: 1, end_column: 4 };
    let message = "the front matter that begins here never ends".to_owned();
    let help = Some("close it with a line that holds `---` and nothing else".to_owned());
    diagnostics.push(Diagnostic { help, ..Diagnostic::error("front-matter", location, message) });
    Split { body: "", ..whole }
}

struct Reader<'a> {
    file: &'a str,
    yaml: &'a str,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read(mut self) -> FrontMatter {
        let mut front = FrontMatter::default();
        if self.yaml.len() > MAX_LENGTH {
            let location = self.location((1, 0), (1, 0));
            self.report("front-matter", location, format!("this front matter is longer than {} KiB", MAX_LENGTH / 1024), None);
            return front;
        }
        // The reader writes them out, each again and again.
        let aliases = || Parser::new_from_str(self.yaml).any(|event| matches!(event, Ok((Event::Alias(_), _))));
        if self.yaml.contains('*') && aliases() {
            let location = self.location((1, 0), (1, 0));
            let help = Some("write it out".to_owned());
            self.report("front-matter", location, "an alias (`*name`) has no place in front matter".to_owned(), help);
            return front;
        }
        let documents = match MarkedYaml::load_from_str(self.yaml) {
            Ok(documents) => documents,
            Err(error) => {
                let place = (error.marker().line(), error.marker().col());
                let location = self.location(place, (place.0, place.1 + 1));
                self.report("front-matter", location, format!("this is not YAML: {}", error.info()), None);
                return front;
            }
        };
        match documents.first() {
            None => {}
            Some(node) => match &node.data {
                YamlData::Value(Scalar::Null) => {}
                YamlData::Mapping(members) => members.iter().for_each(|(key, value)| self.member(&mut front, key, value)),
                _ => {
                    let location = self.span(node);
                    self.report(
                        "front-matter",
                        location,
                        "front matter must be `key: value` lines".to_owned(),
                        Some(format!("keys: {}", KEYS.join(", "))),
                    );
                }
            },
        }
        front
    }

    fn member(&mut self, front: &mut FrontMatter, key: &MarkedYaml<'_>, value: &MarkedYaml<'_>) {
        let name = key.data.as_str().unwrap_or_default();
        let slot = match name {
            "subject" => &mut front.subject,
            "preheader" => &mut front.preheader,
            "layout" => &mut front.layout,
            "topic" => &mut front.topic,
            "channel" => &mut front.channel,
            "needs" => {
                let location = self.span(value);
                front.needs = self.list("needs", "coupon", value).map(|names| Written {
                    value: names.into_iter().map(|name| name.value).collect(),
                    line: location.line,
                    column: location.column,
                    location,
                });
                return;
            }
            "attachments" => {
                front.attachments = self.list("attachments", "files/terms.pdf", value);
                return;
            }
            "utm" => {
                front.utm = self.utm(value);
                return;
            }
            _ => {
                let location = self.span(key);
                let help = suggestion(name, &KEYS, "keys");
                self.report("unknown-key", location, format!("`{name}` is not a key of a template's front matter"), help);
                return;
            }
        };
        *slot = self.text(name, value);
    }

    fn text(&mut self, name: &str, node: &MarkedYaml<'_>) -> Option<Written<String>> {
        let YamlData::Value(Scalar::String(text)) = &node.data else {
            let location = self.span(node);
            let words = if matches!(node.data, YamlData::Tagged(..)) { "tags are not allowed" } else { "put it in quotes" };
            self.report("wrong-type", location, format!("`{name}` must be text"), Some(words.to_owned()));
            return None;
        };
        let location = self.span(node);
        let (line, column) = self.content_start(node);
        Some(Written { value: text.to_string(), location, line, column })
    }

    fn list(&mut self, key: &str, example: &str, node: &MarkedYaml<'_>) -> Option<Vec<Written<String>>> {
        let YamlData::Sequence(items) = &node.data else {
            let location = self.span(node);
            self.report("wrong-type", location, format!("`{key}` must be a list"), Some(format!("{key}: [{example}]")));
            return None;
        };
        Some(items.iter().filter_map(|item| self.text(key, item)).collect())
    }

    fn utm(&mut self, node: &MarkedYaml<'_>) -> Option<Written<BTreeMap<String, String>>> {
        let location = self.span(node);
        let YamlData::Mapping(members) = &node.data else {
            let help = Some("utm: { source: newsletter, medium: email, campaign: spring }".to_owned());
            self.report("wrong-type", location, "`utm` must be a mapping".to_owned(), help);
            return None;
        };
        let mut value = BTreeMap::new();
        for (key, member) in members {
            let name = key.data.as_str().unwrap_or_default();
            if !UTM.contains(&name) {
                let location = self.span(key);
                let help = suggestion(name, &UTM, "parameters");
                self.report("unknown-key", location, format!("`{name}` is not one of `utm`'s parameters"), help);
            } else if let Some(text) = self.text(name, member) {
                value.insert(name.to_owned(), text.value);
            }
        }
        Some(Written { value, line: location.line, column: location.column, location })
    }

    /// Where a scalar's content begins: after the quote, or on the line after `|` or `>`.
    fn content_start(&self, node: &MarkedYaml<'_>) -> (usize, usize) {
        let (line, column) = (node.span.start.line(), node.span.start.col());
        let sign = self.yaml.lines().nth(line.saturating_sub(1)).and_then(|text| text.chars().nth(column));
        match sign {
            Some('"' | '\'') => (line + 1, column + 2),
            Some('|' | '>') => {
                let indentation = self.yaml.lines().nth(line).map_or(0, |text| text.len() - text.trim_start().len());
                (line + 2, indentation + 1)
            }
            _ => (line + 1, column + 1),
        }
    }

    fn span(&self, node: &MarkedYaml<'_>) -> Location {
        let (start, end) = (node.span.start, node.span.end);
        self.location((start.line(), start.col()), (end.line(), end.col()))
    }

    /// The YAML begins on the file's second line; its own lines count from 1, its columns from 0.
    fn location(&self, start: (usize, usize), end: (usize, usize)) -> Location {
        Location {
            file: self.file.to_owned(),
            line: start.0 + 1,
            column: start.1 + 1,
            end_line: end.0 + 1,
            end_column: end.1 + 1,
        }
    }

    fn report(&mut self, code: &'static str, location: Location, message: String, help: Option<String>) {
        self.diagnostics.push(Diagnostic { help, ..Diagnostic::error(code, location, message) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_places_are_read() {
        let text = "---\nsubject: \"Hi {{x}}\"\npreheader: |\n  Two\n  lines\nlayout: plain\nneeds: [a, b]\n---\nbody\n";
        let mut diagnostics = Vec::new();
        let split = split("t", text, &mut diagnostics);
        assert_eq!(diagnostics, []);
        assert_eq!((split.body, split.body_line), ("body\n", 9));
        let places: Vec<_> = [split.front.subject, split.front.preheader, split.front.layout]
            .into_iter()
            .map(|written| written.map(|written| (written.value, written.line, written.column)))
            .collect();
        assert_eq!(
            places,
            [Some(("Hi {{x}}".to_owned(), 2, 11)), Some(("Two\nlines\n".to_owned(), 4, 3)), Some(("plain".to_owned(), 6, 9))]
        );
        assert_eq!(split.front.needs.map(|needs| needs.value), Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn faults_are_reported_at_their_place() {
        let check = |text: &str, code: &str, place: (usize, usize), words: &str| {
            let mut diagnostics = Vec::new();
            split("t", text, &mut diagnostics);
            assert_eq!(diagnostics.len(), 1, "{text}: {diagnostics:?}");
            let found = &diagnostics[0];
            assert_eq!((found.code, (found.location.line, found.location.column)), (code, place), "{text}");
            let said = format!("{} {}", found.message, found.help.clone().unwrap_or_default());
            assert!(said.contains(words), "{said} / {words}");
        };
        check("---\nsubjet: x\n---\n", "unknown-key", (2, 1), "did you mean `subject`?");
        check("---\nsubject: 2026\n---\n", "wrong-type", (2, 10), "must be text");
        check("---\nsubject: !x y\n---\n", "wrong-type", (2, 10), "must be text");
        check("---\nneeds: coupon\n---\n", "wrong-type", (2, 8), "list");
        check("---\nattachments: a.pdf\n---\n", "wrong-type", (2, 14), "list");
        check("---\nutm: x\n---\n", "wrong-type", (2, 6), "mapping");
        check("---\nutm: { sorce: x }\n---\n", "unknown-key", (2, 8), "did you mean `source`?");
        check("---\nneeds: [1]\n---\n", "wrong-type", (2, 9), "must be text");
        check("---\ntopic: a\ntopic: b\n---\n", "front-matter", (3, 1), "not YAML");
        check("---\n- a\n---\n", "front-matter", (2, 1), "key: value");
        check("---\nsubject: x\n", "front-matter", (1, 1), "never ends");
        check("---\nsubject: 'x\n---\n", "front-matter", (2, 10), "not YAML");
    }

    #[test]
    fn a_file_without_front_matter_is_all_body() {
        let mut diagnostics = Vec::new();
        for text in ["", "<p>", "---- \n", "a\n---\n"] {
            assert_eq!(split("t", text, &mut diagnostics).body, text);
        }
        assert_eq!(split("t", "---\n---\r\nx", &mut diagnostics).body, "x");
        assert_eq!(diagnostics, []);
    }
}
