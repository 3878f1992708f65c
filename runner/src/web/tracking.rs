//! The tracking API: `/v1/identify`, `track`, `page`, `screen`, `group`, `alias`, `batch` and `import`, as Segment's HTTP tracking spec has them, so
//! that its clients work unchanged. An answer of 200 is given once what was taken is durable.

mod halves;
mod reading;
#[cfg(test)]
mod tests;
mod wire;

pub use reading::{Call, Moment, Notes, Rejected, Taken, read};
pub(super) use reading::{EXACT, LONGEST_ID};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Problem;
use super::{Pages, body, waiting};

/// What a batch is answered.
#[derive(Serialize)]
struct Answer<'a> {
    success: bool,
    rejected: &'a [Rejected],
}

pub async fn take(State(pages): State<Pages>, call: Call, headers: HeaderMap, body: Body) -> Response {
    match taken(&pages, call, &headers, body).await {
        Ok(answer) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn taken(pages: &Pages, call: Call, headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let body = body::read(headers, body, waiting::possible(pages)).await?;
    let text = body::text(&body)?;
    let rules = pages.rules.load();
    let mut notes = Notes::default();
    let taken = read(call, text, Moment { now: pages.clock.now(), expected: &rules.expected }, &mut notes);
    drop(rules);
    drop(body);
    report(pages, &notes);
    let Taken { inputs, rejected } = taken?;
    let answer = pages.mailbox.offer(inputs).map_err(waiting::full)?;
    waiting::durable(answer).await?;
    Ok(match call {
        // Numbers and texts always become JSON.
        Call::Batch | Call::Import => serde_json::to_string(&Answer { success: true, rejected: &rejected }).unwrap_or_default(),
        _ => r#"{"success":true}"#.to_owned(),
    })
}

/// Says once for a request what is odd about its data.
fn report(pages: &Pages, notes: &Notes) {
    for (kind, number) in [("contact", notes.contacts), ("event", notes.events)] {
        if number > 0 {
            pages.metrics.contract_broken(kind, number);
            tracing::warn!(
                kind,
                number,
                "what came in over HTTP breaks the data contract; `invalid_data` says what becomes of it"
            );
        }
    }
    if let Some(first) = notes.warnings.first() {
        tracing::warn!(number = notes.warnings.len(), "of what came in over HTTP: {first}");
    }
}
