//! Warns of passwords and keys that are written into the project's files.
//!
//! # What it does
//! Looks in campaignd.yaml and the workflows for texts that only keys look like (`sk_live_…`, `SG.…`, `AKIA…`, `Bearer …`, private keys) and for addresses with a
//! password (`https://user:password@…`), and in campaignd.yaml for `http.keys`, `secrets` and `sign` that are no `${NAME}`.
//!
//! # Why is this bad
//! The project is in git: whoever can read it has the key, for ever.
//!
//! # Example
//! ```yaml
//! secrets: { crm: sk_live_EXAMPLE1234567890 }
//! ```
//!
//! # Use instead
//! ```yaml
//! secrets: { crm: "${CRM_KEY}" }
//! ```

use std::sync::OnceLock;

use regex::Regex;
use serde_json::Value;

use super::{Project, Report};
use crate::diagnostic::Location;
use crate::lower::values::environment_name;
use crate::place::At;
use crate::yaml::Document;

/// What keys of well-known services look like, and what gives any other away. Letters are those of ASCII: keys have no others, and all of Unicode would
/// take longer to make ready than a project takes to check.
const SHAPES: &str = concat!(
    r"xkeysib-[0-9a-f]{16}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16}|(?-u:\b)AKIA[0-9A-Z]{16}(?-u:\b)|(?-u:\b)[rs]k_live_[0-9A-Za-z_]{16}|",
    r"(?-u:\b)whsec_[0-9A-Za-z_+/=]{16}|(?-u:\b)gh[pousr]_[0-9A-Za-z_]{30}|(?-u:\b)xox[abprs]-[0-9A-Za-z_-]{10}|",
    r"(?-u:\b)re_[0-9A-Za-z_]{8,}_[0-9A-Za-z_]{16}|(?-u:\b)key-[0-9a-f]{32}(?-u:\b)|-----BEGIN [A-Z ]*PRIVATE KEY|",
    r"(?-u:\b)Bearer +[0-9A-Za-z_.~+/=-]{16}|(?-u:\b)Basic +[0-9A-Za-z_+/=]{16}|",
    r#"://[^\s/:@{}$"']+:[^\s/@{}$"']+@"#
);

/// Where each of them stands in a file. Few files hold any.
pub(crate) fn look(document: &Document, text: &str, settings: bool) -> Vec<Location> {
    static SHAPE: OnceLock<Option<Regex>> = OnceLock::new();
    let Some(shape) = SHAPE.get_or_init(|| Regex::new(SHAPES).ok()) else { return Vec::new() };
    let mut found = Vec::new();
    if settings || shape.is_match(text) {
        walk(&document.value, &At::root(document), shape, settings, &mut found);
    }
    found
}

fn walk(value: &Value, at: &At<'_>, shape: &Regex, settings: bool, out: &mut Vec<Location>) {
    match value {
        Value::String(text) => {
            let secret = settings && is_secret(at.pointer()) && !text.is_empty() && environment_name(text).is_none();
            if secret || shape.is_match(text) {
                out.push(at.key_location());
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(item, &at.item(index), shape, settings, out))
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| walk(item, &at.key(key), shape, settings, out)),
        _ => {}
    }
}

/// Places of the settings that hold nothing but secrets.
fn is_secret(pointer: &str) -> bool {
    let segments: Vec<&str> = pointer.split('/').skip(1).collect();
    matches!(segments.as_slice(), ["http", "keys", _] | ["secrets", _] | ["channels", _, "deliver", "sign"])
}

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let in_workflows = project.units.iter().flat_map(|unit| &unit.secrets);
    for at in project.settings_notes.written_secrets.iter().chain(in_workflows) {
        let message = "a password or key is written here, for everybody who can read the project";
        let help = if at.file == crate::project::SETTINGS {
            "write \"${NAME}\", and give it by the environment or a .env file; and replace the key, which is in git's history"
        } else {
            "put it under `secrets` in campaignd.yaml as \"${NAME}\", write `{{secrets.NAME}}` here, and replace the key, which is in git's history"
        };
        report.warning("secret-in-file", at, message, help);
    }
}
