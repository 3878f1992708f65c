//! `/v1/bounces/NAME`: what mail providers say became of messages. Each provider proves in its own way who it is; raw messages (`dsn`) come with a
//! write key. The answer is 200 when what was said is durable.

mod hooks;
mod mailgun;
mod postmark;
mod reading;
mod sendgrid;
mod ses;
mod sns;

pub use hooks::{Hook, HookError, Hooks};
pub use sns::{Certificates, Fetch, FetchError, Fetching, Offline, Online};

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::{Pages, body, guard, waiting};
use crate::kernel::Input;
use crate::returns::{Arrival, Notice, read_mail};

/// A request, and what it is held against.
struct Told<'a> {
    /// The webhook's name.
    name: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
    /// ms since 1970 UTC.
    now: i64,
}

pub async fn take(
    State(pages): State<Pages>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    name: Result<Path<String>, PathRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let hook = pages.rules.load().hooks.get(&name).cloned();
    let admitted = match &hook {
        None => {
            Err(Problem::new(StatusCode::NOT_FOUND, "unknown_webhook", "the settings name no such webhook (`bounces.webhooks`)"))
        }
        Some(Hook::Dsn) => guard::may(&pages.rules.load().keys, peer.ip(), &uri, &headers),
        Some(Hook::Postmark(key)) => key.admits(&headers),
        // These sign what they send.
        Some(Hook::Ses { .. } | Hook::Sendgrid(_) | Hook::Mailgun(_)) => Ok(()),
    };
    let body = match body::read(&headers, body, admitted.and_then(|()| waiting::possible(&pages))).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let told = Told { name: &name, headers: &headers, body: &body, now: pages.clock.now() };
    match heard(&pages, hook, &told).await {
        Ok(taken) => ([(header::CONTENT_TYPE, "application/json")], json!({ "taken": taken }).to_string()).into_response(),
        Err(problem) => {
            tracing::warn!(webhook = name, code = problem.code, "what came to a webhook is not taken: {}", problem.message);
            problem.into_response()
        }
    }
}

/// How many notices it held, all of them durable.
async fn heard(pages: &Pages, hook: Option<Hook>, told: &Told<'_>) -> Result<usize, Problem> {
    let notices = match hook {
        None => Vec::new(),
        Some(Hook::Dsn) => read_mail(told.body, &Arrival { source: told.name, vouched: true, recipient: None, now: told.now }),
        Some(Hook::Ses { topic }) => ses::read(told, &topic, &pages.certificates).await?,
        Some(Hook::Sendgrid(key)) => sendgrid::read(told, &key)?,
        Some(Hook::Mailgun(key)) => mailgun::read(told, &key)?,
        Some(Hook::Postmark(_)) => postmark::read(told)?,
    };
    let taken = notices.len();
    if taken > 0 {
        let inputs = notices.into_iter().map(Input::Returned).collect();
        waiting::durable(pages.mailbox.offer(inputs).map_err(waiting::full)?).await?;
    }
    Ok(taken)
}

/// A notice of which nothing is known yet but what it says.
fn notice(told: &Told<'_>, what: crate::returns::Came) -> Notice {
    Notice {
        token: None,
        message_id: None,
        channel: "email".to_owned(),
        address: None,
        what,
        status: None,
        detail: None,
        at: told.now,
        source: told.name.to_owned(),
        vouched: true,
    }
}

/// Wrong, or no, signature.
fn unsigned(words: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "wrong_signature", words)
}

#[cfg(test)]
mod tests;
