//! The workflow that asks whoever subscribes to confirm it: part of every project with a topic that says `confirm: true`, unless the project
//! has its own of this name. Its message can be replaced in the same way.

use crate::model::{CONFIRMING, Settings};
use crate::project::ProjectFiles;

const WORKFLOW: (&str, &str) = ("workflows/confirm-subscription.yaml", include_str!("confirming/workflow.yaml"));

const TEMPLATES: [(&str, &str); 6] = [
    ("templates/confirm-subscription.html.hbs", include_str!("confirming/html.hbs")),
    ("templates/confirm-subscription.txt.hbs", include_str!("confirming/txt.hbs")),
    ("templates/confirm-subscription.de.html.hbs", include_str!("confirming/html.de.hbs")),
    ("templates/confirm-subscription.de.txt.hbs", include_str!("confirming/txt.de.hbs")),
    ("templates/confirm-subscription.zh.html.hbs", include_str!("confirming/html.zh.hbs")),
    ("templates/confirm-subscription.zh.txt.hbs", include_str!("confirming/txt.zh.hbs")),
];

/// The files that the project needs beside its own; none for a project in which nothing is to be confirmed.
pub(super) fn files(settings: Option<&Settings>, files: &ProjectFiles) -> Vec<(&'static str, &'static str)> {
    if !settings.is_some_and(|settings| settings.topics.values().any(|topic| topic.confirm)) {
        return Vec::new();
    }
    let mut missing = Vec::new();
    let named =
        |line: &str| line.strip_prefix("workflow:").is_some_and(|name| name.trim().trim_matches(['"', '\'']) == CONFIRMING);
    if !files.workflows().any(|(path, text)| path == WORKFLOW.0 || text.lines().any(named)) {
        missing.push(WORKFLOW);
    }
    if files.under("templates/confirm-subscription.").next().is_none() {
        missing.extend(TEMPLATES);
    }
    missing
}
