//! `with` data: texts in it that are templates themselves, rendered as plain text.

use serde_json::{Map, Value};

use super::{Addressee, Templates};

impl Templates {
    /// `with` with every text that holds `{{` rendered, at any depth. A text that cannot be rendered becomes empty; why is in the list.
    pub fn render_with(&self, with: &Map<String, Value>, data: &Value, to: &Addressee<'_>) -> (Map<String, Value>, Vec<String>) {
        let mut problems = Vec::new();
        let rendered = with.iter().map(|(name, value)| (name.clone(), self.rendered(value, data, to, &mut problems))).collect();
        (rendered, problems)
    }

    fn rendered(&self, value: &Value, data: &Value, to: &Addressee<'_>, problems: &mut Vec<String>) -> Value {
        match value {
            Value::String(text) if text.contains("{{") => {
                Value::String(self.inline_text(text, data, to).unwrap_or_else(|error| {
                    problems.push(error.to_string());
                    String::new()
                }))
            }
            Value::Array(list) => list.iter().map(|value| self.rendered(value, data, to, problems)).collect(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(name, value)| (name.clone(), self.rendered(value, data, to, problems))).collect())
            }
            other => other.clone(),
        }
    }
}
