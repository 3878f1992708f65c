//! What goes wrong with a request, in the one form that every answer has: `{"code","message","field"}`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The longest message, in characters: names of properties that the request gave may be part of it.
const LONGEST: usize = 500;

/// Never holds a value of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(skip)]
    pub status: StatusCode,
    /// A word for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Where in the body it is, as a path: `batch[3].userId`; `None` where it is about the whole.
    pub field: Option<String>,
    /// After how many seconds the same may be tried again.
    #[serde(skip)]
    pub retry_after: Option<u32>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Problem {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(LONGEST) {
            message.truncate(end);
            message.push('…');
        }
        Problem { status, code, message, field: None, retry_after: None }
    }

    /// Something about a field of the body: 400.
    pub fn at(field: impl Into<String>, code: &'static str, message: impl Into<String>) -> Problem {
        let mut field = field.into();
        if let Some((end, _)) = field.char_indices().nth(LONGEST) {
            field.truncate(end);
        }
        Problem { field: Some(field), ..Problem::new(StatusCode::BAD_REQUEST, code, message) }
    }

    /// Something about the body as a whole: 400.
    pub fn whole(code: &'static str, message: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 503: the same may be sent again after some seconds.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Problem {
        Problem { retry_after: Some(5), ..Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, message) }
    }

    /// The same problem of something that stands at this place of the body.
    pub fn within(mut self, place: &str) -> Problem {
        self.field = Some(match self.field {
            Some(field) => format!("{place}.{field}"),
            None => place.to_owned(),
        });
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Texts always become JSON.
        let body = serde_json::to_string(&self).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"campaignd\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
