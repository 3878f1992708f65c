//! `/c/TOKEN` and `/o/TOKEN`: links and images in messages. Whoever follows one gets there at once, whatever becomes of counting it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{Pages, problem};
use crate::kernel::{Input, Tracked};
use crate::tokens::Purpose;
use crate::tracking::{HELD, is_machine};

/// A transparent pixel (GIF89a).
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What a header's address may not hold as it is (RFC 3986 section 2); whoever wrote the link may have.
const UNSAFE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

type Token = Result<Path<String>, PathRejection>;

pub async fn link(State(pages): State<Pages>, method: Method, token: Token, headers: HeaderMap) -> Response {
    let Some((message, url)) = token.ok().and_then(|Path(token)| pages.signer.open_link(&token)) else { return dead() };
    let lower = url.get(..8).unwrap_or_default().to_ascii_lowercase();
    let web = lower.starts_with("http://") || lower.starts_with("https://");
    let Some(location) = HeaderValue::from_str(&utf8_percent_encode(&url, UNSAFE).to_string()).ok().filter(|_| web) else {
        return dead();
    };
    if method == Method::GET {
        hold(&pages, Tracked { message, url: Some(url), machine: by_machine(&headers), at: pages.clock.now() });
    }
    (StatusCode::FOUND, [(header::LOCATION, location)]).into_response()
}

pub async fn image(State(pages): State<Pages>, method: Method, token: Token, headers: HeaderMap) -> Response {
    let Some(token) = token.ok().and_then(|Path(token)| pages.signer.open(Purpose::Open, &token)) else { return dead() };
    if method == Method::GET {
        record(&pages, Tracked { message: token.message, url: None, machine: by_machine(&headers), at: pages.clock.now() });
    }
    ([(header::CONTENT_TYPE, "image/gif")], PIXEL).into_response()
}

fn dead() -> Response {
    problem(StatusCode::NOT_FOUND, "not_found", "this link is incomplete or was not made here")
}

/// By what it calls itself, or because it says that nobody looks yet.
fn by_machine(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let ahead = |name: &str| text(name).is_some_and(|value| value.to_ascii_lowercase().contains("prefetch"));
    is_machine(text("user-agent")) || ["sec-purpose", "purpose", "x-moz", "x-purpose"].into_iter().any(ahead)
}

/// Waits a moment before the click is recorded: see [`crate::tracking::Bursts`].
fn hold(pages: &Pages, click: Tracked) {
    match pages.bursts.hold(click) {
        Err(click) => record(pages, click),
        Ok(held) => {
            let (pages, bursts) = (pages.clone(), Arc::clone(&pages.bursts));
            tokio::spawn(async move {
                tokio::time::sleep(HELD).await;
                if let Some(click) = bursts.release(&held) {
                    record(&pages, click);
                }
            });
        }
    }
}

/// Nobody waits for it; when too much waits already, it is not counted.
fn record(pages: &Pages, tracked: Tracked) {
    let fate = tracked.fate();
    if pages.mailbox.offer(vec![Input::Tracked(tracked)]).is_err() {
        pages.metrics.not_tracked();
        tracing::warn!(fate = fate.word(), "more comes in than can be stored: this was not counted");
    }
}
