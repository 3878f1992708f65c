//! `/v1/segments/NAME`: puts contacts on the list of a static segment, and takes them off it.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::problem::Problem;
use super::{Pages, body, waiting};
use crate::ingest::json;
use crate::kernel::{Members, NoList};

pub async fn change(
    State(pages): State<Pages>,
    segment: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match changed(&pages, segment, &headers, body).await {
        Ok(answer) => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], answer).into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn changed(
    pages: &Pages,
    segment: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
    body: Body,
) -> Result<String, Problem> {
    let body = body::read(headers, body, waiting::possible(pages)).await?;
    let Ok(Path(segment)) = segment else { return Err(refusal(NoList::NoSegment)) };
    let members = Members { segment, ..asked(body::text(&body)?)? };
    let answer = pages.mailbox.change_members(members).map_err(waiting::full)?;
    let changed = waiting::durable(answer).await?.map_err(|error| {
        tracing::error!(%error, "the members of a segment could not be changed");
        Problem::unavailable("unavailable", "nothing can be stored at the moment; send it again in a while")
    })?;
    // Texts always become JSON.
    changed.map(|changed| serde_json::to_string(&changed).unwrap_or_default()).map_err(refusal)
}

fn asked(body: &str) -> Result<Members, Problem> {
    let value = json::parse(body).map_err(|words| Problem::whole("invalid_json", words))?;
    let Value::Object(mut fields) = value else { return Err(Problem::whole("invalid", "there must be a JSON object here")) };
    let mut ids = |name: &str| match fields.remove(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(ids)) => {
            let text = |(place, id): (usize, Value)| match id {
                Value::String(id) if !id.is_empty() => Ok(id),
                _ => Err(Problem::at(format!("{name}[{place}]"), "invalid", "a contact's id must be a text, and not empty")),
            };
            ids.into_iter().enumerate().map(text).collect()
        }
        Some(_) => Err(Problem::at(name, "invalid", format!("`{name}` must be a list of contacts' ids"))),
    };
    let members = Members { segment: String::new(), add: ids("add")?, remove: ids("remove")? };
    match fields.keys().next() {
        Some(name) => {
            let words = format!("{} does not belong here; there are `add` and `remove`", json::shown(name));
            Err(Problem::at(name, "invalid", words))
        }
        None if members.add.is_empty() && members.remove.is_empty() => {
            Err(Problem::whole("missing", "there must be an id under `add` or `remove`"))
        }
        None => Ok(members),
    }
}

fn refusal(why: NoList) -> Problem {
    let (status, code) = match why {
        NoList::NoSegment => (StatusCode::NOT_FOUND, "unknown_segment"),
        NoList::Dynamic => (StatusCode::CONFLICT, "dynamic"),
    };
    Problem::new(status, code, why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: &str, expected: Result<(&[&str], &[&str]), &str>) {
        let asked = asked(body).map(|members| (members.add, members.remove));
        let shown = asked.map_err(|problem| format!("{} {}", problem.code, problem.field.unwrap_or_default()));
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        let expected = expected.map(|(add, remove)| (texts(add), texts(remove))).map_err(str::to_owned);
        assert_eq!(shown, expected, "{body}");
    }

    #[test]
    fn takes_ids_to_add_and_to_remove() {
        check(r#"{"add":["ada","bo"]}"#, Ok((&["ada", "bo"], &[])));
        check(r#"{"add":null,"remove":["bo"]}"#, Ok((&[], &["bo"])));
        check("{}", Err("missing "));
        check(r#"{"add":[]}"#, Err("missing "));
        check(r#"{"add":"ada"}"#, Err("invalid add"));
        check(r#"{"add":["ada",7]}"#, Err("invalid add[1]"));
        check(r#"{"remove":[""]}"#, Err("invalid remove[0]"));
        check(r#"{"add":["ada"],"set":[]}"#, Err("invalid set"));
        check("[]", Err("invalid "));
        check("", Err("invalid_json "));
    }
}
