//! One renderer for each output format.

mod human;
mod json;
mod short;
mod visible;

pub use human::{human, summary};
pub use json::json;
pub use short::short;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ProjectFiles, compile};

    const WORKFLOW: &str = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: \u{fc}ber-welcom\n    topic: x\n";

    #[test]
    fn every_format() {
        let files =
            ProjectFiles::from_texts([("campaignd.yaml", "project: shop\ntime_zone: UTC\n"), ("workflows/a.yaml", WORKFLOW)]);
        let diagnostics = compile(&files).diagnostics;
        assert_eq!(
            short(&diagnostics),
            "workflows/a.yaml:4:11: error[unknown-template]: there is no template `\u{fc}ber-welcom` under templates/\n\
             workflows/a.yaml:5:12: error[unknown-topic]: there is no topic `x` in campaignd.yaml\n"
        );
        let parsed: serde_json::Value = serde_json::from_str(&json(&diagnostics).unwrap()).unwrap();
        let first = serde_json::json!({
            "code": "unknown-template", "severity": "error", "message": "there is no template `\u{fc}ber-welcom` under templates/",
            "file": "workflows/a.yaml", "line": 4, "column": 11, "end_line": 4, "end_column": 22, "help": null,
            "url": "docs/rules.md#unknown-template", "related": [],
        });
        assert_eq!(parsed[0], first);
        let text = human(&diagnostics, &files, false);
        for expected in
            ["error[unknown-template]: there is no template", "workflows/a.yaml:4:11", "^^^^^^^^^^^", "help: declare it"]
        {
            assert!(text.contains(expected), "{text}");
        }
        assert!(human(&diagnostics, &files, true).contains("\u{1b}["));
        assert_eq!(summary(&diagnostics), "2 errors in 1 file");
        assert_eq!(summary(&[]), "no problems");
    }

    #[test]
    fn other_places() {
        let near = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - { wait: 1 day, id: x }\n  - { wait: 1 day, id: x }\n";
        let files = ProjectFiles::from_texts([
            ("campaignd.yaml", "project: shop\ntime_zone: UTC\n"),
            ("workflows/a.yaml", near),
            ("workflows/b.yaml", "workflow: a\ntrigger: { manual: true }\nsteps: [exit]\n"),
        ]);
        let diagnostics = compile(&files).diagnostics;
        let text = human(&diagnostics, &files, false);
        // In the same excerpt, and in one of their own.
        assert!(text.contains("4 |   - { wait: 1 day, id: x }\n  |                        - first used here\n5 |"), "{text}");
        assert!(text.contains("::: workflows/a.yaml:1:11\n") && text.contains("- first defined here"), "{text}");
        assert_eq!(short(&diagnostics).lines().count(), 2);
        let parsed: serde_json::Value = serde_json::from_str(&json(&diagnostics).unwrap()).unwrap();
        let expected = serde_json::json!([{
            "file": "workflows/a.yaml", "line": 1, "column": 11, "end_line": 1, "end_column": 12, "message": "first defined here",
        }]);
        assert_eq!(parsed[1]["related"], expected);
    }

    #[test]
    fn nothing_drives_the_terminal() {
        let workflow = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: \"a\\e[2J\\a\\u202e\" # \u{202e}\u{2066}\n";
        let files =
            ProjectFiles::from_texts([("campaignd.yaml", "project: shop\ntime_zone: UTC\n"), ("workflows/a.yaml", workflow)]);
        let diagnostics = compile(&files).diagnostics;
        for text in [short(&diagnostics), human(&diagnostics, &files, false)] {
            assert!(text.contains("a\\u{1b}[2J\\u{7}\\u{202e}"), "{text}");
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{2066}']), "{text:?}");
        }
    }

    #[test]
    fn excerpts_keep_their_place() {
        let workflow = format!("workflow: a\ntrigger: {{ manual: true }}\nsteps:\n{}", "  - wait: 1 dayz\n".repeat(300));
        let files = ProjectFiles::from_texts([
            ("campaignd.yaml", "project: shop\ntime_zone: UTC\n"),
            ("workflows/a.yaml", workflow.as_str()),
        ]);
        let diagnostics = compile(&files).diagnostics;
        assert_eq!(diagnostics.len(), 300);
        let text = human(&diagnostics, &files, false);
        assert!(text.contains("--> workflows/a.yaml:150:11\n") && text.contains("150 |   - wait: 1 dayz"), "{text}");
        assert!(!text.contains("workflows/a.yaml:250:11"), "{text}");
        assert!(text.ends_with("\u{2026} and 100 more in workflows/a.yaml\n\n"), "{text}");
    }
}
