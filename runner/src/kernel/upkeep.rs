//! Keeping contacts' traits and segments up to date: when something happens to a contact, and when time alone moves them.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use dsl::model::Fate;

use super::facts::StoreFacts;
use super::{CHUNK, Kernel, Work};
use crate::audience::Facts;
use crate::instant::project_zone;
use crate::standing::{self, Audience, Cause, Crossing, FactsMut, Happened, Known, NodeKey, Terms};
use crate::state::*;
use crate::store::{FateRow, Result, RunHistory, Store, StoreError, Sweep, SweepKind};

/// Under which name the store keeps what the places of standings stand for, by version.
const LAYOUTS: &str = "audience";

/// The facts of one contact while their standing is worked out: many segments ask for the same events.
struct Held<'a> {
    store: &'a mut dyn Store,
    contact: Contact,
    audience: &'a Audience,
    now: i64,
    /// The contact was just made: there are no events to ask for.
    blank: bool,
    /// By name: from when, without properties, and what there is.
    read: HashMap<String, (i64, bool, Rc<Vec<Event>>)>,
}

impl Facts for Held<'_> {
    type Error = StoreError;

    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>> {
        if self.blank {
            return Ok(Rc::default());
        }
        if let Some((since, without, events)) = self.read.get(name)
            && *since <= from
            && (bare || !without)
        {
            return Ok(events.clone());
        }
        let reach = self.audience.reach(name);
        let widest = reach.map_or(from, |reach| reach.widest.map_or(i64::MIN, |span| self.now.saturating_sub(span)));
        let (from, bare) = (from.min(widest), bare && reach.is_none_or(|reach| reach.bare));
        let events = Rc::new(self.store.events(self.contact.id, name, from, bare)?);
        self.read.insert(name.to_owned(), (from, bare, events.clone()));
        Ok(events)
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
        if self.blank { Ok(Vec::new()) } else { self.store.fates(self.contact.id, fate, from) }
    }

    fn listed(&mut self, segment: &str) -> Result<bool> {
        self.store.listed(self.contact.id, segment)
    }

    fn workflow(&mut self, name: &str) -> Result<RunHistory> {
        StoreFacts { store: &mut *self.store, contact: &self.contact, workflow: WorkflowId(0) }.workflow(name)
    }
}

impl FactsMut for Held<'_> {
    fn contact_mut(&mut self) -> &mut Contact {
        &mut self.contact
    }
}

impl Kernel {
    /// The contact, or the one it was joined to, with traits as they are now.
    pub(super) fn load_contact(&mut self, id: ContactId) -> Result<Contact> {
        let missing = || StoreError::Damaged { what: "contact", why: format!("row {id} is missing") };
        self.find_contact(id)?.ok_or_else(missing)
    }

    pub(super) fn find_contact(&mut self, id: ContactId) -> Result<Option<Contact>> {
        let Some(contact) = self.contact_row(id)? else { return Ok(None) };
        let due = contact.upkeep.recheck.is_some_and(|recheck| recheck <= self.now);
        if (due || contact.upkeep.version != self.plan.audience.version) && !contact.erased {
            return self.look(contact, Happened::Nothing).map(Some);
        }
        Ok(Some(contact))
    }

    /// The contact as it was last written.
    fn contact_row(&mut self, id: ContactId) -> Result<Option<Contact>> {
        match self.store.contact(id)? {
            Some(contact) => Ok(Some(contact)),
            None => match self.store.joined_to(id)? {
                Some(into) => self.store.contact(into),
                None => Ok(None),
            },
        }
    }

    /// Takes an event into account that was just stored.
    pub(super) fn event_counts(&mut self, contact: ContactId, name: &str, event: &Event) -> Result<()> {
        if !self.plan.audience.heeds(&Cause::Event(name.to_owned())) {
            return Ok(());
        }
        match self.contact_row(contact)? {
            Some(contact) => self.look(contact, Happened::Event { name, event }).map(drop),
            None => Ok(()),
        }
    }

    /// Notes that what happened may concern traits or segments; they are looked at after what is being done.
    pub(super) fn concerns(&mut self, contact: ContactId, cause: Cause) {
        if self.plan.audience.heeds(&cause) {
            self.work.push_back(Work::Concerns { contact, cause, depth: self.depth });
        }
    }

    pub(super) fn look_at_concern(&mut self, contact: ContactId, cause: &Cause) -> Result<()> {
        match self.contact_row(contact)? {
            Some(contact) => self.look(contact, Happened::Causes(std::slice::from_ref(cause))).map(drop),
            None => Ok(()),
        }
    }

