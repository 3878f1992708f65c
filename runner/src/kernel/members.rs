//! The members of static segments: put on a list and taken off it, with an answer: for who asks over HTTP.

use dsl::model::Condition;
use serde::Serialize;

use super::Kernel;
use crate::standing::Cause;
use crate::store::Result;

/// Who is to come onto a static segment's list, and who is to leave it: uids, or other ids of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Members {
    pub segment: String,
    pub add: Vec<String>,
    pub remove: Vec<String>,
}

/// What became of it. Who was on the list already, or was not, is in neither number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Changed {
    pub added: u64,
    pub removed: u64,
    /// Ids that lead to no contact.
    pub unknown: Vec<String>,
}

/// Why there is no such list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoList {
    #[error("there is no segment of this name in force")]
    NoSegment,
    #[error("the segment is dynamic: its condition decides who is in it; only a segment `list: true` has members put on it")]
    Dynamic,
}

impl Kernel {
    /// Changes the list in a transaction of its own; what follows from it, such as workflows that start, is in the same one.
    ///
    /// # Errors
    /// Those of the store; nothing happened then.
    pub fn change_members(&mut self, members: &Members, now: i64) -> Result<std::result::Result<Changed, NoList>> {
        self.put_on_list(members, now, false)
    }

    /// The same from before anything was in force: nobody enters by it.
    ///
    /// # Errors
    /// Those of the store; nothing happened then.
    pub fn know_members(&mut self, members: &Members, now: i64) -> Result<std::result::Result<Changed, NoList>> {
        self.put_on_list(members, now, true)
    }

    fn put_on_list(&mut self, members: &Members, now: i64, silent: bool) -> Result<std::result::Result<Changed, NoList>> {
        self.transaction(now, |kernel| {
            let list = match kernel.plan.catalog.segments.get(&members.segment) {
                None => return Ok(Err(NoList::NoSegment)),
                Some(Condition::Listed(list)) => list.clone(),
                Some(_) => return Ok(Err(NoList::Dynamic)),
            };
            let mut changed = Changed::default();
            for (ids, on) in [(&members.add, true), (&members.remove, false)] {
                for uid in ids {
                    let Some(contact) = kernel.store.contact_id(uid)? else {
                        changed.unknown.push(uid.clone());
                        continue;
                    };
                    if kernel.store.set_listed(contact, &list, on, now)? {
                        *(if on { &mut changed.added } else { &mut changed.removed }) += 1;
                        kernel.silent = silent;
                        kernel.concerns(contact, Cause::List(list.clone()));
                        kernel.follow_up()?;
                        kernel.silent = false;
                    }
                }
            }
            Ok(Ok(changed))
        })
    }
}
