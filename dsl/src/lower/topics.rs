//! Topics, and what is tracked.

use std::collections::BTreeMap;

use super::Lowerer;
use super::settings::SettingsNotes;
use crate::diagnostic::Diagnostic;
use crate::model::{Topic, Tracking};
use crate::place::At;
use crate::surface::{self, SettingsFile};

impl Lowerer<'_> {
    pub(super) fn topics(&mut self, file: &SettingsFile, root: &At<'_>, notes: &mut SettingsNotes) -> BTreeMap<String, Topic> {
        let project = tracking(file.tracking.as_ref(), Tracking::default());
        let mut topics = BTreeMap::new();
        for (name, form) in file.topics.iter().flatten() {
            let at = root.key("topics").key(name);
            self.key_name(name, "a topic", &at);
            if matches!(name.as_str(), "all" | "any") {
                let message = format!("`{name}` is no name for a topic: it stands for every topic");
                self.diagnostics.push(Diagnostic::error("invalid-name", at.key_location(), message));
            }
            let confirm = form.confirm.unwrap_or_default();
            let subscribed_by_default = matches!(form.default, Some(surface::TopicDefault::Subscribed));
            if confirm && subscribed_by_default {
                let message = "who is subscribed without having said anything has nothing to confirm";
                let help = "write `default: unsubscribed`, or remove `confirm`";
                self.error_help("misplaced-key", &at.key("confirm"), message, help);
            }
            self.senders(form.from.as_ref(), form.reply_to.as_ref(), &at, notes);
            let topic = Topic {
                title: form.title.clone(),
                description: form.description.clone(),
                subscribed_by_default,
                confirm,
                from: form.from.clone(),
                reply_to: form.reply_to.clone(),
                tracking: tracking(form.tracking.as_ref(), project),
            };
            topics.insert(name.clone(), topic);
        }
        topics
    }
}

pub(super) fn tracking(form: Option<&surface::Tracking>, default: Tracking) -> Tracking {
    let part = |written: Option<bool>, default| written.unwrap_or(default);
    Tracking {
        opens: part(form.and_then(|form| form.opens), default.opens),
        clicks: part(form.and_then(|form| form.clicks), default.clicks),
    }
}
