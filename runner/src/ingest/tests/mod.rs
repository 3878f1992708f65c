//! Files as people have them, and what is read from them.

mod exported;
mod importing;
mod merging;
mod reading;

use std::io::Cursor;
use std::sync::Arc;

use dsl::ProjectFiles;

use super::{ContactInput, ContactRow, Expected, Format, Mapping, Occurrence, OpenError, Reader, Source, What};

const SETTINGS: &str =
    "project: shop\ntime_zone: Europe/Berlin\ntopics: { offers: { default: subscribed }, news: { default: subscribed } }\n";

const CONTACT: &str = r#"{ "type": "object", "additionalProperties": false, "properties": {
    "name": { "type": "string" }, "age": { "type": "number" }, "vip": { "type": "boolean" }, "born": { "type": "string", "format": "date" },
    "tags": { "type": "array", "items": { "type": "string" } }, "place": { "type": "object" } } }"#;

const ORDER: &str = r#"{ "type": "object", "additionalProperties": false, "properties": { "total": { "type": "number" }, "note": { "type": "string" } } }"#;

fn catalog(contract: bool) -> dsl::model::Catalog {
    let mut files = vec![("campaignd.yaml", SETTINGS)];
    if contract {
        files.push(("schemas/contact.schema.json", CONTACT));
        files.push(("schemas/events/order.schema.json", ORDER));
    }
    let compiled = dsl::compile(&ProjectFiles::from_texts(files));
    compiled.catalog.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn reader<T: Source>(text: &[u8], format: Format, map: &[(&str, &str)], contract: bool) -> Result<Reader<T>, OpenError> {
    let map: Vec<_> = map.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let mapping = Mapping { map, tool: None };
    Reader::new(Box::new(Cursor::new(text.to_vec())), format, &mapping, Arc::new(Expected::of(&catalog(contract))))
}

/// Every row as text: `LINE: what`, `LINE! why not`, each warning as `LINE? warning`.
fn rows<T: Source + Show>(reader: Reader<T>) -> Vec<String> {
    let mut shown = Vec::new();
    for row in reader {
        match row.unwrap() {
            Ok(row) => {
                shown.push(format!("{}: {}", row.line, row.value.show()));
                shown.extend(row.warnings.iter().map(|warning| format!("{}? {warning}", row.line)));
            }
            Err(rejection) => shown.push(format!("{}! {}", rejection.line, rejection.reason)),
        }
    }
    shown
}

trait Show {
    fn show(&self) -> String;
}

impl Show for ContactInput {
    fn show(&self) -> String {
        let mut text = self.id.clone();
        let given = [("email", &self.email), ("phone", &self.phone), ("locale", &self.locale), ("time_zone", &self.time_zone)];
        for (name, value) in given {
            text.extend(value.iter().map(|value| format!(" {name}={value}")));
        }
        text.extend(self.topics.iter().map(|topics| format!(" topics={}", topics.join("+"))));
        if !self.attributes.is_empty() {
            text.push_str(&format!(" {}", serde_json::to_string(&self.attributes).unwrap()));
        }
        text
    }
}

impl Show for ContactRow {
    fn show(&self) -> String {
        let named = if self.named { "" } else { " (by e-mail)" };
        let subscribed = self.subscribed.map(|yes| if yes { " yes" } else { " no" }).unwrap_or_default();
        format!("{}{named}{subscribed}", self.contact.show())
    }
}

impl Show for Occurrence {
    fn show(&self) -> String {
        let at = crate::instant::text(self.at, &dsl::time::zone("Europe/Berlin").unwrap());
        let what = match &self.what {
            What::Event { name, properties, id } => {
                let id = id.as_ref().map(|id| format!(" id={id}")).unwrap_or_default();
                format!("{name}{id} {}", serde_json::to_string(properties).unwrap())
            }
            What::Set(fields) => format!("set {}", serde_json::to_string(fields).unwrap()),
            What::Subscribe(topic) => format!("subscribe {topic}"),
            What::Confirm(topic) => format!("confirm {topic}"),
            What::Unsubscribe(topic) => format!("unsubscribe {topic}"),
            What::Erase => "erase".to_owned(),
        };
        format!("{at} {} {what}", self.contact)
    }
}
