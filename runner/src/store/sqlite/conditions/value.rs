//! Tests of one value, as SQL: fields, attributes, traits, an event's properties and consents.
//!
//! Columns of JSON are written by one hand (serde_json), so equal texts in them are equal bytes; that also tells `"5"` from 5.

use dsl::model::{Path, Predicate};
use serde_json::Value;

use super::compile::Compiler;
use super::expression::{Cost, Expression};
use super::functions::{Source, Test};
use crate::audience::{BUILT_IN, meets_all};

/// Below it every whole number has a floating-point number of its own, and SQLite compares the two as the check in memory does.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// A list of values that is longer is handed over as one parameter: thousands of them take SQLite long to tell apart.
const FEW: usize = 8;

/// Values in a column of JSON.
struct Place {
    column: String,
    /// The placeholder of the JSON path.
    path: String,
}

impl Compiler<'_, '_> {
    pub(super) fn contact_value(&mut self, path: &Path, tests: &[Predicate]) -> Expression {
        let Some((first, rest)) = path.keys.split_first() else { return self.missing(tests) };
        if BUILT_IN.contains(&first.as_str()) {
            return if rest.is_empty() { self.field(path, first, tests) } else { self.missing(tests) };
        }
        let whole = |compiler: &mut Self| compiler.by_function(path, tests, Source::Contact, "c.attributes, c.traits");
        let (Some(first_path), Some(whole_path)) = (json_path(&path.keys[..1]), json_path(&path.keys)) else {
            return whole(self);
        };
        let attribute = Place { column: "c.attributes".to_owned(), path: self.param(whole_path) };
        let Some(as_attribute) = self.in_json(&attribute, tests, &whole) else { return whole(self) };
        let worked_out = Place { column: "c.traits".to_owned(), path: self.param(first_path) };
        let as_trait = if rest.is_empty() { self.in_json(&worked_out, tests, &whole) } else { Some(self.missing(tests)) };
        let Some(as_trait) = as_trait else { return whole(self) };
        let kind = format!("json_type({}, {})", worked_out.column, worked_out.path);
        // A trait hides an attribute of its name; one that fades is an object.
        Expression::sql(
            Cost::Row,
            format!(
                "CASE WHEN c.traits IS NULL OR {kind} IS NULL THEN {} WHEN {kind} = 'object' THEN {} ELSE {} END",
                as_attribute.text(),
                whole(self).text(),
                as_trait.text()
            ),
        )
    }

    /// `event.*` of the event of this alias.
    pub(super) fn event_value(&mut self, alias: usize, path: &Path, tests: &[Predicate]) -> Expression {
        let column = format!("e{alias}.properties");
        let whole = |compiler: &mut Self| compiler.by_function(path, tests, Source::Event, &format!("e{alias}.properties"));
        let Some(json_path) = json_path(&path.keys) else { return whole(self) };
        let place = Place { column, path: self.param(json_path) };
        self.in_json(&place, tests, &whole).unwrap_or_else(|| whole(self))
    }

    pub(super) fn topic(&mut self, topic: &str) -> Expression {
        let Some(known) = self.question.settings.topics.get(topic) else { return Expression::Known(false) };
        let Some(path) = json_path(&["topics".to_owned(), topic.to_owned()]) else {
            let test = self.test(Test::Topic(topic.to_owned()));
            return Expression::sql(Cost::Call, format!("value_meets({test}, c.time_zone, c.consent)"));
        };
        let path = self.param(path);
        // Who refused everything has none of the defaults.
        let unless_said = if known.subscribed_by_default { "json_type(c.consent, '$.none') IS NOT 'true'" } else { "0" };
        let text = format!("CASE json_type(c.consent, {path}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE {unless_said} END");
        Expression::sql(Cost::Row, text)
    }

    fn missing(&self, tests: &[Predicate]) -> Expression {
        Expression::Known(meets_all(tests, None, &self.scope).holds)
    }

    /// A field that every contact has: a text, or the list of topics.
    fn field(&mut self, path: &Path, name: &str, tests: &[Predicate]) -> Expression {
        let column = match name {
            "topics" => return self.by_function(path, tests, Source::Consent, "c.consent"),
            "id" => "c.uid".to_owned(),
            name => format!("c.{name}"),
        };
        let all = tests.iter().map(|test| self.field_meets(&column, test)).collect::<Option<Vec<_>>>();
        all.map_or_else(|| self.by_function(path, tests, Source::Field, &column), Expression::all)
    }

