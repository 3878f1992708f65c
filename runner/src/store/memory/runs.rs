//! Runs, and the history of a contact in a workflow.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::names::{Names, Sym};
use super::refusal::{Refusal, known, place, small};
use super::rows::{Lists, Rows};
use crate::state::{ContactId, DefinitionId, EndReason, Ended, EventId, Mark, Run, RunId, RunState, Stage, WorkflowId};
use crate::store::timers::{Line, Timers};
use crate::store::{LastEntry, Result, RunHistory};

const DOING: &str = "write a run";

#[derive(Default)]
pub(super) struct Runs {
    rows: Rows<Row>,
    /// Those of a contact in a workflow, by the hash of their key: the latest of a key is found at once, however many there were.
    history: Lists<(u64, u32)>,
    /// The open ones of a contact.
    open: Lists<u32>,
}

/// A run as it is kept.
#[derive(Clone)]
pub(super) struct Row {
    contact: u32,
    workflow: u32,
    definition: u32,
    step: Sym,
    entered_at: i64,
    /// `None`: empty.
    key: Option<Arc<str>>,
    rest: Rest,
}

#[derive(Clone)]
enum Rest {
    Open(Box<Open>),
    Over { visit: u32, logged: u32, at: i64, reason: EndReason, detail: Option<Box<str>> },
}

#[derive(Clone)]
struct Open {
    due: Option<i64>,
    state: RunState,
}

impl Row {
    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// When an open one is due.
    fn due(&self) -> Option<i64> {
        match &self.rest {
            Rest::Open(open) => open.due,
            Rest::Over { .. } => None,
        }
    }

    fn is(&self, workflow: u32, key: &str) -> bool {
        self.workflow == workflow && self.key() == key
    }
}

impl Rest {
    fn of(run: &Run) -> Rest {
        let state = &run.state;
        match &run.ended {
            None => Rest::Open(Box::new(Open { due: run.due, state: state.clone() })),
            Some(Ended { at, reason, detail }) => Rest::Over {
                visit: state.visit,
                logged: state.logged,
                at: *at,
                reason: *reason,
                detail: detail.as_deref().map(Box::from),
            },
        }
    }
}

/// What is known of the state of a run that is over.
fn ended_state(visit: u32, logged: u32, ended_at: i64, entered_at: i64) -> RunState {
    RunState {
        visit,
        logged,
        stage: Stage::Ready,
        began: Mark(ended_at, EventId(0)),
        since: Mark(entered_at, EventId(0)),
        event: None,
        vars: Default::default(),
        passes: Default::default(),
        depth: 0,
        goal_met: false,
    }
}

/// The same for the same key at any time.
fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

impl Runs {
    pub(super) fn insert(&mut self, names: &mut Names, timers: &mut Timers, run: &Run) -> Result<Option<RunId>> {
        let step = names.number(&run.step);
        let (contact, workflow) = (small(run.contact.0, DOING)?, small(run.workflow.0, DOING)?);
        let definition = small(run.definition.0, DOING)?;
        if self.find_open(contact, workflow, &run.key).is_some() {
            return Ok(None);
        }
        let key = (!run.key.is_empty()).then(|| Arc::from(run.key.as_str()));
        let row = Row { contact, workflow, definition, step, entered_at: run.entered_at, key, rest: Rest::of(run) };
        let due = row.due();
        let id = self.rows.add(row);
        self.history.insert(contact, workflow, (hash(&run.key), id));
        if run.ended.is_none() {
            self.open.insert(contact, 0, id);
        }
        if let Some(due) = due {
            timers.add(Line::Runs, due, id.into());
        }
        Ok(Some(RunId(id.into())))
    }

    pub(super) fn find(&self, names: &Names, id: RunId) -> Option<Run> {
        self.full(names, known(id.0)?)
    }

    fn full(&self, names: &Names, id: u32) -> Option<Run> {
        let row = self.rows.get(id)?;
        let (state, ended) = match &row.rest {
            Rest::Open(open) => (open.state.clone(), None),
            Rest::Over { visit, logged, at, reason, detail } => {
                let ended = Ended { at: *at, reason: *reason, detail: detail.as_deref().map(str::to_owned) };
                (ended_state(*visit, *logged, *at, row.entered_at), Some(ended))
            }
        };
        Some(Run {
            id: RunId(id.into()),
            contact: ContactId(row.contact.into()),
            workflow: WorkflowId(row.workflow.into()),
            definition: DefinitionId(row.definition.into()),
            key: row.key().to_owned(),
            entered_at: row.entered_at,
            step: names.string(row.step),
            state,
            due: row.due(),
            ended,
        })
    }

