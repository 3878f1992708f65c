//! Durations as written: "2 days", "1 hour 30 minutes", "90m", "P2D".

use serde::{Deserialize, Serialize};

/// A span of exact time in milliseconds; `2 days` is 48 hours. May be negative where the language allows it (offsets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(pub i64);

impl Duration {
    pub const SECOND: Duration = Duration(1_000);
    pub const MINUTE: Duration = Duration(60_000);
    pub const HOUR: Duration = Duration(3_600_000);
    pub const DAY: Duration = Duration(86_400_000);

    pub fn millis(self) -> i64 {
        self.0
    }

    pub fn parse(_text: &str) -> Result<Duration, DurationError> {
        Err(DurationError(String::new()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DurationError(pub String);
