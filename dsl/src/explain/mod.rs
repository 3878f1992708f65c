//! What each diagnostic means, with a wrong and a right example: for `campaignd explain` and docs/rules/.

use std::sync::OnceLock;

use crate::diagnostic::Severity;
use crate::place::did_you_mean;

/// The rules with a file of their own: the file's documentation is the explanation.
const RULES: [(&str, Weight, &str); 48] = [
    ("cap-too-low", Warning, include_str!("../check/cap_too_low.rs")),
    ("constant-condition", Warning, include_str!("../check/constant_condition.rs")),
    ("constant-segment", Warning, include_str!("../check/constant_segment.rs")),
    ("dkim-domain", Warning, include_str!("../check/dkim_domain.rs")),
    ("duplicate-name", Error, include_str!("../check/duplicate_name.rs")),
    ("empty-steps", Warning, include_str!("../check/empty_steps.rs")),
    ("experiment-of-one", Warning, include_str!("../check/experiment_of_one.rs")),
    ("image-only", Warning, include_str!("../check/image_only.rs")),
    ("impossible-value", Warning, include_str!("../check/impossible_value.rs")),
    ("insecure-link", Warning, include_str!("../check/insecure_link.rs")),
    ("message-too-large", Warning, include_str!("../check/message_too_large.rs")),
    ("missing-body", Error, include_str!("../check/missing_body.rs")),
    ("missing-needs", Error, include_str!("../check/missing_needs.rs")),
    ("missing-text-part", Warning, include_str!("../check/missing_text_part.rs")),
    ("missing-topic", Warning, include_str!("../check/missing_topic.rs")),
    ("unknown-step", Error, include_str!("../check/moved.rs")),
    ("never-sent", Error, include_str!("../check/never_sent.rs")),
    ("no-consent", Warning, include_str!("../check/no_consent.rs")),
    ("no-opening", Error, include_str!("../check/no_opening.rs")),
    ("no-unsubscribe-link", Warning, include_str!("../check/no_unsubscribe_link.rs")),
    ("noreply-sender", Warning, include_str!("../check/noreply_sender.rs")),
    ("personal-key", Warning, include_str!("../check/personal_key.rs")),
    ("predicate-type", Error, include_str!("../check/predicate_type.rs")),
    ("renumbered-step", Warning, include_str!("../check/renumbered_step.rs")),
    ("reserved-event", Error, include_str!("../check/reserved_event.rs")),
    ("secret-in-file", Warning, include_str!("../check/secret_in_file.rs")),
    ("segment-cycle", Error, include_str!("../check/segment_cycle.rs")),
    ("set-trait", Error, include_str!("../check/set_trait.rs")),
    ("shadowed-attribute", Warning, include_str!("../check/shadowed_attribute.rs")),
    ("unknown-attribute", Error, include_str!("../check/unknown_attribute.rs")),
    ("unknown-channel", Error, include_str!("../check/unknown_channel.rs")),
    ("unknown-event", Error, include_str!("../check/unknown_event.rs")),
    ("unknown-secret", Error, include_str!("../check/unknown_secret.rs")),
    ("unknown-segment", Error, include_str!("../check/unknown_segment.rs")),
    ("unknown-template", Error, include_str!("../check/unknown_template.rs")),
    ("unknown-topic", Error, include_str!("../check/unknown_topic.rs")),
    ("unknown-variable", Error, include_str!("../check/unknown_variable.rs")),
    ("unknown-workflow", Error, include_str!("../check/unknown_workflow.rs")),
    ("unreachable-step", Warning, include_str!("../check/unreachable_step.rs")),
    ("untracked-wait", Warning, include_str!("../check/untracked_wait.rs")),
    ("unused-segment", Warning, include_str!("../check/unused_segment.rs")),
    ("unused-template", Warning, include_str!("../check/unused_template.rs")),
    ("unused-with", Warning, include_str!("../check/unused_with.rs")),
    ("wait-without-within", Warning, include_str!("../check/wait_without_within.rs")),
    ("winner-without-goal", Error, include_str!("../check/winner_without_goal.rs")),
    ("winner-without-rival", Error, include_str!("../check/winner_without_rival.rs")),
    ("winner-without-tracking", Warning, include_str!("../check/winner_without_tracking.rs")),
    ("workflow-loop", Warning, include_str!("../check/workflow_loop.rs")),
];

/// What reading files finds, by kind; each code is a heading of the second level; what is no plain error says so there.
const PAGES: [&str; 7] = [
    include_str!("files.md"),
    include_str!("shape.md"),
    include_str!("values.md"),
    include_str!("settings.md"),
    include_str!("templates.md"),
    include_str!("tests.md"),
    include_str!("allowing.md"),
];

/// How much a diagnostic weighs, as long as the settings say nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// It stays, whatever is said.
    Error,
    /// An error that a comment can allow where it stands.
    AllowableError,
    /// A comment can allow it, and the settings may make it an error or turn it off.
    Warning,
    /// The settings may make it an error or turn it off: it is about a comment.
    WarningOfComments,
}

use Weight::{Error, Warning};

impl Weight {
    /// Without further word from the settings.
    pub fn severity(self) -> Severity {
        match self {
            Weight::Error | Weight::AllowableError => Severity::Error,
            Weight::Warning | Weight::WarningOfComments => Severity::Warning,
        }
    }

    /// Whether `rules:` in the settings may say something else.
    pub fn is_settable(self) -> bool {
        self.severity() == Severity::Warning
    }

