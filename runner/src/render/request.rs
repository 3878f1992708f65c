//! The texts of a request: addresses, headers and values, compiled once and rendered for one message after the other.

use std::sync::OnceLock;

use handlebars::{Context, Handlebars, Template};
use serde_json::Value;

use super::prepare::{self, Format};
use super::{RenderError, Run, registry, without_nulls};

/// Where a text stands, which decides what data may not do to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Data is percent-encoded, but for an expression at the very beginning: that is the address itself.
    Address,
    /// A header, or a value that is encoded once it is whole.
    Value,
}

/// One text, compiled.
pub struct RequestText {
    template: Template,
    place: Place,
}

impl RequestText {
    /// Compiles a text. `name` says in errors where it is written.
    ///
    /// # Errors
    /// When Handlebars cannot read it.
    pub fn compile(name: &str, source: &str, place: Place) -> Result<RequestText, RenderError> {
        let whole = (place == Place::Address).then(|| address_itself(source)).flatten();
        let template = prepare::message(whole.as_deref().unwrap_or(source), Format::Text);
        let template = template.map_err(|reason| RenderError::Invalid { template: name.to_owned(), reason })?;
        Ok(RequestText { template, place })
    }
}

/// `{{x}}/path` with three braces: data at the beginning of an address is not encoded.
fn address_itself(source: &str) -> Option<String> {
    let (expression, rest) = source.strip_prefix("{{")?.split_once("}}")?;
    let plain = !expression.starts_with(['{', '#', '!', '&', '>', '~', '^', '/']);
    plain.then(|| format!("{{{{{{{expression}}}}}}}{rest}"))
}

/// The texts of one request being made.
pub struct Rendering<'a>(Run<'a>);

impl<'a> Rendering<'a> {
    /// `name` says in errors whose request it is. A null in the data counts as missing.
    pub fn new(name: &'a str, data: &Value) -> Rendering<'a> {
        Rendering(Run { template: name, context: Context::from(without_nulls(data)) })
    }

    /// # Errors
    /// When a value is missing, or the text gets too long.
    pub fn text(&self, text: &RequestText) -> Result<String, RenderError> {
        static ADDRESSES: OnceLock<Handlebars<'static>> = OnceLock::new();
        static VALUES: OnceLock<Handlebars<'static>> = OnceLock::new();
        let (registry, part) = match text.place {
            Place::Address => (ADDRESSES.get_or_init(registry::address), "address"),
            Place::Value => (VALUES.get_or_init(registry::text), "request"),
        };
        self.0.part(registry, &text.template, part)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(source: &str, place: Place, expected: Result<&str, &str>) {
        let data = json!({
            "to": "+49 1/2?x=ü&y", "hook": "https://x.example/a b?c=d", "n": 7, "none": null, "code": "a\r\nX: y\u{0}",
        });
        let made = RequestText::compile("sms", source, place).and_then(|text| Rendering::new("sms", &data).text(&text));
        match (made, expected) {
            (Ok(made), Ok(expected)) => assert_eq!(made, expected, "{source}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{source}: {error}"),
            (made, _) => panic!("{source} gives {made:?}, not {expected:?}"),
        }
    }

    #[test]
    fn data_stays_in_its_place() {
        use Place::{Address, Value};
        check("https://x.example/{{to}}?n={{n}}", Address, Ok("https://x.example/%2B49%201%2F2%3Fx%3D%C3%BC%26y?n=7"));
        check("{{hook}}&to={{to}}", Address, Ok("https://x.example/a b?c=d&to=%2B49%201%2F2%3Fx%3D%C3%BC%26y"));
        check("https://{{hook}}", Address, Ok("https://https%3A%2F%2Fx.example%2Fa%20b%3Fc%3Dd"));
        check("https://x.example/{{upper to}}", Address, Ok("https://x.example/%2B49%201%2F2%3FX%3D%C3%9C%26Y"));
        check("Bearer {{to}} \"<&>\"", Value, Ok("Bearer +49 1/2?x=ü&y \"<&>\""));
        check("{{n}}", Value, Ok("7"));
        check("{{default none \"-\"}}", Value, Ok("-"));
        check("{{none}}", Value, Err("`none` is missing in the request of the template `sms`"));
        check("x/{{none}}", Address, Err("`none` is missing in the address"));
        check("{{nope \"x\"}}", Value, Err("there is no helper `nope`"));
        check("{{", Value, Err("can't be compiled"));
        check("{{code}}", Value, Ok("a\r\nX: y"));
    }
}
