//! One renderer for each output format.

mod github;
mod human;
mod json;
mod sarif;
mod short;
mod visible;

pub use github::github;
pub use human::{human, summary};
pub use json::json;
pub use sarif::sarif;
pub use short::short;

/// Where the code is explained: under the package's home page if it names one, else relative to the documentation.
pub fn url(code: &str) -> String {
    let home = env!("CARGO_PKG_HOMEPAGE").trim_end_matches('/');
    if home.is_empty() { format!("docs/rules/{code}.md") } else { format!("{home}/docs/rules/{code}.md") }
}

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
            "url": "docs/rules/unknown-template.md", "related": [],
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
    fn github_commands() {
        let workflow = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: \"50%, a:\\nb\"\n    topic: x\n";
        let files = ProjectFiles::from_texts([
            ("campaignd.yaml", "project: shop\ntime_zone: UTC\ntopics: { y: { title: Y } }\n"),
            ("workflows/a,b%.yaml", workflow),
            ("workflows/b.yaml", "workflow: a\ntrigger: { manual: true }\nsteps: [exit]\n"),
        ]);
        let expected = "\
            ::error file=workflows/a%2Cb%25.yaml,line=4,endLine=4,col=11,endColumn=23,title=unknown-template::there is no template `50%25, a:%0Ab` under templates/\n\
            ::error file=workflows/a%2Cb%25.yaml,line=5,endLine=5,col=12,endColumn=13,title=unknown-topic::there is no topic `x` in campaignd.yaml%0Ahelp: did you mean `y`?\n\
            ::error file=workflows/b.yaml,line=1,endLine=1,col=11,endColumn=12,title=duplicate-name::another workflow is named `a`, in workflows/a,b%25.yaml at line 1%0Aworkflows/a,b%25.yaml:1:11: first defined here%0Ahelp: give one of them another name\n";
        assert_eq!(github(&compile(&files).diagnostics), expected);
    }

    #[test]
    fn sarif_logs() {
        let texts = |before: &str| {
            ProjectFiles::from_texts([
                ("campaignd.yaml".to_owned(), "project: shop\ntime_zone: UTC\n".to_owned()),
                (
                    "workflows/\u{fc} a.yaml".to_owned(),
                    format!(
                        "{before}workflow: a\ntrigger: {{ manual: true }}\nsteps:\n  - {{ exit: x, id: y }}\n  - {{ exit: x, id: y }}\n"
                    ),
                ),
            ])
        };
        let of = |files: &ProjectFiles| -> serde_json::Value {
            serde_json::from_str(&sarif(&compile(files).diagnostics, files).unwrap()).unwrap()
        };
        let log = of(&texts(""));
        let run = &log["runs"][0];
        assert_eq!((&log["version"], &run["columnKind"]), (&"2.1.0".into(), &"unicodeCodePoints".into()));
        let rules: Vec<&serde_json::Value> = run["tool"]["driver"]["rules"].as_array().unwrap().iter().collect();
        assert_eq!(
            rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect::<Vec<_>>(),
            ["duplicate-id", "unreachable-step"]
        );
        assert!(rules.iter().all(|rule| rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("Use instead"))));
        let first = &run["results"][0];
        assert_eq!(
            (&first["ruleId"], &first["ruleIndex"], &first["level"]),
            (&"unreachable-step".into(), &1.into(), &"warning".into())
        );
        let second = &run["results"][1];
        let place = serde_json::json!({
            "artifactLocation": { "uri": "workflows/%C3%BC%20a.yaml", "uriBaseId": "%SRCROOT%" },
            "region": { "startLine": 5, "startColumn": 20, "endLine": 5, "endColumn": 21 },
        });
        assert_eq!(second["locations"][0]["physicalLocation"], place);
        assert_eq!(second["relatedLocations"][0]["physicalLocation"]["region"]["startLine"], 4);
        assert_eq!(second["relatedLocations"][0]["message"]["text"], "first used here");
        // An edit elsewhere in the file leaves results what they are.
        let moved = of(&texts("# more\n"));
        assert_eq!(moved["runs"][0]["results"][1]["partialFingerprints"], second["partialFingerprints"]);
        assert_ne!(first["partialFingerprints"], second["partialFingerprints"]);
    }

    #[test]
    fn nothing_drives_the_terminal() {
        let workflow = "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: \"a\\e[2J\\a\\u202e\" # \u{202e}\u{2066}\n";
        let files =
            ProjectFiles::from_texts([("campaignd.yaml", "project: shop\ntime_zone: UTC\n"), ("workflows/a.yaml", workflow)]);
        let diagnostics = compile(&files).diagnostics;
        for text in [short(&diagnostics), human(&diagnostics, &files, false), github(&diagnostics)] {
            assert!(text.contains("a\\u{1b}[2J\\u{7}\\u{202e}"), "{text}");
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{2066}']), "{text:?}");
        }
    }

    #[test]
    fn excerpts_keep_their_place() {
        let workflow = format!("workflow: a\ntrigger: {{ manual: true }}\nsteps:\n{}", "  - wait: 1 dayz\n".repeat(300));
        let files = ProjectFiles::from_texts([
            ("campaignd.yaml", "project: shop\ntime_zone: UTC\nrules: { renumbered-step: off }\n"),
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
