//! Waiting for the kernel's thread, and what is said when it takes nothing in.

use std::time::Duration;

use axum::http::StatusCode;

use super::Pages;
use super::problem::Problem;
use crate::daemon::{Answer, Full, Stopped};

/// How long an answer is waited for: as long as the most patient of the known clients wait.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// # Errors
/// 503 while the store cannot be used or the runner stops.
pub fn possible(pages: &Pages) -> Result<(), Problem> {
    match pages.health.trouble() {
        None => Ok(()),
        // What the store says of itself is for the log; it may name files.
        Some(_) => Err(Problem::unavailable("unavailable", "nothing can be stored at the moment; send it again in a while")),
    }
}

/// 429: too much waits already.
pub fn full(full: Full) -> Problem {
    Problem { retry_after: Some(1), ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", full.to_string()) }
}

/// # Errors
/// 503 when the kernel's thread has ended or does not answer.
pub async fn durable<T>(answer: Answer<T>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, answer.arrive()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(Stopped)) => Err(Problem::unavailable("stopping", "the runner is stopping; send it again when it is back")),
        Err(_) => Err(Problem::unavailable(
            "unavailable",
            "storing takes too long; send it again in a while (what has a messageId still counts once)",
        )),
    }
}
