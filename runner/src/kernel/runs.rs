//! Runs: taking them as far as they go, and doing what the engine wants done.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::consent::Statement;
use super::in_force::Current;
use super::{CHUNK, Happening, Kernel, Plan, Prepared, Work};
use crate::audience::contact_json;
use crate::engine::{self, Effect, Moment, Progress};
use crate::render::Addressee;
use crate::standing::Cause;
use crate::state::*;
use crate::store::{Result, StoredFacts};

/// How many steps a run takes at most before others have their turn.
const STEPS: usize = 1000;

impl Kernel {
    pub(super) fn moment<'a>(&self, plan: &'a Plan, zone: &'a TimeZone) -> Moment<'a> {
        let timers = if self.at_timers { self.now } else { self.now - 1 };
        Moment { now: self.now, timers, last_event: self.last_event, zone, settings: &plan.catalog.settings }
    }

    /// Runs that are due, oldest first. True when there may be more.
    pub(super) fn run_due(&mut self) -> Result<bool> {
        let due = self.store.due_runs(self.now, CHUNK)?;
        let full = due.len() == CHUNK;
        for id in due {
            let Some(mut run) = self.store.run(id)? else { continue };
            if self.is_frozen(run.workflow) {
                self.store.park_run(id)?;
                continue;
            }
            let mut contact = self.load_contact(run.contact)?;
            self.at_timers = true;
            let done = self.run_on(&mut run, &mut contact, None, 0);
            self.at_timers = false;
            done?;
            self.follow_up()?;
        }
        Ok(full)
    }

    pub(super) fn is_frozen(&self, workflow: WorkflowId) -> bool {
        self.in_force.get(workflow).is_some_and(Current::frozen)
    }

    /// Something happened to the contact: goals, exit_when, wait_for and until may hold now.
    pub(super) fn look_at_open_runs(&mut self, contact: ContactId, cause: Option<&Value>, depth: u32) -> Result<()> {
        for run in self.store.open_runs(contact)? {
            if self.is_frozen(run.workflow) {
                continue;
            }
            let prepared = self.prepared_for(&run)?;
            if !prepared.program.listens_at(&run.step) {
                continue;
            }
            // Another run of the contact may have ended this one meanwhile.
            let Some(mut run) = self.store.run(run.id)?.filter(|run| run.ended.is_none()) else { continue };
            let mut person = self.load_contact(contact)?;
            self.run_on(&mut run, &mut person, cause, depth)?;
        }
        Ok(())
    }

    /// The definition the run is under: its workflow's current one, or the one it began with.
    pub(super) fn prepared_for(&mut self, run: &Run) -> Result<Arc<Prepared>> {
        let current = self.in_force.get(run.workflow).filter(|current| current.definition == run.definition);
        if let Some(current) = current {
            return Ok(current.prepared.clone());
        }
        let missing =
            || crate::store::StoreError::Damaged { what: "definition", why: format!("row {} is missing", run.definition) };
        self.older_definition(run.definition)?.ok_or_else(missing)
    }

    /// Takes the run as far as it goes and writes it.
    pub(super) fn run_on(&mut self, run: &mut Run, contact: &mut Contact, cause: Option<&Value>, depth: u32) -> Result<()> {
        let plan = self.plan.clone();
        let zone = self.zone_of(contact);
        let prepared = self.follow_if_changed(run, contact, &zone)?;
        self.late_since = run.due.filter(|due| *due < self.now);
        let visits = run.state.visit;
        for step in 0.. {
            self.decide_where(run, &prepared)?;
            let moment = self.moment(&plan, &zone);
            let mut facts = StoredFacts { store: &mut *self.store, contact };
            let (effects, progress) = engine::advance(&prepared.program, run, &mut facts, moment, cause)?;
            self.apply(effects, run, contact, &prepared, depth)?;
            if progress == Progress::Moved {
                // What the step just done recorded came before the step that is reached now.
                run.state.began.1 = run.state.began.1.max(self.last_event);
            }
            if progress == Progress::Rests {
                break;
            }
            if step == STEPS {
                run.due = Some(self.now);
                break;
            }
        }
        self.late_since = None;
        self.tally.steps += u64::from(run.state.visit - visits);
        self.store.update_run(run)
    }

    /// Ends a run from outside and writes it.
    pub(super) fn end_run(&mut self, run: &mut Run, contact: &Contact, reason: EndReason, detail: Option<String>) -> Result<()> {
        let mut effects = Vec::new();
        engine::end(run, self.now, reason, detail, &mut effects);
        let prepared = self.prepared_for(run)?;
        self.apply(effects, run, &mut contact.clone(), &prepared, 0)?;
        self.store.update_run(run)
    }

