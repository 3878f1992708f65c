//! Who would enter: those whom an edited segment's `backfill` brings in, and those whom a broadcast goes to.

use std::collections::{BTreeMap, BTreeSet};

use dsl::compare::What;
use dsl::model::{At, Condition, Crossing, Definition, Status, StepKind, Trigger, WhileActive, ZoneChoice};
use dsl::{time, words};

use super::{After, Entering, PerDay, Planner, Runs, Sides, WorkflowPlan};
use crate::audience::{Scope, check};
use crate::instant::{self, project_zone};
use crate::kernel::{may_reenter, trigger_key, zone_test};
use crate::standing::Happened;
use crate::state::{Contact, ContactId, WorkflowId};
use crate::store::{Outdated, Question, Result, StoredFacts, Zones};

/// So many contacts are read at once.
const PAGE: usize = 1000;

/// Somebody comes in by a segment.
struct Door {
    workflow: String,
    segment: String,
    id: Option<WorkflowId>,
    definition: std::sync::Arc<Definition>,
    people: u64,
    subscribed: u64,
}

impl Planner<'_> {
    /// Goes through all contacts where an edited segment says `backfill` and a workflow begins with it, and where edited traits move people in and out
    /// of segments.
    pub(super) fn backfilled(&mut self, workflows: &mut Vec<WorkflowPlan>) -> Result<()> {
        let mut doors = self.doors();
        if !self.changed.traits.is_empty() {
            let there = self.changed.segments.iter().filter(|name| self.tree.segments.contains_key(*name));
            self.members = there.map(|name| (name.clone(), 0)).collect();
        }
        if doors.is_empty() && self.members.is_empty() {
            return Ok(());
        }
        let audience = self.definitions.audience.clone();
        let mut after = ContactId(0);
        loop {
            let page = self.store.contact_page(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for contact in page {
                let worked_out = self.definitions.look(self.store, contact, Happened::Nothing, self.moment)?;
                for (place, segment) in audience.segments() {
                    if let Some(members) = self.members.get_mut(segment) {
                        *members += u64::from(worked_out.standing.since(place).is_some());
                    }
                }
                let entered: BTreeSet<&str> = worked_out
                    .crossings
                    .iter()
                    .filter(|crossing| crossing.entered)
                    .map(|crossing| crossing.segment.as_str())
                    .collect();
                let mut inside: BTreeSet<String> = BTreeSet::new();
                for door in doors.iter_mut().filter(|door| entered.contains(door.segment.as_str())) {
                    // Whoever came in by one trigger is inside when the next one fires.
                    if !inside.contains(&door.workflow) && self.admits(&door.definition, door.id, &worked_out.contact)? {
                        inside.insert(door.workflow.clone());
                        door.people += 1;
                        let topic = topic_of(&door.definition).map(Condition::Topic);
                        let holds = match &topic {
                            Some(topic) => self.holds(topic, &door.definition, &worked_out.contact)?,
                            None => false,
                        };
                        door.subscribed += u64::from(holds);
                    }
                }
            }
        }
        for door in doors {
            let subscribed = topic_of(&door.definition).map(|_| door.subscribed);
            let by = format!("coming into segment {} (backfill)", door.segment);
            let entering = Entering { by, when: None, people: door.people, before: None, subscribed };
            let plan = match workflows.iter().position(|plan| plan.name == door.workflow) {
                Some(index) => &mut workflows[index],
                // The workflow itself stays as it is.
                None => {
                    workflows.push(self.untouched(door.workflow));
                    let last = workflows.len() - 1;
                    &mut workflows[last]
                }
            };
            plan.entering.push(entering);
        }
        Ok(())
    }

    /// A workflow whose definition stays as it is.
    pub(super) fn untouched(&self, name: String) -> WorkflowPlan {
        let live = Some("live".to_owned());
        WorkflowPlan {
            name,
            change: What::Changed,
            status: Sides { before: live.clone(), after: live },
            changes: Vec::new(),
            runs: Runs::default(),
            entering: Vec::new(),
            per_day: PerDay::default(),
            notes: vec!["its definition stays as it is, and so do the runs inside".to_owned()],
        }
    }

    /// Live workflows that begin with a segment that says `backfill` and means something else than what is in force.
    fn doors(&self) -> Vec<Door> {
        let layout = self.definitions.layouts.get(&self.before.audience_version);
        let is_new = |segment: &str| {
            let key = self.definitions.audience.key_of_segment(segment);
            self.tree.backfill.contains(segment) && key.is_some_and(|key| layout.is_none_or(|layout| !layout.contains(&key)))
        };
        let mut doors = Vec::new();
        for (name, entry) in &self.tree.workflows {
            let row = self.before.rows.iter().find(|row| row.name == *name);
            let paused = row.is_some_and(|row| row.paused);
            if entry.definition.workflow.status != Status::Live || paused {
                continue;
            }
            let segments = entry.definition.workflow.triggers.iter().filter_map(|trigger| match trigger {
                Trigger::Segment { segment, change: Crossing::Enter } if is_new(segment) => Some(segment.clone()),
                _ => None,
            });
            let segments: BTreeSet<String> = segments.collect();
            doors.extend(segments.into_iter().map(|segment| Door {
                workflow: name.clone(),
                segment,
                id: row.map(|row| row.id),
                definition: entry.definition.clone(),
                people: 0,
                subscribed: 0,
            }));
        }
        doors
    }

    /// By the rules of entry: audience, open run, re-entry.
    fn admits(&mut self, definition: &Definition, id: Option<WorkflowId>, contact: &Contact) -> Result<bool> {
        if contact.erased {
            return Ok(false);
        }
        if let Some(audience) = &definition.workflow.audience
            && !self.holds(audience, definition, contact)?
        {
            return Ok(false);
        }
        let Some(id) = id else { return Ok(true) };
        let history = self.store.last_entry(contact.id, id, "")?;
        Ok(match history.open {
            Some(_) => definition.workflow.while_active == WhileActive::Restart,
            None => may_reenter(definition.workflow.reentry, history.last_entered, self.moment.now),
        })
    }

    fn holds(&mut self, condition: &Condition, definition: &Definition, contact: &Contact) -> Result<bool> {
        let (tree, zone) = (self.tree.clone(), self.zone_of(contact));
        let scope = Scope::outside(self.moment.now, &zone, &tree.settings, &definition.segments);
        let mut facts = StoredFacts { store: &mut *self.store, contact };
        Ok(check(condition, &scope, &mut facts)?.holds)
    }

    /// What the workflow's schedules and one-off broadcasts come to next.
    pub(super) fn broadcasts(
        &mut self,
        id: Option<WorkflowId>,
        after: &After<'_>,
        old: Option<&Definition>,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Entering>> {
        let definition = after.entry.definition.clone();
        let mut entering = Vec::new();
        for trigger in &definition.workflow.triggers {
            if !matches!(trigger, Trigger::At { .. } | Trigger::Schedule { .. }) {
                continue;
            }
            let firings = self.firings(id, trigger)?;
            let by = words::trigger(trigger);
            let (mut now, mut later) = (Vec::new(), Vec::new());
            for (zones, at) in firings {
                match at {
                    Some(at) if at > self.moment.now => later.push((zones, at)),
                    Some(at) if self.moment.now - at < self.tree.settings.grace.millis() || at == self.moment.now => {
                        now.push(zones)
                    }
                    Some(_) => notes.push(format!("{by} is past, and goes to nobody")),
                    None => {}
                }
            }
            if !now.is_empty() {
                entering.push(self.at_once(&by, id, &definition, &now)?);
            }
            if let Some(first) = later.iter().map(|(_, at)| *at).min() {
                let zones: Vec<Zones> = later.into_iter().map(|(zones, _)| zones).collect();
                let mut next = self.later(&by, first, &definition, &zones)?;
                next.before = match old {
                    Some(old) => Some(self.audience_of(old, &zones, None)?),
                    None => None,
                };
                entering.push(next);
            }
        }
        notes.dedup();
        Ok(entering)
    }

    /// When the trigger fires next, and for whom: once, or by the zones that contacts are in. `None`: never again.
    fn firings(&mut self, id: Option<WorkflowId>, trigger: &Trigger) -> Result<Vec<(Zones, Option<i64>)>> {
        let (Trigger::At { zone, .. } | Trigger::Schedule { zone, .. }) = trigger else { return Ok(Vec::new()) };
        let key = trigger_key(trigger);
        let rows = self.store.schedules()?;
        let zones: BTreeMap<String, Zones> = match zone {
            ZoneChoice::Named(name) => BTreeMap::from([(name.clone(), Zones::All)]),
            ZoneChoice::Contact => {
                let known = self.store.contact_zones()?.into_iter().flatten();
                let known = known.map(|zone| (zone.clone(), Zones::One(zone)));
                known.chain([(String::new(), Zones::None)]).collect()
            }
        };
        let firing = |(name, zones): (String, Zones)| {
            let row = rows.iter().find(|row| Some(row.workflow) == id && row.trigger == key && row.zone == name);
            let next = match row {
                Some(row) => row.next,
                None => {
                    let zone = time::zone(&name).unwrap_or_else(|| project_zone(&self.tree.settings));
                    match trigger {
                        Trigger::Schedule { cron, .. } => cron.next_after(self.moment.now - 1, &zone),
                        Trigger::At { at: At::Civil(civil), .. } => Some(time::resolve(*civil, &zone)),
                        Trigger::At { at: At::Instant(instant), .. } => Some(*instant),
                        _ => None,
                    }
                }
            };
            (zones, next)
        };
        Ok(zones.into_iter().map(firing).collect())
    }

    /// Each of the audience, by all of the rules.
    fn at_once(&mut self, by: &str, id: Option<WorkflowId>, definition: &Definition, zones: &[Zones]) -> Result<Entering> {
        let (mut people, mut subscribed) = (0, 0);
        let topic = topic_of(definition).map(Condition::Topic);
        let tree = self.tree.clone();
        for zones in zones {
            let condition = addressed(definition, zones, None);
            let mut after = ContactId(0);
            loop {
                let question = Question {
                    condition: &condition,
                    segments: &definition.segments,
                    settings: &tree.settings,
                    now: self.moment.now,
                    outdated: Outdated::Include(self.definitions.audience.version),
                };
                let page = self.store.matching(&question, after, PAGE)?;
                let Some(last) = page.last() else { break };
                after = *last;
                for contact in page {
                    let Some(contact) = self.store.contact(contact)? else { continue };
                    let contact = self.worked_out(contact)?;
                    let here = match zone_test(zones) {
                        Some(zone) => self.holds(&zone, definition, &contact)?,
                        None => true,
                    };
                    if here && self.admits(definition, id, &contact)? {
                        people += 1;
                        let holds = match &topic {
                            Some(topic) => self.holds(topic, definition, &contact)?,
                            None => false,
                        };
                        subscribed += u64::from(holds);
                    }
                }
            }
        }
        Ok(Entering { by: by.to_owned(), when: None, people, before: None, subscribed: topic.map(|_| subscribed) })
    }

    fn later(&mut self, by: &str, at: i64, definition: &Definition, zones: &[Zones]) -> Result<Entering> {
        let topic = topic_of(definition);
        let people = self.audience_after(definition, zones, None)?;
        let subscribed = match topic {
            Some(topic) => Some(self.audience_after(definition, zones, Some(topic))?),
            None => None,
        };
        let when = Some(instant::text(at, &project_zone(&self.tree.settings)));
        Ok(Entering { by: by.to_owned(), when, people, before: None, subscribed })
    }

    /// The same with traits as they would be.
    fn audience_after(&mut self, definition: &Definition, zones: &[Zones], topic: Option<String>) -> Result<u64> {
        if self.changed_traits(definition).is_empty() {
            return self.audience_of(definition, zones, topic);
        }
        let (mut people, mut after) = (0, ContactId(0));
        let addressed: Vec<Condition> = zones.iter().map(|zones| addressed(definition, zones, topic.clone())).collect();
        loop {
            let page = self.store.contact_page(after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for contact in page.into_iter().filter(|contact| !contact.erased) {
                let contact = self.worked_out(contact)?;
                for condition in &addressed {
                    people += u64::from(self.holds(condition, definition, &contact)?);
                }
            }
        }
        Ok(people)
    }

    /// How many are in the audience now; with `topic`, of those who are subscribed to it.
    fn audience_of(&mut self, definition: &Definition, zones: &[Zones], topic: Option<String>) -> Result<u64> {
        let mut people = 0;
        let tree = self.tree.clone();
        for zones in zones {
            let question = Question {
                condition: &addressed(definition, zones, topic.clone()),
                segments: &definition.segments,
                settings: &tree.settings,
                now: self.moment.now,
                outdated: Outdated::Ignore,
            };
            people += self.store.count_matching(&question)?;
        }
        Ok(people)
    }
}

fn addressed(definition: &Definition, zones: &Zones, topic: Option<String>) -> Condition {
    let audience = definition.workflow.audience.clone();
    Condition::All(zone_test(zones).into_iter().chain(audience).chain(topic.map(Condition::Topic)).collect())
}

/// The topic that the workflow's first marketing message asks for.
fn topic_of(definition: &Definition) -> Option<String> {
    definition.workflow.steps.iter().find_map(|step| match &step.kind {
        StepKind::Send(send) if !send.transactional => send.topic.clone(),
        _ => None,
    })
}
