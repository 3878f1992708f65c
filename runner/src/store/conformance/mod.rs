//! What every store must do, whatever it is built on: one case for each promise of [`super::Store`].
//!
//! [`check`] runs them all.

mod audience;
mod conditions;
mod contacts;
mod erase;
mod events;
mod experiments;
mod history;
mod listing;
mod messages;
mod names;
mod outside;
mod queues;
mod rates;
mod runs;
mod suppressed;
mod time_triggers;
mod transactions;

use serde_json::{Map, Value};

use super::*;

type Case = fn(&mut dyn Store);

/// All cases, by file. A case that is missing here is reported as dead code.
const CASES: &[(&str, Case)] = &[
    ("audience::standing", audience::standing),
    ("audience::rechecks", audience::rechecks),
    ("audience::lists", audience::lists),
    ("audience::received", audience::received),
    ("audience::emails_and_aliases", audience::emails_and_aliases),
    ("audience::joined", audience::joined),
    ("audience::not_joined_with_the_same_open_run", audience::not_joined_with_the_same_open_run),
    ("audience::old_events_expire", audience::old_events_expire),
    ("audience::old_messages_and_logs_expire", audience::old_messages_and_logs_expire),
    ("conditions::matching_in_pages", conditions::matching_in_pages),
    ("conditions::nobody_who_is_erased", conditions::nobody_who_is_erased),
    ("conditions::outdated_traits", conditions::outdated_traits),
    ("contacts::round_trip", contacts::round_trip),
    ("contacts::uid_is_unique", contacts::uid_is_unique),
    ("contacts::update_changes_everything", contacts::update_changes_everything),
    ("contacts::listed_in_order_by_zone", contacts::listed_in_order_by_zone),
    ("contacts::zones_are_distinct", contacts::zones_are_distinct),
    ("contacts::any_text_survives", contacts::any_text_survives),
    ("erase::nothing_personal_is_left", erase::nothing_personal_is_left),
    ("erase::others_are_not_touched", erase::others_are_not_touched),
    ("erase::refused_while_runs_are_open", erase::refused_while_runs_are_open),
    ("events::same_uid_counts_once", events::same_uid_counts_once),
    ("events::in_order_from_inclusive", events::in_order_from_inclusive),
    ("events::bare_has_no_properties", events::bare_has_no_properties),
    ("events::found_by_id", events::found_by_id),
    ("events::ids_are_never_given_twice", events::ids_are_never_given_twice),
    ("experiments::assignments", experiments::assignments),
    ("experiments::counted_once", experiments::counted_once),
    ("experiments::counted_once_a_person", experiments::counted_once_a_person),
    ("experiments::contests", experiments::contests),
    ("experiments::goal_values", experiments::goal_values),
    ("experiments::message_figures", experiments::message_figures),
    ("history::sent_messages_are_events", history::sent_messages_are_events),
    ("history::fates_of_messages", history::fates_of_messages),
    ("history::slots_latest_first", history::slots_latest_first),
    ("history::latest_message", history::latest_message),
    ("listing::unknown_contacts_only", listing::unknown_contacts_only),
    ("listing::contacts_in_pages", listing::contacts_in_pages),
    ("listing::events_in_pages_and_latest", listing::events_in_pages_and_latest),
    ("listing::runs_and_messages", listing::runs_and_messages),
    ("messages::round_trip", messages::round_trip),
    ("messages::update_changes_everything", messages::update_changes_everything),
    ("messages::in_doubt_are_those_sending", messages::in_doubt_are_those_sending),
    ("messages::listed_after_by_status", messages::listed_after_by_status),
    ("messages::counted_by_status", messages::counted_by_status),
    ("names::workflows", names::workflows),
    ("names::definitions_by_hash", names::definitions_by_hash),
    ("names::files_stay_while_something_names_them", names::files_stay_while_something_names_them),
    ("names::unused_definitions_go", names::unused_definitions_go),
    ("outside::inbox_in_order", outside::inbox_in_order),
    ("outside::counters_add_up", outside::counters_add_up),
    ("outside::properties", outside::properties),
    ("outside::nobody_else_wrote", outside::nobody_else_wrote),
    ("queues::runs_due", queues::runs_due),
    ("queues::runs_park", queues::runs_park),
    ("queues::messages_due_by_channel", queues::messages_due_by_channel),
    ("queues::messages_park", queues::messages_park),
    ("queues::rolled_back", queues::rolled_back),
    ("queues::parking_rolled_back", queues::parking_rolled_back),
    ("queues::due_count", queues::due_count),
    ("queues::like_a_plain_list", queues::like_a_plain_list),
    ("rates::entries_messages_and_events", rates::entries_messages_and_events),
    ("runs::round_trip", runs::round_trip),
    ("runs::one_open_run_by_key", runs::one_open_run_by_key),
    ("runs::ended_keeps_its_counters", runs::ended_keeps_its_counters),
    ("runs::ended_stays_ended", runs::ended_stays_ended),
    ("runs::inserted_ended", runs::inserted_ended),
    ("runs::open_of_a_contact", runs::open_of_a_contact),
    ("runs::open_of_a_workflow_in_pages", runs::open_of_a_workflow_in_pages),
    ("runs::history", runs::history),
    ("runs::active_by_step", runs::active_by_step),
    ("runs::log", runs::log),
    ("suppressed::kept_as_it_came_first", suppressed::kept_as_it_came_first),
    ("suppressed::taken_off", suppressed::taken_off),
    ("suppressed::listed_in_pages", suppressed::listed_in_pages),
    ("suppressed::messages_are_redirected", suppressed::messages_are_redirected),
    ("time_triggers::schedules", time_triggers::schedules),
    ("time_triggers::sweeps", time_triggers::sweeps),
    ("time_triggers::date_timers", time_triggers::date_timers),
    ("transactions::rollback_undoes_all", transactions::rollback_undoes_all),
    ("transactions::rollback_without_one", transactions::rollback_without_one),
    ("transactions::changes_need_one", transactions::changes_need_one),
    ("transactions::usable_after_an_error", transactions::usable_after_an_error),
];

