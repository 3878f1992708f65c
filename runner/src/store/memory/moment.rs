//! A time that may be missing, in the space of one.

/// ms since 1970 UTC; the earliest of all times stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment(i64);

impl Moment {
    pub(super) fn get(self) -> Option<i64> {
        (self.0 != i64::MIN).then_some(self.0)
    }
}

impl From<Option<i64>> for Moment {
    fn from(at: Option<i64>) -> Moment {
        Moment(at.unwrap_or(i64::MIN))
    }
}
