//! What became of messages that were made of the same values: whether they can be made, and their subjects. Where nobody reads the bodies, as in
//! a simulation of a year, most messages need not be made again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use serde_json::Value;

use super::reads::Reads;
use super::{Addressee, Templates};

/// How many outcomes are remembered at most, in case no two messages are alike.
const MAX_KNOWN: usize = 2_000_000;

/// The subject, or why there is no message.
pub type Outcome = Result<Option<String>, String>;

#[derive(Default)]
pub(super) struct Outcomes(Mutex<HashMap<Box<[u8]>, Outcome>>);

impl Templates {
    /// What comes of this message, known from an earlier one that was made of the same values, or found by `make`. `data` and `to` are those of
    /// [`Templates::render`].
    pub fn outcome(&self, template: &str, data: &Value, to: &Addressee<'_>, make: impl FnOnce() -> Outcome) -> Outcome {
        let Some(key) = self.key(template, data, to) else { return make() };
        if let Some(known) = self.outcomes.0.lock().ok().and_then(|known| known.get(&*key).cloned()) {
            return known;
        }
        let made = make();
        if let Ok(mut known) = self.outcomes.0.lock()
            && known.len() < MAX_KNOWN
        {
            known.insert(key, made.clone());
        }
        made
    }

    /// Everything on which the outcome depends; `None`: nobody can tell.
    fn key(&self, template: &str, data: &Value, to: &Addressee<'_>) -> Option<Box<[u8]>> {
        let (variant, locale) = self.messages.get(template)?.for_reader(to);
        let mut key = Vec::with_capacity(128);
        for part in [template, to.channel, &locale, to.zone.iana_name().unwrap_or_default()] {
            key.extend_from_slice(part.as_bytes());
            key.push(0);
        }
        self.values(&variant.reads, data, &mut key)?;
        let mut seen = BTreeSet::new();
        let mut coming: Vec<&String> = variant.reads.partials.iter().collect();
        while let Some(name) = coming.pop() {
            // One that is no partial is made where it stands, of what was read already.
            if let Some(reads) = self.partial_reads.get(name).filter(|_| seen.insert(name)) {
                self.values(reads, data, &mut key)?;
                coming.extend(&reads.partials);
            }
        }
        Some(key.into_boxed_slice())
    }

    fn values(&self, reads: &Reads, data: &Value, key: &mut Vec<u8>) -> Option<()> {
        if reads.anything {
            return None;
        }
        for path in &reads.paths {
            let value = path.iter().try_fold(data, |value, name| value.get(name));
            if let Some(value) = value.filter(|value| !value.is_null()) {
                serde_json::to_writer(&mut *key, value).ok()?;
            }
            key.push(0);
        }
        for path in &reads.shown {
            match path.iter().try_fold(data, |value, name| value.get(name)) {
                None | Some(Value::Null) => {}
                // Told apart from what JSON begins with.
                Some(Value::String(text)) if prints_as_it_is(text) => {
                    key.push(b's');
                    key.extend_from_slice(&text.len().to_le_bytes());
                }
                Some(value) => serde_json::to_writer(&mut *key, value).ok()?,
            }
            key.push(0);
        }
        Some(())
    }
}

/// Nothing of it is escaped, wherever it is printed: what is made of it is as long as it is.
fn prints_as_it_is(text: &str) -> bool {
    text.chars().all(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '.' | '_'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use dsl::model::{Part, TemplateSource};
    use serde_json::json;

    use super::*;

    /// Whether the second message is known from the first.
    fn check(source: &str, partials: &[(&str, &str)], first: &Value, second: &Value, expected: bool) {
        let part = Part { source: source.to_owned(), layout: None };
        let template = TemplateSource { html: Some(part), ..TemplateSource::default() };
        let partials = partials.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let templates = Templates::of(&BTreeMap::from([("x".to_owned(), template)]), &partials).expect("compiles");
        let to = Addressee::default();
        let made = templates.outcome("x", first, &to, || Ok(Some("first".to_owned())));
        assert_eq!(made, Ok(Some("first".to_owned())));
        let found = templates.outcome("x", second, &to, || Err("second".to_owned()));
        assert_eq!(found.is_ok(), expected, "{source}");
    }

    #[test]
    fn the_same_values_have_the_same_outcome() {
        let data = |name: &str, visits: i64| json!({ "contact": { "name": name, "visits": visits }, "unsubscribe_url": name });
        let (ada, bo, again) = (data("Ada", 1), data("Bo", 1), data("Ada", 2));
        check("{{contact.name}} {{unsubscribe_url}}", &[], &ada, &again, true);
        check("{{contact.name}}", &[], &ada, &bo, false);
        check("{{#if contact.name}}{{default contact.name \"x\"}}{{/if}}", &[], &ada, &data("Eve", 1), true);
        check("{{contact.name}}", &[], &data("A&B", 1), &data("A<B", 1), false);
        check("{{contact.name}}", &[], &ada, &data("", 1), false);
        check("{{contact.visits}}", &[], &ada, &again, false);
        check("{{upper contact.name}}", &[], &ada, &data("Eve", 1), false);
        check("{{contact.name}} {{contact.visits}}", &[], &ada, &again, false);
        check("{{> a}}", &[("a", "{{> b}}"), ("b", "{{contact.name}}")], &ada, &bo, false);
        check("{{> a}}", &[("a", "{{> b}}"), ("b", "{{contact.name}}")], &ada, &again, true);
        check("{{#if contact.name}}{{date now}}{{/if}}", &[], &ada, &ada, false);
        check("{{#with contact}}{{visits}}{{/with}}", &[], &ada, &again, false);
        check("{{contact.other}}", &[], &ada, &json!({ "contact": { "other": "" } }), false);
        check("{{contact.other}}", &[], &ada, &json!({ "contact": { "other": null } }), true);
    }
}
