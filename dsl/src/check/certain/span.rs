//! Spans of numbers: what is between the highest low and the lowest high.

use crate::model::Predicate;

/// What is above or below a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Low { at: f64, included: bool },
    High { at: f64, included: bool },
}

impl Bound {
    /// What a test of a number asks for.
    pub(super) fn of(test: &Predicate) -> Option<Bound> {
        match test {
            Predicate::Above(at) => Some(Bound::Low { at: *at, included: false }),
            Predicate::AtLeast(at) => Some(Bound::Low { at: *at, included: true }),
            Predicate::Below(at) => Some(Bound::High { at: *at, included: false }),
            Predicate::AtMost(at) => Some(Bound::High { at: *at, included: true }),
            _ => None,
        }
    }

    /// What meets the other and not this.
    pub(super) fn opposite(self) -> Bound {
        match self {
            Bound::Low { at, included } => Bound::High { at, included: !included },
            Bound::High { at, included } => Bound::Low { at, included: !included },
        }
    }
}

/// A low and a high end, each with whether it belongs to it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    low: Option<(f64, bool)>,
    high: Option<(f64, bool)>,
}

/// So many numbers are looked at one by one.
const FEW: f64 = 64.0;

impl Span {
    pub(super) fn of(bounds: impl IntoIterator<Item = Bound>) -> Span {
        let mut span = Span::default();
        for bound in bounds {
            match bound {
                Bound::Low { at, included } => {
                    if span.low.is_none_or(|(low, with)| at > low || (at == low && with && !included)) {
                        span.low = Some((at, included));
                    }
                }
                Bound::High { at, included } => {
                    if span.high.is_none_or(|(high, with)| at < high || (at == high && with && !included)) {
                        span.high = Some((at, included));
                    }
                }
            }
        }
        span
    }

    pub(super) fn is_empty(&self) -> bool {
        let (Some((low, with_low)), Some((high, with_high))) = (self.low, self.high) else { return false };
        low > high || (low == high && !(with_low && with_high))
    }

    pub(super) fn holds(&self, number: f64) -> bool {
        self.low.is_none_or(|(low, with)| number > low || (with && number == low))
            && self.high.is_none_or(|(high, with)| number < high || (with && number == high))
    }

    /// The numbers in it, where they are few: a single one, or whole ones (where it is to be `whole`).
    pub(super) fn numbers(&self, whole: bool) -> Option<Vec<f64>> {
        let (Some((low, with_low)), Some((high, with_high))) = (self.low, self.high) else { return None };
        if low == high {
            return Some(if with_low && with_high && (!whole || low.fract() == 0.0) { vec![low] } else { Vec::new() });
        }
        let first = if with_low { low.ceil() } else { low.floor() + 1.0 };
        let last = if with_high { high.floor() } else { high.ceil() - 1.0 };
        if !whole || last - first > FEW {
            return None;
        }
        Some(std::iter::successors(Some(first), |number| Some(number + 1.0)).take_while(|number| *number <= last).collect())
    }
}
