//! The page behind the unsubscribe link. Looking at it changes nothing, because scanners follow links; the buttons, and the mail program's one
//! click (RFC 8058), do.

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Pages, problem};
use crate::tokens::Purpose;
use crate::ingest::{Occurrence, What};
use crate::kernel::Input;

/// The topic that a link is about, as people know it.
struct Asked {
    /// The contact's uid.
    contact: String,
    /// Name and title.
    topic: Option<(String, String)>,
    now: i64,
}

pub async fn page(State(pages): State<Pages>, Path(token): Path<String>) -> Response {
    match asked(&pages, token).await {
        Ok(asked) => html(StatusCode::OK, "Unsubscribe", &buttons(&asked)),
        Err(response) => response,
    }
}

/// Without a word about which (the mail program's one click): the topic that the mail was about.
pub async fn act(State(pages): State<Pages>, Path(token): Path<String>, body: String) -> Response {
    let asked = match asked(&pages, token).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let everything = body.split('&').any(|field| field == "from=all");
    let topic = asked.topic.as_ref().filter(|_| !everything);
    let what = What::Unsubscribe(topic.map_or("all", |(name, _)| name).to_owned());
    let occurrence = Occurrence { at: asked.now, contact: asked.contact, anonymous: false, what };
    // The answer is given once it is durable: what begins to be sent after it knows.
    if pages.mailbox.send_and_wait(vec![Input::Occurrence(occurrence)]).arrive().await.is_err() {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the runner is stopping; try again in a minute");
    }
    let from = topic.map_or_else(|| "all our mails".to_owned(), |(_, title)| format!("“{}”", escaped(title)));
    html(StatusCode::OK, "Unsubscribed", &format!("<p>You are unsubscribed from {from}. You need do nothing more.</p>"))
}

async fn asked(pages: &Pages, token: String) -> Result<Asked, Response> {
    let found = pages.mailbox.ask(move |kernel, now| {
        let opened = kernel.open_token(Purpose::Preferences, &token)?;
        let topics = &kernel.plan().catalog.settings.topics;
        Ok::<_, crate::store::StoreError>(opened.map(|(token, contact)| {
            let title = |name: String| {
                let title = topics.get(&name).and_then(|topic| topic.title.clone()).unwrap_or_else(|| name.clone());
                (name, title)
            };
            Asked { contact, topic: token.topic.map(title), now }
        }))
    });
    match found.arrive().await {
        Ok(Ok(Some(asked))) => Ok(asked),
        Ok(Ok(None)) => {
            let text = "<p>This link is incomplete or no longer valid. Please use the link in our latest mail to you.</p>";
            Err(html(StatusCode::NOT_FOUND, "This link does not work", text))
        }
        Ok(Err(_)) | Err(_) => {
            Err(problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the store does not answer; try again in a minute"))
        }
    }
}

fn buttons(asked: &Asked) -> String {
    let button =
        |from: &str, text: &str| format!("<form method=\"post\"><button name=\"from\" value=\"{from}\">{text}</button></form>");
    let topic = asked.topic.as_ref().map(|(_, title)| button("topic", &format!("Unsubscribe from “{}”", escaped(title))));
    format!(
        "<p>Which mails do you no longer want?</p>{}{}",
        topic.unwrap_or_default(),
        button("all", "Unsubscribe from all our mails")
    )
}

fn html(status: StatusCode, title: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;\
         margin:12vh auto;padding:0 1rem;color:#1d2733;background:#fff}}button{{font:inherit;padding:.7rem 1.2rem;margin:.4rem 0;border:2px solid #1d2733;\
         border-radius:.5rem;background:#fff;color:inherit;cursor:pointer}}button:focus-visible{{outline:3px solid #2f6fed;outline-offset:2px}}</style>\
         </head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
