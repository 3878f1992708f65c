//! Bringing a standing up to date: what depends on what happened, and what time has changed, is looked at anew, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dsl::model::{Condition, Path, Settings, Trait};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::audience::{Audience, Node, NodeKey, What};
use super::kept::{Context, Figure};
use super::needs::Cause;
use super::rank::{Cuts, rank_value};
use super::record::{Kept, Place, Standing};
use crate::audience::{Facts, Scope, check, contact_value, crosses, earliest};
use crate::state::{Contact, Event, EventId, TraitValue};

/// Facts about a contact whose traits can be changed in the course of it.
pub trait FactsMut: Facts {
    fn contact_mut(&mut self) -> &mut Contact;
}

/// By what a standing is worked out.
pub struct Terms<'a> {
    pub audience: &'a Audience,
    pub settings: &'a Settings,
    pub segments: &'a BTreeMap<String, Condition>,
    pub ranks: &'a HashMap<NodeKey, Cuts>,
    /// The contact's zone.
    pub zone: &'a TimeZone,
    pub project_zone: &'a TimeZone,
    /// ms since 1970 UTC.
    pub now: i64,
    /// The highest event id there is.
    pub last_event: EventId,
}

/// What is known of the contact so far.
pub enum Known {
    /// The contact is new: whatever segment fits is entered.
    New,
    /// The contact was there before, and nothing was worked out: who fits was so already.
    Never,
    /// Worked out under this audience.
    Kept(Standing),
    /// Worked out under another audience, of this layout.
    Older(Standing, Arc<[NodeKey]>),
}

/// What happened since.
#[derive(Clone, Copy)]
pub enum Happened<'a> {
    /// Time has passed.
    Nothing,
    Event {
        name: &'a str,
        event: &'a Event,
    },
    Causes(&'a [Cause]),
    /// The contact may have changed in any way; their events have not.
    Anything,
    /// The events are others: those of another contact have come along.
    OtherEvents,
}

/// A contact came into a segment, or left it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Crossing {
    pub segment: String,
    pub entered: bool,
}

/// Works out the contact's traits and segments; the traits' values are put into the contact. Gives the standing, and whether it or a
/// trait has changed.
///
/// # Errors
/// Only those of `facts`.
pub fn update<F: FactsMut>(
    terms: &Terms<'_>,
    facts: &mut F,
    known: Known,
    happened: Happened<'_>,
    crossings: &mut Vec<Crossing>,
) -> Result<(Standing, bool), F::Error> {
    let mut work = Work::new(terms, facts, known);
    work.mark(happened);
    for number in 0..terms.audience.nodes.len() {
        if work.todo[number] != Todo::Nothing {
            work.node(number, happened, crossings)?;
        }
    }
    Ok((work.standing, work.changed))
}

/// What is to be done about a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Todo {
    Nothing,
    /// What it depends on has changed.
    Look,
    /// Nothing is kept that one could go on from.
    Anew,
}

struct Work<'a, F> {
    terms: &'a Terms<'a>,
    facts: &'a mut F,
    scope: Scope<'a>,
    standing: Standing,
    todo: Vec<Todo>,
    /// Whether a crossing counts as one; otherwise the contact was there already, as far as anybody knows.
    told: Vec<bool>,
    changed: bool,
}

