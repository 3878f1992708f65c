//! Everything that a store can be asked about the few rows that the generated calls make.

use std::collections::BTreeMap;
use std::fmt::Debug;

use dsl::model::{Condition, Fate};

use super::changing::{NAMES, T};
use crate::state::*;
use crate::store::*;

/// What was asked, and the answer.
pub(super) fn everything(store: &mut dyn Store) -> Vec<String> {
    let mut answers = Answers(Vec::new());
    of_contacts(store, &mut answers);
    for contact in (0..6).map(ContactId) {
        of_one(store, &mut answers, contact);
    }
    of_all(store, &mut answers);
    of_conditions(store, &mut answers);
    answers.0
}

struct Answers(Vec<String>);

impl Answers {
    #[track_caller]
    fn add(&mut self, what: &str, answer: Result<impl Debug>) {
        self.0.push(format!("{what}: {:?}", answer.unwrap()));
    }
}

fn of_contacts(store: &mut dyn Store, answers: &mut Answers) {
    for uid in (0..9).map(|number| format!("c{number}")) {
        answers.add(&uid, store.contact_id(&uid));
    }
    answers.add("newest", store.newest_contact());
    answers.add("email", store.contact_of_email("ADA@example.com"));
    answers.add("page", store.contact_page(ContactId(1), 3));
    answers.add("zones", store.contact_zones());
    for zone in [ZoneFilter::All, ZoneFilter::In(None), ZoneFilter::In(Some("Asia/Tokyo")), ZoneFilter::In(Some("Mars"))] {
        answers.add("after", store.contacts_after(ContactId(1), zone, 2));
    }
    let paths = ["plan", "a.b", "spent", "spent.x", "none"];
    let paths: Vec<Vec<String>> = paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect();
    let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
    answers.add("values", store.contact_values(ContactId(0), &paths, 9));
    answers.add("rechecks", store.due_rechecks(T + 9, 9));
    answers.add("recheck", store.next_recheck());
    answers.add("outdated", store.outdated(1, T + 5, ContactId(0), 9));
}

fn of_one(store: &mut dyn Store, answers: &mut Answers, contact: ContactId) {
    answers.add("contact", store.contact(contact));
    answers.add("aliases", store.aliases(contact));
    answers.add("joined", store.joined_to(contact));
    answers.add("standing", store.standing(contact));
    answers.add("listed", store.listed(contact, "beta"));
    answers.add("lists", store.lists_of(contact));
    for name in NAMES.into_iter().chain(["message_sent", "never"]) {
        for (from, bare) in [(T + 3, true), (0, false)] {
            answers.add(name, store.events(contact, name, from, bare));
        }
        if name != "message_sent" {
            answers.add(name, store.newest_events(contact, name, 2));
        }
    }
    answers.add("latest events", store.latest_events(contact, 3));
    for fate in Fate::ALL {
        answers.add("fates", store.fates(contact, fate, T + 2));
    }
    answers.add("open", store.open_runs(contact));
    answers.add("runs", store.runs_of(contact));
    for workflow in [WorkflowId(1), WorkflowId(2)] {
        for key in ["", "k", "nope"] {
            answers.add("entry", store.last_entry(contact, workflow, key));
            answers.add("history", store.run_history(contact, workflow, Some(key)));
        }
        answers.add("history", store.run_history(contact, workflow, None));
    }
    answers.add("assignments", store.assignments_of(contact));
    answers.add("slots", store.slots_taken(contact, T + 2));
    for workflow in [None, Some("welcome"), Some("never")] {
        answers.add("latest", store.latest_message(contact, "hello", workflow));
    }
    answers.add("messages", store.messages_of(contact));
}

fn of_all(store: &mut dyn Store, answers: &mut Answers) {
    answers.add("events", store.event_page(EventId(1), 9));
    answers.add("event", store.event(EventId(2)));
    answers.add("uid", store.event_of_uid("e3"));
    // Not the last event: in SQLite an id that was passed over counts as given or not, as it happens.
    answers.add("workflows", store.workflows());
    answers.add("name", store.workflow_name(WorkflowId(1)));
    answers.add("definitions", (1..5).map(|id| store.definition(DefinitionId(id))).collect::<Result<Vec<_>>>());
    answers.add("assets", ["f1", "f2"].map(|hash| store.asset(hash)).into_iter().collect::<Result<Vec<_>>>());
    answers.add("runs", store.run_page(RunId(1), 4));
    answers.add("logs", (1..6).map(|id| store.run_log(RunId(id))).collect::<Result<Vec<_>>>());
    for after in [None, Some((ContactId(2), RunId(1)))] {
        answers.add("open", store.open_runs_of(WorkflowId(1), after, 3));
    }
    answers.add("due", store.due_runs(T + 9, 3));
    answers.add("next", store.next_due_run());
    answers.add("variants", store.variant_counts(None));
    answers.add("variants", store.variant_counts(Some(WorkflowId(2))));
    answers.add("contests", store.contests());
    for channel in ["email", "sms", "never"] {
        answers.add("due", store.due_messages(channel, T + 9, 3));
        answers.add("next", store.next_due_message(channel));
    }
    answers.add("doubt", store.messages_in_doubt());
    for status in [None, Some(MessageStatus::Sent), Some(MessageStatus::Queued)] {
        answers.add("messages", store.messages_after(MessageId(1), status, 4));
    }
    answers.add("schedules", store.schedules());
    answers.add("sweeps", store.sweeps());
    answers.add("dates", store.due_date_timers(T + 9, 4));
    answers.add("date", store.next_date_timer());
    answers.add("inbox", store.inbox(9));
    answers.add("counters", store.counters());
    answers.add("goals", store.goal_values());
    answers.add("figures", store.message_figures(None));
    answers.add("figures", store.message_figures(Some(WorkflowId(1))));
    answers.add("active", store.active());
    answers.add("counts", store.message_counts());
    answers.add("due", store.due_count(T + 9));
    answers.add("properties", ["a", "secret"].map(|name| store.property(name)).into_iter().collect::<Result<Vec<_>>>());
    answers.add("properties", ["a", "ab", "se"].map(|name| store.any_property(name)).into_iter().collect::<Result<Vec<_>>>());
    answers.add("identity", store.identity());
    answers.add("received", ["a", "b"].map(|id| store.received(id)).into_iter().collect::<Result<Vec<_>>>());
    answers.add("suppressed", store.suppressed_after(Some(("email", "a")), 4));
    answers.add("suppressed", store.suppressed("email", "b"));
    answers.add("outside", store.changed_outside());
}

fn of_conditions(store: &mut dyn Store, answers: &mut Answers) {
    let settings = crate::audience::tests::settings();
    for condition in [Condition::All(Vec::new()), Condition::Listed("beta".to_owned())] {
        for outdated in [Outdated::Ignore, Outdated::Include(1), Outdated::Exclude(1)] {
            let question =
                Question { condition: &condition, segments: &BTreeMap::new(), settings: &settings, now: T + 5, outdated };
            answers.add("matching", store.matching(&question, ContactId(1), 2));
            answers.add("number", store.count_matching(&question));
        }
    }
}
