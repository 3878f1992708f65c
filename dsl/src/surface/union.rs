//! Forms that may be written in more than one way, told apart by their JSON type or by the verb that is present. Serde's own
//! untagged enums would answer a mistake with "did not match any variant"; these know which form was meant.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A text, a number, true or false.
#[derive(Debug, Clone)]
pub(crate) struct Scalar(pub Value);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ (Value::String(_) | Value::Number(_) | Value::Bool(_)) => Ok(Scalar(value)),
            _ => Err(D::Error::custom("expected a text, a number, true or false")),
        }
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// One, or a list of them.
#[derive(Debug, Clone)]
pub(crate) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Array(items) => read(Value::Array(items)).map(OneOrMany::Many),
            other => read(other).map(OneOrMany::One),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [item, { "type": "array", "items": item, "minItems": 1 }] })
    }
}

/// A mapping, or its short form.
#[derive(Debug, Clone)]
pub(crate) enum MapOr<M, S> {
    Map(M),
    Short(S),
}

impl<'de, M: DeserializeOwned, S: DeserializeOwned> Deserialize<'de> for MapOr<M, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            value @ Value::Object(_) => read(value).map(MapOr::Map),
            other => read(other).map(MapOr::Short),
        }
    }
}

impl<M: JsonSchema, S: JsonSchema> JsonSchema for MapOr<M, S> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}Or{}", M::schema_name(), S::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let short = generator.subschema_for::<S>();
        let map = generator.subschema_for::<M>();
        json_schema!({ "anyOf": [short, map] })
    }
}

/// Reads a value that was taken out of its deserializer.
pub(super) fn read<T: DeserializeOwned, E: Error>(value: Value) -> Result<T, E> {
    serde_json::from_value(value).map_err(E::custom)
}

/// An enum over structs of which each has a verb: a key that no other has, and that says which is meant. The first verb in
/// the list that is present decides.
macro_rules! by_verb {
    ($(#[doc = $doc:literal])* $name:ident { $($verb:literal => $variant:ident($form:ty)),+ $(,)? } $(word $word:literal => $unit:ident)?) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        #[allow(dead_code, reason = "some forms say all they have to say by being there: `manual: true`")]
        pub(crate) enum $name {
            $($variant($form),)+
            $($unit,)?
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
                $(if value.as_str() == Some($word) {
                    return Ok($name::$unit);
                })?
                $(if value.get($verb).is_some() {
                    return super::union::read(value).map($name::$variant);
                })+
                Err(serde::de::Error::custom("no known verb"))
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let description = [$($doc.trim()),*].join(" ");
                let forms = [$(generator.subschema_for::<$form>().to_value(),)+ $(serde_json::json!({ "const": $word }),)?];
                schemars::json_schema!({ "description": description, "anyOf": forms })
            }
        }
    };
}

pub(super) use by_verb;
