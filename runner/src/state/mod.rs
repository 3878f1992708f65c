//! The records of the durable state: contacts, events, runs, log entries, messages. Plain data; the store keeps them, the
//! engine changes them. Times are milliseconds since 1970-01-01T00:00Z.

mod contact;
mod event;
mod experiment;
mod log;
mod message;
mod run;
mod suppressed;

pub use contact::{Consent, ConsentEntry, Contact, Fading, Said, TraitValue, Traits, Upkeep};
pub use event::{Event, NewEvent};
pub use experiment::{Assignment, Contest, Figure, Measured, VariantCount, Won};
pub use log::{LogEntry, LogKind};
pub use message::{CALLS, Message, MessageStatus};
pub use run::{EndReason, Ended, Mark, Pass, Run, RunState, Stage};
pub use suppressed::{Suppressed, Why};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A contact's row; the id that people use is [`Contact::uid`].
    ContactId
}
id! {
    /// An event's row. Grows with every event stored, so it also orders events of the same millisecond.
    EventId
}
id! {
    /// A run's row, which is also the id people see.
    RunId
}
id! {
    /// A message's row, which is also the id people see.
    MessageId
}
id! {
    /// A workflow's row: a name, whatever its definition.
    WorkflowId
}
id! {
    /// A definition's row: one content hash.
    DefinitionId
}
