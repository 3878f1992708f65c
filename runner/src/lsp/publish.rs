//! What is wrong with a project, as editors show it.

use std::collections::BTreeMap;

use dsl::diagnostic::{Diagnostic, Location, Severity};
use lsp_types::{
    CodeDescription, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, NumberOrString, PublishDiagnosticsParams,
};

use super::checker::Checked;
use super::position::{Encoding, Page};
use super::project::Project;
use super::rules_page::Pages;

/// Rules about what is never used or reached: editors show it faded.
const UNNECESSARY: [&str; 4] = ["unreachable-step", "unused-segment", "unused-template", "unused-with"];

/// How diagnostics are given to the editor.
pub struct Published<'p> {
    /// Where each diagnostic is explained.
    pub pages: &'p Pages,
}

impl Published<'_> {
    /// A diagnostic; `page` is the text of its file, `place` makes addresses of other places.
    pub fn diagnostic(
        &self,
        found: &Diagnostic,
        page: &Page<'_>,
        place: impl Fn(&Location) -> Option<lsp_types::Location>,
    ) -> lsp_types::Diagnostic {
        let related = found.related.iter().filter_map(|related| {
            Some(DiagnosticRelatedInformation { location: place(&related.location)?, message: related.message.clone() })
        });
        let related: Vec<DiagnosticRelatedInformation> = related.collect();
        let message = match &found.help {
            Some(help) => format!("{}\n{help}", found.message),
            None => found.message.clone(),
        };
        lsp_types::Diagnostic {
            range: page.range(&found.location),
            severity: Some(match found.severity {
                Severity::Error => DiagnosticSeverity::ERROR,
                Severity::Warning => DiagnosticSeverity::WARNING,
            }),
            code: Some(NumberOrString::String(found.code.to_owned())),
            code_description: self.pages.of(found.code).map(|href| CodeDescription { href }),
            source: Some("campaignd".to_owned()),
            message,
            related_information: (!related.is_empty()).then_some(related),
            tags: UNNECESSARY.contains(&found.code).then(|| vec![DiagnosticTag::UNNECESSARY]),
            ..lsp_types::Diagnostic::default()
        }
    }
}

/// What the editor is told after a check: of each file of which something else is to be said than before, and of each that is open, so that it knows
/// which text was looked at. Keeps in the project what it was told.
pub fn messages(
    project: &mut Project,
    checked: Checked,
    published: &Published<'_>,
    encoding: Encoding,
) -> Vec<PublishDiagnosticsParams> {
    let before = std::mem::take(&mut project.published);
    let mut by_file: BTreeMap<String, Vec<lsp_types::Diagnostic>> =
        before.keys().chain(checked.versions.keys()).map(|file| (file.clone(), Vec::new())).collect();
    let place = |at: &Location| {
        let page = Page::new(checked.files.text(&at.file).unwrap_or_default(), encoding);
        Some(lsp_types::Location { uri: project.uri(&at.file)?, range: page.range(at) })
    };
    let mut pages: BTreeMap<&str, Page<'_>> = BTreeMap::new();
    for found in &checked.diagnostics {
        let file = found.location.file.as_str();
        let page = pages.entry(file).or_insert_with(|| Page::new(checked.files.text(file).unwrap_or_default(), encoding));
        by_file.entry(file.to_owned()).or_default().push(published.diagnostic(found, page, place));
    }
    let told = |(file, diagnostics): (&String, &Vec<lsp_types::Diagnostic>)| {
        let version = checked.versions.get(file).copied();
        // Of a file that is not open, and as it was, the editor knows already.
        if version.is_none() && before.get(file) == Some(diagnostics) {
            return None;
        }
        Some(PublishDiagnosticsParams { uri: project.uri(file)?, diagnostics: diagnostics.clone(), version })
    };
    let messages = by_file.iter().filter_map(told).collect();
    project.published = by_file.into_iter().filter(|(_, found)| !found.is_empty()).collect();
    project.diagnostics = checked.diagnostics;
    messages
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dsl::ProjectFiles;

    use super::*;

    fn checked(text: &str) -> Checked {
        let files = ProjectFiles::from_texts([("campaignd.yaml", "project: p\ntime_zone: UTC\n"), ("workflows/a.yaml", text)]);
        let diagnostics = dsl::compile(&files).diagnostics;
        let versions = BTreeMap::from([("workflows/a.yaml".to_owned(), 7)]);
        Checked { root: "/p".into(), disk: Arc::new(files.clone()), files, versions, diagnostics }
    }

    #[test]
    fn what_is_wrong_and_what_no_longer_is() {
        let folder = tempfile::tempdir().unwrap();
        let pages = Pages::under(folder.path());
        let published = Published { pages: &pages };
        let mut project = Project { root: "/p".into(), ..Project::default() };
        let mut told = |text: &str| messages(&mut project, checked(text), &published, Encoding::Utf16);
        let wrong = told(
            "workflow: a\ntrigger: { manual: true }\nsteps:\n  - send: \"\u{1f600}x\"\n    transactional: true\n  - exit\n  - wait: 1 day\n",
        );
        let file = &wrong[0];
        assert_eq!((file.uri.as_str(), file.version), ("file:///p/workflows/a.yaml", Some(7)));
        let codes: Vec<String> = file
            .diagnostics
            .iter()
            .filter_map(|found| match &found.code {
                Some(NumberOrString::String(code)) => Some(code.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(codes, ["unknown-template", "unreachable-step"]);
        let first = &file.diagnostics[0];
        assert_eq!((first.range.start.character, first.range.end.character), (10, 15));
        assert!(first.code_description.as_ref().unwrap().href.as_str().ends_with("/unknown-template.md"));
        assert_eq!(file.diagnostics[1].tags, Some(vec![DiagnosticTag::UNNECESSARY]));
        let right = told("workflow: a\ntrigger: { manual: true }\nsteps: [exit]\n");
        assert_eq!(right.len(), 1);
        assert!(right[0].diagnostics.is_empty());
        let open = told("workflow: a\ntrigger: { manual: true }\nsteps: [exit]\n");
        assert_eq!((open.len(), open[0].version), (1, Some(7)));
        // What nobody has open is told of once.
        let elsewhere = |text: &str| Checked { versions: BTreeMap::new(), ..checked(text) };
        let mut project = Project { root: "/p".into(), ..Project::default() };
        let mut count = |text: &str| messages(&mut project, elsewhere(text), &published, Encoding::Utf16).len();
        let wrong = "workflow: a\ntrigger: { manual: true }\nsteps: [{ send: x }]\n";
        assert_eq!([count(wrong), count(wrong), count("workflow: [\n"), count(""), count("")], [1, 0, 1, 1, 0]);
    }
}