    pub(super) fn update(&mut self, names: &mut Names, timers: &mut Timers, run: &Run) -> Result<()> {
        let no_row = || Refusal::NoRow.when(DOING);
        let step = names.number(&run.step);
        let id = small(run.id.0, DOING)?;
        let definition = small(run.definition.0, DOING)?;
        let row = self.rows.get(id).ok_or_else(no_row)?;
        if run.ended.is_none() && matches!(row.rest, Rest::Over { .. }) {
            return Err(no_row());
        }
        let (before, contact) = (row.due(), row.contact);
        let row = Row { definition, step, key: row.key.clone(), rest: Rest::of(run), ..*row };
        timers.change(Line::Runs, id.into(), before, row.due());
        self.rows.put(id, Some(row));
        if run.ended.is_some() {
            self.open.remove(contact, 0, &id);
        }
        Ok(())
    }

    fn find_open(&self, contact: u32, workflow: u32, key: &str) -> Option<u32> {
        let is = |id: &&u32| self.rows.get(**id).is_some_and(|row| row.is(workflow, key));
        self.open.of(contact, 0).iter().find(is).copied()
    }

    /// Whether both have an open run of the same workflow and key.
    pub(super) fn have_the_same_open(&self, one: u32, other: u32) -> bool {
        let rows = self.open.of(one, 0).iter().filter_map(|id| self.rows.get(*id));
        rows.into_iter().any(|row| self.find_open(other, row.workflow, row.key()).is_some())
    }

    pub(super) fn open_of_contact(&self, names: &Names, contact: ContactId) -> Vec<Run> {
        let Some(contact) = known(contact.0) else { return Vec::new() };
        self.open.of(contact, 0).iter().filter_map(|id| self.full(names, *id)).collect()
    }

    pub(super) fn of_contact(&self, names: &Names, contact: ContactId) -> Vec<Run> {
        let Some(contact) = known(contact.0) else { return Vec::new() };
        self.ids_of(contact).into_iter().filter_map(|id| self.full(names, id)).collect()
    }

    /// All of a contact, in order.
    pub(super) fn ids_of(&self, contact: u32) -> Vec<u32> {
        let mut ids: Vec<u32> = self.history.lanes(contact).flat_map(|(_, list)| list.iter().map(|(_, id)| *id)).collect();
        ids.sort_unstable();
        ids
    }

    pub(super) fn page(&self, names: &Names, after: RunId, limit: usize) -> Vec<Run> {
        self.rows.after(place(after.0)).take(limit).filter_map(|(id, _)| self.full(names, id)).collect()
    }

    pub(super) fn open_of_workflow(
        &self,
        names: &Names,
        workflow: WorkflowId,
        after: Option<(ContactId, RunId)>,
        limit: usize,
    ) -> Vec<Run> {
        let after = after.map_or((0, 0), |(contact, run)| (place(contact.0), place(run.0)));
        let coming = self.all_open(after.0).filter(|(contact, id, _)| (*contact, *id) > after);
        let wanted = coming.filter(|(_, _, row)| i64::from(row.workflow) == workflow.0);
        wanted.take(limit).filter_map(|(_, id, _)| self.full(names, id)).collect()
    }

    /// Open runs with their contacts, in order of contact and id, from this contact on.
    fn all_open(&self, contact: u32) -> impl Iterator<Item = (u32, u32, &Row)> {
        let ids = self.open.from(contact).flat_map(|(contact, ids)| ids.iter().map(move |id| (contact, *id)));
        ids.filter_map(|(contact, id)| Some((contact, id, self.rows.get(id)?)))
    }

    pub(super) fn last_entry(&self, contact: ContactId, workflow: WorkflowId, key: &str) -> LastEntry {
        let Some((contact, workflow)) = known(contact.0).zip(known(workflow.0)) else { return LastEntry::default() };
        if let Some(open) = self.find_open(contact, workflow, key) {
            let entered = self.rows.get(open).map(|row| row.entered_at);
            return LastEntry { open: Some(RunId(open.into())), last_entered: entered };
        }
        let latest = self.of_key(contact, workflow, key).next_back();
        LastEntry { open: None, last_entered: latest.map(|(_, row)| row.entered_at) }
    }

    /// In order of id.
    fn of_key(&self, contact: u32, workflow: u32, key: &str) -> impl DoubleEndedIterator<Item = (u32, &Row)> {
        let (all, hash) = (self.history.of(contact, workflow), hash(key));
        let first = all.partition_point(|(one, _)| *one < hash);
        let end = all.partition_point(|(one, _)| *one <= hash);
        let rows = all[first..end].iter().filter_map(|(_, id)| Some((*id, self.rows.get(*id)?)));
        rows.filter(move |(_, row)| row.key() == key)
    }

