//! What a condition needs to be known before it can be answered.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::{Condition, Root, Trait};

/// Whether the condition looks at a trait, itself or through segments.
pub fn needs_traits(condition: &Condition, segments: &BTreeMap<String, Condition>, traits: &BTreeMap<String, Trait>) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![condition];
    while let Some(condition) = open.pop() {
        match condition {
            Condition::All(parts) | Condition::Any(parts) | Condition::None(parts) => open.extend(parts),
            Condition::Not(part) => open.push(part),
            Condition::Value { path, .. } => {
                if path.root == Root::Contact && path.keys.first().is_some_and(|name| traits.contains_key(name)) {
                    return true;
                }
            }
            Condition::Event(event) => open.extend(event.filter.as_deref()),
            Condition::Segment(name) => {
                if let Some((name, segment)) = segments.get_key_value(name)
                    && seen.insert(name)
                {
                    open.push(segment);
                }
            }
            Condition::Message(_) | Condition::Listed(_) | Condition::Topic(_) | Condition::Workflow { .. } => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use dsl::model::{EventsTrait, TraitFunction};
    use serde_json::json;

    use super::*;
    use crate::audience::tests::{condition, event, value};

    #[test]
    fn directly_in_filters_and_through_segments() {
        let orders = EventsTrait { function: TraitFunction::Count, event: "bought".into(), of: None, filter: None, within: None };
        let traits = [("orders".to_owned(), Trait::Events(orders))].into();
        let tested = |path| value(path, json!({"above": 3}));
        let segments = [
            ("buyers", json!({"all": [{"segment": "round"}, tested("contact.orders")]})),
            ("round", json!({"not": {"segment": "buyers"}})),
            ("plain", tested("contact.age")),
            ("turning", json!({"segment": "turning"})),
        ];
        let segments = segments.map(|(name, json)| (name.to_owned(), condition(json))).into();
        for (asked, expected) in [
            (tested("contact.orders"), true),
            (tested("contact.age"), false),
            (tested("event.orders"), false),
            (event("bought", json!({"filter": tested("contact.orders")})), true),
            (event("bought", json!({"filter": tested("event.orders")})), false),
            (json!({"any": [{"none": [{"segment": "round"}]}]}), true),
            (json!({"all": [{"segment": "plain"}, {"segment": "turning"}, {"segment": "nobody"}, {"topic": "orders"}]}), false),
        ] {
            assert_eq!(needs_traits(&condition(asked.clone()), &segments, &traits), expected, "{asked}");
        }
    }
}
