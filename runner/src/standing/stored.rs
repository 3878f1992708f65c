//! Standings out of a store and into it: what is known of a contact, and what has become of that by now.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use dsl::model::{Catalog, Fate};

use super::update::{Crossing, FactsMut, Happened, Known, Terms, update};
use super::{Audience, NodeKey, Ranks, Standing};
use crate::audience::Facts;
use crate::instant::project_zone;
use crate::state::{Contact, ContactId, Event, EventId, Upkeep};
use crate::store::{FateRow, Result, RunHistory, Store, StoreError, StoredFacts, SweepKind};

/// Under which name the store keeps what the places of standings stand for, by version.
pub const LAYOUTS: &str = "audience";
/// Under which name the store keeps the cut points of ranks.
pub const RANKS: &str = "ranks";

/// Under which name the store keeps [`Definitions::there_before`].
pub const THERE_BEFORE: &str = "audience_there_before";

/// What the places of standings stand for, by the version of the traits and segments.
pub type Layouts = Arc<HashMap<i64, Arc<[NodeKey]>>>;

/// By what contacts are worked out.
#[derive(Clone)]
pub struct Definitions {
    pub catalog: Arc<Catalog>,
    pub audience: Arc<Audience>,
    pub layouts: Layouts,
    pub ranks: Ranks,
    /// All contacts are being gone through because traits or segments have changed.
    pub sweeping: bool,
    /// The newest contact when that began: nobody knows better of those who were never worked out than that they were there before. Who came later is
    /// new.
    pub there_before: ContactId,
}

/// What became of a contact.
pub struct WorkedOut {
    /// With its traits and its upkeep as they are now.
    pub contact: Contact,
    pub standing: Standing,
    /// The standing, or a trait, is another than the store has.
    pub changed: bool,
    pub crossings: Vec<Crossing>,
}

/// When a contact is worked out, and after which event.
#[derive(Clone, Copy)]
pub struct Moment {
    /// ms since 1970 UTC.
    pub now: i64,
    /// The highest event id there is.
    pub last_event: EventId,
}

impl Definitions {
    /// Those of a catalog beside a runner, with what the store knows of the runner's.
    ///
    /// # Errors
    /// Those of the store.
    pub fn beside(catalog: Arc<Catalog>, store: &mut dyn Store) -> Result<Definitions> {
        let audience = Arc::new(Audience::new(&catalog));
        Definitions::of(catalog, audience, store)
    }

