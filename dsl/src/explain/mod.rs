//! What each diagnostic means, with a wrong and a right example: for `campaignd explain` and docs/rules.md.

/// The rules with a file of their own: the file's documentation is the explanation.
const RULES: [(&str, &str); 34] = [
    ("dkim-domain", include_str!("../check/dkim_domain.rs")),
    ("duplicate-name", include_str!("../check/duplicate_name.rs")),
    ("empty-steps", include_str!("../check/empty_steps.rs")),
    ("image-only", include_str!("../check/image_only.rs")),
    ("insecure-link", include_str!("../check/insecure_link.rs")),
    ("message-too-large", include_str!("../check/message_too_large.rs")),
    ("missing-body", include_str!("../check/missing_body.rs")),
    ("missing-needs", include_str!("../check/missing_needs.rs")),
    ("missing-text-part", include_str!("../check/missing_text_part.rs")),
    ("missing-topic", include_str!("../check/missing_topic.rs")),
    ("unknown-step", include_str!("../check/moved.rs")),
    ("never-sent", include_str!("../check/never_sent.rs")),
    ("no-unsubscribe-link", include_str!("../check/no_unsubscribe_link.rs")),
    ("noreply-sender", include_str!("../check/noreply_sender.rs")),
    ("personal-key", include_str!("../check/personal_key.rs")),
    ("predicate-type", include_str!("../check/predicate_type.rs")),
    ("reserved-event", include_str!("../check/reserved_event.rs")),
    ("segment-cycle", include_str!("../check/segment_cycle.rs")),
    ("set-trait", include_str!("../check/set_trait.rs")),
    ("shadowed-attribute", include_str!("../check/shadowed_attribute.rs")),
    ("unknown-attribute", include_str!("../check/unknown_attribute.rs")),
    ("unknown-channel", include_str!("../check/unknown_channel.rs")),
    ("unknown-event", include_str!("../check/unknown_event.rs")),
    ("unknown-secret", include_str!("../check/unknown_secret.rs")),
    ("unknown-segment", include_str!("../check/unknown_segment.rs")),
    ("unknown-template", include_str!("../check/unknown_template.rs")),
    ("unknown-topic", include_str!("../check/unknown_topic.rs")),
    ("unknown-variable", include_str!("../check/unknown_variable.rs")),
    ("unknown-workflow", include_str!("../check/unknown_workflow.rs")),
    ("unreachable-step", include_str!("../check/unreachable_step.rs")),
    ("wait-without-within", include_str!("../check/wait_without_within.rs")),
    ("winner-without-goal", include_str!("../check/winner_without_goal.rs")),
    ("winner-without-rival", include_str!("../check/winner_without_rival.rs")),
    ("winner-without-tracking", include_str!("../check/winner_without_tracking.rs")),
];

/// What reading files finds, by kind; each code is a heading of the second level.
const PAGES: [&str; 6] = [
    include_str!("files.md"),
    include_str!("shape.md"),
    include_str!("values.md"),
    include_str!("settings.md"),
    include_str!("templates.md"),
    include_str!("tests.md"),
];

/// One diagnostic's code, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub code: &'static str,
    /// Markdown, without the heading.
    pub text: String,
}

/// Every code that has an explanation, in alphabetical order.
pub fn explanations() -> Vec<Explanation> {
    let rules = RULES.iter().map(|(code, source)| Explanation { code, text: rule(source) });
    let mut all: Vec<Explanation> = rules.chain(PAGES.iter().flat_map(|page| sections(page))).collect();
    all.sort_by_key(|explanation| explanation.code);
    all
}

/// What this code means.
pub fn explain(code: &str) -> Option<Explanation> {
    explanations().into_iter().find(|explanation| explanation.code == code)
}

/// All of them as one page in Markdown: docs/rules.md.
pub fn page() -> String {
    let mut text = String::from(
        "# Diagnostics\n\nWhat `campaignd validate` may say. This page is generated: `cargo run -p dsl --example schemas`.\n",
    );
    for explanation in explanations() {
        text.push_str(&format!("\n## {}\n\n{}\n", explanation.code, explanation.text));
    }
    text
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
        let (code, text) = section.split_once('\n')?;
        Some(Explanation { code, text: text.trim().to_owned() })
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
    }

    #[test]
    fn committed_page_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == page(), "docs/rules.md is stale; run `cargo run -p dsl --example schemas`");
    }
}
