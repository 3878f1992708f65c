//! Conditions: a mapping's keys become the parts that must all hold.

use serde_json::{Map, Value};

use super::Lowerer;
use super::notes::{ConditionNote, EventScope, Named, Places, TestNote, ValueNote, Wants};
use crate::model::{
    Aggregate, AggregateFunction, Condition, EventCondition, Fate, MessageCondition, Path, Predicate, Root, Since, When,
    WorkflowState,
};
use crate::place::{At, list};
use crate::yaml::Span;

/// Where a condition stands, as far as its meaning depends on it.
#[derive(Clone)]
pub(super) struct Setting {
    /// What `event.*` is about outside a `where`.
    pub scope: EventScope,
    /// `exit_when` and `goal`: what says neither `within` nor `since` counts from entry.
    pub from_entry: bool,
    /// `wait_for`: an `event.*` beside `event:` is about the event that is waited for.
    pub matching: bool,
    /// There is a run: `since` and `vars.*` mean something.
    pub in_run: bool,
    /// A trait's `where`: about the event that is counted and nothing else, so that what it counted once stays counted.
    pub event_alone: bool,
}

impl Setting {
    /// In a workflow: about the event that started the run.
    pub(super) fn run() -> Setting {
        Setting { scope: EventScope::Run, from_entry: false, matching: false, in_run: true, event_alone: false }
    }

    /// About this one event.
    pub(super) fn event(name: &str) -> Setting {
        Setting {
            scope: EventScope::Named(name.to_owned()),
            from_entry: false,
            matching: false,
            in_run: false,
            event_alone: false,
        }
    }

    /// In a trait: about this one event, and nothing else.
    pub(super) fn event_alone(name: &str) -> Setting {
        Setting { event_alone: true, ..Setting::event(name) }
    }

    /// In a segment or a trait: about a contact at any time.
    pub(super) fn segment() -> Setting {
        Setting { scope: EventScope::Nothing, from_entry: false, matching: false, in_run: false, event_alone: false }
    }
}

/// A condition, and where it and those inside of it stand.
type Placed = (Condition, Places);

/// A condition in which there is no other, at its key.
fn leaf(at: &At<'_>) -> Places {
    Places { at: at.shown_key(), inside: Vec::new() }
}

/// What must hold together; one alone stands for itself.
fn together(mut parts: Vec<Placed>, at: Span) -> Placed {
    if parts.len() == 1 {
        return parts.swap_remove(0);
    }
    let (parts, inside) = parts.into_iter().unzip();
    (Condition::All(parts), Places { at, inside })
}

/// The keys that go with `event:`.
const EVENT_KEYS: [&str; 8] = ["where", "count", "sum", "avg", "min", "max", "within", "since"];

