//! How people take messages.

use dsl::model::{Act, Reaction};
use serde_json::{Map, Value};

use super::draw::{delay, purpose};
use super::happening::{Happens, Next, Pending};
use super::{Line, Synthetic, people};
use crate::chance::Chance;
use crate::state::{LogKind, MessageStatus};

impl Synthetic {
    /// What a message that has just left leads to. The same message to the same person at the same time always leads to the same.
    pub(super) fn react(&mut self, line: &Line) {
        let Some(sent) = line.sent.as_ref().filter(|sent| sent.status == Some(MessageStatus::Sent)) else { return };
        if line.kind != LogKind::Send {
            return;
        }
        let Some(person) = people::number(&self.audience.name, &line.contact) else { return };
        let audience = self.audience.clone();
        let about = |reaction: &&Reaction| reaction.templates.is_empty() || reaction.templates.contains(&sent.template);
        let Some(reaction) = audience.reactions.iter().find(about) else { return };
        let message = purpose(&["message", &line.workflow, &line.step, &sent.template, &line.instant.to_string()]);
        let message = Chance::of(self.person_seed(person), message).number();
        let does = |what: &str, act: Option<&Act>, after: i64| {
            let act = act?;
            let mut chance = Chance::of(message, purpose(&[what]));
            // It takes an instant at least.
            chance.happens(act.chance).then(|| (after + delay(&act.delay, &mut chance).max(1), chance.number()))
        };
        let properties = |more: &[(&str, &str)]| -> Map<String, Value> {
            let own = [("template", sent.template.as_str()), ("workflow", &line.workflow), ("step", &line.step)];
            own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
        };
        if let Some((at, identity)) = does("bounced", reaction.bounced.as_ref(), line.instant) {
            let properties = properties(&[("bounce", "hard")]);
            self.will(person, at, Happens { event: "message_bounced".to_owned(), properties, identity });
            return;
        }
        let Some((opened, identity)) = does("opened", reaction.opened.as_ref(), line.instant) else { return };
        self.will(person, opened, Happens { event: "message_opened".to_owned(), properties: properties(&[]), identity });
        let topic = sent.topic.as_deref().unwrap_or("all");
        let acts = [
            ("message_clicked", &reaction.clicked, properties(&[])),
            ("message_complained", &reaction.complained, properties(&[])),
            ("unsubscribed", &reaction.unsubscribed, properties(&[("topic", topic)])),
        ];
        for (event, act, properties) in acts {
            if let Some((at, identity)) = does(event, act.as_ref(), opened) {
                self.will(person, at, Happens { event: event.to_owned(), properties, identity });
            }
        }
    }

    fn will(&mut self, person: u32, at: i64, happens: Happens) {
        if at < self.until {
            let order = happens.identity | Next::LATE;
            self.coming.push(Next { at, person, order, what: Pending::Event(Box::new(happens)) });
        }
    }
}
