//! The statistics of experiments: two shares compared, how sure a difference is, and when a variant has won.
//!
//! Architecture invariant: pure. Numbers in, numbers out; the kernel counts and acts, the report shows.

mod compare;
mod decision;
mod interval;
mod normal;
#[cfg(test)]
mod simulations;

pub use compare::{Comparison, Method, compare};
pub use decision::{Look, Looks, Plan, look, next_look};
pub use interval::{Interval, difference, rate, ratio};

/// So many of so many: contacts who did something, of the contacts in a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// At most `of`.
    pub did: u64,
    pub of: u64,
}

impl Share {
    /// From 0 to 1; 0 of nobody.
    pub fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.did as f64 / self.of as f64 }
    }

    fn did_not(self) -> u64 {
        self.of.saturating_sub(self.did)
    }

    fn with(self, other: Share) -> Share {
        Share { did: self.did + other.did, of: self.of + other.of }
    }
}