impl Lowerer<'_> {
    /// A condition as a whole.
    pub(super) fn condition(&mut self, map: &Map<String, Value>, at: &At<'_>, setting: &Setting) -> Condition {
        let (condition, places) = self.part(map, at, setting);
        self.notes.conditions.push(ConditionNote { key: at.shown_key(), places });
        condition
    }

    /// A condition inside of another one.
    fn part(&mut self, map: &Map<String, Value>, at: &At<'_>, setting: &Setting) -> Placed {
        let mut parts: Vec<Placed> = Vec::new();
        let mut filters: Vec<Placed> = Vec::new();
        self.subjects(map, at);
        let event_alone = setting.event_alone.then(|| self.event_alone(map, at));
        let map = event_alone.as_ref().unwrap_or(map);
        for key in at.keys(map.keys()) {
            let here = at.key(key);
            let Some(value) = map.get(key) else { continue };
            match key.as_str() {
                "all" => parts.push(self.conditions(Condition::All, value, &here, setting)),
                "any" => parts.push(self.conditions(Condition::Any, value, &here, setting)),
                "none" => parts.push(self.conditions(Condition::None, value, &here, setting)),
                "not" => {
                    let (condition, places) = self.nested(value, &here, setting);
                    parts.push((Condition::Not(Box::new(condition)), Places { at: here.shown_key(), inside: vec![places] }));
                }
                "segment" => parts.push((self.segment_condition(value, &here), leaf(&here))),
                "topic" => parts.push((self.topic_condition(value, &here), leaf(&here))),
                "workflow" => parts.extend(self.workflow_condition(map, value, at).map(|condition| (condition, leaf(&here)))),
                "event" | "message" => {}
                path if path.contains('.') => {
                    let own = setting.matching && map.contains_key("event") && path.starts_with("event.");
                    let condition = self.value_condition(path, value, &here, map, setting, own);
                    let condition = condition.map(|condition| (condition, leaf(&here)));
                    if own { filters.extend(condition) } else { parts.extend(condition) }
                }
                _ => {}
            }
        }
        if let Some(name) = map.get("event").and_then(Value::as_str) {
            parts.push(self.event_condition(name, map, at, setting, filters));
        }
        if let Some(name) = map.get("message").and_then(Value::as_str) {
            let condition = self.message_condition(name, map, at, setting);
            parts.extend(condition.map(|condition| (condition, leaf(&at.key("message")))));
        }
        together(parts, at.shown())
    }

    /// Says which keys have nothing to belong to, or two things.
    fn subjects(&mut self, map: &Map<String, Value>, at: &At<'_>) {
        let present: Vec<&str> = ["event", "message", "workflow"].into_iter().filter(|key| map.contains_key(*key)).collect();
        if let [_, second, ..] = present.as_slice() {
            let message = format!("{} stand in one condition: what goes with them could belong to either", list(&present));
            self.error_help("two-subjects", &at.key(second), message, "write them as two elements of `all:`");
        }
        for key in EVENT_KEYS.iter().chain(&["is"]).filter(|key| map.contains_key(**key)) {
            let owners: &[&str] = match *key {
                "is" => &["message", "workflow"],
                "within" | "since" => &["event", "message"],
                _ => &["event"],
            };
            if !owners.iter().any(|owner| at.key(owner).is_written()) {
                let message = format!("`{key}` stands here without {}", list(owners));
                let diagnostic = crate::diagnostic::Diagnostic::error("misplaced-key", at.key(key).key_location(), message);
                self.diagnostics.push(diagnostic.help(format!("`{key}` belongs beside {}", list(owners))));
            }
        }
    }

    /// What of a trait's `where` is about the event; says which keys are about more.
    fn event_alone(&mut self, map: &Map<String, Value>, at: &At<'_>) -> Map<String, Value> {
        let more = |key: &str| {
            matches!(key, "event" | "message" | "segment" | "topic" | "workflow")
                || key.split_once('.').is_some_and(|(root, _)| matches!(root, "contact" | "vars"))
        };
        for key in at.keys(map.keys().filter(|key| more(key))) {
            let message = format!("`{key}` means nothing here: the `where` of a trait is about `event.*` alone");
            let diagnostic = crate::diagnostic::Diagnostic::error("misplaced-key", at.key(key).key_location(), message);
            self.diagnostics.push(diagnostic.help("ask for it where the trait is used, or in a segment"));
        }
        map.iter().filter(|(key, _)| !more(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// What a trait has counted stays counted: whether an event meets its `where` may not change as time goes by.
    fn moving_times(&mut self, tests: &[(Predicate, TestNote)]) {
        let moves = |when: &When| !matches!(when, When::Date(_));
        for (predicate, note) in tests {
            let moving = match predicate {
                Predicate::Before(when) | Predicate::After(when) => moves(when),
                Predicate::WithinLast(_) | Predicate::WithinNext(_) => true,
                _ => false,
            };
            if moving {
                let message = "the `where` of a trait cannot depend on what time it is: what was counted stays counted";
                let diagnostic = crate::diagnostic::Diagnostic::error("misplaced-key", note.at.clone(), message);
                self.diagnostics.push(diagnostic.help("compare with a fixed date, or use the trait's `within`"));
            }
        }
    }

    fn nested(&mut self, value: &Value, at: &At<'_>, setting: &Setting) -> Placed {
        match value {
            Value::Object(map) => self.part(map, at, setting),
            _ => together(Vec::new(), at.shown()),
        }
    }

    fn conditions(&mut self, kind: fn(Vec<Condition>) -> Condition, value: &Value, at: &At<'_>, setting: &Setting) -> Placed {
        let items = value.as_array().into_iter().flatten().enumerate();
        let (parts, inside) = items.map(|(index, item)| self.nested(item, &at.item(index), setting)).unzip();
        (kind(parts), Places { at: at.shown_key(), inside })
    }

    fn segment_condition(&mut self, value: &Value, at: &At<'_>) -> Condition {
        let name = value.as_str().unwrap_or_default().to_owned();
        self.notes.segments.push(Named { name: name.clone(), at: at.location() });
        Condition::Segment(name)
    }

    fn topic_condition(&mut self, value: &Value, at: &At<'_>) -> Condition {
        let name = value.as_str().unwrap_or_default().to_owned();
        self.notes.topics.push(Named { name: name.clone(), at: at.location() });
        Condition::Topic(name)
    }

    fn workflow_condition(&mut self, map: &Map<String, Value>, value: &Value, at: &At<'_>) -> Option<Condition> {
        let name = value.as_str().unwrap_or_default().to_owned();
        self.notes.workflows.push(Named { name: name.clone(), at: at.key("workflow").location() });
        let is = match self.is(map, at, "workflow", &["active", "completed", "exited", "never"])? {
            "active" => WorkflowState::Active,
            "completed" => WorkflowState::Completed,
            "exited" => WorkflowState::Exited,
            _ => WorkflowState::Never,
        };
        Some(Condition::Workflow { name, is })
    }

    /// The word at `is`, one of these.
    fn is<'m>(&mut self, map: &'m Map<String, Value>, at: &At<'_>, subject: &str, words: &[&str]) -> Option<&'m str> {
        let Some(word) = map.get("is").and_then(Value::as_str) else {
            if at.key("is").is_written() {
                return None;
            }
            let message = format!("`{subject}` needs `is`");
            let diagnostic = crate::diagnostic::Diagnostic::error("missing-key", at.key(subject).key_location(), message);
            self.diagnostics.push(diagnostic.help(format!("`is` is one of {}", list(words))));
            return None;
        };
        if !words.contains(&word) {
            let message = format!("a {subject} is never `{word}`");
            self.error_help("unknown-value", &at.key("is"), message, format!("allowed here: {}", list(words)));
            return None;
        }
        Some(word)
    }

    fn value_condition(
        &mut self,
        path: &str,
        value: &Value,
        at: &At<'_>,
        map: &Map<String, Value>,
        setting: &Setting,
        own: bool,
    ) -> Option<Condition> {
        let path = self.read_path(path, at, setting)?;
        let tests = self.tests(value, at);
        if setting.event_alone {
            self.moving_times(&tests);
        }
        let scope = match (own, map.get("event").and_then(Value::as_str)) {
            (true, Some(name)) => EventScope::Named(name.to_owned()),
            _ => setting.scope.clone(),
        };
        let notes = tests.iter().map(|(_, note)| note.clone()).collect();
        self.notes.values.push(ValueNote { path: path.clone(), at: at.key_location(), scope, tests: notes });
        Some(Condition::Value { path, tests: tests.into_iter().map(|(test, _)| test).collect() })
    }

    /// The path at a condition's key.
    fn read_path(&mut self, text: &str, at: &At<'_>, setting: &Setting) -> Option<Path> {
        let path = self.path(text, &[Root::Contact, Root::Event, Root::Vars], at)?;
        let nowhere = match path.root {
            Root::Contact => false,
            Root::Event => setting.scope == EventScope::Nothing,
            Root::Vars => setting.scope == EventScope::Nothing,
        };
        if nowhere {
            let message = format!("`{path}` means nothing in a segment or a trait: there is no event and no run");
            let diagnostic = crate::diagnostic::Diagnostic::error("misplaced-key", at.key_location(), message);
            self.diagnostics.push(diagnostic.help("ask for events with `event: NAME` and `where:`"));
            return None;
        }
        Some(path)
    }

    fn event_condition(
        &mut self,
        name: &str,
        map: &Map<String, Value>,
        at: &At<'_>,
        setting: &Setting,
        mut filters: Vec<Placed>,
    ) -> Placed {
        self.notes.events.push(Named { name: name.to_owned(), at: at.key("event").location() });
        if let Some(Value::Object(filter)) = map.get("where") {
            let inner = Setting { in_run: setting.in_run, ..Setting::event(name) };
            filters.insert(0, self.part(filter, &at.key("where"), &inner));
        }
        let here = at.key("event").shown_key();
        let filter = (!filters.is_empty()).then(|| together(filters, here));
        let count = map.get("count").map(|count| self.number_tests(count, &at.key("count")));
        let functions = [
            ("sum", AggregateFunction::Sum),
            ("avg", AggregateFunction::Avg),
            ("min", AggregateFunction::Min),
            ("max", AggregateFunction::Max),
        ];
        let aggregates = functions
            .into_iter()
            .filter_map(|(key, function)| self.aggregate(map.get(key)?, function, name, &at.key(key)))
            .collect();
        let (within, since) = self.recency(map, at, setting);
        let (filter, inside) = filter.map_or((None, Vec::new()), |(filter, places)| (Some(Box::new(filter)), vec![places]));
        let event = EventCondition { name: name.to_owned(), filter, count, aggregates, within, since };
        (Condition::Event(event), Places { at: here, inside })
    }

    fn aggregate(&mut self, value: &Value, function: AggregateFunction, event: &str, at: &At<'_>) -> Option<Aggregate> {
        let of = value.get("of").and_then(Value::as_str)?;
        let here = at.key("of");
        let of = self.path(of, &[Root::Event], &here)?;
        let wants = Wants { number: true, ..Wants::default() };
        let word = match function {
            AggregateFunction::Sum => "sum",
            AggregateFunction::Avg => "avg",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
        };
        self.notes.values.push(ValueNote {
            path: of.clone(),
            at: here.location(),
            scope: EventScope::Named(event.to_owned()),
            tests: vec![TestNote::new(word, wants, here.location())],
        });
        let tests = self.number_tests(value, at);
        Some(Aggregate { function, of, tests })
    }

    /// `within` and `since`, for events and messages.
    fn recency(
        &mut self,
        map: &Map<String, Value>,
        at: &At<'_>,
        setting: &Setting,
    ) -> (Option<crate::time::Duration>, Option<Since>) {
        let within = map.get("within").and_then(Value::as_str).map(|text| self.span(text, &at.key("within")));
        let since = map.get("since").and_then(Value::as_str).map(|word| if word == "entry" { Since::Entry } else { Since::Step });
        if since.is_some() && !setting.in_run {
            self.error_help("misplaced-key", &at.key("since"), "`since` means nothing here: there is no run", "use `within`");
        }
        let from_entry = setting.from_entry && within.is_none() && since.is_none();
        (within, if from_entry { Some(Since::Entry) } else { since })
    }

    fn message_condition(&mut self, name: &str, map: &Map<String, Value>, at: &At<'_>, setting: &Setting) -> Option<Condition> {
        let (within, since) = self.recency(map, at, setting);
        let words = Fate::ALL.map(Fate::word);
        let word = self.is(map, at, "message", &words)?;
        let is = Fate::ALL.into_iter().find(|fate| fate.word() == word)?;
        let template = (name != "any").then(|| name.to_owned());
        if let Some(name) = &template {
            let named = Named { name: name.clone(), at: at.key("message").location() };
            if setting.matching {
                self.notes.awaited.push(named.clone());
            }
            self.notes.messages.push(named);
        }
        Some(Condition::Message(MessageCondition { template, is, within, since }))
    }
}