    /// The same where the catalog's traits and segments have been made ready before.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(catalog: Arc<Catalog>, audience: Arc<Audience>, store: &mut dyn Store) -> Result<Definitions> {
        let sweeping = store.sweeps()?.iter().any(|sweep| sweep.kind == SweepKind::Audience);
        let there_before = store.property(THERE_BEFORE)?.and_then(|id| id.parse().ok()).map_or(ContactId(i64::MAX), ContactId);
        let (layouts, ranks) = (read_layouts(store)?, read_ranks(store)?);
        Ok(Definitions { catalog, audience, layouts, ranks, sweeping, there_before })
    }

    /// Whether what the store has of the contact does not say how things are now.
    pub fn outdated(&self, contact: &Contact, now: i64) -> bool {
        let due = contact.upkeep.recheck.is_some_and(|recheck| recheck <= now);
        !contact.erased && (due || contact.upkeep.version != self.audience.version)
    }

    /// Works the contact out after what happened.
    ///
    /// # Errors
    /// Those of the store.
    pub fn look(&self, store: &mut dyn Store, contact: Contact, happened: Happened<'_>, moment: Moment) -> Result<WorkedOut> {
        match self.known(store, &contact)? {
            Known::New => self.look_at_new(store, contact, happened, moment),
            known => self.work_out(store, contact, (known, EVERYTHING), happened, moment),
        }
    }

    /// Another process brought the contact, and maybe a history with it. Who it is brings into segments; what is older than the grace of the settings
    /// counts, and brings into none.
    fn look_at_new(&self, store: &mut dyn Store, contact: Contact, happened: Happened<'_>, moment: Moment) -> Result<WorkedOut> {
        let mut all = self.work_out(store, contact.clone(), (Known::New, EVERYTHING), happened, moment)?;
        if !all.crossings.is_empty() {
            let fresh = moment.now.saturating_sub(self.catalog.settings.grace.millis());
            let without = self.work_out(store, contact, (Known::New, fresh), Happened::Nothing, moment)?;
            all.crossings.retain(|crossing| without.crossings.contains(crossing));
        }
        Ok(all)
    }

    /// The same for a contact that was just made: there is nothing in the store about it but the profile.
    ///
    /// # Errors
    /// Those of the store.
    pub fn first_look(&self, store: &mut dyn Store, contact: Contact, moment: Moment) -> Result<WorkedOut> {
        self.work_out(store, contact, (Known::New, NOTHING), Happened::Nothing, moment)
    }

    /// The segments the contact is in and since when, in order of name; where that is not known (they came later than the runner's definitions), since
    /// now.
    ///
    /// # Errors
    /// Those of the store.
    pub fn segments_of(&self, store: &mut dyn Store, worked_out: &WorkedOut) -> Result<Vec<(String, i64)>> {
        let listed = store.lists_of(worked_out.contact.id)?;
        let inside = |(place, name): (usize, &str)| {
            let since = worked_out.standing.since(place)?;
            // The list knows it to the instant.
            let since = listed.iter().find(|(list, _)| list == name).map_or(since, |(_, since)| *since);
            Some((name.to_owned(), since))
        };
        Ok(self.audience.segments().filter_map(inside).collect())
    }

    fn known(&self, store: &mut dyn Store, contact: &Contact) -> Result<Known> {
        let version = contact.upkeep.version;
        if version == 0 {
            let was_there = self.sweeping && contact.id <= self.there_before;
            return Ok(if was_there { Known::Never } else { Known::New });
        }
        let standing = store.standing(contact.id)?.unwrap_or_default();
        if version == self.audience.version {
            return Ok(Known::Kept(standing));
        }
        Ok(match self.layouts.get(&version) {
            Some(layout) => Known::Older(standing, layout.clone()),
            None => Known::Never,
        })
    }

    /// `since`: what happened before this time is not asked for.
    fn work_out(
        &self,
        store: &mut dyn Store,
        contact: Contact,
        (known, since): (Known, i64),
        happened: Happened<'_>,
        moment: Moment,
    ) -> Result<WorkedOut> {
        let version = self.audience.version;
        let mut crossings = Vec::new();
        if contact.erased || (version == 0 && contact.upkeep.version == 0) {
            return Ok(WorkedOut { contact, standing: Standing::default(), changed: false, crossings });
        }
        let settings = &self.catalog.settings;
        let project_zone = project_zone(settings);
        let zone = contact.time_zone.as_deref().and_then(dsl::time::zone).unwrap_or_else(|| project_zone.clone());
        let terms = Terms {
            audience: &self.audience,
            settings,
            segments: &self.catalog.segments,
            ranks: &self.ranks,
            zone: &zone,
            project_zone: &project_zone,
            now: moment.now,
            last_event: moment.last_event,
        };
        let mut held = Held {
            store,
            contact,
            audience: &self.audience,
            now: moment.now,
            since,
            read: HashMap::new(),
            latest: HashMap::new(),
        };
        let (standing, changed) = update(&terms, &mut held, known, happened, &mut crossings)?;
        let mut contact = held.contact;
        let changed = changed || contact.upkeep.version != version;
        contact.upkeep = Upkeep { version, recheck: standing.recheck() };
        Ok(WorkedOut { contact, standing, changed, crossings })
    }
}

/// # Errors
/// Those of the store.
pub fn read_layouts(store: &mut dyn Store) -> Result<Layouts> {
    let kept = store.property(LAYOUTS)?.unwrap_or_default();
    Ok(Arc::new(serde_json::from_str(&kept).unwrap_or_default()))
}

/// # Errors
/// Those of the store.
pub fn read_ranks(store: &mut dyn Store) -> Result<Ranks> {
    let kept = store.property(RANKS)?.unwrap_or_default();
    Ok(Arc::new(serde_json::from_str(&kept).unwrap_or_default()))
}

