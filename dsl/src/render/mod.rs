//! One renderer for each output format.

mod human;
mod json;
mod short;

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
            "url": "docs/rules.md#unknown-template",
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
}
