//! The conformance suite, and the same answers as the store in SQLite gives.

use super::*;
use crate::store::conformance::{self, AnyStore};

#[test]
fn it_conforms() {
    conformance::check(|_| true, || (Box::new(MemoryStore::new()) as AnyStore, ()));
}
