//! A store with a handful of contacts and their pasts, and the answers that it should give.

use dsl::model::Fate;
use rusqlite::params;
use serde_json::{Map, Value};

use crate::state::*;
use crate::store::sqlite::SqliteStore;
use crate::store::{Outdated, Question, Store};

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub attributes: Map<String, Value>,
    pub time_zone: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    pub consent: Consent,
    pub erased: bool,
    pub version: i64,
    pub recheck: Option<i64>,
    /// As they are stored.
    pub traits: Option<Value>,
    pub lists: Vec<String>,
    pub past: Past,
}

/// What happened, when, the event's properties, and to which of the messages.
pub(super) type Fated = (Fate, i64, Map<String, Value>, Option<usize>);

#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// Name, time, properties.
    pub events: Vec<(String, i64, Value)>,
    /// What happened to messages.
    pub fates: Vec<Fated>,
    /// Status, time, template, workflow.
    pub messages: Vec<(MessageStatus, i64, &'static str, &'static str)>,
    /// Workflow, and why it ended if it did.
    pub runs: Vec<(&'static str, Option<EndReason>)>,
}

/// A store in memory.
pub(super) struct Store20(SqliteStore);

impl Store20 {
    pub(super) fn new(people: &[Person]) -> Store20 {
        let mut store = SqliteStore::in_memory().unwrap();
        store.begin().unwrap();
        for (number, person) in people.iter().enumerate() {
            add(&mut store, &format!("c{number}"), person);
        }
        store.commit().unwrap();
        Store20(store)
    }

    pub(super) fn found(&mut self, question: &Question<'_>) -> Vec<ContactId> {
        self.0.matching(question, ContactId(0), usize::MAX).unwrap()
    }

    pub(super) fn found_in_pages(&mut self, question: &Question<'_>, size: usize) -> Vec<ContactId> {
        let mut found: Vec<ContactId> = Vec::new();
        loop {
            let page = self.0.matching(question, found.last().copied().unwrap_or(ContactId(0)), size).unwrap();
            assert!(page.len() <= size);
            if page.is_empty() {
                return found;
            }
            found.extend(page);
        }
    }

    pub(super) fn counted(&mut self, question: &Question<'_>) -> u64 {
        self.0.count_matching(question).unwrap()
    }

    /// Everybody is looked at, one by one, in memory.
    pub(super) fn expected(&mut self, question: &Question<'_>) -> Vec<ContactId> {
        let everyone = self.0.contacts_after(ContactId(0), crate::store::ZoneFilter::All, usize::MAX).unwrap();
        let mut expected = Vec::new();
        for id in everyone {
            let contact = self.0.contact(id).unwrap().unwrap();
            let holds = question.check(&mut self.0, &contact).unwrap().holds;
            let mut stale = |version| self.0.outdated(version, question.now, ContactId(0), usize::MAX).unwrap().contains(&id);
            let counts = match question.outdated {
                Outdated::Ignore => holds,
                Outdated::Include(version) => holds || stale(version),
                Outdated::Exclude(version) => holds && !stale(version),
            };
            if counts {
                expected.push(id);
            }
        }
        expected
    }
}

fn add(store: &mut SqliteStore, uid: &str, person: &Person) {
    let contact = Contact {
        email: person.email.clone(),
        phone: person.phone.clone(),
        locale: person.locale.clone(),
        time_zone: person.time_zone.clone(),
        attributes: person.attributes.clone().into(),
        consent: person.consent.clone().into(),
        erased: person.erased,
        ..Contact::new(uid)
    };
    let id = store.insert_contact(&contact, 0).unwrap();
    let traits = person.traits.as_ref().map(Value::to_string);
    store
        .db
        .conn
        .execute(
            "UPDATE contacts SET traits = ?2, version = ?3, recheck = ?4 WHERE id = ?1",
            params![id.0, traits, person.version, person.recheck],
        )
        .unwrap();
    for list in &person.lists {
        store.set_listed(id, list, true, 0).unwrap();
    }
    for (number, (workflow, reason)) in person.past.runs.iter().enumerate() {
        add_run(store, id, workflow, number, *reason);
    }
    let mut messages = Vec::new();
    for (number, message) in person.past.messages.iter().enumerate() {
        messages.push(add_message(store, id, number, *message));
    }
    for (name, at, properties) in &person.past.events {
        occur(store, id, name, *at, properties.as_object().cloned().unwrap_or_default(), None);
    }
    for (fate, at, properties, which) in &person.past.fates {
        occur(store, id, fate.event(), *at, properties.clone(), which.and_then(|which| messages.get(which).copied()));
    }
}

fn occur(
    store: &mut SqliteStore,
    contact: ContactId,
    name: &str,
    at: i64,
    properties: Map<String, Value>,
    message: Option<MessageId>,
) {
    let event = NewEvent { contact, name: name.to_owned(), at, properties, uid: None, message };
    store.insert_event(&event, 0).unwrap();
}

fn add_run(store: &mut SqliteStore, contact: ContactId, workflow: &str, number: usize, reason: Option<EndReason>) {
    let workflow = store.workflow_id(workflow).unwrap();
    let run = Run {
        id: RunId(0),
        contact,
        workflow,
        definition: DefinitionId(1),
        key: number.to_string(),
        entered_at: 0,
        step: "send".to_owned(),
        state: RunState {
            visit: 0,
            logged: 0,
            stage: Stage::Ready,
            began: Mark(0, EventId(0)),
            since: Mark(0, EventId(0)),
            event: None,
            vars: Map::new(),
            passes: Default::default(),
            depth: 0,
            goal_met: false,
        },
        due: None,
        ended: reason.map(|reason| Ended { at: 1, reason, detail: None }),
    };
    store.insert_run(&run).unwrap().unwrap();
}

fn add_message(
    store: &mut SqliteStore,
    contact: ContactId,
    number: usize,
    (status, at, template, workflow): (MessageStatus, i64, &str, &str),
) -> MessageId {
    // The run need not be there any more.
    let workflow = store.workflow_id(workflow).unwrap();
    let message = Message {
        id: MessageId(0),
        run: RunId(1_000 + number as i64),
        contact,
        workflow,
        definition: DefinitionId(1),
        step: "send".to_owned(),
        visit: 1,
        template: template.to_owned(),
        channel: "email".to_owned(),
        topic: None,
        marketing: true,
        status,
        to: None,
        subject: None,
        attempts: 1,
        error: None,
        created_at: at,
        due: at,
        taken_at: Some(at),
        at,
        capped_at: None,
    };
    store.insert_message(&message).unwrap()
}
