//! What is so before a test begins.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::Reader;
use crate::model::journey::{Answer, Given};
use crate::model::{Deliver, StepKind};
use crate::place::At;
use crate::surface::journey as written;

impl Reader<'_> {
    pub(super) fn given(&mut self, given: &written::Given, at: &At<'_>) -> Given {
        let segments = given.segments.iter().flatten().enumerate();
        let segments = segments.map(|(index, name)| {
            self.segment(name, false, &at.key("segments").item(index));
            name.clone()
        });
        let segments = segments.collect();
        Given {
            segments,
            contacts: self.contacts(given, at),
            channels: self.answers(given.channels.as_ref(), &at.key("channels")),
            experiments: self.variants(given.experiments.as_ref(), &at.key("experiments")),
        }
    }

    fn contacts(&mut self, given: &written::Given, at: &At<'_>) -> Vec<Map<String, Value>> {
        let (contacts, places): (Vec<_>, Vec<_>) = match (&given.contact, &given.contacts) {
            (Some(contact), None) => (vec![contact.clone()], vec![at.key("contact")]),
            (None, Some(contacts)) => {
                (contacts.clone(), (0..contacts.len()).map(|index| at.key("contacts").item(index)).collect())
            }
            (Some(_), Some(_)) => {
                let help = "put the one into the list of the others";
                let message = "`contact` and `contacts` cannot stand side by side".to_owned();
                self.error_at("test-data", at.key("contacts").key_location(), message, Some(help.to_owned()));
                return Vec::new();
            }
            (None, None) => (Vec::new(), Vec::new()),
        };
        if contacts.is_empty() && self.whole {
            let help = "write `contact: { id: ada, email: ada@example.com }`";
            self.error(
                "test-data",
                at,
                "a test is about somebody, and this one names no contact".to_owned(),
                Some(help.to_owned()),
            );
        }
        let mut ids: HashSet<&str> = HashSet::new();
        for (contact, at) in contacts.iter().zip(&places) {
            self.contact(contact, at);
            match contact.get("id").and_then(Value::as_str) {
                Some(id) if !ids.insert(id) => {
                    let message = format!("there are two contacts `{id}` in this test");
                    self.error("duplicate-name", &at.key("id"), message, None);
                }
                _ => {}
            }
        }
        contacts
    }

    fn contact(&mut self, contact: &Map<String, Value>, at: &At<'_>) {
        if contact.get("id").and_then(Value::as_str).is_none_or(str::is_empty) {
            let message = "a contact needs an `id`, which is text".to_owned();
            let place = if contact.contains_key("id") { at.key("id") } else { at.clone() };
            self.error("test-data", &place, message, None);
        }
        let topics = contact.get("topics").and_then(Value::as_array).into_iter().flatten().enumerate();
        for (index, topic) in topics.filter_map(|(index, topic)| Some((index, topic.as_str()?))) {
            self.topic(topic, &at.key("topics").item(index));
        }
        self.attributes(contact, at, false);
    }

    fn answers(
        &mut self,
        channels: Option<&BTreeMap<String, Vec<written::Answer>>>,
        at: &At<'_>,
    ) -> BTreeMap<String, Vec<Answer>> {
        let mut all = BTreeMap::new();
        for (name, answers) in channels.into_iter().flatten() {
            let at = at.key(name);
            self.channel(name, &at);
            let answers = answers.iter().enumerate().filter_map(|(index, answer)| self.answer(name, answer, &at.item(index)));
            all.insert(name.clone(), answers.collect());
        }
        all
    }

    fn answer(&mut self, channel: &str, answer: &written::Answer, at: &At<'_>) -> Option<Answer> {
        let words = match answer {
            written::Answer::Called(answer) => {
                if channel != "call" {
                    let message = "only calls have an answer with a status and a body".to_owned();
                    self.error("test-answer", at, message, Some("write `ok`, `timeout`, or what the server says".to_owned()));
                    return None;
                }
                return Some(Answer::Called { status: answer.status, json: answer.json.clone().unwrap_or_default() });
            }
            written::Answer::Words(words) => words,
        };
        match words.as_str() {
            "ok" => return Some(Answer::Taken),
            "timeout" => return Some(Answer::Silence),
            _ => {}
        }
        let delivers = self.project.settings.and_then(|settings| settings.channels.get(channel)).map(|channel| &channel.deliver);
        let by_request = channel == "call" || matches!(delivers, Some(Deliver::Http(_) | Deliver::Preset(..)));
        let code = words.split_whitespace().next().filter(|code| code.len() == 3).and_then(|code| code.parse::<u16>().ok());
        let fits = match code {
            Some(code) if by_request => (200..600).contains(&code),
            Some(code) => (200..300).contains(&code) || (400..600).contains(&code),
            None => false,
        };
        if fits {
            return Some(Answer::Said(words.clone()));
        }
        let (who, example) = if by_request { ("a web server", "503") } else { ("a mail server", "451 try later") };
        let message = format!("`{words}` is nothing that {who} answers");
        self.error("test-answer", at, message, Some(format!("write `ok`, `timeout`, or a reply such as `{example}`")));
        None
    }

    fn variants(&mut self, experiments: Option<&BTreeMap<String, String>>, at: &At<'_>) -> BTreeMap<String, String> {
        let all = experiments.cloned().unwrap_or_default();
        let Some(workflow) = self.workflow else { return all };
        let known: BTreeMap<&str, Vec<&str>> = workflow
            .model
            .steps
            .iter()
            .filter_map(|step| match &step.kind {
                StepKind::Experiment { name, variants, .. } => {
                    Some((name.as_str(), variants.iter().map(|variant| variant.name.as_str()).collect()))
                }
                _ => None,
            })
            .collect();
        for (name, variant) in &all {
            match known.get(name.as_str()) {
                None => {
                    let message = format!("`{}` has no experiment `{name}`", workflow.model.name);
                    let help = self.suggestion(name, known.keys().copied(), "experiments");
                    self.error_at("test-name", at.key(name).key_location(), message, help);
                }
                Some(variants) if !variants.contains(&variant.as_str()) => {
                    let message = format!("the experiment `{name}` has no variant `{variant}`");
                    let help = self.suggestion(variant, variants.iter().copied(), "variants");
                    self.error("test-name", &at.key(name), message, help);
                }
                Some(_) => {}
            }
        }
        all
    }
}
