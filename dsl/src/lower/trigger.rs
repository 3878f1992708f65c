//! Triggers.

use super::Lowerer;
use super::condition::Setting;
use super::notes::{EventScope, Named, ValueNote};
use crate::diagnostic::Diagnostic;
use crate::model::{self, At as Moment, Crossing, Every, Feb29, Root, Trigger, ZoneChoice};
use crate::place::At;
use crate::surface::{self, OneOrMany};
use crate::time::{Cron, DateValue, Duration, parse_date};

/// How many triggers a workflow may have: what is said of `event.*` is held against all of them.
const MOST: usize = 100;

impl Lowerer<'_> {
    pub(super) fn triggers(&mut self, written: Option<&OneOrMany<surface::Trigger>>, root: &At<'_>) -> Vec<Trigger> {
        let at = root.key("trigger");
        match written {
            None if at.is_written() || !self.context.whole => Vec::new(),
            None => {
                let message = "this workflow has no `trigger`: nothing would start it";
                let diagnostic = Diagnostic::error("no-trigger", root.key("workflow").location(), message);
                let help =
                    "add one, such as `trigger: { event: signed_up }`, or `trigger: { manual: true }` for the enroll command";
                self.diagnostics.push(diagnostic.help(help));
                Vec::new()
            }
            Some(OneOrMany::One(trigger)) => self.trigger(trigger, &at).into_iter().collect(),
            Some(OneOrMany::Many(triggers)) => {
                if triggers.len() > MOST {
                    let help = "put what belongs together into one trigger, or into workflows of their own";
                    let message = format!("this workflow has {} triggers; it may have {MOST}", triggers.len());
                    self.diagnostics.push(Diagnostic::error("workflow-too-large", at.key_location(), message).help(help));
                }
                triggers
                    .iter()
                    .take(MOST)
                    .enumerate()
                    .filter_map(|(index, trigger)| self.trigger(trigger, &at.item(index)))
                    .collect()
            }
        }
    }

    fn trigger(&mut self, trigger: &surface::Trigger, at: &At<'_>) -> Option<Trigger> {
        match trigger {
            surface::Trigger::Event(form) => Some(self.event_trigger(form, at)),
            surface::Trigger::Segment(form) => {
                self.notes.segments.push(Named { name: form.segment.clone(), at: at.key("segment").location() });
                let change = match form.change {
                    Some(surface::SegmentChange::Leave) => Crossing::Leave,
                    Some(surface::SegmentChange::Enter) | None => Crossing::Enter,
                };
                Some(Trigger::Segment { segment: form.segment.clone(), change })
            }
            surface::Trigger::Schedule(form) => {
                let zone = self.zone_choice(form.time_zone.as_ref(), at);
                let cron = self.cron(&form.schedule, &at.key("schedule"))?;
                Some(Trigger::Schedule { cron, zone })
            }
            surface::Trigger::At(form) => {
                let zone = self.zone_choice(form.time_zone.as_ref(), at);
                let moment = self.moment(&form.at, &at.key("at"))?;
                Some(Trigger::At { at: moment, zone })
            }
            surface::Trigger::Date(form) => self.date_trigger(form, at),
            surface::Trigger::Manual(_) => {
                self.notes.open_event = true;
                Some(Trigger::Manual)
            }
        }
    }

    fn event_trigger(&mut self, form: &surface::EventTrigger, at: &At<'_>) -> Trigger {
        let name = form.event.clone();
        self.notes.events.push(Named { name: name.clone(), at: at.key("event").location() });
        self.notes.triggers.insert(name.clone());
        let filter = form.filter.as_ref().map(|filter| self.condition(&filter.0, &at.key("where"), &Setting::event(&name)));
        let key = form.key.as_ref().and_then(|key| {
            let here = at.key("key");
            let path = self.path(key, &[Root::Event], &here)?;
            let scope = EventScope::Named(name.clone());
            let note = ValueNote { path: path.clone(), at: here.location(), scope, tests: Vec::new() };
            self.notes.keys.push(note.clone());
            self.notes.values.push(note);
            Some(path)
        });
        Trigger::Event { name, filter, key }
    }

    fn zone_choice(&mut self, name: Option<&String>, at: &At<'_>) -> ZoneChoice {
        match name.map(String::as_str) {
            None => ZoneChoice::Named(self.context.zone.to_owned()),
            Some("contact") => ZoneChoice::Contact,
            Some(name) => {
                self.zone(name, &at.key("time_zone"));
                ZoneChoice::Named(name.to_owned())
            }
        }
    }

    fn cron(&mut self, text: &str, at: &At<'_>) -> Option<Cron> {
        match Cron::parse(text) {
            Ok(cron) => Some(cron),
            Err(error) => {
                let message = error.to_string();
                let code = if message.contains("never fires") { "never-fires" } else { "invalid-cron" };
                self.error(code, at, message);
                None
            }
        }
    }

    fn moment(&mut self, text: &str, at: &At<'_>) -> Option<Moment> {
        match parse_date(text) {
            Some(DateValue::Local(civil)) => Some(Moment::Civil(civil)),
            Some(DateValue::Instant(instant)) => Some(Moment::Instant(instant)),
            Some(DateValue::Date(_)) => {
                let help = format!("write {text}T09:00");
                self.error_help("invalid-date", at, format!("`{text}` has no time of day"), help);
                None
            }
            None => {
                let help = "write 2026-11-27T09:00, or with an offset 2026-11-27T09:00:00+01:00";
                self.error_help("invalid-date", at, format!("`{text}` is no date with a time"), help);
                None
            }
        }
    }

    fn date_trigger(&mut self, form: &surface::DateTrigger, at: &At<'_>) -> Option<Trigger> {
        let here = at.key("date");
        let date = self.path(&form.date, &[Root::Contact], &here)?;
        let wants = super::Wants { text: true, ..Default::default() };
        let test = super::TestNote::new("date", wants, here.location());
        let note = ValueNote { path: date.clone(), at: here.location(), scope: EventScope::Run, tests: vec![test] };
        self.notes.values.push(note);
        let offset = form.offset.as_ref().map_or(Duration::default(), |text| {
            let here = at.key("offset");
            let offset = self.offset(text, &here);
            self.whole_days(offset, text, &here);
            offset
        });
        let time = form.at.as_ref().map(|text| self.time(text, &at.key("at")));
        let every = match form.every {
            Some(surface::Every::Year) => Every::Year,
            Some(surface::Every::Once) | None => Every::Once,
        };
        let feb_29 = match form.feb_29 {
            Some(surface::Feb29::Feb28) | None => Feb29::Feb28,
            Some(surface::Feb29::Mar1) => Feb29::Mar1,
            Some(surface::Feb29::Skip) => Feb29::Skip,
        };
        Some(Trigger::Date(model::DateTrigger { date, every, offset, at: time, feb_29 }))
    }
}