    /// Works out where the contact stands after what happened; gives the contact with its traits as they are now.
    pub(super) fn look(&mut self, contact: Contact, happened: Happened<'_>) -> Result<Contact> {
        let known = self.known(&contact)?;
        self.work_out(contact, known, false, happened)
    }

    /// The same for a contact who was just made.
    pub(super) fn first_look(&mut self, contact: Contact) -> Result<Contact> {
        self.work_out(contact, Known::New, true, Happened::Nothing)
    }

    fn known(&mut self, contact: &Contact) -> Result<Known> {
        let Upkeep { version, .. } = contact.upkeep;
        if version == 0 {
            // While all contacts are gone through nobody knows better than that this one was there before.
            return Ok(if self.sweeping_audience { Known::Never } else { Known::New });
        }
        let standing = self.store.standing(contact.id)?.unwrap_or_default();
        if version == self.plan.audience.version {
            return Ok(Known::Kept(standing));
        }
        Ok(match self.layouts.get(&version) {
            Some(layout) => Known::Older(standing, layout.clone()),
            None => Known::Never,
        })
    }

    /// `blank`: there is nothing in the store about the contact but the contact.
    fn work_out(&mut self, contact: Contact, known: Known, blank: bool, happened: Happened<'_>) -> Result<Contact> {
        let plan = self.plan.clone();
        let version = plan.audience.version;
        if contact.erased || (version == 0 && contact.upkeep.version == 0) {
            return Ok(contact);
        }
        let (zone, project_zone) = (self.zone_of(&contact), project_zone(&plan.catalog.settings));
        let ranks = self.ranks.clone();
        let terms = Terms {
            audience: &plan.audience,
            settings: &plan.catalog.settings,
            segments: &plan.catalog.segments,
            ranks: &ranks,
            zone: &zone,
            project_zone: &project_zone,
            now: self.now,
            last_event: self.last_event,
        };
        let old = contact.clone();
        let mut held =
            Held { store: &mut *self.store, contact, audience: &plan.audience, now: self.now, blank, read: HashMap::new() };
        let mut crossings = Vec::new();
        let (standing, changed) = standing::update(&terms, &mut held, known, happened, &mut crossings)?;
        let mut contact = held.contact;
        if changed || contact.upkeep.version != version {
            contact.upkeep = Upkeep { version, recheck: standing.recheck() };
            self.store.set_standing(&contact, &standing)?;
        }
        if contact.traits != old.traits {
            self.set_date_timers(&contact, Some(&old), self.now - 1)?;
            if !matches!(happened, Happened::Event { .. }) {
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
        let audience = self.plan.audience.clone();
        let kept = self.store.property(LAYOUTS)?.unwrap_or_default();
        let mut layouts: HashMap<i64, Vec<NodeKey>> = serde_json::from_str(&kept).unwrap_or_default();
        let known = layouts.contains_key(&audience.version);
        let sweeps = self.store.sweeps()?;
        let swept = !sweeps.iter().any(|sweep| sweep.kind == SweepKind::Audience);
        let before = self.audience_before()?;
        if !known || before != audience.version {
            layouts.insert(audience.version, audience.layout());
            self.store.set_property(LAYOUTS, &serde_json::to_string(&layouts).unwrap_or_default())?;
            self.store.set_property(IN_FORCE, &audience.version.to_string())?;
            for sweep in sweeps.iter().filter(|sweep| sweep.kind == SweepKind::Audience) {
                self.store.drop_sweep(sweep.id)?;
            }
            if before != 0 || audience.version != 0 {
                self.insert_global_sweep(SweepKind::Audience)?;
            }
            self.sweeping_audience = before != 0 || audience.version != 0;
        } else {
            self.sweeping_audience = !swept;
        }
        self.layouts = std::sync::Arc::new(layouts.into_iter().map(|(version, layout)| (version, layout.into())).collect());
        self.put_ranks_in_force()
    }

    fn audience_before(&mut self) -> Result<i64> {
        Ok(self.store.property(IN_FORCE)?.and_then(|version| version.parse().ok()).unwrap_or(0))
    }

    /// All contacts have been gone through: nobody stands under an older version any more.
    pub(super) fn audience_swept(&mut self) -> Result<()> {
        self.sweeping_audience = false;
        let version = self.plan.audience.version;
        let layouts = HashMap::from([(version, self.plan.audience.layout())]);
        self.store.set_property(LAYOUTS, &serde_json::to_string(&layouts).unwrap_or_default())
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

/// Under which name the store keeps the version that was put in force last.
const IN_FORCE: &str = "audience_in_force";

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
