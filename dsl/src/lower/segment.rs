//! Shared segments and traits.

use serde_json::{Map, Value};

use super::condition::Setting;
use super::{Lowerer, Notes, SegmentUnit};
use crate::place::At;
use crate::surface::{SEGMENT_KEYS, WorkflowFile};

impl Lowerer<'_> {
    pub(super) fn segments(&mut self, file: &WorkflowFile, root: &At<'_>) -> Vec<SegmentUnit> {
        let mut units = Vec::new();
        for (name, segment) in file.segments.iter().flatten() {
            let at = root.key("segments").key(name);
            self.key_name(name, "a segment", &at);
            if segment.0.contains_key("list") {
                self.not_yet(&at.key("list"), "static segments come");
                continue;
            }
            let own = |key: &&String| !SEGMENT_KEYS.contains(&key.as_str());
            let condition: Map<String, Value> =
                segment.0.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
            if condition.is_empty() {
                self.error("empty-mapping", &at, format!("the segment `{name}` has no condition: everyone would be in it"));
            }
            let condition = self.condition(&condition, &at, &Setting::segment());
            let notes = std::mem::take(&mut self.notes);
            units.push(SegmentUnit { name: name.clone(), at: at.key_location(), condition, notes });
        }
        self.notes = Notes::default();
        units
    }

    pub(super) fn traits(&mut self, file: &WorkflowFile, root: &At<'_>) {
        for name in file.traits.iter().flatten().map(|(name, _)| name) {
            self.not_yet(&root.key("traits").key(name), "traits come");
        }
    }
}
