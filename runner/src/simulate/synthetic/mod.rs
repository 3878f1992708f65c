//! A synthetic audience at work: people made up from a seed, what they do, and how they take messages. It is made as the time passes, a step
//! ahead of the simulation, so that a large audience needs little memory.
//!
//! Whatever is drawn has a stream of chance of its own, by seed, person and purpose: another event in the file leaves all others as they were.

mod draw;
mod happening;
mod people;
mod processes;
mod reacting;
#[cfg(test)]
mod tests;
mod written;

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use dsl::model::{Cause, Settings, SyntheticAudience};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

pub use written::{Written, contact_row, row};

use super::{Coming, Line, Span};
use crate::chance::Chance;
use crate::ingest::{ContactInput, Occurrence};
use crate::instant::project_zone;
use happening::{Happens, Next, Pending};
use processes::Process;

const DAY: f64 = 86_400_000.0;

/// Everybody, and what they are about to do.
pub struct Synthetic {
    audience: Arc<SyntheticAudience>,
    settings: Arc<Settings>,
    seed: u64,
    until: i64,
    /// The earliest first.
    coming: BinaryHeap<Next>,
    /// When the next person comes.
    arrives: Option<i64>,
    arrivals: Chance,
    /// By person: which of the zones.
    zone_of: Vec<u16>,
    zones: Vec<(String, TimeZone)>,
    processes: Vec<Process>,
    /// Of each source, what its chance is drawn for.
    purposes: Vec<u64>,
    /// The sources that follow an event, by its name.
    following: HashMap<String, Vec<usize>>,
    taken: u64,
}

