//! Pressure and holds, message by message; what whole simulations count is in the tests of `simulate`.

use serde_json::Map;

use super::*;
use crate::dispatch::Holding;
use crate::rehearsal::{Hold, Sent};
use crate::state::MessageId;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

#[track_caller]
fn pressure(times: &[i64], expected: u32) {
    let mut pressure = Pressure::default();
    times.iter().for_each(|at| pressure.sent("ada", *at));
    let worst = pressure.worst(5);
    assert_eq!((worst.len(), worst[0].most, worst[0].total), (1, expected, times.len() as u32), "{times:?}");
}

#[test]
fn the_fullest_week_is_found_wherever_it_begins() {
    pressure(&[0], 1);
    pressure(&[0, 0, 0], 3);
    pressure(&[0, 7 * DAY - 1], 2);
    // Exactly seven days later is another week, as it is for frequency caps.
    pressure(&[0, 7 * DAY], 1);
    pressure(&[0, DAY, 8 * DAY, 9 * DAY, 10 * DAY, 30 * DAY], 3);
}

#[test]
fn everybody_is_counted_by_their_fullest_week() {
    let mut pressure = Pressure::default();
    for (person, messages) in [("ada", 3), ("bo", 1), ("cy", 3), ("dan", 2)] {
        (0..messages).for_each(|day| pressure.sent(person, day * DAY));
    }
    pressure.sent("cy", 100 * DAY);
    assert_eq!(pressure.people(), 4);
    assert_eq!(pressure.histogram(), [(1, 1), (2, 1), (3, 2)].into());
    assert_eq!([0, 1, 2, 3].map(|limit| pressure.above(limit)), [4, 3, 2, 0]);
    let worst: Vec<(String, u32)> = pressure.worst(3).into_iter().map(|worst| (worst.contact, worst.total)).collect();
    // As many in a week: whoever got more in all comes first.
    assert_eq!(worst, [("cy".to_owned(), 4), ("ada".to_owned(), 3), ("dan".to_owned(), 2)]);
    assert_eq!(pressure.worst(0), []);
}

fn hold(message: i64, at: i64, why: Holding) -> Told {
    Told::Hold(Hold { instant: at, workflow: "w".to_owned(), message: MessageId(message), why })
}

/// The message leaves; it might have since `due`. Without `sent`, it is skipped.
fn leaves(message: i64, at: i64, due: i64, sent: bool) -> Told {
    let status = sent.then_some(MessageStatus::Sent);
    let sent = Sent {
        channel: "email".to_owned(),
        template: "hello".to_owned(),
        to: None,
        subject: None,
        status,
        error: None,
        topic: None,
        due,
    };
    Told::Line(Box::new(Line {
        instant: at,
        at: "2026-03-01T00:00:00+01:00".to_owned(),
        contact: "ada".to_owned(),
        workflow: "w".to_owned(),
        run: "1".to_owned(),
        step: "send-hello".to_owned(),
        kind: if status.is_some() { LogKind::Send } else { LogKind::Skip },
        sent: Some(sent),
        message: Some(MessageId(message)),
        detail: Map::from_iter([("reason".to_owned(), "capped".into())]),
        html: None,
        text: None,
        bodies: false,
    }))
}

#[track_caller]
fn held(told: &[Told], expected: &[(Cause, u64, i64, i64, u64)], unresolved: u64) {
    let mut figures = Figures::default();
    told.iter().for_each(|told| figures.count(told));
    let causes = figures.holds.causes().into_iter();
    let found: Vec<_> = causes.map(|(cause, held)| (cause, held.messages, held.mean(), held.longest, held.skipped)).collect();
    assert_eq!(found, expected);
    assert_eq!(figures.holds.unresolved(), unresolved);
}

#[test]
fn waiting_counts_for_what_was_waited_for() {
    use Holding::{Cap, QuietHours, Window};
    held(&[leaves(1, 0, 0, true)], &[], 0);
    held(
        &[hold(1, 0, QuietHours), leaves(1, 8 * HOUR, 8 * HOUR, true)],
        &[(Cause::Held(QuietHours), 1, 8 * HOUR, 8 * HOUR, 0)],
        0,
    );
    // Looked at again in between; twice for the cap, which is one message.
    let told = [
        hold(1, 0, Cap),
        hold(1, HOUR, QuietHours),
        hold(1, 3 * HOUR, Cap),
        hold(1, 4 * HOUR, Cap),
        leaves(1, 5 * HOUR, 5 * HOUR, false),
        hold(2, 0, QuietHours),
        leaves(2, 4 * HOUR, 4 * HOUR, true),
    ];
    held(&told, &[(Cause::Held(QuietHours), 2, 3 * HOUR, 4 * HOUR, 1), (Cause::Held(Cap), 1, 3 * HOUR, 3 * HOUR, 1)], 0);
    // What comes after the opening is the channel's.
    let told = [hold(1, 0, Window), leaves(1, 2 * HOUR, HOUR, true), leaves(2, 500, 0, true)];
    held(&told, &[(Cause::Held(Window), 1, HOUR, HOUR, 0), (Cause::Rate, 1, HOUR, HOUR, 0)], 0);
    held(&[hold(1, 0, Cap)], &[], 1);
}

#[test]
fn who_is_skipped_is_named_a_few_times() {
    let mut figures = Figures::default();
    (0..9).for_each(|message| figures.count(&leaves(message, 0, 0, false)));
    let skips = &figures.workflows["w"].skips[&("send-hello".to_owned(), "capped".to_owned())];
    assert_eq!((skips.count, skips.contacts.as_slice()), (9, ["ada".to_owned()].as_slice()));
    assert_eq!(figures.skipped(), [("capped", 9)].into());
}
