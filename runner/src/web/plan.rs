//! `/v1/plan`: what a project's definitions would change in this runner's store. It is read beside the kernel, and nothing is changed.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::problem::Problem;
use super::{Pages, body};
use crate::changes::{self, Candidate, Report};
use crate::store::{SqliteStore, StoreError};

/// The longest project that is planned for, in bytes of JSON.
pub const LONGEST_PLAN: usize = 32 * 1024 * 1024;

/// What plans are worked out from: one at a time, since each goes through all runs and may go through all contacts.
pub struct Planning {
    /// `None`: there is no store that could be read from outside.
    store: Option<PathBuf>,
    turn: Semaphore,
}

impl Planning {
    pub fn of(store: Option<PathBuf>) -> Planning {
        Planning { store, turn: Semaphore::new(1) }
    }
}

pub async fn answer(State(pages): State<Pages>, headers: HeaderMap, body: Body) -> Response {
    match planned(&pages, &headers, body).await {
        Ok(answer) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn planned(pages: &Pages, headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    let permit = pages.planning.turn.try_acquire();
    let busy = || Problem::new(StatusCode::TOO_MANY_REQUESTS, "busy", "another plan is being worked out; ask again in a while");
    let body = body::read_up_to(headers, body, permit.as_ref().map(drop).map_err(|_| busy()), LONGEST_PLAN).await?;
    let Some(store) = pages.planning.store.clone() else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "no_store", "this runner keeps no store that could be planned with"));
    };
    let candidate: Candidate = serde_json::from_str(body::text(&body)?)
        .map_err(|error| Problem::whole("invalid", format!("this is no project of this version of campaignd: {error}")))?;
    let catalog = candidate.catalog().map_err(|error| Problem::whole("invalid", error.to_string()))?;
    let catalog = Arc::new(catalog);
    let now = pages.clock.now();
    let work = move || -> Result<Report, StoreError> {
        SqliteStore::read_at_one_moment(&store, |store| changes::plan(Some(store), &catalog, now))
    };
    let unavailable = || Problem::unavailable("unavailable", "the store cannot be read at the moment; ask again in a while");
    let report = match tokio::task::spawn_blocking(work).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => {
            tracing::error!(%error, "no plan could be made");
            return Err(unavailable());
        }
        Err(_) => return Err(unavailable()),
    };
    drop(permit);
    // Texts and numbers always become JSON.
    Ok(serde_json::to_string(&report).unwrap_or_default())
}
