//! Where a contact stands: the values of their traits and the segments they are in, worked out once and then kept up to date.
//!
//! What is kept about a contact ([`Standing`]) makes an event cost the same however long the contact's history is, and knows when time alone
//! may change something, so that nobody has to look in between.
//!
//! Architecture invariant: pure but for `stored`, which reads from a store and writes nothing; what the rest needs to know of the contact it asks of
//! [`crate::audience::Facts`]. A standing that was kept up to date
//! says the same as one worked out anew from the contact's history (as long as the history is there).

mod audience;
mod codec;
mod kept;
mod needs;
mod rank;
mod record;
mod stored;
#[cfg(test)]
mod tests;
mod update;

pub use audience::{Audience, Differences, NodeKey, causes_of_trait};
pub use needs::{Cause, causes_of};
pub use rank::{Cuts, Ranks, rank_value};
pub use record::Standing;
pub use stored::{Definitions, LAYOUTS, Layouts, Moment, RANKS, THERE_BEFORE, WorkedOut, contact_row};
pub use update::{Crossing, FactsMut, Happened, Known, Terms, update};