    /// `None`: better left to the function.
    fn field_meets(&mut self, column: &str, test: &Predicate) -> Option<Expression> {
        let is_any = |compiler: &mut Self, values: &[Value]| {
            compiler.one_of(column, values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Some(match test {
            Predicate::Is(value) => is_any(self, std::slice::from_ref(value))?,
            Predicate::IsNot(value) => Expression::not(is_any(self, std::slice::from_ref(value))?),
            Predicate::OneOf(values) => is_any(self, values)?,
            Predicate::NoneOf(values) => Expression::not(is_any(self, values)?),
            Predicate::Exists(wanted) => exists(format!("{column} IS NOT NULL"), *wanted),
            // A text is no number.
            Predicate::Above(_) | Predicate::AtLeast(_) | Predicate::Below(_) | Predicate::AtMost(_) => Expression::Known(false),
            _ => return None,
        })
    }

    /// All the tests of a value in a column of JSON; `None`: better left to the function. `whole` is the function, for single values.
    fn in_json(&mut self, place: &Place, tests: &[Predicate], whole: &dyn Fn(&mut Self) -> Expression) -> Option<Expression> {
        let mut all = Vec::with_capacity(tests.len());
        for test in tests {
            all.push(self.json_meets(place, test, whole)?);
        }
        Some(Expression::all(all))
    }

    fn json_meets(&mut self, place: &Place, test: &Predicate, whole: &dyn Fn(&mut Self) -> Expression) -> Option<Expression> {
        let Place { column, path } = place;
        Some(match test {
            Predicate::Is(Value::Number(number)) => self.compared(place, "=", number.as_f64()?, false, whole)?,
            Predicate::IsNot(Value::Number(number)) => self.compared(place, "<>", number.as_f64()?, true, whole)?,
            Predicate::Is(value) => self.json_is(place, std::slice::from_ref(value))?,
            Predicate::IsNot(value) => Expression::not(self.json_is(place, std::slice::from_ref(value))?),
            Predicate::OneOf(values) => self.json_is(place, values)?,
            Predicate::NoneOf(values) => Expression::not(self.json_is(place, values)?),
            Predicate::Exists(wanted) => exists(format!("json_extract({column}, {path}) IS NOT NULL"), *wanted),
            Predicate::Above(limit) => self.compared(place, ">", *limit, false, whole)?,
            Predicate::AtLeast(limit) => self.compared(place, ">=", *limit, false, whole)?,
            Predicate::Below(limit) => self.compared(place, "<", *limit, false, whole)?,
            Predicate::AtMost(limit) => self.compared(place, "<=", *limit, false, whole)?,
            _ => return None,
        })
    }

    /// Whether it is one of these, compared as they are written. `None`: numbers, lists and objects can be written in more than one way.
    fn json_is(&mut self, place: &Place, values: &[Value]) -> Option<Expression> {
        let mut written = Vec::with_capacity(values.len());
        for value in values {
            match value {
                // Null is missing, and nothing missing is anything.
                Value::Null => {}
                Value::String(_) | Value::Bool(_) => written.push(value.to_string()),
                Value::Number(_) | Value::Array(_) | Value::Object(_) => return None,
            }
        }
        self.one_of(&format!("{} -> {}", place.column, place.path), written)
    }

    /// `None`: better left to the function.
    fn one_of(&mut self, what: &str, values: Vec<String>) -> Option<Expression> {
        if values.len() > FEW {
            // SQLite reads no text with a zero byte out of JSON.
            if values.iter().any(|value| value.contains('\0')) {
                return None;
            }
            let list = self.param(Value::from(values).to_string());
            return Some(Expression::sql(Cost::Row, format!("coalesce(({what}) IN (SELECT value FROM json_each({list})), 0)")));
        }
        let params: Vec<String> = values.into_iter().map(|value| self.param(value)).collect();
        Some(match params.as_slice() {
            [] => Expression::Known(false),
            [param] => Expression::sql(Cost::Row, format!("({what}) IS {param}")),
            params => Expression::sql(Cost::Row, format!("coalesce(({what}) IN ({}), 0)", params.join(", "))),
        })
    }

    /// A number against a limit; `otherwise`: the answer for what is no number. Whole numbers are compared here; the others as they are read in memory.
    fn compared(
        &mut self,
        Place { column, path }: &Place,
        operator: &str,
        limit: f64,
        otherwise: bool,
        whole: &dyn Fn(&mut Self) -> Expression,
    ) -> Option<Expression> {
        if limit.is_nan() || limit.abs() >= EXACT {
            return None;
        }
        let limit = self.param(limit);
        let (whole, otherwise) = (whole(self).text(), u8::from(otherwise));
        Some(Expression::sql(
            Cost::Row,
            format!(
                "CASE json_type({column}, {path}) WHEN 'integer' THEN json_extract({column}, {path}) {operator} {limit}
                 WHEN 'real' THEN {whole} ELSE {otherwise} END"
            ),
        ))
    }

    fn by_function(&mut self, path: &Path, tests: &[Predicate], from: Source, columns: &str) -> Expression {
        let test = self.test(Test::Value { path: path.clone(), tests: tests.to_vec(), from });
        Expression::sql(Cost::Call, format!("value_meets({test}, c.time_zone, {columns})"))
    }
}

fn exists(text: String, wanted: bool) -> Expression {
    let exists = Expression::sql(Cost::Row, text);
    if wanted { exists } else { Expression::not(exists) }
}

/// The path as SQLite reads it; `None` for keys that it might read otherwise.
pub(in crate::store::sqlite) fn json_path(keys: &[String]) -> Option<String> {
    let plain =
        |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    keys.iter().all(plain).then(|| keys.iter().fold("$".to_owned(), |path, key| format!("{path}.\"{key}\"")))
}