/// Runs every case that is asked for against a fresh store (with something that keeps it alive) and reports all that failed.
pub(crate) fn check<Keep>(asked: impl Fn(&str) -> bool, make: impl Fn() -> (AnyStore, Keep)) {
    let mut failed = Vec::new();
    for (name, case) in CASES.iter().filter(|(name, _)| asked(name)) {
        let (mut store, _keep) = make();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(store.as_mut())));
        if outcome.is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "failed: {failed:?}");
}

/// A store of any kind.
pub(crate) type AnyStore = Box<dyn Store>;

/// A time in 2026; the cases count from it.
const T: i64 = 1_790_000_000_000;

/// Does it in a transaction of its own.
fn within<R>(store: &mut dyn Store, act: impl FnOnce(&mut dyn Store) -> R) -> R {
    store.begin().unwrap();
    let given = act(store);
    store.commit().unwrap();
    given
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

fn a_contact(uid: &str) -> Contact {
    Contact::new(uid)
}

fn new_contact(store: &mut dyn Store, uid: &str) -> ContactId {
    within(store, |store| store.insert_contact(&a_contact(uid), T).unwrap())
}

fn new_workflow(store: &mut dyn Store, name: &str) -> WorkflowId {
    within(store, |store| store.workflow_id(name).unwrap())
}

fn an_event(contact: ContactId, name: &str, at: i64) -> NewEvent {
    NewEvent { contact, name: name.to_owned(), at, properties: Map::new(), uid: None, message: None }
}

fn a_run(contact: ContactId, workflow: WorkflowId, key: &str) -> Run {
    Run {
        id: RunId(0),
        contact,
        workflow,
        definition: DefinitionId(1),
        key: key.to_owned(),
        entered_at: T,
        step: "wait-1-day".to_owned(),
        state: RunState {
            visit: 3,
            logged: 4,
            stage: Stage::Waiting(T + 5),
            began: Mark(T, EventId(2)),
            since: Mark(T, EventId(1)),
            event: None,
            vars: Map::new(),
            passes: Default::default(),
            depth: 0,
            goal_met: false,
        },
        due: None,
        ended: None,
    }
}

/// The run as it is in the store.
fn new_run(store: &mut dyn Store, run: &Run) -> Run {
    let id = within(store, |store| store.insert_run(run).unwrap().unwrap());
    store.run(id).unwrap().unwrap()
}

fn ended(run: &Run, at: i64, reason: EndReason) -> Run {
    Run { ended: Some(Ended { at, reason, detail: None }), ..run.clone() }
}

fn a_message(run: &Run, template: &str) -> Message {
    Message {
        id: MessageId(0),
        run: run.id,
        contact: run.contact,
        workflow: run.workflow,
        definition: run.definition,
        step: "send-hello".to_owned(),
        visit: 1,
        template: template.to_owned(),
        channel: "email".to_owned(),
        topic: None,
        marketing: true,
        status: MessageStatus::Queued,
        to: None,
        subject: None,
        attempts: 0,
        error: None,
        created_at: T,
        due: T,
        taken_at: None,
        at: T,
        capped_at: None,
    }
}

/// Measured in the first run there is.
fn an_assignment(contact: ContactId, workflow: WorkflowId, experiment: &str, variant: &str) -> Assignment {
    let measured = Some(Measured::new(RunId(1), Some(Mark(T, EventId(1)))));
    let (experiment, variant) = (experiment.to_owned(), variant.to_owned());
    Assignment { contact, workflow, experiment, variant, at: T, measured }
}

fn new_message(store: &mut dyn Store, message: &Message) -> Message {
    let id = within(store, |store| store.insert_message(message).unwrap());
    Message { id, ..message.clone() }
}
