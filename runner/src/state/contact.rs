//! A contact and what they agreed to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ContactId;

#[derive(Debug, Clone, PartialEq)]
pub struct Contact {
    pub id: ContactId,
    /// The id that people and other systems use.
    pub uid: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub locale: Option<String>,
    /// IANA name as given; may be unknown, then the project's applies.
    pub time_zone: Option<String>,
    /// Everything else that is known; never holds null.
    pub attributes: Map<String, Value>,
    pub consent: Consent,
    /// Erased: nothing but the row is left, and nobody is written to.
    pub erased: bool,
}

/// What a contact said about topics. A topic not in here has the settings' default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Consent {
    /// Unsubscribed from everything: the settings' defaults do not apply, only topics asked for since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub none: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, bool>,
}
