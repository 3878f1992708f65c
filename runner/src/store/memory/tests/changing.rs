//! Calls that change a store, drawn from a few bytes each.

use std::fmt::Debug;

use dsl::model::Metric;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::experiment::Looks;
use crate::standing::Standing;
use crate::state::*;
use crate::store::*;

/// A time in 2026; the calls count from it.
pub(super) const T: i64 = 1_790_000_000_000;

pub(super) const NAMES: [&str; 5] = ["view", "order", "message_opened", "unsubscribed", "message_clicked"];

/// Which call, and what with.
#[derive(Debug, Clone)]
pub(super) struct Call {
    what: u8,
    with: [u8; 6],
}

impl Arbitrary for Call {
    type Parameters = ();
    type Strategy = BoxedStrategy<Call>;

    fn arbitrary_with(_: ()) -> BoxedStrategy<Call> {
        (0u8..60, any::<[u8; 6]>()).prop_map(|(what, with)| Call { what, with }).boxed()
    }
}

/// What a call gave, or that it was refused: the stores word that in their own ways.
fn told(result: Result<impl Debug>) -> String {
    result.map_or_else(|_| "refused".to_owned(), |given| format!("{given:?}"))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

/// An entry of this run's log.
pub(super) fn log(store: &mut dyn Store, run: i64, number: u32) -> Result<()> {
    let detail = if number.is_multiple_of(2) { object(json!({ "until": number })) } else { Map::new() };
    store.log(&LogEntry { run: RunId(run), number, at: T, kind: LogKind::Enter, step: "enter".to_owned(), detail })
}

impl Call {
    fn pick(&self, place: usize, most: u8) -> i64 {
        i64::from(self.with[place] % most)
    }

    /// One of the few that there mostly are.
    fn contact(&self, place: usize) -> ContactId {
        ContactId(1 + self.pick(place, 5))
    }

    fn workflow(&self, place: usize) -> WorkflowId {
        WorkflowId(1 + self.pick(place, 2))
    }

    fn time(&self, place: usize) -> i64 {
        T + self.pick(place, 16)
    }

    fn flag(&self, place: usize) -> bool {
        self.with[place] & 64 != 0
    }

    fn text<'t>(&self, place: usize, texts: &[&'t str]) -> &'t str {
        texts[usize::from(self.with[place]) % texts.len()]
    }

    /// Makes the call; `number` is that of no other call.
    pub(super) fn make(&self, store: &mut dyn Store, number: usize) -> String {
        match self.what {
            0..=5 => told(store.begin()),
            6..=7 => told(store.commit()),
            8 => {
                store.rollback();
                String::new()
            }
            9..=21 => self.about_contacts(store, number),
            22..=28 => self.about_events(store),
            29..=36 => self.about_runs(store, number),
            37..=45 => self.about_messages(store),
            46..=51 => self.about_workflows(store),
            _ => self.about_the_rest(store),
        }
    }

    fn a_contact(&self) -> Contact {
        Contact {
            email: [None, Some("Ada@example.com"), Some("bo@example.com")][self.with[1] as usize % 3].map(str::to_owned),
            time_zone: [None, Some("Asia/Tokyo"), Some("Europe/Berlin")][self.with[2] as usize % 3].map(str::to_owned),
            attributes: object(if self.flag(3) { json!({ "plan": "pro", "a": { "b": 1.5 } }) } else { json!({}) }).into(),
            erased: self.pick(4, 16) == 0,
            ..Contact::new(&format!("c{}", self.pick(0, 6)))
        }
    }

    fn about_contacts(&self, store: &mut dyn Store, number: usize) -> String {
        let id = self.contact(5);
        match self.what {
            9..=11 => told(store.insert_contact(&self.a_contact(), T)),
            12 => told(store.insert_unknown_contact(&self.a_contact(), T)),
            13..=14 => told(store.update_contact(&Contact { id, ..self.a_contact() }, T)),
            15 => told(store.set_alias(&format!("c{}", 6 + self.pick(0, 3)), id)),
            16 if self.contact(0) != id => told(store.join_contacts(self.contact(0), id)),
            17 => told(store.erase_contact(id, T)),
            18..=19 => {
                let recheck = self.flag(1).then(|| self.time(2));
                let traits =
                    if self.flag(0) { [("spent".to_owned(), TraitValue::Plain(json!(number)))].into() } else { Traits::new() };
                let upkeep = Upkeep { version: self.pick(3, 2), recheck };
                let known = Contact { id, traits: traits.into(), upkeep, ..Contact::new("") };
                told(store.set_standing(&known, &Standing::default()))
            }
            20 => told(store.set_listed(id, self.text(0, &["testers", "beta"]), self.flag(1), self.time(2))),
            _ => {
                let old = [Old::Events, Old::Messages, Old::RunLogs][self.with[0] as usize % 3];
                told(store.expire(old, self.time(1), self.pick(2, 4), 1 + self.pick(3, 9) as usize))
            }
        }
    }

    fn about_events(&self, store: &mut dyn Store) -> String {
        let properties = [
            json!({}),
            json!({ "machine": true, "template": "gone" }),
            json!({ "message": 1 + self.pick(1, 4), "source": "page" }),
            json!({ "message": 2, "source": "complaint" }),
        ];
        let event = NewEvent {
            contact: self.contact(0),
            name: self.text(1, &NAMES).to_owned(),
            at: self.time(2),
            properties: object(properties[self.with[3] as usize % 4].clone()),
            uid: (self.pick(4, 3) == 0).then(|| format!("e{}", self.pick(4, 12))),
            message: self.flag(5).then(|| MessageId(1 + self.pick(5, 4))),
        };
        told(store.insert_event(&event, T))
    }

    fn a_run(&self) -> Run {
        Run {
            id: RunId(0),
            contact: self.contact(0),
            workflow: self.workflow(1),
            definition: DefinitionId(1 + self.pick(2, 3)),
            key: self.text(2, &["", "k", "key"]).to_owned(),
            entered_at: self.time(3),
            step: self.text(4, &["wait", "send"]).to_owned(),
            state: RunState {
                visit: 3,
                logged: 4,
                stage: Stage::Waiting(T),
                began: Mark(T, EventId(2)),
                since: Mark(T, EventId(1)),
                event: Some(json!({ "total": 12 })),
                vars: object(json!({ "x": [1] })),
                passes: Default::default(),
                depth: 1,
                goal_met: self.flag(3),
            },
            due: self.flag(5).then(|| self.time(5)),
            ended: None,
        }
    }

    fn over(&self) -> Ended {
        let reason = EndReason::ALL[self.with[3] as usize % EndReason::ALL.len()];
        Ended { at: self.time(4), reason, detail: self.flag(4).then(|| "said".to_owned()) }
    }

    fn about_runs(&self, store: &mut dyn Store, number: usize) -> String {
        let id = RunId(1 + self.pick(0, 5));
        match self.what {
            29..=31 => told(store.insert_run(&self.a_run())),
            32 => told(store.insert_run(&Run { ended: Some(self.over()), ..self.a_run() })),
            33..=34 => {
                let Some(run) = store.run(id).unwrap() else { return "none".to_owned() };
                let ended = self.flag(1).then(|| self.over());
                let RunState { visit, logged, .. } = run.state;
                let mut new = Run { due: self.flag(2).then(|| self.time(2)), step: "later".to_owned(), ended, ..run };
                (new.state.visit, new.state.logged) = (visit + 1, logged + 1);
                told(store.update_run(&new))
            }
            35 => told(store.park_run(id)),
            _ => told(log(store, id.0, number as u32)),
        }
    }

    fn about_messages(&self, store: &mut dyn Store) -> String {
        let id = MessageId(1 + self.pick(0, 5));
        let status = MessageStatus::ALL[self.with[1] as usize % MessageStatus::ALL.len()];
        let channel = self.text(2, &["email", "sms", CALLS]);
        match self.what {
            37..=40 => {
                let message = Message {
                    id: MessageId(0),
                    run: RunId(1 + self.pick(4, 4)),
                    contact: self.contact(0),
                    workflow: self.workflow(3),
                    definition: DefinitionId(1 + self.pick(5, 3)),
                    step: self.text(3, &["hello", "bye"]).to_owned(),
                    visit: 1,
                    template: self.text(4, &["hello", "bye"]).to_owned(),
                    channel: channel.to_owned(),
                    topic: self.flag(3).then(|| "news".to_owned()),
                    marketing: self.flag(2),
                    status,
                    to: Some("ada@example.com".to_owned()),
                    subject: self.flag(0).then(|| "Hello".to_owned()),
                    attempts: self.pick(5, 2) as u32,
                    error: self.flag(1).then(|| "capped".to_owned()),
                    created_at: T,
                    due: self.time(4),
                    taken_at: self.flag(5).then(|| self.time(5)),
                    at: self.time(0),
                    capped_at: self.flag(4).then_some(T),
                };
                told(store.insert_message(&message))
            }
            41..=43 => {
                let Some(message) = store.message(id).unwrap() else { return "none".to_owned() };
                let taken_at = self.flag(3).then(|| self.time(3));
                let (due, at, attempts) = (self.time(4), self.time(5), message.attempts + 1);
                told(store.update_message(&Message { status, taken_at, due, at, attempts, error: None, ..message }))
            }
            44 => told(store.park_message(id)),
            _ => told(store.redirect_message(id, channel)),
        }
    }

    fn about_workflows(&self, store: &mut dyn Store) -> String {
        let workflow = self.workflow(0);
        match self.what {
            46 => told(store.workflow_id(self.text(0, &["welcome", "other"]))),
            47 => told(store.put_definition(workflow, self.text(1, &["h1", "h2", "h3"]), self.text(2, &["f1 f2", ""]), T)),
            48 => told(store.put_asset(self.text(1, &["f1", "f2"]), b"bytes")),
            49 if self.flag(1) => told(store.drop_unused_definitions()),
            49 => {
                let row = WorkflowRow {
                    id: workflow,
                    name: self.text(2, &["welcome", "other", "third"]).to_owned(),
                    definition: self.flag(3).then(|| DefinitionId(1 + self.pick(3, 3))),
                    status: "live".to_owned(),
                    paused: self.flag(4),
                };
                told(store.set_workflow(&row))
            }
            50 => told(store.unpark(workflow)),
            _ => self.about_time(store, workflow),
        }
    }

    fn about_time(&self, store: &mut dyn Store, workflow: WorkflowId) -> String {
        let (trigger, zone) = (self.text(1, &["mon", "tue"]), self.text(2, &["UTC", "Asia/Tokyo"]));
        match self.with[3] % 8 {
            0 => {
                let next = self.flag(4).then(|| self.time(4));
                told(store.set_schedule(&ScheduleRow { workflow, trigger: trigger.to_owned(), zone: zone.to_owned(), next }))
            }
            1 => told(store.drop_schedule(workflow, trigger, zone)),
            2 => {
                let kind = SweepKind::Broadcast { at: T, zones: Zones::All };
                told(store.insert_sweep(&Sweep { id: 0, workflow, trigger: trigger.to_owned(), kind, cursor: ContactId(0) }))
            }
            3 => told(store.set_sweep_cursor(1 + self.pick(4, 3), self.contact(5))),
            4 => told(store.drop_sweep(1 + self.pick(4, 3))),
            5..=6 => {
                let at = self.flag(4).then(|| self.time(4));
                told(store.set_date_timer(workflow, trigger, self.contact(5), at))
            }
            _ => told(store.drop_date_timers(workflow, trigger)),
        }
    }

    fn about_the_rest(&self, store: &mut dyn Store) -> String {
        let (channel, address) = (self.text(0, &["sms", "email"]), self.text(1, &["a", "b", "c"]));
        match self.what {
            52 => {
                let (why, at) = (Why::ALL[self.with[2] as usize % 3], self.time(3));
                let row = Suppressed {
                    channel: channel.to_owned(),
                    address: address.to_owned(),
                    why,
                    at,
                    source: "manual".to_owned(),
                    detail: None,
                };
                told(store.suppress(&row))
            }
            53 => told(store.allow_address(channel, address)),
            54 if self.flag(2) => told(store.remember_received(address, "yes", self.time(3))),
            54 => told(store.forget_received(self.time(3), 1 + self.pick(4, 2) as usize)),
            55 => {
                let enroll = InboxItem::Enroll { workflow: "welcome".to_owned(), contact: self.contact(2), with: Map::new() };
                let item = if self.flag(2) { enroll } else { InboxItem::Pause("welcome".to_owned()) };
                if self.flag(3) { told(store.push_inbox(&item, T)) } else { told(store.drop_inbox(1 + self.pick(4, 4))) }
            }
            56 if self.flag(2) => told(store.count(self.workflow(0), self.text(1, &["entered", "exit"]), self.pick(3, 3))),
            56 => told(store.add_goal_value(self.workflow(0), self.pick(1, 4) as f64)),
            57 if self.flag(2) => told(store.set_property(address, self.text(3, &["f1", "x"]))),
            57 => told(store.remove_property(address)),
            _ => self.about_experiments(store),
        }
    }

    fn about_experiments(&self, store: &mut dyn Store) -> String {
        let (contact, workflow) = (self.contact(0), self.workflow(1));
        let experiment = self.text(2, &["subject", "layout"]);
        let measured =
            self.flag(5).then(|| Measured::new(RunId(1 + self.pick(4, 2)), self.flag(3).then_some(Mark(T, EventId(1)))));
        match self.with[3] % 4 {
            0 => {
                let looks = Looks { taken: 1, did: 2, spent: 0.5 };
                let contest = Contest { workflow, experiment: experiment.to_owned(), metric: Metric::Goal, looks, winner: None };
                if self.flag(4) { told(store.set_contest(&contest)) } else { told(store.drop_contest(workflow, experiment)) }
            }
            1 => {
                let Some(variant) = store.assignment(workflow, experiment, contact).unwrap() else { return "none".to_owned() };
                let experiment = experiment.to_owned();
                let metric = [Metric::Opened, Metric::Clicked, Metric::Goal][self.with[4] as usize % 3];
                let asked = Assignment { contact, workflow, experiment, variant, at: T, measured };
                told(store.reached(&asked, metric, self.time(4), self.flag(4).then_some(2.5)))
            }
            _ => {
                let (experiment, variant) = (experiment.to_owned(), self.text(4, &["a", "b"]).to_owned());
                told(store.assign(&Assignment { contact, workflow, experiment, variant, at: self.time(4), measured }))
            }
        }
    }
}
