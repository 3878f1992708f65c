//! Schedules, sweeps and date timers.

use super::*;

pub(super) fn schedules(store: &mut dyn Store) {
    let workflow = new_workflow(store, "weekly");
    let row =
        |trigger: &str, zone: &str, next| ScheduleRow { workflow, trigger: trigger.to_owned(), zone: zone.to_owned(), next };
    let sorted = |store: &mut dyn Store| {
        let mut rows = store.schedules().unwrap();
        rows.sort_by(|a, b| (&a.trigger, &a.zone).cmp(&(&b.trigger, &b.zone)));
        rows
    };
    within(store, |store| {
        for row in [
            row("mon", "UTC", Some(5)),
            row("mon", "Asia/Tokyo", Some(6)),
            row("tue", "UTC", Some(7)),
            row("mon", "UTC", Some(8)),
        ] {
            store.set_schedule(&row).unwrap();
        }
    });
    assert_eq!(sorted(store), [row("mon", "Asia/Tokyo", Some(6)), row("mon", "UTC", Some(8)), row("tue", "UTC", Some(7))]);
    within(store, |store| {
        store.set_schedule(&row("tue", "UTC", None)).unwrap();
        store.drop_schedule(workflow, "mon", "Asia/Tokyo").unwrap();
        store.drop_schedule(workflow, "nope", "UTC").unwrap();
    });
    assert_eq!(sorted(store), [row("mon", "UTC", Some(8)), row("tue", "UTC", None)]);
}

pub(super) fn sweeps(store: &mut dyn Store) {
    let workflow = new_workflow(store, "weekly");
    let kinds = [
        SweepKind::Broadcast { at: T, zones: Zones::All },
        SweepKind::Broadcast { at: T, zones: Zones::None },
        SweepKind::Broadcast { at: T, zones: Zones::One("Asia/Tokyo".to_owned()) },
        SweepKind::DateTimers,
    ];
    let mut expected = Vec::new();
    for kind in kinds {
        let mut sweep = Sweep { id: 0, workflow, trigger: "mon".to_owned(), kind, cursor: ContactId(0) };
        sweep.id = within(store, |store| store.insert_sweep(&sweep).unwrap());
        expected.push(sweep);
    }
    assert_eq!(store.sweeps().unwrap(), expected);
    within(store, |store| {
        store.set_sweep_cursor(expected[1].id, ContactId(7)).unwrap();
        store.drop_sweep(expected[0].id).unwrap();
    });
    expected[1].cursor = ContactId(7);
    assert_eq!(store.sweeps().unwrap(), expected[1..]);
}

pub(super) fn date_timers(store: &mut dyn Store) {
    let workflow = new_workflow(store, "birthday");
    assert_eq!(store.next_date_timer().unwrap(), None);
    let timer =
        |trigger: &str, contact: i64, at| DateTimer { workflow, trigger: trigger.to_owned(), contact: ContactId(contact), at };
    within(store, |store| {
        for timer in [timer("day", 2, 30), timer("day", 1, 20), timer("eve", 1, 10), timer("day", 3, 40)] {
            store.set_date_timer(workflow, &timer.trigger, timer.contact, Some(timer.at)).unwrap();
        }
    });
    assert_eq!(store.next_date_timer().unwrap(), Some(10));
    assert_eq!(store.due_date_timers(9, 9).unwrap(), []);
    assert_eq!(store.due_date_timers(20, 9).unwrap(), [timer("eve", 1, 10), timer("day", 1, 20)]);
    assert_eq!(store.due_date_timers(99, 1).unwrap(), [timer("eve", 1, 10)]);
    within(store, |store| {
        store.set_date_timer(workflow, "day", ContactId(2), Some(5)).unwrap();
        store.set_date_timer(workflow, "day", ContactId(1), None).unwrap();
        store.set_date_timer(workflow, "nope", ContactId(1), None).unwrap();
    });
    assert_eq!(store.due_date_timers(99, 9).unwrap(), [timer("day", 2, 5), timer("eve", 1, 10), timer("day", 3, 40)]);
    within(store, |store| {
        store.drop_date_timers(workflow, "day").unwrap();
        store.drop_date_timers(workflow, "nope").unwrap();
    });
    assert_eq!(store.due_date_timers(99, 9).unwrap(), [timer("eve", 1, 10)]);
}