/// All that ever happened is asked for.
const EVERYTHING: i64 = i64::MIN;
/// There are no events to ask for.
const NOTHING: i64 = i64::MAX;

/// The facts of one contact while it is worked out: many segments ask for the same events.
struct Held<'a> {
    store: &'a mut dyn Store,
    contact: Contact,
    audience: &'a Audience,
    now: i64,
    /// What happened before this time is not known.
    since: i64,
    /// By name: from when, whether without properties, and what there is.
    read: HashMap<String, (i64, bool, Rc<Vec<Event>>)>,
    /// By name: the latest events, oldest first, without properties, and whether there are no others.
    latest: HashMap<String, (bool, Rc<Vec<Event>>)>,
}

/// How many of the latest events of one name are read to begin with: nearly always all there are, and enough for nearly every question about their number.
const LATEST: usize = 64;

impl Held<'_> {
    fn stored(&mut self) -> StoredFacts<'_> {
        StoredFacts { store: &mut *self.store, contact: &self.contact }
    }
}

impl Facts for Held<'_> {
    type Error = StoreError;

    fn contact(&self) -> &Contact {
        &self.contact
    }

    fn events(&mut self, name: &str, from: i64, bare: bool) -> Result<Rc<Vec<Event>>> {
        if self.since == NOTHING {
            return Ok(Rc::default());
        }
        if let Some((since, without, events)) = self.read.get(name)
            && *since <= from
            && (bare || !without)
        {
            return Ok(events.clone());
        }
        if bare && let Some((true, events)) = self.latest.get(name) {
            return Ok(events.clone());
        }
        let reach = self.audience.reach(name);
        let widest = reach.map_or(from, |reach| reach.widest.map_or(i64::MIN, |span| self.now.saturating_sub(span)));
        // Whoever asks with properties wants those that others will ask for as well.
        let from = if bare { from } else { from.min(widest) };
        let since = self.since;
        let events = self.stored().events(name, from.max(since), bare)?;
        self.read.insert(name.to_owned(), (from, bare, events.clone()));
        Ok(events)
    }

    fn latest_events(&mut self, name: &str, now: i64, least: usize) -> Result<Rc<Vec<Event>>> {
        // What was sent is read from the messages.
        if self.since != EVERYTHING || name == Fate::Sent.event() {
            return self.events(name, i64::MIN, true);
        }
        if !self.latest.contains_key(name) {
            let mut events = self.store.newest_events(self.contact.id, name, LATEST)?;
            events.reverse();
            self.latest.insert(name.to_owned(), (events.len() < LATEST, Rc::new(events)));
        }
        match self.latest.get(name) {
            Some((all, events)) if *all || events.iter().filter(|event| event.at <= now).count() >= least.max(1) => {
                Ok(events.clone())
            }
            _ => self.events(name, i64::MIN, true),
        }
    }

    fn fates(&mut self, fate: Fate, from: i64) -> Result<Vec<FateRow>> {
        let since = self.since;
        if since == NOTHING { Ok(Vec::new()) } else { self.stored().fates(fate, from.max(since)) }
    }

    fn listed(&mut self, segment: &str) -> Result<bool> {
        self.stored().listed(segment)
    }

    fn workflow(&mut self, name: &str) -> Result<RunHistory> {
        self.stored().workflow(name)
    }
}

impl FactsMut for Held<'_> {
    fn contact_mut(&mut self) -> &mut Contact {
        &mut self.contact
    }
}

impl Moment {
    /// The present of a store, beside a runner.
    ///
    /// # Errors
    /// Those of the store.
    pub fn of(store: &mut dyn Store, now: i64) -> Result<Moment> {
        Ok(Moment { now, last_event: store.last_event()? })
    }
}

/// The contact's row, or that of the one it was joined to.
///
/// # Errors
/// Those of the store.
pub fn contact_row(store: &mut dyn Store, id: ContactId) -> Result<Option<Contact>> {
    match store.contact(id)? {
        Some(contact) => Ok(Some(contact)),
        None => match store.joined_to(id)? {
            Some(into) => store.contact(into),
            None => Ok(None),
        },
    }
}
