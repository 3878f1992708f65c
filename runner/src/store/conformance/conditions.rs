//! Conditions asked of all contacts. That they are answered rightly is tested by generated ones; here it is about who is asked, and in what order.

use std::collections::BTreeMap;

use dsl::model::Condition;

use super::*;

/// Five contacts, of whom the second and the fourth are on a list.
fn five(store: &mut dyn Store) -> Vec<ContactId> {
    let ids: Vec<ContactId> = ["a", "b", "c", "d", "e"].into_iter().map(|uid| new_contact(store, uid)).collect();
    within(store, |store| [ids[1], ids[3]].map(|id| store.set_listed(id, "testers", true, T).unwrap()));
    ids
}

#[track_caller]
fn check(store: &mut dyn Store, condition: &Condition, outdated: Outdated, expected: &[ContactId]) {
    let settings = crate::audience::tests::settings();
    let question = Question { condition, segments: &BTreeMap::new(), settings: &settings, now: T, outdated };
    assert_eq!(store.count_matching(&question).unwrap(), expected.len() as u64);
    for size in [1, 2, usize::MAX] {
        let mut found: Vec<ContactId> = Vec::new();
        loop {
            let page = store.matching(&question, found.last().copied().unwrap_or(ContactId(0)), size).unwrap();
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= size);
            found.extend(page);
        }
        assert_eq!(found, expected, "{size} at a time");
    }
    assert_eq!(store.matching(&question, ContactId(0), 0).unwrap(), []);
}

fn listed() -> Condition {
    Condition::Listed("testers".to_owned())
}

pub(super) fn matching_in_pages(store: &mut dyn Store) {
    let ids = five(store);
    check(store, &listed(), Outdated::Ignore, &[ids[1], ids[3]]);
    check(store, &Condition::All(Vec::new()), Outdated::Ignore, &ids);
    check(store, &Condition::Any(Vec::new()), Outdated::Ignore, &[]);
}

pub(super) fn nobody_who_is_erased(store: &mut dyn Store) {
    let ids = five(store);
    within(store, |store| store.erase_contact(ids[1], T).unwrap());
    let left = [ids[0], ids[2], ids[3], ids[4]];
    check(store, &Condition::All(Vec::new()), Outdated::Ignore, &left);
    check(store, &Condition::Any(Vec::new()), Outdated::Include(1), &left);
    assert_eq!(store.outdated(1, T, ContactId(0), 9).unwrap(), left);
}

/// Nobody's traits were worked out yet, which is version 0.
pub(super) fn outdated_traits(store: &mut dyn Store) {
    let ids = five(store);
    assert_eq!(store.outdated(0, T, ContactId(0), 9).unwrap(), []);
    assert_eq!(store.outdated(1, T, ids[1], 2).unwrap(), ids[2..4]);
    for (outdated, expected) in [
        (Outdated::Include(0), vec![ids[1], ids[3]]),
        (Outdated::Include(1), ids.clone()),
        (Outdated::Exclude(0), vec![ids[1], ids[3]]),
        (Outdated::Exclude(1), Vec::new()),
    ] {
        check(store, &listed(), outdated, &expected);
    }
}
