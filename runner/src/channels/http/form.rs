//! The form of a request: its texts compiled, and filled in for one message after the other. The keys of a JSON body are no templates.

use dsl::model::{Call, DeliveryBody, HttpDelivery, Method as CallMethod};
use hyper::Method;
use hyper::header::HeaderName;
use serde_json::Value;

use super::HttpError;
use super::draft::{self, Body, Draft};
use crate::render::{Place, RenderError, Rendering, RequestText};

pub struct Form {
    /// Where it is written, for errors.
    name: String,
    method: Method,
    url: RequestText,
    headers: Vec<(HeaderName, RequestText)>,
    body: BodyForm,
}

enum BodyForm {
    Nothing,
    Json(Shape),
    Fields(Vec<(String, RequestText)>),
}

/// A JSON value, whose texts may be templates.
enum Shape {
    Text(RequestText),
    Fixed(Value),
    List(Vec<Shape>),
    Map(Vec<(String, Shape)>),
}

impl Form {
    /// Compiles a channel's request.
    ///
    /// # Errors
    /// A template that cannot be read.
    pub fn of_delivery(name: &str, delivery: &HttpDelivery) -> Result<Form, HttpError> {
        let headers = delivery.headers.iter().map(|(name, text)| (name.as_str(), text.0.as_str()));
        let body = match &delivery.body {
            DeliveryBody::Json(map) => BodyForm::Json(Shape::compile(name, &Value::Object(map.clone()))?),
            DeliveryBody::Form(fields) => {
                let field = |(field, text): (&String, &dsl::model::Secret)| Ok((field.clone(), value(name, &text.0)?));
                BodyForm::Fields(fields.iter().map(field).collect::<Result<_, RenderError>>()?)
            }
        };
        Form::compile(name, Method::POST, &delivery.url.0, headers, body)
    }

    /// Compiles a step's call.
    ///
    /// # Errors
    /// A template that cannot be read.
    pub fn of_call(name: &str, call: &Call) -> Result<Form, HttpError> {
        let method = match call.method {
            CallMethod::Post => Method::POST,
            CallMethod::Get => Method::GET,
            CallMethod::Put => Method::PUT,
            CallMethod::Patch => Method::PATCH,
            CallMethod::Delete => Method::DELETE,
        };
        let headers = call.headers.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let body = match &call.json {
            Some(map) => BodyForm::Json(Shape::compile(name, &Value::Object(map.clone()))?),
            None => BodyForm::Nothing,
        };
        Form::compile(name, method, &call.url, headers, body)
    }

    fn compile<'a>(
        name: &str,
        method: Method,
        url: &str,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: BodyForm,
    ) -> Result<Form, HttpError> {
        let header = |(header, text): (&str, &str)| {
            let known = HeaderName::from_bytes(header.as_bytes()).map_err(|_| HttpError::HeaderName(header.to_owned()))?;
            Ok((known, value(name, text)?))
        };
        Ok(Form {
            name: name.to_owned(),
            method,
            url: RequestText::compile(name, url, Place::Address)?,
            headers: headers.map(header).collect::<Result<_, HttpError>>()?,
            body,
        })
    }

    /// Fills it in. Headers are filled in from `header_data`, where that is given.
    ///
    /// # Errors
    /// Why the message fails: a value that is missing.
    pub fn draft(&self, data: &Value, header_data: Option<&Value>) -> Result<Draft, String> {
        self.filled(data, header_data).map_err(|error| error.to_string())
    }

    fn filled(&self, data: &Value, header_data: Option<&Value>) -> Result<Draft, RenderError> {
        let rendering = Rendering::new(&self.name, data);
        let own = header_data.map(|data| Rendering::new(&self.name, data));
        let for_headers = own.as_ref().unwrap_or(&rendering);
        let header = |(name, text): &(HeaderName, RequestText)| Ok((name.clone(), for_headers.text(text)?));
        let body = match &self.body {
            BodyForm::Nothing => Body::Nothing,
            BodyForm::Json(shape) => Body::Json(shape.filled(&rendering)?.to_string()),
            BodyForm::Fields(fields) => {
                let field = |(name, text): &(String, RequestText)| Ok((name.clone(), rendering.text(text)?));
                let filled: Vec<(String, String)> = fields.iter().map(field).collect::<Result<_, RenderError>>()?;
                Body::Form(draft::form(filled.iter().map(|(name, text)| (name.as_str(), text.as_str()))))
            }
        };
        Ok(Draft {
            method: self.method.clone(),
            url: rendering.text(&self.url)?,
            headers: self.headers.iter().map(header).collect::<Result<_, RenderError>>()?,
            body,
        })
    }
}

fn value(name: &str, text: &str) -> Result<RequestText, RenderError> {
    RequestText::compile(name, text, Place::Value)
}

impl Shape {
    fn compile(name: &str, written: &Value) -> Result<Shape, RenderError> {
        Ok(match written {
            Value::String(text) if text.contains("{{") => Shape::Text(value(name, text)?),
            Value::Array(items) => Shape::List(items.iter().map(|item| Shape::compile(name, item)).collect::<Result<_, _>>()?),
            Value::Object(map) => {
                let member = |(key, value): (&String, &Value)| Ok((key.clone(), Shape::compile(name, value)?));
                Shape::Map(map.iter().map(member).collect::<Result<_, RenderError>>()?)
            }
            fixed => Shape::Fixed(fixed.clone()),
        })
    }

    fn filled(&self, rendering: &Rendering<'_>) -> Result<Value, RenderError> {
        Ok(match self {
            Shape::Text(text) => Value::String(rendering.text(text)?),
            Shape::Fixed(value) => value.clone(),
            Shape::List(items) => Value::Array(items.iter().map(|item| item.filled(rendering)).collect::<Result<_, _>>()?),
            Shape::Map(members) => {
                let member = |(key, shape): &(String, Shape)| Ok((key.clone(), shape.filled(rendering)?));
                Value::Object(members.iter().map(member).collect::<Result<_, RenderError>>()?)
            }
        })
    }
}
