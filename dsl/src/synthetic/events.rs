//! What people do, and what messages make them do.

use crate::diagnostic::Diagnostic;
use crate::model::{self, Cause, Reaction, Source};
use crate::place::{At, suggestion};
use crate::surface::{self, EventSource, MapOr, OneOrMany};
use crate::time::{Weekdays, Window};

use super::Reading;

impl Reading<'_> {
    pub(super) fn sources(&mut self, forms: &[EventSource], at: &At<'_>) -> Vec<Source> {
        forms.iter().enumerate().map(|(index, form)| self.source(form, &at.item(index))).collect()
    }

    fn source(&mut self, form: &EventSource, at: &At<'_>) -> Source {
        let (event, cause, properties) = match form {
            EventSource::Rate(form) => (&form.event, self.by_rate(form, at), &form.properties),
            EventSource::Arrival(form) => {
                let chance = self.chance(&form.on_arrival, &at.key("on_arrival"));
                let delay = self.delay(form.delay.as_ref(), &at.key("delay"));
                (&form.event, Cause::Arrival { chance, delay }, &form.properties)
            }
            EventSource::Follow(form) => {
                let cause = Cause::Event {
                    follows: form.follows.clone(),
                    template: form.template.clone(),
                    chance: self.chance_or_all(form.chance.as_ref(), &at.key("chance")),
                    delay: self.delay(form.delay.as_ref(), &at.key("delay")),
                };
                if let Some(template) = &form.template {
                    self.template(template, &at.key("template"));
                }
                (&form.event, cause, &form.properties)
            }
        };
        let properties = properties.as_ref().map_or_else(Vec::new, |forms| self.all_drawn(forms, &at.key("with")));
        Source { event: event.clone(), cause, properties }
    }

    fn by_rate(&mut self, form: &surface::EventByRate, at: &At<'_>) -> Cause {
        let hours = form.hours.as_ref().and_then(|text| match Window::parse(text) {
            Ok(window) => Some(window),
            Err(error) => {
                self.error("invalid-time", &at.key("hours"), error.to_string(), "write `07:00-23:00`");
                None
            }
        });
        let mut weekdays = [1.0; 7];
        let here = at.key("days");
        for (name, weight) in form.days.iter().flatten() {
            match Weekdays::parse(name) {
                Ok(set) => {
                    let named = weekdays.iter_mut().enumerate().filter(|(day, _)| set.0 & (1 << day) != 0);
                    named.for_each(|(_, known)| *known = weight.max(0.0));
                }
                Err(error) => self.error("invalid-weekday", &here.key(name), error.to_string(), "write `sat: 2`"),
            }
            if *weight < 0.0 {
                self.error("invalid-number", &here.key(name), "a weight is not below 0", "write `0` for never");
            }
        }
        if weekdays.iter().sum::<f64>() <= 0.0 {
            self.error("invalid-number", &here, "no day is left", "leave a weekday with a weight above 0");
        }
        Cause::Rate {
            per_day: self.rate(&form.rate, &at.key("rate")),
            among: self.chance_or_all(form.among.as_ref(), &at.key("among")),
            hours,
            weekdays,
        }
    }

    pub(super) fn reactions(&mut self, forms: &[surface::Reaction], at: &At<'_>) -> Vec<Reaction> {
        forms.iter().enumerate().map(|(index, form)| self.reaction(form, &at.item(index))).collect()
    }

    fn reaction(&mut self, form: &surface::Reaction, at: &At<'_>) -> Reaction {
        let here = at.key("to");
        let templates = match &form.to {
            OneOrMany::One(any) if any == "any" => Vec::new(),
            OneOrMany::One(template) => {
                self.template(template, &here);
                vec![template.clone()]
            }
            OneOrMany::Many(templates) => {
                templates.iter().enumerate().for_each(|(index, template)| self.template(template, &here.item(index)));
                templates.clone()
            }
        };
        let mut act = |form: Option<&surface::Act>, key: &str| form.map(|form| self.act(form, &at.key(key)));
        let reaction = Reaction {
            templates,
            opened: act(form.opened.as_ref(), "opened"),
            clicked: act(form.clicked.as_ref(), "clicked"),
            unsubscribed: act(form.unsubscribed.as_ref(), "unsubscribed"),
            complained: act(form.complained.as_ref(), "complained"),
            bounced: act(form.bounced.as_ref(), "bounced"),
        };
        let of_openers =
            [("clicked", &reaction.clicked), ("unsubscribed", &reaction.unsubscribed), ("complained", &reaction.complained)];
        if reaction.opened.is_none() {
            for (key, _) in of_openers.into_iter().filter(|(_, act)| act.is_some()) {
                let message = format!("`{key}` is a share of those who opened the message, and nobody does");
                self.error("missing-key", &at.key(key), message, "add `opened: 45%`");
            }
        }
        reaction
    }

    fn act(&mut self, form: &surface::Act, at: &At<'_>) -> model::Act {
        match form {
            MapOr::Short(chance) => model::Act { chance: self.chance(chance, at), delay: self.delay(None, at) },
            MapOr::Map(form) => model::Act {
                chance: self.chance(&form.chance, &at.key("chance")),
                delay: self.delay(form.delay.as_ref(), &at.key("delay")),
            },
        }
    }

    fn template(&mut self, name: &str, at: &At<'_>) {
        let catalog = self.catalog;
        let mut known = catalog.workflows.values().flat_map(|entry| entry.definition.templates.keys());
        if known.clone().any(|template| template == name) {
            return;
        }
        let help = suggestion(name, known.by_ref().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), "messages");
        let diagnostic = Diagnostic::error("unknown-template", at.location(), format!("no workflow sends a message `{name}`"));
        self.out.push(Diagnostic { help, ..diagnostic });
    }
}