    /// Does what the engine wants done, in its order, within the open transaction.
    pub(super) fn apply(
        &mut self,
        effects: Vec<Effect>,
        run: &mut Run,
        contact: &mut Contact,
        prepared: &Prepared,
        depth: u32,
    ) -> Result<()> {
        let outer = std::mem::replace(&mut self.depth, depth + 1);
        for effect in effects {
            match effect {
                Effect::Log { kind, step, detail } => self.log(run, contact, kind, step, detail, None)?,
                Effect::Queue(queue) => {
                    let id = self.queue_message(queue, run, contact, prepared)?;
                    run.state.stage = Stage::Sending(id);
                }
                Effect::Cancel { message, reason } => self.cancel_message(message, reason)?,
                Effect::SetContact(fields) => {
                    let old = contact.clone();
                    for (path, value) in fields {
                        super::contacts::set_field(contact, &path.keys, value);
                    }
                    self.save_contact(contact, &old)?;
                }
                Effect::Consent { topic, subscribe } => {
                    let said = Statement { topic: &topic, subscribe, at: self.now, source: "step", message: None };
                    self.set_consent(contact.id, &said, depth + 1, true)?;
                    *contact = self.load_contact(contact.id)?;
                }
                Effect::Record { event, with } => {
                    let properties = self.render_data(&with, run, contact, prepared);
                    let event = NewEvent { contact: contact.id, name: event, at: self.now, properties, uid: None, message: None };
                    self.store_event(event, depth + 1, true)?;
                    *contact = self.load_contact(contact.id)?;
                }
                Effect::Start { workflow, with } => {
                    let with = Value::Object(self.render_data(&with, run, contact, prepared));
                    self.work.push_back(Work::Start { workflow, contact: contact.id, with, depth: depth + 1 });
                }
                Effect::Assign { experiment, variant, measured } => self.assigned(run, experiment, variant, measured)?,
                Effect::Goal { value } => self.goal_met(run, value)?,
            }
        }
        self.depth = outer;
        Ok(())
    }

    /// A run of the contact began or ended: others may have waited for that.
    pub(super) fn runs_changed(&mut self, contact: ContactId) {
        if self.in_force.runs_matter {
            self.work.push_back(Work::Changed { contact });
        }
    }

    /// Writes an entry of the run's history and tells whoever watches.
    pub(super) fn log(
        &mut self,
        run: &mut Run,
        contact: &Contact,
        kind: LogKind,
        step: String,
        detail: Map<String, Value>,
        message: Option<&Message>,
    ) -> Result<()> {
        if kind == LogKind::Exit {
            let reason = detail.get("reason").and_then(Value::as_str).unwrap_or_default();
            self.store.count(run.workflow, &format!("exit:{reason}"), 1)?;
            if let Some(current) = self.in_force.get(run.workflow) {
                self.concerns(run.contact, Cause::Workflow(current.name.to_string()));
            }
            self.runs_changed(run.contact);
        }
        let entry = LogEntry { run: run.id, number: run.state.logged, at: self.now, kind, step, detail };
        run.state.logged += 1;
        self.store.log(&entry)?;
        if let Some(observer) = &mut self.observer {
            let workflow = self.in_force.get(run.workflow).map_or("", |current| &current.name);
            observer.happened(&Happening {
                at: self.now,
                contact: &contact.uid,
                workflow,
                run: run.id,
                step: &entry.step,
                kind,
                detail: &entry.detail,
                message,
            });
        }
        Ok(())
    }

    /// `with` data with its templates rendered. A text that cannot be rendered (something it names is missing) becomes empty, and is reported.
    fn render_data(&self, with: &Map<String, Value>, run: &Run, contact: &Contact, prepared: &Prepared) -> Map<String, Value> {
        if !holds_template(with) {
            return with.clone();
        }
        let mut data = Map::new();
        data.insert("contact".to_owned(), contact_json(contact, &self.plan.catalog.settings, self.now));
        data.insert("event".to_owned(), run.state.event.clone().unwrap_or_else(|| Value::Object(Map::new())));
        data.insert("vars".to_owned(), Value::Object(run.state.vars.clone()));
        let to = Addressee {
            locale: contact.locale.as_deref(),
            project_locale: &self.plan.catalog.settings.locale,
            zone: self.zone_of(contact),
            now: self.now,
            ..Addressee::default()
        };
        let (rendered, problems) = prepared.templates.render_with(with, &Value::Object(data), &to);
        for problem in problems {
            tracing::warn!(run = run.id.0, step = run.step, "{problem}");
        }
        rendered
    }
}

/// Whether any text in here is a template.
pub(super) fn holds_template(with: &Map<String, Value>) -> bool {
    fn holds(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains("{{"),
            Value::Array(list) => list.iter().any(holds),
            Value::Object(map) => map.values().any(holds),
            _ => false,
        }
    }
    with.values().any(holds)
}
