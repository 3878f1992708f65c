//! The pages behind the links in mails: unsubscribing, preferences, confirming. For people, in their language, without scripts, cookies or a word about
//! whose page it is.
//!
//! Looking at a page changes nothing, because scanners and previews follow links; sending its form does, and so does a mail program's one click
//! (RFC 8058). A change is answered once it is durable: what begins to be sent after the answer knows of it.

mod confirm;
mod form;
mod preferences;
#[cfg(test)]
mod tests;
mod texts;
mod theme;
mod unsubscribe;

pub use theme::Theme;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use handlebars::html_escape;
use tokio::sync::Semaphore;

use self::form::Form;
use self::texts::Texts;
use super::{Pages, body, waiting};
use crate::kernel::{ConsentChange, Input, Preferences, TopicState};
use crate::state::Said;
use crate::tokens::Purpose;

/// How many changes may be under way at once, also for people who no longer wait for them.
static UNDER_WAY: Semaphore = Semaphore::const_new(256);

/// No scripts, no frames, nothing from elsewhere but images, for a project's own layout.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

type Token = Result<Path<String>, PathRejection>;

pub fn routes() -> Router<Pages> {
    let unsubscribe = get(|pages, token, headers| show(pages, token, headers, Purpose::Preferences, unsubscribe::page));
    let unsubscribe = unsubscribe.post(|pages, token, headers, body| {
        act(pages, token, headers, body, Purpose::Preferences, unsubscribe::read, unsubscribe::done)
    });
    let preferences = get(|pages, token, headers| show(pages, token, headers, Purpose::Preferences, preferences::page));
    let preferences = preferences.post(|pages, token, headers, body| {
        act(pages, token, headers, body, Purpose::Preferences, preferences::read, preferences::done)
    });
    let confirm = get(|pages, token, headers| show(pages, token, headers, Purpose::Confirm, confirm::page));
    let confirm = confirm
        .post(|pages, token, headers, body| act(pages, token, headers, body, Purpose::Confirm, confirm::read, confirm::done));
    Router::new().route("/u/{token}", unsubscribe).route("/preferences/{token}", preferences).route("/confirm/{token}", confirm)
}

/// A page: the document's title, and the HTML of what stands in it.
struct Page {
    status: StatusCode,
    title: String,
    content: String,
}

impl Page {
    /// A page whose title is its heading as well.
    fn new(title: &str, content: impl Into<String>) -> Page {
        Page { status: StatusCode::OK, title: title.to_owned(), content: format!("<h1>{title}</h1>\n{}", content.into()) }
    }
}

/// Whoever asks for a page, and how they are talked to.
struct Visit {
    texts: &'static Texts,
    /// The project's language, in which topics' titles are written.
    written_in: String,
    found: Preferences,
}

impl Visit {
    /// A text about a topic, as HTML.
    fn about(&self, text: &str, topic: &TopicState) -> String {
        html_escape(text).replace("{topic}", &self.written(&topic.title))
    }

    /// A text of the project's, as HTML; screen readers are told where it is in another language than the page.
    fn written(&self, text: &str) -> String {
        match texts::of(&self.written_in) {
            Some(same) if same == self.texts => html_escape(text),
            _ => format!("<span lang=\"{}\">{}</span>", html_escape(&self.written_in), html_escape(text)),
        }
    }

    /// The way to the page where topics are chosen.
    fn way_to_preferences(&self) -> String {
        format!("<p><a href=\"../preferences/{}\">{}</a></p>", self.found.token, html_escape(self.texts.choose))
    }
}

/// What keeps a page from being shown.
enum Trouble {
    /// The link is forged, cut, or of somebody who is gone.
    Dead,
    Busy,
    Unavailable,
}

/// What somebody who sent a form wants.
struct Wish {
    said: Vec<(String, Said)>,
    source: &'static str,
}

async fn show(
    State(pages): State<Pages>,
    token: Token,
    headers: HeaderMap,
    purpose: Purpose,
    page: impl FnOnce(&Visit) -> Page + Send,
) -> Response {
    let found = look_up(&pages, purpose, &token).await;
    answer(&pages, &headers, found.map(|found| (found, |visit: &Visit| page(visit))))
}

