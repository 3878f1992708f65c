//! What each helper of the language makes of the values that it is given.

use dsl::time::{DateValue, known_zone, parse_date, zone};
use handlebars::{Helper, JsonRender};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::addressee::manner;
use super::formats::{self, Style, rounded};
use super::registry::Stop;
use super::{money, safety};

/// Everything but RFC 3986's unreserved characters (section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The most decimals a number is written with.
const MAX_DECIMALS: i64 = 20;

/// What a helper makes of what it is given; `None` where that is missing.
pub(super) type Computed = Result<Option<Value>, Stop>;
pub(super) type Compute = fn(&Helper<'_>) -> Computed;

/// The helpers that are not Handlebars' own.
pub(super) const OWN: [(&str, Compute); 13] = [
    ("default", |call| Ok(default(call))),
    ("upper", |call| Ok(changed(call, |text| text.to_uppercase()))),
    ("lower", |call| Ok(changed(call, |text| text.to_lowercase()))),
    ("capitalise", |call| Ok(changed(call, |text| capitalised(&text)))),
    ("truncate", truncate),
    ("url", |call| Ok(changed(call, |text| safety::address(&text).to_owned()))),
    ("url_encode", |call| Ok(changed(call, |text| utf8_percent_encode(&text, RESERVED).to_string()))),
    ("date", date),
    ("number", number),
    ("money", amount),
    ("plural", plural),
    ("lookup", |call| Ok(lookup(call))),
    ("len", |call| Ok(len(call))),
];

fn given<'a>(call: &'a Helper<'_>, index: usize) -> Option<&'a Value> {
    let value = call.param(index).filter(|value| !value.is_value_missing())?.value();
    (!value.is_null()).then_some(value)
}

fn named<'a>(call: &'a Helper<'_>, name: &str) -> Option<&'a Value> {
    let value = call.hash_get(name).filter(|value| !value.is_value_missing())?.value();
    (!value.is_null()).then_some(value)
}

/// The name that a value was asked for by, for a message that holds no data.
fn name_of(call: &Helper<'_>, index: usize) -> String {
    call.param(index).and_then(|value| value.relative_path()).cloned().unwrap_or_else(|| call.name().to_owned())
}

fn text_of(call: &Helper<'_>) -> Option<String> {
    given(call, 0).map(JsonRender::render)
}

fn changed(call: &Helper<'_>, change: impl Fn(String) -> String) -> Option<Value> {
    text_of(call).map(|text| Value::String(change(text)))
}

fn default(call: &Helper<'_>) -> Option<Value> {
    let first = given(call, 0).filter(|value| value.as_str() != Some(""));
    first.or_else(|| given(call, 1)).cloned()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The text with at most so many characters, `…` among them where it is longer; it ends after a whole word where one ends near.
fn truncate(call: &Helper<'_>) -> Computed {
    let (Some(text), Some(most)) = (text_of(call), given(call, 1)) else { return Ok(None) };
    let most = most.as_u64().or_else(|| most.as_str()?.parse().ok()).and_then(|most| usize::try_from(most).ok());
    let most = most.ok_or_else(|| Stop::Unfit { variable: name_of(call, 1), wanted: "number of characters" })?;
    Ok(Some(Value::String(safety::shortened(&text, most))))
}

fn date(call: &Helper<'_>) -> Computed {
    let Some(value) = given(call, 0) else { return Ok(None) };
    let unfit = |index: usize, wanted: &'static str| Stop::Unfit { variable: name_of(call, index), wanted };
    let value = value.as_str().and_then(parse_date).ok_or_else(|| unfit(0, "date"))?;
    let style = given(call, 1).and_then(Value::as_str).unwrap_or("medium");
    let manner = manner();
    let zone = match named(call, "zone").and_then(Value::as_str) {
        Some(name) if known_zone(name) => zone(name).unwrap_or(manner.zone),
        Some(_) => return Err(Stop::Unfit { variable: "zone=".to_owned(), wanted: "time zone" }),
        None => manner.zone,
    };
    let written = match Style::read(style) {
        Some(style) => manner.formats.date(value, style, &zone),
        None if style == "iso" => Some(iso(value, &zone)),
        None if style.contains('%') => pattern(value, style, &zone),
        None => {
            return Err(unfit(
                1,
                "style of dates (short, medium, long, full, time, datetime, iso, or a pattern such as %d.%m.%Y)",
            ));
        }
    };
    written.map(|text| Some(Value::String(text))).ok_or_else(|| unfit(0, "date that can be written so"))
}

/// RFC 3339, section 5.6: with the zone's offset where there is a time.
fn iso(value: DateValue, zone: &jiff::tz::TimeZone) -> String {
    match value {
        DateValue::Date(date) => date.to_string(),
        _ => {
            let at = jiff::Timestamp::from_millisecond(value.instant(zone)).unwrap_or_default();
            at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
        }
    }
}

fn pattern(value: DateValue, pattern: &str, zone: &jiff::tz::TimeZone) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(value.instant(zone)).ok()?.to_zoned(zone.clone());
    jiff::fmt::strtime::format(pattern, &at).ok()
}

fn number(call: &Helper<'_>) -> Computed {
    let Some(value) = given(call, 0) else { return Ok(None) };
    let unfit = |variable: String, wanted: &'static str| Stop::Unfit { variable, wanted };
    let mut found = formats::number(value).ok_or_else(|| unfit(name_of(call, 0), "number"))?;
    if let Some(decimals) = named(call, "decimals") {
        let decimals = decimals.as_i64().filter(|decimals| (0..=MAX_DECIMALS).contains(decimals));
        let decimals = decimals.and_then(|decimals| i16::try_from(decimals).ok());
        found = rounded(&found, decimals.ok_or_else(|| unfit("decimals=".to_owned(), "number from 0 to 20"))?);
    }
    Ok(Some(Value::String(manner().formats.number(&found))))
}

fn amount(call: &Helper<'_>) -> Computed {
    let (Some(value), Some(currency)) = (given(call, 0), given(call, 1)) else { return Ok(None) };
    let unfit = |index: usize, wanted: &'static str| Stop::Unfit { variable: name_of(call, index), wanted };
    let number = formats::number(value).ok_or_else(|| unfit(0, "number"))?;
    let currency = currency.as_str().and_then(money::currency).ok_or_else(|| unfit(1, "currency's code (EUR)"))?;
    Ok(Some(Value::String(money::written(&number, &currency, &manner().formats))))
}

fn plural(call: &Helper<'_>) -> Computed {
    let Some(value) = given(call, 0) else { return Ok(None) };
    let number = formats::number(value).ok_or_else(|| Stop::Unfit { variable: name_of(call, 0), wanted: "number" })?;
    let form = named(call, manner().formats.plural(&number)).or_else(|| named(call, "other"));
    Ok(form.cloned())
}

fn lookup(call: &Helper<'_>) -> Option<Value> {
    let found = match (given(call, 0)?, given(call, 1)?) {
        (Value::Array(items), index) => items.get(usize::try_from(index.as_u64()?).ok()?),
        (Value::Object(members), key) => members.get(key.as_str()?),
        _ => None,
    };
    found.filter(|value| !value.is_null()).cloned()
}

fn len(call: &Helper<'_>) -> Option<Value> {
    let length = match given(call, 0) {
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(members)) => members.len(),
        Some(Value::String(text)) => text.chars().count(),
        _ => 0,
    };
    Some(Value::from(length))
}
