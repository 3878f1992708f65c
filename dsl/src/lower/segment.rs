//! Shared segments.

use serde_json::{Map, Value};

use super::condition::Setting;
use super::{Lowerer, SegmentUnit};
use crate::diagnostic::Diagnostic;
use crate::model::Condition;
use crate::place::At;
use crate::surface::{SEGMENT_KEYS, WorkflowFile};

impl Lowerer<'_> {
    pub(super) fn segments(&mut self, file: &WorkflowFile, root: &At<'_>) -> Vec<SegmentUnit> {
        let mut units = Vec::new();
        for (name, segment) in file.segments.iter().flatten() {
            let at = root.key("segments").key(name);
            self.key_name(name, "a segment", &at);
            let condition = if segment.0.contains_key("list") {
                self.list_alone(&segment.0, &at);
                Condition::Listed(name.clone())
            } else {
                self.segment(name, &segment.0, &at)
            };
            let backfill = segment.0.get("backfill").and_then(Value::as_bool).unwrap_or_default();
            let notes = std::mem::take(&mut self.notes);
            units.push(SegmentUnit { name: name.clone(), at: at.key_location(), condition, backfill, notes });
        }
        units
    }

    fn segment(&mut self, name: &str, written: &Map<String, Value>, at: &At<'_>) -> Condition {
        let own = |key: &&String| !SEGMENT_KEYS.contains(&key.as_str());
        let condition: Map<String, Value> =
            written.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
        if condition.is_empty() {
            self.error("empty-mapping", at, format!("the segment `{name}` has no condition: everyone would be in it"));
        }
        self.condition(&condition, at, &Setting::segment())
    }

    /// A static segment holds whom it lists: there is nothing to ask and nothing that an edit could change.
    fn list_alone(&mut self, written: &Map<String, Value>, at: &At<'_>) {
        for key in at.keys(written.keys().filter(|key| !matches!(key.as_str(), "list" | "description"))) {
            let message = format!("`{key}` means nothing beside `list: true`: a static segment is filled by import or API");
            let diagnostic = Diagnostic::error("misplaced-key", at.key(key).key_location(), message);
            self.diagnostics.push(diagnostic.help(format!("leave out `list`, or `{key}`")));
        }
    }
}
