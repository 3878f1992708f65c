//! The HTTP interface: health and metrics, the tracking API, enrolment, and the pages behind links in mails.
//!
//! Architecture invariant: nothing here touches the state; what comes in is handed to the kernel's thread as inputs, and answered when they are durable.

mod body;
mod bounces;
mod enroll;
mod followed;
mod guard;
mod members;
mod openapi;
mod pages;
mod plan;
mod problem;
mod rules;
mod serve;
mod tracking;
mod waiting;

pub use bounces::{Certificates, Fetch, FetchError, Fetching, HookError, Offline, Online};
pub use pages::Theme;
pub use plan::{LONGEST_PLAN, Planning};
pub use problem::Problem;
pub use rules::{InForce, Keys, Rules, RulesError};
pub use serve::serve;
pub use tracking::{Call, Moment, Notes, Rejected, Taken, read};

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use crate::clock::Clock;
use crate::daemon::{Figures, Health, Mailbox};
use crate::metrics::Metrics;
use crate::tokens::Signer;
use crate::tracking::Bursts;

/// The kernel's thread is taken to hang after this long without a sign of life.
const HANGS: Duration = Duration::from_secs(30);
/// How long a scrape waits for the kernel's thread.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the pages show and use.
#[derive(Clone)]
pub struct Pages {
    pub mailbox: Mailbox,
    pub health: Arc<Health>,
    pub metrics: Arc<Metrics>,
    pub rules: Arc<InForce>,
    /// The kernel's.
    pub clock: Arc<dyn Clock>,
    /// The kernel's: links lead on even when it is busy.
    pub signer: Signer,
    /// Clicks of the last moment.
    pub bursts: Arc<Bursts>,
    /// For webhooks that are signed with them.
    pub certificates: Arc<Certificates>,
    /// What plans are worked out from.
    pub planning: Arc<Planning>,
}

fn router(pages: Pages) -> Router {
    let calls = |call: Call| -> MethodRouter<Pages> {
        post(move |pages: State<Pages>, headers: HeaderMap, body: Body| tracking::take(pages, call, headers, body))
    };
    let guarded = Router::new()
        .route("/v1/identify", calls(Call::Identify))
        .route("/v1/track", calls(Call::Track))
        .route("/v1/page", calls(Call::Page))
        .route("/v1/screen", calls(Call::Screen))
        .route("/v1/group", calls(Call::Group))
        .route("/v1/alias", calls(Call::Alias))
        .route("/v1/batch", calls(Call::Batch))
        .route("/v1/import", calls(Call::Import))
        .route("/v1/workflows/{name}/enroll", post(enroll::enroll))
        .route("/v1/segments/{name}", post(members::change))
        .route("/v1/plan", post(plan::answer))
        .route_layer(axum::middleware::from_fn_with_state(pages.clone(), guard::admit));
    guarded
        .route("/v1/bounces/{name}", post(bounces::take))
        .route("/openapi.json", get(openapi::document))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/c/{token}", get(followed::link))
        .route("/o/{token}", get(followed::image))
        .merge(pages::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::map_response(hardened))
        .with_state(pages)
}

/// 200 while the process lives and its kernel's thread goes round.
async fn alive(State(pages): State<Pages>) -> Response {
    let silent = pages.health.since_beat();
    if silent < HANGS {
        return plain("ok\n");
    }
    let message = format!("the kernel's thread has given no sign of life for {} seconds", silent.as_secs());
    problem(StatusCode::SERVICE_UNAVAILABLE, "hangs", &message)
}

/// 200 while definitions are in force and the store works.
async fn ready(State(pages): State<Pages>) -> Response {
    match pages.health.trouble() {
        None => plain("ready\n"),
        Some(trouble) => problem(StatusCode::SERVICE_UNAVAILABLE, "not_ready", &trouble),
    }
}

async fn metrics(State(pages): State<Pages>) -> Response {
    let figures = pages.mailbox.ask(Figures::of).arrive();
    // When the kernel does not answer, what is known without it is worth more than nothing.
    match tokio::time::timeout(PATIENCE, figures).await {
        Ok(Ok(Ok(figures))) => pages.metrics.show(&figures),
        Ok(Ok(Err(error))) => tracing::warn!(%error, "metrics are shown without the store's figures"),
        Ok(Err(_)) | Err(_) => {
            tracing::warn!("metrics are shown without the store's figures: the kernel's thread does not answer")
        }
    }
    match pages.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the metrics cannot be written"),
    }
}

async fn unknown() -> Response {
    problem(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
}

async fn wrong_method(method: Method) -> Response {
    problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &format!("{method} is not answered at this address"))
}

fn plain(text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn problem(status: StatusCode, code: &'static str, message: &str) -> Response {
    Problem::new(status, code, message).into_response()
}

/// Headers that every answer carries. A policy of its own stays.
async fn hardened(mut response: Response) -> Response {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::clock::WallClock;
    use crate::daemon::mailbox;
    use crate::ingest::Expected;

    /// The pages of a runner whose kernel's thread has ended.
    #[track_caller]
    fn check(request: &str, status: &str, body: &str) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let files = dsl::ProjectFiles::from_texts([("campaignd.yaml", "project: shop\ntime_zone: UTC\n")]);
        let catalog = dsl::compile(&files).catalog.unwrap();
        let rules = Rules {
            expected: Expected::of(&catalog),
            keys: Keys::new(&[]),
            theme: Theme::of(&catalog),
            hooks: Default::default(),
        };
        let pages = Pages {
            mailbox: mailbox().0,
            health: Arc::default(),
            metrics: Arc::default(),
            rules: Arc::new(InForce::from_pointee(rules)),
            clock: Arc::new(WallClock),
            signer: Signer::new("secret"),
            bursts: Arc::default(),
            certificates: Arc::new(Certificates::new(Arc::new(Offline))),
            planning: Arc::new(Planning::of(None)),
        };
        runtime.spawn(serve(listener, pages));
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        assert!(answer.contains(body), "{answer}");
        assert!(answer.contains("x-content-type-options: nosniff"), "{answer}");
    }

    #[test]
    fn answers_each_address() {
        check("GET /healthz", "200", "ok");
        check("GET /readyz", "200", "ready");
        check("GET /metrics", "200", "campaignd_steps_total 0");
        check("GET /nope", "404", r#"{"code":"not_found","message":"#);
        check("POST /healthz", "405", r#"{"code":"method_not_allowed","message":"#);
    }
}