/// `read` says what a form means, `done` makes the page that comes after it, of how things stood before and stand now.
async fn act(
    State(pages): State<Pages>,
    token: Token,
    headers: HeaderMap,
    body: Body,
    purpose: Purpose,
    read: fn(&Form, &Preferences) -> Wish,
    done: fn(&Visit, &Preferences, &Form) -> Page,
) -> Response {
    let sent = body::read(&headers, body, waiting::possible(&pages)).await;
    let form = match &sent {
        Ok(sent) => {
            let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            Form::read(kind, &String::from_utf8_lossy(sent))
        }
        Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE => {
            return answer::<fn(&Visit) -> Page>(&pages, &headers, Err(Trouble::Unavailable));
        }
        Err(problem) => return problem.clone().into_response(),
    };
    let result = async {
        let before = look_up(&pages, purpose, &token).await?;
        let wish = read(&form, &before);
        if wish.said.is_empty() {
            return Ok((before.clone(), before));
        }
        let change = ConsentChange {
            contact: before.contact.clone(),
            said: wish.said,
            at: before.now,
            source: wish.source,
            message: Some(before.message),
        };
        make(&pages, change).await?;
        let after = look_up(&pages, purpose, &token).await?;
        Ok((before, after))
    };
    let result = result.await.map(|(before, after)| (after, move |visit: &Visit| done(visit, &before, &form)));
    answer(&pages, &headers, result)
}

async fn look_up(pages: &Pages, purpose: Purpose, token: &Token) -> Result<Preferences, Trouble> {
    let Ok(Path(token)) = token else { return Err(Trouble::Dead) };
    let token = token.clone();
    let found = pages.mailbox.ask(move |kernel, now| kernel.preferences(purpose, &token, now));
    match waiting::durable(found).await {
        Ok(Ok(Some(found))) => Ok(found),
        Ok(Ok(None)) => Err(Trouble::Dead),
        Ok(Err(error)) => {
            tracing::error!(%error, "a page could not be shown");
            Err(Trouble::Unavailable)
        }
        Err(_) => Err(Trouble::Unavailable),
    }
}

/// Makes a change, and comes back when it is durable. It is made even if nobody waits for it any more.
async fn make(pages: &Pages, change: ConsentChange) -> Result<(), Trouble> {
    let Ok(place) = UNDER_WAY.try_acquire() else { return Err(Trouble::Busy) };
    let answer = pages.mailbox.send_and_wait(vec![Input::Consent(change)]);
    let made = tokio::spawn(async move {
        let made = answer.arrive().await;
        drop(place);
        made
    });
    match tokio::time::timeout(waiting::PATIENCE, made).await {
        Ok(Ok(Ok(()))) => Ok(()),
        _ => Err(Trouble::Unavailable),
    }
}

fn answer<P: FnOnce(&Visit) -> Page>(pages: &Pages, headers: &HeaderMap, result: Result<(Preferences, P), Trouble>) -> Response {
    let rules: Arc<_> = pages.rules.load_full();
    let theme = &rules.theme;
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
    let locale = result.as_ref().ok().and_then(|(found, _)| found.locale.clone());
    let texts = texts::choose(locale.as_deref(), accepted, &theme.locale);
    let (page, wait) = match result {
        Ok((found, page)) => (page(&Visit { texts, written_in: theme.locale.clone(), found }), None),
        Err(trouble) => trouble.page(texts),
    };
    let document = theme.around(texts, &page.title, &page.content);
    let mut response = (page.status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], document).into_response();
    let more = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow")),
        (header::CONTENT_LANGUAGE, HeaderValue::from_static(texts.lang)),
    ];
    response.headers_mut().extend(more.map(|(name, value)| (name, value)));
    if let Some(seconds) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

impl Trouble {
    /// The page, and after how many seconds it may be different.
    fn page(&self, texts: &Texts) -> (Page, Option<u32>) {
        let (status, title, text, wait) = match self {
            Trouble::Dead => (StatusCode::NOT_FOUND, texts.dead, texts.dead_means, None),
            Trouble::Busy => (StatusCode::TOO_MANY_REQUESTS, texts.later, texts.later_means, Some(1)),
            Trouble::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, texts.later, texts.later_means, Some(5)),
        };
        (Page { status, ..Page::new(title, format!("<p>{text}</p>")) }, wait)
    }
}

/// A form of one button.
fn button(name: &str, value: &str, text: &str, second: bool) -> String {
    let class = if second { " class=\"second\"" } else { "" };
    format!("<form method=\"post\"><button name=\"{name}\" value=\"{value}\"{class}>{text}</button></form>\n")
}

/// What became of what somebody did.
fn status(html: &str) -> String {
    format!("<p class=\"status\" role=\"status\">{html}</p>\n")
}
