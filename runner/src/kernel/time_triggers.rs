//! Triggers that time pulls: schedules, one-off broadcasts, dates of contacts.

use std::collections::BTreeSet;

use dsl::model::{At, DateTrigger, Status, Trigger, ZoneChoice};
use dsl::time;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::entries::Entry;
use super::in_force::Current;
use super::{CHUNK, Kernel};
use crate::audience::contact_value;
use crate::state::*;
use crate::store::{DateTimer, Result, ScheduleRow, Sweep, SweepKind, Zones};

/// Names a trigger by its content, so that an edit elsewhere in the file does not disturb it.
pub(crate) fn trigger_key(trigger: &Trigger) -> String {
    let text = serde_json::to_string(trigger).unwrap_or_default();
    Sha256::digest(text.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a schedule row names the contacts without a zone.
const NO_ZONE: &str = "";

impl Kernel {
    /// Makes schedules and date timers agree with what is in force.
    pub(super) fn plan_time_triggers(&mut self) -> Result<()> {
        self.zones = self.store.contact_zones()?;
        let stored = self.store.schedules()?;
        let sweeps = self.store.sweeps()?;
        let mut wanted = BTreeSet::new();
        let mut dates = BTreeSet::new();
        for (id, current) in self.in_force.all() {
            if matches!(current.status, Status::Draft | Status::Closed) {
                continue;
            }
            for trigger in &current.prepared.program.definition.workflow.triggers {
                let key = trigger_key(trigger);
                match trigger {
                    Trigger::Schedule { zone, .. } | Trigger::At { zone, .. } => {
                        for zone in self.zones_of(zone) {
                            wanted.insert((id, key.clone(), zone));
                        }
                    }
                    Trigger::Date(_) => {
                        dates.insert((id, key));
                    }
                    Trigger::Event { .. } | Trigger::Segment { .. } | Trigger::Manual => {}
                }
            }
        }
        for row in &stored {
            if !wanted.contains(&(row.workflow, row.trigger.clone(), row.zone.clone())) {
                self.store.drop_schedule(row.workflow, &row.trigger, &row.zone)?;
            }
        }
        for (workflow, trigger, zone) in wanted {
            if !stored.iter().any(|row| row.workflow == workflow && row.trigger == trigger && row.zone == zone) {
                self.begin_schedule(workflow, &trigger, zone)?;
            }
        }
        self.schedules = self.store.schedules()?;
        self.plan_dates(&dates, &sweeps)
    }

    /// New date triggers get their timers by a sweep; those that are gone lose theirs.
    fn plan_dates(&mut self, wanted: &BTreeSet<(WorkflowId, String)>, sweeps: &[Sweep]) -> Result<()> {
        let known = self.store.property("date_triggers")?.unwrap_or_default();
        let known: BTreeSet<(WorkflowId, String)> = serde_json::from_str(&known).unwrap_or_default();
        for (workflow, trigger) in known.difference(wanted) {
            self.store.drop_date_timers(*workflow, trigger)?;
            for sweep in sweeps.iter().filter(|sweep| sweep.kind == SweepKind::DateTimers && sweep.trigger == *trigger) {
                self.store.drop_sweep(sweep.id)?;
            }
        }
        for (workflow, trigger) in wanted.difference(&known) {
            let sweep =
                Sweep { id: 0, workflow: *workflow, trigger: trigger.clone(), kind: SweepKind::DateTimers, cursor: ContactId(0) };
            self.store.insert_sweep(&sweep)?;
        }
        if known != *wanted {
            let text = serde_json::to_string(wanted).unwrap_or_default();
            self.store.set_property("date_triggers", &text)?;
        }
        Ok(())
    }

    /// The rows a trigger has: one, or one for each zone among the contacts.
    fn zones_of(&self, choice: &ZoneChoice) -> Vec<String> {
        match choice {
            ZoneChoice::Named(name) => vec![name.clone()],
            ZoneChoice::Contact => {
                let zones: BTreeSet<String> = self.zones.iter().map(|zone| zone.clone().unwrap_or_default()).collect();
                zones.into_iter().chain([NO_ZONE.to_owned()]).collect::<BTreeSet<_>>().into_iter().collect()
            }
        }
    }

    /// A contact came with a zone that no schedule knew of.
    pub(super) fn know_zone(&mut self, zone: Option<&str>) -> Result<()> {
        if self.zones.iter().any(|known| known.as_deref() == zone) {
            return Ok(());
        }
        self.zones.push(zone.map(str::to_owned));
        for (id, current) in self.in_force.all() {
            for trigger in &current.prepared.program.definition.workflow.triggers {
                let by_contact = matches!(
                    trigger,
                    Trigger::Schedule { zone: ZoneChoice::Contact, .. } | Trigger::At { zone: ZoneChoice::Contact, .. }
                );
                let key = trigger_key(trigger);
                let row = zone.unwrap_or(NO_ZONE);
                let known = self.schedules.iter().any(|known| known.workflow == id && known.trigger == key && known.zone == row);
                if by_contact && !known && !matches!(current.status, Status::Draft | Status::Closed) {
                    self.begin_schedule(id, &key, row.to_owned())?;
                }
            }
        }
        self.schedules = self.store.schedules()?;
        Ok(())
    }

    pub(super) fn trigger_of(current: &Current, key: &str) -> Option<Trigger> {
        current.prepared.program.definition.workflow.triggers.iter().find(|trigger| trigger_key(trigger) == key).cloned()
    }

    /// A schedule begins now: what it would have fired before is none of its business, but for a one-off that is not past its grace.
    fn begin_schedule(&mut self, workflow: WorkflowId, trigger: &str, zone: String) -> Result<()> {
        let found = self.in_force.get(workflow).and_then(|current| Self::trigger_of(current, trigger));
        let tz = self.zone_or_projects(Some(&zone));
        let next = match found {
            Some(Trigger::Schedule { cron, .. }) => cron.next_after(self.now - 1, &tz),
            Some(Trigger::At { at, .. }) => Some(match at {
                At::Civil(civil) => time::resolve(civil, &tz),
                At::Instant(instant) => instant,
            }),
            _ => None,
        };
        self.store.set_schedule(&ScheduleRow { workflow, trigger: trigger.to_owned(), zone, next })
    }

    /// Fires what is due by `until`: schedules and dates.
    pub(super) fn fire_time_triggers(&mut self, until: i64) -> Result<()> {
        let due: Vec<ScheduleRow> =
            self.schedules.iter().filter(|row| row.next.is_some_and(|next| next <= until)).cloned().collect();
        for row in &due {
            self.fire_schedule(row, until)?;
        }
        if !due.is_empty() {
            self.schedules = self.store.schedules()?;
        }
        for timer in self.store.due_date_timers(until, CHUNK)? {
            self.fire_date(&timer)?;
            self.follow_up()?;
        }
        Ok(())
    }

    /// Of several firings missed while the runner was down only the latest runs, and only if it is late by less than `grace`.
    fn fire_schedule(&mut self, row: &ScheduleRow, until: i64) -> Result<()> {
        let Some(current) = self.in_force.get(row.workflow).cloned() else { return Ok(()) };
        let trigger = Self::trigger_of(&current, &row.trigger);
        let tz = self.zone_or_projects(Some(&row.zone));
        let mut latest = row.next.unwrap_or(until);
        let mut missed = 0;
        let next = match &trigger {
            Some(Trigger::Schedule { cron, .. }) => {
                let mut next = cron.next_after(latest, &tz);
                while let Some(at) = next.filter(|at| *at <= until) {
                    missed += 1;
                    latest = at;
                    next = cron.next_after(at, &tz);
                }
                next
            }
            _ => None,
        };
        self.store.set_schedule(&ScheduleRow { next, ..row.clone() })?;
        let in_time = self.now - latest < self.plan.catalog.settings.grace.millis() || self.now == latest;
        if current.status == Status::Live && in_time {
            let by_contact = matches!(
                trigger,
                Some(Trigger::Schedule { zone: ZoneChoice::Contact, .. } | Trigger::At { zone: ZoneChoice::Contact, .. })
            );
            let zones = match (by_contact, row.zone.as_str()) {
                (false, _) => Zones::All,
                (true, NO_ZONE) => Zones::None,
                (true, zone) => Zones::One(zone.to_owned()),
            };
            let kind = SweepKind::Broadcast { at: latest, zones };
            let sweep = Sweep { id: 0, workflow: row.workflow, trigger: row.trigger.clone(), kind, cursor: ContactId(0) };
            self.store.insert_sweep(&sweep)?;
        } else {
            missed += 1;
        }
        if missed > 0 {
            tracing::warn!(workflow = &*current.name, missed, "scheduled firings were missed");
            self.store.count(row.workflow, "missed", missed)?;
        }
        Ok(())
    }

    fn fire_date(&mut self, timer: &DateTimer) -> Result<()> {
        let current = self.in_force.get(timer.workflow).cloned();
        let trigger = current.as_ref().and_then(|current| Self::trigger_of(current, &timer.trigger));
        let (Some(current), Some(Trigger::Date(date))) = (current, trigger) else {
            return self.store.set_date_timer(timer.workflow, &timer.trigger, timer.contact, None);
        };
        let contact = self.load_contact(timer.contact)?;
        let next = self.date_after(&date, &contact, timer.at);
        self.store.set_date_timer(timer.workflow, &timer.trigger, timer.contact, next)?;
        let late = self.now - timer.at;
        if current.status != Status::Live || (late > 0 && late >= self.plan.catalog.settings.grace.millis()) {
            return self.store.count(timer.workflow, "missed", 1);
        }
        self.enter(timer.workflow, &current, contact, Entry { key: String::new(), event: None, mark: None, depth: 0 })
    }

    /// When the date trigger fires next for the contact, strictly after `after`.
    pub(super) fn date_after(&self, trigger: &DateTrigger, contact: &Contact, after: i64) -> Option<i64> {
        let value = contact_value(contact, &self.plan.catalog.settings, &trigger.date.keys, self.now)?;
        time::fires_after(trigger, value.as_str()?, after, &self.zone_of(contact)).ok().flatten()
    }

    /// Sets the timers of the contact's dates, where they may have moved, to what comes strictly after `after`.
    pub(super) fn set_date_timers(&mut self, contact: &Contact, old: Option<&Contact>, after: i64) -> Result<()> {
        for (id, current) in self.in_force.all() {
            if matches!(current.status, Status::Draft | Status::Closed) {
                continue;
            }
            for trigger in &current.prepared.program.definition.workflow.triggers {
                let Trigger::Date(date) = trigger else { continue };
                let settings = self.plan.catalog.settings.clone();
                let value = |contact: &Contact| -> Option<Value> {
                    contact_value(contact, &settings, &date.date.keys, after).map(std::borrow::Cow::into_owned)
                };
                let moved = old.is_none_or(|old| old.time_zone != contact.time_zone || value(old) != value(contact));
                if moved {
                    let next = self.date_after(date, contact, after);
                    self.store.set_date_timer(id, &trigger_key(trigger), contact.id, next)?;
                }
            }
        }
        Ok(())
    }
}