impl Synthetic {
    /// Nobody is there yet but those at the start, and their time has not begun. `seed` varies everything.
    pub fn new(audience: Arc<SyntheticAudience>, settings: Arc<Settings>, span: &Span) -> Synthetic {
        let mut following: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, source) in audience.sources.iter().enumerate() {
            if let Cause::Event { follows, .. } = &source.cause {
                following.entry(follows.clone()).or_default().push(index);
            }
        }
        let seed = draw::purpose(&["seed", &span.seed]);
        let mut synthetic = Synthetic {
            seed,
            until: span.until,
            coming: BinaryHeap::new(),
            arrives: None,
            arrivals: Chance::of(seed, draw::purpose(&["arrivals"])),
            zone_of: Vec::new(),
            zones: vec![(String::new(), project_zone(&settings))],
            processes: audience.sources.iter().map(|source| Process::of(&source.cause)).collect(),
            purposes: draw::purposes(&audience.sources),
            following,
            taken: 0,
            audience,
            settings,
        };
        synthetic.arrives = synthetic.next_arrival(span.from);
        let begin = span.from.saturating_sub(synthetic.audience.history.millis());
        for number in 0..synthetic.audience.at_start {
            synthetic.settle_in(number, begin);
        }
        synthetic
    }

    /// Those who are there at the start, in order.
    pub fn contacts(&self) -> impl Iterator<Item = ContactInput> + use<> {
        let (audience, settings, seed) = (self.audience.clone(), self.settings.clone(), self.seed);
        (0..audience.at_start).map(move |number| people::person(&audience, &settings, seed, number))
    }

    fn person_seed(&self, number: u32) -> u64 {
        people::seed(self.seed, number)
    }

    /// The person is there from `begin` on: finds their zone, and begins what they do by themselves.
    fn settle_in(&mut self, number: u32, begin: i64) {
        let seed = self.person_seed(number);
        let zone = people::zone(&self.audience, seed).map_or(0, |name| self.zone_index(name));
        self.zone_of.push(zone);
        for index in 0..self.processes.len() {
            let chance = Chance::of(seed, self.purposes[index]);
            if let Some(chance) = self.processes[index].begin(chance) {
                self.go_on(number, index, chance, begin);
            }
        }
    }

    fn zone_index(&mut self, name: String) -> u16 {
        if let Some(known) = self.zones.iter().position(|(zone, _)| *zone == name) {
            return known as u16;
        }
        let zone = dsl::time::zone(&name).unwrap_or_else(|| project_zone(&self.settings));
        self.zones.push((name, zone));
        (self.zones.len() - 1) as u16
    }

    /// The process's next event after `after`, if there is one before the end.
    fn go_on(&mut self, number: u32, index: usize, mut chance: Chance, after: i64) {
        let zone = self.zone_of.get(number as usize).and_then(|zone| self.zones.get(usize::from(*zone)));
        let Some((_, zone)) = zone else { return };
        if let Some(at) = self.processes[index].next(&mut chance, after, self.until, zone) {
            let order = chance.number() | Next::LATE;
            self.coming.push(Next { at, person: number, order, what: Pending::Process { index: index as u32, chance } });
        }
    }

    fn next_arrival(&mut self, after: i64) -> Option<i64> {
        if self.audience.arrive <= 0.0 {
            return None;
        }
        let gap = self.arrivals.exponential() * DAY / self.audience.arrive;
        let at = after.saturating_add(gap.ceil() as i64);
        (at < self.until).then_some(at)
    }

    /// Somebody comes: says who they are and what they want, and does what everybody does who comes.
    fn arrive(&mut self, at: i64) {
        let number = self.zone_of.len() as u32;
        let seed = self.person_seed(number);
        let contact = people::person(&self.audience, &self.settings, self.seed, number);
        for (order, (delay, what)) in people::introduces(&contact, &self.settings).into_iter().enumerate() {
            let what = Pending::Said(Box::new(what));
            self.coming.push(Next { at: at + delay, person: number, order: order as u64, what });
        }
        self.settle_in(number, at);
        for (index, source) in self.audience.clone().sources.iter().enumerate() {
            let Cause::Arrival { chance, delay } = &source.cause else { continue };
            let mut drawing = Chance::of(seed, self.purposes[index]);
            if drawing.happens(*chance) {
                let identity = drawing.number();
                let at = at + draw::delay(delay, &mut drawing);
                self.expect(number, at, index, identity, &Map::new());
            }
        }
        self.arrives = self.next_arrival(at);
    }

    /// A source's event will happen, with properties drawn for it.
    fn expect(&mut self, number: u32, at: i64, source: usize, identity: u64, before: &Map<String, Value>) {
        if at >= self.until {
            return;
        }
        let Some(found) = self.audience.sources.get(source) else { return };
        let properties = draw::properties(&found.properties, identity, before);
        let happens = Happens { event: found.event.clone(), properties, identity };
        self.coming.push(Next { at, person: number, order: identity | Next::LATE, what: Pending::Event(Box::new(happens)) });
    }

    /// What follows an event that happens now.
    fn follow(&mut self, number: u32, at: i64, happens: &Happens) {
        let Some(sources) = self.following.get(&happens.event).cloned() else { return };
        let audience = self.audience.clone();
        for index in sources {
            let Some(Cause::Event { template, chance, delay, .. }) = audience.sources.get(index).map(|source| &source.cause)
            else {
                continue;
            };
            let about = happens.properties.get("template").and_then(Value::as_str);
            if template.as_deref().is_some_and(|template| about != Some(template)) {
                continue;
            }
            let mut drawing = Chance::of(happens.identity, self.purposes[index]);
            if drawing.happens(*chance) {
                let identity = drawing.number();
                // What follows comes after: an instant later at least.
                let at = at + draw::delay(delay, &mut drawing).max(1);
                self.expect(number, at, index, identity, &happens.properties);
            }
        }
    }

    fn name(&self, number: u32) -> String {
        people::name(&self.audience.name, number)
    }

    /// Gets ready whoever comes before what is next.
    fn prepare(&mut self) {
        while let Some(at) = self.arrives.filter(|at| self.coming.peek().is_none_or(|next| *at <= next.at)) {
            self.arrive(at);
        }
    }
}

impl Coming for Synthetic {
    fn next_at(&mut self) -> Option<i64> {
        self.prepare();
        self.coming.peek().map(|next| next.at)
    }

    fn take(&mut self) -> std::io::Result<Option<Occurrence>> {
        self.prepare();
        let Some(Next { at, person, what, .. }) = self.coming.pop() else { return Ok(None) };
        self.taken += 1;
        let contact = self.name(person);
        let what = match what {
            Pending::Said(what) => *what,
            Pending::Process { index, mut chance } => {
                let identity = chance.number();
                self.go_on(person, index as usize, chance, at);
                let index = index as usize;
                let Some(source) = self.audience.sources.get(index) else { return Ok(None) };
                let properties = draw::properties(&source.properties, identity, &Map::new());
                let happens = Happens { event: source.event.clone(), properties, identity };
                self.follow(person, at, &happens);
                happens.what(&contact)
            }
            Pending::Event(happens) => {
                self.follow(person, at, &happens);
                happens.what(&contact)
            }
        };
        Ok(Some(Occurrence { at, contact, anonymous: false, what }))
    }

    fn saw(&mut self, line: &Line) {
        self.react(line);
    }

    fn taken(&self) -> u64 {
        self.taken
    }
}
