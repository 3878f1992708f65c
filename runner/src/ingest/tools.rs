//! The exports of well-known mail tools: which of their columns is what, and what they say about consent.

use dsl::contract::{CONTACT_FIELDS, Declared};
use serde_json::{Map, Value};

use super::reader::Expected;

/// What the columns of a CSV file are.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// Columns that are meant as others: (as written, as meant).
    pub map: Vec<(String, String)>,
    /// The mail tool that the file was exported from: its columns are known, and a contact may be known by e-mail address alone.
    pub tool: Option<&'static Tool>,
}

/// A mail tool whose exports are known.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    /// The columns that are called something else here; every other one is its name in snake_case.
    columns: &'static [(&'static str, &'static str)],
    /// Columns whose text says whether the contact is subscribed: with the words for yes and for no, in lower case.
    consent: &'static [(&'static str, Says)],
    /// Columns that hold a day without its year, which is no date.
    yearless: &'static [&'static str],
}

/// What a column says about consent. The first column that says something counts.
#[derive(Debug, Clone, Copy)]
enum Says {
    /// These words say yes, those no; others nothing.
    Words(&'static [&'static str], &'static [&'static str]),
    /// Whatever stands there says yes.
    YesIfAny,
    /// Whatever stands there says no.
    NoIfAny,
    /// Whatever stands there says that nothing can be said.
    NothingIfAny,
}

const TRUE: &[&str] = &["true", "yes", "1"];

static MAILCHIMP: Tool = Tool {
    name: "mailchimp",
    columns: &[("Email Address", "email"), ("Phone Number", "phone"), ("TIMEZONE", "time_zone"), ("CC", "country")],
    consent: &[("UNSUB_TIME", Says::NoIfAny), ("CLEAN_TIME", Says::NothingIfAny), ("CONFIRM_TIME", Says::YesIfAny)],
    yearless: &["birthday"],
};

static KLAVIYO: Tool = Tool {
    name: "klaviyo",
    columns: &[
        ("Phone Number", "phone"),
        ("Zip Code", "zip"),
        ("State / Region", "region"),
        ("Timezone", "time_zone"),
        ("Language", "locale"),
    ],
    consent: &[("Email Marketing Consent", Says::Words(&["subscribed"], &["unsubscribed", "suppressed"]))],
    yearless: &[],
};

static HUBSPOT: Tool = Tool {
    name: "hubspot",
    columns: &[
        ("Record ID", "id"),
        ("Phone Number", "phone"),
        ("Country/Region", "country"),
        ("State/Region", "region"),
        ("Postal Code", "zip"),
        ("Preferred language", "locale"),
        // No IANA names.
        ("Time Zone", "hubspot_time_zone"),
    ],
    consent: &[("Unsubscribed from all email", Says::Words(&[], TRUE))],
    yearless: &[],
};

impl Tool {
    /// The names of all.
    pub const NAMES: [&'static str; 3] = ["mailchimp", "klaviyo", "hubspot"];

    pub fn named(name: &str) -> Option<&'static Tool> {
        [&MAILCHIMP, &KLAVIYO, &HUBSPOT].into_iter().find(|tool| tool.name == name)
    }

    /// What the column is here; `None` where the project has no use for it.
    pub(super) fn name(&self, column: &str, expected: &Expected) -> Option<String> {
        let known = self.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        let name = known.map_or_else(|| snake_case(column), |(_, name)| (*name).to_owned());
        let wanted = CONTACT_FIELDS.contains(&name.as_str()) || (!name.is_empty() && self.is_wanted(&name, expected));
        wanted.then_some(name)
    }

    /// Whether contacts may have an attribute of this name, and the project wants it.
    fn is_wanted(&self, name: &str, expected: &Expected) -> bool {
        match expected.contract.contact_attribute(&[name.to_owned()]) {
            Declared::Known(kinds) => !(kinds.date && self.yearless.contains(&name)),
            Declared::Open => true,
            Declared::Unknown(_) if expected.settings.open_contract => {
                let with = Value::Object(Map::from_iter([(name.to_owned(), Value::String(String::new()))]));
                let faults = |value: &Value| expected.contract.check_contact(value).len();
                faults(&with) == faults(&Value::Object(Map::new()))
            }
            Declared::Unknown(_) => false,
        }
    }
}

/// `State / Region` and `MEMBER_RATING` as names of attributes.
fn snake_case(column: &str) -> String {
    let text = column.to_lowercase();
    let words: Vec<&str> = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// Where in a row the tool says something about consent.
pub(super) struct ConsentColumns(Vec<(usize, Says)>);

impl ConsentColumns {
    pub fn of(tool: &Tool, written: &[&str]) -> ConsentColumns {
        let place = |name: &str| written.iter().position(|column| column.eq_ignore_ascii_case(name));
        ConsentColumns(tool.consent.iter().filter_map(|(name, says)| Some((place(name)?, *says))).collect())
    }

    pub fn said(&self, cells: &[String]) -> Option<bool> {
        for (place, says) in &self.0 {
            let cell = cells.get(*place).map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
            let Some(cell) = cell.map(str::to_lowercase) else { continue };
            match says {
                Says::Words(yes, _) if yes.contains(&cell.as_str()) => return Some(true),
                Says::Words(_, no) if no.contains(&cell.as_str()) => return Some(false),
                Says::Words(..) => {}
                Says::YesIfAny => return Some(true),
                Says::NoIfAny => return Some(false),
                Says::NothingIfAny => return None,
            }
        }
        None
    }
}
