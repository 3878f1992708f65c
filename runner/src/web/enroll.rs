//! `/v1/workflows/NAME/enroll`: lets a contact enter a workflow that has a manual trigger.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::problem::Problem;
use super::{Pages, body, waiting};
use crate::ingest::json;
use crate::kernel::{Enrolment, NotEnrolled};

/// The longest Idempotency-Key, in characters.
pub const LONGEST_KEY: usize = 255;
/// The header's name, as errors show it.
const KEY: &str = "Idempotency-Key";

pub async fn enroll(
    State(pages): State<Pages>,
    workflow: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match enrolled(&pages, workflow, &headers, body).await {
        Ok(answer) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn enrolled(
    pages: &Pages,
    workflow: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<String, Problem> {
    let body = body::read(headers, body, waiting::possible(pages)).await?;
    let Ok(Path(workflow)) = workflow else { return Err(refusal(NotEnrolled::NoWorkflow)) };
    let key = key(headers)?;
    let (contact, with) = asked(body::text(&body)?)?;
    let answer = pages.mailbox.enroll(Enrolment { workflow, contact, with, key }).map_err(waiting::full)?;
    let enrolled = waiting::durable(answer).await?.map_err(|error| {
        tracing::error!(%error, "somebody could not be enrolled");
        Problem::unavailable("unavailable", "nothing can be stored at the moment; send it again in a while")
    })?;
    // Texts always become JSON.
    enrolled.map(|enrolled| serde_json::to_string(&enrolled).unwrap_or_default()).map_err(refusal)
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()));
    let words = format!("`{KEY}` must have 1 to {LONGEST_KEY} characters: visible ones of ASCII");
    key.map(|key| Some(key.to_owned())).ok_or_else(|| Problem::at(KEY, "invalid", words))
}

/// The contact's id and the data.
fn asked(body: &str) -> Result<(String, Map<String, Value>), Problem> {
    let value = json::parse(body).map_err(|words| Problem::whole("invalid_json", words))?;
    let Value::Object(mut fields) = value else { return Err(Problem::whole("invalid", "there must be a JSON object here")) };
    let contact = match fields.remove("contact") {
        Some(Value::String(contact)) if !contact.is_empty() => contact,
        None | Some(Value::Null) => return Err(Problem::at("contact", "missing", "there must be a `contact`: its id")),
        Some(_) => return Err(Problem::at("contact", "invalid", "`contact` must be a text, and not empty")),
    };
    let with = match fields.remove("with") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(with)) => with,
        Some(_) => return Err(Problem::at("with", "invalid", "`with` must be an object")),
    };
    match fields.keys().next() {
        Some(name) => {
            let words = format!("{} does not belong here; there are `contact` and `with`", json::shown(name));
            Err(Problem::at(name, "invalid", words))
        }
        None => Ok((contact, with)),
    }
}

fn refusal(why: NotEnrolled) -> Problem {
    let (status, code) = match why {
        NotEnrolled::NoWorkflow => (StatusCode::NOT_FOUND, "unknown_workflow"),
        NotEnrolled::NoContact => (StatusCode::NOT_FOUND, "unknown_contact"),
        NotEnrolled::NotManual => (StatusCode::CONFLICT, "not_manual"),
        NotEnrolled::Draft => (StatusCode::CONFLICT, "draft"),
        NotEnrolled::Paused => (StatusCode::CONFLICT, "paused"),
        NotEnrolled::Closed => (StatusCode::CONFLICT, "closed"),
        NotEnrolled::KeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "key_reused"),
    };
    Problem::new(status, code, why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<(&str, &str), &str>) {
        let asked = asked(body).map(|(contact, with)| (contact, Value::Object(with).to_string()));
        let shown = asked.map_err(|problem| format!("{} {}", problem.code, problem.field.unwrap_or_default()));
        let expected = expected.map(|(contact, with)| (contact.to_owned(), with.to_owned())).map_err(str::to_owned);
        assert_eq!(shown, expected, "{body}");
    }

    #[test]
    fn takes_a_contact_and_perhaps_data() {
        check(r#"{"contact":"ada"}"#, Ok(("ada", "{}")));
        check(r#"{"contact":"ada","with":null}"#, Ok(("ada", "{}")));
        check(r#"{"contact":"ada","with":{"plan":"pro"}}"#, Ok(("ada", r#"{"plan":"pro"}"#)));
        check("{}", Err("missing contact"));
        check(r#"{"contact":7}"#, Err("invalid contact"));
        check(r#"{"contact":""}"#, Err("invalid contact"));
        check(r#"{"contact":"ada","with":[]}"#, Err("invalid with"));
        check(r#"{"contact":"ada","whit":{}}"#, Err("invalid whit"));
        check(r#"{"contact":"ada","contact":"bo"}"#, Err("invalid_json "));
        check("[]", Err("invalid "));
        check("", Err("invalid_json "));
    }
}