    fn sentence(self) -> &'static str {
        match self {
            Weight::Error => "An error.",
            Weight::AllowableError => "An error, which a comment can allow where it stands.",
            Weight::Warning => {
                "A warning: a comment can allow it where it stands, and `rules:` in campaignd.yaml can make it an error or turn it off."
            }
            Weight::WarningOfComments => "A warning: `rules:` in campaignd.yaml can make it an error or turn it off.",
        }
    }
}

/// One diagnostic's code, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    pub weight: Weight,
    /// Markdown, without the heading.
    pub text: String,
}

impl Explanation {
    /// What it is about, in a sentence or two: the first paragraph.
    pub fn summary(&self) -> String {
        let paragraph = self.text.split("\n\n").next().unwrap_or_default();
        paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Every code that has an explanation, in alphabetical order.
pub fn explanations() -> &'static [Explanation] {
    static ALL: OnceLock<Vec<Explanation>> = OnceLock::new();
    ALL.get_or_init(|| {
        let rules = RULES.iter().map(|(code, weight, source)| Explanation { code, weight: *weight, text: rule(source) });
        let mut all: Vec<Explanation> = rules.chain(PAGES.iter().flat_map(|page| sections(page))).collect();
        all.sort_by_key(|explanation| explanation.code);
        all
    })
}

/// What this code means.
pub fn explain(code: &str) -> Option<&'static Explanation> {
    let index = explanations().binary_search_by_key(&code, |explanation| explanation.code).ok()?;
    explanations().get(index)
}

/// The code that was most likely meant, if any is like this one.
pub fn nearest(code: &str) -> Option<&'static str> {
    did_you_mean(code, explanations().iter().map(|explanation| explanation.code))
}

/// The pages under docs/rules/: a name and Markdown for each; README.md lists the others.
pub fn pages() -> Vec<(String, String)> {
    let made = "This page is generated: `cargo run -p dsl --example schemas`.";
    let mut index = format!(
        "# Diagnostics\n\nWhat `campaignd validate` may say; `campaignd explain CODE` prints the same pages. {made}\n\n| code | | what it is about |\n|---|---|---|\n"
    );
    let mut pages = Vec::new();
    for explanation in explanations() {
        let Explanation { code, weight, text } = explanation;
        let summary = explanation.summary().replace('|', "\\|");
        index.push_str(&format!("| [{code}]({code}.md) | {} | {summary} |\n", weight.severity().word()));
        pages.push((format!("{code}.md"), format!("# {code}\n\n{}\n\n{text}\n", weight.sentence())));
    }
    pages.push(("README.md".to_owned(), index));
    pages
}

/// The documentation at the head of a rule's file, its headings as words in the text.
fn rule(source: &str) -> String {
    let lines = source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.strip_prefix(' ').unwrap_or(line));
    let mut inside = false;
    let mut text = String::new();
    for line in lines {
        inside ^= line.starts_with("```");
        match line.strip_prefix("# ").filter(|_| !inside) {
            Some(heading) => text.push_str(&format!("{heading}:\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text.trim_end().to_owned()
}

fn sections(page: &'static str) -> impl Iterator<Item = Explanation> {
    page.split("\n## ").skip(1).filter_map(|section| {
        let (heading, text) = section.split_once('\n')?;
        let (code, weight) = match heading.split_once(' ') {
            None => (heading, Weight::Error),
            Some((code, "(warning)")) => (code, Weight::Warning),
            Some((code, "(warning of comments)")) => (code, Weight::WarningOfComments),
            Some((code, _)) => (code, Weight::AllowableError),
        };
        Some(Explanation { code, weight, text: text.trim().to_owned() })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The codes in the sources: a text in kebab-case right after what makes a diagnostic.
    fn codes(folder: &Path, found: &mut BTreeSet<String>) {
        let made = regex::Regex::new(r#"(?:error|error_help|warning|refuse|contract|problem|code:|code =|Problem \{ code:)[\s(]+"([a-z]+[a-z0-9]*(?:-[a-z0-9]+)+)""#).unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                found.extend(made.captures_iter(code).map(|capture| capture[1].to_owned()));
            }
        }
    }

    #[test]
    fn every_code_is_explained_once() {
        let known: Vec<&str> = explanations().iter().map(|explanation| explanation.code).collect();
        let unique: BTreeSet<&str> = known.iter().copied().collect();
        assert_eq!(known.len(), unique.len(), "{known:?}");
        let mut used = BTreeSet::new();
        codes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut used);
        assert!(used.len() > 40, "{used:?}");
        let missing: Vec<&String> = used.iter().filter(|code| !unique.contains(code.as_str())).collect();
        assert!(missing.is_empty(), "without an explanation: {missing:?}");
    }

    #[test]
    fn explanations_hold_both_examples() {
        for explanation in explanations() {
            assert!(explanation.text.contains("Example:") && explanation.text.contains("Use instead:"), "{explanation:?}");
        }
        assert!(explain("unknown-template").is_some_and(|explanation| explanation.text.contains("- send: wellcome")));
        assert_eq!(explain("nothing"), None);
        assert_eq!((nearest("unknown-tempalte"), nearest("zzz")), (Some("unknown-template"), None));
    }

    #[test]
    fn committed_pages_are_fresh() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules");
        let pages = pages();
        for (name, text) in &pages {
            let committed = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
            assert!(committed == *text, "docs/rules/{name} is stale; run `cargo run -p dsl --example schemas`");
        }
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), pages.len(), "a page under docs/rules/ is of no code");
    }
}
