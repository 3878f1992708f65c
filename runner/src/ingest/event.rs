//! One row of an event file.

use dsl::time::parse_date;
use serde_json::{Map, Value};

use super::contact::{id, text, zone_warning};
use super::json::shown;
use super::{Expected, Occurrence, What};

type Fields = Map<String, Value>;

/// What can have happened; a row names exactly one.
const VERBS: [&str; 6] = ["event", "set", "subscribe", "unsubscribe", "confirm", "erase"];

/// Reads an occurrence from an object of the form that JSON Lines have. Other keys beside an `event` are properties of it.
///
/// # Errors
/// Why the row is rejected.
pub(super) fn read(expected: &Expected, mut fields: Fields) -> Result<(Occurrence, Vec<String>), String> {
    fields.retain(|name, value| !(value.is_null() && VERBS.contains(&name.as_str())));
    let at = time(expected, &mut fields)?;
    let contact = id(&mut fields, "contact")?.ok_or("there is no `contact`")?;
    let given: Vec<&str> = VERBS.into_iter().filter(|verb| fields.contains_key(*verb)).collect();
    let [verb] = given[..] else {
        return Err(match given.len() {
            0 => "it says nothing that happened: there must be one of `event`, `set`, `subscribe`, `unsubscribe`, `confirm`, `erase`"
                .to_owned(),
            _ => format!("`{}` and `{}` cannot stand in one row", given[0], given[1]),
        });
    };
    let mut warnings = Vec::new();
    let what = match verb {
        "event" => event(expected, &mut fields, &mut warnings)?,
        "set" => set(expected, &mut fields, &mut warnings)?,
        "erase" => match fields.remove("erase") {
            Some(Value::Bool(true)) => What::Erase,
            _ => return Err("`erase` can only be true".to_owned()),
        },
        _ => {
            let topic = id(&mut fields, verb)?.ok_or_else(|| format!("`{verb}` must be a topic's name"))?;
            warnings.extend(Some(&topic).filter(|topic| *topic != "all").and_then(|topic| expected.topic_warning(topic)));
            match verb {
                "subscribe" => What::Subscribe(topic),
                "confirm" => What::Confirm(topic),
                _ => What::Unsubscribe(topic),
            }
        }
    };
    // An id says nothing beside what is the same twice.
    id(&mut fields, "id")?;
    if let Some(name) = fields.keys().next() {
        return Err(format!("{} does not belong beside `{verb}`", shown(name)));
    }
    Ok((Occurrence { at, contact, anonymous: false, what }, warnings))
}

fn time(expected: &Expected, fields: &mut Fields) -> Result<i64, String> {
    let at = text(fields, "at")?.ok_or("there is no `at`")?;
    let value = parse_date(&at).ok_or("`at` is no time; write it like 2026-03-29T09:00:00+02:00")?;
    Ok(value.instant(&expected.zone))
}

fn event(expected: &Expected, fields: &mut Fields, warnings: &mut Vec<String>) -> Result<What, String> {
    let name = id(fields, "event")?.ok_or("there is no `event`")?;
    let event_id = id(fields, "id")?;
    let mut properties = match fields.remove("properties") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(properties)) => properties,
        Some(_) => return Err("`properties` must be an object".to_owned()),
    };
    for (name, value) in std::mem::take(fields) {
        if properties.contains_key(&name) {
            return Err(format!("{} is given twice, once under `properties`", shown(&name)));
        }
        properties.insert(name, value);
    }
    let properties = Value::Object(properties);
    warnings.extend(expected.held_against(expected.contract.check_event(&name, &properties))?);
    let Value::Object(properties) = properties else { return Err("`properties` must be an object".to_owned()) };
    Ok(What::Event { name, properties, id: event_id })
}

/// New values for some attributes. What the contract says is missing besides may well be known already.
fn set(expected: &Expected, fields: &mut Fields, warnings: &mut Vec<String>) -> Result<What, String> {
    let Some(Value::Object(values)) = fields.remove("set") else { return Err("`set` must be an object".to_owned()) };
    if values.contains_key("id") {
        return Err("`set` cannot change the `id`".to_owned());
    }
    if values.contains_key("topics") {
        return Err("`set` cannot change `topics`; use `subscribe` and `unsubscribe`".to_owned());
    }
    let values = Value::Object(values);
    let wrong = expected.faults_of_values(&values).into_iter().map(|fault| fault.words).collect();
    warnings.extend(expected.held_against(wrong)?);
    warnings.extend(zone_warning(values.get("time_zone").and_then(Value::as_str)));
    let Value::Object(values) = values else { return Err("`set` must be an object".to_owned()) };
    Ok(What::Set(values))
}
