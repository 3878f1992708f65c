//! Sweeps: work that goes through all contacts, in chunks, the place reached kept with what was done.

use dsl::model::Trigger;

use super::entries::Entry;
use super::in_force::Current;
use super::{CHUNK, Kernel};
use crate::standing::{Cause, Happened};
use crate::state::*;
use crate::store::{Result, Sweep, SweepKind, ZoneFilter, Zones};

impl Kernel {
    /// Goes on with the sweeps, a chunk each. True when there is more.
    pub(super) fn sweep(&mut self) -> Result<bool> {
        let sweeps = self.store.sweeps()?;
        for sweep in &sweeps {
            let zone = match &sweep.kind {
                SweepKind::Broadcast { zones: Zones::One(zone), .. } => ZoneFilter::In(Some(zone)),
                SweepKind::Broadcast { zones: Zones::None, .. } => ZoneFilter::In(None),
                _ => ZoneFilter::All,
            };
            let contacts = self.store.contacts_after(sweep.cursor, zone, CHUNK)?;
            let Some(last) = contacts.last().copied() else {
                self.store.drop_sweep(sweep.id)?;
                if sweep.kind == SweepKind::Audience {
                    self.audience_swept()?;
                }
                continue;
            };
            for contact in contacts {
                self.sweep_one(sweep, contact)?;
                self.follow_up()?;
            }
            self.store.set_sweep_cursor(sweep.id, last)?;
        }
        Ok(!sweeps.is_empty())
    }

    fn sweep_one(&mut self, sweep: &Sweep, id: ContactId) -> Result<()> {
        // Whoever is joined to another meanwhile is gone through there.
        let Some(contact) = self.find_contact(id)?.filter(|contact| contact.id == id) else { return Ok(()) };
        match &sweep.kind {
            SweepKind::Audience => Ok(()),
            SweepKind::Ranks => self.look(contact, Happened::Causes(&[Cause::Ranks])).map(drop),
            SweepKind::Broadcast { .. } => match self.in_force.get(sweep.workflow).cloned() {
                Some(current) => {
                    let entry = Entry { key: String::new(), event: None, mark: None, depth: 0 };
                    self.enter(sweep.workflow, &current, contact, entry)
                }
                None => Ok(()),
            },
            SweepKind::DateTimers => match self.in_force.get(sweep.workflow).cloned() {
                Some(current) => self.sweep_dates(sweep, &current, &contact),
                None => Ok(()),
            },
        }
    }

    fn sweep_dates(&mut self, sweep: &Sweep, current: &Current, contact: &Contact) -> Result<()> {
        let Some(Trigger::Date(date)) = Self::trigger_of(current, &sweep.trigger) else { return Ok(()) };
        // What fires at this very instant may have fired: never twice.
        let next = self.date_after(&date, contact, self.now);
        self.store.set_date_timer(sweep.workflow, &sweep.trigger, contact.id, next)
    }
}
