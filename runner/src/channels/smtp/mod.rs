//! Delivery over SMTP (RFC 5321): connections that are kept, one message at a time on each, and an honest word about what
//! became of it.

mod connection;
mod dial;
mod refusal;
mod reply;
mod transaction;
mod workers;

#[cfg(test)]
mod tests;

pub use dial::{Dialer, TlsError};
pub use transaction::judged;
pub use workers::start;
