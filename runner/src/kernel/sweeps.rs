//! Sweeps: work that goes through all contacts, in chunks, the place reached kept with what was done.

use dsl::model::{Condition, Path, Predicate, Root, Trigger};
use serde_json::Value;

use super::entries::Entry;
use super::in_force::Current;
use super::{CHUNK, Kernel};
use crate::standing::{Cause, Happened};
use crate::state::*;
use crate::store::{Outdated, Question, Result, Sweep, SweepKind, ZoneFilter, Zones};

impl Kernel {
    /// Goes on with the sweeps, a chunk each. True when there is more.
    pub(super) fn sweep(&mut self) -> Result<bool> {
        let sweeps = self.store.sweeps()?;
        for sweep in &sweeps {
            let (contacts, last) = self.next_of(sweep)?;
            let Some(last) = last else {
                self.store.drop_sweep(sweep.id)?;
                match sweep.kind {
                    SweepKind::Audience => self.audience_swept()?,
                    SweepKind::Ranks => self.ranks_taken(),
                    SweepKind::Broadcast { .. } | SweepKind::DateTimers => {}
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

    /// The contacts whose turn it is, and the last contact that was looked at, if there is any.
    fn next_of(&mut self, sweep: &Sweep) -> Result<(Vec<ContactId>, Option<ContactId>)> {
        let contacts = match &sweep.kind {
            SweepKind::Ranks => return self.moved_ranks(sweep.cursor),
            SweepKind::Broadcast { zones, .. } => self.let_in(sweep, zones)?,
            SweepKind::Audience | SweepKind::DateTimers => self.store.contacts_after(sweep.cursor, ZoneFilter::All, CHUNK)?,
        };
        let last = contacts.last().copied();
        Ok((contacts, last))
    }

    /// Of a broadcast only those whom its audience lets in; each is looked at again when they enter.
    fn let_in(&mut self, sweep: &Sweep, zones: &Zones) -> Result<Vec<ContactId>> {
        let current = self.in_force.get(sweep.workflow).map(|current| current.prepared.program.definition.clone());
        let Some((definition, audience)) =
            current.and_then(|definition| Some((definition.clone(), definition.workflow.audience.clone()?)))
        else {
            let zone = match zones {
                Zones::One(zone) => ZoneFilter::In(Some(zone)),
                Zones::None => ZoneFilter::In(None),
                Zones::All => ZoneFilter::All,
            };
            return self.store.contacts_after(sweep.cursor, zone, CHUNK);
        };
        let settings = self.plan.catalog.settings.clone();
        let question = Question {
            condition: &Condition::All(zone_test(zones).into_iter().chain([audience]).collect()),
            segments: &definition.segments,
            settings: &settings,
            now: self.now,
            outdated: Outdated::Include(self.definitions.audience.version),
        };
        self.store.matching(&question, sweep.cursor, CHUNK)
    }

    fn sweep_one(&mut self, sweep: &Sweep, id: ContactId) -> Result<()> {
        // Whoever is joined to another meanwhile is gone through there.
        let Some(contact) = self.find_contact(id)?.filter(|contact| contact.id == id) else { return Ok(()) };
        match &sweep.kind {
            SweepKind::Audience => Ok(()),
            SweepKind::Ranks => self.look(contact, Happened::Causes(&[Cause::Ranks])).map(drop),
            SweepKind::Broadcast { zones, .. } => match self.in_force.get(sweep.workflow).cloned() {
                // Whose traits are out of date was let through unasked; their turn comes with their own zone.
                Some(_) if !zones.holds(contact.time_zone.as_deref()) => Ok(()),
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

/// Whose zone it must be.
pub(crate) fn zone_test(zones: &Zones) -> Option<Condition> {
    let test = match zones {
        Zones::All => return None,
        Zones::None => Predicate::Exists(false),
        Zones::One(zone) => Predicate::Is(Value::String(zone.clone())),
    };
    let path = Path { root: Root::Contact, keys: vec!["time_zone".to_owned()] };
    Some(Condition::Value { path, tests: vec![test] })
}