    pub(super) fn history(&self, contact: ContactId, workflow: WorkflowId, key: Option<&str>) -> RunHistory {
        let mut history = RunHistory::default();
        let Some((contact, workflow)) = known(contact.0).zip(known(workflow.0)) else { return history };
        let mut add = |id: u32, row: &Row| {
            history.last_entered = history.last_entered.max(Some(row.entered_at));
            match row.rest {
                Rest::Open(_) => history.open = history.open.max(Some(RunId(id.into()))),
                Rest::Over { reason: EndReason::Completed | EndReason::Goal, .. } => history.completed = true,
                Rest::Over { .. } => history.exited = true,
            }
        };
        match key {
            Some(key) => self.of_key(contact, workflow, key).for_each(|(id, row)| add(id, row)),
            None => {
                let all = self.history.of(contact, workflow).iter();
                all.filter_map(|(_, id)| Some((*id, self.rows.get(*id)?))).for_each(|(id, row)| add(id, row));
            }
        }
        history
    }

    pub(super) fn park(&self, timers: &mut Timers, id: RunId) {
        let row = known(id.0).and_then(|id| self.rows.get(id));
        if let Some(due) = row.and_then(Row::due) {
            timers.remove(Line::Runs, due, id.0);
        }
    }

    pub(super) fn unpark(&self, timers: &mut Timers, workflow: WorkflowId) {
        for (_, id, row) in self.all_open(0).filter(|(_, _, row)| i64::from(row.workflow) == workflow.0) {
            if let Some(due) = row.due() {
                timers.add(Line::Runs, due, id.into());
            }
        }
    }

    pub(super) fn active(&self, names: &Names) -> Vec<(WorkflowId, String, i64)> {
        let mut counts: BTreeMap<(u32, Sym), i64> = BTreeMap::new();
        for (_, _, row) in self.all_open(0) {
            *counts.entry((row.workflow, row.step)).or_default() += 1;
        }
        let row = |((workflow, step), number): ((u32, Sym), i64)| (WorkflowId(workflow.into()), names.string(step), number);
        let mut active: Vec<(WorkflowId, String, i64)> = counts.into_iter().map(row).collect();
        active.sort_unstable();
        active
    }

    /// The workflow that each run is of, and when it was entered.
    pub(super) fn entered(&self) -> impl Iterator<Item = (u32, i64)> {
        self.rows.after(0).map(|(_, row)| (row.workflow, row.entered_at))
    }

    /// When the open ones are due that are due by then.
    pub(super) fn due_by(&self, now: i64) -> impl Iterator<Item = i64> {
        self.all_open(0).filter_map(|(_, _, row)| row.due()).filter(move |due| *due <= now)
    }

    /// The definitions that open runs follow.
    pub(super) fn definitions(&self) -> impl Iterator<Item = u32> {
        self.all_open(0).map(|(_, _, row)| row.definition)
    }

    /// The ended runs after this one, up to and with that one, and when they ended.
    pub(super) fn ended(&self, after: i64, last: u32) -> impl Iterator<Item = (u32, i64)> {
        let rows = self.rows.after(place(after)).take_while(move |(id, _)| *id <= last);
        rows.filter_map(|(id, row)| match row.rest {
            Rest::Over { at, .. } => Some((id, at)),
            Rest::Open(_) => None,
        })
    }

    /// The ids after this one.
    pub(super) fn after(&self, after: i64) -> impl Iterator<Item = u32> {
        self.rows.after(place(after)).map(|(id, _)| id)
    }

    pub(super) fn is_any_open(&self, contact: u32) -> bool {
        !self.open.of(contact, 0).is_empty()
    }

    /// Leaves nothing personal in the ended runs of a contact.
    pub(super) fn erase(&mut self, contact: u32) {
        let lanes: Vec<(u32, Vec<(u64, u32)>)> =
            self.history.lanes(contact).map(|(workflow, list)| (workflow, list.to_vec())).collect();
        let no_key = hash("");
        for (workflow, list) in lanes {
            for (key, id) in list {
                self.history.remove(contact, workflow, &(key, id));
                self.history.insert(contact, workflow, (no_key, id));
                self.rows.change(id, |row| {
                    row.key = None;
                    if let Rest::Over { detail, .. } = &mut row.rest {
                        *detail = None;
                    }
                });
            }
        }
    }

    pub(super) fn join(&mut self, from: u32, into: u32) {
        for id in self.ids_of(from) {
            self.rows.change(id, |row| row.contact = into);
        }
        self.history.join(from, into);
        self.open.join(from, into);
    }

    pub(super) fn commit(&mut self) {
        self.rows.commit();
        self.history.commit();
        self.open.commit();
    }

    pub(super) fn rollback(&mut self) {
        self.rows.rollback();
        self.history.rollback();
        self.open.rollback();
    }
}
