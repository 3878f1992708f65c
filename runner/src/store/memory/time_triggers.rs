//! What time sets off: schedules, sweeps through all contacts, and each contact's date timers.

use super::names::{Names, Sym};
use super::refusal::{Refusal, small};
use super::rows::Rows;
use super::table::Table;
use crate::state::{ContactId, WorkflowId};
use crate::store::{DateTimer, Result, ScheduleRow, Sweep};

#[derive(Default)]
pub(super) struct TimeTriggers {
    schedules: Table<(i64, String, String), Option<i64>>,
    sweeps: Rows<Sweep>,
    open_sweeps: Table<u32, ()>,
    /// When, by contact, workflow and trigger.
    dates: Table<Place, i64>,
    by_date: Table<(i64, Place), ()>,
}

/// Of a date timer: contact, workflow and trigger.
type Place = (u32, i64, Sym);

impl TimeTriggers {
    pub(super) fn schedules(&self) -> Vec<ScheduleRow> {
        let row = |((workflow, trigger, zone), next): (&(i64, String, String), &Option<i64>)| ScheduleRow {
            workflow: WorkflowId(*workflow),
            trigger: trigger.clone(),
            zone: zone.clone(),
            next: *next,
        };
        self.schedules.iter().map(row).collect()
    }

    pub(super) fn set_schedule(&mut self, row: &ScheduleRow) {
        self.schedules.put((row.workflow.0, row.trigger.clone(), row.zone.clone()), row.next);
    }

    pub(super) fn drop_schedule(&mut self, workflow: WorkflowId, trigger: &str, zone: &str) {
        self.schedules.remove(&(workflow.0, trigger.to_owned(), zone.to_owned()));
    }

    pub(super) fn sweeps(&self) -> Vec<Sweep> {
        self.open_sweeps.keys().filter_map(|id| self.sweeps.get(*id).cloned()).collect()
    }

    pub(super) fn insert_sweep(&mut self, sweep: &Sweep) -> i64 {
        let id = self.sweeps.next();
        self.sweeps.add(Sweep { id: id.into(), ..sweep.clone() });
        self.open_sweeps.put(id, ());
        id.into()
    }

    pub(super) fn set_sweep_cursor(&mut self, sweep: i64, cursor: ContactId) -> Result<()> {
        let doing = "write a sweep";
        let id = small(sweep, doing)?;
        if self.sweeps.get(id).is_none() {
            return Err(Refusal::NoRow.when(doing));
        }
        self.sweeps.change(id, |sweep| sweep.cursor = cursor);
        Ok(())
    }

    pub(super) fn drop_sweep(&mut self, sweep: i64) {
        if let Ok(id) = u32::try_from(sweep)
            && self.open_sweeps.remove(&id)
        {
            self.sweeps.put(id, None);
        }
    }

    pub(super) fn set_date_timer(
        &mut self,
        names: &mut Names,
        workflow: WorkflowId,
        trigger: &str,
        contact: ContactId,
        at: Option<i64>,
    ) -> Result<()> {
        let contact = small(contact.0, "write a date timer")?;
        let trigger = match at {
            Some(_) => names.number(trigger),
            None => match names.find(trigger) {
                Some(trigger) => trigger,
                None => return Ok(()),
            },
        };
        self.set((contact, workflow.0, trigger), at);
        Ok(())
    }

    fn set(&mut self, place: Place, at: Option<i64>) {
        let was = self.dates.get(&place).copied();
        if was == at {
            return;
        }
        if let Some(was) = was {
            self.by_date.remove(&(was, place));
        }
        match at {
            Some(at) => {
                self.dates.put(place, at);
                self.by_date.put((at, place), ());
            }
            None => drop(self.dates.remove(&place)),
        }
    }

    pub(super) fn due_date_timers(&self, names: &Names, now: i64, limit: usize) -> Vec<DateTimer> {
        let due = self.by_date.keys().take_while(|(at, _)| *at <= now);
        let timer = |&(at, (contact, workflow, trigger)): &(i64, Place)| DateTimer {
            workflow: WorkflowId(workflow),
            trigger: names.string(trigger),
            contact: ContactId(contact.into()),
            at,
        };
        due.take(limit).map(timer).collect()
    }

    pub(super) fn next_date_timer(&self) -> Option<i64> {
        self.by_date.keys().next().map(|(at, _)| *at)
    }

    pub(super) fn drop_date_timers(&mut self, names: &Names, workflow: WorkflowId, trigger: &str) {
        let Some(trigger) = names.find(trigger) else { return };
        let all = self.dates.keys().filter(|(_, one, other)| (*one, *other) == (workflow.0, trigger));
        for place in all.copied().collect::<Vec<_>>() {
            self.set(place, None);
        }
    }

    pub(super) fn remove_date_timers_of(&mut self, contact: u32) {
        let all = self.dates.range((contact, i64::MIN, Sym::FIRST)..=(contact, i64::MAX, Sym::LAST));
        for place in all.map(|(place, _)| *place).collect::<Vec<_>>() {
            self.set(place, None);
        }
    }

    pub(super) fn commit(&mut self) {
        self.schedules.commit();
        self.sweeps.commit();
        self.open_sweeps.commit();
        self.dates.commit();
        self.by_date.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.schedules.rollback();
        self.sweeps.rollback();
        self.open_sweeps.rollback();
        self.dates.rollback();
        self.by_date.rollback();
    }
}
