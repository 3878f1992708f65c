//! Keeping contacts' traits and segments up to date: when something happens to a contact, and when time alone moves them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{CHUNK, Kernel, Work};
use crate::standing::{self, Cause, Crossing, Definitions, Happened, LAYOUTS, NodeKey, THERE_BEFORE, WorkedOut, contact_row};
use crate::state::*;
use crate::store::{Result, StoreError, Sweep, SweepKind};

/// Under which name the store keeps the version that was put in force last.
pub(crate) const IN_FORCE: &str = "audience_in_force";

impl Kernel {
    /// The contact, or the one it was joined to, with traits as they are now.
    pub(super) fn load_contact(&mut self, id: ContactId) -> Result<Contact> {
        let missing = || StoreError::Damaged { what: "contact", why: format!("row {id} is missing") };
        self.find_contact(id)?.ok_or_else(missing)
    }

    pub(super) fn find_contact(&mut self, id: ContactId) -> Result<Option<Contact>> {
        match contact_row(&mut *self.store, id)? {
            Some(contact) if self.definitions.outdated(&contact, self.now) => self.look(contact, Happened::Nothing).map(Some),
            found => Ok(found),
        }
    }

    /// Before an event is stored: what time or an edit has made of the contact until now does not follow from the event, so it is not to be looked
    /// at together with it. What is due at this very instant is, as it comes after what happens.
    pub(super) fn catch_up(&mut self, contact: ContactId, event: &str) -> Result<()> {
        if !self.definitions.audience.heeds(&Cause::Event(event.to_owned())) {
            return Ok(());
        }
        let behind = |contact: &Contact, kernel: &Kernel| kernel.definitions.outdated(contact, kernel.now - 1);
        match contact_row(&mut *self.store, contact)? {
            Some(contact) if behind(&contact, self) => {
                // Nothing of it is from before, though the event may be.
                let silent = std::mem::take(&mut self.silent);
                let caught_up = self.look(contact, Happened::Nothing);
                self.silent = silent;
                caught_up.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Takes an event into account that was just stored.
    pub(super) fn event_counts(&mut self, contact: ContactId, name: &str, event: &Event) -> Result<()> {
        if !self.definitions.audience.heeds(&Cause::Event(name.to_owned())) {
            return Ok(());
        }
        match contact_row(&mut *self.store, contact)? {
            Some(contact) => self.look(contact, Happened::Event { name, event }).map(drop),
            None => Ok(()),
        }
    }

    /// Notes that what happened may concern traits or segments; they are looked at after what is being done.
    pub(super) fn concerns(&mut self, contact: ContactId, cause: Cause) {
        if self.definitions.audience.heeds(&cause) {
            self.work.push_back(Work::Concerns { contact, cause, depth: self.depth });
        }
    }

    pub(super) fn look_at_concern(&mut self, contact: ContactId, cause: &Cause) -> Result<()> {
        match contact_row(&mut *self.store, contact)? {
            Some(contact) => self.look(contact, Happened::Causes(std::slice::from_ref(cause))).map(drop),
            None => Ok(()),
        }
    }

    /// Works out where the contact stands after what happened; gives the contact with its traits as they are now.
    pub(super) fn look(&mut self, contact: Contact, happened: Happened<'_>) -> Result<Contact> {
        let (old, moment) = (contact.traits.clone(), self.standing_moment());
        let worked_out = self.definitions.look(&mut *self.store, contact, happened, moment)?;
        self.keep(worked_out, &old, matches!(happened, Happened::Event { .. }))
    }

    /// The same for a contact who was just made.
    pub(super) fn first_look(&mut self, contact: Contact) -> Result<Contact> {
        let (old, moment) = (contact.traits.clone(), self.standing_moment());
        let worked_out = self.definitions.first_look(&mut *self.store, contact, moment)?;
        self.keep(worked_out, &old, false)
    }

    fn standing_moment(&self) -> standing::Moment {
        standing::Moment { now: self.now, last_event: self.last_event }
    }

    /// Writes what was worked out, and queues what follows from it. `told`: open runs are told of what happened anyway.
    fn keep(&mut self, worked_out: WorkedOut, old: &Arc<Traits>, told: bool) -> Result<Contact> {
        let WorkedOut { contact, standing, changed, crossings } = worked_out;
        self.disturb_search();
        if changed {
            self.store.set_standing(&contact, &standing)?;
        }
        if contact.traits != *old {
            self.note_ranked(old, &contact.traits);
            let before = Contact { traits: old.clone(), ..contact.clone() };
            self.set_date_timers(&contact, Some(&before), self.now - 1)?;
            if !told {
                self.work.push_back(Work::Changed { contact: contact.id });
            }
        }
        if !self.silent {
            let crossed = |crossing| Work::Crossed { contact: contact.id, crossing, depth: self.depth };
            self.work.extend(crossings.into_iter().map(crossed));
        }
        Ok(contact)
    }

    /// Contacts that time alone may have moved. True when there may be more.
    pub(super) fn recheck_some(&mut self, until: i64) -> Result<bool> {
        let due = self.store.due_rechecks(until, CHUNK)?;
        for id in &due {
            self.find_contact(*id)?;
            self.follow_up()?;
        }
        Ok(due.len() == CHUNK)
    }

    /// Makes the store agree with the traits and segments in force: when they have changed, all contacts are gone through.
    pub(super) fn put_audience_in_force(&mut self) -> Result<()> {
        let plan = self.plan.clone();
        let version = plan.audience.version;
        let mut found = Definitions::of(plan.catalog.clone(), plan.audience.clone(), &mut *self.store)?;
        let before = self.store.property(IN_FORCE)?.and_then(|version| version.parse().ok()).unwrap_or(0);
        if before != version {
            let mut layouts = (*found.layouts).clone();
            layouts.insert(version, plan.audience.layout().into());
            self.write_layouts(&layouts)?;
            self.store.set_property(IN_FORCE, &version.to_string())?;
            for sweep in self.store.sweeps()?.iter().filter(|sweep| sweep.kind == SweepKind::Audience) {
                self.store.drop_sweep(sweep.id)?;
            }
            self.insert_global_sweep(SweepKind::Audience)?;
            // Who came while an earlier edit was gone through is still new; without traits and segments nobody was looked at at all.
            if !found.sweeping || before == 0 {
                found.there_before = self.store.newest_contact()?;
                self.store.set_property(THERE_BEFORE, &found.there_before.to_string())?;
            }
            (found.layouts, found.sweeping) = (Arc::new(layouts), true);
        }
        self.definitions = found;
        self.put_ranks_in_force()
    }

    fn write_layouts(&mut self, layouts: &HashMap<i64, Arc<[NodeKey]>>) -> Result<()> {
        self.store.set_property(LAYOUTS, &serde_json::to_string(layouts).unwrap_or_default())
    }

    /// All contacts have been gone through: nobody stands under an older version any more.
    pub(super) fn audience_swept(&mut self) -> Result<()> {
        self.definitions.sweeping = false;
        let audience = &self.definitions.audience;
        let layouts = HashMap::from([(audience.version, Arc::from(audience.layout()))]);
        self.write_layouts(&layouts)
    }

    pub(super) fn insert_global_sweep(&mut self, kind: SweepKind) -> Result<()> {
        let sweep = Sweep { id: 0, workflow: WorkflowId(0), trigger: String::new(), kind, cursor: ContactId(0) };
        self.store.insert_sweep(&sweep).map(drop)
    }

    /// A contact came into a segment, or left it: workflows may start.
    pub(super) fn crossed(&mut self, id: ContactId, crossing: &Crossing, depth: u32) -> Result<()> {
        if depth >= super::CHAIN {
            tracing::warn!(
                segment = crossing.segment,
                "workflows go on starting each other by this segment: the chain is cut here"
            );
            return Ok(());
        }
        for workflow in self.in_force.crossed(crossing) {
            let Some(current) = self.in_force.get(workflow).cloned() else { continue };
            let Some(contact) = self.find_contact(id)? else { return Ok(()) };
            let entry = super::entries::Entry { key: String::new(), event: None, mark: None, depth };
            self.enter(workflow, &current, contact, entry)?;
        }
        Ok(())
    }
}

/// What of `contact.*` is another now.
pub(super) fn differences(old: &Contact, new: &Contact) -> Vec<Cause> {
    let mut names: HashSet<&str> = HashSet::new();
    let fields = [
        ("email", old.email != new.email),
        ("phone", old.phone != new.phone),
        ("locale", old.locale != new.locale),
        ("time_zone", old.time_zone != new.time_zone),
        ("topics", old.consent != new.consent),
        ("id", old.uid != new.uid),
    ];
    names.extend(fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)));
    for (one, other) in [(old, new), (new, old)] {
        let differs = |(name, value): &(&String, &serde_json::Value)| other.attributes.get(*name) != Some(value);
        names.extend(one.attributes.iter().filter(differs).map(|(name, _)| name.as_str()));
    }
    names.into_iter().map(|name| Cause::Contact(name.to_owned())).collect()
}
