//! Each verb's step.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Lowerer;
use super::condition::Setting;
use super::flow::{Entries, Wiring};
use super::notes::{EventScope, Named, SendNote, StepNote, TestNote, ValueNote, Wants, WinnerNote};
use crate::diagnostic::Diagnostic;
use crate::model::{
    Assignment, Case, Change, Metric, OnTrouble, Part, Path, Repeat, Root, Send, Since, StepKind, TemplateSource, Variant,
    WhenCapped, Winner,
};
use crate::place::At;
use crate::surface::{self, Assigned, MapOr, OneOrMany, Step};
use crate::template::InlineText;
use crate::time::Window;

impl Lowerer<'_> {
    pub(super) fn step(&mut self, step: &Step, id: &str, entries: &Entries, at: &At<'_>, wiring: &mut Wiring<'_>) -> StepKind {
        let entry = |index: usize| entries.arms.get(index).copied().flatten();
        match step {
            Step::Send(form) => StepKind::Send(self.send(form, id, at, wiring)),
            Step::Wait(form) => StepKind::Wait(self.wait(form, &at.key("wait"))),
            Step::WaitFor(form) => {
                let setting = Setting { matching: true, ..Setting::run() };
                let condition = self.condition(&form.wait_for.0, &at.key("wait_for"), &setting);
                if form.within.is_none() {
                    self.notes.steps.push(StepNote::Endless(at.key("wait_for").key_location()));
                }
                let within = self.optional_span(form.within.as_ref(), &at.key("within"));
                let since = match form.since {
                    Some(surface::Since::Entry) => Since::Entry,
                    Some(surface::Since::Step) | None => Since::Step,
                };
                StepKind::WaitFor { condition, within, since, then: entry(0), otherwise: entry(1) }
            }
            Step::Branch(form) => StepKind::Branch { cases: self.cases(form, entries, &at.key("branch")) },
            Step::Experiment(form) => self.experiment(form, entries, at),
            Step::Repeat(form) => StepKind::Repeat(self.repeat(&form.repeat, entries, &at.key("repeat"))),
            Step::Set(form) => StepKind::Set(self.set(form, &at.key("set"))),
            Step::Subscribe(form) => self.consent(&form.subscribe, true, &at.key("subscribe")),
            Step::Unsubscribe(form) => self.consent(&form.unsubscribe, false, &at.key("unsubscribe")),
            Step::Record(form) => self.record(form, at),
            Step::Call(form) => StepKind::Call(self.call(&form.call, &at.key("call"))),
            Step::Start(form) => {
                let here = at.key("start");
                self.notes.started.push(Named { name: form.start.clone(), at: here.location() });
                StepKind::Start { workflow: form.start.clone(), with: self.with(form.with.as_ref(), &at.key("with")) }
            }
            Step::Exit(form) => StepKind::Exit { reason: Some(form.exit.clone()) },
            Step::ExitWord => StepKind::Exit { reason: None },
        }
    }

    fn send(&mut self, form: &surface::SendStep, id: &str, at: &At<'_>, wiring: &mut Wiring<'_>) -> Send {
        let here = at.key("send");
        let names: BTreeSet<String> = form.with.iter().flat_map(Map::keys).cloned().collect();
        let transactional = form.transactional.unwrap_or_default();
        let (template, source) = match &form.send {
            MapOr::Short(name) => {
                (Some(Named { name: name.clone(), at: here.location() }), self.context.library.templates.get(name))
            }
            MapOr::Map(message) => {
                let source = self.inline(message, first_channel(form.channel.as_ref()), &names, &here);
                if self.context.library.templates.contains_key(id) {
                    let message = format!("the message written here would be known as `{id}`, which is a template's name");
                    self.error_help("duplicate-id", &here, message, "give the step another `id`");
                }
                wiring.inline.insert(id.to_owned(), source);
                (None, None)
            }
        };
        for (topic, key) in form.topic.iter().map(|topic| (topic, "topic")) {
            self.notes.topics.push(Named { name: topic.clone(), at: at.key(key).location() });
            if transactional {
                let help = "remove `topic`, or `transactional`";
                self.error_help("misplaced-key", &at.key(key), "a transactional message needs no consent to a topic", help);
            }
        }
        let channels = self.channel_list(form.channel.as_ref(), &at.key("channel"));
        let template_topic = source.and_then(|source| source.topic.as_ref());
        let topic = form.topic.as_ref().or(template_topic).cloned().or_else(|| wiring.topic.map(str::to_owned));
        self.notes.sends.push(SendNote {
            template: template.clone(),
            at: here.location(),
            with: names,
            has_topic: transactional || topic.is_some(),
            transactional,
        });
        Send {
            inline: template.is_none(),
            template: template.map_or_else(|| id.to_owned(), |template| template.name),
            channel: channels.first().cloned(),
            or_channels: channels.into_iter().skip(1).collect(),
            topic: topic.filter(|_| !transactional),
            transactional,
            with: self.with(form.with.as_ref(), &at.key("with")),
            window: form.window.as_ref().and_then(|window| self.window(window, &at.key("window"))),
            when_capped: match form.when_capped {
                Some(surface::WhenCapped::Skip) => WhenCapped::Skip,
                Some(surface::WhenCapped::Wait) | None => WhenCapped::Wait,
            },
            when_unreachable: on_trouble(form.when_unreachable),
        }
    }

    fn inline(
        &mut self,
        form: &surface::InlineMessage,
        channel: Option<&String>,
        with: &BTreeSet<String>,
        at: &At<'_>,
    ) -> TemplateSource {
        for (key, text) in [("subject", &form.subject), ("html", &form.html), ("mjml", &form.mjml), ("text", &form.text)] {
            if let Some(text) = text {
                self.expression(text, &at.key(key), with);
            }
        }
        if form.subject.is_none() && channel.is_none_or(|channel| channel == "email") {
            self.error("missing-key", at, "an inline message by email needs a `subject`");
        }
        let part = |text: &Option<String>| text.clone().map(|source| Part { source, layout: None });
        TemplateSource {
            channel: channel.cloned(),
            subject: form.subject.clone(),
            html: form.mjml.as_ref().and_then(|mjml| self.mjml(mjml, &at.key("mjml"))).or_else(|| part(&form.html)),
            text: part(&form.text),
            ..TemplateSource::default()
        }
    }

    fn mjml(&mut self, text: &str, at: &At<'_>) -> Option<Part> {
        let (line, column) = at.content();
        let file = at.location().file;
        match self.context.library.inline_mjml(&InlineText { text, file: &file, line, column }) {
            Ok(part) => Some(part),
            Err(found) => {
                self.diagnostics.extend(found);
                None
            }
        }
    }

    /// The channels of a send, in the order in which they are tried.
    fn channel_list(&mut self, form: Option<&OneOrMany<String>>, at: &At<'_>) -> Vec<String> {
        let (names, places): (Vec<String>, Vec<At<'_>>) = match form {
            None => return Vec::new(),
            Some(OneOrMany::One(name)) => (vec![name.clone()], vec![at.clone()]),
            Some(OneOrMany::Many(names)) => (names.clone(), (0..names.len()).map(|index| at.item(index)).collect()),
        };
        for (index, (name, at)) in names.iter().zip(&places).enumerate() {
            self.notes.channels.push(Named { name: name.clone(), at: at.location() });
            if names[..index].contains(name) {
                self.error("invalid-list", at, format!("`{name}` is in this list twice"));
            }
        }
        names
    }

    fn window(&mut self, form: &surface::SendWindow, at: &At<'_>) -> Option<Window> {
        let days = self.weekdays(form.days.as_ref(), &at.key("days"));
        match Window::parse(&form.between) {
            Ok(window) => Some(window.on(days)),
            Err(error) => {
                self.error("invalid-time", &at.key("between"), error.to_string());
                None
            }
        }
    }

    pub(super) fn misplaced(&mut self, at: &At<'_>, message: String) {
        self.diagnostics.push(Diagnostic::error("misplaced-key", at.key_location(), message));
    }

    pub(super) fn note_value(&mut self, path: &Path, word: &'static str, wants: Wants, at: &At<'_>) {
        let tests = vec![TestNote::new(word, wants, at.location())];
        self.notes.values.push(ValueNote { path: path.clone(), at: at.key_location(), scope: EventScope::Run, tests });
    }

    fn cases(&mut self, form: &surface::BranchStep, entries: &Entries, at: &At<'_>) -> Vec<Case> {
        let mut closed = false;
        let mut cases = Vec::new();
        for (index, case) in form.branch.iter().enumerate() {
            let here = at.item(index);
            if closed {
                self.notes.steps.push(StepNote::Unreachable(here.location()));
            }
            closed |= case.when.is_none();
            self.notes.cases.push(here.location());
            let when = case.when.as_ref().map(|when| self.condition(&when.0, &here.key("when"), &Setting::run()));
            cases.push(Case { when, to: entries.arms.get(index).copied().flatten() });
        }
        cases
    }

    fn experiment(&mut self, form: &surface::ExperimentStep, entries: &Entries, at: &At<'_>) -> StepKind {
        self.name(&form.experiment, "an experiment", &at.key("experiment"));
        let rival =
            |variant: &&surface::Variant| variant.weight > 0.0 && variant.steps.as_ref().is_some_and(|steps| !steps.is_empty());
        let rivals = form.variants.values().filter(rival).count();
        if form.variants.values().filter(|variant| variant.weight > 0.0).count() == 1 {
            self.notes.lonely.push(at.key("experiment").location());
        }
        let winner = form.winner.as_ref().map(|winner| self.winner(winner, rivals, &at.key("winner")));
        let here = at.key("variants");
        let mut variants = Vec::new();
        for (index, name) in here.keys(form.variants.keys()).into_iter().enumerate() {
            let at = here.key(name);
            self.key_name(name, "a variant", &at);
            let weight = form.variants.get(name).map(|variant| variant.weight).unwrap_or_default();
            if weight < 0.0 {
                self.error("invalid-number", &at.key("weight"), format!("the weight {weight} is negative"));
            }
            variants.push(Variant { name: name.clone(), weight, to: entries.arms.get(index).copied().flatten() });
        }
        if variants.iter().all(|variant| variant.weight <= 0.0) {
            let message = "no variant has a weight above 0: nobody could be given one";
            self.diagnostics.push(Diagnostic::error("invalid-number", here.key_location(), message));
        }
        StepKind::Experiment { name: form.experiment.clone(), variants, winner }
    }

    fn winner(&mut self, form: &surface::Winner, rivals: usize, at: &At<'_>) -> Winner {
        let text = form.confidence.as_deref().unwrap_or("95%");
        let percent: Option<f64> = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
        let confidence = percent.filter(|percent| *percent > 50.0 && *percent < 100.0);
        if confidence.is_none() {
            let help = "write a percentage above 50 and below 100, such as `95%`";
            self.error_help("invalid-number", &at.key("confidence"), format!("`{text}` is no confidence"), help);
        }
        if form.after < 2 {
            self.error("invalid-number", &at.key("after"), "two variants cannot be compared before two contacts are in them");
        }
        let metric = match form.metric {
            surface::WinnerMetric::Clicked => Metric::Clicked,
            surface::WinnerMetric::Opened => Metric::Opened,
            surface::WinnerMetric::Goal => Metric::Goal,
        };
        self.notes.winners.push(WinnerNote { metric, at: at.key("metric").location(), rivals });
        Winner { metric, after: form.after, confidence: confidence.unwrap_or(95.0) / 100.0 }
    }

    fn repeat(&mut self, form: &surface::Repeat, entries: &Entries, at: &At<'_>) -> Repeat {
        if form.steps.is_empty() {
            self.error("empty-list", &at.key("steps"), "there is nothing to repeat");
        }
        Repeat {
            times: form.times,
            every: self.optional_span(form.every.as_ref(), &at.key("every")),
            until: form.until.as_ref().map(|until| self.condition(&until.0, &at.key("until"), &Setting::run())),
            body: entries.body,
        }
    }

    fn set(&mut self, form: &surface::SetStep, at: &At<'_>) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        for key in at.keys(form.set.keys()) {
            let here = at.key(key);
            let (Some(path), Some(assigned)) = (self.path(key, &[Root::Contact, Root::Vars], &here), form.set.get(key)) else {
                continue;
            };
            let reserved = path.root == Root::Contact && matches!(path.keys.first().map(String::as_str), Some("id" | "topics"));
            if reserved {
                let help = "use `subscribe` and `unsubscribe` for topics; a contact's id never changes";
                let diagnostic = Diagnostic::error("invalid-path", here.key_location(), format!("`{path}` cannot be set"));
                self.diagnostics.push(diagnostic.help(help));
            }
            let (change, wants) = self.change(assigned, &here);
            if path.root == Root::Vars {
                self.notes.variables.extend(path.keys.first().cloned());
            } else {
                let name = path.keys.first().cloned().unwrap_or_default();
                self.notes.assigned.push(Named { name, at: here.key_location() });
                let values = match &change {
                    Change::To(value) if !value.is_null() => vec![(value.clone(), here.location())],
                    _ => Vec::new(),
                };
                let tests = vec![TestNote { values, ..TestNote::new("set", wants, here.location()) }];
                self.notes.values.push(ValueNote { path: path.clone(), at: here.key_location(), scope: EventScope::Run, tests });
            }
            assignments.push(Assignment { path, change });
        }
        assignments
    }

    fn change(&mut self, assigned: &Assigned, at: &At<'_>) -> (Change, Wants) {
        let all = Wants { text: true, number: true, boolean: true, list: true, date: false };
        match assigned {
            Assigned::Value(Value::String(word)) if word == "now" => (Change::Now, Wants { text: true, ..Wants::default() }),
            Assigned::Value(value) => {
                if value.as_str().is_some_and(|text| text.contains("{{")) {
                    let message = "`{{ }}` is not worked out in `set`: the text would be stored as it stands";
                    self.error("misplaced-expression", at, message);
                }
                let wants = match value {
                    Value::String(_) => Wants { text: true, ..Wants::default() },
                    Value::Number(_) => Wants { number: true, ..Wants::default() },
                    Value::Bool(_) => Wants { boolean: true, ..Wants::default() },
                    Value::Array(_) => Wants { list: true, ..Wants::default() },
                    _ => all,
                };
                (Change::To(value.clone()), wants)
            }
            Assigned::Change(change) => match (change.add, &change.append) {
                (Some(number), _) => (Change::Add(number), Wants { number: true, ..Wants::default() }),
                (None, Some(element)) => (Change::Append(element.0.clone()), Wants { list: true, ..Wants::default() }),
                (None, None) => (Change::To(Value::Null), all),
            },
        }
    }

    fn consent(&mut self, topic: &str, subscribe: bool, at: &At<'_>) -> StepKind {
        // `unsubscribe: all` is every topic, as in the reserved event.
        if subscribe || topic != "all" {
            self.notes.topics.push(Named { name: topic.to_owned(), at: at.location() });
        }
        StepKind::Consent { topic: topic.to_owned(), subscribe }
    }

    fn record(&mut self, form: &surface::RecordStep, at: &At<'_>) -> StepKind {
        let here = at.key("record");
        self.notes.recorded.push(Named { name: form.record.clone(), at: here.location() });
        for key in form.with.iter().flat_map(Map::keys) {
            let path = Path { root: Root::Event, keys: vec![key.clone()] };
            let scope = EventScope::Named(form.record.clone());
            let at = at.key("with").key(key).key_location();
            self.notes.values.push(ValueNote { path, at, scope, tests: Vec::new() });
        }
        StepKind::Record { event: form.record.clone(), with: self.with(form.with.as_ref(), &at.key("with")) }
    }
}

fn first_channel(form: Option<&OneOrMany<String>>) -> Option<&String> {
    match form? {
        OneOrMany::One(name) => Some(name),
        OneOrMany::Many(names) => names.first(),
    }
}

pub(super) fn on_trouble(written: Option<surface::OnTrouble>) -> OnTrouble {
    match written {
        Some(surface::OnTrouble::Exit) => OnTrouble::Exit,
        Some(surface::OnTrouble::Continue) | None => OnTrouble::Continue,
    }
}
