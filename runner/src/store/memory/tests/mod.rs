//! The conformance suite, and by generated calls the same answers as the store in SQLite gives.

mod asking;
mod changing;

use proptest::prelude::*;

use self::changing::Call;
use super::*;
use crate::store::conformance::{self, AnyStore};
use crate::store::{SqliteStore, Store};

#[test]
fn it_conforms() {
    conformance::check(|_| true, || (Box::new(MemoryStore::new()) as AnyStore, ()));
}

#[test]
fn logs_are_kept_unless_nobody_asks() {
    let check = |mut store: MemoryStore, expected: usize| {
        store.begin().unwrap();
        changing::log(&mut store, 1, 0).unwrap();
        store.commit().unwrap();
        assert_eq!(store.run_log(crate::state::RunId(1)).unwrap().len(), expected);
    };
    check(MemoryStore::new(), 1);
    check(MemoryStore::without_logs(), 0);
}

/// What is no id at all is looked for in vain, and refused where it would be written.
#[test]
fn ids_out_of_range_are_refused() {
    let mut store = MemoryStore::new();
    store.begin().unwrap();
    for id in [i64::MIN, -1, i64::MAX] {
        assert_eq!(store.contact(crate::state::ContactId(id)).unwrap(), None);
        assert!(store.set_listed(crate::state::ContactId(id), "beta", true, 0).is_err());
        store.contact_page(crate::state::ContactId(id), 10).unwrap();
    }
}

/// A simulation of a year holds millions of each.
#[test]
fn rows_are_small() {
    assert!(size_of::<Option<messages::Row>>() <= 136, "{}", size_of::<Option<messages::Row>>());
    assert!(size_of::<Option<runs::Row>>() <= 88, "{}", size_of::<Option<runs::Row>>());
    assert!(size_of::<Option<events::Row>>() <= 56, "{}", size_of::<Option<events::Row>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Both are asked everything now and then, and after each call they have given the same answer.
    #[test]
    fn it_answers_as_sqlite_does(calls in proptest::collection::vec(any::<Call>(), 1..160)) {
        let (mut memory, mut sqlite) = (MemoryStore::new(), SqliteStore::in_memory().unwrap());
        for (number, call) in calls.iter().enumerate() {
            let outside = !memory.open;
            let (given, expected) = (call.make(&mut memory, number), call.make(&mut sqlite, number));
            // SQLite refuses only what would change something.
            if !(outside && given == "refused") {
                prop_assert_eq!(given, expected, "{}: {:?}", number, call);
            }
            if number % 16 == 15 || number + 1 == calls.len() {
                for (given, expected) in asking::everything(&mut memory).into_iter().zip(asking::everything(&mut sqlite)) {
                    prop_assert_eq!(given, expected, "after {}", number);
                }
            }
        }
    }
}