impl<'a, F: FactsMut> Work<'a, F> {
    fn new(terms: &'a Terms<'a>, facts: &'a mut F, known: Known) -> Work<'a, F> {
        let nodes = &terms.audience.nodes;
        let scope = Scope::outside(terms.now, terms.zone, terms.settings, terms.segments);
        let (todo, told) = (vec![Todo::Anew; nodes.len()], vec![true; nodes.len()]);
        let mut work = Work { terms, facts, scope, standing: Standing::default(), todo, told, changed: true };
        work.standing.places.resize(nodes.len(), Place::default());
        match known {
            Known::Kept(standing) if standing.places.len() == nodes.len() => {
                work.todo.fill(Todo::Nothing);
                work.standing = standing;
                work.changed = false;
                return work;
            }
            // A standing that does not fit its version is as good as none.
            Known::Never | Known::Kept(_) => work.told = nodes.iter().map(Node::backfills).collect(),
            Known::New => {}
            Known::Older(standing, layout) => work.take_over(standing, &layout),
        }
        let defined = |name: &str| nodes.iter().any(|node| node.name == name && matches!(node.what, What::Trait(_)));
        let traits = &mut work.facts.contact_mut().traits;
        if !traits.keys().all(|name| defined(name)) {
            Arc::make_mut(traits).retain(|name, _| defined(name));
        }
        work
    }

    /// What means the same as before goes on from where it was.
    fn take_over(&mut self, mut old: Standing, layout: &[NodeKey]) {
        for (number, node) in self.terms.audience.nodes.iter().enumerate() {
            let place = layout.iter().position(|key| *key == node.key).and_then(|place| old.places.get_mut(place));
            match place {
                Some(place) => {
                    self.standing.places[number] = std::mem::take(place);
                    self.todo[number] = Todo::Look;
                }
                None => self.told[number] = node.backfills(),
            }
        }
    }

    fn mark(&mut self, happened: Happened<'_>) {
        for (number, place) in self.standing.places.iter().enumerate() {
            if place.recheck.is_some_and(|recheck| recheck <= self.terms.now) {
                self.todo[number] = self.todo[number].max(Todo::Look);
            }
        }
        match happened {
            Happened::Nothing => {}
            Happened::Event { name, .. } => self.touch(&Cause::Event(name.to_owned())),
            Happened::Causes(causes) => causes.iter().for_each(|cause| self.touch(cause)),
            Happened::Anything => self.todo.iter_mut().for_each(|todo| *todo = (*todo).max(Todo::Look)),
            Happened::OtherEvents => self.todo.fill(Todo::Anew),
        }
    }

    fn touch(&mut self, cause: &Cause) {
        for number in self.terms.audience.touched_by(cause) {
            self.todo[*number] = self.todo[*number].max(Todo::Look);
        }
    }

    fn node(&mut self, number: usize, happened: Happened<'_>, crossings: &mut Vec<Crossing>) -> Result<(), F::Error> {
        let node = &self.terms.audience.nodes[number];
        match &node.what {
            What::Trait(definition) => {
                let figure = self.figure(number, definition, happened)?;
                self.set_trait(number, figure);
            }
            What::Segment { condition, .. } => {
                let truth = check(condition, &self.scope, self.facts)?;
                let old = &self.standing.places[number];
                let since = match old.kept {
                    Kept::Since(since) => Some(since),
                    _ => None,
                };
                if truth.holds != since.is_some() && self.told[number] {
                    crossings.push(Crossing { segment: node.name.clone(), entered: truth.holds });
                }
                let kept = if truth.holds { Kept::Since(since.unwrap_or(self.terms.now)) } else { Kept::Nothing };
                self.set_place(number, Place { kept, recheck: truth.recheck, upto: 0 });
            }
        }
        Ok(())
    }

    fn set_place(&mut self, number: usize, place: Place) {
        self.changed |= self.standing.places[number] != place;
        self.standing.places[number] = place;
    }

    fn set_trait(&mut self, number: usize, figure: Figure) {
        self.set_place(number, figure.place);
        let name = &self.terms.audience.nodes[number].name;
        let traits = &mut self.facts.contact_mut().traits;
        if traits.get(name) == figure.value.as_ref() {
            return;
        }
        match figure.value {
            Some(value) => Arc::make_mut(traits).insert(name.clone(), value),
            None => Arc::make_mut(traits).remove(name),
        };
        self.changed = true;
        self.touch(&Cause::Contact(name.clone()));
    }

    fn figure(&mut self, number: usize, definition: &Trait, happened: Happened<'_>) -> Result<Figure, F::Error> {
        let context = Context { scope: &self.scope, project_zone: self.terms.project_zone, last_event: self.terms.last_event };
        let due = self.standing.places[number].recheck.is_some_and(|recheck| recheck <= self.terms.now);
        let anew = due || self.todo[number] == Todo::Anew;
        match definition {
            Trait::Events(definition) if anew => context.anew(definition, self.facts),
            Trait::Score { points, halves_every } if anew => context.score_anew(points, *halves_every, self.facts),
            Trait::Events(definition) => {
                let mut figure = self.known(number);
                if let Happened::Event { name, event } = happened
                    && *name == *definition.event
                    && event.id.0 > figure.place.upto
                {
                    context.add(definition, &mut figure, event);
                }
                Ok(figure)
            }
            Trait::Score { points, halves_every } => {
                let mut figure = self.known(number);
                if let Happened::Event { name, event } = happened
                    && event.id.0 > figure.place.upto
                {
                    context.score(points, *halves_every, name, &mut figure, event);
                }
                Ok(figure)
            }
            Trait::Tier { by, tiers } => Ok(self.tier(by, tiers)),
            Trait::Rank { by, .. } => Ok(self.rank(self.terms.audience.nodes[number].key, by)),
            Trait::FirstMatch { cases, otherwise } => self.first_match(cases, otherwise.as_deref()),
        }
    }

    fn known(&self, number: usize) -> Figure {
        let value = self.facts.contact().traits.get(&self.terms.audience.nodes[number].name).cloned();
        Figure { value, place: self.standing.places[number].clone() }
    }

    /// A value that fades falls from tier to tier by itself.
    fn tier(&self, by: &Path, tiers: &[(String, f64)]) -> Figure {
        let contact = self.facts.contact();
        let value = contact_value(contact, self.terms.settings, &by.keys, self.terms.now).and_then(|value| value.as_f64());
        let tier = value.and_then(|value| tiers.iter().find(|(_, least)| value >= *least));
        let recheck = match by.keys.first().and_then(|name| contact.traits.get(name)) {
            Some(TraitValue::Fading(fading)) => tiers
                .iter()
                .fold(None, |next, (_, least)| earliest(next, crosses(fading, *least, self.terms.now, |it| it >= *least))),
            _ => None,
        };
        let value = tier.map(|(name, _)| TraitValue::Plain(Value::String(name.clone())));
        Figure { value, place: Place { recheck, ..Place::default() } }
    }

    fn rank(&self, key: NodeKey, by: &Path) -> Figure {
        let rank = self.terms.ranks.get(&key).and_then(|cuts| {
            let value = contact_value(self.facts.contact(), self.terms.settings, &by.keys, cuts.at)?;
            Some(cuts.rank(rank_value(&value, || self.terms.zone.clone())?))
        });
        Figure { value: rank.map(|rank| TraitValue::Plain(Value::from(rank))), place: Place::default() }
    }

    fn first_match(&mut self, cases: &[(String, Condition)], otherwise: Option<&str>) -> Result<Figure, F::Error> {
        let mut recheck = None;
        let mut found = otherwise;
        for (name, case) in cases {
            let truth = check(case, &self.scope, self.facts)?;
            recheck = earliest(recheck, truth.recheck);
            if truth.holds {
                found = Some(name);
                break;
            }
        }
        let value = found.map(|name| TraitValue::Plain(Value::String(name.to_owned())));
        Ok(Figure { value, place: Place { recheck, ..Place::default() } })
    }
}

impl Node {
    fn backfills(&self) -> bool {
        matches!(self.what, What::Segment { backfill: true, .. })
    }
}
